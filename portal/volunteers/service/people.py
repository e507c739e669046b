"""Volunteers as they are found: whose an account is, those in scope, their hours, whether a guardian agreed."""

from collections.abc import Collection, Iterable
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.registry.service import people
from portal.volunteers.models.codes import RecordState, VolunteerState
from portal.volunteers.models.people import GuardianConsent, Volunteer, VolunteerSkill
from portal.volunteers.models.records import ServiceRecord

# Under it a guardian agrees or comes along; under the second nobody is a volunteer (民法典 17-20).
OF_AGE, LEAST_AGE = 18, 8
# Somebody with two rows, because two records of the register were found to be one person, is the livelier of them.
_LIVELIEST = sa.case(
    {
        VolunteerState.BARRED: 0,
        VolunteerState.ACTIVE: 1,
        VolunteerState.PAUSED: 2,
        VolunteerState.APPLIED: 3,
    },
    value=Volunteer.state,
    else_=4,
)


def volunteer_of(person: Person) -> Volunteer | None:
    """The volunteer somebody is, in whatever state; also under a record that was merged into hers."""
    return next(iter(rows_of(person)), None)


def rows_of(person: Person) -> list[Volunteer]:
    """Every row of somebody, the liveliest first: more than one only where two records became one person."""
    query = sa.select(Volunteer).where(Volunteer.person_id.in_(people.ids_of(person))).options(*whole())
    return list(db.session.scalars(query.order_by(_LIVELIEST, Volunteer.id)))


def me_or_none(actor: Actor) -> Volunteer | None:
    person = people.person_of_or_none(actor, lean=True)
    return volunteer_of(person) if person else None


class NotYet(Refused):
    """Somebody who is no volunteer asks for what only volunteers have."""


def me(actor: Actor) -> Volunteer:
    """The volunteer an account is, whatever her state; a refusal that says what to do when she is none."""
    found = volunteer_of(people.person_of(actor))
    if found is None or found.state in {VolunteerState.LEFT, VolunteerState.REFUSED}:
        raise NotYet(_("您还没有登记为志愿者。请先在“志愿服务”里点“登记成为志愿者”。"))
    return found


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What is asked of a volunteer who is looked at, loaded with her."""
    return (
        joinedload(Volunteer.person),
        joinedload(Volunteer.community),
        selectinload(Volunteer.skills).joinedload(VolunteerSkill.skill),
        selectinload(Volunteer.times),
        selectinload(Volunteer.absences),
    )


def community_ids(within: Collection[Scope]) -> sa.Select[int]:
    """The communities wholly inside some scopes, as a subquery: a grid alone opens none."""
    return areas.touched([scope for scope in within if scope.kind != AreaKind.GRID.value])


def communities(within: Collection[Scope]) -> list[Area]:
    """The same as areas, by code."""
    return list(db.session.scalars(sa.select(Area).where(Area.id.in_(community_ids(within))).order_by(Area.code)))


def within(within: Collection[Scope]) -> sa.Select[Volunteer]:
    """The volunteers of the communities in scope; the caller orders and loads."""
    return sa.select(Volunteer).where(Volunteer.community_id.in_(community_ids(within)))


def volunteer(public_id: str, *, within: Collection[Scope]) -> Volunteer:
    """A volunteer in scope, whole; Missing when there is none."""
    query = _within(within).where(Volunteer.public_id == public_id).options(*whole())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


# The argument of volunteer() hides the query of that name.
_within = within


def is_minor(volunteer: Volunteer, on: date) -> bool:
    """Whether a guardian's yes is needed on a day; also while nobody knows the day of birth."""
    age = volunteer.person.age(on)
    return age is None or age < OF_AGE


def consents_of(volunteer_ids: Iterable[int]) -> dict[int, GuardianConsent]:
    """The latest consent that stands, by volunteer."""
    query = (
        sa.select(GuardianConsent)
        .where(GuardianConsent.volunteer_id.in_(list(volunteer_ids)), GuardianConsent.withdrawn_at.is_(None))
        .order_by(GuardianConsent.id)
    )
    return {one.volunteer_id: one for one in db.session.scalars(query)}


def guardian_agreed(volunteer: Volunteer, on: date) -> bool:
    """Whether her age lets somebody be on a shift of a day: of age then, or with a consent that stands."""
    return not is_minor(volunteer, on) or bool(consents_of([volunteer.id]))


def agreed_for(volunteers: Collection[Volunteer], on: date) -> set[int]:
    """The ids of those of some volunteers who are of age on a day or whose guardian agreed: one query for all."""
    minors = [one.id for one in volunteers if is_minor(one, on)]
    standing = set(consents_of(minors)) if minors else set()
    return {one.id for one in volunteers if one.id not in minors or one.id in standing}


def minutes_served(volunteer_ids: Collection[int]) -> dict[int, int]:
    """The minutes of the records that count, by volunteer; nothing recorded is 0."""
    query = (
        sa.select(ServiceRecord.volunteer_id, sa.func.sum(ServiceRecord.minutes))
        .where(ServiceRecord.volunteer_id.in_(list(volunteer_ids)), ServiceRecord.state == RecordState.RECORDED)
        .group_by(ServiceRecord.volunteer_id)
        .order_by(ServiceRecord.volunteer_id)
    )
    found = {number: int(minutes) for number, minutes in db.session.execute(query)}
    return {number: found.get(number, 0) for number in volunteer_ids}
