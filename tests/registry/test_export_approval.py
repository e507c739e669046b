"""Who lets exports go: from the desk to what waits, and what to do when nothing does."""

import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import Export
from portal.registry.service import lists
from tests.client import Client
from tests.make import Make


def test_who_approves_comes_from_the_desk_to_what_waits_and_reads_what_to_do_when_nothing_does(
    make: Make, client: Client
) -> None:
    make.person()
    approver = make.worker(Role.STREET_ADMINISTRATOR, make.street(), name="何立新")
    client.sign_in(approver)
    assert "导出申请等待审批" not in client.get("/desk/").text
    empty = client.get("/desk/people/exports").text
    assert "没有等待审批的导出" in empty
    assert "看清范围、人数和用途" in empty
    client.sign_in(make.worker())
    said = {"columns": ["name", "phone"], "way": "plain", "reason": "核对高龄津贴"}
    assert client.post("/desk/people/exports/new", data=said).status_code == 303
    client.sign_in(approver)
    desk = client.get("/desk/").text
    assert "导出申请等待审批" in desk
    assert 'href="/desk/people/exports"' in desk
    asked = db.session.scalars(sa.select(Export)).one()
    assert f"/desk/people/exports/{asked.public_id}/decide" in client.get("/desk/people/exports").text


def test_who_approves_reads_which_communities_and_how_many_and_is_asked_once_more(make: Make, client: Client) -> None:
    make.person()
    make.person("陈建国")
    client.sign_in(make.worker(name="周洁"))
    said = {"columns": ["name", "phone"], "way": "plain", "reason": "核对高龄津贴"}
    asking = client.get("/desk/people/exports/new").text
    assert make.community().name in asking
    assert "2 人" in asking
    assert "全部范围" not in asking
    assert client.post("/desk/people/exports/new", data=said).status_code == 303
    asked = db.session.scalars(sa.select(Export)).one()
    address = f"/desk/people/exports/{asked.public_id}/decide"
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR, make.street(), name="何立新"))
    first = client.get(address).text
    assert "涉及的社区" in first
    assert make.community().name in first
    assert "确认批准" not in first
    assert 'value="approve"' not in first
    second = client.get(f"{address}?sure=1").text
    assert "确认批准" in second
    assert f"{make.community().name}共 2 人" in second
    assert client.post(address, data={"decision": "approve"}).status_code == 303


def test_who_asks_reads_the_exact_number_beyond_what_a_list_counts(make: Make, client: Client, monkeypatch) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 1)
    make.person()
    make.person("陈建国", household_id=make.household().id)
    client.sign_in(make.worker())
    assert "2 人" in client.get("/desk/people/exports/new").text
    assert "超过" not in client.get("/desk/people/households/export").text


def test_a_list_of_a_whole_street_is_called_by_the_street(make: Make) -> None:
    for turn in range(3):
        make.community(f"第{turn}社区")
    make.community()
    street = (Scope("street", make.street().code),)
    place = lists.ground(lists.Wanted(), street)
    assert lists.in_words(lists.Wanted(), place).startswith(f"{make.street().name} 4 个社区")
