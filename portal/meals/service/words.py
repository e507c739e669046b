"""What the codes of meals are called on screen: one filter, `said`, for every enum that a page shows."""

from collections.abc import Callable
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.meals.models import (
    Days,
    Meal,
    MenuState,
    OrderState,
    PayerLevel,
    Payment,
    RedemptionMeans,
    RegionLevel,
    SetClass,
    SubsidyKind,
    Way,
)
from portal.registry.models import Diet, TagKind

# Pairs and not a mapping: StrEnums of two kinds may hold the same text, and a mapping could not tell them apart.
_WORDS: dict[type[StrEnum], dict[StrEnum, Callable[[], str]]] = {
    Meal: {Meal.BREAKFAST: _l("早餐"), Meal.LUNCH: _l("午餐"), Meal.DINNER: _l("晚餐")},
    Way: {Way.DINE_IN: _l("堂食"), Way.TAKE_AWAY: _l("自取"), Way.DELIVERY: _l("送餐上门")},
    SetClass: {SetClass.BASIC: _l("基础套餐"), SetClass.DIETARY: _l("慢病专属餐")},
    MenuState: {
        MenuState.DRAFT: _l("草稿"),
        MenuState.PUBLISHED: _l("已发布"),
        MenuState.WITHDRAWN: _l("已撤回"),
    },
    OrderState: {
        OrderState.BOOKED: _l("已预订"),
        OrderState.CANCELLED: _l("已取消"),
        OrderState.COLLECTED: _l("已取餐"),
        OrderState.NO_SHOW: _l("未取餐"),
    },
    Payment: {Payment.CASH: _l("现金"), Payment.CARD: _l("刷卡"), Payment.WAIVED: _l("免收")},
    RedemptionMeans: {
        RedemptionMeans.QR: _l("扫码"),
        RedemptionMeans.CODE: _l("取餐码"),
        RedemptionMeans.NAME: _l("姓名"),
        RedemptionMeans.OUTAGE_LIST: _l("断网名单"),
    },
    PayerLevel: {
        PayerLevel.CITY: _l("市级"),
        PayerLevel.DISTRICT: _l("区级"),
        PayerLevel.STREET: _l("街道"),
        PayerLevel.VILLAGE: _l("村集体"),
    },
    RegionLevel: {
        RegionLevel.ANY: _l("不限户籍"),
        RegionLevel.CITY: _l("本市户籍"),
        RegionLevel.DISTRICT: _l("本区户籍"),
        RegionLevel.STREET: _l("本街道户籍"),
    },
    SubsidyKind: {
        SubsidyKind.REDUCTION: _l("每餐减"),
        SubsidyKind.SHARE: _l("按比例减"),
        SubsidyKind.FIXED_PRICE: _l("固定自付"),
    },
    Days: {Days.ALL: _l("每天"), Days.WORKING: _l("工作日")},
    Diet: {
        Diet.LOW_SUGAR: _l("低糖"),
        Diet.LOW_SALT: _l("低盐"),
        Diet.LOW_FAT: _l("低脂"),
        Diet.SOFT: _l("软食"),
        Diet.SEMI_LIQUID: _l("半流食"),
        Diet.VEGETARIAN: _l("素食"),
        Diet.HALAL: _l("清真"),
    },
    TagKind: {
        TagKind.LIVING_ALONE: _l("独居"),
        TagKind.EMPTY_NEST: _l("空巢"),
        TagKind.LEFT_BEHIND: _l("留守"),
        TagKind.DISABLED_ELDER: _l("失能"),
        TagKind.SEVERELY_DISABLED: _l("重残"),
        TagKind.FAMILY_PLANNING: _l("计生特殊家庭"),
        TagKind.LOW_INCOME: _l("低保"),
        TagKind.LOW_INCOME_EDGE: _l("低保边缘"),
        TagKind.DESTITUTE: _l("特困"),
        TagKind.MERIT_FAMILY: _l("三属五老"),
        TagKind.BEREAVED: _l("失独"),
        TagKind.BASIC_ELDERCARE: _l("基本养老服务对象"),
        TagKind.CHILD_IN_DIFFICULTY: _l("困境儿童"),
    },
}


def said(value: StrEnum) -> str:
    """The word for an enum's member, in the reader's language."""
    return str(_WORDS[type(value)][value])


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Pairs of (value, word) for a form, in the order they are declared."""
    return [(member.value, str(word)) for member, word in _WORDS[kind].items()]


def diet_words(codes: list[str]) -> list[str]:
    """The words for diet codes as a dish keeps them."""
    return [said(Diet(code)) for code in codes]
