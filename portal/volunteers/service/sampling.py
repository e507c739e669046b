"""抽查 (67号令 21): a sample of the records of some days, each with where its evidence stands, as a workbook."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, clock, reasons, sheets
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.codes import RecordState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Attendance
from portal.volunteers.service import kinds, people, record_words, roster_papers

MOST = 500
WIDTHS = (30.0, 14.0, 12.0, 26.0, 12.0, 12.0, 26.0, 8.0, 26.0, 14.0, 14.0, 18.0, 8.0, 8.0, 30.0, 20.0, 12.0)


def sample(within: Collection[Scope], first: date, last: date, count: int, *, reason: str, by: Actor) -> bytes:
    """So many records of some days drawn by chance; the database draws them. Who drew them, and why, is kept."""
    if last < first:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    where = (
        ServiceRecord.community_id.in_(people.community_ids(within)),
        ServiceRecord.starts_at >= clock.day_bounds(first)[0],
        ServiceRecord.starts_at < clock.day_bounds(last)[1],
    )
    drawn = sa.select(ServiceRecord.id).where(*where).order_by(sa.func.random(), ServiceRecord.id).limit(count)
    query = (
        sa.select(ServiceRecord, Attendance)
        .outerjoin(Attendance, Attendance.signup_id == ServiceRecord.signup_id)
        .where(ServiceRecord.id.in_(sa.select(drawn.subquery().c.id)))
        .options(joinedload(ServiceRecord.volunteer).joinedload(Volunteer.person), joinedload(ServiceRecord.signup))
        .order_by(ServiceRecord.starts_at, ServiceRecord.id)
    )
    rows = [_row(record, attendance) for record, attendance in db.session.execute(query)]
    if not rows:
        raise Refused(_("这段日期里没有服务记录，请换一段日期。"), field="first_day")
    roster_papers.throttle("volunteers.records_sample", by)
    audit.record("volunteers.records_sampled", None, reason=reason, count=len(rows), first=str(first), last=str(last))
    return sheets.write_workbook(_headers(), rows, sheet=_("抽查名单"), widths=WIDTHS, stamp=reason)


def _headers() -> list[str]:
    return [
        _("记录编号"),
        _("志愿者编号"),
        _("姓名"),
        _("活动名称"),
        _("服务类别"),
        _("服务日期"),
        _("服务时间"),
        _("小时"),
        _("活动组织单位"),
        _("活动负责人"),
        _("记录人"),
        _("记录时间"),
        _("逾期"),
        _("状态"),
        _("证据：报名编号"),
        _("证据：签到和签退"),
        _("确认人"),
    ]


def _row(record: ServiceRecord, attendance: Attendance | None) -> list[str]:
    marks = _("手工记录，没有签到")
    if attendance is None and record.signup_id is not None:
        marks = _("签到明细已过保存期")
    if attendance is not None:
        marks = _(
            "%(came)s／%(left)s",
            came=record_words.mark_words(attendance.came_by),
            left=record_words.mark_words(attendance.left_by) or _("没有签退"),
        )
    return [
        record.public_id,
        record.volunteer.number,
        record.volunteer.person.name,
        record.activity,
        kinds.kind_words(record.kind),
        f"{clock.local(record.starts_at):%Y-%m-%d}",
        record_words.when(record),
        record_words.hours(record.minutes),
        record.organiser,
        record.leader_name,
        reasons.said(record.recorded_by_name),
        f"{clock.local(record.recorded_at):%Y-%m-%d %H:%M}",
        _("是") if record.is_late else "",
        record_words.state_words(record.state)
        if record.state is not RecordState.RECORDED or record.version == 1
        else _("有效，改过 %(count)s 次", count=record.version - 1),
        record.signup.public_id if record.signup else "",
        marks,
        attendance.confirmed_by_name if attendance else "",
    ]
