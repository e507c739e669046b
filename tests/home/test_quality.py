"""Data quality: each question finds what is wrong and nothing else, in scope, and leads to the page that repairs it."""

from datetime import date, timedelta

import pytest

from portal.areas.models import Dwelling
from portal.areas.service import area_scope
from portal.core.clock import today
from portal.core.db import transaction
from portal.home.service import quality
from portal.identity.permissions import Role
from portal.registry.models import Person, PersonState, Relation, TagKind

ADULT = date(1985, 5, 5)


def found(make, code, area=None):
    """The names, or addresses, that a question finds in the test's community."""
    check = quality.check_named(code)
    within = (area_scope(area or make.community()),)
    page = check.page(within, 0)
    assert check.count(within) == len(page)
    return [one.name for one in page]


def housed(make, name="王秀英", **facts):
    """A person at home with everything in order."""
    return make.person(name, household_id=make.household().id, relation=Relation.HEAD, **facts)


def beside(make, person, name, **facts):
    return make.person(name, household_id=make.read(person).household_id, **facts)


def test_a_register_in_order_has_nothing_to_repair(make):
    housed(make)
    within = (area_scope(make.community()),)
    assert [one.check.code for group in quality.counted(within).values() for one in group if one.count] == []


def test_who_lacks_a_number_an_elder_without_telephone_and_who_has_no_home_are_found(make):
    person = housed(make, "没号码")
    with transaction() as session:
        session.get_one(Person, person.id).id_number = None
    housed(make, "没电话", phone="")
    housed(make, "年轻没电话", phone="", born=ADULT)
    make.person("没住址")
    assert found(make, "no_number") == ["没号码"]
    assert found(make, "no_phone") == ["没电话"]
    assert found(make, "no_home") == ["没住址"]


def test_a_child_is_alone_only_without_guardian_and_adult(make):
    child = date(today().year - 9, 1, 1)
    alone = housed(make, "孤单", born=child)
    with_mother = housed(make, "母亲", born=ADULT)
    beside(make, with_mother, "有家", born=child)
    guarded = housed(make, "有监护人", born=child)
    with transaction() as session:
        session.get_one(Person, guarded.id).guardian_id = with_mother.id
    assert found(make, "child_alone") == [make.read(alone).name]


def test_households_with_two_heads_and_with_none_are_found(make):
    two = housed(make)
    beside(make, two, "李建国", relation=Relation.HEAD)
    none = make.household()
    make.person("张三", household_id=none.id)
    assert [name.split()[-1] for name in found(make, "two_heads")] == [make.read(two).household.number]
    assert [name.split()[-1] for name in found(make, "no_head")] == [none.number]


def test_an_empty_dwelling_is_found_until_its_use_is_said(make):
    home = make.dwelling()
    assert len(found(make, "unlived")) == 1
    with transaction() as session:
        session.get_one(Dwelling, home.id).use = "empty"
    assert found(make, "unlived") == []


@pytest.mark.parametrize(
    ("kind", "years", "wrong"),
    [
        (TagKind.LIVING_ALONE, 59, True),
        (TagKind.LIVING_ALONE, 60, False),
        (TagKind.ORPHAN, 17, False),
        (TagKind.ORPHAN, 18, True),
    ],
)
def test_a_tag_against_the_age_is_found_on_the_birthday(make, kind, years, wrong):
    housed(make, born=today().replace(year=today().year - years), tags=[kind])
    assert bool(found(make, "tag_age")) is wrong


def test_who_is_tagged_as_living_alone_with_company_is_found(make):
    person = housed(make, tags=[TagKind.LIVING_ALONE])
    assert found(make, "alone") == []
    beside(make, person, "女儿", born=ADULT)
    assert found(make, "alone") == ["王秀英"]


def test_who_has_not_come_back_is_found(make):
    housed(make, absent_from=today() - timedelta(days=40), absent_until=today() - timedelta(days=1))
    housed(make, "还没到期", absent_from=today(), absent_until=today())
    assert found(make, "overdue") == ["王秀英"]


def test_the_dead_with_a_meal_booked_are_found(make):
    person = housed(make)
    make.order(make.menu(), person)
    assert found(make, "dead_orders") == []
    with transaction() as session:
        session.get_one(Person, person.id).state = PersonState.DEAD
    assert found(make, "dead_orders") == ["王秀英"]


def test_counts_and_names_stop_at_the_scope(make, client):
    mine, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    make.person("我的", grid=mine)
    make.person("别人的", grid=other)
    assert found(make, "no_home", mine) == ["我的"]
    page = client.sign_in(make.worker(Role.GRID_WORKER, mine)).get("/desk/quality/no_home").text
    assert "我的" in page
    assert "别人的" not in page
    assert "请告诉社区工作者" in page


def test_the_pages_lead_to_the_repair(make, client):
    signed = client.sign_in(make.worker())
    assert "登记库现在没有要处理的" in signed.get("/desk/quality").text
    person = make.person("没住址")
    assert "登记库现在没有要处理的" not in signed.get("/desk/quality").text
    assert "没有住址" in signed.get("/desk/quality").text
    assert f"/desk/people/{person.public_id}/record" in signed.get("/desk/quality/no_home").text
    assert signed.get("/desk/quality/no-such").status_code == 404
    assert "没有问题了" in signed.get("/desk/quality/two_heads").text
