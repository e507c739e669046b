"""The resident's and the leader's pages: joining, waiting, leaving, asking, answering; reminders and the feed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.registry.models import FamilyAgent
from portal.registry.models.accounts import AgentState
from portal.volunteers import jobs
from portal.volunteers.models.codes import InvitationState, Joining, SignupState, VolunteerState, Way
from portal.volunteers.models.people import Pair
from portal.volunteers.models.signups import Invitation, Signup
from portal.volunteers.service import inviting, joining, leaving, lines, requests, swapping
from tests.acting import actor_of
from tests.counting import count_queries
from tests.helping import Helping, soon
from tests.visitor import words_shown


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
def account(make, me):
    return make.resident(me.person)


@pytest.fixture
def post(helping):
    return helping.post(helping.shift(starts_at=soon(3)))


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def told(topic):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}")))


def only():
    db.session.rollback()
    return db.session.scalars(sa.select(Signup)).one()


def test_risks_and_insurance_are_read_before_joining_and_agreed_to(make, client, helping, account):
    activity = helping.activity(risks="上下楼梯", insurance="志愿者意外险", insured_until=soon(90))
    post = helping.post(helping.shift(activity))
    client.sign_in(account)
    page = client.get(f"/volunteers/posts/{post.id}/join")
    assert "上下楼梯" in page.text
    assert "志愿者意外险" in page.text
    assert client.post(f"/volunteers/posts/{post.id}/join", data={}).status_code == 422
    answer = client.post(f"/volunteers/posts/{post.id}/join", data={"agree": "y"})
    assert answer.status_code == 303
    assert only().agreed_at is not None
    assert "我的班次" in client.get(answer.headers["Location"]).text


def test_a_form_sent_twice_joins_once(client, account, post):
    client.sign_in(account)
    said = {"agree": "y", "idem": "k1"}
    first = client.post(f"/volunteers/posts/{post.id}/join", data=said)
    again = client.post(f"/volunteers/posts/{post.id}/join", data=said)
    assert first.headers["Location"] == again.headers["Location"]
    assert only().state is SignupState.JOINED


def test_a_time_that_was_taken_at_this_moment_is_said_on_the_page_and_nothing_of_it_stays(
    make, client, helping, account, me, worker, post, monkeypatch
):
    """Her other shift came in between the checks and the writing: the database itself keeps her from two places."""
    other = helping.post(helping.shift(starts_at=post.shift.starts_at + timedelta(hours=1)))
    put(other, me, worker)
    client.sign_in(account)
    said = {"agree": "y", "idem": "k1"}
    with monkeypatch.context() as patch:
        patch.setattr(joining, "refuse_unfit", lambda *_args, **_more: None)
        answer = client.post(f"/volunteers/posts/{post.id}/join", data=said)
    assert answer.status_code == 422
    assert "时间冲突" in answer.text
    assert "上下楼梯" in answer.text
    assert make.read(post.capacity).taken == 0
    assert only().post_id == other.id
    off = {"state": SignupState.REMOVED, "by": worker, "reason": "改了安排"}
    with transaction():
        joining.take_off(only(), **off)
    assert client.post(f"/volunteers/posts/{post.id}/join", data=said).status_code == 303, "the same form may go again"


def test_who_is_no_volunteer_is_led_to_registering(make, client, post):
    client.sign_in(make.resident(make.person("李小红")))
    page = client.get(f"/volunteers/posts/{post.id}/join")
    assert "登记成为志愿者" in page.text
    assert client.post(f"/volunteers/posts/{post.id}/join", data={"agree": "y"}).status_code == 422


def test_a_post_of_a_draft_does_not_exist(client, helping, account):
    post = helping.post(helping.shift(helping.activity(state="draft")))
    client.sign_in(account)
    assert client.get(f"/volunteers/posts/{post.id}/join").status_code == 404


def test_a_full_post_is_waited_for_on_the_same_page(client, helping, account, worker, post):
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    client.sign_in(account)
    assert "排队候补" in client.get(f"/volunteers/posts/{post.id}/join").text
    assert client.post(f"/volunteers/posts/{post.id}/wait", data={"agree": "y"}).status_code == 303
    page = client.get("/volunteers/mine")
    assert "排在第 1 位" in page.text


def an_agent(make, account, principal):
    facts = {"relation": "child", "actions": "meals.order", "state": AgentState.ACCEPTED}
    days = {"until": today() + timedelta(days=90), "requested_at": now(), "decided_at": now()}
    return make.add(
        FamilyAgent(account_id=account.id, person_id=principal.id, principal_name=principal.name, **facts | days)
    )


def test_a_family_joins_together_or_not_at_all(make, client, helping, worker, account, me, post):
    father = helping.volunteer(make.person("王建国"))
    an_agent(make, account, father.person)
    client.sign_in(account)
    assert "王建国" in client.get(f"/volunteers/posts/{post.id}/join").text
    said = {"agree": "y", "me": "y", "others": [father.public_id]}
    assert client.post(f"/volunteers/posts/{post.id}/join", data=said).status_code == 303
    db.session.rollback()
    made = db.session.scalars(sa.select(Signup).order_by(Signup.id)).all()
    assert ({one.volunteer_id for one in made}, {one.way for one in made}) == ({me.id, father.id}, {Way.FAMILY})
    one_left = helping.post(helping.shift(starts_at=soon(5)))
    put(one_left, helping.volunteer(), worker)
    answer = client.post(f"/volunteers/posts/{one_left.id}/join", data=said)
    assert answer.status_code == 422
    assert make.read(one_left.capacity).taken == 1


def test_a_refused_form_still_offers_the_family_and_who_unticks_herself_is_not_put_on(
    make, client, helping, account, me, post
):
    father = helping.volunteer(make.person("王建国"))
    an_agent(make, account, father.person)
    client.sign_in(account)
    join = f"/volunteers/posts/{post.id}/join"
    for said, words in (({"me": "y"}, "再打勾"), ({"agree": "y"}, "请选谁参加")):
        answer = client.post(join, data={**said, "family": "1"})
        assert answer.status_code == 422
        assert words in answer.text
        assert "王建国" in answer.text
    assert client.post(join, data={"agree": "y", "me": "y", "family": "1"}).status_code == 303
    db.session.rollback()
    assert set(db.session.scalars(sa.select(Signup.volunteer_id))) == {me.id}
    answer = client.post(join, data={"agree": "y", "me": "y", "family": "1"})
    assert answer.status_code == 422
    assert "王建国" in answer.text


def test_neither_a_partner_nor_a_stranger_is_put_on_without_being_asked(make, client, helping, account, me, post):
    friend, stranger = helping.volunteer(), helping.volunteer()
    make.add(Pair(one_id=min(me.id, friend.id), other_id=max(me.id, friend.id), always=False))
    client.sign_in(account)
    for other in (stranger, friend):
        said = {"agree": "y", "me": "y", "others": [other.public_id]}
        client.post(f"/volunteers/posts/{post.id}/join", data=said)
        db.session.rollback()
        assert other.id not in set(db.session.scalars(sa.select(Signup.volunteer_id)))


def test_somebody_elses_signup_does_not_exist(make, client, helping, worker, post):
    signup = put(post, helping.volunteer(), worker)
    client.sign_in(make.resident(helping.volunteer().person))
    for path in ("", "/leave", "/absent", "/swap"):
        assert client.get(f"/volunteers/signups/{signup.public_id}{path}").status_code == 404


def test_she_leaves_until_the_limit_and_later_asks(client, helping, worker, account, me):
    far, near = helping.post(helping.shift(starts_at=soon(3))), helping.post(helping.shift(starts_at=soon(0, hours=9)))
    one, other = put(far, me, worker), put(near, me, worker)
    client.sign_in(account)
    assert client.post(f"/volunteers/signups/{one.public_id}/leave", data={"reason": "有事"}).status_code == 303
    assert client.post(f"/volunteers/signups/{other.public_id}/leave", data={}).status_code == 422
    assert client.post(f"/volunteers/signups/{other.public_id}/absent", data={}).status_code == 422
    answer = client.post(f"/volunteers/signups/{other.public_id}/absent", data={"reason": "发烧了"})
    assert answer.status_code == 303
    db.session.rollback()
    db.session.refresh(one)
    db.session.refresh(other)
    assert (one.state, one.late) == (SignupState.LEFT, False)
    assert (other.state, other.leave_words) == (SignupState.JOINED, "发烧了")


def test_a_worker_lets_her_go_which_is_late_or_says_why_not(make, client, helping, worker, me):
    one = put(helping.post(helping.shift(starts_at=soon(0, hours=9))), me, worker)
    with transaction():
        leaving.ask_to_leave(one, by=worker, reason="发烧了")
    client.sign_in(make.worker())
    assert "发烧了" in client.get("/desk/volunteers/requests").text
    where = f"/desk/volunteers/requests/{one.public_id}"
    assert client.post(where, data={"no": "1"}).status_code == 422
    assert client.post(where, data={"no": "1", "reason": "找不到人"}).status_code == 303
    assert told("leave_refused")[0].facts["reason"] == "找不到人"
    assert client.post(where, data={"yes": "1"}).status_code == 422
    with transaction():
        leaving.ask_to_leave(make.read(one), by=worker, reason="还是发烧")
    assert client.post(where, data={"yes": "1"}).status_code == 303
    assert (make.read(one).state, one.late) == (SignupState.LEFT, True)


def test_a_request_is_answered_by_the_worker_of_the_community_only(make, client, helping, worker, me):
    post = helping.post(helping.shift(helping.activity(joining=Joining.APPROVED)))
    one = put(post, me, worker, state=SignupState.REQUESTED)
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("别处社区")))
    assert client.get(f"/desk/volunteers/requests/{one.public_id}").status_code == 404
    assert "没有等答复的申请" in client.get("/desk/volunteers/requests").text
    client.sign_in(make.worker())
    assert client.post(f"/desk/volunteers/requests/{one.public_id}", data={"yes": "1"}).status_code == 303
    assert make.read(one).state is SignupState.JOINED
    assert told("signup_joined")[0].facts["way"] == "approved"


def test_a_leader_answers_for_her_own_activities_only(make, client, helping, worker, me):
    leader = helping.volunteer(make.person("陈领队"))
    activity = helping.activity(joining=Joining.APPROVED, leader_id=leader.id)
    mine = put(helping.post(helping.shift(activity)), me, worker, state=SignupState.REQUESTED)
    other = helping.activity(joining=Joining.APPROVED)
    theirs = put(helping.post(helping.shift(other, starts_at=soon(4))), me, worker, state=SignupState.REQUESTED)
    client.sign_in(make.resident(leader.person))
    page = client.get("/volunteers/lead/requests").text
    assert activity.title in page
    assert other.title not in page
    assert client.post(f"/volunteers/lead/requests/{theirs.public_id}", data={"yes": "1"}).status_code == 404
    where = f"/volunteers/lead/requests/{mine.public_id}"
    assert client.post(where, data={"no": "1", "reason": "人够了"}).status_code == 303
    assert (make.read(mine).state, mine.reason) == (SignupState.REFUSED, "人够了")
    assert make.read(mine.post.capacity).taken == 0


def test_who_can_stay_on_is_seen_and_put_on_the_next_shift(make, client, helping, worker, account, me):
    shift = helping.shift(starts_at=soon(2))
    after = helping.shift(shift.activity, starts_at=shift.ends_at)
    one = put(helping.post(shift), me, worker)
    client.sign_in(account)
    assert client.post(f"/volunteers/signups/{one.public_id}/stay").status_code == 303
    assert make.read(one).can_stay
    client.sign_in(make.worker())
    assert "安排留下" in client.get("/desk/volunteers/requests").text
    assert client.post(f"/desk/volunteers/requests/{one.public_id}/stay").status_code == 303
    assert make.read(helping.post(after).capacity).taken == 1


def test_my_shifts_are_listed_in_a_fixed_number_of_questions(client, helping, worker, account, me):
    client.sign_in(account)
    assert "还没有报名的班次" in client.get("/volunteers/mine").text
    for number in range(6):
        put(helping.post(helping.shift(starts_at=soon(2 + number))), me, worker)
    client.get("/volunteers/mine")
    with count_queries() as many:
        assert "要去的" in client.get("/volunteers/mine").text
    for number in range(6):
        put(helping.post(helping.shift(starts_at=soon(9 + number))), me, worker)
    with count_queries() as more:
        client.get("/volunteers/mine")
    assert len(more) == len(many) <= 8


def test_a_swap_is_asked_and_taken_on_the_pages(make, client, helping, worker, account, me):
    post = helping.post(helping.shift(starts_at=soon(3)))
    one, other = put(post, me, worker), helping.volunteer(make.person("李阿姨"))
    client.sign_in(account)
    assert client.get(f"/volunteers/signups/{one.public_id}/swap").status_code == 200
    answer = client.post(f"/volunteers/signups/{one.public_id}/swap", data={"whom": "all", "words": "家里有事"})
    assert answer.status_code == 303
    assert "收回换班" in client.get(f"/volunteers/signups/{one.public_id}").text
    client.sign_in(make.resident(other.person))
    assert "有人想换班" in client.get("/volunteers/mine").text
    (swap,) = swapping.open_for(other)
    assert "我来接这一班" in client.get(f"/volunteers/swaps/{swap.public_id}").text
    assert client.post(f"/volunteers/swaps/{swap.public_id}", data={}).status_code == 422
    assert client.post(f"/volunteers/swaps/{swap.public_id}", data={"agree": "y"}).status_code == 303
    assert make.read(one).state is SignupState.LEFT


def test_an_exchange_that_is_refused_is_not_told_as_done(make, client, helping, worker, me):
    activity = helping.activity()
    first, second = (helping.post(helping.shift(activity, starts_at=soon(days))) for days in (3, 5))
    other = helping.volunteer(make.person("李阿姨"))
    mine, theirs = put(first, me, worker), put(second, other, worker)
    with transaction():
        swap = swapping.ask(mine, by=worker, against=theirs)
        path = f"/volunteers/swaps/{swap.public_id}"
    # She has promised that hour elsewhere since.
    put(helping.post(helping.shift(starts_at=second.shift.starts_at)), me, worker)
    client.sign_in(make.resident(other.person))
    answer = client.post(path, data={"agree": "y"})
    assert answer.status_code == 422
    assert "时间冲突" in answer.text
    assert "和他换" in answer.text


def invite(post, one, worker, **more):
    with transaction():
        return inviting.invite(post, one, by=worker, **{"answer_by": now() + timedelta(hours=20), **more})


def test_an_invitation_is_accepted_with_the_risks_read_or_declined_with_a_reason(
    make, client, worker, account, me, post
):
    found = invite(post, me, worker)
    client.sign_in(account)
    assert "邀请您参加" in client.get("/volunteers/mine").text
    where = f"/volunteers/invitations/{found.public_id}"
    assert "报名前请看" in client.get(where).text
    assert client.post(where, data={}).status_code == 422
    assert client.post(f"{where}/decline", data={}).status_code == 422
    assert client.post(where, data={"agree": "y"}).status_code == 303
    assert (make.read(found).state, only().way) == (InvitationState.ACCEPTED, Way.INVITED)
    assert client.post(f"{where}/decline", data={"reason": "有事"}).status_code == 422


def test_a_declined_invitation_keeps_the_reason(make, client, worker, account, me, post):
    found = invite(post, me, worker)
    client.sign_in(account)
    where = f"/volunteers/invitations/{found.public_id}/decline"
    assert client.post(where, data={"reason": "要上班"}).status_code == 303
    assert (make.read(found).state, found.reason) == (InvitationState.DECLINED, "要上班")
    assert make.read(post.capacity).taken == 0


def test_an_invitation_to_what_collides_meanwhile_is_not_told_as_accepted(client, helping, worker, account, me, post):
    found = invite(post, me, worker)
    put(helping.post(helping.shift(starts_at=post.shift.starts_at)), me, worker)
    answer = client.sign_in(account).post(f"/volunteers/invitations/{found.public_id}", data={"agree": "y"})
    assert answer.status_code == 422
    assert "已经结束" not in words_shown(answer.text)


def test_nobody_is_invited_twice_nor_for_what_she_does_not_fit(helping, worker, me, post):
    invite(post, me, worker)
    with pytest.raises(joining.Refused, match="已经被邀请"):
        invite(post, me, worker)
    with pytest.raises(joining.Unfit, match="暂停"):
        invite(post, helping.volunteer(state=VolunteerState.PAUSED), worker)


def test_an_invitation_ends_with_its_time(make, client, worker, account, me, post):
    found = invite(post, me, worker)
    with time_machine.travel(now() + timedelta(hours=21), tick=False):
        client.sign_in(account)
        assert client.post(f"/volunteers/invitations/{found.public_id}", data={"agree": "y"}).status_code == 422
        jobs.lapse_questions()
    assert make.read(found).state is InvitationState.LAPSED
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 1


def test_a_request_that_was_answered_is_not_answered_again(make, helping, worker, me):
    one = put(helping.post(), me, worker, state=SignupState.REQUESTED)
    other = actor_of(make.worker())
    with transaction():
        requests.answer_request(one, yes=True, by=other)
    with pytest.raises(joining.Refused, match="处理过"), transaction():
        requests.answer_request(one, yes=False, by=other, reason="人够了")


def test_an_offered_place_is_taken_or_left_on_its_page(make, client, helping, worker, account, me):
    activity = helping.activity(positions=[helping.position(needs=1)], leave_hours=1)
    post = helping.post(helping.shift(activity, starts_at=soon(0, hours=6)))
    first = put(post, helping.volunteer(), worker)
    with transaction():
        waiting = lines.join_line(post, me, by=worker)
        leaving.leave(first, by=worker)
    client.sign_in(account)
    assert "我参加" in client.get(f"/volunteers/waiting/{waiting.public_id}").text
    assert client.post(f"/volunteers/waiting/{waiting.public_id}").status_code == 303
    assert make.read(post.capacity).taken == 1
    assert client.get(f"/volunteers/waiting/{waiting.public_id}").status_code == 404
