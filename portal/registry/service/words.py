"""The words for what a register holds: tags, diets, relations, states, and what is still to be completed."""

from collections.abc import Callable
from enum import StrEnum

from flask_babel import gettext as _

from portal.core.ids import Sex
from portal.registry.models import Diet, PersonState, Registration, Relation, TagKind


def tag(kind: TagKind) -> str:
    return {
        TagKind.LIVING_ALONE: _("独居"),
        TagKind.EMPTY_NEST: _("空巢"),
        TagKind.LEFT_BEHIND: _("留守"),
        TagKind.DISABLED_ELDER: _("失能"),
        TagKind.SEVERELY_DISABLED: _("重残"),
        TagKind.FAMILY_PLANNING: _("计划生育特殊家庭"),
        TagKind.LOW_INCOME: _("低保"),
        TagKind.LOW_INCOME_EDGE: _("低保边缘"),
        TagKind.DESTITUTE: _("特困"),
        TagKind.MERIT_FAMILY: _("优抚对象"),
        TagKind.BEREAVED: _("失独"),
        TagKind.BASIC_ELDERCARE: _("基本养老服务对象"),
        TagKind.CHILD_IN_DIFFICULTY: _("困境儿童"),
    }[kind]


def diet(kind: Diet) -> str:
    return {
        Diet.LOW_SUGAR: _("低糖"),
        Diet.LOW_SALT: _("低盐"),
        Diet.LOW_FAT: _("低脂"),
        Diet.SOFT: _("软食"),
        Diet.SEMI_LIQUID: _("半流质"),
        Diet.VEGETARIAN: _("素食"),
        Diet.HALAL: _("清真"),
    }[kind]


def relation(kind: Relation) -> str:
    return {
        Relation.HEAD: _("户主"),
        Relation.SPOUSE: _("配偶"),
        Relation.SON: _("儿子"),
        Relation.DAUGHTER: _("女儿"),
        Relation.GRANDCHILD: _("孙辈"),
        Relation.PARENT: _("父母"),
        Relation.GRANDPARENT: _("祖辈"),
        Relation.SIBLING: _("兄弟姐妹"),
        Relation.OTHER: _("其他"),
    }[kind]


def registration(kind: Registration) -> str:
    return {
        Registration.LOCAL: _("本地户籍"),
        Registration.OUTSIDE: _("外地户籍"),
        Registration.UNKNOWN: _("户籍未登记"),
    }[kind]


def sex(kind: Sex) -> str:
    return {Sex.FEMALE: _("女"), Sex.MALE: _("男"), Sex.UNKNOWN: _("未登记")}[kind]


def state(kind: PersonState) -> str:
    return {
        PersonState.PRESENT: _("在住"),
        PersonState.MOVED_OUT: _("已迁出"),
        PersonState.DEAD: _("已去世"),
    }[kind]


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
    }
    return known.get(code, code)


def in_words(value: StrEnum | str) -> str:
    """The word for whatever a record holds as a code."""
    speakers: dict[type, Callable[..., str]] = {
        TagKind: tag,
        Diet: diet,
        Relation: relation,
        Registration: registration,
        Sex: sex,
        PersonState: state,
    }
    return speakers.get(type(value), flag)(value)
