"""The leader's pages: her own shifts only, the changing code, marks on the spot, paper, messages, who stands in."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.masking import mask_name
from portal.core.outbox import OutboxRow
from portal.registry.models import VolunteerTeam
from portal.volunteers.models.codes import HoursState, Mark, SignupState
from portal.volunteers.models.signups import Attendance, Invitation, Signup
from portal.volunteers.service import attending, codes, leading
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
    with time_machine.travel(STARTS + timedelta(minutes=30), tick=False) as found:
        yield found


@pytest.fixture
def leader(make, helping, traveller):
    return helping.volunteer(make.person("周组长"))


@pytest.fixture
def shift(helping, leader):
    return helping.shift(helping.activity(leader_id=leader.id), starts_at=STARTS, hours=2)


@pytest.fixture
def signup(make, helping, shift):
    return helping.signup(helping.post(shift), helping.volunteer(make.person("李志愿")))


@pytest.fixture
def led(make, client, leader):
    """The leader's own client."""
    return client.sign_in(make.resident(leader.person))


def _person(signup: Signup, act: str = "") -> str:
    return f"/volunteers/lead/{signup.shift.public_id}/people/{signup.public_id}{act}"


def _told(topic: str) -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)))


def test_a_leader_sees_her_shifts_and_who_is_on_them(led, shift, signup):
    assert shift.activity.title in led.get("/volunteers/lead").text
    page = led.get(f"/volunteers/lead/{shift.public_id}").text
    assert "李志愿" in page
    assert "还没到" in page


def test_who_leads_nothing_is_told_what_to_do(client, make, shift):
    client.sign_in(make.resident(make.person()))
    assert "没有您负责的班次" in client.get("/volunteers/lead").text


@pytest.mark.parametrize("page", ["", "/code", "/codes", "/sheet", "/noted", "/message", "/substitutes"])
def test_anybody_elses_shift_does_not_exist(client, make, helping, shift, page):
    other = helping.volunteer(make.person("王别人"))
    helping.shift(helping.activity(leader_id=other.id))
    client.sign_in(make.resident(other.person))
    assert client.get(f"/volunteers/lead/{shift.public_id}{page}").status_code == 404


@pytest.mark.parametrize("act", ["/no-show", "/undo", "/times"])
def test_anybody_elses_volunteer_does_not_exist(client, make, signup, act):
    client.sign_in(make.resident(make.person()))
    assert client.get(_person(signup, act)).status_code == 404
    assert client.post(_person(signup)).status_code == 404
    assert client.post(_person(signup, "/confirm")).status_code == 404


def test_a_volunteer_of_another_of_her_shifts_does_not_exist_on_this(led, helping, shift, signup):
    other = helping.shift(shift.activity, starts_at=STARTS + timedelta(days=1))
    assert led.post(f"/volunteers/lead/{other.public_id}/people/{signup.public_id}").status_code == 404


def test_the_leader_of_the_team_leads_its_activities(make, client, helping, traveller):
    head = make.person("孙队长")
    team = make.add(VolunteerTeam(community_id=make.community().id, name="红马甲", leader_id=head.id))
    shift = helping.shift(helping.activity(team_id=team.id), starts_at=STARTS)
    account = make.resident(head)
    assert client.sign_in(account).get(f"/volunteers/lead/{shift.public_id}").status_code == 200
    assert leading.leads_any(actor_of(account))
    with transaction() as session:
        session.get_one(VolunteerTeam, team.id).disbanded_on = now().date()
    assert client.get(f"/volunteers/lead/{shift.public_id}").status_code == 404


def test_the_code_page_shows_qr_and_pin_and_asks_for_the_next(led, shift, traveller):
    shown = codes.shown(shift, Purpose.IN, now())
    page = led.get(f"/volunteers/lead/{shift.public_id}/code").text
    assert f"{shown.pin[:3]} {shown.pin[3:]}" in page
    assert "<svg" in page
    part = led.get(
        f"/volunteers/lead/{shift.public_id}/code", headers={"HX-Request": "true", "HX-Target": "shown-code"}
    ).text
    assert shown.pin[3:] in part
    assert "<html" not in part
    traveller.shift(60)
    assert f"{shown.pin[:3]} {shown.pin[3:]}" not in led.get(f"/volunteers/lead/{shift.public_id}/code").text


def test_outside_the_window_the_code_page_says_so(led, shift, traveller):
    traveller.move_to(STARTS - timedelta(hours=2))
    assert "还没到签到时间" in led.get(f"/volunteers/lead/{shift.public_id}/code").text


def test_the_leader_marks_come_and_gone_and_the_hours_count(make, led, signup, traveller):
    assert led.post(_person(signup), data={"act": "in"}).status_code == 303
    assert make.read(signup).state is SignupState.PRESENT
    traveller.shift(3600)
    led.post(_person(signup), data={"act": "out"})
    found = attending.confirmed(make.read(signup))
    assert (found.minutes, found.came_by, found.left_by) == (60, Mark.LEADER, Mark.LEADER)


def test_gone_is_not_marked_by_the_button_after_checking_out_has_closed(make, led, signup, traveller):
    led.post(_person(signup), data={"act": "in"})
    traveller.shift(3 * 3600)
    led.post(_person(signup), data={"act": "out"})
    assert make.read(signup).state is SignupState.PRESENT
    assert "到 5月6日 周三 12:00 为止" in led.get(f"/volunteers/lead/{signup.shift.public_id}").text
    assert attending.confirmed(make.read(signup)) is None


def test_two_marks_of_the_same_button_count_once(make, led, signup):
    led.post(_person(signup), data={"act": "in"})
    led.post(_person(signup), data={"act": "in"})
    assert "签到过" in led.get(f"/volunteers/lead/{signup.shift.public_id}").text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attendance)) == 1


def test_no_show_and_undo_need_a_reason(make, led, signup):
    assert led.post(_person(signup, "/no-show"), data={"reason": ""}).status_code == 422
    led.post(_person(signup, "/no-show"), data={"reason": "没有来"})
    assert make.read(signup).state is SignupState.NO_SHOW
    assert led.post(_person(signup, "/undo"), data={"reason": ""}).status_code == 422
    led.post(_person(signup, "/undo"), data={"reason": "看错人了"})
    assert make.read(signup).state is SignupState.JOINED


def test_times_by_the_leaders_hand_wait_for_somebody_else(make, led, signup, traveller):
    traveller.shift(3 * 3600)
    led.post(_person(signup, "/times"), data={"came": "09:00", "left": "10:30", "pause": "0"})
    assert attending.attendance_of(make.read(signup)).state is HoursState.TO_CONFIRM
    led.post(_person(signup, "/confirm"))
    assert "另一个人" in led.get(f"/volunteers/lead/{signup.shift.public_id}").text
    assert attending.attendance_of(make.read(signup)).state is HoursState.TO_CONFIRM


def test_the_leader_confirms_what_a_worker_entered(make, led, signup, traveller):
    traveller.shift(3 * 3600)
    worker = actor_of(make.worker())
    with transaction() as session:
        times = Times(STARTS, STARTS + timedelta(hours=2))
        attending.enter_hours(session.get_one(Signup, signup.id), times, by=worker)
    led.post(_person(signup, "/confirm"))
    assert attending.confirmed(make.read(signup)).minutes == 120


def test_noted_codes_are_checked_for_the_time_noted(make, led, shift, signup, traveller):
    came, left = STARTS + timedelta(minutes=4), STARTS + timedelta(minutes=100)
    traveller.shift(3 * 3600)
    row = {
        "rows-0-signup": signup.public_id,
        "rows-0-in_code": codes.sheet_pin(shift, Purpose.IN, came),
        "rows-0-in_at": "09:04",
        "rows-0-out_code": "000000",
        "rows-0-out_at": "10:40",
    }
    answer = led.post(f"/volunteers/lead/{shift.public_id}/noted", data=row)
    assert answer.status_code == 422
    assert "对不上" in answer.text
    assert attending.attendance_of(make.read(signup)) is None
    row["rows-0-out_code"] = codes.sheet_pin(shift, Purpose.OUT, left)
    assert led.post(f"/volunteers/lead/{shift.public_id}/noted", data=row).status_code == 303
    found = attending.confirmed(make.read(signup))
    assert (found.minutes, found.came_by, found.left_by) == (96, Mark.OFFLINE, Mark.OFFLINE)


def test_a_noted_code_without_its_time_is_refused(led, shift, signup):
    row = {"rows-0-signup": signup.public_id, "rows-0-in_code": "123456"}
    answer = led.post(f"/volunteers/lead/{shift.public_id}/noted", data=row)
    assert answer.status_code == 422
    assert "都要填" in answer.text


def test_somebody_elses_row_in_the_noted_form_is_passed_over(make, helping, led, shift, signup):
    other = helping.signup(helping.post(helping.shift(starts_at=STARTS, hours=3)))
    row = {
        "rows-0-signup": other.public_id,
        "rows-0-in_code": codes.sheet_pin(other.shift, Purpose.IN, now()),
        "rows-0-in_at": "09:30",
    }
    led.post(f"/volunteers/lead/{shift.public_id}/noted", data=row)
    assert make.read(other).state is SignupState.JOINED


def test_the_code_sheet_prints_every_code_of_the_window(led, shift):
    page = led.get(f"/volunteers/lead/{shift.public_id}/codes").text
    for slot in codes.sheet(shift, Purpose.OUT):
        assert f"{slot.pin[:3]} {slot.pin[3:]}" in page


def test_the_sign_in_sheet_has_the_names_and_blank_lines(led, shift, signup):
    page = led.get(f"/volunteers/lead/{shift.public_id}/sheet").text
    assert "李志愿" in page
    assert signup.volunteer.number in page
    assert page.count('<td class="sign"></td>') == 18


def test_a_message_goes_to_everybody_on_the_shift_once(led, helping, shift, signup):
    helping.signup(helping.post(shift))
    page = led.get(f"/volunteers/lead/{shift.public_id}/message").text
    idem = page.split('name="idem"')[1].split('value="')[1].split('"')[0]
    for _twice in range(2):
        led.post(f"/volunteers/lead/{shift.public_id}/message", data={"words": "改在一号楼集合", "idem": idem})
    assert len(_told("volunteers.shift_message")) == 2


def test_before_the_shift_somebody_is_invited_with_one_tap(make, led, helping, shift, traveller):
    traveller.move_to(STARTS - timedelta(hours=5))
    free = helping.volunteer(make.person("钱有空"))
    page = led.get(f"/volunteers/lead/{shift.public_id}/substitutes").text
    assert mask_name("钱有空") in page
    assert "钱有空" not in page
    data = {"post": str(shift.posts[0].id), "volunteer": free.public_id}
    assert led.post(f"/volunteers/lead/{shift.public_id}/substitutes", data=data).status_code == 303
    assert db.session.scalar(sa.select(Invitation.volunteer_id)) == free.id
    page = led.get(f"/volunteers/lead/{shift.public_id}/substitutes").text
    assert f"已邀请 {mask_name('钱有空')}" in page
    assert "钱有空" not in page


def test_for_who_did_not_come_somebody_stands_in_after_the_beginning(make, led, helping, shift, signup):
    helping.signup(helping.post(shift), helping.volunteer(make.person("吴在场")))
    free = helping.volunteer(make.person("钱有空"))
    data = {"post": str(shift.posts[0].id), "volunteer": free.public_id}
    led.post(f"/volunteers/lead/{shift.public_id}/substitutes", data=data)
    here = sa.select(sa.func.count()).select_from(Signup).where(Signup.shift_id == shift.id)
    assert db.session.scalar(here) == 2
    led.post(_person(signup, "/no-show"), data={"reason": "没有来"})
    assert mask_name("钱有空") in led.get(f"/volunteers/lead/{shift.public_id}/substitutes").text
    led.post(f"/volunteers/lead/{shift.public_id}/substitutes", data=data)
    assert db.session.scalar(here) == 3
    assert "现在不缺人" in led.get(f"/volunteers/lead/{shift.public_id}/substitutes").text


def test_a_leaders_lists_take_few_questions_however_many_there_are(led, helping, shift, make):
    for number in range(4):
        more = helping.shift(shift.activity, starts_at=STARTS + timedelta(days=number + 1), needs={"送餐员": 9})
        for _one in range(3):
            helping.signup(helping.post(more))
    with count_queries() as asked:
        led.get("/volunteers/lead")
    assert len(asked) <= 8, asked
    with count_queries() as asked:
        led.get(f"/volunteers/lead/{more.public_id}")
    assert len(asked) <= 8, asked
