"""Why a volunteer may or may not be on a post, in words: the same answer for pages, for the roster and inside the act.

Posts are read with `whole()`, volunteers with their `person`: then a whole page of verdicts costs three questions.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from portal.core import settings
from portal.core.clock import day_bounds, local
from portal.core.web import day_words, moment_words
from portal.registry.models import PersonState
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import ActivityState, Joining, ShiftState, SignupState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import guards
from portal.volunteers.service.signup_words import length, long_day, span
from portal.volunteers.service.standing import DAY, KEYS, MISSED_DAYS, MISSED_MOST, NEW, REST, Own, Standing
from portal.volunteers.service.standing import newcomers_on as newcomers_on
from portal.volunteers.service.standing import standings as standings

BREAK = timedelta(minutes=30)
# What nobody may be put past, not even by a worker.
HARD = frozenset({"joined", "closed", "not_volunteer", "age", "guardian", "uninsured", "collides", "full"})
# What only holds back who signs up by herself.
OWN_WAY = frozenset({"too_early", "too_late", "members", "no_shows", "assigned", "waiting"})


@dataclass(frozen=True)
class Verdict:
    """`code` is free, or what stands in the way; `words` say it, and what to do. `waits` is whether somebody who fits
    stands in the line already.
    """

    fits: bool
    code: str
    words: str
    waits: bool = False


def stands(code: str, words: str) -> Verdict:
    """A no."""
    return Verdict(fits=False, code=code, words=words)


@dataclass(frozen=True)
class Asked:
    """What the checks are asked with: when, how many newcomers are on, who joins at the same time (persons' ids)."""

    at: datetime
    newcomers: dict[int, int] = field(default_factory=dict)
    together: frozenset[int] = frozenset()
    skip: frozenset[str] = frozenset()


def whole() -> tuple[ExecutableOption, ...]:
    """What the checks read beside a post."""
    return (
        joinedload(Post.shift).joinedload(Shift.activity),
        joinedload(Post.position).selectinload(Position.skills),
        joinedload(Post.capacity),
    )


def verdicts(
    posts: Collection[Post], volunteer: Volunteer | None, at: datetime, *, together: Collection[Volunteer] = ()
) -> dict[int, Verdict]:
    """For each post, by id, whether somebody may join it at a moment; without a volunteer, what everybody is told."""
    if volunteer is None:
        return {post.id: _for_nobody(post, at) for post in posts}
    found = verdicts_of(posts, [volunteer], at, together=together)
    return {post.id: found[post.id, volunteer.id] for post in posts}


def verdicts_of(
    posts: Collection[Post],
    volunteers: Collection[Volunteer],
    at: datetime,
    *,
    together: Collection[Volunteer] = (),
    skip: Collection[str] = (),
) -> dict[tuple[int, int], Verdict]:
    """The same for many volunteers, by (post id, volunteer id); `skip` leaves codes out, as OWN_WAY for a worker."""
    if not posts or not volunteers:
        return {}
    settings.ahead(*KEYS)
    first, last = min(post.shift.starts_at for post in posts), max(post.shift.ends_at for post in posts)
    known = standings(volunteers, first, last, at)
    asked = Asked(at, newcomers_on(posts), frozenset(one.person_id for one in together), frozenset(skip))
    return {(post.id, one.id): judge(post, known[one.id], asked) for post in posts for one in volunteers}


def judge(post: Post, standing: Standing, asked: Asked) -> Verdict:
    """The first thing that stands in the way, the gravest first; full comes last: who is only kept by it may wait."""
    for code, check in CHECKS:
        if code not in asked.skip and (words := check(post, standing, asked)):
            return stands(code, words)
    words = _("可以报名，还有 %(left)d 个名额", left=post.capacity.left)
    if post.shift.activity.joining is Joining.APPROVED:
        words = _("可以申请，要社区或领队确认，还有 %(left)d 个名额", left=post.capacity.left)
    return Verdict(fits=True, code="free", words=words, waits=post.capacity_id in standing.waits)


def _for_nobody(post: Post, at: datetime) -> Verdict:
    """Who is no volunteer is told what is closed or full to everybody, else how to become one."""
    if words := _closed(post):
        return stands("closed", words)
    if at >= post.shift.starts_at + timedelta(minutes=post.shift.activity.late_minutes):
        return stands("too_late", _("报名时间已过，请看看后面的班次"))
    if post.capacity.left <= 0:
        return stands("full", _("已经报满；登记为志愿者后可以候补"))
    return stands("not_volunteer", _("先登记成为志愿者，就能报名"))


def _closed(post: Post) -> str:
    shift, activity = post.shift, post.shift.activity
    if shift.state is ShiftState.CALLED_OFF or activity.state is ActivityState.CALLED_OFF:
        return _("这一班已经取消，请看看别的班次")
    if activity.state is ActivityState.DRAFT:
        return _("活动还没有发布")
    if shift.state is ShiftState.CLOSED or activity.state is ActivityState.ENDED:
        return _("这一班已停止报名，请看看别的班次")
    return ""


def _check_closed(post: Post, _standing: Standing, _asked: Asked) -> str:
    return _closed(post)


def _joined(post: Post, standing: Standing, _asked: Asked) -> str:
    mine = next((own for own in standing.own if own.shift_id == post.shift_id), None)
    if mine is None:
        return ""
    return _("已申请这一班，等待确认") if mine.state is SignupState.REQUESTED else _("已在这一班")


def _waiting(post: Post, standing: Standing, _asked: Asked) -> str:
    return _("正在候补，有名额会按次序递补并通知") if post.capacity_id in standing.waits else ""


def _not_volunteer(post: Post, standing: Standing, _asked: Asked) -> str:
    volunteer, day = standing.volunteer, local(post.shift.starts_at).date()
    if volunteer.person.state is PersonState.DEAD:
        return _("档案里登记为已去世；登记有误请联系社区更正")
    if volunteer.helps(day):
        return ""
    age = volunteer.person.age(day)
    if (
        volunteer.state is VolunteerState.APPLIED
        and age is not None
        and age < 18
        and not standing.agreed | standing.along
    ):
        return _("志愿者登记还在等监护人同意，同意后就能报名")
    return halted(volunteer)


def halted(volunteer: Volunteer) -> str:
    """Why somebody who is registered joins nothing for now."""
    if volunteer.state is VolunteerState.BARRED and volunteer.barred_until:
        return _("%(day)s 以前暂不能参加志愿服务；有疑问请联系社区", day=long_day(volunteer.barred_until))
    return _STATES[volunteer.state]()


_STATES: dict[VolunteerState, Callable[[], str]] = {
    VolunteerState.APPLIED: lambda: _("志愿者登记还在等社区确认，确认后就能报名"),
    VolunteerState.PAUSED: lambda: _("志愿服务已暂停；恢复后就能报名"),
    VolunteerState.BARRED: lambda: _("暂不能参加志愿服务；有疑问请联系社区"),
    VolunteerState.REFUSED: lambda: _("志愿者登记没有通过；补齐材料后可以再次申请"),
    VolunteerState.LEFT: lambda: _("已退出志愿服务；重新登记后就能报名"),
}


def _age(post: Post, standing: Standing, _asked: Asked) -> str:
    activity, age = post.shift.activity, standing.volunteer.person.age(local(post.shift.starts_at).date())
    if age is None:
        return _("档案里没有出生日期，请先到社区补登") if activity.least_age or activity.most_age else ""
    if age < activity.least_age:
        return _("这项活动要年满 %(age)d 周岁，可以看看适合的其他活动", age=activity.least_age)
    if activity.most_age is not None and age > activity.most_age:
        return _("这项活动限 %(age)d 周岁以下，可以看看更轻松的活动", age=activity.most_age)
    return ""


def _guardian(post: Post, standing: Standing, asked: Asked) -> str:
    """A minor's guardian has agreed; or comes along, and then is on the same shift, or joins with her."""
    age = standing.volunteer.person.age(local(post.shift.starts_at).date())
    if age is None or age >= 18 or standing.agreed:
        return ""
    if not standing.along:
        return _("未满 18 周岁，要监护人同意后才能报名：请监护人在志愿者登记里同意，或到社区签字")
    if 0 in standing.along or standing.along & asked.together or post.shift_id in standing.beside:
        return ""
    return _("监护人说好陪同参加：请和监护人一起报名")


def _members(post: Post, standing: Standing, _asked: Asked) -> str:
    activity = post.shift.activity
    if not activity.members_only or activity.team_id is None or activity.team_id in standing.teams:
        return ""
    return _("只限本队队员报名；想参加请先加入志愿队")


def _assigned(post: Post, _standing: Standing, _asked: Asked) -> str:
    only = post.shift.activity.joining is Joining.ASSIGNED
    return _("这项活动由社区安排人员，想参加请联系社区") if only else ""


def _too_late(post: Post, _standing: Standing, asked: Asked) -> str:
    last = post.shift.starts_at + timedelta(minutes=post.shift.activity.late_minutes)
    return _("报名时间已过，请看看后面的班次") if asked.at >= last else ""


def _too_early(post: Post, _standing: Standing, asked: Asked) -> str:
    opens = post.shift.starts_at - timedelta(days=post.shift.activity.opens_days)
    if asked.at >= opens:
        return ""
    return _("还没开始报名，%(moment)s 起可以报", moment=moment_words(opens))


def _uninsured(post: Post, _standing: Standing, _asked: Asked) -> str:
    activity: Activity = post.shift.activity
    until = activity.insured_until
    if not activity.is_risky or (until is not None and until >= post.shift.ends_at):
        return ""
    if until is None:
        return _("这项活动有风险，还没有办好保险，暂不能报名；请等社区办好")
    return _("活动的保险只保到 %(day)s，这一班暂不能报名；请等社区续保", day=guards.insured_day(until))


def _lacking(post: Post, standing: Standing, *, has: bool) -> str:
    """The skills asked for that she does not have at all, or (`has`) has said to have without their counting."""
    day = local(post.shift.starts_at).date()
    lacking = [
        skill.name
        for skill in post.position.skills
        if (skill.id in standing.skills) is has and not _counts(standing.skills.get(skill.id), skill.needs_proof, day)
    ]
    return "、".join(lacking)


def _counts(said: tuple[bool, date | None] | None, needs_proof: bool, day: date) -> bool:
    if said is None:
        return False
    proven, until = said
    return (proven or not needs_proof) and (until is None or until >= day)


def _skill(post: Post, standing: Standing, _asked: Asked) -> str:
    names = _lacking(post, standing, has=False)
    return _("这个岗位需要%(skills)s；有的话，请先在志愿者资料里添加", skills=names) if names else ""


def _training(post: Post, standing: Standing, _asked: Asked) -> str:
    names = _lacking(post, standing, has=True)
    return _("%(skills)s要有有效的培训或证书；请参加培训或把证书交社区核对", skills=names) if names else ""


def _experience(post: Post, standing: Standing, _asked: Asked) -> str:
    least = post.position.least_minutes
    if standing.minutes >= least:
        return ""
    facts = {"least": length(least), "has": length(standing.minutes)}
    return _("这个岗位要先服务满 %(least)s，现有 %(has)s；可以先报别的岗位", **facts)


def _away(post: Post, standing: Standing, _asked: Asked) -> str:
    gone = standing.is_away(post.shift.starts_at, post.shift.ends_at)
    return _("这天登记了外出；回来得早请先改掉外出日期") if gone else ""


def _no_shows(_post: Post, standing: Standing, _asked: Asked) -> str:
    return missed_often(standing)


def missed_often(standing: Standing) -> str:
    """Why who stayed away too often signs up for nothing by herself."""
    if standing.missed < settings.get(MISSED_MOST):
        return ""
    facts = {"days": settings.get(MISSED_DAYS), "count": standing.missed}
    return _("最近 %(days)d 天缺席了 %(count)d 次，暂不能自己报名；请和社区说一声，由社区安排", **facts)


def _others(post: Post, standing: Standing) -> list[Own]:
    return [own for own in standing.own if own.shift_id != post.shift_id]


def _collides(post: Post, standing: Standing, _asked: Asked) -> str:
    shift = post.shift
    for own in _others(post, standing):
        if own.starts_at < shift.ends_at and shift.starts_at < own.ends_at:
            facts = {"title": own.title, "span": span(own.starts_at, own.ends_at)}
            return _("和已报的「%(title)s」（%(span)s）时间冲突；请先退出那一班，或换一个时间", **facts)
    return ""


def day_limit(activity: Activity) -> int:
    """The most minutes of one day for one volunteer."""
    return activity.day_minutes or settings.get(DAY)


def rest() -> timedelta:
    """How long there is to be between two shifts that are not one stretch."""
    return timedelta(minutes=settings.get(REST))


def _over_day(post: Post, standing: Standing, _asked: Asked) -> str:
    shift, limit = post.shift, day_limit(post.shift.activity)
    day = local(shift.starts_at).date()
    while (bounds := day_bounds(day))[0] < shift.ends_at:
        held = [(own.starts_at, own.ends_at) for own in _others(post, standing)]
        total = sum(_within(*bounds, *times) for times in [*held, (shift.starts_at, shift.ends_at)])
        if total > limit:
            facts = {"day": day_words(day), "total": length(total), "limit": length(limit)}
            return _("加上这一班，%(day)s 一共 %(total)s，超过一天 %(limit)s；请换一天", **facts)
        day += timedelta(days=1)
    return ""


def _within(first: datetime, last: datetime, starts_at: datetime, ends_at: datetime) -> int:
    """How many minutes of a time lie between two moments."""
    return max(0, int((min(last, ends_at) - max(first, starts_at)).total_seconds()) // 60)


def _rest(post: Post, standing: Standing, _asked: Asked) -> str:
    """Two shifts of one activity with at most a break between them are one stretch: staying on is allowed."""
    shift, least = post.shift, rest()
    for own in _others(post, standing):
        gap = max(shift.starts_at - own.ends_at, own.starts_at - shift.ends_at)
        stays_on = own.activity_id == shift.activity_id and gap <= BREAK
        if timedelta(0) <= gap < least and not stays_on:
            facts = {"title": own.title, "span": span(own.starts_at, own.ends_at), "least": length(settings.get(REST))}
            return _("和「%(title)s」（%(span)s）之间不足 %(least)s，来不及休息和赶路；请换一个时间", **facts)
    return ""


def most_newcomers(post: Post) -> int:
    """How many of those on a post may be new."""
    return post.capacity.total * post.position.newcomers // 100


def _newcomers(post: Post, standing: Standing, asked: Asked) -> str:
    if post.position.newcomers >= 100 or not standing.is_new:
        return ""
    if asked.newcomers.get(post.id, 0) < most_newcomers(post):
        return ""
    facts = {"hours": settings.get(NEW)}
    return _("这个岗位留给新志愿者（服务不满 %(hours)d 小时）的名额已满；可以报别的岗位或班次", **facts)


def _pair(post: Post, standing: Standing, asked: Asked) -> str:
    """Of an always-pair nobody comes without the other; who has two partners cannot ask both at once."""
    everybody = standing.pairs.items()
    if all(person in asked.together or post.shift_id in partner.shifts for person, partner in everybody):
        return ""
    names = "、".join(partner.name for _person, partner in everybody)
    if len(everybody) > 1:
        return _("和%(names)s都结对同来，要由社区把几个人一起安排，请联系社区", names=names)
    return _("和%(name)s结对同来，要两个人一起报名", name=names)


def _full(post: Post, _standing: Standing, _asked: Asked) -> str:
    return _("已经报满，可以候补：有人退出时按次序递补") if post.capacity.left <= 0 else ""


CHECKS: tuple[tuple[str, Callable[[Post, Standing, Asked], str]], ...] = (
    ("joined", _joined),
    ("closed", _check_closed),
    ("not_volunteer", _not_volunteer),
    ("too_late", _too_late),
    ("waiting", _waiting),
    ("age", _age),
    ("guardian", _guardian),
    ("uninsured", _uninsured),
    ("members", _members),
    ("assigned", _assigned),
    ("too_early", _too_early),
    ("skill", _skill),
    ("training", _training),
    ("experience", _experience),
    ("away", _away),
    ("no_shows", _no_shows),
    ("collides", _collides),
    ("over_day", _over_day),
    ("rest", _rest),
    ("newcomers", _newcomers),
    ("pair", _pair),
    ("full", _full),
)
