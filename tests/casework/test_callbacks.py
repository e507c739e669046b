"""The call-back: one tap on the page or by a signed link, once; redo, reopening, and when they end."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseCallBack
from portal.casework.models.codes import CallBackWay, CaseState, Satisfaction
from portal.casework.service import asking, calling_back, moves, telling
from portal.core import clock, tokens
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.notifications import wording
from tests.acting import actor_of
from tests.casework.asked import Neighbour, Street, page, street, told
from tests.client import Client
from tests.make import Make

S = CaseState


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


@pytest.fixture
def who(place: Street) -> Neighbour:
    return place.resident()


@pytest.fixture
def case(place: Street, who: Neighbour) -> Case:
    return place.answered(place.sent(who), place.make.worker())


def again(case: Case) -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, case.id)


def link() -> str:
    return str(told("casework.answered")[-1].facts["path"])


def test_satisfied_in_one_tap_closes_it(who: Neighbour, case: Case, client: Client) -> None:
    client.sign_in(who.account)
    assert "这件事解决了吗" in page(client, f"/cases/{case.public_id}")
    assert client.post(f"/cases/{case.public_id}", data={"answer": "good"}).status_code == 303
    found = again(case)
    assert (found.state, found.solved, found.satisfaction) == (S.CLOSED, True, Satisfaction.GOOD)
    assert "这件事解决了吗" not in page(client, f"/cases/{case.public_id}")


def test_not_solved_goes_back_to_the_first_responsible_with_a_new_deadline(
    place: Street, who: Neighbour, case: Case, client: Client
) -> None:
    client.sign_in(who.account)
    client.post(f"/cases/{case.public_id}", data={"answer": "unsolved", "words": "第二天又灭了"})
    found = again(case)
    assert (found.state, found.redos, found.solved) == (S.REDO, 1, False)
    assert found.holder == found.first_holder
    assert found.finish_due is not None
    assert found.finish_due > found.state_at
    assert len(told("casework.to_redo")) == 1
    assert "第二天又灭了" in page(client, f"/cases/{case.public_id}")


def test_solved_but_not_satisfied_is_done_again(who: Neighbour, case: Case, client: Client) -> None:
    client.sign_in(who.account)
    client.post(f"/cases/{case.public_id}", data={"answer": "bad"})
    assert again(case).state is S.REDO


def test_a_link_answers_without_signing_in_once(case: Case, client: Client) -> None:
    address = link()
    shown = page(client, address)
    assert case.number
    assert case.number in shown
    assert "王秀英" not in shown
    assert client.post(address, data={"answer": "fair"}).status_code == 303
    assert again(case).state is S.CLOSED
    assert client.get(address).status_code == 410
    assert client.post(address, data={"answer": "unsolved"}).status_code == 410
    assert again(case).state is S.CLOSED
    assert db.session.scalars(sa.select(CaseCallBack.way)).all() == [CallBackWay.LINK]


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-2] + "xx", lambda text: text + "a", lambda _text: "/cases/reply/abc"]
)
def test_a_forged_link_says_how_to_go_on(case: Case, client: Client, spoil) -> None:  # type: ignore[no-untyped-def]
    answer = client.get(spoil(link()))
    assert answer.status_code == 410
    assert "已经用过或过期" in answer.get_data(as_text=True)
    assert client.post(spoil(link()), data={"answer": "good"}).status_code == 410
    assert again(case).state is S.ANSWERED


def test_a_link_signed_for_something_else_opens_nothing(case: Case, client: Client) -> None:
    other = tokens.sign("meals.pickup", [case.public_id, 0])
    assert client.get(f"/cases/reply/{other}").status_code == 410


def test_a_link_ends_after_its_days(case: Case, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = link()
    later = int(clock.now().timestamp()) + 31 * 86400
    monkeypatch.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda _signer: later)
    assert client.get(address).status_code == 410


def test_a_link_of_an_earlier_round_does_not_answer_the_next(place: Street, case: Case, client: Client) -> None:
    first = link()
    client.post(first, data={"answer": "unsolved"})
    place.moved(again(case), S.WORKING, S.ANSWERED, by=place.make.worker())
    assert link() != first
    assert client.get(first).status_code == 410
    assert client.get(link()).status_code == 200


def test_two_answers_of_one_round_the_database_takes_one(case: Case) -> None:
    row = {"case_id": case.id, "round": 0, "at": clock.now(), "way": CallBackWay.PORTAL, "solved": True}
    with transaction():
        db.session.add(CaseCallBack(**row))
    with pytest.raises(Refused, match="已经有结果"), transaction():
        by = moves.SYSTEM
        calling_back.record(again(case), solved=True, satisfaction=Satisfaction.GOOD, way=CallBackWay.PHONE, by=by)


def test_an_answer_that_is_none_is_refused(who: Neighbour, case: Case, client: Client) -> None:
    client.sign_in(who.account)
    assert client.post(f"/cases/{case.public_id}", data={"answer": "great"}).status_code == 422


def test_after_two_redos_it_closes_and_those_above_are_told(place: Street, who: Neighbour, case: Case) -> None:
    worker = place.make.worker()
    for turn in range(3):
        with transaction():
            found = db.session.get_one(Case, case.id)
            bad = {"solved": False, "satisfaction": Satisfaction.BAD, "way": CallBackWay.PORTAL}
            calling_back.record(found, by=moves.resident(actor_of(who.account)), **bad)
        if turn < 2:
            place.moved(again(case), S.WORKING, S.ANSWERED, by=worker)
    found = again(case)
    assert (found.state, found.redos) == (S.CLOSED, 2)
    assert told("casework.still_bad")


def close(case: Case, who: Neighbour) -> None:
    with transaction():
        found = db.session.get_one(Case, case.id)
        good = {"solved": True, "satisfaction": Satisfaction.GOOD, "way": CallBackWay.PORTAL}
        calling_back.record(found, by=moves.resident(actor_of(who.account)), **good)


def test_a_closed_case_is_reopened_at_most_twice_and_then_a_dispatcher_is_asked(
    place: Street, who: Neighbour, case: Case, client: Client
) -> None:
    client.sign_in(who.account)
    for _turn in range(2):
        close(case, who)
        assert client.post(f"/cases/{case.public_id}/reopen", data={"why": "又坏了"}).status_code == 303
        place.moved(again(case), S.WORKING, S.ANSWERED, by=place.make.worker())
    close(case, who)
    assert client.post(f"/cases/{case.public_id}/reopen", data={"why": "又坏了"}).status_code == 303
    assert (again(case).reopens, again(case).state) == (2, S.CLOSED)
    assert asking.waits_for_approval(again(case))


def test_a_case_closed_long_ago_is_not_reopened(who: Neighbour, case: Case) -> None:
    close(case, who)
    with transaction():
        found = db.session.get_one(Case, case.id)
        found.closed_at = clock.now() - timedelta(days=16)
        db.session.flush()
        with pytest.raises(Refused, match="期限"):
            asking.reopen(found, by=moves.resident(actor_of(who.account)), why="又坏了")


def test_reopening_asks_why(who: Neighbour, case: Case, client: Client) -> None:
    close(case, who)
    client.sign_in(who.account)
    assert client.post(f"/cases/{case.public_id}/reopen", data={"why": ""}).status_code == 422


def test_the_notice_by_telephone_holds_the_whole_address_and_the_inbox_leads_there(case: Case) -> None:
    (row,) = told("casework.answered")
    assert "http" in wording.words_for(row.topic, row.facts).body
    kept = {name: fact for name, fact in row.facts.items() if name != "address"}
    assert "http" not in wording.words_for(row.topic, kept).body
    assert telling.call_back_path(case).startswith("/cases/reply/")


def test_the_redos_of_answers_and_of_reopening_are_counted_together(
    place: Street, who: Neighbour, case: Case, client: Client
) -> None:
    with transaction():
        found = db.session.get_one(Case, case.id)
        found.redos = 2
        calling_back.record(
            found,
            solved=True,
            satisfaction=Satisfaction.GOOD,
            way=CallBackWay.PORTAL,
            by=moves.resident(actor_of(who.account)),
        )
    found = again(case)
    assert found.state is S.CLOSED
    assert asking.reopen_until(found) is None
    with pytest.raises(Refused, match="次数已经用完"):
        asking.reopen(found, by=moves.resident(actor_of(who.account)), why="又灭了")
    client.sign_in(who.account)
    assert "重新办理的次数已经用完" in page(client, f"/cases/{case.public_id}")
    assert "已办结" in page(client, f"/cases/{case.public_id}").split("期限")[1][:120]


def test_who_was_not_satisfied_never_reads_that_it_is_solved(who: Neighbour, case: Case, client: Client) -> None:
    client.sign_in(who.account)
    client.post(f"/cases/{case.public_id}", data={"answer": "bad", "words": "灯太暗"})
    shown = page(client, f"/cases/{case.public_id}")
    assert "您不满意，重新办理" in shown
    assert "解决了" not in shown
