"""Worker pages: the four lists, and the proofs that are not ours to issue."""

from typing import Any

from flask import Response, flash, url_for
from flask_babel import gettext as _

from portal.catalogue.forms.lists import EntryForm, LastDayForm, ProofForm
from portal.catalogue.models.codes import ListKind
from portal.catalogue.models.lists import ListEntry, Proof
from portal.catalogue.service import dictionary, grounds, item_words, lists, seeing
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing
from portal.core.once import made_once
from portal.identity.permissions import Permission

KEEP = Permission.CATALOGUE_KEEP


def _kind(kind: str) -> ListKind:
    if kind not in set(ListKind):
        raise Missing
    return ListKind(kind)


@bp.route("/lists")
@bp.route("/lists/<kind>")
@requires(KEEP)
def four_lists(kind: str = ListKind.WORK) -> Response:
    chosen = _kind(kind)
    said = item_words.short_list
    tabs = [(one, said(one), url_for(".four_lists", kind=one)) for one in ListKind]
    facts: dict[str, Any] = {"kind": chosen, "tabs": tabs, "today": today(), "kept": grounds.kept_ids(scopes(KEEP))}
    return web.page("catalogue/worker/four_lists.html", entries=lists.entries(scopes(KEEP), chosen), **facts)


@bp.route("/samples", methods=["POST"])
@requires(KEEP)
def samples() -> Response:
    """The sample lists, proofs and synonyms, for a place that has none yet."""
    place = next(iter(grounds.places(scopes(KEEP))), None)
    if place is None:
        raise Missing
    by = current_actor().name
    count = lists.seed(place, by=by) + dictionary.seed(place, by=by)
    flash(_("装入了 %(count)d 条样例，可以逐条改。", count=count) if count else _("已经有内容了，没有装入样例。"), "ok")
    return web.go(".four_lists")


@bp.route("/lists/<kind>/new", methods=["GET", "POST"])
@requires(KEEP)
def entry_new(kind: str) -> Response:
    within, chosen = scopes(KEEP), _kind(kind)
    form = EntryForm().offer(grounds.places(within))
    if form.carries_out(lambda: made_once("catalogue.entry", form, lambda: _entry(form, chosen, within))):
        flash(_("加进清单了。"), "ok")
        return web.go(".four_lists", kind=chosen)
    return web.page("catalogue/worker/entry_new.html", form=form, kind=chosen, status=form.status)


def _entry(form: EntryForm, kind: ListKind, within: tuple[Scope, ...]) -> ListEntry:
    return lists.add_entry(grounds.place(within, form.text("area")), kind, form.facts(), by=current_actor().name)


@bp.route("/entries/<int:entry_id>", methods=["GET", "POST"])
@requires(KEEP)
def entry_edit(entry_id: int) -> Response:
    entry = lists.entry_in(scopes(KEEP), entry_id)
    form = EntryForm.of(entry)
    if form.carries_out(lambda: _save_entry(entry, form)):
        flash(_("已保存。"), "ok")
        return web.go(".four_lists", kind=entry.kind)
    return web.page("catalogue/worker/entry_edit.html", entry=entry, form=form, status=form.status)


def _save_entry(entry: ListEntry, form: EntryForm) -> None:
    seeing.hold(entry)
    form.refuse_older(form.stands(entry), by=entry.set_by)
    lists.save_entry(entry, form.facts(), by=current_actor().name)


@bp.route("/entries/<int:entry_id>/end", methods=["GET", "POST"])
@requires(KEEP)
def entry_end(entry_id: int) -> Response:
    entry, form = lists.entry_in(scopes(KEEP), entry_id), LastDayForm()
    if form.carries_out(lambda: _ended(entry, form)):
        return web.go(".four_lists", kind=entry.kind)
    return web.page("catalogue/worker/entry_end.html", entry=entry, form=form, status=form.status)


def _ended(row: ListEntry | Proof, form: LastDayForm) -> None:
    lists.end(row, form.last_day.data or today(), reason=form.text("reason"))
    flash(_("到那一天为止，之后居民看不到。"), "ok")


@bp.route("/proofs")
@requires(KEEP)
def proofs() -> Response:
    found, kept = lists.kept_proofs(scopes(KEEP)), grounds.kept_ids(scopes(KEEP))
    return web.page("catalogue/worker/proofs.html", proofs=found, kept=kept, today=today())


@bp.route("/proofs/new", methods=["GET", "POST"])
@requires(KEEP)
def proof_new() -> Response:
    within = scopes(KEEP)
    form = ProofForm().offer(grounds.places(within))
    if form.carries_out(lambda: made_once("catalogue.proof", form, lambda: _proof(form, within))):
        flash(_("加进清单了。"), "ok")
        return web.go(".proofs")
    return web.page("catalogue/worker/proof_new.html", form=form, status=form.status)


def _proof(form: ProofForm, within: tuple[Scope, ...]) -> Proof:
    return lists.add_proof(grounds.place(within, form.text("area")), form.facts(), by=current_actor().name)


@bp.route("/proofs/<int:proof_id>", methods=["GET", "POST"])
@requires(KEEP)
def proof_edit(proof_id: int) -> Response:
    proof = lists.proof_in(scopes(KEEP), proof_id)
    form = ProofForm.of(proof)
    if form.carries_out(lambda: _save_proof(proof, form)):
        flash(_("已保存。"), "ok")
        return web.go(".proofs")
    return web.page("catalogue/worker/proof_edit.html", proof=proof, form=form, status=form.status)


def _save_proof(proof: Proof, form: ProofForm) -> None:
    seeing.hold(proof)
    form.refuse_older(form.stands(proof), by=proof.set_by)
    lists.save_proof(proof, form.facts(), by=current_actor().name)


@bp.route("/proofs/<int:proof_id>/end", methods=["GET", "POST"])
@requires(KEEP)
def proof_end(proof_id: int) -> Response:
    proof, form = lists.proof_in(scopes(KEEP), proof_id), LastDayForm()
    if form.carries_out(lambda: _ended(proof, form)):
        return web.go(".proofs")
    return web.page("catalogue/worker/proof_end.html", proof=proof, form=form, status=form.status)
