"""Who leads: the volunteer an activity names, or the leader of its team; for their own activities only."""

from datetime import timedelta

import sqlalchemy as sa

from portal.core.access import Actor, Platform
from portal.core.clock import day_bounds, today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person, VolunteerTeam
from portal.registry.service import people
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import ActivityState, ShiftState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service.activities import led_by


def is_self(volunteer: Volunteer, actor: Actor) -> bool:
    """Whether a volunteer is whom an account is known to be."""
    me = people.person_of_or_none(actor) if actor.platform is Platform.RESIDENT else None
    return me is not None and people.resolved(volunteer.person).id == me.id


def leads(shift: Shift, person: Person) -> bool:
    """Whether somebody leads a shift, or is still named as who does: she may have seen its codes."""
    mine = people.ids_of(people.resolved(person))
    named = sa.select(Volunteer.id).where(Volunteer.person_id.in_(mine))
    teams = sa.select(VolunteerTeam.id).where(VolunteerTeam.leader_id.in_(mine))
    seen = sa.or_(Activity.leader_id.in_(named), Activity.team_id.in_(teams))
    query = sa.select(sa.literal(1)).select_from(Shift).join(Shift.activity).where(Shift.id == shift.id, seen)
    return db.session.scalar(query) is not None


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        sa.orm.joinedload(Shift.activity).joinedload(Activity.community),
        sa.orm.selectinload(Shift.posts).joinedload(Post.position),
        sa.orm.selectinload(Shift.posts).joinedload(Post.capacity),
    )


def leads_any(actor: Actor) -> bool:
    """Whether the account leads anything at all: then its pages are worth an entrance."""
    me = people.person_of_or_none(actor)
    if me is None:
        return False
    return db.session.scalar(sa.select(Activity.id).where(led_by(me)).limit(1)) is not None


def shifts_led(actor: Actor) -> list[Shift]:
    """The shifts that somebody leads, from three days ago to four weeks ahead, the soonest first."""
    me = people.person_of_or_none(actor)
    if me is None:
        return []
    start = day_bounds(today() - timedelta(days=3))[0]
    query = (
        sa.select(Shift)
        .join(Shift.activity)
        .where(
            led_by(me),
            Shift.ends_at >= start,
            Shift.starts_at < start + timedelta(days=31),
            Shift.state != ShiftState.CALLED_OFF,
            Activity.state.in_([ActivityState.PUBLISHED, ActivityState.ENDED]),
        )
        .options(*_whole())
        .order_by(Shift.starts_at, Shift.id)
    )
    return list(db.session.scalars(query))


def shift_led(actor: Actor, public_id: str) -> Shift:
    """A shift that the account leads; anything else does not exist."""
    me = people.person_of_or_none(actor)
    if me is None:
        raise Missing
    query = sa.select(Shift).join(Shift.activity).where(led_by(me), Shift.public_id == public_id)
    query = query.options(sa.orm.contains_eager(Shift.activity).joinedload(Activity.community))
    found = db.session.scalar(query.order_by(Shift.id))
    if found is None:
        raise Missing
    return found
