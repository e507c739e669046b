"""Two workers who edit one timetable, condition or line of a list: the second is told and keeps what she typed."""

import re
from html import unescape

from flask import Flask

from portal.catalogue.models.codes import ConditionKind, ListKind
from portal.catalogue.service import items, lists
from portal.catalogue.service.lists import EntryFacts, ProofFacts
from portal.core.clock import today
from portal.core.db import transaction
from tests.catalogue import offering
from tests.catalogue.tables import a_timetable, an_item, clock_at
from tests.catalogue.test_timetables import said
from tests.client import Client
from tests.make import Make


def _seen(page: str) -> str:
    """What stood when the page was opened, as the page carries it."""
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found is not None
    return unescape(found.group(1))


def test_the_second_editor_of_a_timetable_is_told_and_keeps_what_she_typed(make: Make, app: Flask) -> None:
    with clock_at("08:00"):
        item = an_item(make)
        table = a_timetable(make, item)
        address = f"/desk/services/timetables/{table.id}/edit"
        client = app.test_client().sign_in(make.worker(name="孙工"))
        first = said(item.id, seen=_seen(client.get(address).text), idem="a")
        second = first | {"idem": "b", "place": "三楼会议室"}
        assert client.post(address, data=first | {"people": 3}).status_code == 303
        client = app.test_client().sign_in(make.worker(name="钱工"))
        answer = client.post(address, data=second)
        assert answer.status_code == 422
        assert "孙工改过" in answer.text
        assert "同时接待几人：3" in answer.text
        assert 'value="三楼会议室"' in answer.text
        assert make.read(table).people == 3
        again = second | {"people": 3, "seen": _seen(answer.text), "idem": "c"}
        assert client.post(address, data=again).status_code == 303
        assert (make.read(table).people, make.read(table).place) == (3, "三楼会议室")


def test_the_second_editor_of_a_condition_is_told(make: Make, client: Client) -> None:
    condition = offering.a_condition(ConditionKind.AGE_AT_LEAST, number=60)
    item = offering.an_item(make, conditions=[condition])
    number = items.item(item.id).conditions[0].id
    address = f"/desk/services/items/{item.id}/conditions/{number}"
    client.sign_in(make.worker())
    typed = {"kind": ConditionKind.AGE_AT_LEAST.value, "unmet": "这一条不符合", "remedy": "请到窗口问", "answer": "yes"}
    typed["seen"] = _seen(client.get(address).get_data(as_text=True))
    assert client.post(address, data=typed | {"number": "65"}).status_code == 303
    answer = client.post(address, data=typed | {"number": "60", "remedy": "请打电话问"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "年龄（周岁）：65" in page
    assert 'value="65"' in page
    assert 'value="请打电话问"' in page
    assert items.item(item.id).conditions[0].number == 65


def test_the_second_editor_of_a_list_and_of_a_proof_is_told(make: Make, client: Client) -> None:
    here, day = make.community(), today()
    with transaction():
        entry = lists.add_entry(here, ListKind.WORK, EntryFacts("人口普查", "", "统计法", "", day, None), by="周洁")
        proof = lists.add_proof(here, ProofFacts("单身证明", [], "民政局", "去民政局", "", "", day, None), by="周洁")
        pages = {f"/desk/services/entries/{entry.id}": entry, f"/desk/services/proofs/{proof.id}": proof}
    client.sign_in(make.worker(name="孙工"))
    line = {"title": "人口普查", "detail": "", "basis": "统计法", "funding": "", "valid_from": day.isoformat()}
    paper = {"name": "单身证明", "office": "民政局", "instead": "去民政局", "basis": "", "valid_from": day.isoformat()}
    for (address, row), typed in zip(pages.items(), (line, paper), strict=True):
        typed["seen"] = _seen(client.get(address).get_data(as_text=True))
        assert client.post(address, data=typed | {"basis": "新办法"}).status_code == 303
        answer = client.post(address, data=typed | {"valid_to": day.isoformat()})
        assert answer.status_code == 422
        assert "孙工改过（依据：新办法）" in answer.get_data(as_text=True)
        assert (make.read(row).basis, make.read(row).valid_to) == ("新办法", None)
