"""What ends with a slot, an application or a person: lines, offers, closings, terms; nothing is left hanging."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue import jobs
from portal.catalogue.models.applications import ApplicationState
from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import Item
from portal.catalogue.models.rooms import BOOKING_MOVES, BookingState, RoomBooking, RoomRule
from portal.catalogue.models.schedules import Slot, SlotState, Timetable
from portal.catalogue.service import changing, closing, holds, opening, timetables
from portal.catalogue.service.applications import deciding, doors, filing
from portal.catalogue.service.rooms import blocks, booking
from portal.core.access import scopes_of
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.places.models import Capacity, Waiting
from portal.registry.models import Person, PersonState
from tests.acting import actor_of
from tests.catalogue import applying, rooming
from tests.catalogue.bookings import a_slot, book, join, taken, told
from tests.catalogue.tables import MONDAY, a_timetable, clock_at, facts, slots_on
from tests.client import Client
from tests.make import Make

TUESDAY = MONDAY + timedelta(days=1)


def cancel(appointment: Appointment, by: Account) -> None:
    with transaction() as session:
        changing.cancel(session.get_one(Appointment, appointment.id), by=actor_of(by), reason="来不了")


def close(slot: Slot, by: Account, reason: str = "医生开会") -> None:
    with transaction() as session:
        closing.close(session.get_one(Slot, slot.id), reason, by=actor_of(by))


def change(timetable: Timetable, by: Account, **more: int) -> None:
    with transaction() as session:
        found = session.get_one(Timetable, timetable.id)
        timetables.change(found, facts(*found.items, **more), by=actor_of(by))


def line() -> list[str]:
    db.session.rollback()
    return [row.state.value for row in db.session.scalars(sa.select(Waiting).order_by(Waiting.id))]


def total(slot: Slot) -> int:
    db.session.rollback()
    return db.session.scalars(sa.select(Capacity.total).where(Capacity.id == slot.capacity_id)).one()


def test_a_closed_slot_ends_its_line_and_takes_back_what_it_offers(make: Make) -> None:
    slot, worker = a_slot(make), make.worker()
    first, second, third = (make.person(name) for name in ("张一", "张二", "张三"))
    made = book(make, slot, first)
    join(make, slot, second)
    join(make, slot, third)
    cancel(made, worker)
    assert (line(), taken(slot)) == (["offered", "waiting"], 1)
    close(slot, worker)
    assert (line(), taken(slot)) == (["closed", "closed"], 0)
    assert told("place_closed", second)
    assert told("place_closed", third)


def test_what_comes_back_to_a_closed_slot_is_offered_to_nobody(make: Make) -> None:
    slot, worker = a_slot(make), make.worker()
    made = book(make, slot, make.person("张一"))
    join(make, slot, make.person("张二"))
    close(slot, worker)
    cancel(made, worker)
    assert (line(), taken(slot), told("place_offered")) == (["closed"], 0, [])


def test_a_timetable_that_ends_leaves_no_offer_and_nobody_to_settle(make: Make) -> None:
    with clock_at("08:00"):
        timetable, worker = a_timetable(make), make.worker()
        slot = slots_on(timetable, TUESDAY)[0]
        made = book(make, slot, make.person("张一"))
        join(make, slot, make.person("张二"))
        cancel(made, worker)
        with transaction() as session:
            timetables.end(session.get_one(Timetable, timetable.id), "不办了", by=actor_of(worker))
        assert (line(), taken(slot)) == (["closed"], 0)
        assert len(told("place_closed")) == 1
        assert timetables.unsettled(scopes_of(actor_of(worker), Permission.CATALOGUE_KEEP)) == []


def test_a_booked_slot_that_its_timetable_drops_ends_its_line(make: Make) -> None:
    with clock_at("08:00"):
        timetable, worker = a_timetable(make), make.worker()
        slot = slots_on(timetable, TUESDAY)[0]
        book(make, slot, make.person("张一"))
        join(make, slot, make.person("张二"))
        with transaction() as session:
            opened = timetables.end(session.get_one(Timetable, timetable.id), "不办了", by=actor_of(worker))
        assert [one.id for one in opened.misfits] == [slot.id]
        assert (line(), taken(slot)) == (["closed"], 1)


def test_a_slot_that_a_worker_closed_stays_closed_when_an_exception_comes_and_goes(make: Make) -> None:
    with clock_at("08:00"):
        timetable, worker = a_timetable(make), make.worker()
        closed, other = slots_on(timetable, TUESDAY)[:2]
        close(closed, worker)
        with transaction() as session:
            found = session.get_one(Timetable, timetable.id)
            timetables.add_exception(found, TUESDAY, TUESDAY, None, "停电", by=actor_of(worker))
        with transaction() as session:
            found = session.get_one(Timetable, timetable.id)
            timetables.drop_exception(found, found.exceptions[0].id, by=actor_of(worker))
        again = {slot.id: slot for slot in slots_on(timetable, TUESDAY)}
        assert (again[closed.id].state, again[closed.id].reason) == (SlotState.CLOSED, "医生开会")
        assert again[closed.id].fits
        assert again[other.id].state is SlotState.OPEN
        with transaction() as session:
            closing.reopen(session.get_one(Slot, closed.id), by=actor_of(worker))


def test_places_that_a_timetable_has_no_more_are_not_filled_again(make: Make) -> None:
    with clock_at("08:00"):
        timetable, worker = a_timetable(make, people=2), make.worker()
        slot = slots_on(timetable, TUESDAY)[0]
        made = book(make, slot, make.person("张一"))
        book(make, slot, make.person("张二"))
        join(make, slot, make.person("张三"))
        change(timetable, worker, people=1)
        assert (total(slot), taken(slot)) == (2, 2)
        cancel(made, worker)
        assert (total(slot), taken(slot)) == (1, 1)
        assert line() == ["waiting"]
        with pytest.raises(Refused):
            book(make, slots_on(timetable, TUESDAY)[0], make.person("张四"))


def test_who_is_in_charge_keeps_an_application_when_its_person_moves_away(make: Make, client: Client) -> None:
    person, worker = make.person(), make.worker(scope=make.community())
    made = applying.in_hand(applying.item(make), person, make.resident(person), worker)
    other = make.community("别处社区")
    stranger = make.worker(scope=other)
    with transaction() as session:
        session.get_one(Person, person.id).community_id = other.id
    page = f"/desk/services/applications/{made.public_id}"
    client.sign_in(worker)
    assert client.get(page).status_code == 200
    assert made.public_id in client.get("/desk/services/applications?tab=hand").text
    client.sign_in(stranger)
    assert client.get(page).status_code == 404
    colleague = make.worker(scope=make.community())
    with transaction():
        passed = doors.hand_over(worker.public_id, colleague.public_id, make.community())
    assert [one.id for one in passed] == [made.id]
    applying.act(deciding.grant, made, "办成", by=actor_of(colleague))


def test_a_draft_of_an_item_that_was_withdrawn_is_not_accepted(make: Make) -> None:
    item, person = applying.item(make), make.person()
    account = make.resident(person)
    made = applying.draft(item, person, account)
    with transaction() as session:
        session.get_one(Item, item.id).state = ItemState.WITHDRAWN
    with pytest.raises(Refused, match="不办理了"):
        applying.act(filing.submit, made, "漏水", by=actor_of(account))


def test_a_draft_of_somebody_who_died_is_not_accepted(make: Make) -> None:
    person = make.person()
    account = make.resident(person)
    made = applying.draft(applying.item(make), person, account)
    with transaction() as session:
        session.get_one(Person, person.id).state = PersonState.DEAD
    with pytest.raises(Refused, match="不能再申请"):
        applying.act(filing.submit, made, "漏水", by=actor_of(account))


def test_a_draft_beside_an_application_that_runs_is_not_accepted(make: Make) -> None:
    item, person = applying.item(make), make.person()
    account = make.resident(person)
    made = applying.draft(item, person, account)
    applying.filed(item, person, make.worker(), consent="当面")
    with pytest.raises(Refused, match="已经有一件在办"):
        applying.act(filing.submit, made, "又一件", by=actor_of(account))


@pytest.mark.parametrize(("asked", "resumed"), [(14, 14), (14, 21), (13, 13)])
def test_what_was_late_is_late_still_when_the_papers_have_come(make: Make, asked: int, resumed: int) -> None:
    with time_machine.travel(applying.MONDAY, tick=False):
        person, worker = make.person(), make.worker()
        made = applying.in_hand(applying.item(make), person, make.resident(person), worker)
    with time_machine.travel(applying.later(days=asked), tick=False):
        assert applying.read(made).due_on == date(2026, 3, 9)
        applying.act(deciding.ask, made, [], "缺票据", by=actor_of(worker))
    with time_machine.travel(applying.later(days=resumed), tick=False):
        applying.act(deciding.resume, made, "", by=actor_of(worker))
        assert applying.read(made).due_on == date(2026, 3, 9)
        assert applying.read(made).is_late(today())


def test_a_confirmed_booking_that_takes_another_time_is_asked_for_anew_as_the_table_says(make: Make) -> None:
    person = make.person()
    account = make.resident(person)
    rule = rooming.rule(make, needs_confirmation=True)
    made = rooming.book(rule, rooming.wish(person, rooming.at(9, days=3)), account)
    with transaction() as session:
        booking.confirm(session.get_one(RoomBooking, made.id), by=actor_of(make.worker()))
    with transaction() as session:
        wish = rooming.wish(session.get_one(Person, person.id), rooming.at(11, days=3))
        found, held = session.get_one(RoomBooking, made.id), session.get_one(RoomRule, rule.id)
        booking.reschedule(found, held, wish, by=actor_of(account))
    assert BookingState.REQUESTED in BOOKING_MOVES[BookingState.CONFIRMED]
    assert make.read(made).state is BookingState.REQUESTED


def test_a_blocking_clears_what_holds_its_quarters_whatever_the_cleaning_time_is_now(make: Make) -> None:
    person, worker = make.person(), make.worker()
    rule = rooming.rule(make, buffer=60)
    made = rooming.book(rule, rooming.wish(person, rooming.at(9, days=3)), make.resident(person))
    with transaction() as session:
        session.get_one(RoomRule, rule.id).buffer = 0
    with transaction() as session:
        held = session.get_one(RoomRule, rule.id)
        begins, ends = rooming.at(10, 30, days=3), rooming.at(12, days=3)
        blocks.block(held, begins, ends, "检修", by=actor_of(worker), clear=True)
    assert make.read(made).state is BookingState.CANCELLED


def test_a_booking_that_a_longer_cleaning_time_would_reach_is_left_alone(make: Make) -> None:
    person, worker = make.person(), make.worker()
    rule = rooming.rule(make, buffer=0)
    made = rooming.book(rule, rooming.wish(person, rooming.at(9, days=3)), make.resident(person))
    with transaction() as session:
        session.get_one(RoomRule, rule.id).buffer = 60
    with transaction() as session:
        held = session.get_one(RoomRule, rule.id)
        begins, ends = rooming.at(10, 30, days=3), rooming.at(12, days=3)
        blocks.block(held, begins, ends, "检修", by=actor_of(worker), clear=True)
    assert make.read(made).state is BookingState.CONFIRMED


def test_a_timetable_that_cannot_be_opened_holds_up_no_other_and_is_noted(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock_at("08:00"):
        stuck, other = a_timetable(make, days_ahead=2), a_timetable(make, days_ahead=2)
    hold = holds.hold

    def refusing(timetable: Timetable, slots: Iterable[Slot]) -> None:
        if timetable.id == stuck.id:
            raise Refused("有人刚刚排了同一时间，请再保存一次。")
        hold(timetable, slots)

    monkeypatch.setattr(holds, "hold", refusing)
    with clock_at("00:40", TUESDAY):
        assert opening.open_all() == 4
        thursday = TUESDAY + timedelta(days=2)
        assert (len(slots_on(stuck, thursday)), len(slots_on(other, thursday))) == (0, 4)
        within = scopes_of(actor_of(make.worker()), Permission.CATALOGUE_KEEP)
        assert [one.id for one in timetables.clashing(within)] == [stuck.id]


def test_an_application_whose_result_nobody_delivered_is_closed_and_forgotten_in_time(make: Make) -> None:
    with time_machine.travel(applying.MONDAY, tick=False):
        person, worker = make.person(), make.worker()
        made = applying.in_hand(applying.item(make), person, make.resident(person), worker)
        applying.act(deciding.grant, made, "办成", by=actor_of(worker))
    with time_machine.travel(applying.later(days=59), tick=False):
        jobs.close_applications()
        assert applying.read(made).state is ApplicationState.GRANTED
    with time_machine.travel(applying.later(days=60), tick=False):
        jobs.close_applications()
        jobs.close_applications()
        closed = applying.read(made)
        assert (closed.state, closed.steps[-1].by_name) == (ApplicationState.CLOSED, "系统")
    with transaction():
        assert doors.purge(applying.later(days=61).date()) == 1
