"""The roster: a week of shifts with who is on each post, and of people with their shifts, as plain rows.

However many shifts and people there are, a week is read in four questions.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import settings
from portal.core.access import Scope
from portal.core.clock import at, local
from portal.core.db import UtcDateTime, db
from portal.core.errors import Missing
from portal.places.models import Capacity
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Position, Post, Shift, position_skill
from portal.volunteers.models.codes import (
    HOLDS,
    ActivityState,
    RecordState,
    ShiftState,
    SignupState,
    VolunteerState,
)
from portal.volunteers.models.people import Skill, Volunteer, VolunteerSkill
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining
from portal.volunteers.service.conflicts import Stretch, conflicts
from portal.volunteers.service.finding import post_whole
from portal.volunteers.service.roster_rows import DAYS, Card, Line, Name, Place, Wanted, Week
from portal.volunteers.service.standing import DAY, NEW, REST

# Below this nobody asks a database with a list: more people than this do not help in one week of one street.
MOST = 2000


def week(community_ids: Collection[int], first: date, wanted: Wanted | None = None) -> Week:
    """The week that begins on a day, in some communities (ids). `wanted` narrows what is shown, never what is counted:
    hours and conflicts are of all somebody does, also elsewhere.
    """
    return _week({"of": list(community_ids)}, first, wanted or Wanted())


def week_of_leader(shift_ids: Collection[int], volunteer_ids: Collection[int], first: date) -> Week:
    """The same of some shifts, with some volunteers and who is on these shifts."""
    return _week({"shifts": list(shift_ids), "people": list(volunteer_ids)}, first, Wanted())


def _week(asked: dict[str, Any], first: date, wanted: Wanted) -> Week:
    settings.ahead(DAY, NEW, REST)
    start, day = at(first, time(0)), timedelta(days=1)
    asked |= {"start": start, "end": at(first + timedelta(days=DAYS), time(0))}
    asked |= {"before": asked["start"] - day, "after": asked["end"] + day}
    led = "shifts" in asked
    cards, places = _cards(asked, _rows_of_cards(led))
    lines = _lines(asked, _rows_of_lines(led))
    _put_names(lines, cards, places, db.session.execute(_signups(led), asked), start)
    return _narrowed(Week(first, {}, list(lines.values()), [], []), cards, wanted)


@cache
def _shown(led: bool) -> tuple[sa.ColumnElement[bool], ...]:
    """The shifts of a week in some communities, or those of a leader. The queries are built once: a roster is looked
    at again and again.
    """
    span = (_moment("start") <= Shift.starts_at, Shift.starts_at < _moment("end"))
    inside = _among(Shift.id, "shifts") if led else _among(Shift.community_id, "of")
    return inside, Shift.state != ShiftState.CALLED_OFF, *span


def _among(column: Any, name: str) -> sa.ColumnElement[bool]:
    among: sa.ColumnElement[bool] = column.in_(sa.bindparam(name, expanding=True))
    return among


def _moment(name: str) -> Any:
    return sa.bindparam(name, type_=UtcDateTime())


@cache
def _rows_of_cards(led: bool) -> Any:
    """A row for each post, or each of its skills."""
    return (
        sa.select(
            *(Shift.id, Shift.public_id, Activity.public_id, Activity.title, Shift.place, Activity.place),
            *(Shift.starts_at, Shift.ends_at, Shift.state, Activity.state, Post.id, Position.name),
            *(Capacity.total, Capacity.taken, Position.needs, Skill.id, Skill.name),
        )
        .join(Activity, Shift.activity_id == Activity.id)
        .outerjoin(Post, Post.shift_id == Shift.id)
        .outerjoin(Position, Post.position_id == Position.id)
        .outerjoin(Capacity, Post.capacity_id == Capacity.id)
        .outerjoin(position_skill, position_skill.c.position_id == Position.id)
        .outerjoin(Skill, position_skill.c.skill_id == Skill.id)
        .where(*_shown(led))
        .order_by(Shift.starts_at, Shift.id, Post.id, Skill.id)
    )


def _cards(asked: dict[str, Any], rows: Any) -> tuple[dict[int, Card], dict[int, Place]]:
    """The shifts and their posts by id, in the order of time."""
    cards: dict[int, Card] = {}
    places: dict[int, Place] = {}
    for row in db.session.execute(rows, asked):
        card = cards.get(row[0]) or cards.setdefault(row[0], _card(row[:10]))
        if row[10] and row[10] not in places:
            places[row[10]] = Place(*row[10:15])
            card.posts.append(places[row[10]])
        if row[15]:
            places[row[10]].skills[row[15]] = row[16]
    return cards, places


def _card(row: Any) -> Card:
    number, public_id, activity, title, own_place, place, starts_at, ends_at, state, stage = row
    is_draft = stage is ActivityState.DRAFT
    return Card(number, public_id, activity, title, own_place or place, starts_at, ends_at, state, is_draft)


@cache
def _rows_of_lines(led: bool) -> Any:
    """With the minutes on record."""
    served = (
        sa.select(sa.func.coalesce(sa.func.sum(ServiceRecord.minutes), 0))
        .where(ServiceRecord.volunteer_id == Volunteer.id, ServiceRecord.state == RecordState.RECORDED)
        .correlate(Volunteer)
        .scalar_subquery()
    )
    return (
        sa.select(Volunteer.id, Volunteer.public_id, Person.name, Volunteer.week_hours, served)
        .join(Person, Volunteer.person_id == Person.id)
        .where(_listed(led))
        .order_by(Person.pinyin, Volunteer.id)
        .limit(MOST)
    )


def _lines(asked: dict[str, Any], rows: Any) -> dict[int, Line]:
    """Who helps in the communities or is of a leader's own, and who is on the shifts beside them; by name."""
    new = settings.get(NEW) * 60
    found = db.session.execute(rows, asked)
    return {
        number: Line(number, public_id, name, wish, is_new=minutes < new)
        for number, public_id, name, wish, minutes in found
    }


@cache
def _listed(led: bool) -> sa.ColumnElement[bool]:
    theirs = _among(Volunteer.id, "people") if led else _among(Volunteer.community_id, "of")
    helps = sa.and_(theirs, Volunteer.state == VolunteerState.ACTIVE)
    on = sa.select(Signup.volunteer_id).join(Signup.shift).where(Signup.state.in_(HOLDS), *_shown(led))
    return sa.or_(helps, Volunteer.id.in_(on))


def _put_names(
    lines: dict[int, Line],
    cards: dict[int, Card],
    places: dict[int, Place],
    signups: Any,
    monday: datetime,
) -> None:
    """Everybody's signups of the week and of the days beside it: on the cards, in the lines, and what is wrong."""
    stretches: dict[int, list[Stretch]] = defaultdict(list)
    names: dict[int, list[Name]] = defaultdict(list)
    usual, rest, sunday = settings.get(DAY), timedelta(minutes=settings.get(REST)), monday + timedelta(days=DAYS)
    for row in signups:
        line = lines.get(row.volunteer_id)
        if line is None:
            continue
        limit = row.day_minutes or usual
        stretches[line.id].append(Stretch(row.activity_id, row.starts_at, row.ends_at, limit, row.title))
        if monday <= row.starts_at < sunday:
            line.minutes += _given(row)
            names[line.id].append(_name(row, line, cards, places))
    first = local(monday).date()
    for line in (lines[number] for number in names):
        facts: dict[str, Any] = {"week_minutes": line.minutes, "wish_hours": line.week_hours}
        line.trouble = conflicts(stretches[line.id], first, rest=rest, **facts)
        for name in names[line.id]:
            name.trouble, name.minutes = line.trouble, line.minutes
            line.names[name.shift.day].append(name)


def _given(row: Any) -> int:
    """Minutes; who did not come gave none."""
    return 0 if row.state is SignupState.NO_SHOW else int((row.ends_at - row.starts_at).total_seconds()) // 60


def _name(row: Any, line: Line, cards: dict[int, Card], places: dict[int, Place]) -> Name:
    card, place = cards.get(row.shift_id), places.get(row.post_id)
    if card is None or place is None:
        card, place = _elsewhere(row), Place(row.post_id, "", 0, 0, 0)
    name = Name(row.public_id, line.id, line.name, row.state, row.way, row.can_stay, card, place, is_new=line.is_new)
    place.names.append(name)
    return name


def _elsewhere(row: Any) -> Card:
    """A shift of a community that the reader does not keep: when, and what."""
    return Card(row.shift_id, "", "", row.title, "", row.starts_at, row.ends_at, ShiftState.OPEN, is_draft=False)


@cache
def _signups(led: bool) -> Any:
    """Of whoever is listed, everything she does in these days and on the days beside them."""
    return (
        sa.select(
            *(Signup.public_id, Signup.volunteer_id, Signup.shift_id, Signup.post_id, Signup.starts_at),
            *(Signup.ends_at, Signup.state, Signup.way, Signup.can_stay, Shift.activity_id, Activity.title),
            Activity.day_minutes,
        )
        .join(Shift, Signup.shift_id == Shift.id)
        .join(Activity, Shift.activity_id == Activity.id)
        .where(
            Signup.state.in_(HOLDS),
            Signup.volunteer_id.in_(sa.select(Volunteer.id).where(_listed(led))),
            Signup.starts_at >= _moment("before"),
            Signup.starts_at < _moment("after"),
        )
        .order_by(Signup.starts_at, Signup.id)
    )


def _narrowed(found: Week, cards: dict[int, Card], wanted: Wanted) -> Week:
    found.activities = sorted({(card.activity, card.title) for card in cards.values()}, key=lambda pair: pair[::-1])
    posts = [post for card in cards.values() for post in card.posts]
    found.skills = sorted({pair for post in posts for pair in post.skills.items()})
    for card in cards.values():
        if _is_wanted(card, wanted):
            found.cards.setdefault(card.day, []).append(card)
    if wanted.activity:
        found.people = [line for line in found.people if _helps_with(line, wanted.activity)]
    if wanted.skill:
        able = _able(wanted.skill)
        found.people = [line for line in found.people if line.id in able]
    return found


def _able(skill: int) -> set[int]:
    """Who says to have a skill."""
    return set(db.session.scalars(sa.select(VolunteerSkill.volunteer_id).where(VolunteerSkill.skill_id == skill)))


def _is_wanted(card: Card, wanted: Wanted) -> bool:
    if wanted.activity and card.activity != wanted.activity:
        return False
    if wanted.short and not card.missing:
        return False
    return not wanted.skill or any(wanted.skill in post.skills for post in card.posts)


def _helps_with(line: Line, activity: str) -> bool:
    return any(name.shift.activity == activity for names in line.names.values() for name in names)


def communities_in(within: Collection[Scope]) -> list[Area]:
    """The communities whose roster somebody keeps, by code; Missing where there is none."""
    query = sa.select(Area).where(Area.id.in_(areas.touched(within))).order_by(Area.code)
    found = list(db.session.scalars(query))
    if not found:
        raise Missing
    return found


def post_in(community_ids: Collection[int], post_id: int) -> Post:
    query = sa.select(Post).join(Post.shift).where(Post.id == post_id, Shift.community_id.in_(community_ids))
    found = db.session.scalar(query.options(*post_whole()))
    if found is None:
        raise Missing
    return found


def signup_in(community_ids: Collection[int], public_id: str) -> Signup:
    """Somebody's place on a shift of the communities."""
    query = sa.select(Signup).join(Signup.shift).where(Signup.public_id == public_id)
    found = db.session.scalar(query.where(Shift.community_id.in_(community_ids)).options(*joining.whole()))
    if found is None:
        raise Missing
    return found


def volunteer_in(community_ids: Collection[int], public_id: str) -> Volunteer:
    query = sa.select(Volunteer).where(Volunteer.public_id == public_id, Volunteer.community_id.in_(community_ids))
    found = db.session.scalar(query.options(joinedload(Volunteer.person)))
    if found is None:
        raise Missing
    return found
