"""What volunteers find: activities with their next shifts, the calendar, the next free shift near somebody."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.areas.models import Area, AreaKind
from portal.core.access import Actor, Platform
from portal.core.clock import day_bounds, local, today
from portal.core.db import db
from portal.places.models import Capacity
from portal.registry.models import Claim, ClaimState, Person, VolunteerTeam
from portal.registry.service import people
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import ActivityState, ServiceKind, ShiftState
from portal.volunteers.models.people import Skill, Volunteer
from portal.volunteers.service import fitness, registering
from portal.volunteers.service import people as volunteers
from portal.volunteers.service.activities import SHOWN
from portal.volunteers.service.fitness import Verdict

# How far ahead is looked, and how many posts one page reads at most.
DAYS_AHEAD = 30
MOST_POSTS = 400
MOST_TRIED = 120
NEAREST = 20
MORNING_ENDS, EVENING_BEGINS = 12, 18
PARTS = ("morning", "afternoon", "evening")


@dataclass(frozen=True)
class Reader:
    """Who looks: perhaps a volunteer, perhaps only a resident, perhaps nobody known."""

    volunteer: Volunteer | None = None
    community_id: int | None = None
    known: bool = False


@dataclass(frozen=True)
class Seeking:
    """What a reader asks for; empty means anything."""

    first: date
    last: date
    community_id: int | None = None
    kind: ServiceKind | None = None
    skill_id: int | None = None
    part: str = ""


@dataclass
class Offer:
    """A shift with its posts, and what somebody is told about each (by the post's id)."""

    shift: Shift
    posts: list[Post] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return sum(post.capacity.left for post in self.posts)

    @property
    def fits(self) -> bool:
        """Whether the reader may join it, alone or with her partner, where she was told about each post."""
        return any(self.may_join(post) for post in self.posts)

    def may_join(self, post: Post) -> bool:
        """An always-pair needs two places."""
        verdict = self.verdicts.get(post.id)
        return verdict is not None and (verdict.fits or (verdict.code == "pair" and post.capacity.left >= 2))

    @property
    def day(self) -> date:
        return local(self.shift.starts_at).date()


@dataclass
class Line:
    """An activity as the list shows it: with its next shifts."""

    activity: Activity
    offers: list[Offer] = field(default_factory=list)

    @property
    def next(self) -> Offer | None:
        return next((one for one in self.offers if one.left > 0), self.offers[0] if self.offers else None)

    @property
    def free(self) -> int:
        return sum(one.left > 0 for one in self.offers)

    @property
    def fitting(self) -> int:
        """How many of its shifts the reader may join."""
        return sum(one.fits for one in self.offers)


def reader(actor: Actor | None) -> Reader:
    """Who an account is, in one question where she is a volunteer."""
    if actor is None or actor.platform is not Platform.RESIDENT:
        return Reader()
    found = db.session.scalar(_volunteer(), {"account": actor.account_id})
    if found is not None:
        return Reader(found, found.person.community_id, known=True)
    person = people.person_of_or_none(actor, lean=True)
    if person is None:
        return Reader()
    # Her record may have been merged since she registered.
    return Reader(volunteers.volunteer_of(person), person.community_id, known=True)


@cache
def _volunteer() -> sa.Select[Volunteer]:
    return (
        sa.select(Volunteer)
        .join(Claim, Claim.person_id == Volunteer.person_id)
        .join(Volunteer.person)
        .where(
            Claim.account_id == sa.bindparam("account"),
            Claim.state == ClaimState.CONFIRMED,
            Person.merged_into_id.is_(None),
        )
        .options(contains_eager(Volunteer.person).load_only(*people.LEAN))
        .order_by(Volunteer.id)
        .limit(1)
    )


def communities() -> list[Area]:
    """Every community, for a filter."""
    return list(db.session.scalars(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)))


def skills() -> list[Skill]:
    """The skills that a filter offers."""
    return list(db.session.scalars(sa.select(Skill).where(Skill.is_offered).order_by(Skill.name, Skill.id)))


def part_of(moment: datetime) -> str:
    """morning, afternoon or evening: when a shift begins."""
    hour = local(moment).hour
    return PARTS[0] if hour < MORNING_ENDS else PARTS[1] if hour < EVENING_BEGINS else PARTS[2]


def _posts() -> sa.Select[Post]:
    """Posts with shift, activity, community, position and capacity in one question."""
    shift = contains_eager(Post.shift)
    return (
        sa.select(Post)
        .join(Post.shift)
        .join(Shift.activity)
        .join(Post.position)
        .join(Post.capacity)
        .options(
            shift.contains_eager(Shift.activity).joinedload(Activity.community),
            shift.contains_eager(Shift.activity).joinedload(Activity.organisation),
            contains_eager(Post.position).joinedload(Position.skills),
            contains_eager(Post.capacity),
        )
    )


def _wanted(query: sa.Select[Post], seeking: Seeking, at: datetime) -> sa.Select[Post]:
    query = query.where(
        Activity.state == ActivityState.PUBLISHED,
        Shift.state.in_([ShiftState.OPEN, ShiftState.CLOSED]),
        Shift.starts_at >= max(day_bounds(seeking.first)[0], at),
        Shift.starts_at < day_bounds(seeking.last)[1],
    )
    if seeking.community_id is not None:
        query = query.where(Shift.community_id == seeking.community_id)
    if seeking.kind is not None:
        query = query.where(Activity.kind == seeking.kind)
    if seeking.skill_id is not None:
        query = query.where(Position.skills.any(Skill.id == seeking.skill_id))
    return query


def offers(seeking: Seeking, at: datetime) -> list[Offer]:
    """The coming shifts that suit, by time."""
    query = _wanted(_posts(), seeking, at).order_by(Shift.starts_at, Shift.id, Post.id).limit(MOST_POSTS)
    found = grouped(db.session.scalars(query).unique())
    return [one for one in found if not seeking.part or part_of(one.shift.starts_at) == seeking.part]


def grouped(posts: Iterable[Post]) -> list[Offer]:
    """Posts by their shift, in the order they come in."""
    made: dict[int, Offer] = {}
    for post in posts:
        made.setdefault(post.shift_id, Offer(post.shift)).posts.append(post)
    return list(made.values())


def lines(seeking: Seeking, at: datetime, who: Reader | None = None) -> list[Line]:
    """The published activities that suit: first those with coming shifts, the next shift first; then, where no time
    was asked for, those whose shifts are still to be said. A volunteer is told which she may join.
    """
    made: dict[int, Line] = {}
    found = offers(seeking, at)
    if who is not None and who.volunteer is not None:
        say(found, who, at)
    for offer in found:
        activity = offer.shift.activity
        made.setdefault(activity.id, Line(activity)).offers.append(offer)
    if not seeking.part and seeking.first <= local(at).date():
        for activity in _without(seeking, made):
            made[activity.id] = Line(activity)
    return list(made.values())


def _without(seeking: Seeking, known: Collection[int]) -> list[Activity]:
    query = sa.select(Activity).where(Activity.state == ActivityState.PUBLISHED, Activity.id.not_in(known))
    if seeking.community_id is not None:
        query = query.where(Activity.community_id == seeking.community_id)
    if seeking.kind is not None:
        query = query.where(Activity.kind == seeking.kind)
    if seeking.skill_id is not None:
        query = query.where(Activity.positions.any(Position.skills.any(Skill.id == seeking.skill_id)))
    query = query.options(joinedload(Activity.community), joinedload(Activity.organisation))
    return list(db.session.scalars(query.order_by(Activity.published_at.desc(), Activity.id.desc()).limit(100)))


def by_day(found: Sequence[Offer], first: date, last: date) -> list[tuple[date, list[Offer]]]:
    """Every day between two, with its shifts."""
    days: dict[date, list[Offer]] = {first + timedelta(days=turn): [] for turn in range((last - first).days + 1)}
    for offer in found:
        if offer.day in days:
            days[offer.day].append(offer)
    return list(days.items())


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def month_of(day: date) -> tuple[date, date]:
    """The Monday before the month's first day, and the Sunday after its last."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return week_of(first)[0], week_of(last)[1]


def beside(day: date, *, month: bool) -> tuple[date, date]:
    """A day of the week or month before, and of the one after."""
    if not month:
        return day - timedelta(days=7), day + timedelta(days=7)
    first = day.replace(day=1)
    return first - timedelta(days=1), (first + timedelta(days=32)).replace(day=1)


def nearest(who: Reader, at: datetime, *, limit: int = NEAREST) -> list[Offer]:
    """The next free shifts, those of the reader's own community first, then by time; for a volunteer only what fits."""
    near = sa.case((Shift.community_id == (who.community_id or 0), 0), else_=1)
    ahead = Seeking(today(), today() + timedelta(days=DAYS_AHEAD))
    query = (
        _wanted(_posts(), ahead, at)
        .where(Shift.state == ShiftState.OPEN, Capacity.taken < Capacity.total)
        .order_by(near, Shift.starts_at, Shift.id, Post.id)
        .limit(MOST_TRIED)
    )
    found = grouped(db.session.scalars(query).unique())
    say(found, who, at)
    if who.volunteer is not None:
        found = [one for one in found if one.fits]
    return found[:limit]


def halted(who: Reader, at: datetime) -> str:
    """Why the reader, who is registered, joins nothing at all; "" for who may, and for who is not registered."""
    volunteer = who.volunteer
    if volunteer is None:
        return ""
    if volunteer.helps(today()):
        return fitness.missed_often(fitness.standings([volunteer], at, at, at)[volunteer.id])
    return registering.waits_for(volunteer) or fitness.halted(volunteer)


def say(found: Sequence[Offer], who: Reader, at: datetime) -> None:
    """Tell the reader about each post why she may or may not join it."""
    posts = [post for offer in found for post in offer.posts]
    verdicts = fitness.verdicts(posts, who.volunteer, at)
    for offer in found:
        offer.verdicts = {post.id: verdicts[post.id] for post in offer.posts}


def shown(public_id: str) -> Activity | None:
    """An activity as everybody may see it, with all its page says, in one question; None for a draft."""
    query = (
        sa.select(Activity)
        .where(Activity.public_id == public_id, Activity.state.in_(SHOWN))
        .options(
            joinedload(Activity.community),
            joinedload(Activity.organisation),
            joinedload(Activity.facility),
            joinedload(Activity.leader).load_only(Volunteer.shows_name),
            joinedload(Activity.team).joinedload(VolunteerTeam.leader).load_only(Person.name),
            joinedload(Activity.positions).joinedload(Position.skills),
        )
    )
    return db.session.scalars(query).unique().one_or_none()


def coming(activity: Activity, who: Reader, at: datetime, *, limit: int = 30) -> list[Offer]:
    """The coming shifts of an activity whose page is open, with what the reader is told; called off ones say so."""
    late = at - timedelta(minutes=activity.late_minutes)
    first = (
        sa.select(Shift.id)
        .where(Shift.activity_id == activity.id, Shift.starts_at > late)
        .order_by(Shift.starts_at, Shift.id)
        .limit(limit)
    )
    query = (
        sa.select(Post)
        .join(Post.shift)
        .where(Shift.id.in_(first))
        .options(contains_eager(Post.shift), joinedload(Post.capacity))
        .order_by(Shift.starts_at, Shift.id, Post.id)
    )
    found = grouped(db.session.scalars(query))
    say(found, who, at)
    return found


def short_on(community_ids: sa.Select[int], day: date) -> int:
    """How many shifts of a day lack people, in some communities."""
    begins, ends = day_bounds(day)
    query = (
        sa.select(sa.func.count(sa.distinct(Shift.id)))
        .select_from(Shift)
        .join(Shift.posts)
        .join(Post.capacity)
        .join(Shift.activity)
        .where(
            Shift.community_id.in_(community_ids),
            Shift.starts_at >= begins,
            Shift.starts_at < ends,
            Shift.state.in_([ShiftState.OPEN, ShiftState.CLOSED]),
            Activity.state == ActivityState.PUBLISHED,
            Capacity.taken < Capacity.total,
        )
    )
    return db.session.scalar(query) or 0
