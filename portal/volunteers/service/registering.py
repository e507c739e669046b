"""Becoming a volunteer: who may, with whose consent, taken up at once or after a worker's look."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, ids, outbox, settings
from portal.core.access import Actor, Platform
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.registry.models import Person, PersonState
from portal.registry.service import people as register_people
from portal.volunteers.models.codes import ConsentWay, VolunteerState
from portal.volunteers.models.people import GuardianConsent, Volunteer
from portal.volunteers.service import people, profile
from portal.volunteers.service.profile import Wishes
from portal.volunteers.service.signup_words import long_day

APPROVES = "volunteers.approves"
settings.declare(
    APPROVES,
    default=0,
    label=lambda: _("志愿者登记要工作人员审核（1 要，0 不要）"),
    unit=lambda: _("是或否"),
    least=0,
    most=1,
)

NUMBER_LENGTH = 10
AGAIN = frozenset({VolunteerState.LEFT, VolunteerState.REFUSED})


@dataclass(frozen=True)
class Consent:
    """A guardian's yes as it was given: in an account, or on paper that a worker saw."""

    name: str
    way: ConsentWay
    relation: str = ""
    phone: str = ""
    comes_along: bool = False
    guardian: Person | None = None


def refuse_unfit(person: Person) -> None:
    """Why somebody of the register may not be a volunteer at all, in words."""
    if person.state is not PersonState.PRESENT or person.merged_into_id is not None:
        raise Refused(_("登记里这位居民已不在本辖区，不能登记为志愿者。情况有变请联系社区更正。"))
    age = person.age(today())
    if age is None:
        raise Refused(_("登记里没有出生日期，要先补上才能登记为志愿者。请带身份证到社区窗口补登记。"))
    if age < people.LEAST_AGE:
        raise Refused(_("未满 8 周岁的孩子不能登记为志愿者。可以由家长带着一起参加面向家庭的活动。"))


def needs_guardian(person: Person) -> bool:
    age = person.age(today())
    return age is None or age < people.OF_AGE


def register(person: Person, wishes: Wishes, *, by: Actor, consent: Consent | None = None, said: str = "") -> Volunteer:
    """Register somebody who read the promise. Who is of age is in at once, unless workers want to look first; who is
    not waits for a guardian. `said` is how she agreed at a counter.
    """
    refuse_unfit(person)
    found = people.volunteer_of(person)
    if found is not None and found.state not in AGAIN:
        raise Refused(_("已经登记过了，不用再登记。可以在“我的志愿者资料”里查看和修改。"))
    if found is not None and found.barred_until is not None and found.barred_until >= today():
        day = long_day(found.barred_until)
        raise Refused(_("停止资格到 %(day)s 为止，之后才能重新登记。有异议请联系社区。", day=day))
    made = found or Volunteer(number=ids.short_code(NUMBER_LENGTH), person_id=person.id, person=person)
    made.community_id, made.state, made.state_reason = person.community_id, VolunteerState.APPLIED, ""
    made.agreed_at = made.state_at = made.registered_at = now()
    made.registered_by, made.barred_until = by.public_id, None
    with unique_or(Refused(_("刚才已经登记过了，请刷新看看。"))):
        db.session.add(made)
        profile.say(made, wishes)
        profile.set_times(made, wishes.times)
    if found is not None:
        end_consents(made)
    audit.record("volunteers.registered", made, skills=len(made.skills), consent=said)
    _consented(made, consent, by)
    return made


def _consented(volunteer: Volunteer, consent: Consent | None, by: Actor) -> None:
    if needs_guardian(volunteer.person) and consent is None:
        _ask_guardian(volunteer)
    elif needs_guardian(volunteer.person) and consent is not None:
        keep_consent(volunteer, consent, by=by)
    else:
        settle(volunteer, by=by)


def _ask_guardian(volunteer: Volunteer) -> None:
    guardian = volunteer.person.guardian
    if guardian is not None:
        outbox.enqueue(
            "volunteers.guardian_asked", to=register_people.resolved(guardian).ref, person=volunteer.person.name
        )


def keep_consent(volunteer: Volunteer, consent: Consent, *, by: Actor) -> GuardianConsent:
    """A guardian's yes; who waited for nothing else is in."""
    made = GuardianConsent(
        volunteer_id=volunteer.id,
        guardian_id=consent.guardian.id if consent.guardian else None,
        guardian_name=consent.name,
        relation=consent.relation,
        phone=consent.phone or None,
        way=consent.way,
        comes_along=consent.comes_along,
        given_at=now(),
        given_by=by.public_id,
    )
    db.session.add(made)
    db.session.flush()
    audit.record("volunteers.guardian_agreed", volunteer, way=consent.way.value)
    settle(volunteer, by=by)
    return made


def end_consents(volunteer: Volunteer) -> None:
    """Every yes that stands: withdrawn, or given for a time as a volunteer that is over."""
    live = sa.and_(GuardianConsent.volunteer_id == volunteer.id, GuardianConsent.withdrawn_at.is_(None))
    db.session.execute(sa.update(GuardianConsent).where(live).values(withdrawn_at=now()))


def settle(volunteer: Volunteer, *, by: Actor) -> None:
    """Take up who applied and lacks nothing, unless workers want to look first; at a counter one has looked."""
    if volunteer.state is not VolunteerState.APPLIED:
        return
    if settings.get(APPROVES) and by.platform is not Platform.DESK:
        return
    if people.guardian_agreed(volunteer, today()):
        welcome(volunteer)


def welcome(volunteer: Volunteer) -> None:
    volunteer.state, volunteer.state_at, volunteer.state_reason = VolunteerState.ACTIVE, now(), ""
    audit.record("volunteers.taken_up", volunteer)
    outbox.enqueue(
        "volunteers.taken_up", to=volunteer.person.ref, person=volunteer.person.name, number=volunteer.number
    )


def waits_for(volunteer: Volunteer) -> str:
    """What an application still waits for, in words; "" when it waits for nothing."""
    if volunteer.state is not VolunteerState.APPLIED:
        return ""
    if not people.guardian_agreed(volunteer, today()):
        if volunteer.person.guardian_id:
            return _("等监护人同意。监护人登录自己的账号，在“志愿服务”里的“孩子的志愿服务”里同意就可以。")
        return _("等监护人同意。请监护人带身份证到社区窗口签一份同意书。")
    return _("等社区工作人员审核，结果会发通知。")
