"""Records of service (民政部令67号 7, 11): made by who organised, once for each time, changed with history, voided.

A record begins and ends on any minute. It holds every mark of STEP_MINUTES between, so that the database keeps two
records of one volunteer from overlapping; what lies between two marks is asked for while the volunteer's row is held.
Its minutes are whole steps of RECORD_STEP, never more than it lasted.
"""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, clock, events, reasons, settings, working
from portal.core.access import Actor
from portal.core.db import db, guarded, insert, unique_or
from portal.core.errors import Refused
from portal.registry.models import Organisation
from portal.volunteers.models.activities import Activity, Shift
from portal.volunteers.models.codes import HoursState, RecordState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import RECORD_STEP, RecordedTime, RecordVersion, ServiceCertificate, ServiceRecord
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import hours, record_telling
from portal.volunteers.service.record_facts import STEP, on_minute, on_step
from portal.volunteers.service.record_facts import RecordFacts as RecordFacts
from portal.volunteers.service.record_facts import check as check
from portal.volunteers.service.record_facts import check_over as check_over
from portal.volunteers.service.record_facts import check_shift as check_shift

DAYS = "volunteers.record_days"
settings.declare(
    DAYS,
    default=10,
    label=lambda: _("服务后几个工作日内要记录和评价"),
    unit=lambda: _("个工作日"),
    least=1,
    most=30,
)
RECORDED, CHANGED, VOIDED = "service_recorded", "service_record_changed", "service_record_voided"
SYSTEM = "system"
# Who recorded what a code let in and out, and nobody had to confirm.
BY_MARKS = reasons.declare("volunteers.recorded_by_marks", label=lambda: _("签到签退后自动记录"))
# Why a record went out of the count until its hours are confirmed anew, why it follows them, and who did it.
WITHDRAWN = reasons.declare("volunteers.hours_withdrawn", label=lambda: _("服务时间有异议或已修改，重新确认后再计入"))
ANEW = reasons.declare("volunteers.hours_confirmed_anew", label=lambda: _("服务时间重新确认"))
BY_HOURS = reasons.declare("volunteers.recorded_by_hours", label=lambda: _("随服务时间自动更新"))


def organiser_name(community: Area, organisation: Organisation | None) -> str:
    """活动组织单位: the organisation, else the committee of the community."""
    return organisation.name if organisation else _("%(name)s居民委员会", name=community.name)


def certifier(certificate: ServiceCertificate) -> str:
    """出具单位: as the paper says it, or, before there is one, whoever recorded the hours."""
    return str(certificate.facts.get("organiser") or organiser_name(certificate.community, certificate.organisation))


def due_on(day: date) -> date:
    """The last day on which a service of a day is to be recorded (and rated)."""
    return working.last_working_day(day, term())


def term() -> int:
    """How many working days there are for recording a service."""
    return settings.get(DAYS)


def facts_of(attendance: Attendance) -> RecordFacts:
    """What a confirmed attendance says, within its shift, without the way there and back; Refused where it is too
    little.
    """
    shift, activity = attendance.signup.shift, attendance.signup.shift.activity
    minutes = (attendance.minutes or 0) // RECORD_STEP * RECORD_STEP
    came, left = hours.span_of(attendance) or (shift.starts_at, shift.starts_at + timedelta(minutes=minutes))
    starts, ends = on_minute(came), on_minute(left)
    if int((ends - starts).total_seconds()) // 60 < minutes:
        starts, ends = _widened(shift, starts, minutes)
    return RecordFacts(
        activity=activity.title,
        kind=activity.kind,
        content=activity.content[:300],
        place=shift.place or activity.place,
        leader_name=leader_name(activity),
        starts_at=starts,
        ends_at=ends,
        minutes=minutes,
        factor=activity.factor,
    )


def _widened(shift: Shift, starts: datetime, minutes: int) -> tuple[datetime, datetime]:
    """A span that holds so many minutes, inside the shift."""
    length = timedelta(minutes=minutes)
    starts = max(shift.starts_at, min(starts, shift.ends_at - length))
    return starts, starts + length


def leader_name(activity: Activity) -> str:
    """活动负责人: who led it on the spot, else who set it up."""
    led = activity.leader.person.name if activity.leader else activity.leader_name
    return (led or activity.made_by_name)[:60]


def attendance_whole(attendance_id: int) -> Attendance | None:
    query = sa.select(Attendance).where(Attendance.id == attendance_id).options(*loaded())
    return db.session.scalar(query)


def loaded() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """All that recording asks of an attendance, in one query."""
    signup = joinedload(Attendance.signup)
    activity = signup.joinedload(Signup.shift).joinedload(Shift.activity)
    return (
        signup.joinedload(Signup.volunteer).joinedload(Volunteer.person),
        activity.joinedload(Activity.community),
        activity.joinedload(Activity.organisation),
        activity.joinedload(Activity.leader).joinedload(Volunteer.person),
    )


def record(attendance: Attendance, *, by: str, by_name: str) -> ServiceRecord:
    """Record a confirmed attendance, in the name of who organised the activity."""
    if attendance.state is not HoursState.CONFIRMED:
        raise Refused(_("服务时间还没有确认，先请活动负责人或另一位工作人员确认。"))
    signup, activity = attendance.signup, attendance.signup.shift.activity
    earlier = record_of(signup.id)
    if earlier is not None and is_waiting(earlier):
        return _restore(earlier, facts_of(attendance), by=by_name)
    return _make(
        signup.volunteer,
        activity.community,
        activity.organisation,
        facts_of(attendance),
        signup_id=signup.id,
        by=(by, by_name),
    )


def record_by_hand(
    volunteer: Volunteer, community: Area, organisation: Organisation | None, facts: RecordFacts, *, by: Actor
) -> ServiceRecord:
    """Record what no signup stands for: a service of this organiser that was not rostered here."""
    check_over(facts)
    made = _make(volunteer, community, organisation, facts, signup_id=None, by=(by.public_id, by.name))
    record_telling.tell("volunteers.record_made", made)
    return made


def _make(
    volunteer: Volunteer,
    community: Area,
    organisation: Organisation | None,
    facts: RecordFacts,
    *,
    signup_id: int | None,
    by: tuple[str, str],
) -> ServiceRecord:
    check(facts)
    made = ServiceRecord(
        **asdict(facts),
        volunteer=volunteer,
        signup_id=signup_id,
        community=community,
        organisation=organisation,
        organiser=organiser_name(community, organisation)[:80],
        due_on=due_on(clock.local(facts.starts_at).date()),
        recorded_by=by[0],
        recorded_by_name=by[1],
    )
    with unique_or(Refused(_("这次服务刚才已经记录过了，请看服务记录。"))):
        db.session.add(made)
    _hold(made)
    audit.record("volunteers.service_recorded", made, minutes=made.minutes, by_hand=signup_id is None)
    events.publish(RECORDED, record_id=made.id)
    return made


def _hold(made: ServiceRecord) -> None:
    """Hold every mark of the record, in the order of time: the database refuses a second record of the same mark. What
    overlaps between two marks is looked for while nobody else records for the volunteer.
    """
    db.session.execute(sa.select(Volunteer.id).where(Volunteer.id == made.volunteer_id).with_for_update(key_share=True))
    if (other := _overlapping(made)) is not None:
        raise Refused(_overlap_words(other), field="starts")
    try:
        with unique_or(Refused("")):
            insert(RecordedTime, *steps(made))
    except Refused:
        raise Refused(_overlap_words(_overlapping(made)), field="starts") from None


def steps(made: ServiceRecord) -> list[dict[str, Any]]:
    """Each mark of time that a record holds, in order: from the one nearest to its beginning to before that nearest to
    its end, where the next may begin.
    """
    first = on_step(made.starts_at)
    count = int((on_step(made.ends_at) - first) / STEP)
    return [
        {"volunteer_id": made.volunteer_id, "at": first + number * STEP, "record_id": made.id}
        for number in range(count)
    ]


def _overlapping(made: ServiceRecord) -> ServiceRecord | None:
    with db.session.no_autoflush:
        return db.session.scalar(
            sa.select(ServiceRecord)
            .where(
                ServiceRecord.volunteer_id == made.volunteer_id,
                ServiceRecord.id != made.id,
                ServiceRecord.state == RecordState.RECORDED,
                ServiceRecord.starts_at < made.ends_at,
                ServiceRecord.ends_at > made.starts_at,
            )
            .order_by(ServiceRecord.starts_at, ServiceRecord.id)
        )


def _overlap_words(other: ServiceRecord | None) -> str:
    if other is None:
        return _("这段时间刚才已有另一条服务记录，同一时间只能记一次。请刷新后核对。")
    when = record_telling.when(other)
    return _(
        "这段时间已有“%(activity)s”的服务记录（%(when)s），同一时间只能记一次。请核对时间。",
        activity=other.activity,
        when=when,
    )


def change(made: ServiceRecord, facts: RecordFacts, *, seen: int, reason: str, by: str) -> ServiceRecord:
    """Put a record right; how it stood is kept with the reason. `seen` is the version that was looked at."""
    check(facts)
    check_shift(made, facts)
    _turn_over(made, seen, reason=reason, by=by)
    moved = (made.starts_at, made.ends_at) != (facts.starts_at, facts.ends_at)
    _say(made, facts)
    if moved:
        _let_go(made)
        _hold(made)
    audit.record("volunteers.record_changed", made, reason=reason, version=made.version)
    record_telling.tell("volunteers.record_changed", made, reason=reasons.said(reason))
    events.publish(CHANGED, record_id=made.id)
    return made


def _say(made: ServiceRecord, facts: RecordFacts) -> None:
    for name, value in asdict(facts).items():
        setattr(made, name, value)
    made.due_on = due_on(clock.local(facts.starts_at).date())
    db.session.flush()


def void(made: ServiceRecord, *, seen: int, reason: str, by: str) -> ServiceRecord:
    """Take a mistaken record out of the count; it stays readable with its history, and its time is free again."""
    _turn_over(made, seen, reason=reason, by=by)
    made.state = RecordState.VOID
    db.session.flush()
    _let_go(made)
    audit.record("volunteers.record_voided", made, reason=reason)
    record_telling.tell("volunteers.record_voided", made, reason=reasons.said(reason))
    events.publish(VOIDED, record_id=made.id)
    return made


def rate(made: ServiceRecord, quality: int, *, seen: int, by: str) -> ServiceRecord:
    """服务质量评价 (10): 1 to 5, with its day. A second one keeps the first in the history."""
    if made.quality is not None:
        _turn_over(made, seen, reason=_("重新评价"), by=by)
    elif made.state is not RecordState.RECORDED:
        raise Refused(_("这条记录已经作废，不能评价。"))
    made.quality, made.rated_on = quality, clock.today()
    audit.record("volunteers.record_rated", made, quality=quality)
    return made


def _turn_over(
    made: ServiceRecord, seen: int, *, reason: str, by: str, state: RecordState = RecordState.RECORDED
) -> None:
    """Write how a record stands into its history and go to the next version; refused when it is not the one seen."""
    before, number = snapshot(made), made.version
    where = (ServiceRecord.id == made.id, ServiceRecord.version == seen, ServiceRecord.state == state)
    if not guarded(sa.update(ServiceRecord).where(*where).values(version=seen + 1)):
        raise Refused(_("这条记录刚才被改过或已作废。请返回看看现在的内容，再决定怎么改。"))
    db.session.refresh(made, ["version"])
    db.session.add(
        RecordVersion(record_id=made.id, version=number, facts=before, reason=reason[:200], changed_by_name=by[:64])
    )


def _let_go(made: ServiceRecord) -> None:
    db.session.execute(
        sa.delete(RecordedTime).where(RecordedTime.record_id == made.id),
        execution_options={"synchronize_session": False},
    )


def snapshot(made: ServiceRecord) -> dict[str, Any]:
    """A record as its history keeps it."""
    return {
        "activity": made.activity,
        "kind": made.kind.value,
        "content": made.content,
        "place": made.place,
        "leader_name": made.leader_name,
        "starts_at": made.starts_at.isoformat(),
        "ends_at": made.ends_at.isoformat(),
        "minutes": made.minutes,
        "quality": made.quality,
    }


def current_facts(made: ServiceRecord) -> RecordFacts:
    return RecordFacts(**{name: getattr(made, name) for name in RecordFacts.__dataclass_fields__})


def record_of(signup_id: int) -> ServiceRecord | None:
    """The record of a signup, as it stands now and held until the transaction ends."""
    query = sa.select(ServiceRecord).where(ServiceRecord.signup_id == signup_id).with_for_update()
    return db.session.scalar(query, execution_options={"populate_existing": True})


def waits(made: type[ServiceRecord] = ServiceRecord) -> sa.ColumnElement[bool]:
    """That a record is out of the count only until its hours are confirmed anew."""
    why = sa.select(RecordVersion.id).where(
        RecordVersion.record_id == made.id,
        RecordVersion.version == made.version - 1,
        RecordVersion.reason.in_((WITHDRAWN, ANEW)),
    )
    return sa.and_(made.state == RecordState.VOID, why.exists())


def is_waiting(made: ServiceRecord) -> bool:
    return db.session.scalar(sa.select(ServiceRecord.id).where(ServiceRecord.id == made.id, waits())) is not None


def _restore(made: ServiceRecord, facts: RecordFacts, *, by: str) -> ServiceRecord:
    """Take a record into the count again, with what its hours say now."""
    check(facts)
    _turn_over(made, made.version, reason=ANEW, by=by, state=RecordState.VOID)
    made.state = RecordState.RECORDED
    _say(made, facts)
    _hold(made)
    audit.record("volunteers.record_changed", made, reason=ANEW, version=made.version)
    record_telling.tell("volunteers.record_changed", made, reason=reasons.said(ANEW))
    events.publish(CHANGED, record_id=made.id)
    return made
