"""Records, wishes, certificates and stars in words."""

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from portal.core import clock, masking
from portal.registry.service import words as registry
from portal.volunteers.models.codes import (
    CertificateState,
    CorrectionState,
    HoursState,
    Mark,
    RecordState,
    ServiceKind,
    StarState,
)
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceRecord, Star
from portal.volunteers.service import kinds, record_telling
from portal.volunteers.service.signup_words import long_day

State = RecordState | CorrectionState | CertificateState | StarState
_TINTS: dict[str, dict[str, str]] = {
    "RecordState": {"recorded": "ok"},
    "CorrectionState": {"asked": "warn", "accepted": "ok", "refused": "bad"},
    "CertificateState": {"requested": "warn", "noticed": "info", "issued": "ok", "refused": "bad", "revoked": "bad"},
    "StarState": {"applied": "warn", "published": "info", "awarded": "ok", "refused": "bad", "revoked": "bad"},
}


def state_words(state: State) -> str:
    """States of two kinds may be spelt alike, and are then equal: the kind is asked first."""
    if isinstance(state, RecordState):
        return {RecordState.RECORDED: _("有效"), RecordState.VOID: _("已作废")}[state]
    if isinstance(state, CorrectionState):
        return {
            CorrectionState.ASKED: _("等答复"),
            CorrectionState.ACCEPTED: _("已更正"),
            CorrectionState.REFUSED: _("没有更正"),
            CorrectionState.WITHDRAWN: _("已撤回"),
        }[state]
    if isinstance(state, CertificateState):
        return {
            CertificateState.REQUESTED: _("等开具"),
            CertificateState.NOTICED: _("公示中"),
            CertificateState.ISSUED: _("已开具"),
            CertificateState.REFUSED: _("没有开具"),
            CertificateState.REVOKED: _("已撤销"),
            CertificateState.WITHDRAWN: _("已撤回"),
        }[state]
    return {
        StarState.APPLIED: _("等审定"),
        StarState.PUBLISHED: _("公示中"),
        StarState.AWARDED: _("已授予"),
        StarState.REFUSED: _("没有通过"),
        StarState.REVOKED: _("已取消"),
    }[state]


def state_tint(state: State) -> str:
    return _TINTS[type(state).__name__].get(state.value, "mute")


def hours_state(state: HoursState) -> str:
    return {
        HoursState.OPEN: _("还没有签退"),
        HoursState.TO_CONFIRM: _("等另一个人确认"),
        HoursState.CONFIRMED: _("已确认，还没有记录"),
        HoursState.DISPUTED: _("对服务时间有异议"),
    }[state]


def mark_words(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return {
        Mark.QR: _("扫码"),
        Mark.PIN: _("口令"),
        Mark.LEADER: _("负责人登记"),
        Mark.PAPER: _("纸质签到表"),
        Mark.OFFLINE: _("离线码"),
        Mark.WORKER: _("工作人员登记"),
    }[mark]


def hours(minutes: int) -> str:
    """Minutes as hours in tenths: 2.5."""
    return f"{minutes / 60:.1f}"


def when(record: ServiceRecord) -> str:
    return record_telling.when(record)


def qualities() -> list[tuple[str, str]]:
    return [
        ("5", _("5 分，很好")),
        ("4", _("4 分，好")),
        ("3", _("3 分，一般")),
        ("2", _("2 分，较差")),
        ("1", _("1 分，差")),
    ]


def quality_words(quality: int | None) -> str:
    return dict(qualities()).get(str(quality), _("还没有评价"))


def fields() -> dict[str, str]:
    """The fields of a record that somebody may ask to have put right."""
    return {
        "activity": _("活动名称"),
        "kind": _("服务类别"),
        "content": _("服务内容"),
        "place": _("服务地点"),
        "leader_name": _("活动负责人"),
        "starts_at": _("开始时间"),
        "ends_at": _("结束时间"),
        "minutes": _("服务时间（小时）"),
        "quality": _("服务质量评价"),
    }


def value_words(name: str, value: Any) -> str:
    """A field of a record's history or of a wish, as people read it."""
    if value is None or value == "":
        return _("没有")
    if name in {"starts_at", "ends_at"}:
        moment = clock.local(datetime.fromisoformat(value))
        return f"{long_day(moment.date())} {moment:%H:%M}"
    if name == "minutes":
        return hours(int(value))
    if name == "kind":
        return kinds.kind_words(ServiceKind(value))
    if name == "quality":
        return quality_words(int(value))
    return str(value)


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What a change changed: field, before, after; in the order of the law's list."""
    return [
        (label, value_words(name, before.get(name)), value_words(name, after.get(name)))
        for name, label in fields().items()
        if before.get(name) != after.get(name)
    ]


def wishes(said: dict[str, Any]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The fields of a wish: name, as it was recorded, as it ought to be, and what was answered."""
    return [
        (label, value_words(name, said[name].get("from")), value_words(name, said[name].get("to")), said[name])
        for name, label in fields().items()
        if name in said
    ]


def basics(volunteer: Volunteer, *, masked: bool = True) -> list[tuple[str, str]]:
    """个人基本信息 (67号令 5), the number of the document and the telephone masked."""
    person = volunteer.person
    number = person.id_number or person.temporary_number or ""
    skills = _("、").join(one.skill.name for one in volunteer.skills)
    wanted = _("、").join(kinds.kind_words(kind) for kind in volunteer.kinds or ())
    return [
        (_("志愿者编号"), volunteer.number),
        (_("姓名"), person.name),
        (_("性别"), registry.sex(person.sex)),
        (_("出生日期"), long_day(person.birth_date) if person.birth_date else _("没有登记")),
        (registry.id_kind(person.id_kind), masking.mask_id(number) if masked else number),
        (_("居住区域"), volunteer.community.name),
        (_("联系方式"), masking.mask_phone(person.phone) if person.phone else _("没有登记")),
        (_("专业技能"), skills or _("没有填写")),
        (_("服务类别"), wanted or _("没有填写")),
    ]


def star_words(star: Star) -> str:
    return _("%(level)s 星级志愿者", level=star.level)


def stars_of(level: int) -> str:
    return "★" * level


def left_words(days: int) -> str:
    """How many working days are left of a term."""
    if days < 0:
        return _("已超期 %(count)s 个工作日", count=-days)
    return _("今天到期") if days == 0 else _("还有 %(count)s 个工作日", count=days)


def month_words(month: date) -> str:
    return _("%(year)s年%(month)s月", year=month.year, month=month.month)
