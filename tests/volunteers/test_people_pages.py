"""The pages of volunteers as people, on the residents' side."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db
from portal.volunteers.models.codes import SignupState, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import profile
from tests.client import Client
from tests.helping import Helping, soon
from tests.make import Make


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


@pytest.fixture
def worker(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker())


def aged(years: int) -> date:
    return today().replace(year=today().year - years, day=min(today().day, 28))


def only() -> Volunteer:
    db.session.rollback()
    return db.session.scalars(sa.select(Volunteer)).one()


def done(action: str) -> list[AuditRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action)))


def test_a_resident_registers_and_sees_her_number_and_not_her_whole_numbers(make, client, helping):
    skill = helping.skill("急救", needs_proof=True)
    person = make.person("林小梅", born=aged(45), phone="13812345678")
    client.sign_in(make.resident(person))
    assert "登记成为志愿者" in client.get("/volunteers/me").text
    page = client.get("/volunteers/register").text
    assert "138****5678" in page
    assert "13812345678" not in page
    assert "不向受助的人收钱" in page
    form = {"idem": "k1", "skills": [str(skill.id)], "kinds": ["meals"], "bands": ["0-am", "0-pm"], "reminders": ["24"]}
    refused = client.post("/volunteers/register", data=form)
    assert refused.status_code == 422
    assert "同意后打勾" in refused.text
    for _twice in range(2):
        assert client.post("/volunteers/register", data={**form, "agreed": "y"}).status_code == 303
    made = only()
    assert made.state is VolunteerState.ACTIVE
    assert [(str(one.opens), str(one.closes)) for one in made.times] == [("08:00:00", "18:00:00")]
    page = client.get("/volunteers/me").text
    assert made.number in page
    assert "急救" in page
    assert len(done("volunteers.registered")) == 1


def test_an_account_that_is_nobody_yet_is_told_what_to_do(make, client):
    client.sign_in(make.resident())
    assert "先核对身份" in client.get("/volunteers/me").text
    assert "先核对身份" in client.get("/volunteers/register").text
    sent = client.post("/volunteers/register", data={"idem": "k", "agreed": "y"})
    assert sent.status_code == 422
    assert "核对身份" in sent.text


def test_a_child_under_eight_reads_why_not(make, client):
    client.sign_in(make.resident(make.person("小宝", born=aged(7))))
    assert "未满 8 周岁" in client.get("/volunteers/register").text


def test_a_guardian_registers_agrees_and_withdraws_in_her_account(make, client):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    client.sign_in(make.resident(mother))
    assert "还没有登记为志愿者" in client.get("/volunteers/wards").text
    address = f"/volunteers/wards/{child.public_id}"
    assert client.get(f"{address}/register").status_code == 200
    assert client.post(f"{address}/register", data={"idem": "k", "agreed": "y", "comes_along": "y"}).status_code == 303
    assert only().state is VolunteerState.ACTIVE
    page = client.get("/volunteers/wards").text
    assert "登记好了，陈小的志愿者编号是" in page
    assert "监护人陪同" in page
    assert client.post(f"{address}/withdraw").status_code == 303
    assert "等您同意" in client.get("/volunteers/wards").text
    assert client.get(f"{address}/agree").status_code == 200
    assert client.post(f"{address}/agree", data={"agreed": "y"}).status_code == 303
    assert "撤回同意" in client.get("/volunteers/wards").text


def test_a_child_is_told_that_a_guardian_is_waited_for_and_where_the_guardian_agrees(make, client, helping):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    post = helping.post(helping.shift(helping.activity(least_age=10)))
    client.sign_in(make.resident(child))
    assert client.post("/volunteers/register", data={"idem": "k", "agreed": "y"}).status_code == 303
    for page in ("", "activities/near"):
        said = client.get(f"/volunteers/{page}").text
        assert "等监护人同意" in said
        assert "加上会做的事" not in said
    assert "还在等监护人同意" in client.get(f"/volunteers/activities/{post.shift.activity.public_id}").text
    assert 'href="/volunteers/wards"' not in client.get("/volunteers/").text
    client.sign_in(make.resident(mother))
    assert 'href="/volunteers/wards"' in client.get("/volunteers/").text


def test_who_missed_too_often_is_told_so_where_shifts_are_looked_for(make, client, helping):
    one = helping.volunteer(make.person("林小梅", born=aged(45)))
    helping.post()
    for days in (3, 4, 5):
        helping.signup(helping.post(helping.shift(starts_at=soon(-days))), one, state=SignupState.NO_SHOW)
    client.sign_in(make.resident(one.person))
    for page in ("", "activities/near"):
        assert "缺席了 3 次，暂不能自己报名" in client.get(f"/volunteers/{page}").text


def test_a_guardian_of_nobody_reads_what_to_do_and_opens_no_childs_page(make, client):
    child = make.person("陈小", born=aged(12))
    client.sign_in(make.resident(make.person("吴三", born=aged(50))))
    assert "登记里没有您监护的孩子" in client.get("/volunteers/wards").text
    for what in ("register", "agree"):
        assert client.get(f"/volunteers/wards/{child.public_id}/{what}").status_code == 404
    assert client.post(f"/volunteers/wards/{child.public_id}/decline").status_code == 404


def test_a_volunteer_keeps_her_profile(make, client, helping):
    made = helping.volunteer(make.person("林小梅", born=aged(45)))
    client.sign_in(make.resident(made.person))
    client.post("/volunteers/me/times", data={"days": ["0", "2"], "opens": "09:00", "closes": "11:30"})
    assert "周三 09:00–11:30" in client.get("/volunteers/me/times").text
    assert client.post("/volunteers/me/times", data={"opens": "09:00", "closes": "11:30"}).status_code == 422
    client.post(f"/volunteers/me/times/{make.read(made).times[0].id}/drop")
    assert [one.weekday for one in make.read(made).times] == [2]
    day = today() + timedelta(days=3)
    client.post("/volunteers/me/absences", data={"first_day": day.isoformat(), "last_day": day.isoformat()})
    assert make.read(made).is_away(day)
    client.post(f"/volunteers/me/absences/{made.absences[0].id}/drop")
    assert not make.read(made).is_away(day)
    over = client.post("/volunteers/me/edit", data={"week_hours": "50"})
    assert over.status_code == 422
    assert client.post("/volunteers/me/edit", data={"kinds": ["law"], "shows_name": "y"}).status_code == 303
    assert "写全名" in client.get("/volunteers/me").text


def test_a_volunteer_pauses_comes_back_and_leaves(make, client, helping):
    made = helping.volunteer(make.person("林小梅", born=aged(45)))
    client.sign_in(make.resident(made.person))
    assert client.get("/volunteers/me/pause").status_code == 200
    client.post("/volunteers/me/pause", data={"reason": "照顾孙子"})
    assert make.read(made).state is VolunteerState.PAUSED
    client.post("/volunteers/me/return")
    assert make.read(made).state is VolunteerState.ACTIVE
    assert client.get("/volunteers/me/leave").status_code == 200
    client.post("/volunteers/me/leave", data={})
    assert make.read(made).state is VolunteerState.LEFT
    assert "您还不是志愿者" in client.get("/volunteers/me").text


def test_the_calendars_address_is_shown_once_and_can_be_stopped(make, client, helping):
    made = helping.volunteer(make.person("林小梅", born=aged(45)))
    client.sign_in(make.resident(made.person))
    shown = client.post("/volunteers/me/calendar").text
    key = shown.split("/volunteers/feed/")[1].split(".ics")[0]
    assert profile.volunteer_of_feed(key).id == made.id
    assert key not in client.get("/volunteers/me/calendar").text
    client.post("/volunteers/me/calendar/drop")
    db.session.rollback()
    assert profile.volunteer_of_feed(key) is None


def test_the_promise_is_open_to_everybody(client):
    assert "志愿者守则" in client.get("/volunteers/promise").text


def test_a_bar_that_ran_out_can_be_ended_by_herself(make, client, helping):
    made = helping.volunteer(
        make.person("林小梅", born=aged(45)),
        state=VolunteerState.BARRED,
        barred_until=today() - timedelta(days=1),
        state_at=now(),
    )
    client.sign_in(make.resident(made.person))
    assert "恢复服务" in client.get("/volunteers/me").text
    client.post("/volunteers/me/return")
    assert make.read(made).state is VolunteerState.ACTIVE
