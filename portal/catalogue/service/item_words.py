"""What the codes of items, providers, conditions and lists are called on screen: the filter `service_word`."""

from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.models.codes import (
    ConditionKind,
    ItemKind,
    ItemState,
    ListKind,
    ProviderKind,
    Situation,
)
from portal.catalogue.models.items import Condition
from portal.core import money
from portal.registry.models import TagKind
from portal.registry.service import words as registry

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    Situation: {
        Situation.OLD: _l("老"),
        Situation.YOUNG: _l("小"),
        Situation.SICK: _l("病"),
        Situation.DISABLED: _l("残"),
        Situation.NEED: _l("困"),
        Situation.HOME: _l("住"),
        Situation.LEARN: _l("学"),
        Situation.JOY: _l("乐"),
        Situation.LAW: _l("法"),
    },
    ProviderKind: {
        ProviderKind.COMMUNITY: _l("社区"),
        ProviderKind.ORGANISATION: _l("社会组织"),
        ProviderKind.SOCIAL_WORKER: _l("社工"),
        ProviderKind.VOLUNTEERS: _l("志愿者"),
        ProviderKind.CHARITY: _l("慈善"),
        ProviderKind.BUSINESS: _l("商户"),
    },
    ItemKind: {
        ItemKind.APPOINTMENT: _l("预约"),
        ItemKind.APPLICATION: _l("申请"),
        ItemKind.INFORMATION: _l("指南"),
    },
    ItemState: {
        ItemState.DRAFT: _l("草稿"),
        ItemState.PUBLISHED: _l("已发布"),
        ItemState.WITHDRAWN: _l("已撤下"),
    },
    ConditionKind: {
        ConditionKind.AGE_AT_LEAST: _l("年满多少周岁"),
        ConditionKind.AGE_AT_MOST: _l("不超过多少周岁"),
        ConditionKind.TAG: _l("登记的人群标签"),
        ConditionKind.WOMAN: _l("女性"),
        ConditionKind.REGISTERED_HERE: _l("户籍在本地"),
        ConditionKind.LIVES_HERE: _l("住在服务范围内"),
        ConditionKind.QUESTION: _l("问一个问题"),
    },
    ListKind: {
        ListKind.WORK: _l("社区工作事项清单"),
        ListKind.SEALS: _l("印章使用范围清单"),
        ListKind.APPRAISALS: _l("考核评比事项清单"),
        ListKind.PURCHASES: _l("政府购买服务事项清单"),
    },
}
_LONG = {
    Situation.OLD: _l("家有老人"),
    Situation.YOUNG: _l("带孩子"),
    Situation.SICK: _l("看病健康"),
    Situation.DISABLED: _l("残疾人"),
    Situation.NEED: _l("遇到困难"),
    Situation.HOME: _l("居家生活"),
    Situation.LEARN: _l("学习就业"),
    Situation.JOY: _l("文体娱乐"),
    Situation.LAW: _l("法律调解"),
}
_SHORT = {
    ListKind.WORK: _l("工作事项"),
    ListKind.SEALS: _l("印章使用"),
    ListKind.APPRAISALS: _l("考核评比"),
    ListKind.PURCHASES: _l("购买服务"),
}
# The icons of static/icons.svg for the nine situations.
ICONS = {
    Situation.OLD: "old",
    Situation.YOUNG: "friends",
    Situation.SICK: "stethoscope",
    Situation.DISABLED: "accessible",
    Situation.NEED: "heart-handshake",
    Situation.HOME: "tool",
    Situation.LEARN: "award",
    Situation.JOY: "star",
    Situation.LAW: "shield-lock",
}
TINTS = {ItemState.DRAFT: "warn", ItemState.PUBLISHED: "ok", ItemState.WITHDRAWN: "mute"}


def service_word(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def situation_words(situation: Situation) -> str:
    """A situation as its entrance says it: 家有老人."""
    return str(_LONG[situation])


def short_list(kind: ListKind) -> str:
    """One of the four lists, as a tab says it."""
    return str(_SHORT[kind])


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, service_word(code)) for code in kind]


def state_tint(state: ItemState) -> str:
    return TINTS[state]


def cost_words(cost_fen: int | None, cost: str = "") -> str:
    """What something costs: its own words, else the figure, free for nothing."""
    if cost:
        return cost
    if cost_fen is None:
        return ""
    return _("免费") if cost_fen == 0 else _("%(yuan)s 元", yuan=money.yuan(cost_fen))


def tags_said(condition: Condition) -> str:
    held = condition.tag_kinds()
    return _("或").join(registry.tag(kind) for kind in TagKind if kind in held)


def condition_words(condition: Condition) -> str:
    """What a condition asks for, as workers read it."""
    match condition.kind:
        case ConditionKind.AGE_AT_LEAST:
            return _("年满 %(age)d 周岁", age=condition.number or 0)
        case ConditionKind.AGE_AT_MOST:
            return _("不超过 %(age)d 周岁", age=condition.number or 0)
        case ConditionKind.TAG:
            tags = tags_said(condition)
            return _("是%(tags)s", tags=tags) if condition.answer else _("不是%(tags)s", tags=tags)
        case ConditionKind.QUESTION:
            wanted = _("是") if condition.answer else _("不是")
            return _("问：%(question)s（要答“%(wanted)s”）", question=condition.question, wanted=wanted)
        case _:
            return service_word(condition.kind)


def question_words(condition: Condition) -> str:
    """How a condition is asked of somebody the register does not tell it of."""
    age = condition.number or 0
    match condition.kind:
        case ConditionKind.AGE_AT_LEAST:
            asked = _("年满 %(age)d 周岁了吗？", age=age)
        case ConditionKind.AGE_AT_MOST:
            asked = _("年龄没有超过 %(age)d 周岁吗？", age=age)
        case ConditionKind.TAG:
            asked = _("是不是%(tags)s？", tags=tags_said(condition))
        case ConditionKind.WOMAN:
            asked = _("是女性吗？")
        case ConditionKind.REGISTERED_HERE:
            asked = _("户口在本地吗？")
        case _:
            asked = _("平时住在%(area)s吗？", area=condition.item.area.name)
    return condition.question or asked
