"""Coming and going, hours by hand with a second person, no-shows: what counts, what is refused, what is told."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import clock, events
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.volunteers.models.codes import HoursState, Mark, ShiftState, SignupState
from portal.volunteers.models.signups import Attendance, CodeUse, Signup
from portal.volunteers.service import attending, hours
from portal.volunteers.service.attending import Times
from portal.volunteers.service.codes import Purpose
from tests.acting import actor_of
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def begun(helping):
    """A shift that began an hour ago and lasts two, with somebody on it."""
    shift = helping.shift(starts_at=soon(0, hours=-1), hours=2)
    return helping.signup(helping.post(shift))


@pytest.fixture
def over(helping):
    """A shift of yesterday morning, with somebody on it."""
    day = clock.today() - timedelta(days=1)
    shift = helping.shift(starts_at=clock.at(day, time(9)), hours=2)
    return helping.signup(helping.post(shift))


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def second(make):
    return actor_of(make.worker(name="吴敏"))


@pytest.fixture
def heard(app):
    """The events of hours, in order."""
    said: list[tuple[str, int]] = []
    kept = app.extensions["portal.events"]
    for name in (attending.CONFIRMED, attending.CHANGED):
        events.subscribe(app, name, lambda attendance_id, name=name: said.append((name, attendance_id)))
    yield said
    for name in (attending.CONFIRMED, attending.CHANGED):
        kept[name].pop()


def _in(signup: Signup, mark: Mark, at: datetime, by) -> Attendance:
    with transaction() as session:
        return attending.mark_in(session.get_one(Signup, signup.id), mark, at, by)


def _out(signup: Signup, mark: Mark, at: datetime, by) -> Attendance:
    with transaction() as session:
        return attending.mark_out(session.get_one(Signup, signup.id), mark, at, by)


def _enter(signup: Signup, came: datetime, left: datetime | None, by, **more) -> Attendance:
    with transaction() as session:
        return attending.enter_hours(session.get_one(Signup, signup.id), Times(came, left, **more), by=by)


def _yesterday(at: time) -> datetime:
    return clock.at(clock.today() - timedelta(days=1), at)


def _told(topic: str) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.topic == topic)) or 0


def test_coming_and_going_by_code_counts_at_once(make, begun, worker, heard):
    _in(begun, Mark.QR, begun.starts_at + timedelta(minutes=3), worker)
    assert make.read(begun).state is SignupState.PRESENT
    found = _out(begun, Mark.PIN, begun.starts_at + timedelta(minutes=58), worker)
    assert (found.state, found.minutes) == (HoursState.CONFIRMED, 54)
    assert make.read(begun).state is SignupState.DONE
    assert heard == [(attending.CONFIRMED, found.id)]
    assert attending.confirmed(begun).id == found.id


def test_minutes_never_go_beyond_the_shift(make, over, worker):
    found = _enter(over, _yesterday(time(8, 40)), _yesterday(time(13)), worker)
    assert found.minutes == 120
    assert hours.span_of(found) == (over.starts_at, over.ends_at)


def test_minutes_are_rounded_down_to_the_step(over, worker):
    found = _enter(over, _yesterday(time(9, 5)), _yesterday(time(10, 4)), worker)
    assert found.minutes == 54


def test_a_pause_is_taken_off_and_cannot_be_longer_than_the_service(over, worker):
    assert _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker, pause=25).minutes == 90
    with pytest.raises(Refused, match="休息"):
        _enter(over, _yesterday(time(9)), _yesterday(time(10)), worker, pause=61)


def test_a_shift_over_midnight_counts_through(helping, worker):
    with time_machine.travel(datetime(2026, 5, 2, 4, tzinfo=UTC), tick=False):
        shift = helping.shift(starts_at=clock.at(date(2026, 5, 1), time(22)), hours=4)
        signup = helping.signup(helping.post(shift))
        came, left = hours.moment_near(shift, time(22, 6)), hours.moment_near(shift, time(1, 30))
        assert clock.local(left).date() == date(2026, 5, 2)
        assert _enter(signup, came, left, worker).minutes == 204


def test_a_night_on_which_clocks_were_put_back_has_its_true_length(helping, worker):
    """The zone had summer time until 1991; instants are UTC, so the hour that came twice counts twice."""
    with time_machine.travel(datetime(1991, 9, 20, tzinfo=UTC), tick=False):
        starts, ends = clock.at(date(1991, 9, 14), time(22)), clock.at(date(1991, 9, 15), time(5))
        assert ends - starts == timedelta(hours=8)
        shift = helping.shift(starts_at=starts, ends_at=ends)
        signup = helping.signup(helping.post(shift))
        assert _enter(signup, starts, ends, worker).minutes == 480
        assert hours.moment_near(shift, time(5)) == ends


def test_a_night_on_which_clocks_were_put_forward_has_its_true_length(helping, worker):
    with time_machine.travel(datetime(1991, 4, 20, tzinfo=UTC), tick=False):
        starts, ends = clock.at(date(1991, 4, 13), time(22)), clock.at(date(1991, 4, 14), time(5))
        assert ends - starts == timedelta(hours=6)
        signup = helping.signup(helping.post(helping.shift(starts_at=starts, ends_at=ends)))
        assert _enter(signup, starts, ends, worker).minutes == 360


def test_who_has_come_is_not_marked_twice(begun, worker):
    _in(begun, Mark.LEADER, begun.starts_at, worker)
    with pytest.raises(Refused, match="签到过"):
        _in(begun, Mark.QR, now(), worker)


def test_who_has_not_come_cannot_go(begun, worker):
    with pytest.raises(Refused, match="还没有签到"):
        _out(begun, Mark.QR, now(), worker)


def test_a_time_of_the_future_is_refused(begun, worker):
    with pytest.raises(Refused, match="将来"):
        _enter(begun, begun.starts_at, now() + timedelta(minutes=20), worker)


def test_a_time_before_the_check_in_opens_is_refused(over, worker):
    with pytest.raises(Refused, match="到达时间太早"):
        _enter(over, _yesterday(time(8, 20)), _yesterday(time(11)), worker)


def test_going_before_coming_is_refused(over, worker):
    with pytest.raises(Refused, match="早于"):
        _enter(over, _yesterday(time(10)), _yesterday(time(9, 30)), worker)


def test_who_came_after_the_end_has_no_hours(over, worker):
    with pytest.raises(Refused, match="结束以后"):
        _enter(over, _yesterday(time(11)), _yesterday(time(11, 30)), worker)


def test_a_request_that_nobody_agreed_to_cannot_be_marked(helping, worker):
    shift = helping.shift(starts_at=soon(0, hours=-1))
    asked = helping.signup(helping.post(shift), state=SignupState.REQUESTED)
    with pytest.raises(Refused, match="还没有通过"):
        _in(asked, Mark.LEADER, now(), worker)


def test_nobody_is_marked_on_a_shift_that_was_called_off(make, begun, worker):
    with transaction() as session:
        session.merge(begun.shift).state = ShiftState.CALLED_OFF
    with pytest.raises(Refused, match="取消"):
        _in(begun, Mark.LEADER, now(), worker)


def test_hours_by_hand_wait_for_a_second_person(make, over, worker, second, heard):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    assert found.state is HoursState.TO_CONFIRM
    assert (heard, attending.confirmed(over)) == ([], None)
    with pytest.raises(Refused, match="另一个人"), transaction():
        attending.confirm(found, by=worker)
    with transaction():
        attending.confirm(found, by=second)
    assert make.read(found).confirmed_by == second.public_id
    assert heard == [(attending.CONFIRMED, found.id)]


def test_who_entered_the_coming_cannot_confirm_the_going_of_another_hand(over, worker, second, make):
    third = actor_of(make.worker(name="郑凯"))
    _in(over, Mark.WORKER, _yesterday(time(9)), worker)
    found = _out(over, Mark.WORKER, _yesterday(time(11)), second)
    for hand in (worker, second):
        with pytest.raises(Refused, match="另一个人"), transaction():
            attending.confirm(found, by=hand)
    with transaction():
        attending.confirm(found, by=third)
    assert make.read(found).state is HoursState.CONFIRMED


def test_a_code_after_a_hand_does_not_hide_the_hand(over, begun, worker, make):
    volunteer = actor_of(make.resident(begun.volunteer.person))
    _in(begun, Mark.WORKER, begun.starts_at, worker)
    found = _out(begun, Mark.QR, now(), volunteer)
    assert found.state is HoursState.TO_CONFIRM
    with pytest.raises(Refused, match="另一个人"), transaction():
        attending.confirm(found, by=worker)


def test_nobody_confirms_her_own_hours(over, worker, make):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    herself = actor_of(make.resident(over.volunteer.person))
    with pytest.raises(Refused, match="自己的服务时间"), transaction():
        attending.confirm(found, by=herself)


def test_the_leaders_own_hours_wait_for_a_second_person_though_by_code(helping, worker):
    volunteer = helping.volunteer()
    shift = helping.shift(helping.activity(leader_id=volunteer.id), starts_at=soon(0, hours=-1))
    signup = helping.signup(helping.post(shift), volunteer)
    _in(signup, Mark.QR, shift.starts_at, worker)
    assert _out(signup, Mark.QR, now(), worker).state is HoursState.TO_CONFIRM


def test_what_was_entered_anew_after_somebody_looked_is_not_confirmed(over, worker, second):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    seen = attending.stamp(found)
    with time_machine.travel(now() + timedelta(minutes=1)):
        found = _enter(over, _yesterday(time(9)), _yesterday(time(10)), worker)
        with pytest.raises(Refused, match="又改过"), transaction():
            attending.confirm(found, by=second, seen=seen)


def test_confirmed_hours_are_changed_only_with_a_reason_and_wait_again(make, over, worker, second, heard):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    with transaction():
        attending.confirm(found, by=second)
    with pytest.raises(Refused, match="原因"):
        _enter(over, _yesterday(time(9)), _yesterday(time(10)), worker)
    again = _enter(over, _yesterday(time(9)), _yesterday(time(10)), worker, words="签到表上看错了")
    assert (again.state, again.minutes, again.confirmed_by) == (HoursState.TO_CONFIRM, 60, "")
    assert heard == [(attending.CONFIRMED, found.id), (attending.CHANGED, found.id)]
    assert _told("volunteers.hours_changed") == 1


def test_disputed_hours_count_no_more_until_entered_and_confirmed_anew(make, over, worker, second, heard):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    with transaction():
        attending.confirm(found, by=second)
    with transaction():
        attending.dispute(make.read(found), by=worker, reason="有人说他中午才来")
    assert attending.confirmed(make.read(over)) is None
    assert heard[-1] == (attending.CHANGED, found.id)
    _enter(over, _yesterday(time(10)), _yesterday(time(11)), worker)
    with transaction():
        attending.confirm(make.read(found), by=second)
    assert attending.confirmed(make.read(over)).minutes == 60


def test_a_mark_by_mistake_is_taken_back_with_a_reason_and_the_code_may_be_used_again(make, begun, worker):
    _in(begun, Mark.PIN, begun.starts_at, worker)
    with pytest.raises(Refused, match="原因"), transaction():
        attending.take_back(make.read(begun), Purpose.IN, by=worker, reason=" ")
    with transaction():
        attending.take_back(make.read(begun), Purpose.IN, by=worker, reason="点错人了")
    assert make.read(begun).state is SignupState.JOINED
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CodeUse)) == 0
    _in(begun, Mark.PIN, now(), worker)
    assert make.read(begun).state is SignupState.PRESENT


def test_a_going_taken_back_leaves_the_coming(make, over, worker):
    _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    with transaction():
        attending.take_back(make.read(over), Purpose.OUT, by=worker, reason="点错人了")
    found = attending.attendance_of(over)
    assert (found.left_at, found.minutes, found.state) == (None, None, HoursState.OPEN)
    assert make.read(over).state is SignupState.PRESENT


def test_confirmed_hours_cannot_simply_be_taken_back(make, begun, worker):
    _in(begun, Mark.QR, begun.starts_at, worker)
    _out(begun, Mark.QR, now(), worker)
    with pytest.raises(Refused, match="异议"), transaction():
        attending.take_back(make.read(begun), Purpose.OUT, by=worker, reason="点错人了")


def test_a_no_show_needs_the_shift_to_have_begun_and_a_reason(helping, begun, worker, make):
    coming = helping.signup(helping.post(helping.shift()))
    with pytest.raises(Refused, match="还没开始"), transaction():
        attending.no_show(coming, "没有来", by=worker)
    with pytest.raises(Refused, match="原因"), transaction():
        attending.no_show(make.read(begun), "", by=worker)
    with transaction():
        attending.no_show(make.read(begun), "没有来，电话没人接", by=worker)
    assert (make.read(begun).state, begun.reason) == (SignupState.NO_SHOW, "没有来，电话没人接")
    assert _told("volunteers.no_show_marked") == 1


def test_who_has_come_is_no_no_show(begun, worker, make):
    _in(begun, Mark.QR, now(), worker)
    with pytest.raises(Refused, match="还没有签到"), transaction():
        attending.no_show(make.read(begun), "没有来", by=worker)


def test_a_no_show_is_undone_with_a_reason(begun, worker, make):
    with transaction():
        attending.no_show(make.read(begun), "没有来", by=worker)
    assert attending.no_shows([begun.volunteer_id], now() - timedelta(days=90)) == {begun.volunteer_id: 1}
    with pytest.raises(Refused, match="原因"), transaction():
        attending.undo_no_show(make.read(begun), "", by=worker)
    with transaction():
        attending.undo_no_show(make.read(begun), "家人住院，已请假", by=worker)
    assert make.read(begun).state is SignupState.JOINED
    assert attending.no_shows([begun.volunteer_id], now() - timedelta(days=90)) == {}


def test_no_shows_before_the_moment_are_not_counted(over, worker, make):
    with transaction():
        attending.no_show(make.read(over), "没有来", by=worker)
    assert attending.no_shows([over.volunteer_id], over.starts_at + timedelta(minutes=1)) == {}


def test_a_no_show_who_came_after_all_is_entered_by_hand(over, worker, make):
    with transaction():
        attending.no_show(make.read(over), "没有来", by=worker)
    _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    assert make.read(over).state is SignupState.DONE


def test_every_act_leaves_a_trace(begun, worker):
    _in(begun, Mark.QR, begun.starts_at, worker)
    _out(begun, Mark.QR, now(), worker)
    query = sa.select(AuditRow.action).where(AuditRow.object_id == begun.public_id).order_by(AuditRow.id)
    assert list(db.session.scalars(query)) == ["volunteers.came", "volunteers.went"]


def test_hours_of_a_day_are_added_up_and_too_many_are_said(helping, worker):
    volunteer = helping.volunteer()
    for start in (time(0, 30), time(6)):
        shift = helping.shift(starts_at=_yesterday(start), hours=5)
        signup = helping.signup(helping.post(shift), volunteer)
        _enter(signup, shift.starts_at, shift.ends_at, worker)
    day = clock.today() - timedelta(days=1)
    totals = hours.day_totals([volunteer.id], day)
    assert totals == {volunteer.id: 600}
    assert hours.over_day(totals[volunteer.id], day)
    assert not hours.over_day(480, day)


def test_a_clock_time_on_paper_means_the_shifts_own_day(over):
    assert hours.moment_near(over.shift, time(23)) == _yesterday(time(23))
    assert hours.moment_near(over.shift, time(0, 10)) == _yesterday(time(0, 10))


def test_what_is_disputed_is_not_among_the_minutes_of_a_day(over, worker):
    found = _enter(over, _yesterday(time(9)), _yesterday(time(11)), worker)
    assert hours.totals_of([found]) == {found.id: 120}
    with transaction() as session:
        attending.dispute(session.get_one(Attendance, found.id), by=worker, reason="没有来")
    assert hours.totals_of([found]) == {found.id: 0}
