"""What a volunteer is offered or told is what she can do: staying on, whom she goes to, how she gets off a shift."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import render_template

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places.models import Capacity
from portal.volunteers.models.codes import Joining, Mark, SignupState, Way
from portal.volunteers.models.people import Pair
from portal.volunteers.models.signups import PairAsk, Signup
from portal.volunteers.service import attending, codes, joining, leaving, serving, substituting
from tests.acting import actor_of
from tests.days import in_days
from tests.helping import Helping, soon
from tests.make import Make
from tests.visitor import words_shown

OFFER = "做完还能继续吗"


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


def _on(make: Make, post, volunteer, **more) -> Signup:
    worker = actor_of(make.worker())
    with transaction():
        return joining.put_on(post, volunteer, way=Way.WORKER, by=worker, checked=False, **more)


@pytest.mark.parametrize("gap", [0, 30])
def test_staying_on_is_offered_where_a_shift_follows(make, client, helping, gap):
    activity, me = helping.activity(), helping.volunteer()
    shift = helping.shift(activity, soon(2))
    helping.shift(activity, shift.ends_at + timedelta(minutes=gap))
    signup = _on(make, helping.post(shift), me)
    client.sign_in(make.resident(me.person))
    assert OFFER in words_shown(client.get(f"/volunteers/signups/{signup.public_id}").text)
    client.post(f"/volunteers/signups/{signup.public_id}/stay")
    assert make.read(signup).can_stay


def test_who_stays_on_already_is_not_asked_again(make, helping):
    activity, me = helping.activity(), helping.volunteer()
    shift = helping.shift(activity, soon(2))
    following = helping.shift(activity, shift.ends_at)
    signup = _on(make, helping.post(shift), me)
    with transaction() as session:
        session.get_one(Signup, signup.id).can_stay = True
    assert [one.post.shift_id for one in leaving.next_posts([make.read(signup)])] == [following.id]
    assert [one.id for one in substituting.can_stay(make.read(following))] == [signup.id]
    _on(make, helping.post(following), me)
    assert leaving.next_posts([make.read(signup)]) == []
    assert substituting.can_stay(make.read(following)) == []


def test_staying_on_is_not_offered_where_no_shift_follows(make, client, helping):
    activity, me = helping.activity(), helping.volunteer()
    shift = helping.shift(activity, soon(2))
    helping.shift(activity, shift.ends_at + timedelta(days=1))
    signup = _on(make, helping.post(shift), me)
    client.sign_in(make.resident(me.person))
    assert OFFER not in words_shown(client.get(f"/volunteers/signups/{signup.public_id}").text)
    client.post(f"/volunteers/signups/{signup.public_id}/stay")
    assert not make.read(signup).can_stay


def test_nobody_was_seen_to_before_the_shift(make, client, helping):
    me = helping.volunteer()
    old = make.person("赵桂兰", household_id=make.household().id)
    shift = helping.shift(helping.activity(), now() + timedelta(hours=5))
    served = helping.served(shift, old, volunteer_id=me.id)
    _on(make, helping.post(shift), me)
    account = make.resident(me.person)
    words = words_shown(client.sign_in(account).post(f"/volunteers/shifts/{shift.public_id}/served").text)
    assert "赵桂兰" in words
    assert "登记完成" not in words
    with pytest.raises(Refused, match="还没到这一班的时间"), transaction():
        serving.finish(actor_of(account), served.public_id, "送到了")
    assert make.read(served).done_at is None


def test_who_was_put_on_a_shift_is_told_both_ways_off_it(app):
    """Within the last day she cannot leave by herself: then only asking is open to her."""
    facts = {"activity": "午间送餐", "way": "leader", "person": "李小红", "place": "助餐点", "position": "送餐员"}
    facts |= {"starts": "2030-06-10T14:00:00+00:00", "ends": "2030-06-10T18:00:00+00:00"}
    with app.test_request_context():
        assert "退出或请假" in render_template("volunteers/messages/signup_joined.txt", **facts)


def test_who_has_left_is_not_told_that_she_cannot_leave(make, client, helping):
    me = helping.volunteer()
    signup = _on(make, helping.post(helping.shift(starts_at=soon(5))), me)
    client.sign_in(make.resident(me.person))
    here = f"/volunteers/signups/{signup.public_id}/leave"
    client.post(here, data={"reason": ""})
    words = words_shown(client.get(here).text)
    assert "这一班现在不用退出" in words
    assert "现在不能自己退出" not in words


def test_who_has_scanned_is_told_to_press_and_not_to_scan(make, client, helping):
    me = helping.volunteer()
    shift = helping.shift(starts_at=now() + timedelta(minutes=5))
    _on(make, helping.post(shift), me)
    client.sign_in(make.resident(me.person))
    code = codes.shown(make.read(shift), codes.Purpose.IN, now())
    words = words_shown(client.get(f"/volunteers/attend/{shift.public_id}/in/{code.step}/{code.signature}").text)
    assert "点“确认签到”就登记上了" in words
    assert "扫负责人手机上的二维码" not in words


@pytest.mark.parametrize(
    ("rule", "said"), [(Joining.APPROVED, "等社区或领队确认"), (Joining.OPEN, "报上了，两个人一起去")]
)
def test_a_pair_is_told_whether_it_is_in_or_has_asked(make, client, helping, rule, said):
    me, friend = helping.volunteer(), helping.volunteer()
    make.add(Pair(one_id=me.id, other_id=friend.id, always=True))
    post = helping.post(helping.shift(helping.activity(joining=rule), soon(3)))
    client.sign_in(make.resident(me.person))
    client.post(f"/volunteers/posts/{post.id}/pair", data={"agree": "y", "other": friend.public_id, "words": ""})
    db.session.rollback()
    asked = db.session.scalars(sa.select(PairAsk)).one()
    client.sign_in(make.resident(friend.person))
    page = client.post(f"/volunteers/pairs/{asked.public_id}", data={"agree": "y"}, follow_redirects=True)
    assert said in words_shown(page.text)


def test_the_next_shift_with_a_place_is_not_called_the_next_shift(make, client, helping):
    activity = helping.activity()
    full, free = (helping.shift(activity, soon(days)) for days in (2, 3))
    with transaction() as session:
        session.get_one(Capacity, helping.post(full).capacity_id).taken = helping.post(full).capacity.total
    words = words_shown(client.get("/volunteers/activities").text)
    assert "最近有名额的一班" in words
    with transaction() as session:
        session.get_one(Capacity, helping.post(full).capacity_id).taken = 0
    assert "下一班" in words_shown(client.get("/volunteers/activities").text)
    assert free.starts_at > full.starts_at


def test_who_asks_for_a_missing_record_is_asked_why_it_is_missing(make, client, helping):
    client.sign_in(make.resident(helping.volunteer().person))
    words = words_shown(client.get("/volunteers/hours/missing").text)
    assert "为什么没有记上" in words
    assert "为什么要更正" not in words


def test_who_forgot_to_check_out_is_told_whom_to_ask_and_not_to_check_out(make, client, helping):
    me = helping.volunteer()
    shift = helping.shift(starts_at=now() + timedelta(minutes=5), hours=1)
    signup = _on(make, helping.post(shift), me)
    account = make.resident(me.person)
    with transaction():
        attending.mark_in(make.read(signup), Mark.LEADER, now(), actor_of(make.worker()))
    here = f"/volunteers/attend/{signup.public_id}"
    with time_machine.travel(make.read(shift).ends_at + timedelta(minutes=59)):
        client.sign_in(account)
        assert "结束时请记得签退" in words_shown(client.get(here).text)
    with time_machine.travel(make.read(shift).ends_at + timedelta(minutes=61)):
        words = words_shown(client.sign_in(account).get(here).text)
    assert "请联系负责人或社区登记离开的时间" in words
    assert "扫码或输入签到码" not in words


def test_a_child_whose_guardian_has_not_agreed_is_not_called_ready(make, client, helping):
    mother = make.person("王大力")
    child = make.person("陈小", born=in_days(-365 * 12), guardian_id=mother.id)
    helping.volunteer(child)
    client.sign_in(make.resident(mother))
    assert "可服务" not in words_shown(client.get("/volunteers/wards").text)
    client.sign_in(make.resident(child))
    page = words_shown(client.get("/volunteers/me").text)
    assert "监护人还没有同意" in page
    assert "可服务" not in page


def test_a_coming_shift_that_she_left_does_not_stand_under_the_past(make, client, helping):
    me = helping.volunteer()
    signup = _on(make, helping.post(helping.shift(starts_at=soon(5))), me)
    client.sign_in(make.resident(me.person))
    client.post(f"/volunteers/signups/{signup.public_id}/leave", data={"reason": ""})
    assert "以往和不去的" in words_shown(client.get("/volunteers/mine").text)


def test_a_request_that_nobody_answered_waits_no_longer_once_the_shift_is_over(make, client, helping):
    me = helping.volunteer()
    shift = helping.shift(helping.activity(joining=Joining.APPROVED), soon(1), hours=1)
    signup = _on(make, helping.post(shift), me, state=SignupState.REQUESTED)
    account, here = make.resident(me.person), f"/volunteers/signups/{signup.public_id}"
    client.sign_in(account)
    assert "等社区或领队确认" in words_shown(client.get(here).text)
    with time_machine.travel(make.read(shift).ends_at + timedelta(minutes=1)):
        words = words_shown(client.sign_in(account).get(here).text)
    assert "申请没有等到答复" in words
    assert "等社区或领队确认" not in words
