"""What is known of some volunteers that decides whether they may be on a post: read in one question."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import settings
from portal.core.clock import local
from portal.core.db import UtcDateTime, db
from portal.places.models import Waiting
from portal.places.service import LIVE
from portal.registry.models import Person, TeamMember
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import HOLDS, RecordState, SignupState, VolunteerState
from portal.volunteers.models.people import Absence, GuardianConsent, Pair, Volunteer, VolunteerSkill
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import PairAsk, Signup

KIND = "volunteer"
HELD = tuple(sorted(HOLDS))
DAY, REST = "volunteers.day_minutes", "volunteers.rest_minutes"
MISSED_MOST, MISSED_DAYS, NEW = "volunteers.no_show_most", "volunteers.no_show_days", "volunteers.newcomer_hours"
# What a plan begins with: who wrote no free times would else carry most of it.
WEEK = "volunteers.plan_week_hours"
KEYS = (DAY, REST, MISSED_MOST, MISSED_DAYS, NEW)

settings.declare(
    DAY, default=480, label=lambda: _("志愿者一天最多服务多久"), unit=lambda: _("分钟"), least=60, most=1440
)
settings.declare(
    REST, default=30, label=lambda: _("志愿者两班之间至少休息"), unit=lambda: _("分钟"), least=0, most=1440
)
settings.declare(
    WEEK, default=10, label=lambda: _("自动排班时一人一周最多服务"), unit=lambda: _("小时"), least=1, most=100
)
settings.declare(
    MISSED_MOST, default=3, label=lambda: _("志愿者缺席几次后不能自己报名"), unit=lambda: _("次"), least=1, most=50
)
settings.declare(
    MISSED_DAYS, default=90, label=lambda: _("志愿者的缺席算多少天内的"), unit=lambda: _("天"), least=7, most=730
)
settings.declare(
    NEW, default=10, label=lambda: _("服务不满多少小时算新志愿者"), unit=lambda: _("小时"), least=1, most=500
)


@dataclass(frozen=True)
class Own:
    """One signup of a volunteer that holds her time."""

    shift_id: int
    activity_id: int
    starts_at: datetime
    ends_at: datetime
    state: SignupState
    title: str


@dataclass
class Partner:
    """The other of an always-pair."""

    name: str
    shifts: set[int] = field(default_factory=set)


@dataclass
class Standing:
    """A volunteer as the checks see her. `skills` is what she says she can: proven or not, until when."""

    volunteer: Volunteer
    own: list[Own] = field(default_factory=list)
    waits: set[int] = field(default_factory=set)
    away: list[tuple[date, date]] = field(default_factory=list)
    skills: dict[int, tuple[bool, date | None]] = field(default_factory=dict)
    teams: set[int] = field(default_factory=set)
    # The guardians who agreed (0 for one who is not in the register); and those who come along.
    agreed: set[int] = field(default_factory=set)
    along: set[int] = field(default_factory=set)
    # The shifts on which one of those who come along is already.
    beside: set[int] = field(default_factory=set)
    # With whom she always comes (persons' ids): the name, and the shifts he is on.
    pairs: dict[int, Partner] = field(default_factory=dict)
    minutes: int = 0
    missed: int = 0

    @property
    def is_new(self) -> bool:
        return self.minutes < settings.get(NEW) * 60

    def is_away(self, starts_at: datetime, ends_at: datetime) -> bool:
        first, last = local(starts_at).date(), local(ends_at - timedelta(minutes=1)).date()
        return any(begins <= last and first <= ends for begins, ends in self.away)


def standings(volunteers: Collection[Volunteer], first: datetime, last: datetime, at: datetime) -> dict[int, Standing]:
    """What is known of some volunteers, by id: their signups from the day before `first` to the day after `last`."""
    found = {one.id: Standing(one) for one in volunteers}
    if not found:
        return found
    margin = timedelta(days=1, minutes=settings.get(REST))
    asked = {
        "who": list(found),
        "after": first - margin,
        "before": last + margin,
        "since": at - timedelta(days=settings.get(MISSED_DAYS)),
        "day": local(at).date(),
    }
    for row in db.session.connection().execute(_knowing(), asked):
        _PUT[row.kind](found[row.volunteer_id], row)
    return found


def _put_own(one: Standing, row: Any) -> None:
    one.own.append(Own(row.ref, row.more, row.starts, row.ends, SignupState(row.code), row.words))


def _put_wait(one: Standing, row: Any) -> None:
    one.waits.add(row.ref)


def _put_away(one: Standing, row: Any) -> None:
    one.away.append((row.first, row.last))


def _put_skill(one: Standing, row: Any) -> None:
    one.skills[row.ref] = (bool(row.more), row.last)


def _put_team(one: Standing, row: Any) -> None:
    one.teams.add(row.ref)


def _put_consent(one: Standing, row: Any) -> None:
    (one.along if row.more else one.agreed).add(row.ref)


def _put_beside(one: Standing, row: Any) -> None:
    one.beside.add(row.ref)


def _put_pair(one: Standing, row: Any) -> None:
    one.pairs.setdefault(row.ref, Partner(row.words)).shifts.add(row.more)


def _put_minutes(one: Standing, row: Any) -> None:
    one.minutes = int(row.ref)


def _put_missed(one: Standing, row: Any) -> None:
    one.missed = int(row.ref)


_PUT = {
    "own": _put_own,
    "wait": _put_wait,
    "away": _put_away,
    "skill": _put_skill,
    "team": _put_team,
    "consent": _put_consent,
    "beside": _put_beside,
    "pair": _put_pair,
    "minutes": _put_minutes,
    "missed": _put_missed,
}


COLUMNS = ("ref", "more", "code", "words", "starts", "ends", "first", "last")


def _facts(kind: str, volunteer: Any, **more: Any) -> sa.Select[Any]:
    """One kind of row: the columns that it does not use are empty. The first kind, which names all types, uses most."""
    columns = {name: more.get(name, sa.null()) for name in COLUMNS}
    kinds = sa.literal_column(f"'{kind}'", sa.String).label("kind")
    return sa.select(kinds, volunteer.label("volunteer_id"), *(column.label(name) for name, column in columns.items()))


@cache
def _knowing() -> sa.CompoundSelect[Any]:
    """Built once: nearly every page about shifts asks it."""
    who: sa.BindParameter[Any] = sa.bindparam("who", expanding=True)
    day, since = sa.bindparam("day", type_=sa.Date), sa.bindparam("since", type_=UtcDateTime())
    after, before = sa.bindparam("after", type_=UtcDateTime()), sa.bindparam("before", type_=UtcDateTime())
    day_of = sa.cast(sa.null(), sa.Date)
    times = {"starts": Signup.starts_at, "ends": Signup.ends_at, "first": day_of, "last": day_of}
    said = {"ref": Signup.shift_id, "more": Shift.activity_id, "code": Signup.state, "words": Activity.title}
    own = _facts("own", Signup.volunteer_id, **times, **said).join(Shift, Shift.id == Signup.shift_id)
    own = own.join(Activity, Activity.id == Shift.activity_id).where(
        Signup.volunteer_id.in_(who), Signup.state.in_(HELD), Signup.ends_at > after, Signup.starts_at < before
    )
    waits = _facts("wait", Volunteer.id, ref=Waiting.capacity_id).join(Waiting, Waiting.ref == Volunteer.public_id)
    waits = waits.where(Volunteer.id.in_(who), Waiting.kind == KIND, Waiting.state.in_(LIVE))
    away = _facts("away", Absence.volunteer_id, first=Absence.first_day, last=Absence.last_day)
    away = away.where(Absence.volunteer_id.in_(who), Absence.last_day >= day)
    proven = sa.case((VolunteerSkill.proven_at.is_not(None), 1), else_=0)
    skills = _facts(
        "skill", VolunteerSkill.volunteer_id, ref=VolunteerSkill.skill_id, more=proven, last=VolunteerSkill.valid_to
    ).where(VolunteerSkill.volunteer_id.in_(who))
    minutes = _facts("minutes", ServiceRecord.volunteer_id, ref=sa.func.sum(ServiceRecord.minutes))
    minutes = minutes.where(ServiceRecord.volunteer_id.in_(who), ServiceRecord.state == RecordState.RECORDED)
    missed = _facts("missed", Signup.volunteer_id, ref=sa.func.count(Signup.id))
    missed = missed.where(
        Signup.volunteer_id.in_(who), Signup.state == SignupState.NO_SHOW, Signup.starts_at >= since
    ).group_by(Signup.volunteer_id)
    parts = [
        own,
        waits,
        _waits_with(who),
        away,
        skills,
        _teams(who, day),
        _consents(who),
        _beside(who, after, before),
        _pairs(who, after, before),
    ]
    return sa.union_all(*parts, minutes.group_by(ServiceRecord.volunteer_id), missed)


def _waits_with(who: Any) -> sa.Select[Any]:
    """The lines in which another waits for both."""
    query = _facts("wait", PairAsk.other_id, ref=Waiting.capacity_id).join(Waiting, Waiting.public_id == PairAsk.line)
    return query.where(PairAsk.other_id.in_(who), Waiting.kind == KIND, Waiting.state.in_(LIVE))


def _teams(who: Any, day: Any) -> sa.Select[Any]:
    """A member's record may have been merged into the volunteer's since, or hers into the member's."""
    member = sa.orm.aliased(Person)
    whose = sa.func.coalesce(Person.merged_into_id, Person.id)
    return (
        _facts("team", Volunteer.id, ref=TeamMember.team_id)
        .join(Person, Person.id == Volunteer.person_id)
        .join(member, sa.func.coalesce(member.merged_into_id, member.id) == whose)
        .join(TeamMember, TeamMember.person_id == member.id)
        .where(
            Volunteer.id.in_(who),
            TeamMember.since <= day,
            sa.or_(TeamMember.until.is_(None), TeamMember.until >= day),
        )
    )


def _consents(who: Any) -> sa.Select[Any]:
    along = sa.case((GuardianConsent.comes_along, 1), else_=0)
    guardian = sa.func.coalesce(GuardianConsent.guardian_id, 0)
    query = _facts("consent", GuardianConsent.volunteer_id, ref=guardian, more=along)
    return query.where(GuardianConsent.volunteer_id.in_(who), GuardianConsent.withdrawn_at.is_(None))


def _beside(who: Any, after: Any, before: Any) -> sa.Select[Any]:
    """The shifts of these days on which a guardian who comes along is."""
    guardian = sa.orm.aliased(Volunteer)
    return (
        _facts("beside", GuardianConsent.volunteer_id, ref=Signup.shift_id)
        .join(guardian, guardian.person_id == GuardianConsent.guardian_id)
        .join(Signup, Signup.volunteer_id == guardian.id)
        .where(
            GuardianConsent.volunteer_id.in_(who),
            GuardianConsent.withdrawn_at.is_(None),
            GuardianConsent.comes_along,
            Signup.state.in_(HELD),
            Signup.ends_at > after,
            Signup.starts_at < before,
        )
    )


def _pairs(who: Any, after: Any, before: Any) -> sa.Select[Any]:
    """The others of her always-pairs who help at present, each with the shifts of these days he is on (0 for none)."""
    other = sa.orm.aliased(Volunteer)
    mine = sa.or_(
        sa.and_(Pair.one_id == Volunteer.id, Pair.other_id == other.id),
        sa.and_(Pair.other_id == Volunteer.id, Pair.one_id == other.id),
    )
    held = sa.and_(Signup.state.in_(HELD), Signup.ends_at > after, Signup.starts_at < before)
    on = sa.and_(Signup.volunteer_id == other.id, held)
    shift = sa.func.coalesce(Signup.shift_id, 0)
    return (
        _facts("pair", Volunteer.id, ref=other.person_id, more=shift, words=Person.name)
        .select_from(Volunteer)
        .join(Pair, sa.or_(Pair.one_id == Volunteer.id, Pair.other_id == Volunteer.id))
        .join(other, mine)
        .join(Person, Person.id == other.person_id)
        .outerjoin(Signup, on)
        .where(Volunteer.id.in_(who), Pair.always, other.state == VolunteerState.ACTIVE)
    )


def newcomers_on(posts: Collection[Post]) -> dict[int, int]:
    """How many newcomers are on each of some posts that have a share of them."""
    limited = [post.id for post in posts if post.position.newcomers < 100]
    if not limited:
        return {}
    served = (
        sa.select(sa.func.coalesce(sa.func.sum(ServiceRecord.minutes), 0))
        .where(ServiceRecord.volunteer_id == Signup.volunteer_id, ServiceRecord.state == RecordState.RECORDED)
        .scalar_subquery()
    )
    query = (
        sa.select(Signup.post_id, sa.func.count())
        .where(Signup.post_id.in_(limited), Signup.state.in_(HELD), served < settings.get(NEW) * 60)
        .group_by(Signup.post_id)
        .order_by(Signup.post_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
