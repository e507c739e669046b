"""The people a shift serves: who sees them, from when until when, and that they learn who looked."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa

from portal.areas.service import area_scope
from portal.core.audit import AuditRow
from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.registry.models import PersonState
from portal.volunteers.models.activities import Post, Served, Shift
from portal.volunteers.models.codes import Joining, SignupState, Task, Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import activities, activity_doors, calling_off, joining, requests, serving
from tests.acting import actor_of
from tests.helping import Helping, soon
from tests.visitor import words_shown


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def old(make):
    """Somebody who is served, with a home."""
    household = make.household()
    return make.person("赵桂兰", household_id=household.id, phone="13700000009")


class Standing:
    """A shift in two hours with one volunteer on it, signed in."""

    def __init__(self, make, client, helping, starts_at=None):
        self.make, self.client, self.helping = make, client, helping
        self.worker = actor_of(make.worker())
        self.shift = helping.shift(helping.activity(), starts_at or soon(0, hours=2))
        self.volunteer, self.account = self.joins("李小红")

    def joins(self, name, shift=None):
        person = self.make.person(name)
        volunteer = self.helping.volunteer(person)
        with transaction():
            post = db.session.get_one(Post, (shift or self.shift).posts[0].id)
            self.signup = joining.put_on(post, volunteer, way=Way.WORKER, by=self.worker, checked=False)
        return volunteer, self.make.resident(person)

    def page(self, account=None, method="post", shift=None):
        self.client.sign_in(account or self.account)
        return getattr(self.client, method)(f"/volunteers/shifts/{(shift or self.shift).public_id}/served")


@pytest.fixture
def standing(make, client, helping):
    return Standing(make, client, helping)


def _looks():
    db.session.rollback()
    query = sa.select(AuditRow).where(AuditRow.action == "volunteers.served_shown").order_by(AuditRow.id)
    return list(db.session.scalars(query))


def test_a_volunteer_on_the_shift_sees_name_address_and_needs_and_nothing_more(standing, helping, old):
    helping.served(standing.shift, old)
    page = standing.page().text
    assert "赵桂兰" in page
    assert "6号楼" in page
    assert "软饭" in page
    assert "13700000009" not in page
    assert "137" not in words_shown(page)


def test_nobody_is_shown_before_the_button_and_each_showing_is_told_to_her(make, client, standing, helping, old):
    helping.served(standing.shift, old)
    page = standing.page(method="get").text
    assert "赵桂兰" not in page
    assert "1 位" in page
    assert _looks() == []
    standing.page()
    standing.page()
    assert [(row.object_id, row.actor_name) for row in _looks()] == [(old.public_id, "李小红")] * 2
    client.sign_in(make.resident(old))
    seen = client.get("/me/looked").text
    assert "李小红" in seen
    assert "看了您的姓名、住址和需要" in seen


@pytest.mark.parametrize("hours", [30, 48])
def test_nobody_is_shown_more_than_a_day_before(make, client, helping, old, hours):
    standing = Standing(make, client, helping, soon(0, hours=hours))
    helping.served(standing.shift, old)
    page = standing.page().text
    assert "赵桂兰" not in page
    assert "起才能看" in page
    assert _looks() == []


def test_nobody_is_shown_after_the_shift_ended(make, client, standing, helping, old):
    helping.served(standing.shift, old)
    with transaction():
        shift = activities.shift(standing.shift.public_id)
        shift.starts_at, shift.ends_at = now() - timedelta(hours=3), now() - timedelta(minutes=1)
    page = standing.page().text
    assert "赵桂兰" not in page
    assert "已经结束" in page


def test_others_find_nothing_there(make, client, standing, helping, old):
    helping.served(standing.shift, old)
    stranger = make.person("王五")
    helping.volunteer(stranger)
    assert standing.page(make.resident(stranger)).status_code == 404
    other = helping.shift(helping.activity(), soon(0, hours=2))
    _volunteer, account = standing.joins("钱六", other)
    assert standing.page(account).status_code == 404
    assert standing.page(account, shift=other).status_code == 200
    assert _looks() == []


def test_who_left_the_shift_or_only_asks_for_a_place_sees_nobody(make, client, standing, helping, old):
    helping.served(standing.shift, old)
    with transaction():
        signup = db.session.merge(standing.signup)
        joining.take_off(signup, SignupState.REMOVED, by=standing.worker, reason="有事")
    assert standing.page().status_code == 404
    person = make.person("孙七")
    with transaction():
        post = db.session.get_one(Post, standing.shift.posts[0].id)
        facts = {"way": Way.WORKER, "by": standing.worker, "checked": False}
        joining.put_on(post, helping.volunteer(person), state=SignupState.REQUESTED, **facts)
    assert standing.page(make.resident(person)).status_code == 404


def test_each_volunteer_sees_those_given_to_her_and_those_given_to_nobody(make, standing, helping, old):
    second, account = standing.joins("钱六")
    helping.served(standing.shift, old, volunteer_id=standing.volunteer.id)
    helping.served(standing.shift, make.person("周奶奶"), volunteer_id=second.id)
    helping.served(standing.shift, make.person("吴爷爷"))
    mine, hers = standing.page().text, standing.page(account).text
    assert ("赵桂兰" in mine, "周奶奶" in mine, "吴爷爷" in mine) == (True, False, True)
    assert ("赵桂兰" in hers, "周奶奶" in hers, "吴爷爷" in hers) == (False, True, True)


def _given(make, helping, standing, old):
    """Somebody given to her whom she saw to, and somebody still to come."""
    done = helping.served(standing.shift, make.person("吴爷爷"), volunteer_id=standing.volunteer.id, done_at=now())
    return helping.served(standing.shift, old, volunteer_id=standing.volunteer.id), done


def test_whom_she_was_to_go_to_the_others_see_once_she_is_off_the_shift(make, standing, helping, old):
    open_one, done = _given(make, helping, standing, old)
    leaving = standing.signup
    _second, account = standing.joins("钱六")
    assert "赵桂兰" not in standing.page(account).text
    with transaction():
        joining.take_off(db.session.get_one(Signup, leaving.id), SignupState.LEFT, by=standing.worker)
    assert "赵桂兰" in standing.page(account).text
    assert (make.read(open_one).volunteer_id, make.read(done).volunteer_id) == (None, standing.volunteer.id)


def test_who_did_not_come_goes_to_nobody(make, standing, helping, old):
    open_one, _done = _given(make, helping, standing, old)
    with transaction():
        signup = db.session.get_one(Signup, standing.signup.id)
        joining.mark(signup, SignupState.NO_SHOW, by=standing.worker, reason="没有来")
    assert make.read(open_one).volunteer_id is None


def test_who_takes_over_her_place_sees_whom_she_was_to_go_to(make, standing, helping, old):
    open_one, _done = _given(make, helping, standing, old)
    with transaction():
        joining.hand_on(db.session.get_one(Signup, standing.signup.id), helping.volunteer(), by=standing.worker)
    assert make.read(open_one).volunteer_id is None


def test_who_changes_her_post_on_the_shift_keeps_whom_she_goes_to_and_who_leaves_it_does_not(
    make, standing, helping, old
):
    open_one, _done = _given(make, helping, standing, old)
    signup = standing.signup
    for shift, kept in ((standing.shift, standing.volunteer.id), (helping.shift(starts_at=soon(5)), None)):
        with transaction():
            post = db.session.get_one(Post, shift.posts[0].id)
            moves = [(db.session.get_one(Signup, signup.id), post)]
            (signup,) = joining.rearrange(moves, way=Way.WORKER, by=standing.worker)
        assert make.read(open_one).volunteer_id == kept


def test_two_who_exchange_their_places_let_go_of_whom_they_go_to(make, standing, helping, old):
    open_one, _done = _given(make, helping, standing, old)
    mine = standing.signup
    standing.joins("钱六", helping.shift(starts_at=soon(5)))
    with transaction():
        one, other = (db.session.get_one(Signup, each.id) for each in (mine, standing.signup))
        joining.exchange(one, other, by=standing.worker)
    assert make.read(open_one).volunteer_id is None


def test_done_is_said_with_words_once_and_by_who_goes_there(make, client, helping, old):
    standing = Standing(make, client, helping, now() + timedelta(minutes=10))
    served = helping.served(standing.shift, old, volunteer_id=standing.volunteer.id)
    here = f"/volunteers/served/{served.public_id}/done"
    _second, account = standing.joins("钱六")
    client.sign_in(account)
    assert client.post(here, data={"words": "送到了"}).status_code == 404
    client.sign_in(standing.account)
    client.post(here, data={"words": ""})
    assert make.read(served).done_at is None
    client.post(here, data={"words": "送到了，精神好"})
    assert make.read(served).done_words == "送到了，精神好"
    with pytest.raises(Refused, match="已经登记完成"), transaction():
        serving.finish(actor_of(standing.account), served.public_id, "又一次")


def test_needs_are_sealed_in_the_database(make, standing, helping, old):
    helping.served(standing.shift, old)
    raw = db.session.execute(sa.text("SELECT needs FROM volunteer_served")).scalar_one()
    assert "软饭" not in str(raw)


def test_the_dead_are_shown_to_nobody_and_added_to_nothing(make, standing, helping, old):
    helping.served(standing.shift, old)
    with transaction():
        db.session.merge(old).state = PersonState.DEAD
    assert "赵桂兰" not in standing.page().text
    with pytest.raises(Refused, match="去世"), transaction():
        serving.add(standing.shift, make.read(old), Task.VISIT, "", by=standing.worker)


def test_a_worker_adds_gives_changes_and_drops(make, client, standing, helping, old):
    client.sign_in(make.worker())
    here = f"/desk/volunteers/shifts/{standing.shift.public_id}"
    assert "赵桂兰" in client.post(f"{here}/served", data={"q": "赵桂兰"}).text
    door = f"{here}/served/{old.public_id}"
    assert client.get(door).status_code == 200
    typed = {"idem": "a1", "task": "meal", "needs": "软饭", "volunteer": "0"}
    assert client.post(door, data=typed).status_code == 422
    assert client.post(door, data=typed | {"agreed": "y"}).status_code == 303
    assert client.post(door, data=typed | {"agreed": "y", "idem": "a2"}).status_code == 422
    served = db.session.scalars(sa.select(Served)).one()
    edit = f"/desk/volunteers/served/{served.public_id}"
    assert client.get(edit).status_code == 200
    given = typed | {"volunteer": str(standing.volunteer.id)}
    assert client.post(edit, data=given).status_code == 303
    assert make.read(served).volunteer_id == standing.volunteer.id
    stranger = helping.volunteer()
    assert client.post(edit, data=typed | {"volunteer": str(stranger.id)}).status_code == 422
    assert "李小红" in client.get(here).text
    assert client.post(f"{edit}/drop", data={"reason": ""}).status_code == 422
    assert client.post(f"{edit}/drop", data={"reason": "住院了"}).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Served)) == 0


def test_a_worker_cannot_add_somebody_of_another_community(make, client, standing, helping):
    other = make.person("外人", community=make.community("秋月社区"))
    client.sign_in(make.worker())
    door = f"/desk/volunteers/shifts/{standing.shift.public_id}/served/{other.public_id}"
    assert client.get(door).status_code == 404
    with pytest.raises(Missing):
        serving.served_in([area_scope(make.community("第三社区"))], helping.served(standing.shift).public_id)


def test_what_was_done_stays_on_the_list(make, standing, helping, old):
    served = helping.served(standing.shift, old, done_at=now())
    with pytest.raises(Refused, match="留作记录"), transaction():
        serving.drop(db.session.merge(served), "错了", by=standing.worker)


def test_a_person_is_told_on_which_shifts_she_was_served_and_it_is_forgotten_in_time(make, standing, helping, old):
    helping.served(standing.shift, old)
    (line,) = activity_doors.export(old)
    assert line["要知道的"] == "软饭，放门口"
    with transaction():
        assert activity_doors.purge(today()) == 0
        assert activity_doors.purge(today() + timedelta(days=9)) == 1


def test_tomorrows_shifts_that_lack_people_are_a_workers_to_do(make, helping):
    worker, other = make.worker(), make.worker(scope=make.community("秋月社区"))
    assert activity_doors.todo_of(actor_of(worker)) == []
    helping.shift(helping.activity(), at(today() + timedelta(days=1), time(9)))
    helping.shift(helping.activity(), at(today() + timedelta(days=2), time(9)))
    assert [line.count for line in activity_doors.todo_of(actor_of(worker))] == [1]
    assert activity_doors.todo_of(actor_of(other)) == []


def test_who_joined_by_a_tap_sees_only_those_a_worker_sent_her_to(make, standing, helping, old):
    served, other = helping.served(standing.shift, old), helping.served(standing.shift, make.person("孙福来"))
    with transaction():
        db.session.get_one(Signup, standing.signup.id).way = Way.SELF
    page = standing.page().text
    assert "赵桂兰" not in page
    assert "要社区指定您去" in page
    with pytest.raises(Missing), transaction():
        serving.finish(actor_of(standing.account), other.public_id, "送到了")
    with transaction():
        db.session.get_one(Served, served.id).volunteer_id = standing.volunteer.id
    page = standing.page().text
    assert "赵桂兰" in page
    assert "孙福来" not in page


def test_who_leads_the_shift_sees_those_nobody_is_sent_to_however_she_joined(make, standing, helping, old):
    helping.served(standing.shift, old)
    with transaction():
        signup = db.session.get_one(Signup, standing.signup.id)
        signup.way, signup.shift.activity.leader_id = Way.SELF, standing.volunteer.id
    page = standing.page().text
    assert "赵桂兰" in page
    assert "要社区指定您去" not in page


def test_who_was_approved_sees_those_nobody_is_sent_to_also_when_a_tap_is_enough_since(make, standing, helping, old):
    helping.served(standing.shift, old)
    with transaction():
        signup = db.session.get_one(Signup, standing.signup.id)
        signup.way, signup.state, signup.placed_by = Way.SELF, SignupState.REQUESTED, "herself"
        signup.shift.activity.joining = Joining.APPROVED
    with transaction():
        requests.answer_request(db.session.get_one(Signup, standing.signup.id), yes=True, by=standing.worker)
    assert "赵桂兰" in standing.page().text
    with transaction():
        db.session.get_one(Signup, standing.signup.id).shift.activity.joining = Joining.OPEN
    assert "赵桂兰" in standing.page().text


def test_who_tapped_keeps_her_place_but_not_as_approved_when_the_activity_asks_for_a_yes_since(
    make, standing, helping, old
):
    helping.served(standing.shift, old)
    with transaction():
        signup = db.session.get_one(Signup, standing.signup.id)
        signup.way, signup.shift.activity.joining = Way.SELF, Joining.APPROVED
    assert make.read(standing.signup).state is SignupState.JOINED
    page = standing.page().text
    assert "赵桂兰" not in page
    assert "要社区指定您去" in page


def test_who_is_served_is_told_once_when_the_shift_is_called_off(make, standing, helping, old):
    helping.served(standing.shift, old)
    helping.served(standing.shift, old, task=Task.VISIT)
    helping.served(standing.shift, make.person("孙福来"), done_at=now())
    with transaction():
        calling_off.call_off_shift(db.session.get_one(Shift, standing.shift.id), "下大雨", by=standing.worker)
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == "volunteers.served_called_off")
    (row,) = db.session.scalars(query).all()
    assert (row.recipient_id, row.facts["reason"]) == (old.public_id, "下大雨")
