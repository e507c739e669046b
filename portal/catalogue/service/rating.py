"""What the person says of an appointment afterwards, once, with some time to think it over; and what was said."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager

from portal.catalogue.models.appointments import Appointment, AppointmentState, Rating
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service import reach
from portal.catalogue.service.figures import Month
from portal.core import audit, settings
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused

A_PAGE = 50
THINKING = "catalogue.rating_hours"
settings.declare(
    THINKING, default=24, label=lambda: _("评价以后多少小时内可以改"), unit=lambda: _("小时"), least=0, most=720
)


@dataclass(frozen=True)
class Line:
    """An item's month: how many were served, and what they said of it."""

    title: str
    served: int
    counts: dict[Rating, int]

    @property
    def rated(self) -> int:
        return sum(self.counts.values())

    @property
    def content(self) -> str:
        """满意 and 基本满意 of those who said anything."""
        good = self.counts[Rating.SATISFIED] + self.counts[Rating.MOSTLY]
        return _("%(share)d%%", share=round(100 * good / self.rated)) if self.rated else "—"


def thinking_time() -> timedelta:
    """How long what was said may be said otherwise."""
    return timedelta(hours=settings.get(THINKING))


def may_be_rated(appointment: Appointment, at: datetime) -> bool:
    return appointment.can_be_rated(at, thinking_time())


def rate(appointment: Appointment, rating: Rating, *, words: str = "") -> None:
    """Rate what was served; the last answer within the time to think stands, by a guarded UPDATE."""
    moment = now()
    if rating is Rating.DISSATISFIED and not words:
        raise Refused(_("请说说哪里不满意，我们好改进。"), field="words")
    open_still = sa.or_(Appointment.rated_at.is_(None), Appointment.rated_at > moment - thinking_time())
    where = sa.and_(Appointment.id == appointment.id, Appointment.state == AppointmentState.SERVED, open_still)
    changed = guarded(
        sa.update(Appointment)
        .where(where)
        .values(rating=rating, rating_words=words or None, rated_at=sa.func.coalesce(Appointment.rated_at, moment))
    )
    db.session.refresh(appointment, ["state", "rating", "rating_words", "rated_at"])
    if not changed and appointment.state is not AppointmentState.SERVED:
        raise Refused(_("服务完成以后才能评价。"))
    if not changed:
        raise Refused(_("评价过了可以改的时间，已经定下了。还有意见请打社区电话。"))
    audit.record("catalogue.appointment_rated", appointment, on_behalf_of=appointment.person.public_id)


def month(within: Collection[Scope], wanted: Month) -> list[Line]:
    """By item, what was said in a month; last the sum. An appointment counts on the day it was for."""
    said = [sa.func.count(Appointment.id).filter(Appointment.rating == one) for one in Rating]
    query = sa.select(Item.title, sa.func.count(Appointment.id), *said).join(Item, Appointment.item_id == Item.id)
    query = _served(query.select_from(Appointment), within, wanted).group_by(Item.id, Item.title)
    found = db.session.execute(query.order_by(Item.title, Item.id)).all()
    lines = [Line(title, served, dict(zip(Rating, counts, strict=True))) for title, served, *counts in found]
    total = {one: sum(line.counts[one] for line in lines) for one in Rating}
    return [*lines, Line(_("合计"), sum(line.served for line in lines), total)] if lines else []


def words_of(within: Collection[Scope], wanted: Month, *, page: int = 1) -> list[Appointment]:
    """The ratings with words or a 不满意, the newest first: those of a page, and one more where another follows."""
    told = sa.or_(Appointment.rating_words.is_not(None), Appointment.rating == Rating.DISSATISFIED)
    query = _served(sa.select(Appointment).join(Appointment.item), within, wanted).where(told)
    query = query.options(contains_eager(Appointment.item))
    query = query.order_by(Appointment.rated_at.desc(), Appointment.id.desc())
    return list(db.session.scalars(query.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)))


def _served(query: sa.Select[*tuple[Any, ...]], within: Collection[Scope], wanted: Month) -> Any:
    return (
        query.join(Slot, Appointment.slot_id == Slot.id)
        .join(Timetable, Slot.timetable_id == Timetable.id)
        .where(
            reach.reached(within, Timetable.community_id, Appointment.person_id),
            Appointment.day.between(wanted.first, wanted.last),
            Appointment.state == AppointmentState.SERVED,
        )
    )
