"""The workers' desk: the day, times by hand, the paper at once, the second person, what waits, sheets to print."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import clock, settings
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.volunteers import jobs
from portal.volunteers.models.codes import HoursState, Mark, ShiftState, SignupState
from portal.volunteers.models.signups import Attendance, CodeUse, Signup
from portal.volunteers.service import attendance_doors, attending, codes, hours
from portal.volunteers.service.attending import Times
from portal.volunteers.service.codes import Purpose
from tests.acting import actor_of
from tests.counting import count_queries
from tests.helping import Helping

STARTS = datetime(2026, 5, 6, 1, tzinfo=UTC)  # 9:00 of that day


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def traveller():
    """One in the afternoon of the day."""
    with time_machine.travel(STARTS + timedelta(hours=4), tick=False) as found:
        yield found


@pytest.fixture
def shift(helping, traveller):
    return helping.shift(starts_at=STARTS, hours=2)


@pytest.fixture
def signup(make, helping, shift):
    return helping.signup(helping.post(shift), helping.volunteer(make.person("李志愿")))


@pytest.fixture
def account(make):
    return make.worker()


@pytest.fixture
def desk(client, account):
    return client.sign_in(account)


@pytest.fixture
def colleague(make):
    return make.worker(name="吴敏")


def _page(signup: Signup, act: str = "") -> str:
    return f"/desk/volunteers/attendance/{signup.shift.public_id}/people/{signup.public_id}{act}"


def _entered(signup: Signup, account, came: int = 0, left: int = 120) -> Attendance:
    with transaction() as session:
        times = Times(STARTS + timedelta(minutes=came), STARTS + timedelta(minutes=left))
        return attending.enter_hours(session.get_one(Signup, signup.id), times, by=actor_of(account))


def _told(topic: str) -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)))


def test_the_day_lists_its_shifts_and_what_is_not_entered(desk, shift, signup):
    page = desk.get("/desk/volunteers/attendance?day=2026-05-06").text
    assert shift.activity.title in page
    assert "班次已经结束，还没登记完" in page
    assert "这一天没有志愿班次" in desk.get("/desk/volunteers/attendance?day=2026-05-09").text


def test_a_shift_of_another_community_does_not_exist(make, client, signup):
    client.sign_in(make.worker(scope=make.community("秋月社区")))
    for page in ("", "/sheet", "/paper", "/noted", "/substitutes", "/code", "/codes"):
        address = f"/desk/volunteers/attendance/{signup.shift.public_id}{page}"
        assert client.get(address).status_code == 404
    assert client.post(_page(signup), data={"act": "in"}).status_code == 404
    assert client.get(_page(signup, "/hours")).status_code == 404
    assert "没有待确认" in client.get("/desk/volunteers/hours").text


def test_a_worker_of_a_grid_has_no_such_pages(make, client, shift):
    client.sign_in(make.worker(Role.GRID_WORKER))
    assert client.get("/desk/volunteers/attendance").status_code == 403


def test_hours_of_another_community_cannot_be_confirmed(make, client, signup, account):
    found = _entered(signup, account)
    client.sign_in(make.worker(scope=make.community("秋月社区")))
    assert client.post(f"/desk/volunteers/hours/{found.id}/confirm").status_code == 404
    assert client.post(f"/desk/volunteers/hours/{found.id}/dispute", data={"reason": "x"}).status_code == 404


def test_times_by_hand_wait_and_a_second_worker_confirms(make, desk, client, signup, colleague):
    data = {"came": "09:00", "left": "10:30", "pause": "0", "words": "补登"}
    assert desk.post(_page(signup, "/hours"), data=data).status_code == 303
    found = attending.attendance_of(make.read(signup))
    assert (found.state, found.came_by, found.minutes) == (HoursState.TO_CONFIRM, Mark.WORKER, 90)
    assert "您登记的，请别人确认" in desk.get("/desk/volunteers/hours").text
    desk.post(f"/desk/volunteers/hours/{found.id}/confirm")
    assert "另一个人" in desk.get("/desk/volunteers/hours").text
    client.sign_in(colleague)
    assert "李志愿" in client.get("/desk/volunteers/hours").text
    client.post(f"/desk/volunteers/hours/{found.id}/confirm", data={"seen": attending.stamp(found)})
    assert attending.confirmed(make.read(signup)).confirmed_by == colleague.public_id


def test_marks_of_one_button_by_a_worker_wait_too(make, desk, signup, traveller):
    traveller.move_to(STARTS + timedelta(minutes=2))
    desk.post(_page(signup), data={"act": "in"})
    traveller.move_to(STARTS + timedelta(minutes=110))
    desk.post(_page(signup), data={"act": "out"})
    found = attending.attendance_of(make.read(signup))
    assert (found.state, found.minutes) == (HoursState.TO_CONFIRM, 108)


def test_an_hour_that_is_missing_is_said_beside_its_field(desk, signup):
    answer = desk.post(_page(signup, "/hours"), data={"came": "", "left": "10:30"})
    assert answer.status_code == 422
    assert "请填到达时间" in answer.text
    assert "早于" in desk.post(_page(signup, "/hours"), data={"came": "10:00", "left": "09:30", "pause": "0"}).text


def test_the_paper_is_entered_for_all_at_once(make, desk, helping, shift, signup):
    names = ("张三丰", "赵四海")
    others = [helping.signup(helping.post(shift), helping.volunteer(make.person(name))) for name in names]
    page = desk.get(f"/desk/volunteers/attendance/{shift.public_id}/paper").text
    assert all(name in page for name in ("李志愿", *names))
    rows = {
        "rows-0-signup": signup.public_id,
        "rows-0-came": "08:55",
        "rows-0-left": "11:10",
        "rows-1-signup": others[0].public_id,
        "rows-1-absent": "y",
        "rows-2-signup": others[1].public_id,
    }
    assert desk.post(f"/desk/volunteers/attendance/{shift.public_id}/paper", data=rows).status_code == 303
    found = attending.attendance_of(make.read(signup))
    assert (found.minutes, found.came_by, found.state) == (120, Mark.PAPER, HoursState.TO_CONFIRM)
    assert [make.read(one).state for one in others] == [SignupState.NO_SHOW, SignupState.JOINED]


@pytest.mark.parametrize("page", ["paper", "noted"])
def test_paper_that_says_nothing_of_anybody_is_refused(desk, shift, signup, page):
    address = f"/desk/volunteers/attendance/{shift.public_id}/{page}"
    answer = desk.post(address, data={"rows-0-signup": signup.public_id})
    assert answer.status_code == 422
    assert "一行也没有填" in answer.text
    assert "李志愿" in answer.text


def test_one_wrong_line_of_the_paper_keeps_back_all(make, desk, helping, shift, signup):
    other = helping.signup(helping.post(shift), helping.volunteer(make.person("张三丰")))
    rows = {
        "rows-0-signup": signup.public_id,
        "rows-0-came": "09:00",
        "rows-0-left": "11:00",
        "rows-1-signup": other.public_id,
        "rows-1-left": "10:00",
    }
    answer = desk.post(f"/desk/volunteers/attendance/{shift.public_id}/paper", data=rows)
    assert answer.status_code == 422
    assert "还要填到达时间" in answer.text
    assert make.read(signup).state is SignupState.JOINED
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attendance)) == 0


def test_a_time_and_absent_together_are_refused(desk, shift, signup):
    rows = {"rows-0-signup": signup.public_id, "rows-0-came": "09:00", "rows-0-absent": "y"}
    answer = desk.post(f"/desk/volunteers/attendance/{shift.public_id}/paper", data=rows)
    assert "请去掉一样" in answer.text


def test_the_paper_of_a_shift_over_midnight_means_the_next_day(make, desk, helping, traveller):
    starts = clock.at(date(2026, 5, 5), time(22))
    signup = helping.signup(helping.post(helping.shift(starts_at=starts, hours=4)))
    rows = {"rows-0-signup": signup.public_id, "rows-0-came": "21:50", "rows-0-left": "01:30"}
    desk.post(f"/desk/volunteers/attendance/{signup.shift.public_id}/paper", data=rows)
    assert attending.attendance_of(make.read(signup)).minutes == 210


def test_the_papers_second_person_may_be_the_leader_or_a_colleague_but_not_who_typed_it(make, desk, signup, account):
    rows = {"rows-0-signup": signup.public_id, "rows-0-came": "09:00", "rows-0-left": "11:00"}
    desk.post(f"/desk/volunteers/attendance/{signup.shift.public_id}/paper", data=rows)
    found = attending.attendance_of(make.read(signup))
    desk.post(f"/desk/volunteers/hours/{found.id}/confirm")
    assert make.read(found).state is HoursState.TO_CONFIRM


def test_noted_codes_typed_by_a_worker_count_at_once(make, desk, shift, signup):
    came = STARTS + timedelta(minutes=6)
    left = STARTS + timedelta(minutes=118)
    rows = {
        "rows-0-signup": signup.public_id,
        "rows-0-in_code": codes.sheet_pin(shift, Purpose.IN, came),
        "rows-0-in_at": "09:06",
        "rows-0-out_code": codes.sheet_pin(shift, Purpose.OUT, left),
        "rows-0-out_at": "10:58",
    }
    assert desk.post(f"/desk/volunteers/attendance/{shift.public_id}/noted", data=rows).status_code == 303
    assert attending.confirmed(make.read(signup)).minutes == 108
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CodeUse)) == 2


def test_a_no_show_has_a_reason_and_is_undone_with_one(make, desk, signup):
    assert desk.post(_page(signup, "/no-show"), data={"reason": " "}).status_code == 422
    desk.post(_page(signup, "/no-show"), data={"reason": "没有来，电话没人接"})
    assert "电话没人接" in desk.get(f"/desk/volunteers/attendance/{signup.shift.public_id}").text
    desk.post(_page(signup, "/undo"), data={"reason": "其实请过假"})
    assert make.read(signup).state is SignupState.JOINED
    assert [len(_told(f"volunteers.no_show_{end}")) for end in ("marked", "undone")] == [1, 1]


def test_disputed_hours_stand_on_the_list_until_they_are_entered_anew(make, desk, signup, account, colleague):
    found = _entered(signup, account)
    with transaction():
        attending.confirm(found, by=actor_of(colleague))
    assert desk.post(f"/desk/volunteers/hours/{found.id}/dispute", data={"reason": ""}).status_code == 422
    desk.post(f"/desk/volunteers/hours/{found.id}/dispute", data={"reason": "中午才到"})
    assert attending.confirmed(make.read(signup)) is None
    assert "重新填写" in desk.get("/desk/volunteers/hours").text
    assert len(_told("volunteers.hours_disputed")) == 1


def test_a_long_day_is_warned_about(make, desk, helping, signup, account):
    more = helping.shift(starts_at=STARTS - timedelta(hours=8), hours=8)
    other = helping.signup(helping.post(more), signup.volunteer)
    with transaction() as session:
        times = Times(more.starts_at, more.ends_at)
        attending.enter_hours(session.get_one(Signup, other.id), times, by=actor_of(account))
    _entered(signup, account)
    assert "当天共 10.0 小时" in desk.get(f"/desk/volunteers/attendance/{signup.shift.public_id}").text
    assert "当天共 10.0 小时" in desk.get("/desk/volunteers/hours").text


def test_the_step_of_hours_is_a_setting(make, signup, account):
    with transaction():
        settings.put(hours.STEP, 30, valid_from=date(2026, 1, 1), by="street")
    assert _entered(signup, account, came=0, left=89).minutes == 60


def test_the_step_of_hours_is_one_that_records_can_hold(make):
    for value in (1, 5, 10, 45):
        with pytest.raises(Refused), transaction():
            settings.put(hours.STEP, value, valid_from=date(2026, 1, 1), by="street")
    with transaction():
        settings.put(hours.STEP, 12, valid_from=date(2026, 1, 1), by="street")


def test_the_sheets_print_names_numbers_and_blank_lines(desk, shift, signup):
    for page in (f"/{shift.public_id}/sheet", "/sheet?day=2026-05-06"):
        text = desk.get(f"/desk/volunteers/attendance{page}").text
        assert "李志愿" in text
        assert signup.volunteer.number in text
        assert text.count('<td class="sign"></td>') == 18
    assert "没有志愿班次" in desk.get("/desk/volunteers/attendance/sheet?day=2026-05-20").text


def test_a_worker_shows_the_code_where_no_volunteer_leads(desk, shift, traveller):
    traveller.move_to(STARTS)
    shown = codes.shown(shift, Purpose.OUT, now())
    page = desk.get(f"/desk/volunteers/attendance/{shift.public_id}/code?purpose=out").text
    assert f"{shown.pin[:3]} {shown.pin[3:]}" in page
    sheet = desk.get(f"/desk/volunteers/attendance/{shift.public_id}/codes").text
    assert f"{codes.sheet(shift, Purpose.IN)[0].pin[:3]} " in sheet


def test_what_waits_is_said_on_the_desk_and_late_after_some_days(signup, account, traveller):
    worker = actor_of(account)
    (todo,) = attendance_doors.todo_of(worker)
    assert (todo.count, todo.late) == (1, False)
    traveller.shift(4 * 86400)
    assert attendance_doors.todo_of(worker)[0].late
    _entered(signup, account)
    (todo,) = attendance_doors.todo_of(worker)
    assert (todo.endpoint, todo.count, todo.late) == ("volunteers.worker.hours_waiting", 1, True)


def test_a_shift_that_was_called_off_asks_for_nothing(signup, account):
    with transaction() as session:
        session.merge(signup.shift).state = ShiftState.CALLED_OFF
    assert attendance_doors.todo_of(actor_of(account)) == []


def test_the_job_asks_once_who_has_not_checked_out_and_tells_the_leader(make, helping, traveller):
    leader = helping.volunteer(make.person("周组长"))
    shift = helping.shift(helping.activity(leader_id=leader.id), starts_at=STARTS, hours=2)
    signup = helping.signup(helping.post(shift))
    helping.signup(helping.post(shift))
    with transaction() as session:
        traveller.move_to(STARTS)
        attending.mark_in(session.get_one(Signup, signup.id), Mark.QR, STARTS, actor_of(make.worker()))
    traveller.move_to(shift.ends_at + timedelta(minutes=5))
    jobs.ask_marks()
    assert _told("volunteers.marks_missing") == []
    traveller.move_to(shift.ends_at + timedelta(minutes=15))
    for _again in range(2):
        jobs.ask_marks()
    assert len(_told("volunteers.marks_missing")) == 1
    (told,) = _told("volunteers.marks_missing_lead")
    assert told.facts["count"] == 2


def test_a_persons_own_copy_holds_her_comings_and_goings(signup, account):
    _entered(signup, account)
    (row,) = attendance_doors.export(signup.volunteer.person)
    assert row["服务时间"] == "2.0 小时"
    assert "2.0 小时" in attendance_doors.timeline(signup.volunteer.person)[0].text


def test_old_attendance_is_forgotten_and_newer_is_not(make, helping, signup, account, traveller):
    _entered(signup, account)
    later = helping.signup(helping.post(helping.shift(starts_at=STARTS + timedelta(days=60))))
    traveller.move_to(later.starts_at)
    with transaction() as session:
        attending.mark_in(session.get_one(Signup, later.id), Mark.QR, now(), actor_of(account))
    with transaction():
        assert attendance_doors.purge(date(2026, 6, 1)) == 1
    assert attending.attendance_of(make.read(signup)) is None
    assert attending.attendance_of(later) is not None


def test_several_are_confirmed_with_one_button_and_ones_own_stay(make, desk, helping, shift, account, colleague):
    mine = _entered(helping.signup(helping.post(shift)), account)
    theirs = [_entered(helping.signup(helping.post(shift)), colleague) for _one in range(2)]
    picks = [f"{one.id}:{attending.stamp(one)}" for one in (mine, *theirs)]
    answer = desk.post("/desk/volunteers/hours/confirm", data={"pick": picks})
    assert answer.status_code == 303
    assert [make.read(one).state for one in theirs] == [HoursState.CONFIRMED] * 2
    assert make.read(mine).state is HoursState.TO_CONFIRM
    page = desk.get("/desk/volunteers/hours").text
    assert "已确认 2 人" in page
    assert "另一个人" in page


def test_nothing_picked_and_what_is_no_pick_confirm_nothing(make, desk, signup, colleague):
    found = _entered(signup, colleague)
    for picks in ([], ["x"], ["1:2:3"], [f"{found.id}:19990101"], ["99999999999999999999:1"]):
        assert desk.post("/desk/volunteers/hours/confirm", data={"pick": picks}).status_code == 303
    assert make.read(found).state is HoursState.TO_CONFIRM


def test_the_lists_take_few_questions_however_many_there_are(desk, helping, shift, account):
    for _one in range(5):
        _entered(helping.signup(helping.post(shift, 0)), account)
    pages = [
        "/desk/volunteers/attendance?day=2026-05-06",
        "/desk/volunteers/hours",
        "/desk/volunteers/attendance/sheet",
    ]
    for page in [*pages, f"/desk/volunteers/attendance/{shift.public_id}"]:
        with count_queries() as asked:
            desk.get(page)
        assert len(asked) <= 8, (page, asked)
