"""The subsidy rules of five real places against their published figures, boundaries included."""

from dataclasses import replace
from datetime import date

import pytest

from portal.core import calendar
from portal.core.clock import full_years
from portal.core.db import transaction
from portal.demo import schemes
from portal.meals.models import Meal, PayerLevel, SetClass, SubsidyKind, SubsidyRule
from portal.meals.service.entitlements import Bill, Facts, Portion, Used, at_canteen, decide, facts_of, short
from portal.registry.models import Registration, TagKind

HERE = "440300001001"
ELDER = Facts(age=73, registration_code="", tags=frozenset(), meal=Meal.LUNCH, working_day=True)


@pytest.fixture(autouse=True)
def words(app):
    """Sentences are spoken in an application's language."""
    with app.app_context():
        yield


def bill(*prices, delivery=0, set_class=SetClass.BASIC):
    return Bill(tuple(Portion(price, set_class) for price in prices), delivery)


def paid(rules, facts, asked, used=None):
    """What is left to pay, in fen."""
    numbered(rules)
    return asked.total_fen - decide(rules, facts, asked, used or {}).total_fen


def numbered(rules):
    for number, rule in enumerate(rules, start=1):
        rule.id = rule.id or number
    return rules


def rule(**shape):
    return schemes._rule("测试", shape.pop("name", "测试补贴"), "", "测试", **({"payer": PayerLevel.CITY} | shape))


# Beijing: 5 yuan a day, lunch or dinner, only when the bill is above the subsidy.

BASIC = replace(ELDER, tags=frozenset({TagKind.BASIC_ELDERCARE}))


@pytest.mark.parametrize(("price", "left"), [(499, 499), (500, 500), (501, 1), (1200, 700)])
def test_beijing_reduces_only_a_bill_above_the_subsidy(price, left):
    assert paid(schemes.beijing(HERE), BASIC, bill(price)) == left


@pytest.mark.parametrize(("meal", "left"), [(Meal.BREAKFAST, 1200), (Meal.LUNCH, 700), (Meal.DINNER, 700)])
def test_beijing_pays_for_lunch_or_dinner(meal, left):
    assert paid(schemes.beijing(HERE), replace(BASIC, meal=meal), bill(1200)) == left


def test_beijing_asks_for_the_tag_of_basic_eldercare():
    assert paid(schemes.beijing(HERE), ELDER, bill(1200)) == 1200


def test_beijing_pays_once_a_day_and_says_why_not_twice():
    rules = numbered(schemes.beijing(HERE))
    second = decide(rules, replace(BASIC, meal=Meal.DINNER), bill(1200), {1: Used(day_fen=500, day_times=1)})
    assert second.total_fen == 0
    assert "每天最多 1 次" in second.remarks[0]


# Shenzhen: lunch on working days, key groups up to 15 yuan, registered 70 to 99 up to 5.

SHENZHEN = replace(ELDER, registration_code="440304000")


@pytest.mark.parametrize(("age", "left"), [(69, 1800), (70, 1300), (73, 1300), (99, 1300), (100, 300)])
def test_shenzhen_pays_five_from_70_to_99_and_fifteen_from_100(age, left):
    assert paid(schemes.shenzhen(HERE, "440300"), replace(SHENZHEN, age=age), bill(1800)) == left


@pytest.mark.parametrize(("age", "left"), [(59, 1800), (60, 300), (85, 300)])
@pytest.mark.parametrize("tag", schemes.KEY_TAGS)
def test_shenzhen_pays_key_groups_fifteen_from_60(age, left, tag):
    facts = replace(SHENZHEN, age=age, tags=frozenset({tag}))
    assert paid(schemes.shenzhen(HERE, "440300"), facts, bill(1800)) == left


def test_shenzhen_pays_at_most_what_the_meal_costs():
    facts = replace(SHENZHEN, tags=frozenset({TagKind.DESTITUTE}))
    assert paid(schemes.shenzhen(HERE, "440300"), facts, bill(1300)) == 0


def test_shenzhen_takes_the_better_of_two_rules_and_says_so():
    facts = replace(SHENZHEN, age=80, tags=frozenset({TagKind.LOW_INCOME}))
    decision = decide(numbered(schemes.shenzhen(HERE, "440300")), facts, bill(1800), {})
    assert [line.amount_fen for line in decision.lines] == [1500]
    assert any("不能与" in remark for remark in decision.remarks)


def test_shenzhen_asks_for_registration_in_the_city_but_not_of_key_groups():
    outside = replace(ELDER, registration_code="440402")
    rules = schemes.shenzhen(HERE, "440300")
    assert paid(rules, outside, bill(1800)) == 1800
    assert paid(rules, replace(outside, tags=frozenset({TagKind.BEREAVED})), bill(1800)) == 300


@pytest.mark.parametrize(("working", "left"), [(True, 1300), (False, 1800)])
def test_shenzhen_pays_on_working_days_only(working, left):
    assert paid(schemes.shenzhen(HERE, "440300"), replace(SHENZHEN, working_day=working), bill(1800)) == left


def test_shenzhen_pays_for_lunch_only():
    assert paid(schemes.shenzhen(HERE, "440300"), replace(SHENZHEN, meal=Meal.DINNER), bill(1800)) == 1800


def test_a_line_says_the_rule_the_reason_and_the_amount():
    decision = decide(numbered(schemes.shenzhen(HERE, "440300")), SHENZHEN, bill(1800), {})
    assert decision.lines[0].sentence == "深户 70–99 岁午餐补贴：满 73 岁，本市户籍，每餐减 5 元"


# Zhuhai: 60 and above, 10 yuan without delivery, city 3 and district 3, stackable, once a day.

ZHUHAI = ("440400000001", "440400", "440402")
DISTRICT = replace(ELDER, age=60, registration_code="440402001")
CITY = replace(DISTRICT, registration_code="440403001")


@pytest.mark.parametrize(("price", "left"), [(999, 999), (1000, 400), (1500, 900)])
def test_zhuhai_asks_for_a_bill_of_ten_yuan(price, left):
    assert paid(schemes.zhuhai(*ZHUHAI), DISTRICT, bill(price)) == left


def test_zhuhai_does_not_count_the_delivery_fee():
    assert paid(schemes.zhuhai(*ZHUHAI), DISTRICT, bill(999, delivery=200)) == 1199
    assert paid(schemes.zhuhai(*ZHUHAI), DISTRICT, bill(1000, delivery=200)) == 600


@pytest.mark.parametrize(("code", "left"), [("440402", 900), ("440403", 1200), ("4404", 1200), ("440300", 1500)])
def test_zhuhai_adds_city_and_district_registration(code, left):
    assert paid(schemes.zhuhai(*ZHUHAI), replace(DISTRICT, registration_code=code), bill(1500)) == left


@pytest.mark.parametrize(("age", "left"), [(59, 1500), (60, 900)])
def test_zhuhai_begins_at_60(age, left):
    assert paid(schemes.zhuhai(*ZHUHAI), replace(DISTRICT, age=age), bill(1500)) == left


def test_zhuhai_pays_once_a_day():
    rules = numbered(schemes.zhuhai(*ZHUHAI))
    had = Used(day_fen=300, day_times=1)
    assert paid(rules, DISTRICT, bill(1500), {1: had, 2: had}) == 1500


# Hefei: 60 and above, registered: basic set 5 yuan, dietary set 8.

HEFEI = replace(ELDER, age=60, registration_code="340102")


def test_hefei_leaves_three_yuan_of_the_basic_set():
    assert paid(schemes.hefei("340100000001", "340100"), HEFEI, bill(800)) == 300


def test_hefei_pays_eight_for_the_dietary_set():
    rules = schemes.hefei("340100000001", "340100")
    assert paid(rules, HEFEI, bill(1200, set_class=SetClass.DIETARY)) == 400


def test_hefei_pays_for_one_of_two_sets_the_better_one():
    both = Bill((Portion(800, SetClass.BASIC), Portion(1200, SetClass.DIETARY)))
    assert paid(schemes.hefei("340100000001", "340100"), HEFEI, both) == 1200


@pytest.mark.parametrize(("age", "code", "left"), [(59, "340102", 800), (60, "340102", 300), (60, "340202", 800)])
def test_hefei_asks_for_60_years_and_registration(age, code, left):
    facts = replace(HEFEI, age=age, registration_code=code)
    assert paid(schemes.hefei("340100000001", "340100"), facts, bill(800)) == left


# Zhixi: 60 to 75 pays 5, 76 to 89 pays 3, 90 and above nothing.


@pytest.mark.parametrize(("age", "left"), [(59, 1200), (60, 500), (75, 500), (76, 300), (89, 300), (90, 0), (100, 0)])
def test_zhixi_has_a_fixed_price_by_age(age, left):
    assert paid(schemes.zhixi("350800000001"), replace(ELDER, age=age), bill(1200)) == left


def test_a_fixed_price_is_for_one_portion():
    assert paid(schemes.zhixi("350800000001"), replace(ELDER, age=70), bill(1200, 1200)) == 1700


def test_a_fixed_price_never_raises_what_is_to_be_paid():
    assert paid(schemes.zhixi("350800000001"), replace(ELDER, age=70), bill(400)) == 400


# What every scheme shares.


def test_the_birthday_counts():
    born = date(1966, 11, 23)
    assert [full_years(born, date(2026, 11, day)) for day in (22, 23, 24)] == [59, 60, 60]


def test_an_unknown_age_meets_no_rule_with_ages():
    assert paid(schemes.zhixi("350800000001"), replace(ELDER, age=None), bill(1200)) == 1200


def test_a_share_is_rounded_and_capped_by_the_meal():
    half = rule(kind=SubsidyKind.SHARE, permille=500)
    assert paid([half], ELDER, bill(1201)) == 600
    half.cap_meal_fen = 400
    assert paid([half], ELDER, bill(1200)) == 800


def test_a_share_may_count_the_delivery_fee():
    assert paid([rule(kind=SubsidyKind.SHARE, permille=500)], ELDER, bill(1000, delivery=200)) == 700
    counted = rule(kind=SubsidyKind.SHARE, permille=500, counts_delivery=True)
    assert paid([counted], ELDER, bill(1000, delivery=200)) == 600


def test_what_is_left_to_pay_is_never_below_zero():
    rules = [rule(amount_fen=900, stackable=True), rule(amount_fen=900, stackable=True, payer=PayerLevel.STREET)]
    decision = decide(numbered(rules), ELDER, bill(1200), {})
    assert [line.amount_fen for line in decision.lines] == [900, 300]


def test_stackable_rules_apply_beside_the_best_of_the_others_in_payers_order():
    rules = [
        rule(name="街道", amount_fen=100, stackable=True, payer=PayerLevel.STREET),
        rule(name="区一", amount_fen=200, payer=PayerLevel.DISTRICT),
        rule(name="区二", amount_fen=300, payer=PayerLevel.DISTRICT),
        rule(name="市", amount_fen=50, stackable=True),
    ]
    decision = decide(numbered(rules), ELDER, bill(1200), {})
    assert [line.rule.name for line in decision.lines] == ["市", "区二", "街道"]


def test_a_monthly_cap_shrinks_the_last_line_and_says_what_is_left():
    monthly = rule(amount_fen=500, cap_month_fen=10000)
    decision = decide(numbered([monthly]), ELDER, bill(1200), {1: Used(month_fen=9700)})
    assert decision.lines[0].amount_fen == 300
    assert "每月最多补 100 元，还剩 3 元" in decision.lines[0].sentence


def test_a_used_up_cap_leaves_a_remark():
    daily = rule(amount_fen=500, cap_day_fen=500)
    decision = decide(numbered([daily]), ELDER, bill(1200), {1: Used(day_fen=500)})
    assert decision.lines == ()
    assert "还剩 0 元" in decision.remarks[0]


def test_a_rule_belongs_to_its_community_its_street_or_everywhere():
    rules = [SubsidyRule(area_code=code) for code in ("", "999901001", "999901001002", "999901002")]
    assert [found.area_code for found in at_canteen(rules, "999901001002")] == ["", "999901001", "999901001002"]


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 10, 9), True),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),
        (date(2026, 10, 17), False),
    ],
    ids=["Friday", "National Day", "worked Saturday", "Saturday"],
)
def test_holidays_and_worked_saturdays_come_from_the_calendar(make, day, working):
    with transaction():
        calendar.set_day(date(2026, 10, 1), works=False, name="国庆节")
        calendar.set_day(date(2026, 10, 10), works=True, name="国庆节调休")
    assert facts_of(make.person(), day, Meal.LUNCH).working_day is working


def test_tags_count_on_the_day_of_the_meal(make):
    person = make.person(tags=[TagKind.LOW_INCOME])
    assert facts_of(person, date(2019, 12, 31), Meal.LUNCH).tags == frozenset()
    assert facts_of(person, date(2020, 1, 1), Meal.LUNCH).tags == {TagKind.LOW_INCOME}


def test_a_local_registration_without_a_code_is_that_of_the_community(make):
    person = make.person(registration=Registration.OUTSIDE)
    assert facts_of(person, date(2026, 1, 5), Meal.LUNCH).registration_code == ""
    person.registration = Registration.LOCAL
    assert facts_of(person, date(2026, 1, 5), Meal.LUNCH).registration_code == make.community().code


@pytest.mark.parametrize(("fen", "words"), [(500, "5"), (1000, "10"), (350, "3.5"), (1225, "12.25"), (0, "0")])
def test_amounts_in_sentences_are_short(fen, words):
    assert short(fen) == words
