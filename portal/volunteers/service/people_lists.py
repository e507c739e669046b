"""Workers' list of volunteers: narrowed, a page at a time by name; and what a volunteer's own page shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area
from portal.core import ids, search
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import ServiceKind, SignupState, VolunteerState
from portal.volunteers.models.people import Award, FreeTime, Pair, Training, Volunteer, VolunteerSkill
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import people

PAGE = 40
NEXT_SHIFTS = 6


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to. `state` is a code, "" for everybody who has not left; `after` the last row's id."""

    q: str = ""
    state: str = ""
    skill: int = 0
    kind: str = ""
    weekday: int = -1
    community: str = ""
    after: int = 0

    def asked(self, **other: Any) -> dict[str, Any]:
        """As values of an address; the first page unless told otherwise."""
        said = {"q": self.q, "state": self.state, "skill": self.skill, "kind": self.kind, "community": self.community}
        said |= {"weekday": self.weekday if self.weekday >= 0 else None, **other}
        return {name: value for name, value in said.items() if value or (value == 0 and name == "weekday")}


@dataclass(frozen=True)
class Listed:
    volunteer: Volunteer
    minutes: int


@dataclass(frozen=True)
class Found:
    rows: list[Listed]
    after: int | None


def listed(within: Collection[Scope], wanted: Wanted, *, limit: int = PAGE) -> Found:
    """A page of the volunteers in scope, by name; who waits to be taken up comes first only when asked for."""
    query = people.within(within).join(Volunteer.person).where(*_narrowed(within, wanted))
    if wanted.after:
        last = sa.select(Person.pinyin, Volunteer.id).join(Volunteer.person).where(Volunteer.id == wanted.after)
        row = db.session.execute(last.order_by(Volunteer.id)).first()
        if row is not None:
            query = query.where(
                sa.or_(Person.pinyin > row.pinyin, sa.and_(Person.pinyin == row.pinyin, Volunteer.id > row.id))
            )
    query = query.order_by(Person.pinyin, Volunteer.id).limit(limit + 1).options(*_shown())
    found = list(db.session.scalars(query))
    minutes = people.minutes_served([one.id for one in found[:limit]])
    rows = [Listed(one, minutes[one.id]) for one in found[:limit]]
    return Found(rows, rows[-1].volunteer.id if len(found) > limit else None)


def counted(within: Collection[Scope], wanted: Wanted) -> int:
    query = people.within(within).join(Volunteer.person).where(*_narrowed(within, wanted))
    return db.session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def _shown() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        joinedload(Volunteer.person).load_only(*register.LEAN, Person.pinyin),
        joinedload(Volunteer.community),
        selectinload(Volunteer.skills).joinedload(VolunteerSkill.skill),
        selectinload(Volunteer.times),
    )


def _narrowed(within: Collection[Scope], wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = [_in_state(wanted.state), *_named(wanted.q)]
    if wanted.skill:
        found.append(Volunteer.skills.any(VolunteerSkill.skill_id == wanted.skill))
    if wanted.kind in set(ServiceKind):
        found.append(sa.type_coerce(Volunteer.kinds, sa.Text).contains(f'"{wanted.kind}"', autoescape=True))
    if 0 <= wanted.weekday <= 6:
        found.append(_free_on(wanted.weekday))
    if wanted.community:
        area = sa.select(Area.id).where(Area.code == wanted.community, Area.id.in_(people.community_ids(within)))
        found.append(Volunteer.community_id.in_(area))
    return found


def _in_state(state: str) -> sa.ColumnElement[bool]:
    if state in set(VolunteerState):
        return Volunteer.state == VolunteerState(state)
    return Volunteer.state.not_in([VolunteerState.LEFT, VolunteerState.REFUSED])


def _free_on(weekday: int) -> sa.ColumnElement[bool]:
    """Free at some hour of a weekday; who wrote no times may be asked on any day."""
    return sa.or_(Volunteer.times.any(FreeTime.weekday == weekday), ~Volunteer.times.any())


def _named(q: str) -> list[sa.ColumnElement[bool]]:
    """By name, the first letters of its pinyin, or the volunteer's number."""
    word = search.normalise(q)
    if not word:
        return []
    meant = [Person.name.contains(q.strip(), autoescape=True), Volunteer.outer_number == q.strip()]
    if word.isascii():
        meant.append(Person.initials.startswith(word, autoescape=True))
        meant.append(Volunteer.number == ids.normalise_id(q))
    return [sa.or_(*meant)]


@dataclass(frozen=True)
class Whole:
    """What a volunteer's page shows beside herself."""

    minutes: int
    missed: int
    shifts: Sequence[Signup]
    more_shifts: bool
    training: Sequence[Training]
    awards: Sequence[Award]
    pairs: Sequence[Pair]


def whole(volunteer: Volunteer) -> Whole:
    mine = Signup.volunteer_id == volunteer.id
    shifts = (
        sa.select(Signup)
        .where(mine, Signup.state.in_([SignupState.REQUESTED, SignupState.JOINED]), Signup.ends_at > now())
        .options(joinedload(Signup.shift).joinedload(Shift.activity))
        .order_by(Signup.starts_at, Signup.id)
        .limit(NEXT_SHIFTS + 1)
    )
    missed = sa.select(sa.func.count(Signup.id)).where(mine, Signup.state == SignupState.NO_SHOW)
    coming = db.session.scalars(shifts).all()
    return Whole(
        people.minutes_served([volunteer.id])[volunteer.id],
        db.session.scalar(missed) or 0,
        coming[:NEXT_SHIFTS],
        len(coming) > NEXT_SHIFTS,
        trainings_of(volunteer),
        awards_of(volunteer),
        pairs_of(volunteer),
    )


def trainings_of(volunteer: Volunteer) -> list[Training]:
    query = sa.select(Training).where(Training.volunteer_id == volunteer.id)
    return list(db.session.scalars(query.order_by(Training.held_on.desc(), Training.id.desc())))


def awards_of(volunteer: Volunteer) -> list[Award]:
    query = sa.select(Award).where(Award.volunteer_id == volunteer.id)
    return list(db.session.scalars(query.order_by(Award.given_on.desc(), Award.id.desc())))


def pairs_of(volunteer: Volunteer) -> list[Pair]:
    one, other = (joinedload(side).joinedload(Volunteer.person) for side in (Pair.one, Pair.other))
    query = sa.select(Pair).where(sa.or_(Pair.one_id == volunteer.id, Pair.other_id == volunteer.id))
    return list(db.session.scalars(query.options(one, other).order_by(Pair.id)))


def chosen(within: Collection[Scope], public_ids: Collection[str]) -> list[Volunteer]:
    """Those of some volunteers who are in scope, by name; who is not is left out."""
    query = people.within(within).join(Volunteer.person).where(Volunteer.public_id.in_(list(public_ids)[:200]))
    return list(db.session.scalars(query.options(*_shown()).order_by(Person.pinyin, Volunteer.id)))


def by_number(within: Collection[Scope], number: str) -> Volunteer:
    """A volunteer in scope by her number, as it is typed."""
    query = people.within(within).where(Volunteer.number == ids.normalise_id(number))
    found = db.session.scalar(query.options(joinedload(Volunteer.person)))
    if found is None:
        raise Refused(_("没有这个编号的志愿者，或不在您管辖的社区。请核对编号。"), field="other")
    return found
