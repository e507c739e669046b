"""What becomes of an appointment: moved, cancelled, called off, checked in, reminded of, rated, put into a calendar."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue import jobs
from portal.catalogue.models.appointments import HOLDS, MOVES, Appointment, AppointmentState, Rating
from portal.catalogue.models.schedules import SlotState
from portal.catalogue.service import (
    appointments,
    calendar_file,
    changing,
    checking_in,
    closing,
    doors,
    rating,
    reminding,
)
from portal.core import calendar_files, tokens
from portal.core.access import Scope
from portal.core.clock import local, now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.places.models import Waiting
from portal.registry.service import lives
from tests.acting import actor_of
from tests.catalogue.bookings import a_calendar, a_slot, book, join, taken, told
from tests.catalogue.tables import an_item


@pytest.fixture
def booked(make):
    """An appointment in two days, its slot with three places, and who acts for the person."""
    slot, person = a_slot(make, places=3), make.person()
    by = actor_of(make.resident(person))
    return book(make, slot, person, by=by), slot, by


def cancel(appointment, by, reason=""):
    with transaction() as session:
        changing.cancel(session.get_one(Appointment, appointment.id), by=by, reason=reason)


def test_every_state_that_is_no_end_has_a_way_out_and_every_end_is_meant():
    ends = {state for state, following in MOVES.items() if not following}
    assert ends == {AppointmentState.CANCELLED, AppointmentState.CALLED_OFF}
    assert not ends & HOLDS


def test_a_cancelled_place_is_free_again_and_the_person_told(make, booked):
    made, slot, by = booked
    cancel(made, by, "临时有事")
    assert (make.read(made).state, make.read(made).late, taken(slot)) == (AppointmentState.CANCELLED, False, 0)
    (notice,) = told("appointment_cancelled", made.person)
    assert notice.facts["reason"] == "临时有事"
    with pytest.raises(Refused, match="已取消"):
        cancel(made, by)
    assert taken(slot) == 0


def test_a_cancellation_past_the_limit_is_marked_as_late_and_told(make, booked):
    made, slot, by = booked
    with time_machine.travel(slot.starts_at - timedelta(hours=1), tick=False):
        cancel(made, by)
    assert make.read(made).late
    assert told("appointment_cancelled")[0].facts["late"]


def test_nothing_is_cancelled_once_it_has_begun(make, booked):
    made, slot, by = booked
    with time_machine.travel(slot.starts_at, tick=False), pytest.raises(Refused, match="打社区电话"):
        cancel(made, by)
    assert taken(slot) == 1


def move_to(made, slot, by):
    with transaction() as session:
        changing.reschedule(session.get_one(Appointment, made.id), session.merge(slot), by=by)


def test_an_appointment_moves_with_its_code_and_gives_its_old_place_to_the_line(make):
    calendar = a_calendar(make, an_item(make))
    slot = a_slot(make, timetable=calendar)
    later = a_slot(make, timetable=calendar, starts=slot.starts_at + timedelta(hours=2))
    person, other = make.person(), make.person("李四")
    by = actor_of(make.resident(person))
    made, waits = book(make, slot, person, by=by), join(make, slot, other)
    code = made.code
    move_to(made, later, by)
    made = make.read(made)
    assert (made.slot_id, made.starts_at, made.code) == (later.id, later.starts_at, code)
    assert make.read(waits).state == "offered"
    assert (taken(slot), taken(later)) == (1, 1)
    assert len(told("appointment_moved", person)) == 1


def test_a_move_into_a_full_slot_is_refused_and_leaves_everything_as_it_was(make):
    calendar = a_calendar(make, an_item(make))
    full = a_slot(make, timetable=calendar)
    slot = a_slot(make, timetable=calendar, starts=full.starts_at + timedelta(hours=2))
    book(make, full, make.person("李四"))
    person = make.person()
    by = actor_of(make.resident(person))
    made = book(make, slot, person, by=by)
    with pytest.raises(Refused, match="原来的预约还在"):
        move_to(made, full, by)
    assert (make.read(made).slot_id, taken(slot), taken(full)) == (slot.id, 1, 1)


def test_an_appointment_moves_until_the_limit_only(make):
    calendar = a_calendar(make, an_item(make))
    slot = a_slot(make, timetable=calendar)
    later = a_slot(make, timetable=calendar, starts=slot.starts_at + timedelta(days=1))
    person = make.person()
    by = actor_of(make.resident(person))
    made = book(make, slot, person, by=by)
    with time_machine.travel(slot.starts_at - timedelta(hours=2), tick=False), pytest.raises(Refused, match="2 小时"):
        move_to(made, later, by)


def test_a_slot_that_is_called_off_tells_those_booked_and_those_waiting(make):
    slot, person, other = a_slot(make), make.person(), make.person("李四")
    made, waits = book(make, slot, person), join(make, slot, other)
    with transaction() as session:
        assert closing.call_off(session.merge(slot), "老师生病", by=actor_of(make.worker())) == 1
    assert make.read(made).state is AppointmentState.CALLED_OFF
    assert make.read(waits).state == "closed"
    assert len(told("appointment_called_off", person)) == len(told("place_closed", other)) == 1
    assert taken(slot) == 0


def test_a_slot_below_its_minimum_is_called_off_when_it_is_decided_and_once(make):
    slot = a_slot(make, places=5, minimum=2, decide_at=now() + timedelta(days=1))
    enough = a_slot(make, places=5, minimum=1, decide_at=now() + timedelta(days=1))
    made, kept = book(make, slot, make.person()), book(make, enough, make.person("李四"))
    with time_machine.travel(now() + timedelta(days=1, minutes=1), tick=False):
        jobs.decide_turnout()
        jobs.decide_turnout()
    assert make.read(slot).state is SlotState.CALLED_OFF
    assert make.read(made).state is AppointmentState.CALLED_OFF
    assert make.read(kept).state is AppointmentState.BOOKED
    assert len(told("appointment_called_off")) == 1


def test_reminders_come_a_day_and_two_hours_before_each_once(make, booked):
    made, slot, _by = booked
    seen = []
    for before in (
        timedelta(hours=25),
        timedelta(hours=24),
        timedelta(hours=5),
        timedelta(hours=2),
        timedelta(hours=1),
    ):
        with time_machine.travel(slot.starts_at - before, tick=False):
            jobs.remind()
            jobs.remind()
            seen.append(len(told("appointment_reminder", made.person)))
    assert seen == [0, 1, 1, 2, 2]


def test_who_books_an_hour_before_is_not_reminded(make):
    slot = a_slot(make, starts=now() + timedelta(hours=1))
    book(make, slot, make.person())
    jobs.remind()
    assert told("appointment_reminder") == []
    assert reminding.due(now()) == []


def test_nobody_is_reminded_of_what_was_cancelled(make, booked):
    made, slot, by = booked
    cancel(made, by)
    with time_machine.travel(slot.starts_at - timedelta(hours=1), tick=False):
        jobs.remind()
    assert told("appointment_reminder") == []


def check_in(make, text, worker=None):
    worker = worker or make.worker()
    with transaction():
        within = (Scope(worker.grants[0].scope_kind, worker.grants[0].scope_ref),)
        return checking_in.check_in(text, by=actor_of(worker), within=within)


def test_the_signed_code_and_the_typed_one_both_check_in_and_each_once(make, booked):
    made, slot, _by = booked
    with time_machine.travel(slot.starts_at - timedelta(minutes=30), tick=False):
        address = f"https://portal.example/desk/services/check-in?code={checking_in.token(made)}"
        assert check_in(make, address).state is AppointmentState.ARRIVED
        with pytest.raises(Refused, match="已到场"):
            check_in(make, made.code.lower())
    other = book(make, slot, make.person("李四"))
    with time_machine.travel(slot.starts_at + timedelta(minutes=60), tick=False):
        assert check_in(make, other.code).arrived_at == now()


@pytest.mark.parametrize(("minutes", "words"), [(-31, "还没到签到时间"), (61, "签到时间已过")])
def test_a_code_is_good_in_its_window_only(make, booked, minutes, words):
    made, slot, _by = booked
    at = slot.starts_at + timedelta(minutes=minutes)
    with time_machine.travel(at, tick=False), pytest.raises(Refused, match=words):
        check_in(make, made.code)


def test_a_token_of_another_purpose_or_another_community_checks_nobody_in(make, booked):
    made, slot, _by = booked
    elsewhere = make.worker(Role.COMMUNITY_WORKER, make.community("夏雨里社区"))
    with time_machine.travel(slot.starts_at, tick=False):
        for text in (tokens.sign("meals.pickup", made.public_id), checking_in.token(made) + "x", "ABCDEF"):
            with pytest.raises(Refused, match="没有找到"):
                check_in(make, text)
        with pytest.raises(Refused, match="没有找到"):
            check_in(make, made.code, elsewhere)


def served(make, made):
    with transaction() as session:
        found = session.get_one(Appointment, made.id)
        changing.move(found, AppointmentState.ARRIVED)
        changing.move(found, AppointmentState.SERVED)
    return make.read(made)


def rate(made, stars, words=""):
    with transaction() as session:
        rating.rate(session.get_one(Appointment, made.id), stars, words=words)


def test_a_rating_is_given_after_service_and_may_be_thought_over_for_a_day(make, booked):
    made, _slot, _by = booked
    with pytest.raises(Refused, match="完成以后"):
        rate(made, Rating.SATISFIED)
    served(make, made)
    with pytest.raises(Refused, match="哪里不满意"):
        rate(made, Rating.DISSATISFIED)
    rate(made, Rating.DISSATISFIED, "等了很久")
    with time_machine.travel(now() + timedelta(hours=23)):
        rate(made, Rating.MOSTLY)
        assert make.read(made).rating_words is None
    with time_machine.travel(now() + timedelta(hours=25)), pytest.raises(Refused, match="定下了"):
        rate(made, Rating.SATISFIED)
    assert make.read(made).rating is Rating.MOSTLY


def test_a_move_that_the_table_does_not_have_is_refused(make, booked):
    made, slot, _by = booked
    with pytest.raises(Refused, match="已预约"), transaction() as session:
        changing.move(session.get_one(Appointment, made.id), AppointmentState.SERVED)
    assert taken(slot) == 1


def _unfolded(text):
    return text.replace("\r\n ", "").split("\r\n")


def test_the_calendar_file_is_one_that_calendars_read(make):
    item = an_item(make, "口腔义诊，看牙；一年一次 " + "检查" * 14)
    slot = a_slot(make, item)
    made = book(make, slot, make.person())
    text = calendar_file.calendar_text(appointments.of_person(made.person)[0], address="https://portal.example/x")
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = _unfolded(text)
    begins = [line for line in lines if line.startswith(("BEGIN:", "END:"))]
    opened = []
    for line in begins:
        kind, name = line.split(":")
        assert kind == "BEGIN" or opened.pop() == name
        opened += [name] if kind == "BEGIN" else []
    assert opened == []
    start = local(slot.starts_at)
    assert f"DTSTART;TZID=Asia/Shanghai:{start:%Y%m%dT%H%M%S}" in lines
    summary = next(line for line in lines if line.startswith("SUMMARY:"))
    assert summary.removeprefix("SUMMARY:") == item.title
    assert "看牙；" in summary
    assert f"UID:{made.public_id}@appointments" in lines


def test_words_with_signs_of_the_format_are_escaped():
    assert calendar_files.text("一,二;三\\四\n五") == "一\\,二\\;三\\\\四\\n五"


def test_who_died_comes_no_more_and_her_places_go_to_others(make, booked):
    made, slot, _by = booked
    person, other = made.person, make.person("李四")
    full = a_slot(make, starts=slot.starts_at + timedelta(hours=5))
    book(make, full, other)
    waits = join(make, full, person, by=actor_of(make.resident()))
    with transaction() as session:
        event = lives.death(session.merge(person), day=today())
        number = event.id
    assert make.read(made).state is AppointmentState.CANCELLED
    assert make.read(waits).state == "closed"
    assert taken(slot) == 0
    assert told("appointment_cancelled") == []
    assert number


def test_a_death_that_is_undone_restores_nothing_and_tells_whoever_undid_it_once(make, booked, monkeypatch):
    made, slot, _by = booked
    with transaction() as session:
        changing.on_person_died(person=session.merge(made.person))
    worker = actor_of(make.worker())
    monkeypatch.setattr(changing, "actor_or_none", lambda: worker)
    for _again in range(2):
        with transaction() as session:
            changing.on_person_moved(person=session.merge(made.person))
    (notice,) = told("appointments_not_restored")
    assert (notice.recipient_id, notice.facts["count"]) == (worker.public_id, 1)
    assert (make.read(made).state, taken(slot)) == (AppointmentState.CANCELLED, 0)


def test_the_doors_show_export_and_forget(make, booked):
    made, slot, _by = booked
    number = join(make, _full(make), made.person, by=actor_of(make.resident())).id
    person = make.read(made).person
    (line,) = doors.timeline(person)
    assert "口腔义诊" in line.title
    exported = doors.export(person)
    assert len(exported) == 2
    assert slot.day.isoformat() in exported[0].values()
    assert not any("@" in str(value) or made.public_id in str(value) for row in exported for value in row.values())
    with transaction() as session:
        session.execute(sa.update(Waiting).values(state="left", ended_at=now()))
        assert doors.purge(slot.day) == 0
        assert doors.purge(slot.day + timedelta(days=400)) == 2
    db.session.rollback()
    assert db.session.scalar(sa.select(Waiting).where(Waiting.id == number)) is None


def _full(make):
    slot = a_slot(make, starts=now() + timedelta(days=3))
    book(make, slot, make.person("张三"))
    return slot


def test_a_worker_sees_what_is_to_be_done_today_in_her_community_only(make):
    slot = a_slot(make, starts=now() + timedelta(minutes=1), places=4)
    book(make, slot, make.person())
    here, elsewhere = actor_of(make.worker()), actor_of(make.worker(scope=make.community("夏雨里社区")))
    with time_machine.travel(slot.starts_at - timedelta(seconds=30), tick=False):
        assert [todo.count for todo in doors.todo_of(here)] == [1]
        assert doors.todo_of(elsewhere) == []
