"""Shifts by pattern: dates, what is left out and why, made in one step and undone in one step."""

import re
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import calendar
from portal.core.clock import at, local, today
from portal.core.db import db, transaction
from portal.core.errors import Conflict, Refused
from portal.core.outbox import OutboxRow
from portal.notifications.wording import words_for
from portal.places.models import Capacity
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import ShiftState, Way
from portal.volunteers.models.signups import HeldTime, Invitation, Signup
from portal.volunteers.service import activities, joining, lines, patterns, shifts
from portal.volunteers.service.patterns import Pattern
from tests.acting import actor_of
from tests.days import as_of_now, later
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def monday(days: int = 0) -> date:
    """The next Monday, or so many days later."""
    return today() + timedelta(days=7 - today().weekday() + days)


def _pattern(**more):
    plain = {
        "weekdays": (1, 4),
        "slots": ((time(9), time(11)), (time(14), time(16))),
        "first": monday(),
        "last": monday(13),
        "skip_holidays": False,
    }
    return Pattern(**plain | more)


def _make(activity, pattern, worker, idem=""):
    with transaction():
        return shifts.make(activities.activity(activity.public_id), pattern, by=worker, idem=idem)


def test_every_tuesday_and_friday_twice_a_day_for_two_weeks(make, helping, worker):
    activity = helping.activity()
    made = _make(activity, _pattern(), worker)
    found = activities.shifts_of(activity)
    assert made.count == 8
    assert [local(one.starts_at).strftime("%w %H") for one in found[:4]] == ["2 09", "2 14", "5 09", "5 14"]
    assert all(one.posts[0].capacity.total == 2 for one in found)


def test_a_slot_over_midnight_ends_on_the_next_day(make, helping, worker):
    activity = helping.activity()
    _make(activity, _pattern(slots=((time(22), time(0, 30)),), weekdays=(1,), last=monday(6)), worker)
    (shift,) = activities.shifts_of(activity)
    day = monday(1)
    assert (shift.starts_at, shift.ends_at) == (at(day, time(22)), at(day + timedelta(days=1), time(0, 30)))


def test_holidays_are_skipped_with_their_name_or_kept(make, helping, worker):
    activity, tuesday = helping.activity(), monday(1)
    with transaction():
        calendar.set_day(tuesday, works=False, name="国庆节")
    dates = patterns.look(activity, _pattern(skip_holidays=True))
    assert [one.why_not for one in dates if one.day == tuesday] == ["节假日：国庆节"] * 2
    assert all(not one.why_not for one in patterns.look(activity, _pattern()))


def test_dates_beyond_the_table_of_holidays_are_named(make, helping):
    activity = helping.activity()
    looked = patterns.look(activity, _pattern(skip_holidays=True))
    assert patterns.beyond_holidays(looked) == today()
    with transaction():
        for year in range(today().year, looked[-1].day.year + 1):
            calendar.set_day(date(year, 1, 1), works=False, name="元旦")
    assert patterns.beyond_holidays(looked) is None


def test_a_weekend_that_is_worked_is_no_holiday(make, helping):
    saturday = monday(5)
    with transaction():
        calendar.set_day(saturday, works=True, name="国庆节调休")
    dates = patterns.look(helping.activity(), _pattern(weekdays=(5,), skip_holidays=True))
    assert [one.why_not for one in dates if one.day == saturday] == ["", ""]


def test_days_named_as_exceptions_and_shifts_that_are_there_are_left_out(make, helping, worker):
    activity, friday = helping.activity(), monday(4)
    helping.shift(activity, at(monday(1), time(9)))
    dates = patterns.look(activity, _pattern(without=(friday,), last=monday(6)))
    assert [one.why_not for one in dates] == ["已经有这个班次", "", "您写了这天不排", "您写了这天不排"]
    assert _make(activity, _pattern(without=(friday,), last=monday(6)), worker).count == 1


def test_what_has_passed_is_left_out_and_a_wholly_past_pattern_refused(make, helping):
    activity, first = helping.activity(), today() - timedelta(days=7)
    dates = patterns.look(activity, _pattern(weekdays=tuple(range(7)), first=first, last=monday()))
    assert dates[0].why_not == "已经过去了"
    assert dates[-1].why_not == ""
    with pytest.raises(Refused, match="过去"):
        patterns.look(activity, _pattern(first=first, last=first + timedelta(days=3)))


def test_shifts_after_the_insurance_ends_are_left_out(make, helping):
    until = at(monday(3), time(0))
    activity = helping.activity(is_risky=True, insurance="平安意外险", insured_until=until)
    dates = patterns.look(activity, _pattern())
    assert [bool(one.why_not) for one in dates] == [False, False, True, True, True, True, True, True]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"weekdays": ()}, "星期几"),
        ({"last": later(monday, -1)}, "不能早于"),
        ({"last": later(monday, 400)}, "一年"),
        ({"last": later(monday)}, "没有选中"),
        ({"weekdays": tuple(range(7)), "last": later(monday, 300)}, "400 个"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(make, helping, more, words):
    with pytest.raises(Refused, match=words):
        patterns.look(helping.activity(), _pattern(**as_of_now(more)))


def test_times_and_days_are_read_as_people_write_them():
    assert patterns.parse_slots("9:00-11:00；22:00 至 次日00:30") == ((time(9), time(11)), (time(22), time(0, 30)))
    assert patterns.parse_slots("18：00～24:00") == ((time(18), time(0)),)
    first, last = date(2026, 12, 1), date(2027, 2, 1)
    assert patterns.parse_days("12-25、2027-01-01 1月2日", first, last) == (
        date(2026, 12, 25),
        date(2027, 1, 1),
        date(2027, 1, 2),
    )


@pytest.mark.parametrize("text", ["", "9点到11点", "9:03-11:00", "25:00-26:00", "9:00-9:00", "9:00-10:00 9:00-10:00"])
def test_times_that_cannot_be_are_refused(app, text):
    with app.test_request_context(), pytest.raises(Refused):
        patterns.parse_slots(text)


def test_the_same_request_twice_makes_one_batch_and_another_under_its_key_is_a_conflict(make, helping, worker):
    activity = helping.activity()
    first, second = (_make(activity, _pattern(), worker, "key") for _number in range(2))
    assert first.id == second.id
    assert len(activities.shifts_of(activity)) == 8
    with pytest.raises(Conflict):
        _make(activity, _pattern(weekdays=(2,)), worker, "key")


def test_a_batch_is_undone_while_nobody_is_on_it(make, helping, worker):
    activity = helping.activity()
    made = _make(activity, _pattern(), worker)
    with transaction():
        done = shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker)
    assert (done.gone, done.called_off, done.stay) == (8, 0, 0)
    assert _count(Shift) == _count(Post) == _count(Capacity) == 0
    assert _make(activity, _pattern(), worker).count == 8


def _count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def _put_on(helping, shift, worker):
    with transaction():
        post = db.session.get_one(Post, shift.posts[0].id)
        return joining.put_on(post, helping.volunteer(), way=Way.WORKER, by=worker)


def test_a_batch_with_somebody_on_it_says_who_and_the_rest_can_go(make, helping, worker):
    activity = helping.activity()
    made = _make(activity, _pattern(), worker)
    busy = activities.shifts_of(activity)[2]
    name = _put_on(helping, busy, worker).volunteer.person.name
    with pytest.raises(Refused, match=name), transaction():
        shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker)
    assert len(activities.shifts_of(activity)) == 8
    with transaction():
        done = shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker, only_free=True)
    assert (done.gone, done.stay) == (7, 1)
    assert [one.id for one in activities.shifts_of(activity)] == [busy.id]


def test_a_shift_that_somebody_left_is_called_off_and_not_forgotten(make, helping, worker):
    activity = helping.activity()
    made = _make(activity, _pattern(), worker)
    shift = activities.shifts_of(activity)[0]
    signup = _put_on(helping, shift, worker)
    with transaction():
        joining.take_off(signup, joining.SignupState.REMOVED, by=worker, reason="有事")
    with transaction():
        done = shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker)
    assert (done.gone, done.called_off) == (7, 1)
    assert activities.shift(shift.public_id).state is ShiftState.CALLED_OFF


def test_a_batch_is_undone_once(make, helping, worker):
    activity = helping.activity()
    made = _make(activity, _pattern(), worker)
    with transaction():
        shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker)
    with pytest.raises(Refused, match="已经撤销"), transaction():
        shifts.undo(shifts.batch(activity, made.public_id), "排错了", by=worker)


def _change(shift, worker, starts_at, **more):
    with transaction():
        found = activities.shift(shift.public_id)
        shifts.change(found, starts_at, starts_at + timedelta(hours=2), by=worker, **{"needs": {}} | more)


def test_a_single_shift_is_moved_and_those_on_it_only_when_a_worker_says_so(make, helping, worker):
    shift = helping.shift(helping.activity(), soon(3))
    _change(shift, worker, soon(4))
    assert make.read(shift).starts_at == soon(4)
    signup = _put_on(helping, shift, worker)
    with pytest.raises(Refused, match="连同已报名的人"):
        _change(shift, worker, soon(5))
    _change(shift, worker, soon(5), with_people=True)
    assert make.read(signup).starts_at == soon(5)
    held = db.session.scalars(sa.select(HeldTime.at).order_by(HeldTime.at)).all()
    assert (held[0], len(held)) == (soon(5), 24)
    assert "volunteers.shift_changed" in _topics()


@pytest.mark.parametrize("days", [2, 5])
def test_lines_invitations_and_reminders_of_a_moved_shift_go_by_its_new_time(make, helping, worker, days):
    shift = helping.shift(helping.activity(positions=[helping.position(needs=1)]), soon(3))
    signup, post = _put_on(helping, shift, worker), helping.post(shift)
    facts = {"asked_by_name": "周洁", "post_id": post.id}
    until_begun = make.add(Invitation(volunteer_id=helping.volunteer().id, answer_by=soon(3), **facts))
    sooner = make.add(Invitation(volunteer_id=helping.volunteer().id, answer_by=soon(1), **facts))
    with transaction() as session:
        session.get_one(Signup, signup.id).reminded = 2
        waiting = lines.join_line(session.get_one(Post, post.id), helping.volunteer(), by=worker)
    _change(shift, worker, soon(days), with_people=True)
    assert (make.read(waiting).closes_at, make.read(signup).reminded) == (soon(days), 0)
    assert [make.read(one).answer_by for one in (until_begun, sooner)] == [soon(days), soon(1)]


def test_nobody_is_taken_along_to_where_she_is_on_another_shift(make, helping, worker):
    shift, other = helping.shift(helping.activity(), soon(3)), helping.shift(helping.activity(), soon(5))
    signup = _put_on(helping, shift, worker)
    with transaction():
        post = db.session.get_one(Post, other.posts[0].id)
        joining.put_on(post, signup.volunteer, way=Way.WORKER, by=worker)
    with pytest.raises(Refused, match="在那段时间有别的班次"):
        _change(shift, worker, soon(5), with_people=True)
    assert make.read(shift).starts_at == soon(3)


def _topics():
    return list(db.session.scalars(sa.select(OutboxRow.topic).order_by(OutboxRow.id)))


def test_another_place_is_told_to_those_on_the_shift(make, helping, worker):
    shift = helping.shift(helping.activity(), soon(3))
    _put_on(helping, shift, worker)
    _change(shift, worker, soon(3), place="东门", note="带雨衣")
    row = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "volunteers.shift_changed")).one()
    said = words_for(row.topic, row.facts).body
    assert "地点：东门" in said
    assert "带雨衣" in said


def test_needs_of_a_shift_never_fall_below_who_is_on_it(make, helping, worker):
    shift = helping.shift(helping.activity(), soon(3))
    position = shift.posts[0].position_id
    for _number in range(2):
        _put_on(helping, shift, worker)
    with pytest.raises(Refused, match="不能减到"):
        _change(shift, worker, soon(3), needs={position: 1})
    _change(shift, worker, soon(3), needs={position: 4})
    assert activities.shift(shift.public_id).posts[0].capacity.left == 2


def test_a_batch_and_a_refused_day_write_dates_in_words(make, helping, worker):
    made = _make(helping.activity(), _pattern(), worker)
    said = patterns.pattern_words(made.pattern)
    assert re.search(r"\d+年\d+月\d+日 至 \d+年\d+月\d+日", said), said
    with pytest.raises(Refused, match="不是 2026年12月1日 到 2027年1月9日 之间"):
        patterns.parse_days("3-1", date(2026, 12, 1), date(2027, 1, 9))
