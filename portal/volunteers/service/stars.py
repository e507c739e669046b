"""Stars: levels by the hours recorded, applied for when reached, reviewed, published for working days, awarded.

A level once awarded does not go with the hours; it is taken back for false reports only, which bar for a time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, clock, settings, working
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.volunteers.models.codes import StarState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import Star, StarRule
from portal.volunteers.service import people, record_telling, records
from portal.volunteers.service.signup_words import long_day

NOTICE, BARRED = "volunteers.star_notice_days", "volunteers.star_barred_years"
settings.declare(
    NOTICE,
    default=5,
    label=lambda: _("志愿者星级公示几个工作日"),
    unit=lambda: _("个工作日"),
    least=5,
    most=30,
)
settings.declare(
    BARRED,
    default=1,
    label=lambda: _("虚报服务时间，几年内不能申请星级"),
    unit=lambda: _("年"),
    least=1,
    most=3,
)

PAGE = 30
LIVE = (StarState.APPLIED, StarState.PUBLISHED, StarState.AWARDED)
TABS: dict[str, tuple[StarState, ...]] = {
    "applied": (StarState.APPLIED,),
    "published": (StarState.PUBLISHED,),
    "awarded": (StarState.AWARDED,),
    "ended": (StarState.REFUSED, StarState.REVOKED),
}
# 志愿者星级 as provinces award them: from so many hours on.
HOURS = {1: 100, 2: 300, 3: 600, 4: 1000, 5: 1500}


@dataclass(frozen=True)
class Step:
    """A level as a volunteer sees it: what it asks for, how far she is, and her application."""

    level: int
    minutes: int
    missing: int
    star: Star | None

    @property
    def reached(self) -> bool:
        return self.missing == 0


def seed(*, by: str) -> int:
    """Load the usual levels where there are none; answer how many."""
    if db.session.scalar(sa.select(StarRule.id).limit(1)) is not None:
        return 0
    source = _("志愿服务记录办法和各地星级志愿者评定办法：100、300、600、1000、1500 小时")
    first = today().replace(month=1, day=1)
    db.session.add_all(
        StarRule(level=level, minutes=hours * 60, valid_from=first, source=source, updated_by_name=by)
        for level, hours in HOURS.items()
    )
    audit.record("volunteers.star_rules_loaded", count=len(HOURS))
    return len(HOURS)


def all_rules() -> list[StarRule]:
    query = sa.select(StarRule).order_by(StarRule.level, StarRule.valid_from.desc(), StarRule.id.desc())
    return list(db.session.scalars(query))


def rule(rule_id: int) -> StarRule:
    found = db.session.get(StarRule, rule_id)
    if found is None:
        raise Missing
    return found


def rules_on(day: date) -> dict[int, StarRule]:
    """The rule in force for each level on a day: the latest that has begun, unless it has ended."""
    query = sa.select(StarRule).where(StarRule.valid_from <= day)
    found = {one.level: one for one in db.session.scalars(query.order_by(StarRule.valid_from, StarRule.id))}
    return {level: one for level, one in sorted(found.items()) if one.valid_to is None or day <= one.valid_to}


def set_rule(level: int, hours: int, *, valid_from: date, valid_to: date | None, source: str, by: str) -> StarRule:
    """A threshold from a day on; the one of the same day is replaced, earlier ones end the day before."""
    if valid_to is not None and valid_to < valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="valid_to")
    query = sa.select(StarRule).where(StarRule.level == level, StarRule.valid_from == valid_from)
    made = db.session.scalar(query) or StarRule(level=level, valid_from=valid_from)
    made.minutes, made.valid_to, made.source, made.updated_by_name = hours * 60, valid_to, source, by
    db.session.add(made)
    _check_order(made)
    earlier = sa.update(StarRule).where(
        StarRule.level == level,
        StarRule.valid_from < valid_from,
        sa.or_(StarRule.valid_to.is_(None), StarRule.valid_to >= valid_from),
    )
    db.session.execute(earlier.values(valid_to=valid_from - timedelta(days=1)))
    db.session.flush()
    audit.record("volunteers.star_rule_set", made, level=level, hours=hours, valid_from=valid_from.isoformat())
    return made


def _check_order(made: StarRule) -> None:
    """A higher level asks for more hours, on the day the rule begins."""
    others = {level: one.minutes for level, one in rules_on(made.valid_from).items() if level != made.level}
    if any(minutes >= made.minutes for level, minutes in others.items() if level < made.level):
        raise Refused(_("要比低一级的小时数多。"), field="hours")
    if any(minutes <= made.minutes for level, minutes in others.items() if level > made.level):
        raise Refused(_("要比高一级的小时数少。请先改高一级的。"), field="hours")


def ladder(volunteer: Volunteer) -> list[Step]:
    """Every level in force with how far the volunteer is. "达到": the number itself is enough."""
    given = records.total(volunteer)
    stars = {star.level: star for star in _live(volunteer)}
    return [
        Step(level, one.minutes, max(one.minutes - given, 0), stars.get(level))
        for level, one in rules_on(today()).items()
    ]


def _live(volunteer: Volunteer) -> list[Star]:
    query = sa.select(Star).where(Star.volunteer_id.in_(records.ids_of(volunteer)), Star.state.in_(LIVE))
    return list(db.session.scalars(query.order_by(Star.level, Star.id)))


def highest(volunteer: Volunteer) -> Star | None:
    """The highest star awarded."""
    return max(
        (star for star in _live(volunteer) if star.state is StarState.AWARDED), key=lambda one: one.level, default=None
    )


def barred_until(volunteer: Volunteer) -> date | None:
    """The last day on which no star may be applied for; None when she may."""
    query = sa.select(sa.func.max(Star.barred_until)).where(Star.volunteer_id.in_(records.ids_of(volunteer)))
    found: date | None = db.session.scalar(query)
    return found if found is not None and found >= today() else None


def apply(volunteer: Volunteer, level: int) -> Star:
    """Apply for a level that was reached; once while it is looked at or held."""
    step = next((one for one in ladder(volunteer) if one.level == level), None)
    if step is None:
        raise Refused(_("现在没有这一级的评定规则，请向街道了解。"))
    until = barred_until(volunteer)
    if until is not None:
        raise Refused(_("因为虚报服务时间，%(day)s 以前不能申请星级。有不同意见请联系社区。", day=long_day(until)))
    if not step.reached:
        hours = f"{step.missing / 60:.1f}"
        raise Refused(_("还差 %(hours)s 小时。达到以后就可以申请。", hours=hours))
    if step.star is not None:
        raise Refused(_("这一级已经申请过了，请看下面的进度。"))
    made = Star(volunteer=volunteer, community_id=volunteer.community_id, level=level, minutes=records.total(volunteer))
    with unique_or(Refused(_("这一级已经申请过了，请看下面的进度。"))):
        db.session.add(made)
    audit.record("volunteers.star_applied", made, level=level, minutes=made.minutes)
    return made


def publish(star: Star, *, by: Actor) -> None:
    """Reviewed and found right: published for its working days, counted from the next day on."""
    given = records.total(star.volunteer)
    one = rules_on(clock.local(star.applied_at).date()).get(star.level)
    if one is not None and given < one.minutes:
        hours = f"{given / 60:.1f}"
        raise Refused(_("现在有效的服务时间只有 %(hours)s 小时，没有达到。请写明原因，不予通过。", hours=hours))
    _move(star, StarState.PUBLISHED, by)
    star.minutes = given
    star.published_until = working.last_working_day(today(), settings.get(NOTICE))
    audit.record("volunteers.star_published", star, level=star.level, until=star.published_until.isoformat())
    record_telling.tell_star("volunteers.star_published", star)


def refuse(star: Star, *, reason: str, by: Actor) -> None:
    """Not awarded: at the review, or for what was objected while it was published."""
    if star.state not in {StarState.APPLIED, StarState.PUBLISHED}:
        raise Refused(_("这份申请已经办理过了，请刷新页面再看。"))
    _move(star, StarState.REFUSED, by)
    star.reason = reason
    audit.record("volunteers.star_refused", star, reason=reason)
    record_telling.tell_star("volunteers.star_refused", star, reason=reason)


def revoke(star: Star, *, reason: str, is_false: bool, by: Actor) -> None:
    """Take a star back; a false report bars from applying for the years that are set."""
    if star.state is not StarState.AWARDED:
        raise Refused(_("只有已授予的星级可以取消，请刷新页面再看。"))
    _move(star, StarState.REVOKED, by)
    star.reason = reason
    if is_false:
        day = today()
        star.barred_until = _years_on(day, settings.get(BARRED))
    audit.record("volunteers.star_revoked", star, reason=reason, false_report=is_false)
    record_telling.tell_star("volunteers.star_revoked", star, reason=reason)


def _years_on(day: date, years: int) -> date:
    """The last day of some years: the day before the same date."""
    try:
        same = day.replace(year=day.year + years)
    except ValueError:
        same = date(day.year + years, 3, 1)
    return same - timedelta(days=1)


def _move(star: Star, state: StarState, by: Actor | None = None) -> None:
    """From the state it was read in: who comes second is refused."""
    values: dict[str, object] = {"state": state}
    if by is not None:
        values |= {"reviewed_at": now(), "reviewed_by_name": by.name}
    where = (Star.id == star.id, Star.state == star.state)
    if not guarded(sa.update(Star).where(*where).values(**values)):
        raise Refused(_("这份申请刚才被别人办理过了，请刷新页面再看。"))
    db.session.refresh(star, ["state", "reviewed_at", "reviewed_by_name"])


def to_award() -> list[int]:
    """Stars whose publication is over, its last day included."""
    query = sa.select(Star.id).where(Star.state == StarState.PUBLISHED, Star.published_until < today())
    return list(db.session.scalars(query.order_by(Star.published_until, Star.id)))


def award(star_id: int) -> None:
    star = db.session.scalar(_whole().where(Star.id == star_id))
    if star is None or star.state is not StarState.PUBLISHED:
        return
    if star.published_until is None or star.published_until >= today():
        return
    _move(star, StarState.AWARDED)
    star.awarded_on = today()
    audit.record("volunteers.star_awarded", star, level=star.level)
    record_telling.tell_star("volunteers.star_awarded", star)


def _whole() -> sa.Select[Star]:
    volunteer = joinedload(Star.volunteer)
    return sa.select(Star).options(volunteer.joinedload(Volunteer.person), joinedload(Star.community))


def stars_of(volunteer: Volunteer) -> list[Star]:
    query = _whole().where(Star.volunteer_id.in_(records.ids_of(volunteer)))
    return list(db.session.scalars(query.order_by(Star.applied_at.desc(), Star.id.desc())))


def star_in(within: Collection[Scope], public_id: str) -> Star:
    query = _whole().where(Star.public_id == public_id, Star.community_id.in_(people.community_ids(within)))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def stars_in(within: Collection[Scope], tab: str, *, page: int = 1) -> list[Star]:
    """A page of a tab: what waits the longest first, what is done the latest first; one more than fits."""
    query = _whole().where(Star.community_id.in_(people.community_ids(within)), Star.state.in_(TABS[tab]))
    if tab in {"applied", "published"}:
        query = query.order_by(Star.applied_at, Star.id)
    else:
        query = query.order_by(Star.reviewed_at.desc(), Star.id.desc())
    return list(db.session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)))


def counts(within: Collection[Scope]) -> dict[str, int]:
    tabs = [sa.func.count(Star.id).filter(Star.state.in_(states)) for states in TABS.values()]
    row = db.session.execute(sa.select(*tabs).where(Star.community_id.in_(people.community_ids(within)))).one()
    return dict(zip(TABS, row, strict=True))
