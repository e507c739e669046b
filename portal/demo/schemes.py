"""The subsidy schemes of five real places as rules, each with its source, to be bound to communities by code.

The shapes are the published ones; where a source leaves a condition open, the note beside the rule says what we took.
"""

from datetime import date
from typing import Any

from portal.meals.models import (
    Days,
    Meal,
    PayerLevel,
    RegionLevel,
    SetClass,
    SubsidyKind,
    SubsidyRule,
)
from portal.registry.models import TagKind

BEIJING, SHENZHEN, ZHUHAI, HEFEI, ZHIXI = (
    "北京老年助餐",
    "深圳长者助餐",
    "珠海高新区长者饭堂",
    "合肥老年助餐",
    "芷溪村老年食堂",
)
SINCE = date(2022, 1, 1)
LUNCH, LUNCH_OR_DINNER = [Meal.LUNCH.value], [Meal.LUNCH.value, Meal.DINNER.value]
KEY_TAGS = (
    TagKind.DESTITUTE,
    TagKind.LOW_INCOME,
    TagKind.LOW_INCOME_EDGE,
    TagKind.MERIT_FAMILY,
    TagKind.BEREAVED,
)


def _rule(scheme: str, name: str, area_code: str, source: str, **shape: Any) -> SubsidyRule:
    """One rule with every column said, so that it can decide before it was ever stored."""
    columns: dict[str, Any] = {
        "kind": SubsidyKind.REDUCTION,
        "amount_fen": 0,
        "permille": 0,
        "age_from": None,
        "age_to": None,
        "region_level": RegionLevel.ANY,
        "region_code": "",
        "tags": [],
        "meals": [],
        "set_class": None,
        "days": Days.ALL,
        "least_bill_fen": 0,
        "strictly_above": False,
        "counts_delivery": False,
        "cap_meal_fen": None,
        "cap_day_fen": None,
        "cap_month_fen": None,
        "times_per_day": None,
        "stackable": False,
        "valid_from": SINCE,
        "valid_to": None,
        "confirmed_by": "",
    }
    return SubsidyRule(scheme=scheme, name=name, area_code=area_code, source=source, **(columns | shape))


def beijing(area_code: str) -> list[SubsidyRule]:
    """5 yuan a person and day, lunch or dinner, only when the bill is above the subsidy."""
    return [
        _rule(
            BEIJING,
            "基本养老服务对象就餐补贴",
            area_code,
            "北京日报 2022-03-31：基本养老服务对象午或晚餐 5 元/人/天，餐费大于补贴时抵扣",
            payer=PayerLevel.CITY,
            amount_fen=500,
            tags=[TagKind.BASIC_ELDERCARE.value],
            meals=LUNCH_OR_DINNER,
            least_bill_fen=500,
            strictly_above=True,
            times_per_day=1,
        )
    ]


def shenzhen(area_code: str, city_code: str) -> list[SubsidyRule]:
    """Lunch on working days: key groups of 60 and above up to 15 yuan, registered 70 to 99 up to 5, the better one."""
    source = "幸福福田 2023：工作日午餐，60 岁以上重点对象不超过 15 元/餐，深户 70–99 岁不超过 5 元/餐"
    lunch: dict[str, Any] = {"payer": PayerLevel.DISTRICT, "meals": LUNCH, "days": Days.WORKING}
    key_groups = [tag.value for tag in KEY_TAGS]
    registered: dict[str, Any] = {"region_level": RegionLevel.CITY, "region_code": city_code}
    return [
        _rule(SHENZHEN, "重点对象午餐补贴", area_code, source, amount_fen=1500, age_from=60, tags=key_groups, **lunch),
        # The source counts those of 100 years among the key groups; they need no tag.
        _rule(SHENZHEN, "百岁老人午餐补贴", area_code, source, amount_fen=1500, age_from=100, **lunch),
        _rule(
            SHENZHEN,
            "深户 70–99 岁午餐补贴",
            area_code,
            source,
            amount_fen=500,
            age_from=70,
            age_to=99,
            **registered,
            **lunch,
        ),
    ]


def zhuhai(area_code: str, city_code: str, district_code: str) -> list[SubsidyRule]:
    """60 and above, a bill of 10 yuan or more without delivery: city 3 and district 3, both, once a day."""
    source = "珠海高新区：60 岁以上，餐费满 10 元（不含配送费），市户籍 3 元/餐，区户籍再加 3 元/餐，每天一次"
    both: dict[str, Any] = {
        "amount_fen": 300,
        "age_from": 60,
        "least_bill_fen": 1000,
        "times_per_day": 1,
        "stackable": True,
    }
    return [
        _rule(
            ZHUHAI,
            "市户籍长者补贴",
            area_code,
            source,
            payer=PayerLevel.CITY,
            region_level=RegionLevel.CITY,
            region_code=city_code,
            **both,
        ),
        _rule(
            ZHUHAI,
            "区户籍长者补贴",
            area_code,
            source,
            payer=PayerLevel.DISTRICT,
            region_level=RegionLevel.DISTRICT,
            region_code=district_code,
            **both,
        ),
    ]


def hefei(area_code: str, city_code: str) -> list[SubsidyRule]:
    """60 and above, registered: 5 yuan for a basic set meal, 8 for one made for diabetes or high blood pressure."""
    source = "合肥 2025：60 岁以上户籍老人，基础套餐补 5 元（自付 3 元），糖尿病、高血压专属餐补 8 元"
    registered: dict[str, Any] = {
        "payer": PayerLevel.CITY,
        "age_from": 60,
        "region_level": RegionLevel.CITY,
        "region_code": city_code,
    }
    return [
        _rule(HEFEI, "基础套餐补贴", area_code, source, amount_fen=500, set_class=SetClass.BASIC, **registered),
        _rule(HEFEI, "慢病专属餐补贴", area_code, source, amount_fen=800, set_class=SetClass.DIETARY, **registered),
    ]


def zhixi(area_code: str) -> list[SubsidyRule]:
    """A fixed price by age: 60 to 75 pays 5 yuan, 76 to 89 pays 3, 90 and above nothing. Lunch, ordered a day ahead."""
    source = "芷溪村：60–75 岁付 5 元，76–89 岁付 3 元，90 岁以上免费；提前一天预订，11:20–12:30 用餐"
    fixed: dict[str, Any] = {"payer": PayerLevel.VILLAGE, "kind": SubsidyKind.FIXED_PRICE, "meals": LUNCH}
    return [
        _rule(ZHIXI, "60–75 岁午餐", area_code, source, amount_fen=500, age_from=60, age_to=75, **fixed),
        _rule(ZHIXI, "76–89 岁午餐", area_code, source, amount_fen=300, age_from=76, age_to=89, **fixed),
        _rule(ZHIXI, "90 岁以上午餐", area_code, source, amount_fen=0, age_from=90, **fixed),
    ]


def schemes(
    *, beijing_at: str, shenzhen_at: str, zhuhai_at: str, hefei_at: str, zhixi_at: str, registered: str
) -> list[SubsidyRule]:
    """All five, each at the area given for it; `registered` is the street's code, for rules that ask registration."""
    return [
        *beijing(beijing_at),
        *shenzhen(shenzhen_at, registered),
        *zhuhai(zhuhai_at, registered, registered),
        *hefei(hefei_at, registered),
        *zhixi(zhixi_at),
    ]
