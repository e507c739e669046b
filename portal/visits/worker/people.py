"""Worker pages: who is on the list and why, what she wishes, when she is away, who visits her."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.visits.forms.people import (
    EndForm,
    ExclusionForm,
    HintForm,
    OverrideForm,
    WishForm,
    assign_form,
    wish_form,
)
from portal.visits.models import CareSubject, Consent, Exclusion, Level, Method
from portal.visits.service import listing, referrals, visiting, wishes, workers
from portal.visits.worker.blueprint import asked_page, bp


@bp.route("/people")
@requires(Permission.VISITS_PEOPLE)
def subjects() -> Response:
    within, page, asked = scopes(Permission.VISITS_PEOPLE), asked_page(), request.args
    level = Level(asked["level"]) if asked.get("level") in set(Level) else None
    grid_id, only = web.number_asked("grid") or None, asked.get("only", "")
    found = visiting.subjects(within, level=level, grid_id=grid_id, only=only, page=page)
    shown, more = found[: visiting.A_PAGE], len(found) > visiting.A_PAGE
    facts: dict[str, Any] = {"level": level, "grid_id": grid_id, "only": only, "page": page, "more": more}
    names = workers.names(subject.worker for subject in shown)
    grids = [grid for area in areas.communities(within) for grid in areas.grids(area)]
    return web.page("visits/worker/subjects.html", subjects=shown, names=names, grids=grids, today=today(), **facts)


def _subject(person_id: str, permission: Permission = Permission.VISITS_PEOPLE) -> CareSubject:
    return listing.subject_in(scopes(permission), person_id)


@bp.route("/people/<person_id>")
@requires(Permission.VISITS_PEOPLE)
def subject(person_id: str) -> Response:
    found = _subject(person_id)
    form = assign_form(found, workers.visitors_of(found.person)) if may(Permission.VISITS_MANAGE) else None
    lists: dict[str, Any] = {"coming": visiting.coming(found.person), "done": visiting.history(found.person, limit=12)}
    lists |= {"wishes": wishes.wishes(found), "exclusions": wishes.exclusions(found)}
    referred = referrals.of_person(visiting.ids_of(found.person))
    facts: dict[str, Any] = {"today": today(), "names": workers.names([found.worker]), "assign": form}
    facts["hint"] = HintForm(data={"hint": found.hint})
    return web.page("visits/worker/subject.html", subject=found, referrals=referred, **facts, **lists)


@bp.route("/people/<person_id>/wish", methods=["GET", "POST"])
@requires(Permission.VISITS_PEOPLE)
def wish(person_id: str) -> Response:
    found = _subject(person_id)
    form = WishForm() if request.method == "POST" else wish_form(found)
    if form.validate_on_submit():
        try:
            consent, method = Consent(form.consent.data), Method(form.method.data)
            said: dict[str, Any] = {"note": form.text("note"), "said_on": form.said_on.data, "when": form.when()}
            wishes.record_wish(found, consent, method, by=current_actor(), **said)
            flash(_("意愿记好了，以后的探访都按这个安排。"), "ok")
            return web.go(".subject", person_id=person_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/wish.html", subject=found, form=form, status=form.status)


@bp.route("/people/<person_id>/exclusion", methods=["GET", "POST"])
@requires(Permission.VISITS_PEOPLE)
def exclusion(person_id: str) -> Response:
    found, form = _subject(person_id), ExclusionForm()
    if form.validate_on_submit():
        try:
            reason, since = Exclusion(form.reason.data), form.since.data or today()
            wishes.exclude(found, reason, since, form.until.data, form.text("note"), by=current_actor())
            flash(_("已登记，这段时间不安排探访。"), "ok")
            return web.go(".subject", person_id=person_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/exclusion.html", subject=found, form=form, status=form.status)


@bp.route("/people/<person_id>/exclusion/<int:exclusion_id>/end", methods=["GET", "POST"])
@requires(Permission.VISITS_PEOPLE)
def exclusion_end(person_id: str, exclusion_id: int) -> Response:
    found, form = _subject(person_id), EndForm()
    if form.validate_on_submit() and form.last_day.data:
        try:
            wishes.end_exclusion(found, exclusion_id, form.last_day.data)
            flash(_("已登记，探访恢复了。"), "ok")
            return web.go(".subject", person_id=person_id)
        except Refused as refused:
            form.refuse(refused)
    row = wishes.exclusion_of(found, exclusion_id)
    return web.page("visits/worker/exclusion_end.html", subject=found, row=row, form=form, status=form.status)


@bp.route("/people/<person_id>/level", methods=["GET", "POST"])
@requires(Permission.VISITS_MANAGE)
def level(person_id: str) -> Response:
    found, form = _subject(person_id, Permission.VISITS_MANAGE), OverrideForm()
    if form.validate_on_submit():
        try:
            wishes.override(found, form.chosen(), form.text("reason"), form.until.data, by=current_actor())
            flash(_("等级调整好了。"), "ok")
            return web.go(".subject", person_id=person_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/level.html", subject=found, form=form, today=today(), status=form.status)


@bp.route("/people/<person_id>/level/undo", methods=["POST"])
@requires(Permission.VISITS_MANAGE)
def level_undo(person_id: str) -> Response:
    wishes.undo_override(_subject(person_id, Permission.VISITS_MANAGE))
    flash(_("已恢复为按规则定等级。"), "ok")
    return web.go(".subject", person_id=person_id)


@bp.route("/people/<person_id>/worker", methods=["POST"])
@requires(Permission.VISITS_MANAGE)
def assign(person_id: str) -> Response:
    found = _subject(person_id, Permission.VISITS_MANAGE)
    try:
        wishes.assign(found, request.form.get("worker", ""), by=current_actor())
        flash(_("探访人安排好了。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".subject", person_id=person_id)


@bp.route("/people/<person_id>/hint", methods=["POST"])
@requires(Permission.VISITS_DO)
def hint(person_id: str) -> Response:
    found, form = _subject(person_id, Permission.VISITS_DO), HintForm()
    if form.validate_on_submit():
        wishes.set_hint(found, form.text("hint"))
        flash(_("上门提示存好了。"), "ok")
    return web.go(".subject", person_id=person_id)
