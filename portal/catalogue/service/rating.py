"""What the person says of an appointment afterwards: once, and for a day it may be thought over."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import RATING_OPEN, Appointment, AppointmentState, Rating
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused


def rate(appointment: Appointment, rating: Rating, *, words: str = "") -> None:
    """Rate what was served; the first answer stands after a day, by a guarded UPDATE."""
    moment = now()
    if rating is Rating.DISSATISFIED and not words:
        raise Refused(_("请说说哪里不满意，我们好改进。"), field="words")
    open_still = sa.or_(Appointment.rated_at.is_(None), Appointment.rated_at > moment - RATING_OPEN)
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
        raise Refused(_("评价一天后就定下了，不能再改。还有意见请打社区电话。"))
    audit.record("catalogue.appointment_rated", appointment, on_behalf_of=appointment.person.public_id)
