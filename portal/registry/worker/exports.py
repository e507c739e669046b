"""Worker pages: asking for an export, fetching its file, and letting others' exports go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Response, current_app, flash, request
from flask_babel import gettext as _

from portal.config import Config
from portal.core import sheets, web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import now
from portal.core.db import reading
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.exports import ExportForm, RefusalForm
from portal.registry.forms.search import wanted
from portal.registry.models import Export, ExportState
from portal.registry.service import export_columns, export_files, finding, household_exports, lists, rosters
from portal.registry.service import exports as service
from portal.registry.service.resources import plain
from portal.registry.worker.blueprint import bp

bp.add_app_template_filter(service.state_words, "export_state")


def _folder() -> Path:
    config: Config = current_app.extensions["portal.config"]
    return config.instance / "exports"


@dataclass(frozen=True)
class _Asked:
    """Whom an address names: a filter, or one of the asker's rosters; in words, as a query, and as an address."""

    title: str
    people: sa.Select[int]
    query: dict[str, str]
    back: str


def _asked() -> _Asked:
    within = scopes(Permission.PEOPLE_EXPORT)
    if "roster" in request.args:
        roster = rosters.roster_of(current_actor(), request.args["roster"])
        people = rosters.living(roster, finding.inside(within))
        missing = rosters.counted(roster, within).words
        title = _("；").join(filter(None, [_("名单“%(name)s”", name=roster.name), missing]))
        return _Asked(title, people, {"roster": roster.public_id}, "rosters")
    filters = wanted(request.args)
    place = lists.ground(filters, within)
    return _Asked(lists.in_words(filters, place), lists.everyone(filters, place.area), filters.query(), "listing")


@bp.route("/exports")
@requires(Permission.PEOPLE_EXPORT)
def exports() -> Response:
    mine = service.exports(current_actor(), before=web.number_asked("before"))
    waiting = service.waiting_for(current_actor(), scopes(Permission.EXPORTS_APPROVE))
    shown: dict[str, Any] = {"exports": mine[: service.PAGE], "more": len(mine) > service.PAGE, "waiting": waiting}
    return web.page("registry/worker/exports.html", approves=may(Permission.EXPORTS_APPROVE), now=now(), **shown)


@bp.route("/exports/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EXPORT, fresh=True)
def export_new() -> Response:
    asked, form = _asked(), ExportForm.fresh()
    if form.validate_on_submit():
        try:
            return web.go(".export", public_id=_ask(asked, form).public_id)
        except Refused as refused:
            form.refuse(refused)
    count = lists.counted(asked.people, most := service.most_people())
    shown: dict[str, Any] = {"asked": asked, "count": count, "most": most}
    return web.page("registry/worker/export_new.html", form=form, status=form.status, **shown)


def _ask(asked: _Asked, form: ExportForm) -> Export:
    said: dict[str, Any] = {"columns": form.chosen(), "plain": form.way.data == "plain", "reason": form.text("reason")}
    whose: dict[str, Any] = {"by": current_actor(), "within": scopes(Permission.PEOPLE_EXPORT)}
    return service.ask(asked.people, title=asked.title, key=form.text("idem"), **said, **whose)


@bp.route("/exports/<public_id>")
@requires(Permission.PEOPLE_EXPORT)
def export(public_id: str) -> Response:
    found = service.export_of(current_actor(), public_id)
    return web.page("registry/worker/export.html", export=found, columns=_columns(found), **_fetchable(found))


def _columns(found: Export) -> str:
    if found.resource == household_exports.RESOURCE:
        return _("、").join(household_exports.headers())
    if found.resource:
        return plain.headers(found)
    return _("、").join(export_columns.label(export_columns.Column(name)) for name in found.fields)


def _fetchable(found: Export) -> dict[str, Any]:
    working = found.state in {ExportState.QUEUED, ExportState.WRITING}
    return {"working": working, "open": found.is_open(now()), "left": service.downloads_left(found)}


@bp.route("/exports/<public_id>/file", methods=["POST"])
@requires(Permission.PEOPLE_EXPORT, fresh=True)
def export_file(public_id: str) -> Response:
    try:
        with reading():
            body = export_files.read(service.export_of(current_actor(), public_id), folder=_folder())
        found = service.export_of(current_actor(), public_id)
        service.take(found)
    except Refused as refused:
        web.turn_down(refused)
        return web.go(".export", public_id=public_id)
    title = found.title if found.resource else _("居民导出")
    return web.download(body, f"{title}-{found.number}.xlsx", sheets.MIME)


@bp.route("/exports/<public_id>/withdraw", methods=["POST"])
@requires(Permission.PEOPLE_EXPORT)
def export_withdraw(public_id: str) -> Response:
    try:
        service.withdraw(service.export_of(current_actor(), public_id))
        flash(_("已撤回申请。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".exports")


@bp.route("/exports/<public_id>/decide", methods=["GET", "POST"])
@requires(Permission.EXPORTS_APPROVE, fresh=True)
def export_decide(public_id: str) -> Response:
    found = service.to_decide(current_actor(), scopes(Permission.EXPORTS_APPROVE), public_id)
    form = RefusalForm()
    try:
        if request.form.get("decision") == "approve":
            return _approved(found)
        if form.validate_on_submit():
            return _refused(found, form.text("reason"))
    except Refused as refused:
        form.refuse(refused)
    facts: dict[str, Any] = {"columns": _columns(found), "open": found.state is ExportState.WAITING}
    facts |= {"covered": service.covered(found), "sure": "sure" in request.args}
    return web.page("registry/worker/export_decide.html", export=found, form=form, status=form.status, **facts)


def _approved(found: Export) -> Response:
    service.approve(found, by=current_actor())
    flash(_("已批准，文件生成后申请人可以下载。"), "ok")
    return web.go(".exports")


def _refused(found: Export, reason: str) -> Response:
    service.refuse(found, reason=reason, by=current_actor())
    flash(_("已退回，原因会告诉申请人。"), "ok")
    return web.go(".exports")
