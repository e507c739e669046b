"""What the codes of meals are called on screen: one filter, `said`, for every enum that a page shows."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import local
from portal.core.web import day_words
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
from portal.registry.service import words as registry

# By kind first: StrEnums of two kinds may hold the same text, and one mapping could not tell them apart.
_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
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
    Payment: {
        Payment.CASH: _l("现金"),
        Payment.CARD: _l("刷卡"),
        Payment.WAIVED: _l("免收"),
        Payment.POINTS: _l("积分"),
    },
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
}


@lru_cache(maxsize=1024)
def _written(day: date, pattern: str, locale: str) -> str:
    """A page writes the same few days again and again."""
    return format_date(day, pattern, locale=locale)


def said(value: StrEnum) -> str:
    """The word for an enum's member, in the reader's language."""
    if isinstance(value, Diet):
        return registry.diet(value)
    if isinstance(value, TagKind):
        return registry.tag(value)
    return str(_WORDS[type(value)][value])


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Pairs of (value, word) for a form, in the order they are declared."""
    return [(member.value, said(member)) for member in kind]


def diet_words(codes: list[str]) -> list[str]:
    """The words for diet codes as a dish keeps them."""
    return [said(Diet(code)) for code in codes]


def meal_said(code: str) -> str:
    """The word for a meal's code, as a notice carries it."""
    return said(Meal(code))


def way_said(code: str) -> str:
    return said(Way(code))


def tag_said(code: str) -> str:
    return said(TagKind(code))


def near_day(day: date, today: date) -> str:
    """A day as people say it: 今天, 明天, 后天, else 11月23日 周一."""
    near = {0: _("今天"), 1: _("明天"), 2: _("后天")}
    return near.get((day - today).days) or day_words(day)


def tab_day(day: date, today: date) -> str:
    """The same in the few signs a tab has room for: 今天, 明天, 后天, else 25日 周三."""
    return near_day(day, today) if (day - today).days in range(3) else _written(day, _("d日 EEE"), str(get_locale()))


def iso_day(text: str) -> str:
    """A day as a notice carries it, in words: 11月23日 周一."""
    return day_words(date.fromisoformat(text))


def cutoff_words(cutoff_at: datetime, at: datetime) -> str:
    """Until when orders are taken: 今天 09:00 截止, or that it is over."""
    if at >= cutoff_at:
        return _("已截止")
    moment = local(cutoff_at)
    return _("%(day)s %(time)s 截止", day=near_day(moment.date(), local(at).date()), time=f"{moment:%H:%M}")


def week_from(first: date) -> list[date]:
    return [first + timedelta(days=count) for count in range(7)]
