"""Worker pages of activities: begun from a template, edited, published, called off, ended; templates."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import tokens, web
from portal.core.access import Scope, current_actor, may, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.activities import ActivityForm, ReasonForm, SaveTemplateForm, activity_form, stands
from portal.volunteers.models.activities import Activity
from portal.volunteers.models.codes import ActivityState
from portal.volunteers.service import (
    activities,
    activity_templates,
    activity_words,
    calling_off,
    guards,
    keeping,
    shifts,
)
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP
for name, words in activity_words.WORDS.items():
    bp.add_app_template_filter(words, name)


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


def activity_in(public_id: str) -> Activity:
    return activities.activity(public_id, within=_within())


def asked_page() -> int:
    return min(max(web.number_asked("page", 1), 1), 500)


@bp.route("/activities")
@requires(KEEP)
def activities_page() -> Response:
    within, page = _within(), asked_page()
    state = next((one for one in ActivityState if one == request.args.get("state")), None)
    words = request.args.get("q", "").strip()[:60]
    found, more = activities.activities_within(within, state=state, words=words, page=page)
    facts: dict[str, Any] = {"state": state, "words": words, "page": page, "more": more}
    facts["counts"] = activities.count_of(within)
    return web.page("volunteers/worker/activities_page.html", activities=found, **facts)


@bp.route("/activities/new")
@requires(KEEP)
def activity_pick() -> Response:
    """The first step: what to begin from."""
    within = _within()
    communities = areas.whole_communities(within)
    here = _community(communities)
    offered = activity_templates.offered(within)
    mine = [one for one in offered if one.community_id in (None, here.id)]
    return web.page("volunteers/worker/activity_pick.html", templates=mine, communities=communities, here=here)


def _community(communities: list[Area]) -> Area:
    """The one that the address names, else the first."""
    asked = request.args.get("community", "")
    found = next((area for area in communities if not asked or area.code == asked), None)
    if found is None:
        raise Missing
    return found


@bp.route("/activities/new/form", methods=["GET", "POST"])
@requires(KEEP)
def activity_new() -> Response:
    """The second step: the form, filled from a template where one was picked."""
    within, skills = _within(), activity_templates.skills()
    here, number = _community(areas.whole_communities(within)), web.number_asked("template")
    chosen = activity_templates.template(within, number) if number else None
    form = activity_form(here, skills, activity_templates.filled(chosen, skills) if chosen else None)
    if form.carries_out(lambda: _add(form, here)):
        flash(_("草稿已存好。接着排班次；都核对好了再发布。"), "ok")
        return web.go(".shifts_new", public_id=form.made, template=number or None)
    return web.page("volunteers/worker/activity_new.html", form=form, here=here, activity=None, status=form.status)


def _add(form: ActivityForm, here: Area) -> None:
    """The same form sent twice makes one activity."""
    by, body = current_actor(), form.body()
    earlier = tokens.same_request(by.public_id, "volunteers.activity", form.text("idem"), body)
    if earlier is None:
        earlier = keeping.add(here, form.facts(), by=by).public_id
        tokens.remember_request(by.public_id, "volunteers.activity", form.text("idem"), body, earlier)
    form.made = earlier


@bp.route("/activities/<public_id>")
@requires(KEEP)
def activity(public_id: str) -> Response:
    found, moment = activity_in(public_id), now()
    past = "past" in request.args
    listed = activities.shifts_of(found) if past else activities.shifts_of(found, since=moment)
    facts: dict[str, Any] = {"shifts": [one for one in listed if not past or one.ends_at <= moment], "past": past}
    facts |= {"flaws": guards.flaws(found, keeping.last_end(found)), "batches": shifts.batches(found)}
    return web.page("volunteers/worker/activity.html", activity=found, moment=moment, **facts)


@bp.route("/activities/<public_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def activity_edit(public_id: str) -> Response:
    found = activity_in(public_id)
    form = activity_form(found.community, activity_templates.skills(), stands(found))
    if form.carries_out(lambda: _change(found, form)):
        return web.go(".activity", public_id=found.public_id)
    page = "volunteers/worker/activity_edit.html"
    return web.page(page, form=form, here=found.community, activity=found, status=form.status)


def _change(found: Activity, form: ActivityForm) -> None:
    form.refuse_older(found)
    changed = keeping.change(found, form.facts(), by=current_actor())
    flash(_("已保存。") if changed else _("没有改动。"), "ok")


def _done(found: Activity, act: Callable[[], object], words: str) -> Response:
    """An act of one button: back to the activity, with what it did or why not."""
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".activity", public_id=found.public_id)


@bp.route("/activities/<public_id>/publish", methods=["POST"])
@requires(KEEP)
def activity_publish(public_id: str) -> Response:
    found = activity_in(public_id)
    return _done(found, lambda: keeping.publish(found, by=current_actor()), _("已发布，居民现在能看到、能报名。"))


@bp.route("/activities/<public_id>/end", methods=["POST"])
@requires(KEEP)
def activity_end(public_id: str) -> Response:
    found = activity_in(public_id)
    return _done(found, lambda: keeping.end(found, by=current_actor()), _("活动已结束，服务记录都还在。"))


@bp.route("/activities/<public_id>/reopen", methods=["POST"])
@requires(KEEP)
def activity_reopen(public_id: str) -> Response:
    found = activity_in(public_id)
    return _done(found, lambda: keeping.reopen(found, by=current_actor()), _("活动重新开始招募。"))


@bp.route("/activities/<public_id>/call-off", methods=["GET", "POST"])
@requires(KEEP)
def activity_call_off(public_id: str) -> Response:
    found, form = activity_in(public_id), ReasonForm()
    if form.carries_out(lambda: _call_off(found, form.text("reason"))):
        return web.go(".activity", public_id=found.public_id)
    facts: dict[str, Any] = {"coming": len(keeping.coming(found)), "held": calling_off.places_held(found)}
    page = "volunteers/worker/activity_call_off.html"
    return web.page(page, activity=found, form=form, status=form.status, **facts)


def _call_off(found: Activity, reason: str) -> None:
    told = calling_off.call_off_activity(found, reason, by=current_actor())
    flash(_("活动已取消，通知了 %(count)d 人次。", count=told), "ok")


@bp.route("/activities/<public_id>/template", methods=["GET", "POST"])
@requires(KEEP)
def activity_save_template(public_id: str) -> Response:
    found, form = activity_in(public_id), SaveTemplateForm()
    form.offer(street=may(Permission.VOLUNTEERS_RULES))
    if form.name.data is None:
        form.name.data = found.title
    if form.carries_out(lambda: _save_template(found, form)):
        flash(_("已存为模板，下次可以从它开始。"), "ok")
        return web.go(".templates_page")
    page = "volunteers/worker/activity_save_template.html"
    return web.page(page, activity=found, form=form, status=form.status)


def _save_template(found: Activity, form: SaveTemplateForm) -> None:
    street = form.reach.data == "street"
    activity_templates.save(found, form.text("name"), street=street, by=current_actor())


@bp.route("/templates")
@requires(KEEP)
def templates_page() -> Response:
    street = may(Permission.VOLUNTEERS_RULES)
    found = activity_templates.offered(_within(), all_of_them=True)
    kept = {one.id for one in found if activity_templates.keeps(one, street=street)}
    return web.page("volunteers/worker/templates_page.html", templates=found, kept=kept, street=street)


@bp.route("/templates/samples", methods=["POST"])
@requires(Permission.VOLUNTEERS_RULES)
def templates_load() -> Response:
    try:
        count = activity_templates.load_samples(by=current_actor())
        flash(_("装好了 %(count)d 个常用模板。", count=count), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".templates_page")


@bp.route("/templates/<int:template_id>/offer", methods=["POST"])
@requires(KEEP)
def template_offer(template_id: int) -> Response:
    """Put a template on offer, or take it off: the button's `on` says which."""
    found = activity_templates.template(_within(), template_id)
    if not activity_templates.keeps(found, street=may(Permission.VOLUNTEERS_RULES)):
        raise Missing
    activity_templates.offer(found, on=request.form.get("on") == "1", by=current_actor())
    flash(_("已更新。"), "ok")
    return web.go(".templates_page")
