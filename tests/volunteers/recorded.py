"""What the tests of records stand on: attendances that were confirmed, records by hand, papers without a font."""

from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.registry.models import Organisation
from portal.volunteers.models.codes import HoursState, Mark, ServiceKind, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import recording
from portal.volunteers.service.recording import RecordFacts
from tests.acting import actor_of
from tests.helping import Helping
from tests.make import Make


def ago(days: int = 3, hour: int = 9, minute: int = 0) -> datetime:
    """A time of a day so many days ago."""
    return clock.at(today() - timedelta(days=days), time(hour, minute))


def attended(
    make: Make,
    volunteer: Volunteer | None = None,
    *,
    starts: datetime | None = None,
    hours: float = 2,
    came: int = 0,
    left: int = 0,
    minutes: int | None = None,
    state: HoursState = HoursState.CONFIRMED,
    **activity: Any,
) -> Attendance:
    """An attendance of a shift three days ago, `came` minutes after its beginning and `left` before its end."""
    helping = Helping(make)
    starts = starts or ago()
    shift = helping.shift(helping.activity(**activity), starts, hours=hours)
    volunteer = volunteer or helping.volunteer()
    ends = starts + timedelta(hours=hours)
    signup = make.add(
        Signup(
            post_id=shift.posts[0].id,
            shift_id=shift.id,
            volunteer_id=volunteer.id,
            starts_at=starts,
            ends_at=ends,
            state=SignupState.DONE,
            way=Way.SELF,
            placed_by="worker",
            placed_by_name="周洁",
        )
    )
    given = int((ends - starts).total_seconds()) // 60 - came - left
    return make.add(
        Attendance(
            signup_id=signup.id,
            came_at=starts + timedelta(minutes=came),
            came_by=Mark.QR,
            left_at=ends - timedelta(minutes=left),
            left_by=Mark.QR,
            minutes=given if minutes is None else minutes,
            state=state,
            entered_by="worker",
            entered_by_name="周洁",
            confirmed_at=now(),
            confirmed_by="second",
            confirmed_by_name="吴梅",
        )
    )


def facts(starts: datetime | None = None, *, hours: float = 2, **more: Any) -> RecordFacts:
    starts = starts or ago()
    said: dict[str, Any] = {
        "activity": "老人送餐",
        "kind": ServiceKind.MEALS,
        "content": "把午餐送到行动不便的老人家中",
        "place": "春风里助餐点",
        "leader_name": "周洁",
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=hours),
        "minutes": int(hours * 60) // 6 * 6,
    }
    return RecordFacts(**said | more)


def worker_of(make: Make, community: Area | None = None) -> Actor:
    return actor_of(make.worker(scope=community))


def given(
    make: Make,
    volunteer: Volunteer,
    said: RecordFacts | None = None,
    *,
    community: Area | None = None,
    organisation: Organisation | None = None,
    by: Actor | None = None,
) -> ServiceRecord:
    """A record written by hand through the service."""
    by = by or worker_of(make)
    place = community or make.community()
    with transaction() as session:
        who = session.merge(volunteer)
        return recording.record_by_hand(who, session.merge(place), organisation, said or facts(), by=by)


def bulk(make: Make, volunteer: Volunteer, minutes: int, *, day: date | None = None) -> ServiceRecord:
    """A record of so many minutes at once, for totals; it holds no time."""
    starts = clock.at(day or today() - timedelta(days=30), time(0))
    return make.add(
        ServiceRecord(
            volunteer_id=volunteer.id,
            community_id=make.community().id,
            organiser="春风里社区居民委员会",
            leader_name="周洁",
            activity="长期服务",
            kind=ServiceKind.VISITING,
            content="探访",
            place="春风里",
            starts_at=starts,
            ends_at=starts + timedelta(minutes=minutes),
            minutes=minutes,
            due_on=today(),
            recorded_by="worker",
            recorded_by_name="周洁",
        )
    )


def told(event: str) -> list[dict[str, Any]]:
    """What was put into the outbox under a topic, the oldest first."""
    query = sa.select(OutboxRow.facts).where(OutboxRow.topic == f"volunteers.{event}").order_by(OutboxRow.id)
    return list(db.session.scalars(query))
