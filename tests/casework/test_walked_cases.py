"""What a stranger stumbled over while reporting and handling: who reads a hidden name, words of returns, figures."""

from datetime import date, time, timedelta

import pytest

from portal.casework.models.codes import CaseState
from portal.casework.service import metrics
from portal.core import clock
from portal.core.clock import now
from portal.identity.permissions import Role
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
