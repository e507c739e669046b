"""Worker pages: the queue of doubles, two records side by side, merging them and taking it back."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.twins import MergeForm, UndoMergeForm, VerdictForm
from portal.registry.models import BatchState, ImportBatch, Outcome, Person
from portal.registry.service import imports, merging
from portal.registry.service import twins as service
from portal.registry.service.imports import wording
from portal.registry.worker.blueprint import bp


def _two(first: str, second: str) -> tuple[Person, Person]:
    return service.people_of(scopes(Permission.PEOPLE_MERGE), first, second)


@bp.route("/twins")
@requires(Permission.PEOPLE_MERGE)
def twins() -> Response:
    within = scopes(Permission.PEOPLE_MERGE)
    rows, pairs = service.waiting_rows(within), service.pairs(within)
    facts: dict[str, Any] = {"rows": rows[: service.PAGE], "pairs": pairs[: service.PAGE], "words": wording}
    more, waiting = len(rows) > service.PAGE or len(pairs) > service.PAGE, service.waiting(within)
    facts |= {"places": areas.whole_communities(within), "reason_words": service.reason_words, "more": more}
    return web.page("registry/worker/twins.html", waiting=waiting, **facts)


@bp.route("/twins/seek", methods=["POST"])
@requires(Permission.PEOPLE_MERGE)
def twins_seek() -> Response:
    places = areas.whole_communities(scopes(Permission.PEOPLE_MERGE))
    place = next((area for area in places if area.code == request.form.get("community")), None)
    if place is None:
        raise Missing
    service.ask(place)
    flash(_("正在查找，几秒后刷新这一页看结果。"), "ok")
    return web.go(".twins")


@bp.route("/twins/<kept>/<other>")
@requires(Permission.PEOPLE_MERGE)
def twin(kept: str, other: str) -> Response:
    one, two = _two(kept, other)
    facts: dict[str, Any] = {"pair": service.between(one, two), "choices": merging.choices(one, two)}
    return web.page("registry/worker/twin.html", kept=one, other=two, reason_words=service.reason_words, **facts)


@bp.route("/twins/<kept>/<other>/apart", methods=["POST"])
@requires(Permission.PEOPLE_MERGE)
def twin_apart(kept: str, other: str) -> Response:
    service.apart(*_two(kept, other), by=current_actor())
    flash(_("已记下这是两个人，以后不再提示。"), "ok")
    return web.go(".twins")


@bp.route("/twins/<kept>/<other>/later", methods=["POST"])
@requires(Permission.PEOPLE_MERGE)
def twin_later(kept: str, other: str) -> Response:
    service.later(*_two(kept, other), by=current_actor())
    flash(_("已放到最后，有空再看。"), "ok")
    return web.go(".twins")


@bp.route("/twins/<kept>/<other>/merge", methods=["GET", "POST"])
@requires(Permission.PEOPLE_MERGE, fresh=True)
def twin_merge(kept: str, other: str) -> Response:
    """The choices stand in the address, so that asking for the password loses none."""
    (one, two), form = _two(kept, other), MergeForm()
    taking = merging.chosen(request.args, one, two)
    if form.validate_on_submit():
        try:
            merging.merge(one, two, taking=taking, reason=form.text("reason"))
            flash(_("已合并。合错了可以在“合并过的记录”里撤销。"), "ok")
            return web.go(".twins")
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"kept": one, "other": two, "result": merging.result(one, two, taking)}
    return web.page("registry/worker/twin_merge.html", form=form, status=form.status, **facts)


@bp.route("/twins/merges")
@requires(Permission.PEOPLE_MERGE)
def merges() -> Response:
    found = merging.merges(scopes(Permission.PEOPLE_MERGE), before=web.number_asked("before"))
    return web.page("registry/worker/merges.html", merges=found[: service.PAGE], more=len(found) > service.PAGE)


@bp.route("/twins/merges/<public_id>/undo", methods=["GET", "POST"])
@requires(Permission.PEOPLE_MERGE, fresh=True)
def merge_undo(public_id: str) -> Response:
    happening, form = merging.merge_in(scopes(Permission.PEOPLE_MERGE), public_id), UndoMergeForm()
    if form.validate_on_submit():
        try:
            undo = imports.take_back_merge if happening.batch_id else merging.undo
            undo(happening, reason=form.text("reason"))
            flash(_("已撤销合并，两份登记和合并前一样。"), "ok")
            return web.go(".merges")
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/merge_undo.html", happening=happening, form=form, status=form.status)


@bp.route("/imports/<public_id>/waiting/<int:number>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_IMPORT)
def import_waiting(public_id: str, number: int) -> Response:
    row, form = imports.waiting_row(scopes(Permission.PEOPLE_IMPORT), public_id, number), VerdictForm()
    if row.outcome is not Outcome.WAITING:
        may_undo, person = imports.may_take_back(row), imports.became(row)
        return web.page("registry/worker/import_decided.html", row=row, person=person, words=wording, may_undo=may_undo)
    pair = imports.beside(row, chosen=request.args.get("with", ""))
    if form.validate_on_submit():
        try:
            imports.decide(pair, form.said(), request.form, by=current_actor())
            flash(wording.decided(form.said(), confirmed=row.batch.confirmed_at is not None), "ok")
            return _onwards(row.batch)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"row": row, "pair": pair, "words": wording}
    return web.page("registry/worker/import_waiting.html", form=form, status=form.status, **facts)


@bp.route("/imports/<public_id>/waiting/<int:number>/back", methods=["GET", "POST"])
@requires(Permission.PEOPLE_IMPORT, fresh=True)
def import_take_back(public_id: str, number: int) -> Response:
    row, form = imports.waiting_row(scopes(Permission.PEOPLE_IMPORT), public_id, number), UndoMergeForm()
    if form.validate_on_submit():
        try:
            imports.take_back(row, reason=form.text("reason"))
            flash(_("已收回，这一行回到待核实。"), "ok")
            return web.go(".import_waiting", public_id=public_id, number=number)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"row": row, "person": imports.became(row), "words": wording}
    return web.page("registry/worker/import_take_back.html", form=form, status=form.status, **facts)


def _onwards(batch: ImportBatch) -> Response:
    """To the other rows that wait: of a batch that may yet be cancelled, on its own page."""
    if batch.state is BatchState.CONFIRMED:
        return web.go(".twins")
    return web.go(".import_rows", public_id=batch.public_id, kind="waiting")
