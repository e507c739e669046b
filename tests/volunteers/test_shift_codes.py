"""The leader's changing codes: bound to shift, purpose and time; used once; never for who is not on the shift."""

import io
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
import segno
import time_machine
from PIL import Image

from portal.core import clock
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.volunteers.models.codes import Mark, ShiftState, SignupState
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import attending, checking, codes
from portal.volunteers.service.codes import Link, Purpose
from tests.acting import actor_of
from tests.helping import Helping

STARTS = datetime(2026, 5, 6, 1, tzinfo=UTC)  # 9:00 of that day


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def at_nine(helping):
    """A shift from 9:00 to 11:00 and somebody on it; the clock stands at 9:00:10."""
    with time_machine.travel(STARTS + timedelta(seconds=10), tick=False) as traveller:
        yield helping.signup(helping.post(helping.shift(starts_at=STARTS, hours=2))), traveller


@pytest.fixture
def signup(at_nine):
    return at_nine[0]


@pytest.fixture
def traveller(at_nine):
    return at_nine[1]


@pytest.fixture
def me(make, signup):
    return make.resident(signup.volunteer.person)


def _pin(signup: Signup, purpose: Purpose = Purpose.IN) -> str:
    return codes.shown(signup.shift, purpose, now()).pin


def _path(signup: Signup, purpose: Purpose = Purpose.IN) -> str:
    shown = codes.shown(signup.shift, purpose, now())
    return f"/volunteers/attend/{signup.shift.public_id}/{purpose}/{shown.step}/{shown.signature}"


def _enter(signup: Signup, account, text: str):
    actor = actor_of(account)
    with transaction():
        return checking.enter(checking.mine(actor, signup.public_id), text, by=actor)


def test_the_code_changes_every_minute_and_the_one_before_still_counts(signup, traveller):
    shift, shown = signup.shift, codes.shown(signup.shift, Purpose.IN, now())
    assert (shown.changes_at - now()).total_seconds() == 50
    traveller.shift(60)
    assert codes.shown(shift, Purpose.IN, now()).pin != shown.pin
    codes.check_pin(shift, Purpose.IN, shown.pin, now())
    codes.check_link(shift, Purpose.IN, shown.step, shown.signature, now())
    traveller.shift(60)
    with pytest.raises(Refused, match="过期"):
        codes.check_pin(shift, Purpose.IN, shown.pin, now())
    with pytest.raises(Refused, match="过期"):
        codes.check_link(shift, Purpose.IN, shown.step, shown.signature, now())


def test_a_code_of_the_future_is_refused(signup):
    shift, step = signup.shift, codes.step_at(now()) + 1
    with pytest.raises(Refused, match="过期"):
        codes.check_link(shift, Purpose.IN, step, codes.signature(shift, Purpose.IN, step), now())


def test_a_code_for_coming_is_none_for_going(signup):
    shift, shown = signup.shift, codes.shown(signup.shift, Purpose.IN, now())
    with pytest.raises(Refused, match="不能用"):
        codes.check_link(shift, Purpose.OUT, shown.step, shown.signature, now())
    with pytest.raises(Refused, match="不对"):
        codes.check_pin(shift, Purpose.OUT, shown.pin, now())


def test_a_code_of_another_shift_is_refused(helping, signup, me):
    other = helping.shift(starts_at=STARTS, hours=3)
    shown = codes.shown(other, Purpose.IN, now())
    with pytest.raises(Refused, match="不能用"):
        codes.check_link(signup.shift, Purpose.IN, shown.step, shown.signature, now())
    with pytest.raises(Refused, match="不对"):
        _enter(signup, me, shown.pin)
    with pytest.raises(Refused, match="另一个班次"):
        _enter(signup, me, f"/volunteers/attend/{other.public_id}/in/{shown.step}/{shown.signature}")


def test_a_code_is_bound_to_its_shift_even_if_two_had_one_secret(helping, signup):
    twin = helping.shift(starts_at=STARTS, hours=5, secret=signup.shift.secret)
    ours, theirs = (codes.shown(one, Purpose.IN, now()) for one in (signup.shift, twin))
    assert ours.signature != theirs.signature
    assert ours.pin != theirs.pin
    assert codes.sheet_pin(signup.shift, Purpose.IN, now()) != codes.sheet_pin(twin, Purpose.IN, now())


def test_a_forged_signature_is_refused(signup):
    for forged in ("", "x" * 24, "签名"):
        with pytest.raises(Refused, match="不能用"):
            codes.check_link(signup.shift, Purpose.IN, codes.step_at(now()), forged, now())


@pytest.mark.parametrize(
    ("minutes", "purpose", "words"),
    [
        (-31, Purpose.IN, "还没到签到时间"),
        (121, Purpose.IN, "为止有效"),
        (-1, Purpose.OUT, "活动还没开始"),
        (181, Purpose.OUT, "为止有效"),
    ],
)
def test_outside_the_window_no_code_counts(signup, minutes, purpose, words):
    with pytest.raises(Refused, match=words):
        codes.check_window(signup.shift, purpose, STARTS + timedelta(minutes=minutes))


@pytest.mark.parametrize(("minutes", "purpose"), [(-30, "in"), (120, "in"), (0, "out"), (180, "out")])
def test_at_the_edges_of_the_window_codes_count(signup, minutes, purpose):
    codes.check_window(signup.shift, Purpose(purpose), STARTS + timedelta(minutes=minutes))


def test_a_shift_that_was_called_off_takes_no_code(make, signup):
    with transaction() as session:
        session.merge(signup.shift).state = ShiftState.CALLED_OFF
    with pytest.raises(Refused, match="取消"):
        codes.check_window(make.read(signup.shift), Purpose.IN, now())


def test_a_shift_over_midnight_takes_codes_on_both_days(helping, make):
    starts = clock.at(date(2026, 5, 1), time(22))
    with time_machine.travel(starts + timedelta(minutes=2), tick=False) as traveller:
        signup = helping.signup(helping.post(helping.shift(starts_at=starts, hours=4)))
        account = make.resident(signup.volunteer.person)
        _enter(signup, account, _pin(signup))
        traveller.move_to(starts + timedelta(hours=4))
        found = _enter(signup, account, _pin(signup, Purpose.OUT))
    assert found.minutes == 234


def test_a_code_counts_once_for_a_person(signup, me):
    _enter(signup, me, _pin(signup))
    with pytest.raises(Refused, match="签到过"):
        _enter(signup, me, f"x/{_path(signup)}")


def test_the_row_of_a_use_alone_refuses_a_second(signup, make):
    """Two taps that both passed the looks: the constraint says which counts."""
    worker = actor_of(make.worker())
    with transaction():
        attending._use(signup, Purpose.IN, Mark.QR)
    with pytest.raises(Refused, match="刚才已经"), transaction() as session:
        attending.mark_in(session.get_one(Signup, signup.id), Mark.QR, now(), worker)


def test_who_is_not_on_the_shift_cannot_use_its_code(signup, make):
    stranger, shown = actor_of(make.resident(make.person())), codes.shown(signup.shift, Purpose.IN, now())
    link = Link(signup.shift.public_id, "in", shown.step, shown.signature)
    for act in (checking.opened, lambda *facts, **more: checking.press(*facts, "", **more)):
        with pytest.raises(Refused, match="没有报名"):
            act(signup.shift, link, by=stranger)


def test_who_left_the_shift_cannot_use_its_code(helping, signup, make):
    gone = helping.signup(helping.post(signup.shift), state=SignupState.LEFT)
    shown = codes.shown(signup.shift, Purpose.IN, now())
    link = Link(signup.shift.public_id, "in", shown.step, shown.signature)
    with pytest.raises(Refused, match="没有报名"):
        checking.press(signup.shift, link, "", by=actor_of(make.resident(gone.volunteer.person)))


def test_wrong_pins_are_counted_and_then_even_the_right_one_waits(signup, me, traveller):
    wrong = "000000" if _pin(signup) != "000000" else "000001"
    for _try in range(5):
        with pytest.raises(Refused, match="不对"):
            _enter(signup, me, wrong)
    with pytest.raises(Refused, match="太多次"):
        _enter(signup, me, _pin(signup))
    traveller.shift(600)
    _enter(signup, me, _pin(signup))


def test_one_persons_wrong_pins_do_not_keep_another_out(helping, signup, me, make):
    other = helping.signup(helping.post(signup.shift))
    wrong = "000000" if _pin(signup) != "000000" else "000001"
    for _try in range(6):
        with pytest.raises(Refused):
            _enter(signup, me, wrong)
    _enter(other, make.resident(other.volunteer.person), _pin(signup))


def test_a_pin_may_be_typed_with_spaces(signup, me):
    pin = _pin(signup)
    _enter(signup, me, f" {pin[:3]} {pin[3:]} ")


def test_scanning_opens_a_page_with_one_button_that_checks_in_and_later_out(make, signup, me, client, traveller):
    client.sign_in(me)
    page = client.get(_path(signup)).text
    assert "确认签到" in page
    assert client.post(_path(signup)).status_code == 303
    assert make.read(signup).state is SignupState.PRESENT
    traveller.shift(3600)
    assert "确认签退" in client.get(_path(signup, Purpose.OUT)).text
    assert client.post(_path(signup, Purpose.OUT)).status_code == 303
    assert "1.0 小时" in client.get("/volunteers/attend").text


def test_looking_at_the_page_checks_nobody_in(make, signup, me, client):
    client.sign_in(me).get(_path(signup))
    assert make.read(signup).state is SignupState.JOINED


def test_who_opened_a_valid_code_may_press_a_moment_later_but_not_much_later(signup, me, client, traveller):
    client.sign_in(me)
    address = _path(signup)
    page = client.get(address).text
    seen = page.split('name="seen"')[1].split('value="')[1].split('"')[0]
    traveller.shift(300)
    assert client.post(address, data={"seen": seen}).status_code == 422
    traveller.shift(-130)
    assert client.post(address, data={"seen": ""}).status_code == 422
    assert client.post(address, data={"seen": seen}).status_code == 303


def test_what_one_person_opened_another_cannot_press(helping, signup, me, make, client, traveller):
    other = helping.signup(helping.post(signup.shift))
    address = _path(signup)
    seen = client.sign_in(me).get(address).text.split('name="seen"')[1].split('value="')[1].split('"')[0]
    traveller.shift(125)
    client.sign_in(make.resident(other.volunteer.person))
    assert client.post(address, data={"seen": seen}).status_code == 422


def test_the_page_of_a_shift_takes_pin_and_says_what_is_wrong(make, signup, me, client):
    client.sign_in(me)
    address = f"/volunteers/attend/{signup.public_id}"
    assert "可以签到了" in client.get(address).text
    assert "请扫二维码" in client.post(address, data={"code": ""}).text
    assert client.post(address, data={"code": "12"}).status_code == 422
    assert client.post(address, data={"code": _pin(signup)}).status_code == 303
    assert "已签到" in client.get(address).text
    assert make.read(signup).state is SignupState.PRESENT


def test_a_photograph_of_the_qr_code_checks_in_too(make, signup, me, client):
    client.sign_in(me)
    address, page = f"https://portal.test{_path(signup)}", f"/volunteers/attend/{signup.public_id}"
    photo, blank = io.BytesIO(), io.BytesIO()
    segno.make_qr(address).save(photo, kind="png", scale=6, border=4)
    Image.new("RGB", (200, 200), "white").save(blank, "PNG")
    assert "没有认出二维码" in client.post(page, data={"photo": (io.BytesIO(blank.getvalue()), "a.png")}).text
    assert "不是能打开的图片" in client.post(page, data={"photo": (io.BytesIO(b"no picture"), "a.png")}).text
    assert client.post(page, data={"photo": (io.BytesIO(photo.getvalue()), "a.png")}).status_code == 303
    assert make.read(signup).state is SignupState.PRESENT


def test_only_the_page_of_ones_own_shift_may_use_the_camera(signup, me, client):
    client.sign_in(me)
    policy = client.get(f"/volunteers/attend/{signup.public_id}").headers["Permissions-Policy"]
    assert "camera=(self)" in policy
    assert "camera=()" in client.get("/volunteers/attend").headers["Permissions-Policy"]


def test_anothers_shift_does_not_exist(signup, make, client):
    client.sign_in(make.resident(make.person()))
    assert client.get(f"/volunteers/attend/{signup.public_id}").status_code == 404


def test_a_person_merged_into_another_keeps_her_shift(make, signup, client):
    whole = make.person("王秀英")
    with transaction() as session:
        session.merge(signup.volunteer.person).merged_into_id = whole.id
    client.sign_in(make.resident(whole))
    assert "可以签到了" in client.get(f"/volunteers/attend/{signup.public_id}").text


def test_today_lists_only_ones_own_shifts(signup, me, make, client):
    assert "老人送餐" in client.sign_in(me).get("/volunteers/attend").text
    client.sign_in(make.resident(make.person("张三")))
    assert "今天没有您的志愿班次" in client.get("/volunteers/attend").text


def test_the_sheet_for_a_leader_without_network_covers_the_whole_window(signup):
    lines = codes.sheet(signup.shift, Purpose.IN)
    assert (lines[0].starts_at, lines[-1].ends_at) == (STARTS - timedelta(minutes=30), STARTS + timedelta(hours=2))
    assert all(one.ends_at == following.starts_at for one, following in pairwise(lines))
    out = codes.sheet(signup.shift, Purpose.OUT)
    assert (out[0].starts_at, out[-1].ends_at) == (STARTS, STARTS + timedelta(hours=3))
    assert {one.pin for one in lines}.isdisjoint(one.pin for one in out)


def test_a_noted_code_holds_for_the_time_noted_beside_it_only(signup, helping):
    shift, noted = signup.shift, STARTS + timedelta(minutes=25)
    code = codes.sheet_pin(shift, Purpose.IN, noted)
    codes.check_noted(shift, Purpose.IN, code, noted)
    for away in (-15, 15):
        with pytest.raises(Refused, match="对不上"):
            codes.check_noted(shift, Purpose.IN, code, noted + timedelta(minutes=away))
    with pytest.raises(Refused, match="对不上"):
        codes.check_noted(shift, Purpose.OUT, code, noted)
    with pytest.raises(Refused, match="对不上"):
        codes.check_noted(helping.shift(starts_at=STARTS, hours=4), Purpose.IN, code, noted)


def test_a_code_shown_on_the_screen_may_be_noted_too(signup):
    shown_at = STARTS + timedelta(minutes=7, seconds=48)
    pin = codes.shown(signup.shift, Purpose.IN, shown_at).pin
    codes.check_noted(signup.shift, Purpose.IN, pin, STARTS + timedelta(minutes=7))


def test_the_sheets_code_checks_nobody_in_by_herself(signup, me):
    with pytest.raises(Refused, match="不对"):
        _enter(signup, me, codes.sheet_pin(signup.shift, Purpose.IN, now()))


def test_what_is_no_code_is_read_as_digits():
    assert codes.read(" 123-456 ") == "123456"
    assert codes.read("https://portal.test/volunteers/attend/abc/in/29/sig") == Link("abc", "in", 29, "sig")
    assert codes.read("https://portal.test/meals") != ""
    assert isinstance(codes.read("/a/b/99999999999999999999/c"), str)
