"""The words of an import: fields, states, outcomes, reasons and differences as a worker reads them."""

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from portal.core.ids import Sex
from portal.core.masking import mask_id, mask_phone
from portal.registry.models import BatchState, Diet, ImportBatch, ImportRow, Registration, Relation, TagKind
from portal.registry.service import words
from portal.registry.service.imports.vocabulary import Field


def field(name: str) -> str:
    known: dict[str, str] = {
        Field.NAME: _("姓名"),
        Field.SEX: _("性别"),
        Field.ID_NUMBER: _("身份证号码"),
        Field.BIRTH_DATE: _("出生日期"),
        Field.PHONE: _("联系电话"),
        Field.HOUSEHOLD_NUMBER: _("户号"),
        Field.RELATION: _("与户主关系"),
        Field.ESTATE: _("小区"),
        Field.BUILDING: _("楼栋"),
        Field.UNIT: _("单元"),
        Field.ROOM: _("房号"),
        Field.ADDRESS: _("住址"),
        Field.GRID: _("网格"),
        Field.REGISTRATION: _("户籍"),
        Field.REGISTERED_ADDRESS: _("户籍地址"),
        Field.TAGS: _("人群标签"),
        Field.DIET: _("饮食要求"),
        Field.NOTE: _("备注"),
    }
    return known.get(name, name)


def state(kind: BatchState) -> tuple[str, str]:
    """The state in words, and the tint of its tag."""
    return {
        BatchState.UPLOADED: (_("待对应列"), "info"),
        BatchState.CHECKING: (_("检查中"), "info"),
        BatchState.CHECKED: (_("待确认"), "warn"),
        BatchState.CONFIRMED: (_("已导入"), "ok"),
        BatchState.CANCELLED: (_("已取消"), "mute"),
        BatchState.FAILED: (_("检查失败"), "bad"),
        BatchState.UNDONE: (_("已撤销"), "mute"),
    }[kind]


def outcome(kind: str) -> str:
    return {
        "new": _("新增"),
        "changed": _("有变动"),
        "unchanged": _("无变动"),
        "refused": _("不接收"),
        "waiting": _("待核实"),
        "flagged": _("待完善"),
    }[kind]


def skipped(why: str) -> str:
    return {
        "title": _("表头上方的文字"),
        "hint": _("填写提示"),
        "header": _("重复的表头"),
        "end": _("合计或落款"),
    }[why]


def reason(why: Mapping[str, Any]) -> str:
    """One reason of a refused or waiting row, as a sentence that says what to do."""
    return {
        "no_name": _("没有填姓名。"),
        "length": _("应为 18 位，现在是 %(count)d 位。", count=why.get("count", 0)),
        "characters": _("前 17 位只能是数字，最后一位是数字或 X。"),
        "region": _("前两位不是任何省份的代码。"),
        "date": _("里面的出生日期不存在。"),
        "future": _("里面的日期还没有到。"),
        "check_digit": _("最后一位对不上，请逐位核对。"),
        "no_such_date": _("这个日期不存在。"),
        "too_long": _("最多 %(count)d 个字。", count=why.get("count", 0)),
        "same_person": _("同一个人在表里出现了两次。先出现的一行照常处理，请核实这一行是否多余。"),
        "two_names": _("同一个身份证号码用在两个名字上。先出现的一行照常处理，请核实这一行的号码。"),
        "several_match": _("登记库里有几个人都可能是他，请补上身份证号码再导入。"),
        "elsewhere": _("这个号码已登记在别的社区，不会改动那边的资料。请联系该社区办理迁移。"),
        "merged": _("登记库里的这份资料已经合并到另一人名下，请到居民查询里核对。"),
        "gone": _("登记库里这个人已迁出或已去世，请到居民查询里核对。"),
        "name_differs": _("登记库里这个号码是另一个名字，请核实后在居民资料里修改。"),
    }.get(str(why.get("code")), str(why.get("code")))


def reasons(row: ImportRow, batch: ImportBatch) -> list[str]:
    """The reasons with the column each is about, and what stood there, masked."""
    cells = json.loads(row.source or "[]")
    return [_about(why, batch, cells) for why in row.reasons]


def _about(why: Mapping[str, Any], batch: ImportBatch, cells: list[str]) -> str:
    name = str(why.get("field", ""))
    if not name:
        return reason(why)
    column = batch.columns.get(name)
    header = batch.headers[column] if column is not None else field(name)
    value = mask_id(cells[column]) if name == Field.ID_NUMBER and column is not None and cells else ""
    label = f"{header}（{value}）" if value else header
    return _("%(column)s：%(reason)s", column=label, reason=reason(why))


def flags(row: ImportRow) -> list[str]:
    return [words.flag(code) for code in row.flags]


def changes(row: ImportRow) -> list[tuple[str, str, str]]:
    """Each difference as (field, before, after), telephones and numbers masked."""
    found: dict[str, list[Any]] = json.loads(row.changes or "{}")
    ordered = sorted(found.items(), key=lambda item: list(Field).index(Field(item[0])))
    return [(field(name), _value(name, old), _value(name, new)) for name, (old, new) in ordered]


def _value(name: str, value: Any) -> str:
    """A stored value in words."""
    if not value:
        return _("（空）")
    match name:
        case Field.ID_NUMBER:
            return mask_id(value)
        case Field.PHONE:
            return mask_phone(value)
        case Field.TAGS:
            return "、".join(words.tag(TagKind(kind)) for kind in value)
        case Field.DIET:
            return "、".join(words.diet(Diet(kind)) for kind in value.split(","))
        case _:
            return _coded(name, value)


def _coded(name: str, value: str) -> str:
    if name == Field.SEX:
        return words.sex(Sex(value))
    if name == Field.RELATION:
        return words.relation(Relation(value))
    return words.registration(Registration(value)) if name == Field.REGISTRATION else value
