"""The pages of rooms on both platforms: found, booked, seen and cancelled; served, refused, blocked and printed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.catalogue.models.rooms import BookedBy, BookingState, RoomBlock, RoomRule, RoomSeries
from portal.catalogue.service.rooms import blocks
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from tests.acting import actor_of
from tests.catalogue import rooming
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make


@pytest.fixture
def neighbour(make: Make):
    person = make.person()
    return person, make.resident(person)


@pytest.fixture
def booked(make: Make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, needs_confirmation=True)
    return rule, rooming.book(rule, rooming.wish(person), account)


def tomorrow(**more: str) -> dict[str, str]:
    return rooming.filled(**more)


def test_a_stranger_finds_what_is_free_at_a_time_and_a_room_by_its_day(make, client: Client, booked):
    rule, _made = booked
    other = rooming.rule(make, rooming.room(make, "书画室"))
    day = (today() + timedelta(days=1)).isoformat()
    found = client.get(f"/services/rooms?day={day}&opens=09:00&closes=10:00&headcount=5").text
    assert found.index("书画室") < found.index("这段时间已经有人用了")
    assert f"/services/rooms/{other.room_id}/book" in found
    shown = client.get(f"/services/rooms/{rule.room_id}?day={day}")
    assert shown.status_code == 200
    assert "王秀英" not in shown.text
    assert "08:00–09:00" in shown.text


def test_no_rooms_say_what_to_do(client: Client):
    assert "还没有可以预约的房间" in client.get("/services/rooms").text


def test_a_resident_books_sees_the_code_and_cancels(make, client: Client, neighbour):
    _person, account = neighbour
    rule = rooming.rule(make)
    client.sign_in(account)
    whose = f"p:{neighbour[0].public_id}"
    page = client.get(f"/services/rooms/{rule.room_id}/book?day={tomorrow()['day']}&opens=09:00").text
    assert whose in page
    answer = client.post(f"/services/rooms/{rule.room_id}/book", data=tomorrow(whose=whose, idem="once"))
    assert answer.status_code == 303
    again = client.post(f"/services/rooms/{rule.room_id}/book", data=tomorrow(whose=whose, idem="once"))
    assert again.location == answer.location
    (made,) = rooming.bookings()
    shown = client.get(answer.location).text
    assert made.code in shown
    assert "<svg" in shown
    calendar = client.get(f"{answer.location}/calendar")
    assert calendar.mimetype == "text/calendar"
    assert made.code in calendar.text
    assert "SUMMARY:合唱排练" in calendar.text
    assert made.purpose in client.get("/services/rooms/bookings").text
    assert client.get(f"{answer.location}/cancel").status_code == 200
    assert client.post(f"{answer.location}/cancel", data={"reason": "改天"}).status_code == 303
    assert make.read(made).state is BookingState.CANCELLED
    assert client.post(f"{answer.location}/cancel", data={}).status_code == 422


def test_a_taken_time_is_said_beside_its_field_with_what_was_typed_kept(make, client: Client, neighbour, booked):
    rule, _made = booked
    client.sign_in(neighbour[1])
    answer = client.post(
        f"/services/rooms/{rule.room_id}/book", data=tomorrow(whose=f"p:{neighbour[0].public_id}", purpose="包饺子")
    )
    assert answer.status_code == 422
    assert "已经有人约了" in answer.text
    assert "包饺子" in answer.text


def test_who_is_not_known_yet_is_told_why_she_cannot_book(make, client: Client):
    rule = rooming.rule(make)
    assert "身份核对" in client.sign_in(make.resident()).get(f"/services/rooms/{rule.room_id}/book").text


def test_a_neighbours_booking_is_not_there(make, client: Client, booked):
    other = make.resident(make.person("赵六"))
    client.sign_in(other)
    for tail in ("", "/cancel"):
        assert client.get(f"/services/rooms/bookings/{booked[1].public_id}{tail}").status_code == 404


def test_a_worker_confirms_and_another_community_sees_nothing(make, client: Client, app, booked):
    rule, made = booked
    away = make.worker(Role.COMMUNITY_WORKER, make.community("远山社区"), name="远")
    far: Client = app.test_client().sign_in(away)
    for address in (
        f"rooms/bookings/{made.public_id}",
        f"rooms/bookings/{made.public_id}/refuse",
        f"rooms/{rule.room_id}",
        f"rooms/{rule.room_id}/rules",
        f"rooms/{rule.room_id}/block",
        f"rooms/{rule.room_id}/book",
        f"rooms/{rule.room_id}/series",
        f"rooms/{rule.room_id}/who",
    ):
        assert far.get(f"/desk/services/{address}").status_code == 404, address
    assert far.post(f"/desk/services/rooms/bookings/{made.public_id}/confirm").status_code == 404
    assert "合唱排练" not in far.get(f"/desk/services/rooms?day={tomorrow()['day']}").text
    assert far.post("/desk/services/rooms/code", data={"code": made.code}).status_code == 422
    client.sign_in(make.worker())
    assert "合唱排练" in client.get("/desk/services/rooms/bookings").text
    assert client.post(f"/desk/services/rooms/bookings/{made.public_id}/confirm").status_code == 303
    assert make.read(made).state is BookingState.CONFIRMED
    assert client.post("/desk/services/rooms/code", data={"code": made.code}).status_code == 303
    assert client.get(f"/desk/services/rooms/bookings/{made.code}").status_code == 200


@pytest.mark.parametrize("act", ["refuse", "call-off", "no-show", "put-right"])
def test_a_negative_act_asks_for_a_reason(make, client: Client, booked, act):
    client.sign_in(make.worker())
    address = f"/desk/services/rooms/bookings/{booked[1].public_id}/{act}"
    assert client.get(address).status_code == 200
    answer = client.post(address, data={"reason": "  "})
    assert answer.status_code == 422
    assert "请写明原因" in answer.text


def test_an_act_that_does_not_exist_is_not_found(make, client: Client, booked):
    client.sign_in(make.worker())
    assert client.get(f"/desk/services/rooms/bookings/{booked[1].public_id}/sell").status_code == 404


@pytest.mark.parametrize("view", ["day", "week"])
def test_the_board_and_its_paper_show_bookings_and_blockings(make, client: Client, booked, view):
    rule, _made = booked
    worker = make.worker()
    with transaction() as session:
        fresh = session.get_one(RoomRule, rule.id)
        blocks.block(fresh, rooming.at(18), rooming.at(9, days=3), "刷墙", by=actor_of(worker))
    client.sign_in(worker)
    day = tomorrow()["day"]
    page = client.get(f"/desk/services/rooms?view={view}&day={day}").text
    paper = client.post("/desk/services/rooms/print", data={"view": view, "day": day}).text
    for shown in (page, paper):
        assert "王秀英" in shown
        assert "刷墙" in shown
    assert db.session.scalar(sa.select(AuditRow.action).where(AuditRow.action == "rooms.board_printed"))


def test_the_board_asks_few_questions_whatever_it_holds(make, client: Client, neighbour):
    person, account = neighbour
    client.sign_in(make.worker())
    for turn in range(6):
        rule = rooming.rule(make, rooming.room(make, f"{turn} 号室"))
        rooming.book(rule, rooming.wish(person), account)
        rooming.book(rule, rooming.wish(person, rooming.at(11)), account)
    for address in (f"/desk/services/rooms?day={tomorrow()['day']}", "/desk/services/rooms/bookings?tab=coming"):
        with count_queries() as asked:
            assert client.get(address).status_code == 200
        assert len(asked) <= 8, (address, asked)


def test_a_worker_sets_rules_for_a_room_that_had_none(make, client: Client):
    held = rooming.room(make)
    client.sign_in(make.worker())
    assert "多功能厅" in client.get("/desk/services/rooms/rules").text
    said = {"is_open": "y", "open_to": ["resident"], "hours": "每天 8:00-21:00", "most_ahead": "30", "longest": "120"}
    address = f"/desk/services/rooms/{held.id}/rules"
    assert client.get(address).status_code == 200
    assert client.post(address, data={**said, "most_held": "2", "hours": "不知道"}).status_code == 422
    assert client.post(address, data={**said, "most_held": "2"}).status_code == 303
    assert client.get(address).status_code == 200
    assert client.get(f"/desk/services/rooms/{held.id}").status_code == 200
    assert "多功能厅" in client.get("/services/rooms").text


def test_a_worker_books_for_somebody_with_the_consent_on_record(make, client: Client, neighbour):
    person, _account = neighbour
    rule = rooming.rule(make)
    client.sign_in(make.worker())
    found = client.post(f"/desk/services/rooms/{rule.room_id}/who", data={"q": "王秀英"}).text
    assert f"person={person.public_id}" in found
    address = f"/desk/services/rooms/{rule.room_id}/book?person={person.public_id}"
    assert client.get(address).status_code == 200
    assert "本人怎么同意的" in client.post(address, data=tomorrow()).text
    agreed = {"how": "telephone", "given_at": "2026-11-23 09:00"}
    assert client.post(address, data=tomorrow(**agreed)).status_code == 303
    (made,) = rooming.bookings()
    assert (made.through, made.consent) == (BookedBy.COUNTER, "本人电话里同意（2026-11-23 09:00）")
    shown = client.get(f"/desk/services/rooms/bookings/{made.public_id}").text
    assert made.consent in shown


def test_the_communitys_own_use_is_booked_without_a_person(make, client: Client):
    rule = rooming.rule(make)
    client.sign_in(make.worker())
    address = f"/desk/services/rooms/{rule.room_id}/book"
    assert client.post(address, data=tomorrow(organisation="")).status_code == 303
    board = client.get(f"/desk/services/rooms?day={tomorrow()['day']}").text
    assert "社区自用" in board
    assert f"{address}?day=" in board, "the rest of the day can still be taken"


def test_a_weekly_series_lists_what_is_in_the_way_and_skips_it_by_choice(make, client: Client, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, buffer=15)
    clash = rooming.book(rule, rooming.wish(person, rooming.at(9, days=8)), account)
    client.sign_in(make.worker())
    first = today() + timedelta(days=1)
    said = {
        "purpose": "太极班",
        "organisation": "",
        "headcount": "10",
        "first_day": first.isoformat(),
        "last_day": (first + timedelta(days=27)).isoformat(),
        "opens": "09:30",
        "closes": "10:30",
    }
    address = f"/desk/services/rooms/{rule.room_id}/series"
    assert client.get(address).status_code == 200
    refused = client.post(address, data=said)
    assert refused.status_code == 422
    assert "有 1 个日期排不上" in refused.text
    assert len(rooming.bookings()) == 1
    assert client.post(address, data={**said, "skip": "y", "idem": "s1"}).status_code == 303
    assert client.post(address, data={**said, "skip": "y", "idem": "s1"}).status_code == 303
    weekly = [one for one in rooming.bookings() if one.series_id]
    assert [(one.starts_at - weekly[0].starts_at).days for one in weekly] == [0, 14, 21]
    assert db.session.scalar(sa.select(sa.func.count(RoomSeries.id))) == 1
    alone = f"/desk/services/rooms/bookings/{weekly[1].public_id}"
    assert "同一个系列" in client.get(alone).text
    assert client.post(f"{alone}/call-off", data={"reason": "老师请假"}).status_code == 303
    assert [make.read(one).state for one in weekly].count(BookingState.CONFIRMED) == 2
    assert make.read(clash).state is BookingState.CONFIRMED


def test_a_blocking_says_what_is_in_the_way_and_cancels_it_by_choice(make, client: Client, booked):
    rule, made = booked
    client.sign_in(make.worker())
    day = tomorrow()["day"]
    said = {"first_day": day, "opens": "08:00", "last_day": day, "until": "18:00", "reason": "修空调"}
    address = f"/desk/services/rooms/{rule.room_id}/block"
    assert client.get(address).status_code == 200
    refused = client.post(address, data=said)
    assert refused.status_code == 422
    assert "有 1 个预约" in refused.text
    assert client.post(address, data={**said, "clear": "y"}).status_code == 303
    assert (make.read(made).state, make.read(made).why) == (BookingState.CANCELLED, "修空调")
    assert "修空调" in client.get(f"/services/rooms/{rule.room_id}").text
    block = db.session.scalars(sa.select(RoomBlock)).one()
    assert client.post(f"/desk/services/rooms/blocks/{block.id}/lift").status_code == 303
    assert rooming.quarters(rule) == []
    again = client.post(f"/desk/services/rooms/blocks/{block.id}/lift", follow_redirects=True)
    assert "已经取消了" in again.text


def test_a_room_that_is_used_is_marked(make, client: Client, neighbour):
    person, _account = neighbour
    rule = rooming.rule(make, hours={str(day): [["00:00", "24:00"]] for day in range(7)})
    worker = make.worker()
    made = rooming.book(rule, rooming.wish(person, through=BookedBy.COUNTER, consent="当面"), worker)
    client.sign_in(worker)
    early = client.post(f"/desk/services/rooms/bookings/{made.public_id}/used", follow_redirects=True)
    assert "还没到使用时间" in early.text
    assert make.read(made).state is BookingState.CONFIRMED
