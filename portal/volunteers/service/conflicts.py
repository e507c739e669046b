"""What is wrong with somebody's week: too much on a day, too little rest, more than she wishes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from flask_babel import gettext as _

from portal.core.clock import day_bounds, local
from portal.core.web import day_words


@dataclass(frozen=True)
class Stretch:
    """A signup's time; `day_minutes` is the most of a day that its activity allows."""

    activity_id: int
    starts_at: datetime
    ends_at: datetime
    day_minutes: int
    title: str = ""

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


def conflicts(
    stretches: Sequence[Stretch], first: date, *, rest: timedelta, week_minutes: int, wish_hours: int
) -> tuple[str, ...]:
    """In words, for the week that begins on `first`; `stretches` are ordered and reach a day beyond it at both ends."""
    last = first + timedelta(days=7)
    said = [*_over_days(stretches, first, last), *_no_rest(stretches, first, last, rest)]
    if wish_hours and week_minutes > wish_hours * 60:
        said.append(_("超过本人希望的每周 %(hours)d 小时", hours=wish_hours))
    return tuple(said)


def _over_days(stretches: Sequence[Stretch], first: date, last: date) -> list[str]:
    total: dict[date, int] = defaultdict(int)
    most: dict[date, int] = {}
    for one in stretches:
        day, last_day = local(one.starts_at).date(), local(one.ends_at - timedelta(minutes=1)).date()
        if day == last_day:
            total[day] += one.minutes
            most[day] = min(most.get(day, one.day_minutes), one.day_minutes)
            continue
        while (bounds := day_bounds(day))[0] < one.ends_at:
            total[day] += int((min(one.ends_at, bounds[1]) - max(one.starts_at, bounds[0])).total_seconds()) // 60
            most[day] = min(most.get(day, one.day_minutes), one.day_minutes)
            day += timedelta(days=1)
    return [
        _("%(day)s 超过一天 %(hours)s 小时", day=day_words(day), hours=f"{most[day] / 60:g}")
        for day in sorted(total)
        if first <= day < last and total[day] > most[day]
    ]


def _no_rest(stretches: Sequence[Stretch], first: date, last: date, rest: timedelta) -> list[str]:
    """Two shifts of one activity that follow at once are one stretch."""
    said = []
    for before, after in pairwise(stretches):
        gap, day = after.starts_at - before.ends_at, local(after.starts_at).date()
        stays_on = before.activity_id == after.activity_id and gap == timedelta(0)
        if gap < rest and not stays_on and first <= day < last:
            said.append(_("%(day)s 两班之间休息不够", day=day_words(day)))
    return list(dict.fromkeys(said))
