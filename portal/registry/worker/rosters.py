"""Worker pages: named rosters, from a filter or by ticking people."""

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.rosters import PickForm, RosterForm
from portal.registry.forms.search import wanted
from portal.registry.models import Roster
from portal.registry.service import lists
from portal.registry.service import rosters as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.search import MOST_PRINTED


def _mine(public_id: str) -> Roster:
    return service.roster_of(current_actor(), public_id)


@bp.route("/rosters")
@requires(Permission.PEOPLE_READ)
def rosters() -> Response:
    found = service.rosters(current_actor(), scopes(Permission.PEOPLE_READ))
    return web.page("registry/worker/rosters.html", rosters=found)


@bp.route("/rosters/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def roster_new() -> Response:
    """Everybody of a filter, which stands in the address, becomes a roster."""
    asked, form = wanted(request.args), RosterForm()
    place = lists.ground(asked, scopes(Permission.PEOPLE_READ))
    chosen, title = lists.everyone(asked, place.area), lists.in_words(asked, place)
    if form.validate_on_submit():
        try:
            facts = {"name": form.text("name"), "note": form.text("note"), "key": form.text("idem")}
            made = service.make(current_actor(), chosen=chosen, **facts)
            return web.go(".roster", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    shown: dict[str, Any] = {"title": title, "count": lists.counted(chosen), "query": asked.query()}
    return web.page("registry/worker/roster_new.html", form=form, status=form.status, most=lists.MOST_COUNTED, **shown)


@bp.route("/rosters/pick", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def roster_pick() -> Response:
    """Where the people ticked on a list go."""
    form = PickForm.of([roster for roster, _count in service.rosters(current_actor(), ())])
    ticked = request.form.getlist("person")[: service.MOST_PEOPLE]
    if not ticked:
        flash(_("还没有勾选居民。请先在名册里勾选，再点“加入名单”。"), "warn")
        return web.go(".listing")
    if "roster" in request.form and form.validate_on_submit():
        try:
            return web.go(".roster", public_id=_put(form, ticked).public_id)
        except Refused as refused:
            form.refuse(refused)
    status = form.status if "roster" in request.form else 200
    return web.page("registry/worker/roster_pick.html", form=form, ticked=ticked, status=status)


def _put(form: PickForm, ticked: list[str]) -> Roster:
    chosen = service.chosen_in(scopes(Permission.PEOPLE_READ), ticked)
    if not form.roster.data:
        return service.make(current_actor(), name=form.text("name"), chosen=chosen, key=form.text("idem"))
    roster = _mine(form.roster.data)
    flash(_("名单里新增 %(count)d 人。", count=service.add(roster, chosen)), "ok")
    return roster


@bp.route("/rosters/<public_id>")
@requires(Permission.PEOPLE_READ)
def roster(public_id: str) -> Response:
    found = _mine(public_id)
    page = service.page_of(found, scopes(Permission.PEOPLE_READ), after=request.args.get("after", "")[:32])
    counted = service.counted(found, scopes(Permission.PEOPLE_READ))
    facts: dict[str, Any] = {"page": page, "today": today(), "counted": counted}
    return web.page("registry/worker/roster.html", roster=found, **facts)


@bp.route("/rosters/<public_id>/remove", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def roster_remove(public_id: str) -> Response:
    found, ticked = _mine(public_id), request.form.getlist("person")
    if not ticked:
        flash(_("还没有勾选居民。请先勾选要移出的人。"), "warn")
        return web.go(".roster", public_id=public_id)
    gone = service.remove(found, ticked, scopes(Permission.PEOPLE_READ))
    flash(_("已从名单移出 %(count)d 人，登记不受影响。", count=gone), "ok")
    return web.go(".roster", public_id=public_id)


@bp.route("/rosters/<public_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def roster_edit(public_id: str) -> Response:
    found = _mine(public_id)
    form = RosterForm(data={"name": found.name, "note": found.note})
    if form.validate_on_submit():
        try:
            service.rename(found, name=form.text("name"), note=form.text("note"))
            flash(_("已保存。"), "ok")
            return web.go(".roster", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/roster_edit.html", form=form, roster=found, status=form.status)


@bp.route("/rosters/<public_id>/delete", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def roster_delete(public_id: str) -> Response:
    service.delete(_mine(public_id))
    flash(_("名单已删除，居民的登记不受影响。"), "ok")
    return web.go(".rosters")


@bp.route("/rosters/<public_id>/print", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def roster_print(public_id: str) -> Response:
    found = _mine(public_id)
    lines = service.all_lines(found, scopes(Permission.PEOPLE_READ), limit=MOST_PRINTED + 1)
    audit.record("registry.roster_printed", found, count=len(lines[:MOST_PRINTED]))
    title = _("；").join(filter(None, [found.note, service.counted(found, scopes(Permission.PEOPLE_READ)).words]))
    facts: dict[str, Any] = {"more": len(lines) > MOST_PRINTED, "title": title, "heading": found.name}
    facts |= {"today": today(), "printed": now(), "back": url_for(".roster", public_id=public_id)}
    return web.page("registry/worker/sheet.html", lines=lines[:MOST_PRINTED], **facts)
