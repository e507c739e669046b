"""Pairs who always come together: joined together, waited for together, and nobody is left alone without being told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.places.models import Capacity, Waiting, WaitingState
from portal.registry.models import FamilyAgent
from portal.registry.models.accounts import AgentState
from portal.volunteers import jobs
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import InvitationState, SignupState, VolunteerState, Way
from portal.volunteers.models.people import Pair, Volunteer
from portal.volunteers.models.signups import PairAsk, Signup
from portal.volunteers.service import calling_off, joining, lines, offering, rearranging
from tests.acting import actor_of
from tests.helping import Helping, soon
from tests.visitor import words_shown

HOLD = (SignupState.JOINED, SignupState.REQUESTED)


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
def friend(make, helping):
    return helping.volunteer(make.person("赵建国"))


@pytest.fixture
def paired(make, me, friend):
    return make.add(Pair(one_id=min(me.id, friend.id), other_id=max(me.id, friend.id), always=True))


@pytest.fixture
def post(helping):
    return helping.post(helping.shift(starts_at=soon(3)))


@pytest.fixture
def accounts(make, me, friend):
    return {"me": make.resident(me.person), "friend": make.resident(friend.person)}


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def told(topic):
    db.session.rollback()
    rows = db.session.scalars(
        sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}").order_by(OutboxRow.id)
    )
    return [row.recipient_id for row in rows]


def on(post):
    db.session.rollback()
    query = sa.select(Signup.volunteer_id).where(Signup.post_id == post.id, Signup.state.in_(HOLD))
    return set(db.session.scalars(query))


def asked(client, accounts, post, friend, **more):
    client.sign_in(accounts["me"])
    said = {"agree": "y", "other": friend.public_id, "words": "门口见", **more}
    assert client.post(f"/volunteers/posts/{post.id}/pair", data=said).status_code == 303
    db.session.rollback()
    return db.session.scalars(sa.select(PairAsk).order_by(PairAsk.id.desc())).first()


def answered(client, accounts, found):
    client.sign_in(accounts["friend"])
    return client.post(f"/volunteers/pairs/{found.public_id}", data={"agree": "y"})


def test_one_of_an_always_pair_cannot_join_alone_and_is_told_how_to_go_on(client, paired, accounts, post):
    client.sign_in(accounts["me"])
    page = client.get(f"/volunteers/posts/{post.id}/join").text
    assert "和赵建国结对同来，要两个人一起报名" in page
    assert f"/volunteers/posts/{post.id}/pair" in page
    assert client.post(f"/volunteers/posts/{post.id}/join", data={"agree": "y"}).status_code == 422
    assert on(post) == set()


def test_the_other_is_asked_and_both_are_on_it_when_he_agrees(client, paired, accounts, post, me, friend):
    found = asked(client, accounts, post, friend)
    assert on(post) == set()
    assert told("pair_asked") == [friend.person.public_id]
    client.sign_in(accounts["friend"])
    assert "王秀英约您一起" in client.get("/volunteers/mine").text
    assert "门口见" in client.get(f"/volunteers/pairs/{found.public_id}").text
    assert client.post(f"/volunteers/pairs/{found.public_id}").status_code == 422
    assert answered(client, accounts, found).status_code == 303
    assert on(post) == {me.id, friend.id}
    assert answered(client, accounts, found).status_code == 422


def test_a_yes_that_is_refused_is_not_told_as_given(client, helping, worker, paired, accounts, post, friend):
    found = asked(client, accounts, post, friend)
    put(helping.post(helping.shift(starts_at=post.shift.starts_at)), friend, worker, way=Way.PLAN)
    answer = answered(client, accounts, found)
    assert answer.status_code == 422
    assert "已经结束" not in words_shown(answer.text)


def test_where_two_places_are_not_left_both_wait_and_are_promoted_together(
    client, helping, worker, paired, accounts, post, me, friend
):
    first, second = (put(post, helping.volunteer(), worker) for _turn in range(2))
    found = asked(client, accounts, post, friend)
    client.sign_in(accounts["friend"])
    assert "一起候补" in client.get(f"/volunteers/pairs/{found.public_id}").text
    assert answered(client, accounts, found).status_code == 303
    assert set(told("pair_waits")) == {me.person.public_id, friend.person.public_id}
    with transaction():
        joining.take_off(first, SignupState.LEFT, by=worker)
    assert on(post) == {second.volunteer_id}
    with transaction():
        joining.take_off(second, SignupState.LEFT, by=worker)
    assert on(post) == {me.id, friend.id}


def test_shortly_before_the_shift_the_one_who_asked_takes_the_two_places(
    client, helping, worker, paired, accounts, me, friend
):
    post = helping.post(helping.shift(starts_at=soon(0, hours=6)))
    taken = [put(post, helping.volunteer(), worker) for _turn in range(2)]
    answered(client, accounts, asked(client, accounts, post, friend))
    with transaction():
        for one in taken:
            joining.take_off(one, SignupState.REMOVED, by=worker, reason="换人")
    assert on(post) == set()
    client.sign_in(accounts["me"])
    (waits,) = lines.waits_of([me])
    assert client.post(f"/volunteers/waiting/{waits.waiting.public_id}").status_code == 303
    assert on(post) == {me.id, friend.id}


def test_who_waits_together_leaves_the_line_together_and_the_other_is_told(
    client, helping, worker, paired, accounts, post, me, friend
):
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    found = asked(client, accounts, post, friend)
    answered(client, accounts, found)
    assert client.post(f"/volunteers/pairs/{found.public_id}/withdraw").status_code == 303
    assert lines.waits_of([me]) == []
    assert set(told("pair_line_left")) == {me.person.public_id, friend.person.public_id}


def test_a_no_has_a_reason_and_the_asker_reads_it(client, paired, accounts, post, friend, me):
    found = asked(client, accounts, post, friend)
    client.sign_in(accounts["friend"])
    where = f"/volunteers/pairs/{found.public_id}/decline"
    assert client.post(where).status_code == 422
    assert client.post(where, data={"reason": "要上班"}).status_code == 303
    assert told("pair_declined") == [me.person.public_id]
    assert on(post) == set()


def test_an_ask_ends_with_its_time_and_the_asker_is_told(client, make, paired, accounts, post, friend, me):
    found = asked(client, accounts, post, friend)
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        assert answered(client, accounts, found).status_code == 422
        jobs.lapse_questions()
    assert make.read(found).state is InvitationState.LAPSED
    assert told("pair_lapsed") == [me.person.public_id]
    assert on(post) == set()


def test_an_ask_is_taken_back_by_the_asker_alone(client, make, paired, accounts, post, friend):
    found = asked(client, accounts, post, friend)
    client.sign_in(accounts["friend"])
    assert client.post(f"/volunteers/pairs/{found.public_id}/withdraw").status_code == 404
    client.sign_in(accounts["me"])
    assert client.post(f"/volunteers/pairs/{found.public_id}").status_code in {404, 422}
    assert client.post(f"/volunteers/pairs/{found.public_id}/withdraw").status_code == 303
    assert make.read(found).state is InvitationState.WITHDRAWN
    assert told("pair_withdrawn") == [friend.person.public_id]


def test_a_stranger_neither_sees_an_ask_nor_is_asked(client, make, helping, paired, accounts, post, friend):
    found = asked(client, accounts, post, friend)
    stranger = helping.volunteer()
    client.sign_in(make.resident(stranger.person))
    assert client.get(f"/volunteers/pairs/{found.public_id}").status_code == 404
    assert client.get(f"/volunteers/posts/{post.id}/pair").status_code == 404
    client.sign_in(accounts["me"])
    said = {"agree": "y", "other": stranger.public_id}
    assert client.post(f"/volunteers/posts/{post.id}/pair", data=said).status_code == 422


def test_a_partner_who_is_family_is_signed_up_without_being_asked(client, make, paired, accounts, post, me, friend):
    facts = {"relation": "spouse", "actions": "meals.order", "state": AgentState.ACCEPTED}
    days = {"until": today() + timedelta(days=90), "requested_at": now(), "decided_at": now()}
    whose = {"person_id": friend.person_id, "principal_name": friend.person.name}
    make.add(FamilyAgent(account_id=accounts["me"].id, **whose | facts | days))
    client.sign_in(accounts["me"])
    assert client.post(f"/volunteers/posts/{post.id}/join", data={"agree": "y", "me": "y"}).status_code == 422
    said = {"agree": "y", "me": "y", "others": [friend.public_id]}
    assert client.post(f"/volunteers/posts/{post.id}/join", data=said).status_code == 303
    assert on(post) == {me.id, friend.id}


def test_where_the_other_helps_no_more_the_rule_holds_nobody_back(paired, friend, me, post, worker):
    with transaction():
        db.session.get(Volunteer, friend.id).state = VolunteerState.PAUSED
    put(post, me, worker)
    assert on(post) == {me.id}


def test_a_worker_puts_one_of_a_pair_on_alone_with_a_reason_and_she_is_told(paired, me, post, worker):
    with pytest.raises(rearranging.Soft, match="结对同来"), transaction():
        rearranging.assign(post, me, by=worker)
    with transaction():
        rearranging.assign(post, me, by=worker, reason="搭档住院")
    assert told("pair_alone") == [me.person.public_id]


def test_who_stays_on_a_shift_without_the_other_is_told(client, paired, accounts, post, me, friend, worker):
    answered(client, accounts, asked(client, accounts, post, friend))
    mine = db.session.scalars(sa.select(Signup).where(Signup.volunteer_id == me.id)).one()
    with transaction():
        joining.take_off(mine, SignupState.LEFT, by=worker)
    assert told("pair_left") == [friend.person.public_id]


def test_a_shift_that_is_called_off_tells_of_no_partner(client, paired, accounts, post, friend, worker):
    answered(client, accounts, asked(client, accounts, post, friend))
    with transaction():
        calling_off.call_off_shift(post.shift, "下雨", by=worker)
    assert told("pair_left") == []
    assert len(told("signup_called_off")) == 2


def test_nobody_asks_twice_nor_whom_who_asked_already(client, paired, accounts, post, me, friend):
    asked(client, accounts, post, friend)
    said = {"agree": "y", "other": friend.public_id}
    assert client.post(f"/volunteers/posts/{post.id}/pair", data=said).status_code == 422
    client.sign_in(accounts["friend"])
    said = {"agree": "y", "other": me.public_id}
    answer = client.post(f"/volunteers/posts/{post.id}/pair", data=said)
    assert (answer.status_code, "已经约了您" in answer.text) == (422, True)


def test_a_single_line_refuses_half_a_pair(paired, helping, me, post, worker):
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    with pytest.raises(Refused, match="一起报名"), transaction():
        lines.join_line(post, me, by=worker)


def full_of(helping, post, worker, turns=2):
    return [put(post, helping.volunteer(), worker) for _turn in range(turns)]


def line_state(found):
    db.session.rollback()
    return db.session.scalar(sa.select(Waiting.state).where(Waiting.public_id == db.session.merge(found).line))


def taken(post):
    db.session.rollback()
    return db.session.scalar(sa.select(Capacity.taken).where(Capacity.id == post.capacity_id))


def test_from_the_activity_and_from_the_near_shifts_a_link_leads_to_asking_the_other(client, paired, accounts, post):
    client.sign_in(accounts["me"])
    for where in (f"/volunteers/activities/{post.shift.activity.public_id}", "/volunteers/activities/near"):
        page = client.get(where).text
        assert f'href="/volunteers/posts/{post.id}/join"' in page, where
        assert "约搭档一起报名" in page
    page = client.get(f"/volunteers/posts/{post.id}/join").text
    assert f'href="/volunteers/posts/{post.id}/pair"' in page
    assert client.get(f"/volunteers/posts/{post.id}/pair").status_code == 200


@pytest.mark.parametrize("turns", [1, 2])
def test_where_two_places_are_not_left_an_always_pair_is_offered_the_line_and_it_counts_as_no_fit(
    client, helping, worker, paired, accounts, post, me, turns
):
    full_of(helping, post, worker, turns)
    client.sign_in(accounts["me"])
    page = client.get(f"/volunteers/activities/{post.shift.activity.public_id}").text
    assert f'href="/volunteers/posts/{post.id}/join"' in page
    assert "约搭档一起候补" in page
    assert f"/volunteers/posts/{post.id}/join" not in client.get("/volunteers/activities/near").text
    seeking = offering.Seeking(today(), today() + timedelta(days=9))
    (line,) = offering.lines(seeking, now(), offering.Reader(me))
    assert line.fitting == 0


@pytest.mark.usefixtures("paired")
@pytest.mark.parametrize("who", ["me", "friend"])
def test_one_of_two_who_wait_is_put_on_alone_and_both_are_out_of_the_line(
    client, helping, worker, accounts, post, me, friend, who
):
    gone, _stays = full_of(helping, post, worker)
    found = asked(client, accounts, post, friend)
    answered(client, accounts, found)
    with transaction():
        joining.take_off(gone, SignupState.LEFT, by=worker)
    alone, other = (me, friend) if who == "me" else (friend, me)
    with transaction():
        rearranging.assign(post, alone, by=worker, reason="搭档住院")
    assert line_state(found) == WaitingState.LEFT
    assert told("pair_line_left") == [other.person.public_id]
    assert taken(post) == 2


@pytest.mark.parametrize("who", ["me", "friend"])
def test_two_places_are_offered_and_one_of_the_two_is_put_on_alone_the_other_place_is_free_again(
    client, helping, worker, paired, accounts, me, friend, who
):
    post = helping.post(helping.shift(starts_at=soon(0, hours=6)))
    both_gone = full_of(helping, post, worker)
    found = asked(client, accounts, post, friend)
    answered(client, accounts, found)
    with transaction():
        for one in both_gone:
            joining.take_off(one, SignupState.REMOVED, by=worker, reason="换人")
    assert (line_state(found), taken(post)) == (WaitingState.OFFERED, 2)
    alone, other = (me, friend) if who == "me" else (friend, me)
    with transaction():
        rearranging.assign(post, alone, by=worker, reason="搭档住院")
    assert on(post) == {alone.id}
    assert taken(post) == 1
    assert told("pair_line_left") == [other.person.public_id]


def test_a_place_that_is_handed_to_one_of_two_who_wait_ends_their_waiting_and_the_other_is_told(
    client, helping, worker, paired, accounts, post, me, friend
):
    gives, _stays = full_of(helping, post, worker)
    found = asked(client, accounts, post, friend)
    answered(client, accounts, found)
    with transaction():
        db.session.get_one(Pair, paired.id).always = False
    with transaction() as session:
        giver = session.get_one(Signup, gives.id)
        joining.hold([giver.volunteer, friend], giver.shift)
        joining.hand_on(giver, session.get_one(Volunteer, friend.id), by=worker)
    assert line_state(found) == WaitingState.LEFT
    assert told("pair_line_left") == [me.person.public_id]


def test_of_two_who_wait_both_are_told_of_the_offer_and_who_answers_it(
    client, helping, worker, paired, accounts, me, friend
):
    post = helping.post(helping.shift(starts_at=soon(0, hours=6)))
    both_gone = full_of(helping, post, worker)
    answered(client, accounts, asked(client, accounts, post, friend))
    with transaction():
        for one in both_gone:
            joining.take_off(one, SignupState.REMOVED, by=worker, reason="换人")
    assert told("line_offered") == [me.person.public_id]
    assert told("pair_offered") == [friend.person.public_id]


def test_who_says_yes_has_read_the_risks_when_she_says_it(client, make, paired, accounts, post, me, friend):
    found = asked(client, accounts, post, friend)
    with time_machine.travel(now() + timedelta(hours=3), tick=False):
        answered(client, accounts, found)
        later = now()
    for one, moment in ((me, found.asked_at), (friend, later)):
        db.session.rollback()
        assert db.session.scalar(sa.select(Signup.agreed_at).where(Signup.volunteer_id == one.id)) == moment


@pytest.mark.usefixtures("paired")
@pytest.mark.parametrize("act", [calling_off.call_off_shift, calling_off.close_shift])
def test_an_ask_ends_with_the_shift_and_both_are_told(client, make, accounts, post, me, friend, worker, act):
    found = asked(client, accounts, post, friend)
    with transaction() as session:
        act(session.get_one(Shift, post.shift_id), "下雨", by=worker)
    assert make.read(found).state is InvitationState.WITHDRAWN
    assert set(told("pair_ended")) == {me.person.public_id, friend.person.public_id}
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        jobs.lapse_questions()
    assert told("pair_lapsed") == []
