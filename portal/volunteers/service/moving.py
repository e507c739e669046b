"""From one state of a volunteer to the next: taken up, refused, paused, back, barred until a day, gone."""

from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, outbox, reasons
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused
from portal.places import service as places
from portal.volunteers.models.codes import VOLUNTEER_MOVES, SignupState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import guardians, joining, lines, people, registering
from portal.volunteers.service.guardians import Ward
from portal.volunteers.service.joining import Who
from portal.volunteers.service.signup_words import long_day

# False reports: one to three years (星级办法); a worker says which day.
LONGEST_BAR = timedelta(days=3 * 366)
_AHEAD = frozenset({SignupState.REQUESTED, SignupState.JOINED})


def ahead(volunteer: Volunteer) -> list[Signup]:
    """What she is on and has not begun, the next first."""
    query = sa.select(Signup).where(
        Signup.volunteer_id == volunteer.id, Signup.state.in_(_AHEAD), Signup.starts_at > now()
    )
    query = query.options(joinedload(Signup.post))
    return list(db.session.scalars(query.order_by(Signup.starts_at, Signup.id)))


def clear_ahead(volunteer: Volunteer, *, by: Who, reason: str, own: bool) -> int:
    """Give up every place ahead: she left them herself, or was taken off them, and out of every line. How many."""
    held = sorted(ahead(volunteer), key=lambda one: (one.post.capacity_id, one.id))
    for number in sorted({one.post.capacity_id for one in held} | lines.lines_of(volunteer)):
        places.hold(number)
    lines.end_lines(volunteer, reason=reason)
    for signup in held:
        joining.take_off(signup, SignupState.LEFT if own else SignupState.REMOVED, by=by, reason=reason)
    return len(held)


def _move(volunteer: Volunteer, state: VolunteerState, *, reason: str = "", until: date | None = None) -> None:
    db.session.refresh(volunteer, ["state"], with_for_update=True)
    if state not in VOLUNTEER_MOVES[volunteer.state]:
        raise Refused(_("状态已经变了，请刷新看看现在的情况。"))
    volunteer.state, volunteer.state_at, volunteer.state_reason = state, now(), reason
    if state is not VolunteerState.LEFT:
        # Who leaves while she is barred stays barred: she cannot come back by registering anew.
        volunteer.barred_until = until


def take_up(volunteer: Volunteer) -> None:
    """A worker looked at an application."""
    registering.refuse_unfit(volunteer.person)
    if not people.guardian_agreed(volunteer, today()):
        raise Refused(_("未满 18 周岁，要先有监护人同意。请监护人在账号里同意，或在这里登记纸质同意书。"))
    if volunteer.state is not VolunteerState.APPLIED:
        raise Refused(_("状态已经变了，请刷新看看现在的情况。"))
    registering.welcome(volunteer)


def refuse(volunteer: Volunteer, *, reason: str) -> None:
    _move(volunteer, VolunteerState.REFUSED, reason=reason)
    audit.record("volunteers.refused", volunteer, reason=reason)
    _tell("volunteers.refused", volunteer, reason=reason)


def pause(volunteer: Volunteer, *, by: Actor, own: bool, reason: str = "") -> int:
    """For a while she is on no shift; answers how many places ahead were given up."""
    _move(volunteer, VolunteerState.PAUSED, reason=reason)
    given_up = clear_ahead(volunteer, by=by, reason=reason or _("志愿者暂停服务"), own=own)
    audit.record("volunteers.paused", volunteer, reason=reason, shifts=given_up)
    if not own:
        _tell("volunteers.paused", volunteer, reason=reason)
    return given_up


def come_back(volunteer: Volunteer) -> None:
    """Out of a pause; out of a bar only once its day has gone, or by a worker (see lift)."""
    if volunteer.state is VolunteerState.BARRED and not volunteer.helps(today()):
        day = long_day(volunteer.barred_until) if volunteer.barred_until else ""
        raise Refused(_("停止资格到 %(day)s 为止，之后会自动恢复。有异议请联系社区。", day=day))
    _move(volunteer, VolunteerState.ACTIVE)
    audit.record("volunteers.came_back", volunteer)


def bar(volunteer: Volunteer, *, until: date, reason: str, by: Actor) -> int:
    if until < today():
        raise Refused(_("停止到哪一天要填今天以后的日子。"), field="until")
    if until > today() + LONGEST_BAR:
        raise Refused(_("最长停止三年，请改近一些。"), field="until")
    _move(volunteer, VolunteerState.BARRED, reason=reason, until=until)
    given_up = clear_ahead(volunteer, by=by, reason=reason, own=False)
    audit.record("volunteers.barred", volunteer, reason=reason, until=until.isoformat(), shifts=given_up)
    _tell("volunteers.barred", volunteer, reason=reason, until=until.isoformat())
    return given_up


def lift(volunteer: Volunteer, *, reason: str) -> None:
    """A worker ends a bar or a pause before its time."""
    _move(volunteer, VolunteerState.ACTIVE)
    audit.record("volunteers.lifted", volunteer, reason=reason)
    _tell("volunteers.lifted", volunteer, reason=reason)


def leave(volunteer: Volunteer, *, by: Actor, reason: str = "") -> int:
    """For good, until she registers again; hours, records and certificates stay."""
    _move(volunteer, VolunteerState.LEFT, reason=reason)
    volunteer.feed_key = None
    registering.end_consents(volunteer)
    given_up = clear_ahead(volunteer, by=by, reason=reason or _("志愿者退出"), own=True)
    audit.record("volunteers.left", volunteer, reason=reason, shifts=given_up)
    return given_up


def _tell(event: str, volunteer: Volunteer, **facts: str) -> None:
    outbox.enqueue(event, to=volunteer.person.ref, person=volunteer.person.name, **facts)


def consent_withdrawn(ward: Ward, *, by: Actor) -> None:
    """A guardian's yes is taken back, and with it every place ahead."""
    if ward.volunteer is None:
        raise Refused(_("没有可以撤回的同意。"))
    guardians.withdraw(ward.volunteer, ward.consent, by=by)
    clear_ahead(ward.volunteer, by=by, reason=reasons.said(guardians.WITHDRAWN), own=False)
