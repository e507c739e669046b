"""Points for records of service: booked when a record is made, booked anew when it changes, taken back when it is void.

The hours of a record are untouched by any of it. What events missed, the night catches up.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.core import clock, reasons
from portal.core.db import db
from portal.points.models import PointEntry
from portal.points.service import ledger, rules
from portal.volunteers.models.codes import RecordState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import RecordVersion, ServiceRecord

CHANGED = reasons.declare("points.record_changed", label=lambda: _("服务记录更正，积分重新计算"))
VOIDED = reasons.declare("points.record_voided", label=lambda: _("服务记录作废"))
# How far back the night looks for what events missed.
LOOK_BACK = timedelta(days=14)


def on_record(*, record_id: int, **_facts: object) -> None:
    """A record was made, changed or made void."""
    book(record_id)


def book(record_id: int, *, at: datetime | None = None) -> bool:
    """Bring the ledger to what a record is worth by the rule of its day; False where it says so already."""
    record = db.session.scalars(
        sa.select(ServiceRecord)
        .where(ServiceRecord.id == record_id)
        .options(joinedload(ServiceRecord.volunteer).joinedload(Volunteer.person))
    ).one()
    day = clock.local(record.starts_at).date()
    rule = rules.in_force(record.kind.value, day)
    worth = rule.points(record.minutes, record.factor) if record.state is RecordState.RECORDED else 0
    booked, key = _standing(record), key_of(record, record.version)
    # The version that was booked stays as it was booked, whatever became of the rules since.
    if worth and booked and (booked.key == key or booked.points == worth):
        return False
    if booked:
        ledger.reverse(booked, reason=CHANGED if worth else VOIDED, by=None)
    if worth:
        words = f"{day:%Y-%m-%d} {record.activity}"
        person = record.volunteer.person
        ledger.earn(person, worth, key=key, words=words, expires_on=rule.expires_on(day), by=None, at=at)
    return bool(booked or worth)


def key_of(record: ServiceRecord, version: int) -> str:
    """What the ledger calls a record as it stood: each version earns once."""
    return f"record:{record.public_id}:{version}"


def _standing(record: ServiceRecord) -> PointEntry | None:
    """The latest earning of a record that was not taken back."""
    back = aliased(PointEntry)
    keys = [key_of(record, version) for version in range(1, record.version + 1)]
    return db.session.scalar(
        sa.select(PointEntry)
        .outerjoin(back, back.reverses_id == PointEntry.id)
        .where(
            PointEntry.key.in_(keys),
            back.id.is_(None),
        )
        .order_by(PointEntry.id.desc())
        .limit(1)
    )


def lately() -> list[int]:
    """The records made or changed of late, the oldest first."""
    since = clock.now() - LOOK_BACK
    changed = sa.select(RecordVersion.record_id).where(RecordVersion.changed_at >= since)
    query = sa.select(ServiceRecord.id).where(sa.or_(ServiceRecord.recorded_at >= since, ServiceRecord.id.in_(changed)))
    return list(db.session.scalars(query.order_by(ServiceRecord.id)))
