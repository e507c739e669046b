"""What the codes of care visits are called on screen: one filter, `care`, for every enum that a page shows."""

from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.web import day_words, full_day
from portal.identity.permissions import Role, label
from portal.registry.models import TagKind
from portal.registry.service import words as registry
from portal.visits.models import (
    CareRule,
    CareSubject,
    CheckCause,
    CheckOutcome,
    CheckState,
    Condition,
    Consent,
    Deed,
    Exclusion,
    Family,
    FindingKind,
    Frequency,
    Hazard,
    Level,
    Method,
    Money,
    Need,
    Referral,
    ReferralMove,
    ReferralState,
    RoundKind,
    StepKind,
    StepResult,
    TimeOfDay,
    Urgency,
    VisitKind,
    VisitState,
)
from portal.visits.models.rules import Dated

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    Level: {Level.HIGH: _l("高风险"), Level.FOCUS: _l("重点"), Level.GENERAL: _l("一般")},
    Frequency: {
        Frequency.WEEKLY: _l("每周一次"),
        Frequency.MONTHLY: _l("每月一次"),
        Frequency.QUARTERLY: _l("每季度一次"),
    },
    Method: {
        Method.HOME: _l("上门"),
        Method.PHONE: _l("电话"),
        Method.VIDEO: _l("视频"),
        Method.OUTSIDE: _l("在外面遇到"),
        Method.VOLUNTEER: _l("党员、志愿者结对"),
        Method.THIRD_PARTY: _l("委托机构"),
        Method.NEIGHBOUR: _l("亲邻代看"),
        Method.MESSAGE: _l("微信、短信"),
    },
    TimeOfDay: {
        TimeOfDay.ANY: _l("都可以"),
        TimeOfDay.MORNING: _l("上午"),
        TimeOfDay.AFTERNOON: _l("下午"),
        TimeOfDay.EVENING: _l("傍晚"),
    },
    Consent: {
        Consent.UNASKED: _l("还没问过"),
        Consent.AGREED: _l("同意探访"),
        Consent.NOT_AT_HOME: _l("不要上门"),
        Consent.REFUSED: _l("书面谢绝探访"),
    },
    Exclusion: {
        Exclusion.DEAD: _l("去世"),
        Exclusion.MOVED: _l("迁出"),
        Exclusion.HOSPITAL: _l("住院"),
        Exclusion.INSTITUTION: _l("入住机构"),
        Exclusion.AWAY: _l("长期外出"),
        Exclusion.REFUSAL: _l("书面谢绝"),
    },
    VisitKind: {
        VisitKind.ROUTINE: _l("例行探访"),
        VisitKind.PROMISED: _l("约好的探访"),
        VisitKind.SOON: _l("变化后 24 小时内探访"),
        VisitKind.ROUND: _l("专项探访"),
        VisitKind.SAFETY: _l("当天确认平安"),
        VisitKind.EXTRA: _l("临时探访"),
    },
    VisitState: {
        VisitState.PLANNED: _l("待探访"),
        VisitState.DRAFT: _l("有草稿"),
        VisitState.NOT_MET: _l("没见到"),
        VisitState.DONE: _l("已探访"),
        VisitState.MISSED: _l("逾期未访"),
        VisitState.CANCELLED: _l("不用去了"),
    },
    Urgency: {
        Urgency.NONE: _l("没有问题"),
        Urgency.NORMAL: _l("一般"),
        Urgency.URGENT: _l("紧急"),
        Urgency.AT_ONCE: _l("立即处理"),
    },
    Condition: {Condition.GOOD: _l("好"), Condition.FAIR: _l("一般"), Condition.POOR: _l("差")},
    Money: {Money.ENOUGH: _l("够用"), Money.TIGHT: _l("偏紧"), Money.HARD: _l("困难")},
    Family: {
        Family.OFTEN: _l("常来"),
        Family.SELDOM: _l("很少来"),
        Family.NOT: _l("不管"),
        Family.NONE: _l("没有赡养人"),
    },
    Hazard: {
        Hazard.WATER: _l("水"),
        Hazard.ELECTRICITY: _l("电"),
        Hazard.GAS: _l("燃气"),
        Hazard.FIRE: _l("火"),
        Hazard.SLIPPING: _l("地面滑"),
        Hazard.CLUTTER: _l("杂物堆放"),
    },
    Need: {
        Need.MEALS: _l("助餐"),
        Need.CLEANING: _l("助洁"),
        Need.BATHING: _l("助浴"),
        Need.MEDICINE: _l("买药送药"),
        Need.ESCORT: _l("陪同就医"),
        Need.REPAIR: _l("维修"),
        Need.COMPANY: _l("聊天陪伴"),
        Need.REHABILITATION: _l("康复护理"),
    },
    Deed: {
        Deed.POLICY: _l("讲了政策"),
        Deed.FAMILY_URGED: _l("督促了赡养人"),
        Deed.SUPPLIES: _l("送了物资"),
        Deed.RESCUE: _l("作了救援"),
    },
    FindingKind: {
        FindingKind.HEALTH: _l("看病、用药"),
        FindingKind.MIND: _l("情绪、心理"),
        FindingKind.HOME_SAFETY: _l("家里不安全"),
        FindingKind.CARE: _l("没人照料"),
        FindingKind.MONEY: _l("生活困难"),
        FindingKind.FAMILY: _l("赡养、抚养"),
        FindingKind.ABUSE: _l("受打骂、被骗"),
        FindingKind.CHILD: _l("未成年人受侵害"),
        FindingKind.OTHER: _l("其他"),
    },
    ReferralState: {
        ReferralState.OPEN: _l("待对接"),
        ReferralState.TAKEN: _l("对方已接"),
        ReferralState.DONE: _l("已办结"),
        ReferralState.RETURNED: _l("被退回"),
        ReferralState.DROPPED: _l("不再需要"),
    },
    RoundKind: {
        RoundKind.HEAT: _l("高温"),
        RoundKind.COLD: _l("寒潮"),
        RoundKind.STORM: _l("暴雨台风"),
        RoundKind.FESTIVAL: _l("节日"),
        RoundKind.OTHER: _l("其他"),
    },
    CheckCause: {CheckCause.NOT_MET: _l("探访没见到人"), CheckCause.MEAL: _l("独居，订了餐没来取")},
    CheckState: {
        CheckState.OPEN: _l("等人接手"),
        CheckState.TAKEN: _l("有人在办"),
        CheckState.CLOSED: _l("已结束"),
    },
    StepKind: {
        StepKind.AGAIN: _l("再联系本人"),
        StepKind.CONTACT: _l("联系紧急联系人"),
        StepKind.COLLEAGUE: _l("请同事上门"),
        StepKind.COMMITTEE: _l("报告居委会"),
        StepKind.EMERGENCY: _l("拨打 110 或 120"),
    },
    StepResult: {StepResult.REACHED: _l("联系上了"), StepResult.NOT_REACHED: _l("没联系上")},
    CheckOutcome: {
        CheckOutcome.SAFE: _l("平安"),
        CheckOutcome.AWAY: _l("外出了"),
        CheckOutcome.HOSPITAL: _l("住院了"),
        CheckOutcome.RESCUED: _l("已救助"),
        CheckOutcome.DEAD: _l("已去世"),
        CheckOutcome.OTHER: _l("其他"),
    },
}


def care(value: StrEnum | str | None) -> str:
    """The word for a code of care visits."""
    if value is None or value == "":
        return ""
    known = _WORDS.get(type(value), {}) if isinstance(value, StrEnum) else {}
    return str(known.get(value, value)) if isinstance(value, StrEnum) else str(value)


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, care(value)) for value in kind]


def spoken(kind: type[StrEnum], codes: Any) -> str:
    """Several codes of one kind, as they stand in a stored record."""
    return _("、").join(care(kind(code)) for code in codes or () if code in set(kind))


_RECORD: dict[str, type[StrEnum]] = {
    "body": Condition,
    "mind": Condition,
    "daily": Condition,
    "money": Money,
    "family": Family,
    "hazards": Hazard,
    "needs": Need,
    "deeds": Deed,
}


def record_lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    """A stored record as it is read: what was asked, and the answer; what was left empty is left out."""
    asked = [
        (_("身体"), "body"),
        (_("精神"), "mind"),
        (_("吃饭、起居"), "daily"),
        (_("家里哪里不安全"), "hazards"),
        (_("住处说明"), "home_note"),
        (_("生活费"), "money"),
        (_("赡养人"), "family"),
        (_("需要什么服务"), "needs"),
        (_("物资"), "supplies"),
        (_("还做了什么"), "deeds"),
        (_("问题说明"), "finding_note"),
        (_("一起去的人"), "with_whom"),
        (_("本人或家属确认"), "confirmed_by"),
        (_("其他要记的"), "note"),
    ]
    lines = [(words, _answer(record, name)) for words, name in asked]
    return [(words, answer) for words, answer in lines if answer]


def _answer(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if name not in _RECORD:
        return str(value or "")
    return spoken(_RECORD[name], [value] if isinstance(value, str) else value)


def level_word(code: str) -> str:
    return care(Level(code))


def exclusion_word(code: str) -> str:
    return care(Exclusion(code)) if code in set(Exclusion) else ""


def role_words(code: str) -> str:
    """As what somebody visited, from the code that the visit keeps."""
    return label(Role(code)) if code in set(Role) else code


def party_words(referral: Referral) -> str:
    """To whom a referral goes; the community itself where nobody is named."""
    return referral.party or _("社区")


def move_words(move: ReferralMove) -> str:
    """What was said at a change of a referral, or to whom it was sent on and until when."""
    if move.due_on is None:
        return move.note or ""
    return _("转给%(party)s，期限 %(day)s", party=move.party or _("社区"), day=full_day(move.due_on))


def holding_words(row: Dated, day: date) -> str:
    """From when a row of a table holds, until when, and whether it does."""
    since = _("%(day)s 起", day=full_day(row.valid_from))
    until = _("，到 %(day)s", day=full_day(row.valid_to)) if row.valid_to else ""
    over = _("（已结束）") if row.valid_to and row.valid_to < day else ""
    return since + until + (over or (_("（未开始）") if row.valid_from > day else ""))


def why_listed(subject: CareSubject, day: date) -> str:
    """Why somebody has her level, in words: the rule and what of her fits it, or who set it and until when."""
    if subject.is_overridden(day):
        until = _("，到 %(day)s", day=day_words(subject.override_until)) if subject.override_until else ""
        return _(
            "%(who)s调整%(until)s：%(reason)s", who=subject.override_by, until=until, reason=subject.override_reason
        )
    if subject.rule is None:
        return _("不在探访名单上")
    return _("%(rule)s（%(facts)s）", rule=subject.rule.name, facts=_facts(subject.rule, subject, day))


def _facts(rule: CareRule, subject: CareSubject, day: date) -> str:
    age = subject.person.age(day)
    wanted = {TagKind(tag) for tag in rule.tags}
    parts = [registry.tag(kind) for kind in TagKind if kind in subject.person.tag_kinds(day) & wanted]
    if age is not None:
        parts.insert(0, _("%(age)d 岁", age=age))
    return _("、").join(parts)


def rule_condition(rule: CareRule) -> str:
    """A rule's condition in words: 80 岁及以上，独居或空巢."""
    if rule.age_from is not None and rule.age_to is not None:
        age = _("%(least)d–%(most)d 岁", least=rule.age_from, most=rule.age_to)
    elif rule.age_from is not None:
        age = _("%(age)d 岁及以上", age=rule.age_from)
    else:
        age = _("%(age)d 岁及以下", age=rule.age_to) if rule.age_to is not None else ""
    tags = _("或").join(registry.tag(TagKind(tag)) for tag in rule.tags)
    return _("，").join(part for part in (age, tags) if part)
