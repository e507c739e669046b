"""The same time every week, made by a worker: dates in the way are listed first, and left out by choice."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _

from portal.catalogue.models.rooms import BookedBy, RoomBooking, RoomRule, RoomSeries
from portal.catalogue.service.rooms import booking, holding
from portal.catalogue.service.rooms.booking import Wish
from portal.core import audit, clock, ids, tokens
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Organisation, Person

MOST = 53


@dataclass(frozen=True)
class Weekly:
    """What is wanted every week: on the weekday of the first day, until the last day."""

    purpose: str
    headcount: int
    first_day: date
    last_day: date
    opens: time
    closes: time
    person: Person | None = None
    organisation: Organisation | None = None
    consent: str = ""

    def days(self) -> list[date]:
        count = (self.last_day - self.first_day).days // 7 + 1
        return [self.first_day + timedelta(weeks=turn) for turn in range(max(count, 0))]

    def times(self, day: date) -> tuple[datetime, datetime]:
        ends = clock.at(day, self.closes) if self.closes > time(0) else clock.at(day + timedelta(days=1), time(0))
        return clock.at(day, self.opens), ends

    def wish(self, day: date) -> Wish:
        starts_at, ends_at = self.times(day)
        return Wish(
            self.purpose,
            self.headcount,
            starts_at,
            ends_at,
            BookedBy.COUNTER,
            self.person,
            self.organisation,
            self.consent,
        )


@dataclass(frozen=True)
class Occurrence:
    """One date of a series, and why it cannot be had."""

    day: date
    why_not: str = ""


def look(rule: RoomRule, weekly: Weekly) -> list[Occurrence]:
    """Every date of a series, with what stands in its way; nothing is written."""
    days = weekly.days()
    _refuse_days(days)
    begins, ends = weekly.times(days[0])[0], weekly.times(days[-1])[1] + timedelta(minutes=rule.buffer)
    taken = holding.taken([rule.room_id], begins, ends)[rule.room_id]
    found = []
    for day in days:
        wish = weekly.wish(day)
        wanted = holding.quarters(wish.starts_at, wish.ends_at + timedelta(minutes=rule.buffer))
        why = _rule_against(rule, wish)
        clash = _("这段时间已经有人用了") if any(moment in taken for moment in wanted) else ""
        found.append(Occurrence(day, why or clash))
    return found


def _rule_against(rule: RoomRule, wish: Wish) -> str:
    """The rules without how long and how many: a series is the worker's own decision."""
    try:
        booking.check(rule, wish, counted=False)
    except Refused as refused:
        return refused.message
    return ""


def _refuse_days(days: list[date]) -> None:
    if not days:
        raise Refused(_("最后一天要在第一天之后。"), field="last_day")
    if len(days) > MOST:
        raise Refused(_("一次最多排 %(count)d 周，请缩短。", count=MOST), field="last_day")


def make(rule: RoomRule, weekly: Weekly, *, by: Actor, skip: bool, idem: str = "") -> list[RoomBooking]:
    """Book every free date; with `skip` those in the way are left out, else nothing is booked."""
    public_id = ids.new_public_id()
    body = f"{rule.room_id}|{weekly.purpose}|{weekly.first_day}|{weekly.last_day}|{weekly.opens}|{weekly.closes}"
    if tokens.first_request(by.public_id, "rooms.series", idem, body, public_id) is not None:
        return []
    dates = look(rule, weekly)
    free = [one.day for one in dates if not one.why_not]
    _refuse_clashes(dates, skip=skip)
    made = _series(rule, weekly, public_id, by)
    booked = [booking.book(rule, weekly.wish(day), by=by, series_id=made.id) for day in free]
    audit.record("rooms.series_made", made, count=len(booked), skipped=len(dates) - len(booked))
    return booked


def _refuse_clashes(dates: list[Occurrence], *, skip: bool) -> None:
    clashes = [one for one in dates if one.why_not]
    if len(clashes) == len(dates):
        raise Refused(_("这些日期都排不上，请换一个时间或换一间房。"), field="opens")
    if clashes and not skip:
        words = _("有 %(count)d 个日期排不上，见下面。勾选“跳过排不上的日期”再提交，或改时间。", count=len(clashes))
        raise Refused(words, field="skip")


def _series(rule: RoomRule, weekly: Weekly, public_id: str, by: Actor) -> RoomSeries:
    made = RoomSeries(
        public_id=public_id,
        room_id=rule.room_id,
        purpose=weekly.purpose,
        weekday=weekly.first_day.weekday(),
        opens=weekly.opens,
        closes=weekly.closes,
        made_at=now(),
        made_by=by.public_id,
        made_by_name=by.name,
    )
    db.session.add(made)
    db.session.flush()
    return made
