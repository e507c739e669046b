"""The words of an import: fields, states, outcomes, reasons and differences as a worker reads them."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from portal.areas.models import DwellingUse
from portal.core.ids import Sex
from portal.core.masking import mask_id, mask_middle, mask_phone
from portal.registry.models import (
    BatchState,
    Diet,
    FacilityKind,
    IdKind,
    ImportBatch,
    ImportKind,
    ImportRow,
    Marriage,
    OrganisationKind,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    StaffKind,
    Standing,
    Tenure,
    Verdict,
    Work,
)
from portal.registry.service import buildings, ethnicities, words
from portal.registry.service.imports.vocabulary import Field
from portal.registry.service.resources import words as resources
from portal.registry.service.twins import scoring


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
        Field.ID_KIND: _("证件类型"),
        Field.ETHNICITY: _("民族"),
        Field.MARRIAGE: _("婚姻状况"),
        Field.SCHOOLING: _("学历"),
        Field.POLITICS: _("政治面貌"),
        Field.WORK: _("从业状况"),
        Field.PRESENCE: _("人户状态"),
        Field.TENURE: _("居住类型"),
        Field.LIVING_SINCE: _("起居日期"),
        "contacts": _("紧急联系人"),
        Field.CONTACT_NAME: _("紧急联系人"),
        Field.CONTACT_RELATION: _("与联系人关系"),
        Field.CONTACT_PHONE: _("紧急联系人电话"),
        Field.DISABILITY_CLASS: _("残疾类别"),
        Field.DISABILITY_GRADE: _("残疾等级"),
        Field.GUARDIAN: _("监护人"),
        Field.AREA: _("建筑面积（平方米）"),
        Field.FLOOR: _("楼层"),
        Field.USE: _("房屋用途"),
        Field.HEAD_NAME: _("户主姓名"),
        Field.TITLE: _("名称"),
        Field.SORT: _("类型"),
        "kind": _("类型"),
        Field.USCC: _("统一社会信用代码"),
        Field.STANDING: _("登记或备案"),
        Field.GRADE: _("评估等级"),
        Field.FILED_NUMBER: _("备案编号"),
        Field.LEADER: _("负责人或联系人"),
        "head": _("户主"),
        Field.POST: _("类别"),
        Field.EMPLOYER: _("所在组织"),
        Field.PAPER: _("证书名称"),
        Field.PAPER_NUMBER: _("证书编号"),
        Field.ISSUED_ON: _("发证日期"),
        Field.EXPIRES_ON: _("到期日期"),
        "left_on": _("离岗日期"),
        Field.PURPOSE: _("服务内容"),
        Field.FOUNDED_ON: _("成立日期"),
        "disbanded_on": _("解散日期"),
        Field.MEMBERS: _("成员"),
        Field.HEADCOUNT: _("自报人数"),
        Field.MEASURE: _("计量单位"),
        Field.QUANTITY: _("数量"),
        Field.PLACE: _("存放地点"),
        Field.LOW_BELOW: _("预警线"),
        "closed_on": _("停用日期"),
        Field.OWNER: _("业主（产权人）"),
        Field.SHARE: _("份额"),
        Field.OWNED_SINCE: _("从哪天起是业主"),
    }
    return known.get(name, name)


def kind(of: ImportKind) -> str:
    return {
        ImportKind.PERSONS: _("居民"),
        ImportKind.UPDATE: _("只更新居民的某几项"),
        ImportKind.HOUSEHOLDS: _("户"),
        ImportKind.DWELLINGS: _("房屋"),
        ImportKind.OWNERS: _("业主（产权人）"),
        ImportKind.FACILITIES: _("服务设施"),
        ImportKind.ORGANISATIONS: _("服务组织"),
        ImportKind.STAFF: _("服务队伍（含证书）"),
        ImportKind.TEAMS: _("志愿队"),
        ImportKind.STOCK: _("物资库存"),
    }[of]


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
        "alike": _("疑似重复"),
        "decided": _("已核实"),
    }[kind]


def undone(kept: int) -> str:
    """What undoing a batch did, as a message."""
    if kept:
        return _("已撤销。有 %(count)d 处后来改过或正在使用，保留原样，列在下面。", count=kept)
    return _("已撤销，登记库和导入前一样。")


def kept(one: Mapping[str, str]) -> tuple[str, str]:
    """A place that undoing left: what it is, and why it stays."""
    tables = {
        "household": _("户"),
        "dwelling": _("房屋"),
        "dwelling_title": _("业主"),
        "building": _("楼栋"),
        "estate": _("小区"),
        "area": _("网格"),
        "facility": _("服务设施"),
        "organisation": _("服务组织"),
        "staff": _("服务队伍"),
        "volunteer_team": _("志愿队"),
        "stock_item": _("物资"),
    }
    what = _("%(kind)s：%(name)s", kind=tables.get(one["table"], one["table"]), name=one["label"])
    if one["why"] == "used":
        return what, _("正在使用（有人登记在这里，或有别的记录用到），没有删除。")
    if one["field"]:
        return what, _("%(field)s后来改过，没有恢复。", field=field(one["field"]))
    return what, _("后来改过，没有删除。")


def skipped(why: str) -> str:
    return {
        "title": _("表头上方的文字"),
        "hint": _("填写提示"),
        "header": _("重复的表头"),
        "end": _("合计或落款"),
    }[why]


def reason(why: Mapping[str, Any]) -> str:
    """One reason of a refused, waiting or alike row, as a sentence that says what to do."""
    if why.get("code") == "alike":
        return _alike(why)
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
        "unknown_person": _("登记库里没有这个人。请核对证件号码，或姓名和出生日期。"),
        "no_key": _("没有证件号码，也没有姓名加出生日期，不知道是谁。"),
        "unread": _("看不懂这一格。请改好再导入，或者这一列选“不导入”。"),
        "no_home": _("没有住址，或看不懂是哪一户房屋。"),
        "no_household": _("没有户号，也没有住址。"),
        "no_owner": _("没有填业主的姓名或单位名称。"),
        "no_room": _("登记库里没有这套房。请核对小区、楼栋、单元和房号；确实有的，请先导入房屋。"),
        "two_areas": _("同一套房在表里有两个面积。先出现的一行照常处理，请核实这一行。"),
        "several_owners": _("这套房登记了几位同名的业主，请补上证件号码再导入。"),
        "one_of_name": _(
            "这套房登记着一位同名的业主，前面一行已经算作这一位。确实还有一位的，请给两行都写上证件号码，"
            "确认这次导入以后再导入一次。"
        ),
        "share": _("看不懂份额，请写成 1/2、50% 或 共同共有。"),
        "twice": _("这一条在表里前面已经出现过。"),
        "no_number_word": _("应填数字。"),
        "unknown_word": _("不认识这个词。"),
        "no_date": _("看不懂这个日期，请写成 2026-05-01 的样子。"),
        "phone": _("电话号码不对，应为 11 位手机号，或区号加号码的座机。"),
        "no_paper": _("写了证书的编号或日期，没有写是什么证书。"),
        "several_staff": _("有几个同名的人，请补上各自的联系电话再导入。"),
        "whole_number": _("应填不超过 1000000 的整数，单位写在另一列，或紧跟在数字后面。"),
        "headcount": _("应填整数，例如 35 或 35人。"),
        "negative": _("不能是负数，应填 0 或更大的整数。"),
        "no_unit": _("没有计量单位，例如 箱、件。"),
        "no_title": _("没有填名称。"),
        "uscc": _("统一社会信用代码的最后一位对不上，请逐位核对；证照上确实如此的，请在服务组织里单独录入。"),
        "uscc_shape": _("统一社会信用代码应为 18 位数字和大写字母。"),
        "head_unknown": _("这一户里没有这个人，请先导入居民。"),
        "several_match": _("登记库里有几个人都可能是他，请补上身份证号码再导入。"),
        "elsewhere": _("这个号码已登记在别的社区，不会改动那边的资料。请联系该社区办理迁移。"),
        "merged": _("登记库里的这份资料已经合并到另一人名下，请到居民查询里核对。"),
        "gone": _("登记库里这个人已迁出或已去世，请到居民查询里核对。"),
        "name_differs": _("登记库里这个号码是另一个名字，请核实后在居民资料里修改。"),
    }.get(str(why.get("code")), str(why.get("code")))


def _alike(why: Mapping[str, Any]) -> str:
    codes = _("、").join(scoring.reason_words(code) for code in why["reasons"])
    if "row" in why:
        return _("与第 %(row)d 行相像 %(score)d 分（%(why)s）。", row=why["row"], score=why["score"], why=codes)
    return _("与登记库里的%(name)s相像 %(score)d 分（%(why)s）。", name=why["name"], score=why["score"], why=codes)


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


def decided(verdict: Verdict, *, confirmed: bool) -> str:
    """What became of a waiting row, as a message."""
    said = {
        Verdict.SAME: _("已按选择合并到原来那一份。") if confirmed else _("已记下，确认导入时合并到原来那一份。"),
        Verdict.DIFFERENT: _("已新建为另一个人。") if confirmed else _("已记下，确认导入时新建为另一个人。"),
        Verdict.DROPPED: _("这一行不导入，以后遇到同样的行也不再提示。"),
        Verdict.LATER: _("已放到最后，有空再看。"),
    }
    return said[verdict]


def verdict(kind: Verdict) -> str:
    return {
        Verdict.SAME: _("同一个人"),
        Verdict.DIFFERENT: _("另一个人"),
        Verdict.DROPPED: _("不导入"),
        Verdict.LATER: _("以后再说"),
    }[kind]


def flags(row: ImportRow) -> list[str]:
    return [words.flag(code) for code in row.flags]


def changes(row: ImportRow) -> list[tuple[str, str, str]]:
    """Each difference as (field, before, after), telephones and numbers masked."""
    found: dict[str, list[Any]] = json.loads(row.changes or "{}")
    order = {field.value: place for place, field in enumerate(Field)}
    ordered = sorted(found.items(), key=lambda item: order.get(item[0], len(order)))
    return [(field(name), value(name, old), value(name, new)) for name, (old, new) in ordered]


def value(name: str, stored: Any) -> str:
    """A stored value in words, telephones and numbers masked."""
    if (not stored and stored != 0) or stored == "unknown":
        return _("（空）")
    speak = SPOKEN.get(name)
    return speak(stored) if speak else _coded(name, stored)


SPOKEN: dict[str, Callable[[Any], str]] = {
    Field.ID_NUMBER: mask_id,
    Field.PHONE: mask_phone,
    Field.CONTACT_PHONE: mask_phone,
    Field.REGISTERED_ADDRESS: lambda stored: mask_middle(stored, 6, 0),
    Field.DIET: lambda stored: "、".join(words.diet(Diet(kind)) for kind in stored.split(",")),
    Field.ETHNICITY: ethnicities.in_words,
    Field.USE: lambda stored: buildings.use_words(DwellingUse(stored)),
    Field.STANDING: lambda stored: resources.word(Standing(stored)),
    Field.GRADE: lambda stored: f"{stored}A",
    Field.POST: lambda stored: resources.word(StaffKind(stored)),
    Field.PAPER_NUMBER: mask_id,
    Field.QUANTITY: str,
    Field.HEADCOUNT: str,
    Field.LOW_BELOW: str,
    "kind": lambda stored: _sort(stored),  # noqa: PLW0108 it stands below
}


def _sort(code: str) -> str:
    """The kind of a facility or an organisation: no code is in both but "other", which reads the same."""
    kind: type[FacilityKind | OrganisationKind] = FacilityKind if code in set(FacilityKind) else OrganisationKind
    return resources.word(kind(code))


CODED: dict[str, tuple[type[StrEnum], Callable[..., str]]] = {
    Field.SEX: (Sex, words.sex),
    Field.RELATION: (Relation, words.relation),
    Field.REGISTRATION: (Registration, words.registration),
    Field.ID_KIND: (IdKind, words.id_kind),
    Field.MARRIAGE: (Marriage, words.marriage),
    Field.SCHOOLING: (Schooling, words.schooling),
    Field.POLITICS: (Politics, words.politics),
    Field.WORK: (Work, words.work),
    Field.PRESENCE: (Presence, words.presence),
    Field.TENURE: (Tenure, words.tenure),
}


def _coded(name: str, value: str) -> str:
    if name not in CODED:
        return value
    kind, speak = CODED[name]
    return speak(kind(value))
