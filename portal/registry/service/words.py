"""The words for what a register holds: tags, diets, relations, states, and what is still to be completed.

The tables hold lazy words, so that looking one up translates one.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.ids import Sex
from portal.registry.models import (
    Diet,
    HappeningKind,
    IdKind,
    Marriage,
    PersonState,
    Politics,
    Presence,
    Registration,
    Relation,
    RestrictedKind,
    Schooling,
    Source,
    TagKind,
    Tenure,
    Work,
)

_TAG = {
    TagKind.LIVING_ALONE: _l("独居"),
    TagKind.EMPTY_NEST: _l("空巢"),
    TagKind.LEFT_BEHIND: _l("留守"),
    TagKind.DISABLED_ELDER: _l("失能"),
    TagKind.SEVERELY_DISABLED: _l("重残"),
    TagKind.FAMILY_PLANNING: _l("计划生育特殊家庭"),
    TagKind.LOW_INCOME: _l("低保"),
    TagKind.LOW_INCOME_EDGE: _l("低保边缘"),
    TagKind.DESTITUTE: _l("特困"),
    TagKind.MERIT_FAMILY: _l("优抚对象"),
    TagKind.BEREAVED: _l("失独"),
    TagKind.BASIC_ELDERCARE: _l("基本养老服务对象"),
    TagKind.CHILD_IN_DIFFICULTY: _l("困境儿童"),
    TagKind.LEFT_BEHIND_CHILD: _l("留守儿童"),
    TagKind.ORPHAN: _l("孤儿"),
    TagKind.LEFT_BEHIND_WOMAN: _l("留守妇女"),
    TagKind.DISABLED: _l("残疾人"),
    TagKind.LOW_EARNING: _l("低收入"),
    TagKind.VETERAN: _l("退役军人"),
    TagKind.HARDSHIP_WORKER: _l("困难职工"),
    TagKind.NO_EARNER_FAMILY: _l("零就业家庭成员"),
    TagKind.UNEMPLOYED: _l("失业人员"),
    TagKind.MIGRANT_WORKER: _l("农民工"),
}


def tag(kind: TagKind) -> str:
    return str(_TAG[kind])


_RESTRICTED = {
    RestrictedKind.SEVERE_MENTAL_ILLNESS: _l("严重精神障碍患者"),
    RestrictedKind.COMMUNITY_CORRECTION: _l("社区矫正人员"),
    RestrictedKind.YOUTH_AT_RISK: _l("有不良行为青少年"),
    RestrictedKind.CHILD_OF_PRISONER: _l("服刑、戒毒人员未成年子女"),
}


def restricted(kind: RestrictedKind) -> str:
    return str(_RESTRICTED[kind])


_DIET = {
    Diet.LOW_SUGAR: _l("低糖"),
    Diet.LOW_SALT: _l("低盐"),
    Diet.LOW_FAT: _l("低脂"),
    Diet.SOFT: _l("软食"),
    Diet.SEMI_LIQUID: _l("半流质"),
    Diet.VEGETARIAN: _l("素食"),
    Diet.HALAL: _l("清真"),
}


def diet(kind: Diet) -> str:
    return str(_DIET[kind])


_RELATION = {
    Relation.HEAD: _l("户主"),
    Relation.SPOUSE: _l("配偶"),
    Relation.SON: _l("儿子"),
    Relation.DAUGHTER: _l("女儿"),
    Relation.GRANDCHILD: _l("孙辈"),
    Relation.PARENT: _l("父母"),
    Relation.GRANDPARENT: _l("祖辈"),
    Relation.SIBLING: _l("兄弟姐妹"),
    Relation.OTHER: _l("其他"),
}


def relation(kind: Relation) -> str:
    return str(_RELATION[kind])


_REGISTRATION = {
    Registration.LOCAL: _l("本地户籍"),
    Registration.OUTSIDE: _l("外地户籍"),
    Registration.UNKNOWN: _l("户籍未登记"),
}


def registration(kind: Registration) -> str:
    return str(_REGISTRATION[kind])


def sex(kind: Sex) -> str:
    return str({Sex.FEMALE: _l("女"), Sex.MALE: _l("男"), Sex.UNKNOWN: _l("未登记")}[kind])


_STATE = {
    PersonState.PRESENT: _l("在住"),
    PersonState.MOVED_OUT: _l("已迁出"),
    PersonState.DEAD: _l("已去世"),
}


def state(kind: PersonState) -> str:
    return str(_STATE[kind])


_ID_KIND = {
    IdKind.ID_CARD: _l("居民身份证"),
    IdKind.RESIDENCE_PERMIT: _l("港澳台居民居住证"),
    IdKind.PASSPORT: _l("护照"),
    IdKind.TRAVEL_PERMIT: _l("港澳台居民来往内地通行证"),
    IdKind.FOREIGNER_PERMIT: _l("外国人永久居留身份证"),
    IdKind.OTHER: _l("其他证件"),
}


def id_kind(kind: IdKind) -> str:
    return str(_ID_KIND[kind])


_MARRIAGE = {
    Marriage.SINGLE: _l("未婚"),
    Marriage.MARRIED: _l("已婚"),
    Marriage.WIDOWED: _l("丧偶"),
    Marriage.DIVORCED: _l("离婚"),
    Marriage.UNKNOWN: _l("未登记"),
}


def marriage(kind: Marriage) -> str:
    return str(_MARRIAGE[kind])


_SCHOOLING = {
    Schooling.GRADUATE: _l("研究生"),
    Schooling.UNIVERSITY: _l("大学本科"),
    Schooling.COLLEGE: _l("大专"),
    Schooling.VOCATIONAL: _l("中专、中技"),
    Schooling.SENIOR_HIGH: _l("高中"),
    Schooling.JUNIOR_HIGH: _l("初中"),
    Schooling.PRIMARY: _l("小学"),
    Schooling.NONE: _l("未上过学"),
    Schooling.UNKNOWN: _l("未登记"),
}


def schooling(kind: Schooling) -> str:
    return str(_SCHOOLING[kind])


_POLITICS = {
    Politics.PARTY_MEMBER: _l("中共党员"),
    Politics.PROBATIONARY: _l("中共预备党员"),
    Politics.LEAGUE_MEMBER: _l("共青团员"),
    Politics.DEMOCRATIC_PARTY: _l("民主党派"),
    Politics.MASSES: _l("群众"),
    Politics.UNKNOWN: _l("未登记"),
}


def politics(kind: Politics) -> str:
    return str(_POLITICS[kind])


_WORK = {
    Work.EMPLOYED: _l("在职"),
    Work.SELF_EMPLOYED: _l("个体经营"),
    Work.FARMING: _l("务农"),
    Work.UNEMPLOYED: _l("待业"),
    Work.RETIRED: _l("离退休"),
    Work.STUDENT: _l("在校学生"),
    Work.AT_HOME: _l("在家"),
    Work.UNKNOWN: _l("未登记"),
}


def work(kind: Work) -> str:
    return str(_WORK[kind])


_PRESENCE = {
    Presence.BOTH_HERE: _l("户在人在"),
    Presence.ONLY_REGISTERED: _l("户在人不在"),
    Presence.ONLY_LIVING: _l("人在户不在"),
    Presence.UNKNOWN: _l("未登记"),
}


def presence(kind: Presence) -> str:
    return str(_PRESENCE[kind])


_TENURE = {
    Tenure.OWNER: _l("自有"),
    Tenure.TENANT: _l("租住"),
    Tenure.LODGER: _l("寄住"),
    Tenure.UNKNOWN: _l("未登记"),
}


def tenure(kind: Tenure) -> str:
    return str(_TENURE[kind])


_HAPPENING = {
    HappeningKind.BIRTH: _l("出生"),
    HappeningKind.DEATH: _l("去世"),
    HappeningKind.MOVE_IN: _l("迁入"),
    HappeningKind.MOVE_OUT: _l("迁出"),
    HappeningKind.ABSENCE: _l("临时外出"),
    HappeningKind.RETURN: _l("外出返回"),
    HappeningKind.SPLIT: _l("分户"),
    HappeningKind.JOIN: _l("并户"),
    HappeningKind.HEAD_CHANGE: _l("变更户主"),
    HappeningKind.MERGE: _l("合并重复登记"),
}


def happening(kind: HappeningKind) -> str:
    return str(_HAPPENING[kind])


_SOURCE = {
    Source.WORKER: _l("工作人员修改"),
    Source.IMPORT: _l("登记表导入"),
    Source.RESIDENT: _l("居民本人更正"),
    Source.EVENT: _l("登记事件"),
    Source.MERGE: _l("合并重复登记"),
    Source.SYSTEM: _l("系统"),
}


def source(kind: Source) -> str:
    return str(_SOURCE[kind])


def flag(code: str) -> str:
    """What a worker should complete, in words; a code from a later version stands for itself."""
    known = {
        "no_number": _("缺身份证号码"),
        "phone_doubtful": _("电话待核对"),
        "sex_contradicts": _("性别与身份证号码不一致"),
        "birth_contradicts": _("出生日期与身份证号码不一致"),
        "birth_doubtful": _("出生日期待核对"),
        "age_doubtful": _("年龄超过 120 岁"),
        "address_differs": _("住址与本户登记的不一致"),
        "address_doubtful": _("住址待核对"),
        "unknown_tag": _("有不认识的人群标签"),
        "unknown_diet": _("有不认识的饮食要求"),
        "unknown_relation": _("与户主关系待核对"),
        "unknown_registration": _("户籍情况待核对"),
        "old_number": _("15 位旧身份证号码，已换算，待核对"),
        "head_unknown": _("登记表里的户主没有对上"),
        "employer_unknown": _("登记库里没有这个组织，所在组织没有填"),
        "leader_unknown": _("队长没有对上居民登记，没有填"),
        "member_unknown": _("有成员没有对上居民登记，没有加入"),
        "area_differs": _("面积和登记库里的不一样，确认后按表里的改"),
        "owner_beside": _("这套房还登记着别的业主；已经卖出的，请在房屋页面结束原来那位"),
        "owner_name_differs": _("这个证件号码在登记库里是另一个名字，没有对上居民，请核对"),
    }
    return known.get(code, code)


# What a worker fills in; every other flag is something to look at again.
MISSING = frozenset({"no_number"})


def flag_sentences(codes: Iterable[str]) -> list[str]:
    """What stands above a record: what is to be completed, then what contradicts itself or is doubtful."""
    held = list(codes)
    missing = _("、").join(flag(code) for code in held if code in MISSING)
    doubtful = _("、").join(flag(code) for code in held if code not in MISSING)
    said = [_("请补充：%(what)s", what=missing)] if missing else []
    return said + ([_("请核对：%(what)s", what=doubtful)] if doubtful else [])


def in_words(value: StrEnum | str) -> str:
    """The word for whatever a record holds as a code."""
    speakers: dict[type, Callable[..., str]] = {
        TagKind: tag,
        Diet: diet,
        Relation: relation,
        Registration: registration,
        Sex: sex,
        PersonState: state,
        IdKind: id_kind,
        Marriage: marriage,
        Schooling: schooling,
        Politics: politics,
        Work: work,
        Presence: presence,
        Tenure: tenure,
        RestrictedKind: restricted,
        HappeningKind: happening,
        Source: source,
    }
    return speakers.get(type(value), flag)(value)
