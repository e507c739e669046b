"""Activities and shifts as they are found and made. Calling off is in calling_off.py, editing in keeping.py."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from portal.areas import service as areas
from portal.core import settings
from portal.core.access import Scope
from portal.core.clock import day_bounds, now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.places import service as places
from portal.registry.models import Person, VolunteerTeam
from portal.registry.service import people
from portal.volunteers.models.activities import STEP_MINUTES, Activity, Position, Post, Shift, ShiftBatch
from portal.volunteers.models.codes import ActivityState, ServiceKind, ShiftState, VolunteerState
from portal.volunteers.models.people import Volunteer

LONGEST = "volunteers.longest_minutes"
settings.declare(
    LONGEST,
    default=720,
    label=lambda: _("志愿服务一个班次最长"),
    unit=lambda: _("分钟"),
    least=60,
    most=1440,
)
# What residents may open: an activity that was called off or has ended still answers, saying so.
SHOWN = (ActivityState.PUBLISHED, ActivityState.CALLED_OFF, ActivityState.ENDED)
STANDING = (ShiftState.OPEN, ShiftState.CLOSED)
A_PAGE = 30


def whole() -> tuple[ORMOption, ...]:
    """Everything that a page of an activity shows, eagerly."""
    return (
        joinedload(Activity.community),
        joinedload(Activity.organisation),
        joinedload(Activity.facility),
        joinedload(Activity.team).joinedload(VolunteerTeam.leader),
        joinedload(Activity.leader).joinedload(Volunteer.person),
        selectinload(Activity.positions).selectinload(Position.skills),
    )


def with_posts() -> tuple[ORMOption, ...]:
    """A shift's posts with their positions, skills and capacities, eagerly."""
    posts = selectinload(Shift.posts)
    return (
        posts.joinedload(Post.capacity),
        posts.joinedload(Post.position).selectinload(Position.skills),
    )


def activity(public_id: str, *, within: Collection[Scope] | None = None) -> Activity:
    """An activity in whatever state; Missing when there is none, or none in a worker's scope."""
    query = sa.select(Activity).where(Activity.public_id == public_id).options(*whole())
    if within is not None:
        query = query.where(Activity.community_id.in_(areas.touched(within)))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def shown(public_id: str) -> Activity:
    """An activity as everybody may see it; a draft is Missing."""
    found = activity(public_id)
    if found.state not in SHOWN:
        raise Missing
    return found


def published(
    community_ids: Collection[int] | None = None, *, kind: ServiceKind | None = None, limit: int = 100
) -> list[Activity]:
    """The published activities, of everywhere unless communities are given; the newest first."""
    query = sa.select(Activity).where(Activity.state == ActivityState.PUBLISHED)
    if community_ids is not None:
        query = query.where(Activity.community_id.in_(community_ids))
    if kind is not None:
        query = query.where(Activity.kind == kind)
    query = query.options(joinedload(Activity.community), joinedload(Activity.organisation))
    return list(db.session.scalars(query.order_by(Activity.published_at.desc(), Activity.id.desc()).limit(limit)))


def activities_within(
    within: Collection[Scope], *, state: ActivityState | None = None, words: str = "", page: int = 1
) -> tuple[list[Activity], bool]:
    """A page of the activities that a worker keeps, drafts first, then the newest; and whether there are more."""
    query = (
        sa.select(Activity)
        .where(Activity.community_id.in_(areas.touched(within)))
        .options(joinedload(Activity.community), joinedload(Activity.organisation))
        .order_by(_DRAFTS_FIRST, Activity.id.desc())
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    if state is not None:
        query = query.where(Activity.state == state)
    if words:
        query = query.where(Activity.title.contains(words, autoescape=True))
    found = list(db.session.scalars(query))
    return found[:A_PAGE], len(found) > A_PAGE


_DRAFTS_FIRST = sa.case({ActivityState.DRAFT: 0, ActivityState.PUBLISHED: 1}, value=Activity.state, else_=2)


def count_of(within: Collection[Scope]) -> dict[ActivityState, int]:
    """How many of a worker's activities there are in each state."""
    query = sa.select(Activity.state, sa.func.count(Activity.id))
    query = query.where(Activity.community_id.in_(areas.touched(within)))
    held = {row[0]: row[1] for row in db.session.execute(query.group_by(Activity.state))}
    return {state: held.get(state, 0) for state in ActivityState}


def shift(public_id: str, *, within: Collection[Scope] | None = None) -> Shift:
    """A shift in whatever state, with its activity and posts; Missing when there is none, or none in scope."""
    activity_too = joinedload(Shift.activity)
    query = (
        sa.select(Shift)
        .where(Shift.public_id == public_id)
        .options(
            *with_posts(),
            activity_too.joinedload(Activity.community),
            activity_too.joinedload(Activity.organisation),
            activity_too.joinedload(Activity.team),
            activity_too.joinedload(Activity.leader).joinedload(Volunteer.person),
        )
    )
    if within is not None:
        query = query.where(Shift.community_id.in_(areas.touched(within)))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def shifts_between(
    community_ids: Collection[int], first: date, last: date, *, states: Collection[ShiftState] = STANDING
) -> list[Shift]:
    """The shifts that begin on one of the days, both ends counted, whatever the state of their activity but a draft's;
    with activity, posts, positions and capacities; by time.
    """
    query = (
        sa.select(Shift)
        .join(Shift.activity)
        .where(
            Shift.community_id.in_(community_ids),
            Shift.starts_at >= day_bounds(first)[0],
            Shift.starts_at < day_bounds(last)[1],
            Shift.state.in_(states),
            Activity.state.in_(SHOWN),
        )
        .options(contains_eager(Shift.activity), *with_posts())
        .order_by(Shift.starts_at, Shift.id)
    )
    return list(db.session.scalars(query))


def shifts_of(activity: Activity, *, since: datetime | None = None, limit: int = 200) -> list[Shift]:
    """The shifts of an activity that end after a moment (all of them unless told), by time."""
    query = sa.select(Shift).where(Shift.activity_id == activity.id).options(*with_posts())
    if since is not None:
        query = query.where(Shift.ends_at > since)
    return list(db.session.scalars(query.order_by(Shift.starts_at, Shift.id).limit(limit)))


def leader_is(activity: Activity, person: Person | None) -> bool:
    """Whether somebody leads an activity: it names her, or she leads its team."""
    if person is None:
        return False
    query = sa.select(sa.literal(1)).where(Activity.id == activity.id, led_by(person))
    return db.session.scalar(query) is not None


def led_by(person: Person) -> sa.ColumnElement[bool]:
    """The condition that somebody leads an activity: it names her and she helps today, or she leads its team, which
    was not disbanded.
    """
    ids, over = people.ids_of(person), Volunteer.barred_until < today()
    helps = sa.or_(Volunteer.state == VolunteerState.ACTIVE, sa.and_(Volunteer.state == VolunteerState.BARRED, over))
    named = sa.select(Volunteer.id).where(Volunteer.person_id.in_(ids), helps)
    teams = sa.select(VolunteerTeam.id).where(VolunteerTeam.leader_id.in_(ids), VolunteerTeam.disbanded_on.is_(None))
    return sa.or_(Activity.leader_id.in_(named), Activity.team_id.in_(teams))


def organiser_name(activity: Activity) -> str:
    """Who organises it, and so records and certifies its hours: an organisation, else the community's committee."""
    if activity.organisation is not None:
        return activity.organisation.name
    return _("%(community)s居民委员会", community=activity.community.name)


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a shift of the past, one that ends before it begins, one off the step, one that is too long."""
    if starts_at <= now():
        raise Refused(_("这个时间已经过去了，请选以后的时间。"), field="starts")
    if ends_at <= starts_at:
        raise Refused(_("结束时间要晚于开始时间。"), field="ends")
    step = STEP_MINUTES * 60
    if starts_at.timestamp() % step or ends_at.timestamp() % step:
        raise Refused(_("班次的开始和结束要落在 5 分钟的整数倍上，例如 9:05、9:10。"), field="starts")
    most = settings.get(LONGEST)
    if ends_at - starts_at > timedelta(minutes=most):
        words = _("一个班次最长 %(most)s 分钟，请分成几个班次。", most=most)
        raise Refused(words, field="ends")


def new_shift(
    activity: Activity,
    starts_at: datetime,
    ends_at: datetime,
    *,
    needs: Mapping[int, int] | None = None,
    place: str = "",
    note: str = "",
    batch: ShiftBatch | None = None,
) -> Shift:
    """A shift with a post and a capacity for each position; `needs` is another number for a position's id.

    It checks the times; the guards of publishing are the caller's (shifts.add asks them).
    """
    check_times(starts_at, ends_at)
    made = _shift(activity, starts_at, ends_at, needs or {}, place=place, note=note, batch=batch)
    with unique_or(Refused(_("这个活动在这个时间已经有一个班次，不用再加。"), field="starts")):
        db.session.add(made)
    return made


def new_shifts(activity: Activity, spans: Sequence[tuple[datetime, datetime]], batch: ShiftBatch) -> list[Shift]:
    """Many shifts in one step; refused as a whole when another has made one of them at this very moment."""
    for starts_at, ends_at in spans:
        check_times(starts_at, ends_at)
    made = [_shift(activity, starts_at, ends_at, {}, batch=batch) for starts_at, ends_at in spans]
    with unique_or(Refused(_("有人刚刚加了其中的班次，请再看一遍预览。"))):
        db.session.add_all(made)
    return made


def _shift(
    activity: Activity,
    starts_at: datetime,
    ends_at: datetime,
    needs: Mapping[int, int],
    *,
    place: str = "",
    note: str = "",
    batch: ShiftBatch | None = None,
) -> Shift:
    made = Shift(
        activity=activity,
        community_id=activity.community_id,
        batch_id=batch.id if batch else None,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        note=note,
        state=ShiftState.OPEN,
        secret=secrets.token_urlsafe(32),
    )
    made.posts = [new_post(one, needs.get(one.id, one.needs)) for one in activity.positions]
    return made


def new_post(position: Position, needs: int) -> Post:
    """A post for a position that a shift takes in, with nobody on it."""
    return Post(position=position, capacity=places.open_capacity(needs))
