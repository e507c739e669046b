"""What a plan is computed from, read in a fixed number of questions: open posts, people, what they hold, pairs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, selectinload

from portal.core import settings
from portal.core.clock import at as instant
from portal.core.clock import day_bounds, local, now
from portal.core.db import db
from portal.registry.models import Person as Resident
from portal.volunteers.models import people
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import HOLDS, ActivityState, InvitationState, ShiftState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.plans import Plan
from portal.volunteers.models.signups import Invitation, Signup
from portal.volunteers.service import finding, fitness
from portal.volunteers.service.standing import DAY, KEYS, REST, Own, Standing, newcomers_on, standings
from portal.volunteers.solving import problem as solving

HELD = tuple(sorted(HOLDS))
# What the solver knows by itself, and can say what lifting it would do; what remains closes a post to somebody.
SOLVED = frozenset(
    {"joined", "skill", "training", "experience", "collides", "over_day", "rest", "newcomers", "pair", "full"}
)
# Strangers to a team and who was missed often are not proposed; a worker may put them there by hand.
_ASIDE = frozenset({"members", "no_shows"})
PROPOSED = SOLVED | fitness.OWN_WAY - _ASIDE
BY_HAND = SOLVED | fitness.OWN_WAY
# Beyond the end of any plan: a skill without an end.
FOREVER = solving.NO_END


@dataclass(frozen=True)
class Gathered:
    problem: solving.Problem
    posts: dict[int, Post]
    volunteers: dict[int, Volunteer]
    # Minutes lately and given already until the plan's end, by volunteer.
    before: dict[int, int]
    # Why somebody is not proposed for a post, by (volunteer id, post id): a worker who puts her there is told.
    aside: dict[tuple[int, int], str]


def minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def day_span(first: date, last: date) -> tuple[datetime, datetime]:
    """The first instant of a day, and the first after another."""
    return day_bounds(first)[0], day_bounds(last)[1]


def bounds(plan: Plan) -> tuple[datetime, datetime]:
    return day_span(plan.first_day, plan.last_day)


def open_posts(community_id: int, first: datetime, last: datetime, activities: Collection[str] = ()) -> sa.Select[Post]:
    """The posts of shifts to come that people may still be put on, full ones among them."""
    query = (
        sa.select(Post)
        .join(Post.shift)
        .join(Shift.activity)
        .where(
            Shift.community_id == community_id,
            Shift.state == ShiftState.OPEN,
            Activity.state == ActivityState.PUBLISHED,
            Shift.starts_at >= max(first, now()),
            Shift.starts_at < last,
        )
    )
    if activities:
        query = query.where(Activity.public_id.in_(activities))
    return query


def gather(plan: Plan) -> Gathered:
    """Everything for the solver: every open post of the plan's days, every volunteer of its community."""
    query = open_posts(plan.community_id, *bounds(plan), plan.options.get("activities", ()))
    query = query.options(*finding.post_whole()).order_by(Shift.starts_at, Post.id)
    posts = list(db.session.scalars(query))
    return _gathered(plan, posts, _everybody(plan, posts), None)


def gather_for(plan: Plan, lines: Collection[tuple[int, int]]) -> Gathered:
    """The same for some lines alone, by (volunteer id, post id): enough to check them."""
    wanted = {post for _who, post in lines}
    query = sa.select(Post).join(Post.shift).where(Post.id.in_(wanted)).options(*finding.post_whole())
    posts = list(db.session.scalars(query.order_by(Shift.starts_at, Post.id)))
    who = sa.or_(Volunteer.id.in_({who for who, _post in lines}), _on(posts))
    return _gathered(plan, posts, list(db.session.scalars(_volunteers(who))), set(lines))


def helpers(plan: Plan) -> list[int]:
    """The ids of the community's volunteers who help in the plan's days."""
    return list(db.session.scalars(sa.select(Volunteer.id).where(_ours(plan)).order_by(Volunteer.id)))


def _ours(plan: Plan) -> sa.ColumnElement[bool]:
    barred_before = sa.and_(Volunteer.state == VolunteerState.BARRED, Volunteer.barred_until < plan.last_day)
    helping = sa.or_(Volunteer.state == VolunteerState.ACTIVE, barred_before)
    return sa.and_(Volunteer.community_id == plan.community_id, helping)


def _everybody(plan: Plan, posts: Sequence[Post]) -> list[Volunteer]:
    """The community's volunteers, and whoever else is on one of the posts already."""
    return list(db.session.scalars(_volunteers(sa.or_(_ours(plan), _on(posts)))))


def _volunteers(which: sa.ColumnElement[bool]) -> sa.Select[Volunteer]:
    query = sa.select(Volunteer).join(Volunteer.person).where(which, Resident.merged_into_id.is_(None))
    loads = (contains_eager(Volunteer.person), selectinload(Volunteer.times))
    return query.options(*loads).order_by(Volunteer.id)


def _on(posts: Sequence[Post]) -> sa.ColumnElement[bool]:
    ids = [post.id for post in posts]
    return Volunteer.id.in_(sa.select(Signup.volunteer_id).where(Signup.post_id.in_(ids), Signup.state.in_(HELD)))


def _gathered(
    plan: Plan, posts: Sequence[Post], volunteers: Sequence[Volunteer], only: set[tuple[int, int]] | None
) -> Gathered:
    settings.ahead(finding.FAIR_DAYS, *KEYS)
    first, last = _weeks(plan)
    known = standings(volunteers, first, last, now())
    held = _held(posts, known)
    given = _given(plan, volunteers, last)
    lately = {one.id: max(0, given[one.id] - _minutes(held, one.id)) for one in volunteers}
    declined = _declined(plan, volunteers)
    problem = solving.Problem(
        persons=tuple(
            _person(plan, one, known[one.id], posts, lately[one.id], declined.get(one.id, 0)) for one in volunteers
        ),
        posts=tuple(_posts(posts, known, only, plan)),
        held=tuple(held),
        pairs=tuple(_pairs(volunteers)),
        options=_options(plan),
    )
    before = {one.id: lately[one.id] + _minutes(held, one.id) for one in volunteers}
    by_id = {one.id: one for one in volunteers}
    return Gathered(problem, {post.id: post for post in posts}, by_id, before, _set_aside(posts, known, only or ()))


def _set_aside(
    posts: Sequence[Post], known: dict[int, Standing], lines: Collection[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    asked = fitness.Asked(now(), skip=frozenset(code for code, _check in fitness.CHECKS) - _ASIDE)
    by_id = {post.id: post for post in posts}
    here = [(who, where) for who, where in lines if who in known and where in by_id]
    verdicts = {(who, where): fitness.judge(by_id[where], known[who], asked) for who, where in here}
    return {line: verdict.code for line, verdict in verdicts.items() if not verdict.fits}


def _weeks(plan: Plan) -> tuple[datetime, datetime]:
    """The whole weeks that the plan's days are in: limits of a week count what is before and after."""
    first, last = bounds(plan)
    return finding.week_of(first)[0], finding.week_of(last - timedelta(minutes=1))[1]


def _options(plan: Plan) -> solving.Options:
    """The worker's wishes; never less rest or a longer day than the portal's rules, which stand when it is applied."""
    said = plan.options
    return solving.Options(
        rest_minutes=max(int(said.get("rest_minutes", 0)), settings.get(REST)),
        day_minutes=min(int(said.get("day_minutes") or 24 * 60), settings.get(DAY)),
        week_minutes=int(said.get("week_minutes", 0)),
        only_free=bool(said.get("only_free", True)),
        seconds=float(said.get("seconds", 30)),
    )


def _minutes(held: Iterable[solving.Held], person: int) -> int:
    return sum(one.minutes for one in held if one.person == person)


def _held(posts: Sequence[Post], known: dict[int, Standing]) -> list[solving.Held]:
    ids = [post.id for post in posts]
    on = sa.select(Signup.volunteer_id, Signup.shift_id, Signup.post_id)
    on = on.where(Signup.post_id.in_(ids), Signup.state.in_(HELD)).order_by(Signup.id)
    post_of = {(row.volunteer_id, row.shift_id): row.post_id for row in db.session.execute(on)}
    return [
        _held_one(standing.volunteer.id, own, post_of.get((standing.volunteer.id, own.shift_id), 0))
        for standing in known.values()
        for own in sorted(standing.own, key=lambda one: (one.starts_at, one.shift_id))
    ]


def _held_one(person: int, own: Own, post_id: int) -> solving.Held:
    return solving.Held(
        person, post=post_id, shift=own.shift_id, activity=own.activity_id, **_times(own.starts_at, own.ends_at)
    )


def _times(starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """A time as the solver counts it; its minutes on each day where it runs over midnight."""
    day = local(starts_at).date()
    monday = day - timedelta(days=day.weekday())
    days = _days(starts_at, ends_at)
    return {
        "starts": minute(starts_at),
        "ends": minute(ends_at),
        "day": day.toordinal(),
        "week": monday.toordinal(),
        "days": days if len(days) > 1 else (),
    }


def _days(starts_at: datetime, ends_at: datetime) -> tuple[tuple[int, int], ...]:
    found, day = [], local(starts_at).date()
    while (limits := day_bounds(day))[0] < ends_at:
        found.append((day.toordinal(), minute(min(ends_at, limits[1])) - minute(max(starts_at, limits[0]))))
        day += timedelta(days=1)
    return tuple(found)


def _given(plan: Plan, volunteers: Sequence[Volunteer], last: datetime) -> dict[int, int]:
    """Minutes of shifts from some days before the plan until the end of its last week."""
    since = bounds(plan)[0] - timedelta(days=settings.get(finding.FAIR_DAYS))
    query = (
        sa.select(Signup.volunteer_id, Signup.starts_at, Signup.ends_at)
        .where(
            Signup.volunteer_id.in_([one.id for one in volunteers]),
            Signup.state.in_(finding.GIVES),
            Signup.starts_at.between(since, last),
        )
        .order_by(Signup.id)
    )
    found: dict[int, int] = defaultdict(int)
    for who, starts_at, ends_at in db.session.execute(query):
        found[who] += minute(ends_at) - minute(starts_at)
    return found


def _declined(plan: Plan, volunteers: Sequence[Volunteer]) -> dict[int, int]:
    since = bounds(plan)[0] - timedelta(days=settings.get(finding.FAIR_DAYS))
    query = (
        sa.select(Invitation.volunteer_id, sa.func.count(Invitation.id))
        .where(
            Invitation.volunteer_id.in_([one.id for one in volunteers]),
            Invitation.state == InvitationState.DECLINED,
            Invitation.ended_at >= since,
        )
        .group_by(Invitation.volunteer_id)
        .order_by(Invitation.volunteer_id)
    )
    return {who: int(count) for who, count in db.session.execute(query)}


def _person(
    plan: Plan, volunteer: Volunteer, standing: Standing, posts: Sequence[Post], lately: int, declined: int
) -> solving.Person:
    return solving.Person(
        id=volunteer.id,
        skills=_skills(standing, posts),
        free=_free(plan, volunteer),
        lately=lately,
        experience=standing.minutes,
        newcomer=standing.is_new,
        week_minutes=volunteer.week_hours * 60,
        areas=(volunteer.person.grid_id or 0, volunteer.person.community_id or 0),
        kinds=frozenset(volunteer.kinds),
        declined=declined,
    )


def _skills(standing: Standing, posts: Sequence[Post]) -> dict[int, int]:
    """Until which day each skill that is asked for counts, where it does."""
    found = {}
    for skill in {skill for post in posts for skill in post.position.skills}:
        proven, until = standing.skills.get(skill.id, (False, None))
        if skill.id in standing.skills and (proven or not skill.needs_proof):
            found[skill.id] = until.toordinal() if until else FOREVER
    return found


def _free(plan: Plan, volunteer: Volunteer) -> tuple[tuple[int, int], ...] | None:
    """Her hours of the week as times of the plan's days, and of the next for what runs over midnight."""
    if not volunteer.times:
        return None
    days = [plan.first_day + timedelta(days=number) for number in range((plan.last_day - plan.first_day).days + 2)]
    spans = [_span(day, one) for day in days for one in volunteer.times if one.weekday == day.weekday()]
    return solving.merged(spans)


def _span(day: date, free: people.FreeTime) -> tuple[int, int]:
    ends = day_bounds(day)[1] if free.closes >= finding.END_OF_DAY else instant(day, free.closes)
    return minute(instant(day, free.opens)), minute(ends)


def _posts(
    posts: Sequence[Post], known: dict[int, Standing], only: set[tuple[int, int]] | None, plan: Plan
) -> Iterable[solving.Post]:
    asked = fitness.Asked(now(), newcomers_on(posts), skip=PROPOSED if only is None else BY_HAND)
    for post in posts:
        shift, activity = post.shift, post.shift.activity
        wanted = [one for one in known if only is None or (one, post.id) in only]
        verdicts = {one: fitness.judge(post, known[one], asked) for one in wanted}
        yield solving.Post(
            id=post.id,
            shift=shift.id,
            places=max(0, post.capacity.left),
            needs=post.capacity.total,
            skills=frozenset(skill.id for skill in post.position.skills),
            experience=post.position.least_minutes,
            newcomers=post.position.newcomers,
            day_minutes=min(activity.day_minutes, plan.options.get("day_minutes") or activity.day_minutes),
            areas=tuple(area for area in (_grid(activity), shift.community_id) if area),
            kind=activity.kind.value,
            closed={one: verdict.code for one, verdict in verdicts.items() if not verdict.fits},
            activity=activity.id,
            **_times(shift.starts_at, shift.ends_at),
        )


def _grid(activity: Activity) -> int:
    facility = activity.facility
    return (facility.building.grid_id or 0) if facility and facility.building else 0


def _pairs(volunteers: Sequence[Volunteer]) -> Iterable[solving.Pair]:
    """Pairs of which one at least is there: who always comes with somebody absent does not come."""
    ids = [one.id for one in volunteers]
    query = sa.select(people.Pair).where(sa.or_(people.Pair.one_id.in_(ids), people.Pair.other_id.in_(ids)))
    for pair in db.session.scalars(query.order_by(people.Pair.id)):
        yield solving.Pair(pair.one_id, pair.other_id, pair.always)
