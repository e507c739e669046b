"""Worker pages: importing resident registers, from the file to the confirmed batch and back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Response, abort, current_app, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.config import Config
from portal.core import sheets, tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.db import reading
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.imports import ConfirmForm, ImportForm, UndoForm, columns_form
from portal.registry.models import BatchState, ImportBatch, ImportKind
from portal.registry.service import imports as service
from portal.registry.service.imports import guiding, wording
from portal.registry.worker.blueprint import bp

KINDS = ("new", "changed", "unchanged", "refused", "waiting", "decided", "flagged", "alike")


def _uploads() -> Path:
    config: Config = current_app.extensions["portal.config"]
    return config.instance / "uploads"


def _batch(public_id: str) -> ImportBatch:
    return service.batch_in(scopes(Permission.PEOPLE_IMPORT), public_id)


def _throttle() -> None:
    tokens.throttle("import", current_actor().public_id, limit=10, per=timedelta(hours=1))


@bp.route("/imports", methods=["GET", "POST"])
@requires(Permission.PEOPLE_IMPORT)
def imports() -> Response:
    if request.method == "POST":
        _throttle()
    form, within = ImportForm(), scopes(Permission.PEOPLE_IMPORT)
    with reading():
        places = areas.whole_communities(within)
        form.offer(places, request.args.get("kind", ""))
        kept = _kept(form) if form.validate_on_submit() else None
    if kept:
        batch = service.upload(form.place(within), kept, by=current_actor().public_id, kind=form.kind_of())
        return web.go(".import_columns", public_id=batch.public_id)
    found = service.batches(within, before=web.number_asked("before"))
    shown: dict[str, Any] = {"batches": found[: service.PAGE], "more": len(found) > service.PAGE, "places": places}
    return web.page("registry/worker/imports.html", form=form, words=wording, status=form.status, **shown)


def _kept(form: ImportForm) -> service.Kept | None:
    """The upload, sealed and on the disk before the write lock is taken: 20 MB take their time."""
    facts = {"filename": form.file.data.filename, "data": form.file.raw}
    try:
        return service.keep(form.file.table, folder=_uploads(), **facts) if form.file.table else None
    except Refused as refused:
        form.refuse(refused)
        return None


@bp.route("/imports/blank/<kind>")
@requires(Permission.PEOPLE_IMPORT)
def import_blank(kind: str) -> Response:
    if kind not in {one.value for one in service.KINDS}:
        abort(404)
    asked = ImportKind(kind)
    return web.download(service.blank(asked), _("空表-%(kind)s.xlsx", kind=wording.kind(asked)), sheets.MIME)


@bp.route("/imports/<public_id>/columns", methods=["GET", "POST"])
@requires(Permission.PEOPLE_IMPORT)
def import_columns(public_id: str) -> Response:
    batch = _batch(public_id)
    form = columns_form(batch)
    if form.validate_on_submit():
        try:
            service.start_check(batch, form.chosen())
            return web.go(".import_progress", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    if batch.purged_at or not batch.can_become(BatchState.CANCELLED) or batch.state is BatchState.CHECKING:
        return web.go(".import_preview", public_id=public_id)
    facts: dict[str, Any] = {"words": wording, "better": service.better(batch.headers, batch.kind)}
    return web.page("registry/worker/import_columns.html", batch=batch, form=form, status=form.status, **facts)


@bp.route("/imports/<public_id>/kind", methods=["POST"])
@requires(Permission.PEOPLE_IMPORT)
def import_kind(public_id: str) -> Response:
    batch, asked = _batch(public_id), request.form.get("kind", "")
    if asked not in {kind.value for kind in service.KINDS}:
        abort(404)
    try:
        service.switch_kind(batch, ImportKind(asked))
        flash(_("已改为“%(kind)s”，请重新看看各列。", kind=wording.kind(batch.kind)), "ok")
    except Refused as refused:
        flash(refused.message, "bad")
    return web.go(".import_columns", public_id=public_id)


@bp.route("/imports/<public_id>/progress")
@requires(Permission.PEOPLE_IMPORT)
def import_progress(public_id: str) -> Response:
    batch = _batch(public_id)
    if batch.state is not BatchState.CHECKING:
        return web.go(".import_preview", public_id=public_id)
    return web.page("registry/worker/import_progress.html", batch=batch, said=guiding.checks(batch.kind))


@bp.route("/imports/<public_id>")
@requires(Permission.PEOPLE_IMPORT)
def import_preview(public_id: str) -> Response:
    batch = _batch(public_id)
    if batch.state is BatchState.UPLOADED:
        return web.go(".import_columns", public_id=public_id)
    if batch.state is BatchState.CHECKING:
        return web.go(".import_progress", public_id=public_id)
    return _preview(batch, ConfirmForm())


def _preview(batch: ImportBatch, form: ConfirmForm) -> Response:
    headless = service.households_without_head(batch) if batch.state is BatchState.CONFIRMED else []
    facts: dict[str, Any] = {"batch": batch, "counts": service.counts(batch), "headless": headless, "words": wording}
    facts |= {"left_out": service.left_out(batch), "onwards": guiding.onwards(batch.kind)}
    return web.page("registry/worker/import_preview.html", form=form, status=form.status, **facts)


@bp.route("/imports/<public_id>/rows/<kind>")
@requires(Permission.PEOPLE_IMPORT)
def import_rows(public_id: str, kind: str) -> Response:
    if kind not in KINDS:
        abort(404)
    batch = _batch(public_id)
    found = service.rows(batch, kind, after=web.number_asked("after"))
    shown = found[: service.PAGE]
    beside = service.twins(batch, shown) if kind == "waiting" else {}
    facts: dict[str, Any] = {"rows": shown, "more": len(found) > service.PAGE, "beside": beside, "kinds": KINDS}
    facts["counts"] = service.counts(batch)
    return web.page("registry/worker/import_rows.html", batch=batch, kind=kind, words=wording, **facts)


@bp.route("/imports/<public_id>/refused", methods=["POST"])
@requires(Permission.PEOPLE_IMPORT, fresh=True)
def import_refused(public_id: str) -> Response:
    with reading():
        body = service.refused_workbook(_batch(public_id))
    batch = _batch(public_id)
    service.record_download(batch)
    return web.download(body, f"不接收的行-{Path(batch.filename).stem}.xlsx", sheets.MIME)


@bp.route("/imports/<public_id>/confirm", methods=["POST"])
@requires(Permission.PEOPLE_IMPORT)
def import_confirm(public_id: str) -> Response:
    batch, form = _batch(public_id), ConfirmForm()
    if form.validate_on_submit():
        try:
            service.confirm(batch, by=current_actor().public_id, key=form.idem.data or "")
            flash(guiding.taken_in(batch.kind), "ok")
            return web.go(".import_preview", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return _preview(batch, form)


@bp.route("/imports/<public_id>/cancel", methods=["POST"])
@requires(Permission.PEOPLE_IMPORT)
def import_cancel(public_id: str) -> Response:
    service.cancel(_batch(public_id), folder=_uploads())
    flash(_("已取消，没有导入任何内容。"), "ok")
    return web.go(".imports")


@bp.route("/imports/<public_id>/undo", methods=["GET", "POST"])
@requires(Permission.PEOPLE_IMPORT, fresh=True)
def import_undo(public_id: str) -> Response:
    form = UndoForm()
    with reading():
        opened = service.ready(_batch(public_id)) if form.validate_on_submit() else None
    batch = _batch(public_id)
    if opened:
        try:
            kept = service.undo(batch, reason=form.reason.data or "", opened=opened)
            flash(wording.undone(len(kept)), "ok")
            return web.go(".import_preview", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/import_undo.html", batch=batch, form=form, status=form.status)
