"""How many booked, were served, did not come: by timetable, in a month; and the rows behind each figure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service import reach
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db

A_PAGE = 100


class Which(StrEnum):
    """What is counted: all, served, did not come, cancelled by her, called off by the community, still to come."""

    ALL = "all"
    SERVED = "served"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"
    OPEN = "open"


STATES = {
    Which.ALL: tuple(AppointmentState),
    Which.SERVED: (AppointmentState.SERVED,),
    Which.NO_SHOW: (AppointmentState.NO_SHOW,),
    Which.CANCELLED: (AppointmentState.CANCELLED,),
    Which.CALLED_OFF: (AppointmentState.CALLED_OFF,),
    Which.OPEN: (AppointmentState.BOOKED, AppointmentState.ARRIVED),
}


@dataclass(frozen=True)
class Month:
    """A calendar month."""

    first: date

    @property
    def last(self) -> date:
        return self.after().first - timedelta(days=1)

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"

    def before(self) -> "Month":
        return Month((self.first - timedelta(days=1)).replace(day=1))

    def after(self) -> "Month":
        return Month((self.first + timedelta(days=32)).replace(day=1))


def month_of(text: str) -> Month:
    """The month of 2026-06; this one for anything else."""
    try:
        return Month(date.fromisoformat(f"{text}-01"))
    except ValueError:
        return Month(today().replace(day=1))


@dataclass(frozen=True)
class Line:
    """A timetable's month."""

    id: int
    name: str
    counts: dict[Which, int]

    @property
    def came(self) -> str:
        """Who was served, of those whose time has come; nothing to say before the first."""
        over = self.counts[Which.SERVED] + self.counts[Which.NO_SHOW]
        return _("%(share)d%%", share=round(100 * self.counts[Which.SERVED] / over)) if over else "—"


def month(within: Collection[Scope], wanted: Month) -> list[Line]:
    """Each timetable that had appointments in a month, and last the sum under the id 0."""
    numbers = [sa.func.count(Appointment.id).filter(Appointment.state.in_(STATES[which])) for which in Which]
    query = (
        sa.select(Timetable.id, Timetable.name, *numbers)
        .join(Slot, Slot.timetable_id == Timetable.id)
        .join(Appointment, Appointment.slot_id == Slot.id)
        .where(
            reach.reached(within, Timetable.community_id, Appointment.person_id),
            Appointment.day.between(wanted.first, wanted.last),
        )
        .group_by(Timetable.id, Timetable.name)
        .order_by(Timetable.name, Timetable.id)
    )
    lines = [Line(row[0], row[1], dict(zip(Which, row[2:], strict=True))) for row in db.session.execute(query)]
    total = {which: sum(line.counts[which] for line in lines) for which in Which}
    return [*lines, Line(0, _("合计"), total)] if lines else []


def rows(
    within: Collection[Scope], wanted: Month, which: Which, timetable_id: int = 0, *, page: int = 1
) -> list[Appointment]:
    """The appointments that a figure counts, by time: those of a page, and one more where another page follows."""
    query = (
        sa.select(Appointment)
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(
            reach.reached(within, Timetable.community_id, Appointment.person_id),
            Appointment.day.between(wanted.first, wanted.last),
            Appointment.state.in_(STATES[which]),
        )
        .options(
            contains_eager(Appointment.slot).contains_eager(Slot.timetable),
            joinedload(Appointment.person),
            joinedload(Appointment.item),
        )
    )
    if timetable_id:
        query = query.where(Timetable.id == timetable_id)
    query = query.order_by(Appointment.starts_at, Appointment.id).offset((page - 1) * A_PAGE)
    return list(db.session.scalars(query.limit(A_PAGE + 1)))


def which_words(which: Which) -> str:
    return {
        Which.ALL: _("预约"),
        Which.SERVED: _("已服务"),
        Which.NO_SHOW: _("没有到场"),
        Which.CANCELLED: _("居民取消"),
        Which.CALLED_OFF: _("社区取消"),
        Which.OPEN: _("还没办"),
    }[which]
