"""Booking rooms: every rule at its boundary, conflicts, states, and who may."""

from datetime import datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue.models.rooms import BOOKING_MOVES, BookedBy, Booker, BookingState, RoomBooking, RoomRule
from portal.catalogue.service.rooms import booking, finding, history, rules
from portal.core import calendar, clock
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.registry.models import AgentState, FamilyAgent, RoomUse, Staff, StaffKind
from tests.acting import actor_of
from tests.catalogue import rooming
from tests.make import Make

MONDAY_TEN = datetime(2026, 3, 2, 10, 0, tzinfo=clock.SHANGHAI)


@pytest.fixture
def neighbour(make: Make):
    person = make.person()
    return person, make.resident(person)


def act(call, *arguments, **more):
    """Carry one act out on a fresh copy, as a request does."""
    with transaction() as session:
        found = session.get_one(RoomBooking, arguments[0].id)
        call(found, *arguments[1:], **more)
    db.session.rollback()


def test_a_booking_holds_its_quarters_and_the_cleaning_after_it(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, buffer=30)
    made = rooming.book(rule, rooming.wish(person), account)
    assert made.state is BookingState.CONFIRMED
    assert rooming.quarters(rule) == [rooming.at(9) + timedelta(minutes=15 * turn) for turn in range(6)]


def test_a_time_that_is_taken_is_refused_and_the_next_quarter_is_not(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, buffer=15)
    rooming.book(rule, rooming.wish(person), account)
    for starts_at in (rooming.at(8, 30), rooming.at(9, 45), rooming.at(10)):
        with pytest.raises(Refused, match="已经有人约了"):
            rooming.book(rule, rooming.wish(person, starts_at), account)
    rooming.book(rule, rooming.wish(person, rooming.at(10, 15)), account)
    assert len(rooming.bookings()) == 2


def test_cleaning_time_before_another_booking_counts_too(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, buffer=15)
    rooming.book(rule, rooming.wish(person, rooming.at(11)), account)
    with pytest.raises(Refused):
        rooming.book(rule, rooming.wish(person, rooming.at(10)), account)
    rooming.book(rule, rooming.wish(person, rooming.at(9, 45)), account)


def test_a_room_takes_bookings_inside_its_hours_only(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make)
    rooming.book(rule, rooming.wish(person, rooming.at(8)), account)
    rooming.book(rule, rooming.wish(person, rooming.at(20)), account)
    for starts_at in (rooming.at(7, 45), rooming.at(20, 15)):
        with pytest.raises(Refused, match="08:00-21:00"):
            rooming.book(rule, rooming.wish(person, starts_at), account)


def test_a_room_may_be_open_until_midnight(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, hours={str(day): [["18:00", "24:00"]] for day in range(7)})
    rooming.book(rule, rooming.wish(person, rooming.at(23)), account)
    with pytest.raises(Refused):
        rooming.book(rule, rooming.wish(person, rooming.at(23, 30)), account)


def test_times_are_whole_quarters(make, neighbour):
    person, account = neighbour
    with pytest.raises(Refused, match="整刻"):
        rooming.book(rooming.rule(make), rooming.wish(person, rooming.at(9, 10)), account)


def test_a_weekday_without_hours_is_closed(make, neighbour):
    person, account = neighbour
    tomorrow = today() + timedelta(days=1)
    hours = {str(day): [["08:00", "21:00"]] for day in range(7) if day != tomorrow.weekday()}
    with pytest.raises(Refused, match="不开放"):
        rooming.book(rooming.rule(make, hours=hours), rooming.wish(person), account)


def test_a_holiday_is_closed_unless_the_rules_say_otherwise(make, neighbour):
    person, account = neighbour
    with transaction():
        calendar.set_day(today() + timedelta(days=1), works=False, name="国庆节")
    with pytest.raises(Refused, match="国庆节"):
        rooming.book(rooming.rule(make, on_holidays=False), rooming.wish(person), account)
    rooming.book(rooming.rule(make, on_holidays=True), rooming.wish(person), account)


def test_a_room_is_booked_so_many_hours_ahead_and_not_a_minute_less(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, least_ahead=2)
    with time_machine.travel(MONDAY_TEN, tick=False):
        rooming.book(rule, rooming.wish(person, rooming.at(12, days=0), minutes=30), account)
    with (
        time_machine.travel(MONDAY_TEN + timedelta(minutes=1), tick=False),
        pytest.raises(Refused, match="提前 2 小时"),
    ):
        rooming.book(rule, rooming.wish(person, rooming.at(12, days=0), minutes=30), account)


def test_a_room_is_booked_at_most_so_many_days_ahead(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, most_ahead=7)
    rooming.book(rule, rooming.wish(person, rooming.at(9, days=7)), account)
    with pytest.raises(Refused, match="最多提前 7 天"):
        rooming.book(rule, rooming.wish(person, rooming.at(9, days=8)), account)


def test_a_booking_is_at_most_so_long(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, longest=90)
    with pytest.raises(Refused, match="90 分钟"):
        rooming.book(rule, rooming.wish(person, minutes=105), account)
    rooming.book(rule, rooming.wish(person, minutes=90), account)


def test_somebody_holds_so_many_and_may_book_again_after_cancelling(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, most_held=2)
    first = rooming.book(rule, rooming.wish(person), account)
    rooming.book(rule, rooming.wish(person, rooming.at(11)), account)
    with pytest.raises(Refused, match="同时最多约 2 次"):
        rooming.book(rule, rooming.wish(person, rooming.at(13)), account)
    act(booking.cancel, first, rule, by=actor_of(account))
    rooming.book(rule, rooming.wish(person, rooming.at(13)), account)


def test_more_people_than_the_room_holds_are_refused(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, rooming.room(make, capacity=8))
    with pytest.raises(Refused, match="最多坐 8 人"):
        rooming.book(rule, rooming.wish(person, headcount=9), account)
    rooming.book(rule, rooming.wish(person, headcount=8), account)


def test_a_room_for_organisations_is_not_booked_by_a_neighbour(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, open_to=[Booker.ORGANISATION])
    with pytest.raises(Refused, match="组织和单位"):
        rooming.book(rule, rooming.wish(person), account)
    body = rooming.organisation(make)
    rooming.book(rule, rooming.wish(person, organisation=body, through=BookedBy.ORGANISATION), account)


def test_a_room_for_workers_is_booked_at_the_counter_only(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, open_to=[])
    with pytest.raises(Refused):
        rooming.book(rule, rooming.wish(person), account)
    rooming.book(rule, rooming.wish(person, through=BookedBy.COUNTER, consent="电话"), make.worker())


def test_somebody_of_another_community_is_refused(make):
    far = make.person("赵远", community=make.community("远山社区"))
    with pytest.raises(Refused, match="春风里社区"):
        rooming.book(rooming.rule(make), rooming.wish(far), make.resident(far))


def test_a_room_that_was_given_up_is_not_booked(make, neighbour):
    person, account = neighbour
    held = rooming.room(make)
    rule = rooming.rule(make, held)
    with transaction() as session:
        session.get_one(type(held), held.id).closed_on = today()
    with pytest.raises(Refused, match="停用"):
        rooming.book(rule, rooming.wish(person), account)


def test_the_same_request_twice_books_once(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make)
    first = rooming.book(rule, rooming.wish(person), account, idem="k1")
    again = rooming.book(rule, rooming.wish(person), account, idem="k1")
    assert first.id == again.id
    assert len(rooming.bookings()) == 1
    with pytest.raises(Refused, match="已经提交过"):
        rooming.book(rule, rooming.wish(person, rooming.at(15)), account, idem="k1")


def test_a_room_that_needs_confirming_holds_the_time_meanwhile(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, needs_confirmation=True)
    made = rooming.book(rule, rooming.wish(person), account)
    assert made.state is BookingState.REQUESTED
    with pytest.raises(Refused):
        rooming.book(rule, rooming.wish(person), account)
    act(booking.confirm, made, by=actor_of(make.worker()))
    assert make.read(made).state is BookingState.CONFIRMED


def test_refusing_says_why_and_frees_the_time(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, needs_confirmation=True)
    made = rooming.book(rule, rooming.wish(person), account)
    worker = actor_of(make.worker())
    with pytest.raises(Refused, match="原因"):
        act(booking.refuse, made, " ", by=worker)
    act(booking.refuse, made, "当天有选举", by=worker)
    assert make.read(made).why == "当天有选举"
    assert rooming.quarters(rule) == []
    topics = [row.topic for row in db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))]
    assert topics == ["catalogue.room_requested", "catalogue.room_refused"]


def test_a_resident_cancels_until_the_limit_and_a_worker_after_it(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, cancel_ahead=2)
    with time_machine.travel(MONDAY_TEN, tick=False):
        first = rooming.book(rule, rooming.wish(person, rooming.at(12, days=0), minutes=30), account)
        second = rooming.book(rule, rooming.wish(person, rooming.at(13, days=0)), account)
        act(booking.cancel, first, rule, by=actor_of(account))
    with time_machine.travel(MONDAY_TEN + timedelta(hours=1, minutes=1), tick=False):
        with pytest.raises(Refused, match="开始前 2 小时"):
            act(booking.cancel, second, rule, by=actor_of(account))
        act(booking.call_off, second, "停电", by=actor_of(make.worker()))
    assert {made.state for made in rooming.bookings()} == {BookingState.CANCELLED}
    assert rooming.quarters(rule) == []


def test_a_no_show_frees_the_rest_and_is_put_right_with_a_reason(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make)
    worker = actor_of(make.worker())
    with time_machine.travel(MONDAY_TEN, tick=False):
        made = rooming.book(rule, rooming.wish(person, rooming.at(12, days=0), minutes=120), account)
        with pytest.raises(Refused, match="还没到"):
            act(booking.mark_no_show, made, "没来", by=worker)
    with time_machine.travel(MONDAY_TEN + timedelta(hours=3), tick=False):
        act(booking.mark_no_show, made, "等了一小时没来", by=worker)
        assert len(rooming.quarters(rule)) == 4
        with pytest.raises(Refused, match="写明原因"):
            act(booking.mark_used, made, by=worker)
        act(booking.put_right, made, "在隔壁房间", by=worker)
    assert make.read(made).state is BookingState.USED


@pytest.mark.parametrize("state", list(BookingState))
def test_no_booking_makes_a_move_that_the_table_lacks(make, neighbour, state):
    person, account = neighbour
    rule = rooming.rule(make)
    made = rooming.book(rule, rooming.wish(person), account)
    for following in BookingState:
        with transaction() as session:
            session.get_one(RoomBooking, made.id).state = state
        if following in BOOKING_MOVES[state]:
            act(booking.move, made, following, by=actor_of(account))
        else:
            with pytest.raises(Refused, match="不能再这样办理"):
                act(booking.move, made, following, by=actor_of(account))


def test_an_organisation_is_booked_for_by_its_staff_alone(make, neighbour):
    person, account = neighbour
    body = rooming.organisation(make)
    assert history.organisations_of(actor_of(account)) == []
    make.add(
        Staff(
            community_id=make.community().id,
            name=person.name,
            kind=StaffKind.OTHER,
            organisation_id=body.id,
            person_id=person.id,
        )
    )
    assert [one.id for one in history.organisations_of(actor_of(account))] == [body.id]


def test_a_family_agent_sees_and_makes_her_mothers_bookings(make, neighbour):
    person, _account = neighbour
    daughter = make.resident(make.person("李小红"))
    rule = rooming.rule(make)
    assert history.bookings_for(actor_of(daughter)).coming == []
    make.add(
        FamilyAgent(
            account_id=daughter.id,
            person_id=person.id,
            principal_name=person.name,
            relation="daughter",
            actions=history.ACT,
            until=today(),
            requested_at=now(),
            state=AgentState.ACCEPTED,
        )
    )
    made = rooming.book(rule, rooming.wish(person, through=BookedBy.AGENT), daughter)
    assert [one.id for one in history.bookings_for(actor_of(daughter)).coming] == [made.id]


def test_rules_are_refused_in_words_beside_their_field(make):
    held, worker = rooming.room(make), actor_of(make.worker())
    facts = rules.RuleFacts(open_to=rooming.BOTH, hours="周一至周五 8:30-17:00")
    with transaction():
        made = rules.set_rule(held, facts, by=worker)
    assert make.read(made).hours["4"] == [["08:30", "17:00"]]
    for changed, field in (
        ({"hours": "周一 8:10-17:00"}, "hours"),
        ({"longest": 50}, "longest"),
        ({"buffer": 10}, "buffer"),
        ({"most_ahead": 1, "least_ahead": 48}, "least_ahead"),
    ):
        with pytest.raises(Refused) as refused, transaction():
            rules.set_rule(held, rules.RuleFacts(**{**facts.__dict__, **changed}), by=worker)
        assert refused.value.field == field


def test_setting_rules_twice_keeps_one_row(make):
    held, worker = rooming.room(make), actor_of(make.worker())
    facts = rules.RuleFacts(open_to=rooming.BOTH, hours="每天 8:00-21:00")
    for _turn in range(2):
        with transaction():
            rules.set_rule(held, facts, by=worker)
    assert db.session.scalar(sa.select(sa.func.count(RoomRule.id))) == 1


def test_the_dead_are_not_booked_for(make, neighbour):
    person, _account = neighbour
    rule = rooming.rule(make)
    with transaction() as session:
        session.get_one(type(person), person.id).state = "dead"
    with pytest.raises(Refused, match="档案"):
        rooming.book(rule, rooming.wish(person, through=BookedBy.COUNTER, consent="当面"), make.worker())


def test_a_weekly_use_of_the_register_goes_first(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make, buffer=15)
    day = today() + timedelta(days=1)
    make.add(
        RoomUse(
            room_id=rule.room_id, name="手机课堂", weekday=day.weekday(), opens=time(10), closes=time(11), held_by=""
        )
    )
    for starts_at in (rooming.at(9), rooming.at(10, 45)):
        with pytest.raises(Refused, match="手机课堂"):
            rooming.book(rule, rooming.wish(person, starts_at), account)
    rooming.book(rule, rooming.wish(person, rooming.at(11)), account)
    rooming.book(rule, rooming.wish(person, rooming.at(8, 45)), account)
    cells = {cell.at: cell.is_free for hour in finding.grid(rule, day) for cell in hour.cells if cell}
    assert not cells[rooming.at(10)]
    assert cells[rooming.at(12, 15)]


def test_a_refused_booking_leaves_nothing_even_where_the_transaction_goes_on(make, neighbour):
    person, account = neighbour
    rule = rooming.rule(make)
    rooming.book(rule, rooming.wish(person), account)
    with transaction() as session:
        fresh = session.get_one(RoomRule, rule.id)
        with pytest.raises(Refused):
            booking.book(fresh, rooming.wish(person), by=actor_of(account))
        booking.book(fresh, rooming.wish(person, rooming.at(11)), by=actor_of(account))
    db.session.rollback()
    assert [made.starts_at for made in rooming.bookings()] == [rooming.at(9), rooming.at(11)]
