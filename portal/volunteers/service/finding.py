"""Who is free and fit for a post, the fairest first: few hours lately, living near, seldom declining."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.core import settings
from portal.core.clock import at as instant
from portal.core.clock import local
from portal.core.db import db
from portal.registry.models import Facility, Person
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import HOLDS, InvitationState, SignupState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Invitation, Signup
from portal.volunteers.service import fitness
from portal.volunteers.service.fitness import OWN_WAY, Asked, Verdict
from portal.volunteers.service.standing import KEYS, MISSED_DAYS, MISSED_MOST, Standing, newcomers_on, standings

FAIR_DAYS = "volunteers.fair_days"
settings.declare(
    FAIR_DAYS,
    default=30,
    label=lambda: _("排班时看最近多少天的志愿时长"),
    unit=lambda: _("天"),
    least=7,
    most=365,
)
# What a worker may put past with a reason. Full, two places at once and a proof of skill she may not.
SOFT = frozenset({"experience", "away", "over_day", "rest", "newcomers", "pair"})
# Hours lately are compared in steps of so many minutes: smaller differences are nobody's concern.
BAND = 120
END_OF_DAY = time(23, 59)
# Who did not come gave no hours.
GIVES = HOLDS - {SignupState.NO_SHOW}


@dataclass(frozen=True)
class Candidate:
    """Somebody who could be asked for a post; `reasons` speak for her place in the order, `warnings` against her."""

    volunteer: Volunteer
    name: str
    verdict: Verdict
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    order: tuple[int, ...]
    is_new: bool
    week_minutes: int
    invited: InvitationState | None

    @property
    def fits(self) -> bool:
        return self.verdict.fits

    @property
    def is_soft(self) -> bool:
        """Whether what stands in the way may be put past with a reason."""
        return self.verdict.code in SOFT

    @property
    def is_hard(self) -> bool:
        return not self.fits and not self.is_soft


@dataclass
class _Lately:
    """What somebody did lately and this week, and what she answered to invitations."""

    minutes: int = 0
    week_minutes: int = 0
    declined: int = 0


@dataclass(frozen=True)
class _Search:
    """What every candidate of a shift is measured by."""

    shift: Shift
    asked: Asked
    lately: dict[int, _Lately]
    standings: dict[int, Standing]
    invited: dict[tuple[int, int], InvitationState]


def fit_and_free(post: Post, within: Collection[int], at: datetime, limit: int = 20) -> list[Candidate]:
    """Volunteers of some communities (ids) who can take a post of `post_whole()`, the fairest first.

    At most eight questions, however many there are.
    """
    return [one for one in for_posts([post], within, at)[post.id] if one.fits][:limit]


def for_posts(posts: Sequence[Post], within: Collection[int], at: datetime) -> dict[int, list[Candidate]]:
    """For every post of one shift everybody: who fits, the fairest first, then the others with what is in the way."""
    return among(posts, Volunteer.community_id.in_(within), at)


def among(posts: Sequence[Post], whom: sa.ColumnElement[bool], at: datetime) -> dict[int, list[Candidate]]:
    """The same of the volunteers that a condition names."""
    settings.ahead(FAIR_DAYS, *KEYS)
    shift = posts[0].shift
    everybody = _pool(whom, local(shift.starts_at).date())
    asked = Asked(at, newcomers_on(posts), skip=OWN_WAY | {"full"})
    known = standings(everybody, shift.starts_at, shift.ends_at, at)
    search = _Search(shift, asked, _lately(everybody, shift), known, _invited(posts))
    return {
        post.id: sorted((_candidate(one, post, search) for one in everybody), key=lambda found: found.order)
        for post in posts
    }


def post_whole() -> tuple[Any, ...]:
    """What is asked of a post, loaded with it."""
    place = (
        joinedload(Post.shift).joinedload(Shift.activity).joinedload(Activity.facility).joinedload(Facility.building)
    )
    return place, joinedload(Post.position).selectinload(Position.skills), joinedload(Post.capacity)


def week_of(moment: datetime) -> tuple[datetime, datetime]:
    """The first instant of the week (Monday to Sunday) that a moment is in, and of the next."""
    day = local(moment).date()
    monday = day - timedelta(days=day.weekday())
    return instant(monday, time(0)), instant(monday + timedelta(days=7), time(0))


def _pool(whom: sa.ColumnElement[bool], day: date) -> list[Volunteer]:
    barred_before = sa.and_(Volunteer.state == VolunteerState.BARRED, Volunteer.barred_until < day)
    query = (
        sa.select(Volunteer)
        .join(Volunteer.person)
        .where(
            whom,
            sa.or_(Volunteer.state == VolunteerState.ACTIVE, barred_before),
            Person.merged_into_id.is_(None),
        )
        .options(contains_eager(Volunteer.person), selectinload(Volunteer.times))
        .order_by(Volunteer.id)
    )
    return list(db.session.scalars(query))


def _lately(everybody: Sequence[Volunteer], shift: Shift) -> dict[int, _Lately]:
    """Hours of the last days and of what is still to come until the end of the shift's week; what was declined."""
    since = shift.starts_at - timedelta(days=settings.get(FAIR_DAYS))
    first, last = week_of(shift.starts_at)
    who = [one.id for one in everybody]
    found: dict[int, _Lately] = defaultdict(_Lately)
    given = (
        sa.select(Signup.volunteer_id, Signup.starts_at, Signup.ends_at)
        .where(Signup.volunteer_id.in_(who), Signup.state.in_(GIVES), Signup.starts_at.between(since, last))
        .order_by(Signup.id)
    )
    for volunteer_id, starts_at, ends_at in db.session.execute(given):
        minutes = int((ends_at - starts_at).total_seconds()) // 60
        found[volunteer_id].minutes += minutes
        found[volunteer_id].week_minutes += minutes if first <= starts_at < last else 0
    for volunteer_id, count in db.session.execute(_declining(who, since)):
        found[volunteer_id].declined = count
    return found


def _declining(who: Collection[int], since: datetime) -> sa.Select[int, int]:
    return (
        sa.select(Invitation.volunteer_id, sa.func.count(Invitation.id))
        .where(
            Invitation.volunteer_id.in_(who),
            Invitation.state == InvitationState.DECLINED,
            Invitation.ended_at >= since,
        )
        .group_by(Invitation.volunteer_id)
        .order_by(Invitation.volunteer_id)
    )


def _invited(posts: Sequence[Post]) -> dict[tuple[int, int], InvitationState]:
    """What became of the newest invitation of each volunteer to each post."""
    query = (
        sa.select(Invitation.post_id, Invitation.volunteer_id, Invitation.state)
        .where(Invitation.post_id.in_([post.id for post in posts]))
        .order_by(Invitation.id)
    )
    return {(post_id, volunteer_id): state for post_id, volunteer_id, state in db.session.execute(query)}


def _candidate(volunteer: Volunteer, post: Post, search: _Search) -> Candidate:
    standing, lately = search.standings[volunteer.id], search.lately[volunteer.id]
    verdict = fitness.judge(post, standing, search.asked)
    distance = _distance(volunteer.person, search.shift)
    warnings = _warnings(standing, search.shift, lately.week_minutes)
    fairness = (
        lately.minutes // BAND,
        not covers(volunteer, search.shift),
        distance,
        lately.declined,
        lately.minutes,
        volunteer.id,
    )
    return Candidate(
        volunteer=volunteer,
        name=volunteer.person.name,
        verdict=verdict,
        reasons=_reasons(volunteer, search.shift, lately, distance),
        warnings=warnings,
        order=(_step(verdict), len(warnings), *fairness),
        is_new=standing.is_new,
        week_minutes=lately.week_minutes,
        invited=search.invited.get((post.id, volunteer.id)),
    )


def _step(verdict: Verdict) -> int:
    """First who fits, then whom a worker may still put there, then the others."""
    return 0 if verdict.fits else (1 if verdict.code in SOFT else 2)


def _distance(person: Person, shift: Shift) -> int:
    """0 in the grid of the shift's house, 1 in its community, 2 elsewhere."""
    facility = shift.activity.facility
    grid = facility.building.grid_id if facility and facility.building else None
    if grid is not None and person.grid_id == grid:
        return 0
    return 1 if person.community_id == shift.community_id else 2


def _reasons(volunteer: Volunteer, shift: Shift, lately: _Lately, distance: int) -> tuple[str, ...]:
    said = [
        _("近 %(days)d 天 %(hours)s 小时", days=settings.get(FAIR_DAYS), hours=hours_words(lately.minutes)),
        (_("住同一网格"), _("住本社区"), _("住别的社区"))[distance],
    ]
    if covers(volunteer, shift):
        said.append(_("这个时间有空"))
    if not volunteer.times:
        said.append(_("没有填空闲时间，要问一声"))
    if lately.declined:
        said.append(_("近来谢绝过 %(count)d 次", count=lately.declined))
    return tuple(said)


def _warnings(standing: Standing, shift: Shift, week_minutes: int) -> tuple[str, ...]:
    said, volunteer = [], standing.volunteer
    if volunteer.times and not covers(volunteer, shift):
        said.append(_("没有填这个时间有空"))
    if over_wish(volunteer.week_hours, week_minutes + shift.minutes):
        said.append(_("会超过本人希望的每周 %(hours)d 小时", hours=volunteer.week_hours))
    if standing.missed >= settings.get(MISSED_MOST):
        facts = {"days": settings.get(MISSED_DAYS), "count": standing.missed}
        said.append(_("最近 %(days)d 天缺席了 %(count)d 次", **facts))
    return tuple(said)


def over_wish(week_hours: int, minutes: int) -> bool:
    """Whether so many minutes of a week are more than somebody wishes."""
    return bool(week_hours) and minutes > week_hours * 60


def covers(volunteer: Volunteer, shift: Shift) -> bool:
    """Whether her free hours cover a shift, each of its days by itself; without any hours nothing is covered."""
    first, last = local(shift.starts_at), local(shift.ends_at)
    parts, day = [], first.date()
    while day <= last.date():
        opens = first.time() if day == first.date() else time(0)
        closes = last.time() if day == last.date() else END_OF_DAY
        if opens < closes:
            parts.append((day.weekday(), opens, closes))
        day += timedelta(days=1)
    return bool(parts) and all(_is_free(volunteer, *part) for part in parts)


def _is_free(volunteer: Volunteer, weekday: int, opens: time, closes: time) -> bool:
    return any(free.weekday == weekday and free.opens <= opens and closes <= free.closes for free in volunteer.times)


def hours_words(minutes: int) -> str:
    """Hours to one figure behind the point, which is left out where it is nought."""
    return f"{minutes / 60:.1f}".removesuffix(".0")
