"""The words for what a register holds: tags, diets, relations, states, and what is still to be completed.

The tables hold lazy words, so that looking one up translates one.
"""

from collections.abc import Callable
from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.ids import Sex
from portal.registry.models import Diet, PersonState, Registration, Relation, TagKind


def tag(kind: TagKind) -> str:
    return str(
        {
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
        }[kind]
    )


def diet(kind: Diet) -> str:
    return str(
        {
            Diet.LOW_SUGAR: _l("低糖"),
            Diet.LOW_SALT: _l("低盐"),
            Diet.LOW_FAT: _l("低脂"),
            Diet.SOFT: _l("软食"),
            Diet.SEMI_LIQUID: _l("半流质"),
            Diet.VEGETARIAN: _l("素食"),
            Diet.HALAL: _l("清真"),
        }[kind]
    )


def relation(kind: Relation) -> str:
    return str(
        {
            Relation.HEAD: _l("户主"),
            Relation.SPOUSE: _l("配偶"),
            Relation.SON: _l("儿子"),
            Relation.DAUGHTER: _l("女儿"),
            Relation.GRANDCHILD: _l("孙辈"),
            Relation.PARENT: _l("父母"),
            Relation.GRANDPARENT: _l("祖辈"),
            Relation.SIBLING: _l("兄弟姐妹"),
            Relation.OTHER: _l("其他"),
        }[kind]
    )


def registration(kind: Registration) -> str:
    return str(
        {
            Registration.LOCAL: _l("本地户籍"),
            Registration.OUTSIDE: _l("外地户籍"),
            Registration.UNKNOWN: _l("户籍未登记"),
        }[kind]
    )


def sex(kind: Sex) -> str:
    return str({Sex.FEMALE: _l("女"), Sex.MALE: _l("男"), Sex.UNKNOWN: _l("未登记")}[kind])


def state(kind: PersonState) -> str:
    return str(
        {
            PersonState.PRESENT: _l("在住"),
            PersonState.MOVED_OUT: _l("已迁出"),
            PersonState.DEAD: _l("已去世"),
        }[kind]
    )


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
