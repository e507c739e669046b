"""Signups as they are looked up: an account's and its family's, those of a worker's communities, of a leader."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.areas import service as areas
from portal.areas.models import AreaKind
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import consents
from portal.registry.service import people as register
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import ActivityState, SignupState, SwapState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup, Swap
from portal.volunteers.service import activities, fitness, joining, leaving, swapping

PAGE, MOST_COMING = 20, 100
COMING = (SignupState.REQUESTED, SignupState.JOINED, SignupState.PRESENT)
_GONE = (VolunteerState.LEFT, VolunteerState.REFUSED)


@dataclass(frozen=True)
class Mine:
    """Those that are coming, the soonest first; and a page of the others, the newest first."""

    coming: tuple[Signup, ...]
    past: tuple[Signup, ...]
    more: bool


def volunteers_of(persons: Sequence[Person]) -> list[Volunteer]:
    """The volunteers some people are, in the order of the people; who left is none."""
    found = db.session.scalars(_volunteers_of(), {"persons": [person.id for person in persons]}).all()
    order = {person.id: number for number, person in enumerate(persons)}
    return sorted(found, key=lambda one: order.get(register.resolved(one.person).id, len(order)))


@cache
def _volunteers_of() -> sa.Select[Volunteer]:
    """Built once: a volunteer is looked up at the beginning of everything she does."""
    whose = register.merged_into(Person.id.in_(sa.bindparam("persons", expanding=True)))
    lean = joinedload(Volunteer.person, innerjoin=True).load_only(*register.LEAN)
    here = sa.and_(Volunteer.person_id.in_(whose), Volunteer.state.not_in(_GONE))
    return sa.select(Volunteer).where(here).options(lean).order_by(Volunteer.id)


def me_or_none(actor: Actor) -> Volunteer | None:
    """The volunteer an account is, with what joining asks of her and nothing more; who left is none."""
    person = register.person_of_or_none(actor, lean=True)
    return next(iter(volunteers_of([person])), None) if person else None


def circle(actor: Actor) -> tuple[Volunteer | None, list[Volunteer]]:
    """The volunteer an account is, and whose shifts it looks after: its own, of those it acts for, of its wards."""
    me = register.person_of_or_none(actor, lean=True)
    family = [*register.relatives_of(actor), *(consents.wards(me) if me else [])]
    persons = list(dict.fromkeys([*([me] if me else []), *family]))
    found = volunteers_of(persons) if persons else []
    own = next((one for one in found if me is not None and register.resolved(one.person).id == me.id), None)
    return own, found


def whom(actor: Actor) -> list[Volunteer]:
    return circle(actor)[1]


def companions(actor: Actor, me: Volunteer | None) -> list[Volunteer]:
    """Whom the account may put on a post together with her: its family. Others whom she is paired with are asked."""
    return [one for one in whom(actor) if me is None or one.id != me.id]


def post(post_id: int) -> Post:
    """A post as its page shows it; of a draft there is none."""
    found = db.session.scalar(_post(), {"post": post_id})
    if found is None:
        raise Missing
    return found


@cache
def _post() -> sa.Select[Post]:
    query = sa.select(Post).join(Post.shift).join(Shift.activity)
    shown = sa.and_(Post.id == sa.bindparam("post"), Activity.state != ActivityState.DRAFT)
    return query.where(shown).options(*fitness.whole())


def mine(volunteers: Collection[Volunteer], *, page: int = 1) -> Mine:
    if not volunteers:
        return Mine((), (), more=False)
    query = sa.select(Signup).where(Signup.volunteer_id.in_([one.id for one in volunteers])).options(*joining.whole())
    coming = sa.and_(Signup.state.in_(COMING), Signup.ends_at > now())
    if page <= 1:
        return _first_page(query, coming)
    first = db.session.scalars(query.where(coming).order_by(Signup.starts_at, Signup.id).limit(MOST_COMING))
    past = query.where(~coming).order_by(Signup.starts_at.desc(), Signup.id.desc())
    found = db.session.scalars(past.offset(max(page - 1, 0) * PAGE).limit(PAGE + 1)).all()
    return Mine(tuple(first), tuple(found[:PAGE]), more=len(found) > PAGE)


def _first_page(query: sa.Select[Signup], coming: sa.ColumnElement[bool]) -> Mine:
    """Both parts in one question."""
    is_past = sa.case((coming, 0), else_=1)
    forth = sa.case((coming, Signup.starts_at), else_=None)
    order = (is_past, forth, Signup.starts_at.desc(), Signup.id.desc())
    rows = db.session.execute(query.add_columns(is_past).order_by(*order).limit(MOST_COMING + PAGE + 1)).all()
    ahead = [row[0] for row in rows if not row[1]]
    past = [row[0] for row in rows if row[1]]
    return Mine(tuple(ahead[:MOST_COMING]), tuple(past[:PAGE]), more=len(past) > PAGE)


def signup_for(volunteers: Collection[Volunteer], public_id: str) -> Signup:
    """A signup of one of these; anybody else's is Missing."""
    query = sa.select(Signup).where(
        Signup.public_id == public_id, Signup.volunteer_id.in_([one.id for one in volunteers])
    )
    found = db.session.scalar(query.options(*joining.whole()))
    if found is None:
        raise Missing
    return found


def standing(volunteer: Volunteer, post: Post) -> Signup | None:
    """Her signup that holds on the shift of a post."""
    query = sa.select(Signup).where(
        Signup.volunteer_id == volunteer.id, Signup.shift_id == post.shift_id, Signup.state.in_(COMING)
    )
    return db.session.scalar(query.order_by(Signup.id).limit(1))


@dataclass(frozen=True)
class Asked:
    """What waits for a worker's or leader's answer, and what they should know."""

    requests: list[Signup]
    leaves: list[Signup]
    stays: list[leaving.Staying]
    swaps: list[Swap]

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.leaves)


def asked_within(within: Collection[Scope]) -> Asked:
    """In the communities that a worker's scopes reach."""
    return _asked(Shift.community_id.in_(reached(within)))


def asked_of_leader(actor: Actor) -> Asked:
    """On the activities that the account leads."""
    me = register.person_of_or_none(actor)
    return _asked(activities.led_by(me)) if me else Asked([], [], [], [])


def count_asked(within: Collection[Scope]) -> tuple[int, int]:
    """How many requests to join, and to be let go, wait in the communities that a worker's scopes reach."""
    joins = sa.and_(Signup.state == SignupState.REQUESTED, Signup.starts_at > now())
    leaves = sa.and_(Signup.state == SignupState.JOINED, Signup.leave_asked_at.is_not(None), Signup.ends_at > now())
    query = sa.select(sa.func.count().filter(joins), sa.func.count().filter(leaves)).select_from(Signup)
    found = db.session.execute(query.join(Signup.shift).where(Shift.community_id.in_(reached(within)))).one()
    return found[0], found[1]


def reached(within: Collection[Scope]) -> sa.Select[int]:
    """The communities wholly inside some scopes: a grid alone opens none."""
    return areas.touched([scope for scope in within if scope.kind != AreaKind.GRID.value])


def _asked(where: sa.ColumnElement[bool]) -> Asked:
    moment = now()
    waits = sa.or_(
        sa.and_(Signup.state == SignupState.REQUESTED, Signup.starts_at > moment),
        sa.and_(Signup.state == SignupState.JOINED, Signup.leave_asked_at.is_not(None), Signup.ends_at > moment),
        sa.and_(Signup.state.in_(COMING), Signup.can_stay, Signup.ends_at > moment - timedelta(hours=1)),
    )
    query = sa.select(Signup).join(Signup.shift).join(Shift.activity).where(where, waits).options(*joining.whole())
    found = list(db.session.scalars(query.order_by(Signup.starts_at, Signup.id).limit(300)))
    return Asked(
        [one for one in found if one.state is SignupState.REQUESTED],
        [one for one in found if one.state is SignupState.JOINED and one.leave_asked_at],
        leaving.next_posts([one for one in found if one.state is not SignupState.REQUESTED]),
        _swaps(where, moment),
    )


def _swaps(where: sa.ColumnElement[bool], moment: datetime) -> list[Swap]:
    query = (
        sa.select(Swap)
        .join(Swap.signup)
        .join(Signup.shift)
        .join(Shift.activity)
        .where(where, Swap.state == SwapState.ASKED, Signup.starts_at > moment)
    )
    return list(db.session.scalars(query.options(*swapping.whole()).order_by(Signup.starts_at, Swap.id).limit(100)))


def signup_within(within: Collection[Scope], public_id: str) -> Signup:
    return _one(Shift.community_id.in_(reached(within)), public_id)


def signup_led(actor: Actor, public_id: str) -> Signup:
    """A signup on an activity that the account leads; anything else does not exist."""
    me = register.person_of_or_none(actor)
    if me is None:
        raise Missing
    return _one(activities.led_by(me), public_id)


def _one(where: sa.ColumnElement[bool], public_id: str) -> Signup:
    query = sa.select(Signup).join(Signup.shift).join(Shift.activity).where(where, Signup.public_id == public_id)
    found = db.session.scalar(query.options(*joining.whole()))
    if found is None:
        raise Missing
    return found


def beside(signup: Signup) -> list[Volunteer]:
    """Who else is on the same shift, for those on it."""
    other = aliased(Signup)
    query = (
        sa.select(Volunteer)
        .join(other, other.volunteer_id == Volunteer.id)
        .where(
            other.shift_id == signup.shift_id,
            other.volunteer_id != signup.volunteer_id,
            other.state.in_([SignupState.JOINED, SignupState.PRESENT, SignupState.DONE]),
        )
        .options(joinedload(Volunteer.person))
        .order_by(Volunteer.id)
    )
    return list(db.session.scalars(query))
