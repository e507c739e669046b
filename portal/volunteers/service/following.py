"""Records follow the hours they stand on: made when hours are confirmed, out of the count while they are not."""

from contextlib import suppress
from typing import Any

from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.codes import RecordState
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Attendance
from portal.volunteers.service import recording


def on_hours_confirmed(*, attendance_id: int, **_facts: Any) -> None:
    """Hours were confirmed: record them at once. What cannot be recorded waits on the worker's page and says why."""
    attendance = recording.attendance_whole(attendance_id)
    if attendance is None:
        return
    earlier = recording.record_of(attendance.signup_id)
    # Its own savepoint: what is refused half-way leaves nothing in the transaction that confirmed.
    with suppress(Refused), db.session.begin_nested():
        if earlier is None or recording.is_waiting(earlier):
            who = attendance.confirmed_by_name or recording.BY_MARKS
            recording.record(attendance, by=attendance.confirmed_by or recording.SYSTEM, by_name=who)
        else:
            _follow(earlier, attendance)


def on_hours_changed(*, attendance_id: int, **_facts: Any) -> None:
    """Confirmed hours are so no more: their record is out of the count, with its points, until they are again."""
    attendance = recording.attendance_whole(attendance_id)
    earlier = recording.record_of(attendance.signup_id) if attendance else None
    if earlier is not None and earlier.state is RecordState.RECORDED:
        recording.void(earlier, seen=earlier.version, reason=recording.WITHDRAWN, by=recording.BY_HOURS)


def _follow(earlier: ServiceRecord, attendance: Attendance) -> None:
    """Hours that were confirmed anew, otherwise: the record follows them, with its history."""
    if earlier.state is not RecordState.RECORDED:
        return
    facts, by = recording.facts_of(attendance), attendance.confirmed_by_name or recording.BY_HOURS
    if not facts.minutes:
        recording.void(earlier, seen=earlier.version, reason=recording.ANEW, by=by)
    elif (facts.starts_at, facts.ends_at, facts.minutes) != (earlier.starts_at, earlier.ends_at, earlier.minutes):
        recording.change(earlier, facts, seen=earlier.version, reason=recording.ANEW, by=by)
