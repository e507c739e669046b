"""What a volunteer says of herself: skills, kinds of service, free times, absences, reminders, her calendar."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, settings
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.codes import ServiceKind, VolunteerState
from portal.volunteers.models.people import Absence, FreeTime, Skill, Volunteer, VolunteerSkill

WEEK_HOURS = "volunteers.week_hours"
settings.declare(
    WEEK_HOURS, default=20, label=lambda: _("志愿者每周最多服务"), unit=lambda: _("小时"), least=1, most=60
)
# Hours before a shift at which somebody may be reminded.
REMINDERS = (1, 2, 3, 12, 24, 48, 72, 168)
# Morning, afternoon and evening, as a form offers them.
BANDS = {"am": (time(8), time(12)), "pm": (time(12), time(18)), "eve": (time(18), time(21))}
MOST_TIMES, MOST_ABSENCES = 40, 30
FARTHEST = timedelta(days=400)


@dataclass(frozen=True)
class Span:
    """Hours of a weekday; 0 is Monday."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True)
class Wishes:
    """What she wants to do and how she wants to be asked."""

    skills: Sequence[int] = ()
    kinds: Sequence[str] = ()
    words: str = ""
    week_hours: int = 0
    reminders: Sequence[int] = (24, 2)
    shows_name: bool = False
    times: Sequence[Span] = field(default=())


def skills_offered(*, also: Iterable[int] = ()) -> list[Skill]:
    """The skills that may be chosen, and those that are held already."""
    query = sa.select(Skill).where(sa.or_(Skill.is_offered, Skill.id.in_(list(also))))
    return list(db.session.scalars(query.order_by(Skill.name, Skill.id)))


def say(volunteer: Volunteer, wishes: Wishes) -> None:
    """Write wishes down as they were said; what was proven of a skill that stays is kept."""
    most = settings.get(WEEK_HOURS)
    if wishes.week_hours > most:
        raise Refused(_("每周最多 %(most)s 小时，请改小一些。", most=most), field="week_hours")
    volunteer.kinds = [ServiceKind(kind).value for kind in wishes.kinds]
    volunteer.reminders = sorted({hours for hours in wishes.reminders if hours in REMINDERS}, reverse=True)
    volunteer.words, volunteer.week_hours, volunteer.shows_name = wishes.words, wishes.week_hours, wishes.shows_name
    held = {one.skill_id: one for one in volunteer.skills}
    offered = {skill.id for skill in skills_offered(also=held)}
    chosen = [number for number in dict.fromkeys(wishes.skills) if number in offered]
    volunteer.skills = [held.get(number) or VolunteerSkill(skill_id=number) for number in chosen]


def change(volunteer: Volunteer, wishes: Wishes) -> None:
    refuse_gone(volunteer)
    say(volunteer, wishes)
    db.session.flush()
    audit.record("volunteers.profile_changed", volunteer, skills=len(volunteer.skills), kinds=len(volunteer.kinds))


def refuse_gone(volunteer: Volunteer) -> None:
    if volunteer.state in {VolunteerState.LEFT, VolunteerState.REFUSED}:
        raise Refused(_("这位志愿者已退出或未通过，不能再修改。想继续服务请重新登记。"))


def set_times(volunteer: Volunteer, spans: Iterable[Span]) -> None:
    """Her free times are these and no others; what touches or overlaps becomes one."""
    joined = _joined(spans)
    if len(joined) > MOST_TIMES:
        raise Refused(_("最多写 %(most)s 段时间，请合并几段。", most=MOST_TIMES), field="closes")
    volunteer.times.clear()
    db.session.flush()
    volunteer.times.extend(FreeTime(weekday=one.weekday, opens=one.opens, closes=one.closes) for one in joined)


def _joined(spans: Iterable[Span]) -> list[Span]:
    done: list[Span] = []
    for one in sorted(spans, key=lambda span: (span.weekday, span.opens, span.closes)):
        if one.closes <= one.opens:
            raise Refused(_("结束时间要晚于开始时间。跨过半夜的请分成两段。"), field="closes")
        last = done[-1] if done else None
        if last and last.weekday == one.weekday and one.opens <= last.closes:
            done[-1] = Span(last.weekday, last.opens, max(last.closes, one.closes))
        else:
            done.append(one)
    return done


def spans_of(volunteer: Volunteer) -> list[Span]:
    return [Span(one.weekday, one.opens, one.closes) for one in volunteer.times]


def add_times(volunteer: Volunteer, spans: Sequence[Span]) -> None:
    refuse_gone(volunteer)
    set_times(volunteer, [*spans_of(volunteer), *spans])
    db.session.flush()
    audit.record("volunteers.times_changed", volunteer, count=len(volunteer.times))


def drop_time(volunteer: Volunteer, number: int) -> None:
    """One span fewer; one that is gone already is no fault."""
    refuse_gone(volunteer)
    gone = next((one for one in volunteer.times if one.id == number), None)
    if gone is not None:
        volunteer.times.remove(gone)
        audit.record("volunteers.times_changed", volunteer, count=len(volunteer.times))


def add_absence(volunteer: Volunteer, first_day: date, last_day: date) -> None:
    refuse_gone(volunteer)
    if last_day < first_day:
        raise Refused(_("回来的日子不能早于离开的日子。"), field="last_day")
    if last_day < today():
        raise Refused(_("这段时间已经过去了，请填今天以后的日子。"), field="last_day")
    if last_day > today() + FARTHEST:
        raise Refused(_("最远填到一年以后。要长期停下来，请用“暂停服务”。"), field="last_day")
    if len([one for one in volunteer.absences if one.last_day >= today()]) >= MOST_ABSENCES:
        raise Refused(_("外出已经填了很多段，请先删掉用不着的。"), field="first_day")
    if any(one.first_day <= first_day and last_day <= one.last_day for one in volunteer.absences):
        return
    volunteer.absences.append(Absence(first_day=first_day, last_day=last_day))
    audit.record("volunteers.absence_added", volunteer, first=first_day.isoformat(), last=last_day.isoformat())


def drop_absence(volunteer: Volunteer, number: int) -> None:
    gone = next((one for one in volunteer.absences if one.id == number), None)
    if gone is not None:
        volunteer.absences.remove(gone)
        audit.record("volunteers.absence_dropped", volunteer, first=gone.first_day.isoformat())


def new_feed_key(volunteer: Volunteer) -> str:
    """A new secret end of her calendar's address; the old one opens nothing any more. It is told once."""
    refuse_gone(volunteer)
    key = secrets.token_urlsafe(24)
    volunteer.feed_key = _digest(key)
    audit.record("volunteers.feed_made", volunteer)
    return key


def drop_feed_key(volunteer: Volunteer) -> None:
    volunteer.feed_key = None
    audit.record("volunteers.feed_dropped", volunteer)


def volunteer_of_feed(key: str) -> Volunteer | None:
    """Whose calendar an address ends with this; nobody's once it was changed or she left."""
    found = db.session.scalar(sa.select(Volunteer).where(Volunteer.feed_key == _digest(key)))
    if found is None or found.state in {VolunteerState.LEFT, VolunteerState.REFUSED}:
        return None
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def banded(names: Iterable[str]) -> list[Span]:
    """Spans of what a form's boxes say: "0-am" is Monday morning."""
    found = []
    for name in names:
        weekday, _dash, band = name.partition("-")
        if weekday in set("0123456") and band in BANDS:
            found.append(Span(int(weekday), *BANDS[band]))
    return found
