"""Reminders at the volunteer's own lead times, and her calendar at a secret address."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import render_template

from portal.core.clock import at, now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.volunteers import jobs
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.service import calling_off, joining, leaving, profile, signup_reminding
from tests.acting import actor_of
from tests.helping import Helping, soon

NOON = time(12)


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def me(make, helping):
    return helping.volunteer(make.person("王秀英"))


@pytest.fixture
def post(helping):
    return helping.post(helping.shift(starts_at=soon(3)))


def put(post, one, worker):
    with transaction():
        return joining.put_on(post, one, way=Way.SELF, by=worker, state=SignupState.JOINED)


def reminded():
    db.session.rollback()
    count = sa.select(sa.func.count()).select_from(OutboxRow)
    return db.session.scalar(count.where(OutboxRow.topic == "volunteers.signup_reminder"))


def test_reminders_come_at_her_own_lead_times_and_once_each(helping, worker):
    one = helping.volunteer(reminders=[48, 3])
    shift = helping.shift(starts_at=soon(4))
    put(helping.post(shift), one, worker)
    for before, count in ((49, 0), (47, 1), (46, 1), (4, 1), (2.5, 2), (1, 2)):
        with time_machine.travel(shift.starts_at - timedelta(hours=before), tick=False):
            jobs.remind_signups()
            jobs.remind_signups()
            assert reminded() == count


def test_what_was_due_before_she_joined_is_left_out(helping, worker):
    shift = helping.shift(starts_at=soon(0, hours=12))
    put(helping.post(shift), helping.volunteer(reminders=[24, 2]), worker)
    jobs.remind_signups()
    assert reminded() == 0
    with time_machine.travel(shift.starts_at - timedelta(hours=1), tick=False):
        jobs.remind_signups()
        assert reminded() == 1


def test_who_left_is_not_reminded(helping, worker):
    signup = put(helping.post(helping.shift(starts_at=soon(4))), helping.volunteer(reminders=[24]), worker)
    with transaction():
        leaving.leave(signup, by=worker)
    with time_machine.travel(signup.starts_at - timedelta(hours=1), tick=False):
        jobs.remind_signups()
    assert reminded() == 0


def feed_of(volunteer):
    with transaction():
        return profile.new_feed_key(volunteer)


def test_the_feed_is_chinese_and_right_across_midnight_and_says_nothing_to_others(make, client, helping, worker, me):
    key = feed_of(me)
    day = date.fromisoformat("2030-06-10")
    with time_machine.travel(at(day, NOON) - timedelta(days=2), tick=False):
        activity = helping.activity("夜间巡逻；东门，西门", opens_days=60)
        night = helping.shift(activity, starts_at=at(day, NOON) + timedelta(hours=10), hours=4)
        put(helping.post(night), me, worker)
        answer = client.get(f"/volunteers/feed/{key}.ics")
        text = answer.text.replace("\r\n ", "")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "DTSTART;TZID=Asia/Shanghai:20300610T220000" in text
    assert "DTEND;TZID=Asia/Shanghai:20300611T020000" in text
    assert "SUMMARY:夜间巡逻；东门，西门（送餐员）" in text
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
    assert client.get("/volunteers/feed/wrong.ics").status_code == 404
    assert feed_of(me) != key
    assert client.get(f"/volunteers/feed/{key}.ics").status_code == 404


def test_what_is_called_off_stays_in_the_feed_as_cancelled(client, helping, worker, me, post):
    key = feed_of(me)
    put(post, me, worker)
    with transaction():
        calling_off.clear(post.shift, by=worker, reason="大雨")
    text = client.get(f"/volunteers/feed/{key}.ics").text
    assert "STATUS:CANCELLED" in text
    assert "班次取消" in text


def test_who_guesses_addresses_of_feeds_is_slowed_down(client, monkeypatch):
    monkeypatch.setattr("portal.volunteers.resident.feed.LIMIT", 3)
    with time_machine.travel(now(), tick=False):
        answers = [client.get(f"/volunteers/feed/{number}.ics").status_code for number in range(4)]
    assert answers == [404, 404, 404, 429]


FACTS = {
    "person": "王秀英",
    "activity": "午间送餐",
    "position": "送餐员",
    "place": "助餐点",
    "starts": "2030-06-10T14:00:00+00:00",
    "ends": "2030-06-10T18:00:00+00:00",
    "until": "2030-06-09T01:30:00+00:00",
    "reason": "有事",
    "words": "谢谢",
    "by": "周洁",
    "who": "李小红",
    "giver": "王秀英",
    "taker": "李小红",
    "way": "line",
    "leader": "周洁",
    "phone": "0571-88880000",
    "late": True,
}
EVENTS = [
    *("signup_joined", "signup_requested", "signup_left", "signup_removed", "signup_refused", "signup_called_off"),
    *("signup_reminder", "line_offered", "line_passed", "line_lapsed", "line_closed", "leave_asked", "leave_refused"),
    *("swap_asked", "swap_done", "swap_declined", "swap_lapsed", "invited", "invitation_declined"),
    *("invitation_withdrawn", "pair_asked", "pair_declined", "pair_withdrawn", "pair_lapsed", "pair_waits"),
    *("pair_line_left", "pair_left", "pair_alone", "served_called_off"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_every_notice_says_what_when_and_what_to_do(app, event):
    with app.test_request_context():
        title, _line, body = render_template(f"volunteers/messages/{event}.txt", **FACTS).partition("\n")
    assert "午间送餐" in title
    assert "6月10日 周一 22:00 至次日 02:00" in body
    assert "%(" not in title + body


def test_of_two_runners_one_reminds(helping, worker):
    signup = put(helping.post(helping.shift(starts_at=soon(4))), helping.volunteer(reminders=[24]), worker)
    moment = signup.starts_at - timedelta(hours=3)
    with time_machine.travel(moment, tick=False):
        due = signup_reminding.due(moment)
        db.session.rollback()
        answers = []
        for _runner in range(2):
            with transaction():
                answers.append(signup_reminding.remind(due[0], moment))
    assert answers == [True, False]
