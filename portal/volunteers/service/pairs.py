"""Pairs who always come together: who is told when one of them stays on a shift, or is put on it, without the other."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from portal.core.db import db
from portal.places import service as places
from portal.places.models import Waiting
from portal.registry.models import Person
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, SignupState, VolunteerState
from portal.volunteers.models.people import Pair, Volunteer
from portal.volunteers.models.signups import PairAsk, Signup
from portal.volunteers.service.signup_telling import tell_signup

Number = sa.ColumnElement[int] | InstrumentedAttribute[int]
_COMING = (SignupState.REQUESTED, SignupState.JOINED)


def pair_with(one: Number, other: Number) -> sa.ColumnElement[bool]:
    """Whether two volunteers are a pair."""
    return sa.or_(
        sa.and_(Pair.one_id == one, Pair.other_id == other), sa.and_(Pair.other_id == one, Pair.one_id == other)
    )


def others_of(volunteer: Volunteer) -> list[tuple[Volunteer, bool]]:
    """With whom she comes, and whether always; who helps no more is left out."""
    me = sa.literal(volunteer.id)
    query = (
        sa.select(Volunteer, Pair.always)
        .join(Pair, pair_with(me, Volunteer.id))
        .where(Volunteer.state == VolunteerState.ACTIVE)
        .options(joinedload(Volunteer.person))
        .order_by(Pair.always.desc(), Volunteer.id)
    )
    return [(one, always) for one, always in db.session.execute(query)]


def partner_in(waiting: Waiting) -> Volunteer | None:
    """With whom somebody waits in one row of the line, as both agreed."""
    if waiting.units == 1:
        return None
    query = sa.select(Volunteer).join(PairAsk, PairAsk.other_id == Volunteer.id)
    query = query.where(PairAsk.line == waiting.public_id).options(joinedload(Volunteer.person))
    return db.session.scalar(query.order_by(PairAsk.id).limit(1))


def line_with(post: Post, partner: Volunteer) -> tuple[Waiting, Volunteer] | None:
    """The live row of a post's line in which another waits for both, and that other."""
    query = (
        sa.select(Waiting, Volunteer)
        .join(PairAsk, PairAsk.line == Waiting.public_id)
        .join(Volunteer, Volunteer.id == PairAsk.asker_id)
        .where(PairAsk.other_id == partner.id, Waiting.capacity_id == post.capacity_id, Waiting.state.in_(places.LIVE))
        .options(joinedload(Volunteer.person))
    )
    found = db.session.execute(query.order_by(Waiting.id).limit(1)).first()
    return (found[0], found[1]) if found else None


def tell_left(gone: Signup) -> None:
    """Whom one who left a shift leaves on it alone."""
    query = (
        sa.select(Signup)
        .join(Pair, sa.and_(Pair.always, pair_with(sa.literal(gone.volunteer_id), Signup.volunteer_id)))
        .where(Signup.shift_id == gone.shift_id, Signup.state.in_(_COMING))
        .options(
            joinedload(Signup.post).joinedload(Post.position),
            joinedload(Signup.shift).joinedload(Shift.activity),
            joinedload(Signup.volunteer).joinedload(Volunteer.person),
        )
    )
    for stays in db.session.scalars(query.order_by(Signup.id)).all():
        tell_signup("pair_left", stays, who=gone.volunteer.person.name)


def tell_alone(made: Collection[Signup]) -> None:
    """Who was put on a shift by somebody else and whose partner is not on it."""
    if not made:
        return
    other, beside = aliased(Volunteer), aliased(Signup)
    there = sa.exists().where(
        beside.volunteer_id == other.id, beside.shift_id == Signup.shift_id, beside.state.in_(sorted(HOLDS))
    )
    query = (
        sa.select(Signup, Person.name)
        .join(Pair, sa.or_(Pair.one_id == Signup.volunteer_id, Pair.other_id == Signup.volunteer_id))
        .join(other, pair_with(Signup.volunteer_id, other.id))
        .join(Person, Person.id == other.person_id)
        .where(Signup.id.in_([one.id for one in made]), Pair.always, other.state == VolunteerState.ACTIVE, ~there)
        .order_by(Signup.id, other.id)
    )
    for signup, name in db.session.execute(query):
        tell_signup("pair_alone", signup, who=name)
