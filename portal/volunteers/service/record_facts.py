"""What a record says of a service, and the times that no record can have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.core import clock, settings
from portal.core.errors import Refused
from portal.volunteers.models.activities import STEP_MINUTES
from portal.volunteers.models.codes import ServiceKind
from portal.volunteers.models.records import RECORD_STEP, ServiceRecord

BEYOND = "volunteers.record_beyond_minutes"
settings.declare(
    BEYOND,
    default=30,
    label=lambda: _("更正服务记录最多可以超出班次前后多久"),
    unit=lambda: _("分钟"),
    least=0,
    most=240,
)
LONGEST = timedelta(hours=24)
STEP = timedelta(minutes=STEP_MINUTES)


@dataclass(frozen=True)
class RecordFacts:
    """What a record says of a service: 活动名称、类别、服务内容、地点、时间、服务时间、活动负责人."""

    activity: str
    kind: ServiceKind
    content: str
    place: str
    leader_name: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    factor: int = 100

    @property
    def span(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


def on_step(moment: datetime) -> datetime:
    """The step nearest to a moment: the same for what ends and for what begins there."""
    seconds = STEP.total_seconds()
    return datetime.fromtimestamp(int(moment.timestamp() / seconds + 0.5) * seconds, tz=moment.tzinfo)


def on_minute(moment: datetime) -> datetime:
    """The minute nearest to a moment."""
    return datetime.fromtimestamp(int(moment.timestamp() / 60 + 0.5) * 60, tz=moment.tzinfo)


def check(facts: RecordFacts) -> None:
    """Refuse times that no record can have."""
    if facts.ends_at <= facts.starts_at:
        raise Refused(_("结束时间要晚于开始时间。"), field="ends")
    if facts.ends_at - facts.starts_at > LONGEST:
        raise Refused(_("一条记录最长 24 小时，更长的请分开记录。"), field="ends")
    if on_minute(facts.starts_at) != facts.starts_at or on_minute(facts.ends_at) != facts.ends_at:
        raise Refused(_("开始和结束时间请填到分钟，例如 09:07。"), field="starts")
    if facts.minutes <= 0 or facts.minutes % RECORD_STEP:
        raise Refused(_("服务时间要大于 0，按 0.1 小时记录，例如 1.5。"), field="hours")
    if facts.minutes > facts.span:
        most = f"{facts.span // RECORD_STEP * RECORD_STEP / 60:.1f}"
        raise Refused(_("服务时间不能超过活动的时长，最多 %(most)s 小时；路上的时间不算。", most=most), field="hours")


def check_shift(made: ServiceRecord, facts: RecordFacts) -> None:
    """Refuse a change of times that goes further beyond the shift of the record than the setting allows."""
    if made.signup is None or (made.starts_at, made.ends_at) == (facts.starts_at, facts.ends_at):
        return
    shift, minutes = made.signup.shift, settings.get(BEYOND)
    within = timedelta(minutes=minutes)
    if facts.starts_at >= shift.starts_at - within and facts.ends_at <= shift.ends_at + within:
        return
    span = f"{clock.local(shift.starts_at):%H:%M}–{clock.local(shift.ends_at):%H:%M}"
    words = _(
        "这一班是 %(span)s，更正的时间前后最多超出 %(minutes)d 分钟；做了别的服务请另外补记。",
        span=span,
        minutes=minutes,
    )
    raise Refused(words, field="starts")


def check_over(facts: RecordFacts) -> None:
    """Refuse what somebody types of a service that is not over. What was checked out is over, whatever its step."""
    if facts.ends_at > clock.now():
        raise Refused(_("服务还没有结束，不能记录。请在结束以后再记。"), field="day")
