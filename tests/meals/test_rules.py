"""The subsidy rules as a street administrator keeps them."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, AreaKind
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.demo import load, schemes
from portal.identity.permissions import Role
from portal.meals.models import PayerLevel, RegionLevel, SetClass, SubsidyKind, SubsidyRule, Way
from portal.meals.service import orders
from tests.days import in_days
from tests.meals.stand import acting


@pytest.fixture
def desk(make, client):
    """A street administrator's browser."""
    return client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))


def rule(make, area_code=None, **shape):
    columns = {"payer": PayerLevel.STREET, "amount_fen": 500} | shape
    code = make.street().code if area_code is None else area_code
    return make.add(schemes._rule("春晖街道助餐", columns.pop("name", "长者午餐补贴"), code, "测试", **columns))


def use(make, of_rule):
    """Let an order carry a line of the rule."""
    menu, person = make.menu(), make.person()
    with transaction():
        order = orders.place_order(
            menu, person, portions={menu.dishes[0].id: 1}, way=Way.DINE_IN, by=acting(make.worker())
        )
    assert order.subsidies[0].rule_id == of_rule.id


def form(make, **more):
    return {
        "scheme": "春晖街道助餐",
        "name": "长者午餐补贴",
        "area_code": make.street().code,
        "payer": "street",
        "kind": "reduction",
        "amount_fen": "6",
        "age_from": "60",
        "region_level": "any",
        "days": "all",
        "meals": ["lunch"],
        "valid_from": in_days(1).isoformat(),
        "source": "春晖办〔2026〕3号",
    } | more


def all_rules():
    return list(db.session.scalars(sa.select(SubsidyRule).order_by(SubsidyRule.id)))


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


def actions():
    return list(db.session.scalars(sa.select(AuditRow.action).where(AuditRow.action.like("meals.rule%"))))


def test_the_list_shows_each_scheme_with_conditions_and_validity(make, desk):
    rule(make, age_from=70, age_to=99, meals=["lunch"], times_per_day=1, least_bill_fen=500, strictly_above=True)
    page = text_of(desk.get("/desk/meals/rules"))
    for words in ("春晖街道助餐", "减 5 元", "70–99 岁", "午餐", "餐费超过 5 元", "每天 1 次", "2022年1月1日 起"):
        assert words in page


def test_the_examples_of_all_five_cities_are_there_to_read(make, desk):
    make.community()
    for one in load._schemes():
        make.add(one)
    page = text_of(desk.get("/desk/meals/rules"))
    for city in (schemes.BEIJING, schemes.SHENZHEN, schemes.ZHUHAI, schemes.HEFEI, schemes.ZHIXI):
        assert city in page
    assert f"{schemes.BEIJING} 样例，这里不用" in page


def test_an_example_is_read_and_not_changed(make, desk):
    example = rule(make, "888801900", name="别处的补贴")
    page = text_of(desk.get("/desk/meals/rules"))
    assert "别处的补贴" in page
    assert "结束" not in page.partition("别处的补贴")[2].partition("试算")[0]
    assert desk.get(f"/desk/meals/rules/{example.id}").status_code == 404


def test_no_rules_yet_says_what_follows(desk):
    assert "没有规则时，订餐都按原价" in text_of(desk.get("/desk/meals/rules"))


def test_a_rule_is_added_with_its_audit(make, desk):
    answer = desk.post("/desk/meals/rules/new", data=form(make, tags=["low_income"], cap_month_fen="100"))
    assert answer.status_code == 303
    added = all_rules()[0]
    assert (added.amount_fen, added.age_from, added.age_to, added.meals) == (600, 60, None, ["lunch"])
    assert (added.tags, added.cap_month_fen, added.confirmed_by, added.stackable) == (
        ["low_income"],
        10000,
        "周洁",
        False,
    )
    assert actions() == ["meals.rule_added"]


def test_every_kind_and_condition_comes_through_the_form(make, desk):
    more = {
        "kind": "share",
        "amount_fen": "",
        "percent": "12.5",
        "region_level": "district",
        "region_code": "440402",
        "set_class": "dietary",
        "days": "working",
        "least_bill_fen": "10",
        "strictly_above": "y",
        "counts_delivery": "y",
        "stackable": "y",
        "times_per_day": "1",
    }
    assert desk.post("/desk/meals/rules/new", data=form(make, **more)).status_code == 303
    added = all_rules()[0]
    assert (added.kind, added.permille, added.amount_fen) == (SubsidyKind.SHARE, 125, 0)
    assert (added.region_level, added.region_code, added.set_class) == (
        RegionLevel.DISTRICT,
        "440402",
        SetClass.DIETARY,
    )
    assert (added.strictly_above, added.counts_delivery, added.stackable) == (True, True, True)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"name": ""}, "请填写这一项"),
        ({"amount_fen": ""}, "请填每餐减多少元"),
        ({"amount_fen": "五元"}, "请填金额"),
        ({"kind": "share", "percent": ""}, "请填减百分之几"),
        ({"kind": "share", "percent": "sNaN"}, "请填数字"),
        ({"age_from": "80", "age_to": "70"}, "年龄上限不能小于下限"),
        ({"age_from": "六十"}, "请填整数"),
        ({"valid_to": "2020-01-01"}, "结束日期不能早于开始日期"),
        ({"region_level": "district", "region_code": "4404"}, "区划代码不够长"),
        ({"region_code": "abc"}, "区划代码"),
        ({"source": ""}, "请写明文件名"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_written(make, desk, bad, words):
    answer = desk.post("/desk/meals/rules/new", data=form(make, **bad))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert all_rules() == []


def test_an_unused_rule_is_edited_in_place(make, desk):
    written = rule(make)
    assert desk.get(f"/desk/meals/rules/{written.id}").status_code == 200
    assert desk.post(f"/desk/meals/rules/{written.id}", data=form(make)).status_code == 303
    assert [found.amount_fen for found in all_rules()] == [600]
    assert actions() == ["meals.rule_changed"]


def test_a_used_rule_ends_on_the_eve_and_a_successor_begins(make, desk):
    old = rule(make)
    use(make, old)
    begins = in_days(1) + timedelta(days=3)
    assert "已经发放过补贴" in text_of(desk.get(f"/desk/meals/rules/{old.id}"))
    answer = desk.post(f"/desk/meals/rules/{old.id}", data=form(make, valid_from=begins.isoformat()))
    assert answer.status_code == 303
    before, after = all_rules()
    assert (before.amount_fen, before.valid_to) == (500, begins - timedelta(days=1))
    assert (after.amount_fen, after.valid_from) == (600, begins)


def test_a_used_rule_is_not_changed_backwards(make, desk):
    old = rule(make)
    use(make, old)
    answer = desk.post(f"/desk/meals/rules/{old.id}", data=form(make, valid_from=today().isoformat()))
    assert answer.status_code == 422
    assert "最早是明天" in text_of(answer)
    assert len(all_rules()) == 1


def test_a_rule_ends_on_a_day_from_today_on(make, desk):
    written = rule(make)
    address = f"/desk/meals/rules/{written.id}/end"
    yesterday = today() - timedelta(days=1)
    assert desk.post(address, data={"last_day": yesterday.isoformat()}).status_code == 422
    assert desk.post(address, data={"last_day": today().isoformat()}).status_code == 303
    assert all_rules()[0].valid_to == today()
    assert actions() == ["meals.rule_ended"]


def test_a_rule_of_another_street_is_neither_shown_nor_changed(make, desk):
    make.add(Area(kind=AreaKind.STREET, code="999901002", name="冬青街道"))
    other = rule(make, "999901002", name="别的街道补贴")
    assert "别的街道补贴" not in text_of(desk.get("/desk/meals/rules"))
    assert desk.get(f"/desk/meals/rules/{other.id}").status_code == 404
    assert desk.post(f"/desk/meals/rules/{other.id}/end", data={"last_day": in_days(1).isoformat()}).status_code == 404


def test_a_rule_that_reaches_beyond_the_street_is_shown_but_not_changed(make, desk):
    city = rule(make, "9999", name="全市补贴")
    page = desk.get("/desk/meals/rules")
    assert "全市补贴" in text_of(page)
    assert f"/desk/meals/rules/{city.id}" not in page.get_data(as_text=True)
    assert desk.get(f"/desk/meals/rules/{city.id}").status_code == 404


def test_a_rule_cannot_be_written_for_another_street(make, desk):
    assert desk.post("/desk/meals/rules/new", data=form(make, area_code="999901002")).status_code == 422
    assert all_rules() == []


def test_the_trial_shows_lines_and_sentences(make, desk):
    rule(make, age_from=60, meals=["lunch"])
    community = make.community()
    asked = f"place={community.code}&day={date(2026, 11, 23)}&meal=lunch&age=73&tag=&set_class=basic&price=12"
    page = text_of(desk.get(f"/desk/meals/rules?{asked}"))
    assert "长者午餐补贴：满 73 岁，每餐减 5 元" in page
    assert "实付 ¥7.00" in page
    young = text_of(desk.get(f"/desk/meals/rules?{asked.replace('73', '59')}"))
    assert "没有一条规则适用" in young


def test_a_trial_with_a_wrong_field_says_so(make, desk):
    community = make.community()
    assert desk.get(f"/desk/meals/rules?place={community.code}&meal=lunch&age=x&price=12").status_code == 422


@pytest.mark.parametrize("role", [Role.COMMUNITY_WORKER, Role.CANTEEN_OPERATOR, Role.SYSTEM_ADMINISTRATOR])
def test_only_those_who_keep_rules_come_in(make, client, role):
    assert client.sign_in(make.worker(role)).get("/desk/meals/rules").status_code == 403
