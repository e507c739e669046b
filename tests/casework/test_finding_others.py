"""Another request found by what one remembers; supervision that is true; terms told as the reporter reads them."""

import re
from datetime import date, datetime, time, timedelta

import pytest

from portal.casework.models.cases import Case, CasePause
from portal.casework.models.codes import CaseState, Colour, Deed, Extension, LinkKind, Urgency
from portal.casework.service import deadlines, dispatching, doors, linking, moves, supervising
from portal.casework.service.dispatching import Class
from portal.core import clock
from portal.core.access import scopes_of
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.identity.models import Account
from portal.identity.permissions import Permission, Role
from tests.acting import actor_of
from tests.casework.asked import Street, page, street
from tests.casework.desk import actor, case, holidays
from tests.client import Client
from tests.make import Make
from tests.visitor import words_shown

S = CaseState
MONDAY = clock.at(date(2026, 3, 9), time(17, 30))


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


@pytest.fixture
def me(make: Make) -> Account:
    return make.worker(name="周洁")


def searched(me: Account, mine: Case, words: str, day: date | None = None) -> list[str | None]:
    by = actor(me)
    within = scopes_of(by, Permission.CASES_HANDLE)
    return [one.number for one in linking.search(within, mine, words, day, by)]


def test_another_request_is_found_by_its_words_its_place_and_its_day(place: Street, me: Account) -> None:
    who, other = place.resident(), place.resident("李小红")
    mine, lamp = place.sent(who), place.sent(other, "门口的灯坏了三天")
    place.sent(other, "楼道里堆了纸箱", "corridor")
    before = now() - timedelta(days=30)
    old = case(place.make, title="灯又坏了", community=mine.community, at=before)
    assert searched(me, mine, "灯") == [lamp.number, old.number]
    assert searched(me, mine, f"灯 {who.building.name}") == [lamp.number]
    assert searched(me, mine, "灯", clock.local(before).date()) == [old.number]
    assert searched(me, mine, "路灯楼道灯") == [lamp.number]
    assert searched(me, mine, "电梯") == searched(me, mine, "  ") == searched(me, mine, "%") == []


def test_a_search_shows_nothing_of_elsewhere_nor_what_is_said_against_who_looks(make: Make, me: Account) -> None:
    mine = case(make)
    case(make, against_worker=me.public_id)
    case(make, community=make.community("别的社区"))
    linked = case(make)
    with transaction():
        linking.link(mine, linked, LinkKind.DUPLICATE, by=actor(me))
    assert searched(me, mine, "路灯") == []


@pytest.mark.parametrize("act", ["act/link", "dispatch/merge"])
def test_what_was_found_is_chosen_without_typing_its_number(make: Make, client: Client, me: Account, act: str) -> None:
    mine, other = case(make, holder=me), case(make, title="楼梯扶手松了")
    client.sign_in(me)
    there = f"/desk/cases/{mine.public_id}/{act}"
    said = page(client, f"{there}?words=扶手")
    chosen = re.search(rf'href="({there}\?number={other.number}[^"]*)"', said)
    assert chosen
    assert f'value="{other.number}"' in page(client, chosen.group(1))
    assert "没有找到" in words_shown(page(client, f"{there}?words=电梯"))
    assert "请填日期" in words_shown(page(client, f"{there}?day=昨天"))


def test_both_requests_say_that_they_are_no_longer_linked(make: Make, me: Account) -> None:
    one, other = case(make), case(make)
    with transaction():
        linking.link(one, other, LinkKind.DUPLICATE, by=actor(me))
    with transaction():
        linking.unlink(one, other.public_id, by=actor(me))
    db.session.expire_all()
    assert [(found.steps[-1].deed, found.steps[-1].inside) for found in (one, other)] == [
        (Deed.NOTED, f"取消和 {other.number} 的关联"),
        (Deed.NOTED, f"取消和 {one.number} 的关联"),
    ]


def _yellow(make: Make, me: Account, by: moves.Mover) -> Case:
    found = case(make, S.WORKING, holder=me, finish_due=MONDAY, colour=Colour.YELLOW)
    with transaction():
        moves.step(found, Deed.SUPERVISED, by=by)
    return found


@pytest.mark.parametrize(
    ("gone_on", "left"),
    [(clock.at(date(2026, 3, 12), time(12)), Colour.NONE), (clock.at(date(2026, 3, 6), time(12)), Colour.YELLOW)],
)
def test_the_machines_colour_goes_once_a_pause_put_the_end_off(
    make: Make, me: Account, gone_on: datetime, left: Colour
) -> None:
    holidays()
    found = _yellow(make, me, moves.SYSTEM)
    make.add(CasePause(case_id=found.id, since=clock.at(date(2026, 3, 6), time(12)), until=gone_on, why="等配件"))
    with transaction():
        db.session.expire(found, ["pauses"])
        deadlines.start(found, gone_on)
    assert found.colour is left


def test_what_was_pressed_by_hand_stays_when_its_holder_pauses(make: Make, me: Account) -> None:
    holidays()
    found = _yellow(make, me, moves.worker(actor(make.worker(name="何立新"))))
    since, until = (clock.at(date(2026, 3, day), time(12)) for day in (6, 12))
    make.add(CasePause(case_id=found.id, since=since, until=until, why="等配件"))
    with transaction():
        db.session.expire(found, ["pauses"])
        deadlines.start(found, until)
    assert found.colour is Colour.YELLOW


def test_the_machines_red_goes_with_a_class_that_has_more_time(place: Street, me: Account) -> None:
    found = place.moved(place.sent(place.resident()), S.ACCEPTED, S.ASSIGNED, S.SIGNED, by=me)
    with transaction():
        found.finish_due = now() - timedelta(minutes=1)
        db.session.flush()
        supervising.colour()
    assert found.colour is Colour.RED
    assert found.category
    with transaction():
        told = Class(found.category, found.kind, Urgency.NORMAL)
        dispatching.classify(found, told, {}, by=actor(me))
    assert found.colour is Colour.NONE


def test_what_is_yellow_on_friday_says_that_it_ends_on_monday(make: Make, me: Account) -> None:
    due = now() + timedelta(hours=2)
    found = case(make, S.WORKING, holder=me, urgency=Urgency.URGENT, finish_due=due)
    with transaction():
        assert supervising.colour() == 1
    assert found.steps[-1].inside == f"{day_words(clock.local(due).date())}到期，请抓紧"


def test_what_is_supervised_stands_on_the_desks_of_the_street_and_of_who_handles(make: Make, client: Client) -> None:
    holder, street_desk = make.worker(Role.CASE_WORKER, name="孙梅"), make.worker(Role.STREET_ADMINISTRATOR)
    case(make, S.WORKING, holder=holder, colour=Colour.RED)
    for who in (holder, street_desk):
        found = {str(todo.words): todo.count for todo in doors.todo_of(actor_of(who))}
        assert found["督办的诉求"] == 1
        client.sign_in(who)
        assert "督办的诉求" in words_shown(page(client, "/desk/"))


def test_who_asked_for_more_time_is_not_offered_to_decide_on_it(make: Make, client: Client, me: Account) -> None:
    more = {"extension": Extension.ASKED, "extension_until": now() + timedelta(days=9)}
    mine, hers = case(make, S.WORKING, holder=me, **more), case(make, S.WORKING, holder=make.worker(), **more)
    client.sign_in(me)
    assert "supervise/decide" not in page(client, f"/desk/cases/{mine.public_id}")
    assert "supervise/decide" in page(client, f"/desk/cases/{hers.public_id}")


def test_what_is_answered_already_gets_no_more_time(make: Make, me: Account) -> None:
    found = case(make, S.ANSWERED, holder=make.worker(), extension=Extension.ASKED, extension_until=now())
    with pytest.raises(Refused, match="没有等审批"):
        supervising.decide_extension(found, grant=True, why="", by=actor(me))


def test_a_reporter_reads_until_when_it_is_done_not_until_when_a_worker_signs(place: Street, client: Client) -> None:
    who, worker = place.resident(), place.make.worker()
    sent = place.sent(who)
    client.sign_in(who.account)
    assert "受理期限" in words_shown(page(client, f"/cases/{sent.public_id}"))
    place.moved(sent, S.ACCEPTED, S.ASSIGNED, by=worker)
    with transaction():
        sent.sign_due = now() - timedelta(minutes=1)
        sent.finish_due = now() + timedelta(days=5)
    said = words_shown(page(client, f"/cases/{sent.public_id}"))
    day = day_words(clock.local(sent.finish_due).date()).replace(" ", "")
    assert f"办理期限{day}" in said
    assert "已经超过期限" not in said
    assert day in words_shown(page(client, "/cases/"))


def test_whose_request_was_merged_goes_on_from_it_to_the_one_that_runs(place: Street, client: Client) -> None:
    who, worker = place.resident(), place.make.worker()
    mine, main = place.sent(who), place.sent(place.resident("李小红"), "门口的灯坏了三天")
    with transaction():
        linking.merge(mine, main, "同一盏灯", by=actor(worker))
    client.sign_in(who.account)
    there = f"/cases/{main.public_id}/followed"
    assert there in page(client, f"/cases/{mine.public_id}")
    client.post(f"/cases/{main.public_id}/unfollow")
    assert there not in page(client, f"/cases/{mine.public_id}")


def test_who_urges_is_told_truly_who_reads_it(place: Street, client: Client) -> None:
    who = place.resident()
    fresh, held = place.sent(who), place.sent(who, "楼道灯闪个不停")
    place.moved(held, S.ACCEPTED, S.ASSIGNED, by=place.make.worker())
    client.sign_in(who.account)
    for one, reader in ((fresh, "派单人"), (held, "办理人")):
        answer = client.post(f"/cases/{one.public_id}/urge", follow_redirects=True)
        assert f"已催办，{reader}马上会看到" in words_shown(answer.text)


def test_how_long_a_step_took_says_by_which_hours_it_counts(client: Client, me: Account) -> None:
    client.sign_in(me)
    assert "夜里、周末和节假日都在内" in words_shown(page(client, "/desk/cases/dwelling"))


def test_who_names_no_other_request_is_told_where_to_find_one(place: Street, client: Client, me: Account) -> None:
    mine = place.sent(place.resident())
    address = f"/desk/cases/{mine.public_id}/act/link"
    answer = client.sign_in(me).post(address, data={"kind": LinkKind.DUPLICATE.value, "idem": "one"})
    assert answer.status_code == 422
    assert "请在上面找到后点“选这件”" in words_shown(answer.text)
