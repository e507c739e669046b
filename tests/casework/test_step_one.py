"""The first step of a request: what nothing matches goes on, danger and other bodies are told in their words."""

import pytest

from portal.casework.models.codes import RedirectKind
from portal.casework.service import choosing
from tests.casework.asked import Street, draft_id, page, street
from tests.client import Client
from tests.make import Make
from tests.visitor import words_shown


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def test_words_that_match_nothing_go_on_as_what_nobody_can_say(place: Street, client: Client) -> None:
    client.sign_in(place.resident().account)
    answer = client.post("/cases/new", data={"what": "我家楼上天天半夜吵", "category": ""})
    assert answer.headers["Location"].endswith("/where")
    path = f"/cases/new/{draft_id(answer)}"
    again = client.post(f"{path}/what", data={"what": "我家楼上天天半夜吵", "category": ""})
    assert again.headers["Location"].endswith("/where")
    assert "说不清属于哪类" in page(client, f"{path}/where")


def test_unpaid_insurance_is_told_of_and_goes_on_with_one_more_tap(place: Street, client: Client) -> None:
    client.sign_in(place.resident().account)
    what = {"what": "单位不给交社保", "category": ""}
    path = f"/cases/new/{draft_id(client.post('/cases/new', data=what))}/what"
    assert "12333" in page(client, path)
    assert client.post(path, data=what).headers["Location"].endswith("/where")


@pytest.mark.parametrize("what", ["燃气味很大", "楼道里有煤气味", "厨房好像漏气了", "闻到一股天然气味，还停电了"])
def test_gas_is_an_emergency_and_never_the_electricity_companys(place: Street, what: str) -> None:
    code = place.make.community().code
    best = choosing.best(what, choosing.leaves(code))
    found = choosing.redirected(what, choosing.redirects(code), best)
    assert best is not None
    assert best.code == "utilities"
    assert [one.kind for one in found] == [RedirectKind.EMERGENCY]
    assert "马上离开" in found[0].says
    assert found[0].phone == "119"


@pytest.mark.parametrize(
    ("what", "category", "phone"),
    [
        ("老板拖欠工资三个月", "labour", "12333"),
        ("公司欠薪", "labour", "12333"),
        ("单位不给交社保", "labour", "12333"),
        ("旁边工厂排黑烟", "pollution", "12345"),
        ("对面工地噪声很大", "pollution", "12345"),
        ("噪声工地，半夜施工", "pollution", "12345"),
    ],
)
def test_what_another_body_handles_is_told_with_its_telephone(
    place: Street, what: str, category: str, phone: str
) -> None:
    code = place.make.community().code
    best = choosing.best(what, choosing.leaves(code))
    assert best is not None
    assert best.code == category
    assert phone in [one.phone for one in choosing.redirected(what, choosing.redirects(code), best)]


@pytest.mark.parametrize("what", ["黑心中介", "这事一直拖着", "树"])
def test_one_shared_character_suggests_nothing(place: Street, what: str) -> None:
    leaves = choosing.leaves(place.make.community().code)
    assert choosing.suggested(what, leaves) == []
    best = choosing.best(what, leaves)
    assert best is not None
    assert best.code == "other_any"


def test_where_is_not_optional_while_no_building_is_chosen(place: Street, client: Client) -> None:
    who = place.resident()
    client.sign_in(who.account)
    path = (
        f"/cases/new/{draft_id(client.post('/cases/new', data={'what': '小区南门口有人摔倒', 'category': ''}))}/where"
    )
    fresh = page(client, path)
    assert "（选填）" not in fresh.split("具体在哪里")[1][:80]
    assert 'aria-pressed="true"' not in fresh.split("具体在哪里")[0].split("pointing")[1]
    outside = client.post(path, data={"pick": "0"})
    assert 'aria-pressed="true"' in page(client, outside.headers["Location"]).split("pointing")[1]
    client.post(path, data={"pick": str(who.building.id)})
    assert "（选填）" in page(client, path).split("具体在哪里")[1][:80]


def test_every_draft_is_listed_and_can_be_deleted_and_looking_makes_none(place: Street, client: Client) -> None:
    client.sign_in(place.resident().account)
    client.get("/cases/new")
    assert "没写完的" not in page(client, "/cases/")
    made = [
        draft_id(client.post("/cases/new", data={"what": f"第 {turn} 件没写完的事", "category": ""}))
        for turn in range(5)
    ]
    shown = page(client, "/cases/")
    assert all(f"/cases/new/{one}/discard" in shown for one in made)
    assert client.post(f"/cases/new/{made[0]}/discard").status_code == 303
    assert made[0] not in page(client, "/cases/")


def test_the_last_step_shows_for_whom_and_what_was_answered_and_both_can_be_changed(
    place: Street, client: Client
) -> None:
    me, mother = place.resident("李小红", "102"), place.resident("王秀英", "101")
    place.agent(me.account, mother.person)
    client.sign_in(me.account)
    said = {"what": "单元门口的路灯不亮了", "category": str(place.category("light").id)}
    path = f"/cases/new/{draft_id(client.post('/cases/new', data=said))}"
    asked = client.post(f"{path}/what", data={**said, "behalf": mother.person.public_id, "ask_lamp": "A17 号灯杆"})
    assert asked.headers["Location"].endswith("/where")
    shown = page(client, f"{path}/photos")
    assert "A17 号灯杆" in shown
    assert "王秀英" in shown
    client.post(f"{path}/what", data={**said, "behalf": me.person.public_id, "ask_lamp": "B2"})
    shown = page(client, f"{path}/photos")
    assert "我自己的" in shown
    assert "王秀英" not in shown
    assert "A17" not in words_shown(shown)


def test_a_matter_alike_is_shown_with_its_unit_and_floor_and_no_typed_words(place: Street, client: Client) -> None:
    first, second = place.resident("王秀英", "501"), place.resident("李小红", "301")
    place.sent(first, "五楼楼道的路灯不亮了", place="1单元 5 层 王家门口")
    client.sign_in(second.account)
    said = {"what": "五楼楼道的路灯不亮了", "category": str(place.category("light").id)}
    path = f"/cases/new/{draft_id(client.post('/cases/new', data=said))}"
    client.post(f"{path}/where", data={"pick": str(second.building.id)})
    found = client.post(f"{path}/where", data={"spot": "1单元 5 层"})
    assert found.headers["Location"].endswith("/alike")
    shown = page(client, found.headers["Location"])
    assert "1单元 5 层" in shown
    assert "王家" not in shown
