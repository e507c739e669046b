"""What the codes of appointments and of waiting lists are called on screen, and their times in words."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel, Rating
from portal.catalogue.models.schedules import Slot
from portal.core.clock import local
from portal.core.web import day_words
from portal.places.models import WaitingState

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    AppointmentState: {
        AppointmentState.BOOKED: _l("已预约"),
        AppointmentState.ARRIVED: _l("已到场"),
        AppointmentState.SERVED: _l("已服务"),
        AppointmentState.NO_SHOW: _l("没有到场"),
        AppointmentState.CANCELLED: _l("已取消"),
        AppointmentState.CALLED_OFF: _l("社区取消"),
    },
    Channel: {
        Channel.SELF: _l("本人预约"),
        Channel.AGENT: _l("家人代约"),
        Channel.COUNTER: _l("窗口代约"),
        Channel.PHONE: _l("电话代约"),
    },
    Rating: {
        Rating.SATISFIED: _l("满意"),
        Rating.MOSTLY: _l("基本满意"),
        Rating.DISSATISFIED: _l("不满意"),
    },
    WaitingState: {
        WaitingState.WAITING: _l("候补中"),
        WaitingState.OFFERED: _l("有名额了"),
        WaitingState.TAKEN: _l("已约上"),
        WaitingState.LAPSED: _l("名额过期"),
        WaitingState.LEFT: _l("已退出"),
        WaitingState.CLOSED: _l("没有候补到"),
    },
}
TINTS: dict[StrEnum, str] = {
    AppointmentState.BOOKED: "info",
    AppointmentState.ARRIVED: "ok",
    AppointmentState.SERVED: "ok",
    AppointmentState.NO_SHOW: "bad",
    WaitingState.OFFERED: "ok",
    WaitingState.WAITING: "info",
}


def appointment_said(code: StrEnum | None) -> str:
    return str(_WORDS[type(code)][code]) if code is not None else ""


def appointment_tint(code: StrEnum) -> str:
    return TINTS.get(code, "mute")


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, str(words)) for code, words in _WORDS[kind].items()]


def span_words(starts_at: datetime, ends_at: datetime) -> str:
    """6月10日 周三 09:00 至 09:30."""
    start, end = local(starts_at), local(ends_at)
    return _("%(day)s %(start)s 至 %(end)s", day=day_words(start.date()), start=f"{start:%H:%M}", end=f"{end:%H:%M}")


def slot_words(thing: Slot | Appointment) -> str:
    """When a slot or an appointment is."""
    return span_words(thing.starts_at, thing.ends_at)


def iso_moment(text: str) -> datetime:
    """An instant that a notice's facts hold as text."""
    return datetime.fromisoformat(text)


def span_said(starts: str, ends: str) -> str:
    """The same for two of them."""
    return span_words(iso_moment(starts), iso_moment(ends))
