"""What a stranger stumbled over while reporting and handling: who reads a hidden name, words of returns, figures."""

from datetime import date, time, timedelta

import pytest
from flask import Flask, url_for

from portal.casework.models.codes import CaseState, Extension
from portal.casework.service import doors, metrics
from portal.core import clock
from portal.core.clock import now
from portal.identity.permissions import Role
from portal.notifications import wording
from tests.acting import actor_of
from tests.casework import desk
from tests.casework.asked import Street, page, street
from tests.client import Client
from tests.make import Make

S = CaseState


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


@pytest.mark.parametrize(("code", "alone"), [("light", False), ("repair", True)])
def test_who_hides_her_name_is_told_truly_who_reads_it(place: Street, client: Client, code: str, alone: bool) -> None:
    """A broken lamp complains of nobody, and its holder reads the name; of a complaint the dispatchers alone do."""
    who = place.resident()
    case = place.sent(who, "这件事请管一管", code, hide_name=True)
    client.sign_in(who.account)
    said = page(client, f"/cases/{case.public_id}/sent")
    assert ("只有分派人员能看到" in said, "只有分派人员和办理人能看到" in said) == (alone, not alone)
    holder = place.make.worker(Role.CASE_WORKER, name="孙梅")
    place.moved(case, S.ACCEPTED, S.ASSIGNED, S.SIGNED, by=holder)
    client.sign_in(holder)
    assert (who.person.name in page(client, f"/desk/cases/{case.public_id}")) is not alone


def test_a_return_reads_as_one_at_the_desk_and_plainly_to_her_who_reported(place: Street, client: Client) -> None:
    worker, who = place.make.worker(), place.resident()
    case = place.sent(who)
    place.moved(case, S.ACCEPTED, S.ASSIGNED, S.RETURNED, by=worker)
    client.sign_in(worker)
    assert "退单，等重新分派" in page(client, f"/desk/cases/{case.public_id}")
    client.sign_in(who.account)
    assert "正在重新安排办理人" in page(client, f"/cases/{case.public_id}")


@pytest.mark.parametrize(("answer", "words"), [("unsolved", "会重新办理"), ("good", "谢谢您")])
def test_the_answer_to_a_call_back_is_met_by_what_follows(
    place: Street, client: Client, answer: str, words: str
) -> None:
    who = place.resident()
    case = place.answered(place.sent(who), place.make.worker())
    client.sign_in(who.account)
    assert client.post(f"/cases/{case.public_id}", data={"answer": answer}).status_code == 303
    assert f"记下了，{words}" in page(client, f"/cases/{case.public_id}")


def test_the_last_day_of_an_extension_is_said_as_people_say_it(make: Make, client: Client) -> None:
    worker = make.worker()
    case = desk.case(make, S.WORKING, holder=worker, signed_at=now())
    client.sign_in(worker)
    said = page(client, f"/desk/cases/{case.public_id}/act/extension").split("最多延到")[1][:12]
    assert "月" in said
    assert "日" in said


def test_the_average_and_the_longest_open_the_requests_behind_them_longest_first(make: Make, client: Client) -> None:
    begun = clock.at(date(2026, 3, 2), time(9))
    made = [desk.case(make, S.ANSWERED, at=begun, answered_at=begun + timedelta(hours=hours)) for hours in (1, 30, 3)]
    client.sign_in(make.worker())
    assert page(client, "/desk/cases/figures?period=2026-03").count("measure=taken") >= 3
    rows = page(client, "/desk/cases/figures/cases?period=2026-03&measure=taken")
    places = [rows.index(case.number) for case in made]
    assert places[1] < places[2] < places[0]
    assert "用时（小时）" in rows


def test_hours_are_told_longest_first() -> None:
    assert list(metrics.Taken([(60, 1), (600, 2), (120, 3)]).hours) == [2, 3, 1]


@pytest.mark.parametrize(
    ("topic", "facts", "title"),
    [
        ("casework.supervised", {"colour": "red"}, "红色督办：请马上办理"),
        ("casework.supervised", {"colour": "yellow"}, "黄色督办：请抓紧办理"),
        ("casework.extension_decided", {"granted": "yes"}, "延期申请已同意"),
        ("casework.extension_decided", {"granted": "no"}, "延期申请没有同意"),
    ],
)
def test_a_notice_with_two_titles_keeps_its_words_apart(
    app: Flask, topic: str, facts: dict[str, str], title: str
) -> None:
    with app.test_request_context():
        words = wording.words_for(topic, {"number": "2W8MEVTC", "category": "报修不及时", **facts})
    assert words.title == title
    assert words.body.startswith("2W8MEVTC（报修不及时）")


def test_an_extension_asked_for_waits_on_the_desk_of_who_may_decide(make: Make, client: Client) -> None:
    holder, other, boss = make.worker(name="孙梅"), make.worker(name="周洁"), make.worker(Role.STREET_ADMINISTRATOR)
    desk.case(make, S.WORKING, holder=holder, extension=Extension.ASKED, extension_until=now() + timedelta(days=9))
    waiting = [[todo for todo in doors.todo_of(actor_of(who)) if "延期" in todo.words] for who in (holder, other, boss)]
    assert [len(found) for found in waiting] == [0, 1, 1]
    for who, (todo,) in zip((other, boss), waiting[1:], strict=True):
        client.sign_in(who)
        with client.application.test_request_context():
            there = url_for(todo.endpoint, **todo.values)
        assert "待批延期 1" in page(client, there)


def test_what_is_late_offers_no_extension(make: Make, client: Client) -> None:
    worker = make.worker()
    early, late = (
        desk.case(make, S.WORKING, holder=worker, signed_at=now(), finish_due=now() + timedelta(days=days))
        for days in (9, -1)
    )
    client.sign_in(worker)
    assert "act/extension" in page(client, f"/desk/cases/{early.public_id}")
    assert "act/extension" not in page(client, f"/desk/cases/{late.public_id}")


def test_who_does_it_again_is_not_told_it_was_unsolved_when_it_was_the_manner(app: Flask) -> None:
    with app.test_request_context():
        words = wording.words_for("casework.to_redo", {"number": "2W8MEVTC", "category": "报修不及时"})
    assert words.body.startswith("报修不及时。居民不满意，或说没有解决")
