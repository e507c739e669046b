"""Resident pages: registering as a volunteer, her profile, her free times and absences, her calendar's address."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.forms.people import AbsenceForm, ProfileForm, RegisterForm, TimesForm, WhyForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import guardians, kinds, moving, people, people_words, profile, registering

USE = Permission.VOLUNTEERS_USE
Stopping = Callable[[Volunteer, str], object]

bp.add_app_template_filter(people_words.state_words, "volunteer_state")
bp.add_app_template_filter(people_words.state_tint, "volunteer_tint")
bp.add_app_template_filter(people_words.times_words, "times_words")
bp.add_app_template_filter(people_words.free_days, "free_days")
bp.add_app_template_filter(people_words.hours_words, "volunteer_hours")
bp.add_app_template_filter(people_words.lead_words, "lead_words")
bp.add_app_template_filter(people_words.proof_words, "proof_words")
bp.add_app_template_filter(people_words.span, "clock_span")
bp.add_app_template_filter(people_words.weekday_words, "volunteer_weekday")
bp.add_app_template_filter(kinds.kind_words, "service_kind")


def _me() -> Volunteer:
    return people.me(current_actor())


@bp.errorhandler(people.NotYet)
def not_yet(refused: people.NotYet) -> Response:
    """Who is no volunteer yet is shown the way."""
    return web.page("volunteers/resident/not_yet.html", words=refused.message, status=422)


@bp.route("/promise")
@public
def promise() -> Response:
    """志愿者守则 in plain words, open to everybody."""
    return web.page("volunteers/resident/promise.html", actor_known=actor_or_none() is not None)


@bp.route("/register", methods=["GET", "POST"])
@requires(USE)
def register_me() -> Response:
    return _registering(register.person_of_or_none(current_actor()), ward=False)


@bp.route("/wards/<public_id>/register", methods=["GET", "POST"])
@requires(USE)
def ward_register(public_id: str) -> Response:
    return _registering(guardians.ward(current_actor(), public_id).person, ward=True)


def _registering(person: Person | None, *, ward: bool) -> Response:
    form, actor = RegisterForm.new(ward=ward), current_actor()
    consent = guardians.spoken(actor, comes_along=bool(form.comes_along.data)) if ward else None

    def act() -> str:
        whom = person or register.person_of(actor)
        return made_once(f"volunteers.register.{whom.id}", form, lambda: _registered(whom, form, consent))

    if form.carries_out(act):
        return web.go(".wards_page" if ward else ".profile_page")
    stands = people.volunteer_of(person) if person else None
    facts: dict[str, Any] = {"person": person, "stands": stands, "ward": ward, "unfit": _unfit(person)}
    return web.page("volunteers/resident/register_me.html", form=form, status=form.status, **facts)


def _registered(person: Person, form: RegisterForm, consent: registering.Consent | None) -> Volunteer:
    made = registering.register(person, form.wishes(), by=current_actor(), consent=consent)
    facts = {"name": person.name, "number": made.number}
    done = (
        _("登记好了，%(name)s的志愿者编号是 %(number)s。", **facts)
        if consent
        else _("登记好了，您的志愿者编号是 %(number)s。", **facts)
    )
    flash(registering.waits_for(made) or done, "ok")
    return made


def _unfit(person: Person | None) -> str:
    """Why this person cannot register at all, in words."""
    try:
        if person is not None:
            registering.refuse_unfit(person)
    except Refused as refused:
        return refused.message
    return ""


@bp.route("/me")
@requires(USE)
def profile_page() -> Response:
    person = register.person_of_or_none(current_actor())
    found = people.volunteer_of(person) if person else None
    facts: dict[str, Any] = {"person": person, "today": today(), "wards": guardians.wards(current_actor())}
    if found is not None:
        facts |= {"minutes": people.minutes_served([found.id])[found.id], "waits": registering.waits_for(found)}
        facts |= {"consent": people.consents_of([found.id]).get(found.id), "gone": found.state in registering.AGAIN}
    return web.page("volunteers/resident/profile_page.html", volunteer=found, **facts)


@bp.route("/me/edit", methods=["GET", "POST"])
@requires(USE)
def profile_edit() -> Response:
    found = _me()
    form = ProfileForm.of(found)
    if form.carries_out(lambda: profile.change(found, form.wishes())):
        flash(_("已保存。"), "ok")
        return web.go(".profile_page")
    return web.page("volunteers/resident/profile_edit.html", form=form, volunteer=found, status=form.status)


@bp.route("/me/times", methods=["GET", "POST"])
@requires(USE)
def profile_times() -> Response:
    found, form = _me(), TimesForm.new()
    if form.carries_out(lambda: profile.add_times(found, form.spans())):
        flash(_("已保存。"), "ok")
        return web.go(".profile_times")
    return web.page("volunteers/resident/profile_times.html", form=form, volunteer=found, status=form.status)


@bp.route("/me/times/<int:number>/drop", methods=["POST"])
@requires(USE)
def profile_time_drop(number: int) -> Response:
    return _done(lambda: profile.drop_time(_me(), number), _("已删除。"), ".profile_times")


@bp.route("/me/absences", methods=["GET", "POST"])
@requires(USE)
def profile_absences() -> Response:
    found, form = _me(), AbsenceForm()
    if form.carries_out(lambda: _away(found, form)):
        flash(_("记下了，这几天不会给您排班。已经报名的班次要自己退出。"), "ok")
        return web.go(".profile_absences")
    facts: dict[str, Any] = {"volunteer": found, "today": today()}
    return web.page("volunteers/resident/profile_absences.html", form=form, status=form.status, **facts)


def _away(found: Volunteer, form: AbsenceForm) -> None:
    profile.add_absence(found, form.first_day.data or today(), form.last_day.data or today())


@bp.route("/me/absences/<int:number>/drop", methods=["POST"])
@requires(USE)
def profile_absence_drop(number: int) -> Response:
    return _done(lambda: profile.drop_absence(_me(), number), _("已删除。"), ".profile_absences")


@bp.route("/me/pause", methods=["GET", "POST"])
@requires(USE)
def profile_pause() -> Response:
    words = _("已暂停，想回来随时可以恢复。")
    return _stopping("volunteers/resident/profile_pause.html", _pause, words)


@bp.route("/me/leave", methods=["GET", "POST"])
@requires(USE)
def profile_leave() -> Response:
    words = _("已退出，服务记录会保留。谢谢您。")
    return _stopping("volunteers/resident/profile_leave.html", _leave, words)


def _pause(found: Volunteer, why: str) -> None:
    moving.pause(found, by=current_actor(), own=True, reason=why)


def _leave(found: Volunteer, why: str) -> None:
    moving.leave(found, by=current_actor(), reason=why)


def _stopping(template: str, act: Stopping, words: str) -> Response:
    """A pause or a leaving: what is ahead is given up with it, and the page says so before."""
    found, form = _me(), WhyForm()
    if form.carries_out(lambda: act(found, form.text("reason"))):
        flash(words, "ok")
        return web.go(".profile_page")
    facts: dict[str, Any] = {"volunteer": found, "ahead": len(moving.ahead(found))}
    return web.page(template, form=form, status=form.status, **facts)


@bp.route("/me/return", methods=["POST"])
@requires(USE)
def profile_return() -> Response:
    return _done(lambda: moving.come_back(_me()), _("欢迎回来，可以报名了。"), ".profile_page")


def _done(act: Callable[[], object], words: str, endpoint: str) -> Response:
    """An act of one button; what is refused is said on the page it came from."""
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(endpoint)


@bp.route("/me/calendar", methods=["GET", "POST"])
@requires(USE)
def profile_calendar() -> Response:
    """The secret address of her calendar: shown once, when it is made."""
    found = _me()
    key = profile.new_feed_key(found) if request.method == "POST" else ""
    address = web.absolute(".feed", key=key) if key else ""
    return web.page("volunteers/resident/profile_calendar.html", volunteer=found, address=address)


@bp.route("/me/calendar/drop", methods=["POST"])
@requires(USE)
def profile_calendar_drop() -> Response:
    return _done(lambda: profile.drop_feed_key(_me()), _("旧地址已经停用。"), ".profile_calendar")
