"""On which days the demonstration's decided topics walked their road, so that what is told of them fits together."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from portal.core import calendar, clock
from portal.deliberation.models.codes import Stage
from portal.deliberation.service import outcomes

DOGS, RAMPS, CANTEEN = "文明养犬公约", "单元门口的坡道和扶手", "助餐点开饭时间和送餐范围"
DAYS = 7
# How many days ago a topic came to a stage; where it was decided, when the result was published at the latest.
AGES: dict[str, dict[Stage, int]] = {
    DOGS: {Stage.COLLECTING: 60, Stage.MEETING: 38},
    RAMPS: {Stage.COLLECTING: 138, Stage.MEETING: 124, Stage.VOTING: 116},
    CANTEEN: {
        Stage.COLLECTING: 230,
        Stage.MEETING: 214,
        Stage.EXPERTS: 200,
        Stage.HEARING: 186,
        Stage.VOTING: 172,
        Stage.ARCHIVED: 30,
    },
}
# A week off work may move that day, and the last one, by some ten days; what goes before and after leaves room for it.
PUBLISHED = {DOGS: 3, RAMPS: 89, CANTEEN: 147}
# Topics that are still published for their days stay so.
STANDING = frozenset({DOGS})


@dataclass(frozen=True)
class Published:
    """The day a result went to the wall, and the last of its days."""

    begins: date
    ends: date

    @property
    def at(self) -> datetime:
        return clock.at(self.begins, time(16))

    @property
    def stands_at(self) -> datetime:
        return clock.at(self.ends + timedelta(days=1), time(0, 5))


def office_day(day: date, ago: int) -> date:
    """So many days ago, or the Friday before where that was a weekend."""
    then = day - timedelta(days=ago)
    return then - timedelta(days=max(then.weekday() - 4, 0))


def published(title: str, day: date) -> Published:
    """On a working day, as a committee does it."""
    begins = day - timedelta(days=PUBLISHED[title])
    while not calendar.is_working_day(begins):
        begins -= timedelta(days=1)
    return Published(begins, outcomes.last_day(begins, DAYS))


def entered(title: str, day: date) -> dict[Stage, datetime]:
    """When each stage was come to; nothing for a topic that has no days of its own."""
    if title not in AGES:
        return {}
    found = {stage: clock.at(office_day(day, ago), time(9, 30)) for stage, ago in AGES[title].items()}
    notice = published(title, day)
    found[Stage.NOTICE] = notice.at
    if title not in STANDING:
        found[Stage.FOLLOW_UP] = notice.stands_at
    return found
