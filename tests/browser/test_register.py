"""The one register as its keepers live it: an import, a building's picture, the queue of twins, two editors at once."""

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.areas.models import Dwelling
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.ids import Sex
from portal.core.sheets import write_workbook
from portal.home.models import HandOver
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import Household, Marriage, Person, Relation, Schooling, TagKind
from portal.registry.service import buildings
from portal.registry.service.buildings import Pattern
from tests.browser.conftest import Open, Reader
from tests.make import Make
from tests.registry.registers import ADDRESS, latest, number, people

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STANDARD, ELDER = pytest.param("1", True, id="standard"), pytest.param("1.3", True, id="elder")
PLAIN = pytest.param("1", False, id="standard-without-scripts")
ELDER_PLAIN = pytest.param("1.3", False, id="elder-without-scripts")
PHONE, OTHER_PHONE = "13800005678", "13900001234"


def _signed_in(app: Flask, reader: Reader, account: Account) -> Reader:
    """With a live session, as if this account had just signed in."""
    return reader.carry(app.test_client().sign_in(account))  # type: ignore[attr-defined]


def _office_register() -> bytes:
    """As an office keeps it: a title above, headings of its own, one address column, a total below."""
    heading = ["户编号", "家庭成员", "与户主的关系", "公民身份号码", "移动电话", "家庭住址"]
    home = "梧桐苑6号楼2单元301"
    wrong = number(3)[:-1] + ("1" if number(3)[-1] != "1" else "2")
    lines = [
        heading,
        ["H1", "王秀英", "户主", number(1), PHONE, home],
        ["H1", "李建国", "配偶", number(2, man=True), "", home],
        ["H1", "李小红", "女", wrong, "", home],
        ["合计", "3人", "", "", "", ""],
    ]
    return write_workbook(["春风里社区居民登记表", *[""] * 5], lines)


def _names() -> list[str]:
    """Who is in the register now."""
    db.session.rollback()
    return [person.name for person in people()]


def _chosen(reader: Reader, label: str) -> str:
    select = reader.page.get_by_label(label, exact=True)
    return str(select.evaluate("select => select.selectedOptions[0].textContent"))


@pytest.mark.parametrize(
    ("scale", "scripts", "desk"),
    [
        pytest.param("1", True, True, id="desk"),
        pytest.param("1", True, False, id="phone"),
        pytest.param("1.3", False, False, id="elder-phone-without-scripts"),
    ],
)
def test_a_register_is_uploaded_its_columns_guessed_its_preview_read_and_its_people_found(
    app: Flask, make: Make, reader: Open, scale: str, scripts: bool, desk: bool
):
    make.community()
    office = _signed_in(app, reader(desk=desk, scale=scale, scripts=scripts), make.worker())
    office.go(ADDRESS)
    file = {"name": "登记表.xlsx", "mimeType": XLSX, "buffer": _office_register()}
    office.page.get_by_label("登记表文件").set_input_files(file)  # type: ignore[arg-type]
    office.press("上传")
    for label, heading in (("姓名", "家庭成员"), ("身份证号码", "公民身份号码"), ("联系电话", "移动电话")):
        assert heading in _chosen(office, label)
    assert office.reads("表头上方的文字")
    office.press("开始检查")
    assert _names() == []
    office.press("不接收")
    assert office.reads("李小红")
    assert office.reads("最后一位对不上")
    office.go(f"{ADDRESS}/{latest().public_id}").press("确认导入 2 人")
    assert office.reads("已导入")
    main = office.press("去居民查询").page.get_by_role("main")
    main.get_by_label("查找居民").fill("王秀英")
    main.get_by_role("button", name="查询", exact=True).click()
    assert office.look().reads("梧桐苑 6号楼 2单元 301")
    assert office.reads("138****5678")
    assert _names() == ["王秀英", "李建国"]


def _building(make: Make) -> int:
    """Two units of four floors; on one of them a family, on another nobody."""
    place = make.community()
    with transaction():
        made = buildings.add_building(place, estate="梧桐苑", name="6号楼", grid=None, pattern=Pattern(2, 4, 2))
    at = {"building_id": made.id, "unit": "1单元", "room": "301"}
    home = db.session.scalars(sa.select(Dwelling).filter_by(**at)).one()
    household = make.add(Household(community_id=place.id, number="H000301", dwelling_id=home.id))
    at_home = {"household_id": household.id, "tags": [TagKind.LIVING_ALONE]}
    make.person("王秀英", born=date(1940, 3, 12), relation=Relation.HEAD, **at_home)
    return made.id


@pytest.mark.parametrize("desk", [pytest.param(False, id="phone"), pytest.param(True, id="desk")])
@pytest.mark.parametrize(("scale", "scripts"), [STANDARD, ELDER, ELDER_PLAIN])
def test_a_building_is_seen_floor_by_floor_and_a_room_opens_the_household(
    app: Flask, make: Make, reader: Open, scale: str, scripts: bool, desk: bool
):
    building = _building(make)
    office = _signed_in(app, reader(desk=desk, scale=scale, scripts=scripts), make.worker())
    office.go("/desk/people/buildings").press("6号楼")
    assert office.page.url.endswith(f"/buildings/{building}")
    floors = office.page.locator(".plan-unit").first.locator(".plan-floor__number").all_inner_texts()
    assert floors == ["4 层", "3 层", "2 层", "1 层"]
    assert office.page.locator(".plan-room").count() == 16
    assert office.page.locator(".plan-room_empty").count() == 15
    room = office.page.locator(".plan-room", has_text="王秀英")
    assert "独居" in room.inner_text()
    room.click() if desk else room.tap()
    office.page.get_by_text("户号 H000301").wait_for()
    office.look().press("这一户的全部情况")
    assert office.reads("王秀英")
    assert office.reads("梧桐苑")


def _twins(make: Make) -> tuple[Person, Person]:
    """One human being twice: once with a number, once without and with another telephone."""
    kept = make.person("王秀英", phone=PHONE)
    other = make.person("王秀英", phone=OTHER_PHONE)
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == other.id).values(id_number=None, id_index=None))
    return kept, other


@pytest.mark.parametrize(("scale", "scripts"), [STANDARD, ELDER, PLAIN, ELDER_PLAIN])
def test_two_records_side_by_side_become_one_with_the_chosen_values_and_two_again(
    app: Flask, make: Make, reader: Open, scale: str, scripts: bool
):
    kept, other = _twins(make)
    phone = _signed_in(app, reader(scale=scale, scripts=scripts), make.worker())
    phone.go("/desk/people/twins").press("查找春风里社区的重复登记")
    phone.go("/desk/people/twins").press("核实")
    phone.page.get_by_role("group", name="联系电话").get_by_text("139****1234").click()
    phone.press("是同一个人，看合并结果")
    assert phone.reads("139****1234")
    assert not phone.reads("138****5678")
    phone.press("确认合并")
    assert phone.reads("没有相像的人")
    assert (make.read(kept).phone, make.read(other).merged_into_id) == (OTHER_PHONE, kept.id)
    phone.press("合并过的记录").press("撤销")
    phone.press("撤销合并")
    assert phone.page.locator(".error-summary").is_visible()
    phone.fill("撤销原因", "核对过，是两个人").press("撤销合并")
    assert phone.reads("已撤销")
    assert (make.read(kept).phone, make.read(other).phone) == (PHONE, OTHER_PHONE)
    assert make.read(other).merged_into_id is None


@pytest.mark.parametrize(("scale", "scripts"), [STANDARD, ELDER, PLAIN])
def test_of_two_who_edit_one_person_at_once_the_second_is_told_and_loses_nothing(
    app: Flask, make: Make, reader: Open, scale: str, scripts: bool
):
    person = make.person("王秀英", sex=Sex.FEMALE)
    place = f"/desk/people/{person.public_id}/edit/identity"
    first = _signed_in(app, reader(desk=True, scripts=scripts), make.worker(name="周洁"))
    second = _signed_in(app, reader(scale=scale, scripts=scripts), make.worker(name="何立新"))
    first.go(place)
    second.go(place)
    first.page.get_by_label("婚姻状况").select_option("married")
    first.press("保存")
    assert first.reads("已保存")
    second.fill("姓名", "王秀瑛")
    second.page.get_by_label("学历").select_option("primary")
    second.press("保存")
    assert second.reads("周洁改过这份登记（婚姻状况：已婚）")
    assert make.read(person).name == "王秀英"
    assert second.page.get_by_label("姓名").input_value() == "王秀瑛"
    chosen = [second.page.get_by_label(label).input_value() for label in ("学历", "婚姻状况")]
    assert chosen == ["primary", "married"]
    second.press("保存")
    assert second.reads("已保存")
    kept = make.read(person)
    assert (kept.name, kept.schooling, kept.marriage) == ("王秀瑛", Schooling.PRIMARY, Marriage.MARRIED)


@pytest.mark.parametrize(("scale", "scripts"), [ELDER, ELDER_PLAIN])
def test_a_resident_looks_at_what_is_held_proposes_a_correction_and_reads_the_answer(
    app: Flask, make: Make, reader: Open, scale: str, scripts: bool
):
    person = make.person("王秀英", phone=PHONE, grid=make.grid())
    phone = _signed_in(app, reader(scale=scale, scripts=scripts), make.resident(person))
    office = _signed_in(app, reader(desk=True, scripts=scripts), make.worker(Role.COMMUNITY_WORKER))
    phone.go("/me").press("我的信息")
    assert phone.reads("138****5678")
    phone.press("学历")
    phone.fill("为什么要改", "一直没有登记").press("交给社区核对")
    assert phone.reads("请选一项")
    assert phone.page.get_by_label("为什么要改").input_value() == "一直没有登记"
    phone.page.get_by_text("小学", exact=True).click()
    phone.press("交给社区核对")
    assert phone.reads("等社区答复")
    office.go("/desk/people/rights").press("办理")
    assert office.reads("小学")
    office.fill("给居民的答复", "已经按您说的改好了").press("同意并改登记")
    assert office.reads("已办好")
    phone.go("/people/requests")
    assert phone.reads("社区答复：已经按您说的改好了")
    assert phone.go("/people/mine").reads("学历：小学")
    assert make.read(person).schooling is Schooling.PRIMARY


@pytest.mark.parametrize("scale", ["1", "1.3"])
def test_a_hand_over_of_many_kinds_of_work_fits_the_phone(app: Flask, make: Make, reader: Open, scale: str):
    office, other = make.worker(), make.worker(name="许文静")
    kinds = ("casework.cases", "catalogue.applications", "duty.turns", "visits.referrals")
    make.add(
        HandOver(
            area_id=make.grid().id,
            giver=office.public_id,
            giver_name=office.name,
            taker=other.public_id,
            taker_name=other.name,
            reason="休产假",
            counts=dict.fromkeys(kinds, 15),
            at=now(),
            by=office.public_id,
            by_name=office.name,
        )
    )
    page = _signed_in(app, reader(desk=False, scale=scale, scripts=True), office).go("/desk/hand-overs")
    assert page.page.locator("td .nowrap").count() == len(kinds)
