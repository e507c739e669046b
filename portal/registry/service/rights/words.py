"""The words for requests, their fields, states and channels."""

import json
from typing import Any

from flask_babel import gettext as _

from portal.core.masking import mask_phone
from portal.registry.models import (
    Channel,
    Diet,
    Marriage,
    RightField,
    RightKind,
    RightsRequest,
    RightState,
    Schooling,
    Work,
)
from portal.registry.service import words

# What is not read aloud on a list: shown to a worker on asking, with a trace.
SEALED = frozenset(
    {
        RightField.PHONE,
        RightField.ID_NUMBER,
        RightField.REGISTERED_ADDRESS,
        RightField.RESIDENCE,
        RightField.HEALTH,
        RightField.CONTACTS,
        RightField.TAGS,
    }
)


def field(of: RightField) -> str:
    return {
        RightField.NAME: _("姓名"),
        RightField.PHONE: _("联系电话"),
        RightField.REGISTERED_ADDRESS: _("户籍地址"),
        RightField.RESIDENCE: _("现住址"),
        RightField.MARRIAGE: _("婚姻状况"),
        RightField.SCHOOLING: _("学历"),
        RightField.WORK: _("从业状况"),
        RightField.DIET: _("饮食禁忌"),
        RightField.HEALTH: _("健康情况"),
        RightField.CONTACTS: _("紧急联系人"),
        RightField.HOUSEHOLD: _("家里的人"),
        RightField.SEX: _("性别"),
        RightField.BIRTH_DATE: _("出生日期"),
        RightField.ID_NUMBER: _("证件号码"),
        RightField.REGISTRATION: _("户籍"),
        RightField.RELATION: _("与户主关系"),
        RightField.TAGS: _("标签"),
    }[of]


def kind(of: RightKind) -> str:
    return {
        RightKind.CORRECTION: _("更正信息"),
        RightKind.COPY: _("要一份资料"),
        RightKind.CLOSING: _("注销账号"),
        RightKind.OTHER: _("删除、说明等请求"),
    }[of]


def subject(request: RightsRequest) -> str:
    """What is asked, in a few words: 更正联系电话."""
    return named(request.kind.value, request.field)


def named(code: str, of: str) -> str:
    """The same from the codes that a notice carries."""
    if code == RightKind.CORRECTION.value:
        return _("更正%(field)s", field=field(RightField(of)))
    return kind(RightKind(code))


def state(of: RightState) -> tuple[str, str]:
    """A state in words, and the tint of its tag."""
    return {
        RightState.OPEN: (_("等社区答复"), "warn"),
        RightState.GRANTED: (_("已办好"), "ok"),
        RightState.REFUSED: (_("没有同意"), "bad"),
        RightState.WITHDRAWN: (_("已撤回"), "mute"),
    }[of]


def channel(of: Channel) -> str:
    return {
        Channel.SELF: _("本人在账号里"),
        Channel.GUARDIAN: _("监护人在账号里"),
        Channel.COUNTER: _("在社区窗口"),
    }[of]


def said(request: RightsRequest, *, plain: bool = False) -> str:
    """What is asked for, as a sentence; a telephone is masked unless it is to be read."""
    told: dict[str, Any] = json.loads(request.said or "{}")
    if request.kind is not RightKind.CORRECTION or not told:
        return str(told.get("value", ""))
    return value(RightField(request.field), told, plain=plain)


def value(of: RightField, told: dict[str, Any], *, plain: bool) -> str:
    if of is RightField.CONTACTS:
        return _contact(told, plain=plain)
    if of is RightField.PHONE:
        return str(told["value"]) if plain else mask_phone(told["value"])
    if of is RightField.DIET:
        return _("、").join(words.diet(Diet(code)) for code in told["value"]) or _("没有忌口")
    coded = {RightField.MARRIAGE: Marriage, RightField.SCHOOLING: Schooling, RightField.WORK: Work}
    return words.in_words(coded[of](told["value"])) if of in coded else str(told["value"])


def _contact(told: dict[str, Any], *, plain: bool) -> str:
    if told["act"] == "drop":
        return _("不再联系%(name)s", name=told["old"])
    phone = told["phone"] if plain else mask_phone(told["phone"])
    line = _("%(relation)s%(name)s，电话%(phone)s", relation=told["relation"], name=told["name"], phone=phone)
    return _("%(old)s换成：%(line)s", old=told["old"], line=line) if told["act"] == "replace" else line
