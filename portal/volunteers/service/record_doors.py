"""What records, certificates and stars have for the doors: what waits, lines of a timeline, a person's own copy."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, reasons
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people as registry
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import Correction, ServiceCertificate, ServiceRecord, Star
from portal.volunteers.service import certificates, corrections, kinds, record_words, records, stars


def todo_of(worker: Actor) -> list[Todo]:
    """What is to be recorded, corrected, certified and reviewed by who may certify."""
    within = scopes_of(worker, Permission.VOLUNTEERS_CERTIFY)
    if not within:
        return []
    late, due = records.count_late(within), records.count_due(within)
    papers, levels = certificates.counts(within), stars.counts(within)
    found = [
        Todo(_("等记录的志愿服务"), "volunteers.worker.records_due", count=due, late=late > 0),
        Todo(_("志愿服务更正申请"), "volunteers.worker.corrections_page", count=corrections.count_asked(within)),
        Todo(_("要开具的服务证明"), "volunteers.worker.certificates_page", count=papers["requested"]),
        Todo(
            _("做不出来的服务证明"),
            "volunteers.worker.certificates_page",
            {"tab": "issued"},
            count=papers["stuck"],
            late=True,
        ),
        Todo(_("要审定的志愿者星级"), "volunteers.worker.stars_page", count=levels["applied"]),
    ]
    return [one for one in found if one.count]


def _volunteers(person: Person) -> sa.Select[int]:
    return sa.select(Volunteer.id).where(Volunteer.person_id.in_(registry.ids_of(person)))


def _of(person: Person, model: Any, order: Any, limit: int | None = None) -> list[Any]:
    query = sa.select(model).where(model.volunteer_id.in_(_volunteers(person))).order_by(order.desc(), model.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """Records, certificates and stars of a person, the newest first."""
    lines = [_record_line(one) for one in _of(person, ServiceRecord, ServiceRecord.recorded_at, limit)]
    lines += [_certificate_line(one) for one in _of(person, ServiceCertificate, ServiceCertificate.asked_at, limit)]
    lines += [_star_line(one) for one in _of(person, Star, Star.applied_at, limit)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def _record_line(one: ServiceRecord) -> Line:
    hours, state = record_words.hours(one.minutes), record_words.state_words(one.state)
    title = _("志愿服务记录：%(activity)s，%(hours)s 小时，%(state)s", activity=one.activity, hours=hours, state=state)
    return Line(one.recorded_at, title, record_words.when(one))


def _certificate_line(one: ServiceCertificate) -> Line:
    state = record_words.state_words(one.state)
    return Line(one.asked_at, _("志愿服务证明：%(state)s", state=state), one.number or "")


def _star_line(one: Star) -> Line:
    state = record_words.state_words(one.state)
    return Line(one.applied_at, _("志愿者星级：%(star)s，%(state)s", star=record_words.star_words(one), state=state))


def export(person: Person) -> list[dict[str, Any]]:
    """Everything recorded, wished, certified and awarded, in words; days in ISO."""
    found = [_record_out(one) for one in _of(person, ServiceRecord, ServiceRecord.starts_at)]
    found += [_correction_out(one) for one in _of(person, Correction, Correction.asked_at)]
    found += [_certificate_out(one) for one in _of(person, ServiceCertificate, ServiceCertificate.asked_at)]
    return found + [_star_out(one) for one in _of(person, Star, Star.applied_at)]


def _minute(moment: Any) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}" if moment else ""


def _record_out(one: ServiceRecord) -> dict[str, Any]:
    changes = [
        _("%(when)s %(who)s：%(reason)s", when=_minute(row.changed_at), who=row.changed_by_name, reason=row.reason)
        for row in (records.versions(one) if one.version > 1 else [])
    ]
    return {
        _("志愿服务记录"): one.activity,
        _("服务类别"): kinds.kind_words(one.kind),
        _("服务内容"): one.content,
        _("服务地点"): one.place,
        _("开始时间"): _minute(one.starts_at),
        _("结束时间"): _minute(one.ends_at),
        _("服务时间（小时）"): record_words.hours(one.minutes),
        _("活动组织单位"): one.organiser,
        _("活动负责人"): one.leader_name,
        _("服务质量评价"): record_words.quality_words(one.quality),
        _("评价日期"): one.rated_on.isoformat() if one.rated_on else "",
        _("状态"): record_words.state_words(one.state),
        _("记录人"): reasons.said(one.recorded_by_name),
        _("记录时间"): _minute(one.recorded_at),
        _("更正历史"): _("；").join(changes),
    }


def _correction_out(one: Correction) -> dict[str, Any]:
    wishes = [
        _("%(label)s：%(before)s 改为 %(after)s", label=label, before=before, after=after)
        for label, before, after, _said in record_words.wishes(one.wishes)
    ]
    return {
        _("志愿服务更正申请"): _("；").join(wishes),
        _("原因"): one.reason,
        _("申请时间"): _minute(one.asked_at),
        _("状态"): record_words.state_words(one.state),
        _("答复"): one.answer,
        _("答复人"): one.decided_by_name,
    }


def _certificate_out(one: ServiceCertificate) -> dict[str, Any]:
    return {
        _("志愿服务证明"): one.number or "",
        _("服务起止"): _("%(first)s 至 %(last)s", first=one.first_day.isoformat(), last=one.last_day.isoformat()),
        _("服务时间（小时）"): record_words.hours(one.minutes),
        _("用途"): one.use,
        _("状态"): record_words.state_words(one.state),
        _("申请时间"): _minute(one.asked_at),
        _("出具时间"): _minute(one.issued_at),
        _("经办人"): one.issued_by_name,
        _("原因"): one.state_reason,
    }


def _star_out(one: Star) -> dict[str, Any]:
    return {
        _("志愿者星级"): record_words.star_words(one),
        _("服务时间（小时）"): record_words.hours(one.minutes),
        _("状态"): record_words.state_words(one.state),
        _("申请时间"): _minute(one.applied_at),
        _("授予日期"): one.awarded_on.isoformat() if one.awarded_on else "",
        _("原因"): one.reason,
    }
