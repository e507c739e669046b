"""Activities: publishing, the guards of the law, calling off, and what residents may see of them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.service import area_scope
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.notifications.wording import words_for
from portal.registry.models import VolunteerTeam
from portal.volunteers.models.activities import Activity, Post
from portal.volunteers.models.codes import ActivityState, InvitationState, ServiceKind, SignupState, VolunteerState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Invitation
from portal.volunteers.service import activities, activity_templates, calling_off, joining, keeping, shifts
from portal.volunteers.service.keeping import Facts, PositionFacts
from tests.acting import actor_of
from tests.days import as_of_now, in_days, later
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


def test_a_shift_has_a_post_for_each_position(make, helping):
    activity = helping.activity(positions=[helping.position("送餐员", 3), helping.position("登记员", 1)])
    with transaction():
        shift = activities.new_shift(activities.activity(activity.public_id), soon(), soon(hours=2))
    found = activities.shift(shift.public_id)
    assert [(post.position.name, post.capacity.total) for post in found.posts] == [("送餐员", 3), ("登记员", 1)]


def test_the_same_time_twice_is_refused(make, helping):
    activity = helping.activity()
    helping.shift(activity, soon())
    with pytest.raises(Refused, match="已经有一个班次"), transaction():
        activities.new_shift(activities.activity(activity.public_id), soon(), soon(hours=2))


@pytest.mark.parametrize(
    ("starts", "minutes", "words"),
    [(-1, 60, "过去"), (2, 0, "晚于"), (2, 63, "5 分钟"), (2, 13 * 60, "720 分钟")],
)
def test_a_shift_at_an_impossible_time_is_refused(make, helping, starts, minutes, words):
    activity = helping.activity()
    with pytest.raises(Refused, match=words), transaction():
        activities.new_shift(activity, soon(starts), soon(starts) + timedelta(minutes=minutes))


def test_an_activity_outside_a_workers_scope_is_not_there(make, helping):
    activity = helping.activity()
    other = make.community("秋月社区")
    assert activities.activity(activity.public_id, within=[area_scope(make.community())]).id == activity.id
    with pytest.raises(Missing):
        activities.activity(activity.public_id, within=[area_scope(other)])
    with pytest.raises(Missing):
        activities.shift(helping.shift(activity).public_id, within=[area_scope(other)])


def test_shifts_between_days_come_with_posts_and_capacities(make, helping):
    shift = helping.shift(helping.activity(), soon(2))
    helping.shift(helping.activity(), soon(9))
    found = activities.shifts_between([make.community().id], today(), today() + timedelta(days=3))
    assert [one.id for one in found] == [shift.id]
    assert found[0].posts[0].capacity.left == 2


def test_a_leader_is_the_volunteer_named_or_the_teams_leader(make, helping):
    leader = helping.volunteer()
    activity = activities.activity(helping.activity(leader_id=leader.id).public_id)
    assert activities.leader_is(activity, leader.person)
    assert not activities.leader_is(activity, make.person("张三"))


def test_who_is_barred_or_leads_a_disbanded_team_leads_nothing(make, client, helping):
    leader, head = helping.volunteer(make.person("周组长")), make.person("孙队长")
    team = make.add(VolunteerTeam(community_id=make.community().id, name="红马甲", leader_id=head.id))
    activity = helping.activity(leader_id=leader.id, team_id=team.id)
    signup = helping.signup(helping.post(helping.shift(activity)), state=SignupState.REQUESTED)
    accounts = [make.resident(leader.person), make.resident(head)]
    page, asked = f"/volunteers/lead/{signup.shift.public_id}", f"/volunteers/lead/requests/{signup.public_id}"
    assert [client.sign_in(one).get(page).status_code for one in accounts] == [200, 200]
    with transaction() as session:
        session.get_one(Volunteer, leader.id).state = VolunteerState.LEFT
        session.get_one(VolunteerTeam, team.id).disbanded_on = today()
    for one in accounts:
        client.sign_in(one)
        assert (client.get(page).status_code, client.post(asked, data={"yes": "1"}).status_code) == (404, 404)
    with transaction() as session:
        session.get_one(Volunteer, leader.id).state = VolunteerState.BARRED
        session.get_one(Volunteer, leader.id).barred_until = today()
    assert not activities.leader_is(activity, leader.person)
    with transaction() as session:
        session.get_one(Volunteer, leader.id).barred_until = today() - timedelta(days=1)
    assert activities.leader_is(activity, leader.person)


def test_of_two_who_move_an_activity_differently_one_does(make):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    with transaction() as session:
        held = session.get_one(Activity, activity.id)
        ended = sa.update(Activity).where(Activity.id == held.id).values(state=ActivityState.CALLED_OFF)
        session.connection().execute(ended)
        assert held.state is ActivityState.PUBLISHED
        with pytest.raises(Refused, match="现在的状态"):
            keeping.move(held, ActivityState.ENDED)
    assert make.read(activity).state is ActivityState.CALLED_OFF


def _facts(**more):
    plain = {
        "title": "春风里送餐",
        "kind": ServiceKind.MEALS,
        "content": "把午餐送到老人家中",
        "place": "春风里助餐点",
        "risks": "上下楼注意脚下",
        "leader_name": "周洁",
        "leader_phone": "13900000001",
        "positions": (PositionFacts("送餐员", 3, least_hours=2, newcomers=50),),
    }
    return Facts(**plain | more)


def _draft(make, **more):
    worker = actor_of(make.worker())
    with transaction():
        made = keeping.add(make.community(), _facts(**more), by=worker)
    return activities.activity(made.public_id), worker


def test_an_activity_is_added_published_and_seen(make, helping):
    activity, worker = _draft(make)
    with pytest.raises(Missing):
        activities.shown(activity.public_id)
    with transaction():
        keeping.publish(activity, by=worker)
    assert activities.shown(activity.public_id).published_at is not None
    assert [one.title for one in activities.published([make.community().id])] == ["春风里送餐"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"risks": " "}, "写明可能的风险"),
        ({"leader_phone": None}, "负责人和电话"),
        ({"positions": ()}, "至少设一个岗位"),
        ({"is_risky": True}, "意外伤害保险"),
        ({"is_risky": True, "insurance": "平安意外险"}, "意外伤害保险"),
        ({"is_risky": True, "insurance": "平安意外险", "insured_day": later(in_days, -1)}, "已经到期"),
        ({"is_risky": True, "insurance": "平安意外险", "insured_day": later(in_days, 1)}, "不够到"),
        ({"kind": ServiceKind.HEALTH}, "要看证书的技能"),
        ({"least_age": 6}, "8 周岁以下"),
        ({"least_age": 14}, "未成年人"),
        ({"least_age": 14, "is_risky": True, "insurance": "险", "insured_day": later(in_days, 90)}, "18"),
    ],
)
def test_what_the_law_asks_and_an_activity_lacks_keeps_it_from_being_published(make, helping, more, words):
    activity, worker = _draft(make, **as_of_now(more))
    helping.shift(activity, soon(10))
    with pytest.raises(Refused, match=words), transaction():
        keeping.publish(activity, by=worker)


def test_a_published_activity_cannot_be_changed_into_one_that_lacks_it(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    with pytest.raises(Refused, match="意外伤害保险"), transaction():
        keeping.change(activities.activity(activity.public_id), _facts(is_risky=True), by=worker)


def test_a_shift_after_the_insurance_ends_is_refused(make, helping):
    activity, worker = _draft(make, is_risky=True, insurance="平安意外险", insured_day=today() + timedelta(days=5))
    with transaction():
        keeping.publish(activity, by=worker)
    with transaction():
        shifts.add(activity, soon(3), soon(3, hours=2), needs={}, by=worker)
    with pytest.raises(Refused, match="不够到"), transaction():
        shifts.add(activities.activity(activity.public_id), soon(8), soon(8, hours=2), needs={}, by=worker)


def test_a_new_position_comes_to_the_shifts_that_are_to_come(make, helping):
    activity, worker = _draft(make)
    shift, past = helping.shift(activity, soon(3)), helping.shift(activity, soon(-3))
    held = activity.positions[0]
    wanted = (PositionFacts("送餐员", 5, id=held.id), PositionFacts("登记员", 1))
    with transaction():
        keeping.change(activities.activity(activity.public_id), _facts(positions=wanted), by=worker)
    assert [post.capacity.total for post in activities.shift(shift.public_id).posts] == [5, 1]
    assert [post.capacity.total for post in activities.shift(past.public_id).posts] == [3]


def test_a_position_that_somebody_is_on_stays_and_is_not_made_too_small(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    post = helping.post(helping.shift(activity, soon(3)))
    for _number in range(2):
        _join(helping, post, worker)
    position = activity.positions[0]
    with pytest.raises(Refused, match="已经有 2 人"), transaction():
        few = (PositionFacts("送餐员", 1, id=position.id),)
        keeping.change(activities.activity(activity.public_id), _facts(positions=few), by=worker)
    with pytest.raises(Refused, match="不能去掉"), transaction():
        other = (PositionFacts("登记员", 1),)
        keeping.change(activities.activity(activity.public_id), _facts(positions=other), by=worker)


def test_a_position_that_somebody_was_asked_to_stays(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    post, asked = helping.post(helping.shift(activity, soon(3))), helping.volunteer()
    facts = {"state": InvitationState.DECLINED, "asked_by_name": "周洁", "answer_by": soon(2)}
    make.add(Invitation(post_id=post.id, volunteer_id=asked.id, **facts))
    with pytest.raises(Refused, match="受过邀请"), transaction():
        other = (PositionFacts("登记员", 1),)
        keeping.change(activities.activity(activity.public_id), _facts(positions=other), by=worker)


def _join(helping, post, worker):
    volunteer = helping.volunteer()
    with transaction():
        return joining.put_on(db.session.get_one(Post, post.id), volunteer, way=Way.WORKER, by=worker, checked=False)


def test_calling_an_activity_off_tells_everybody_and_frees_their_time(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    signup = _join(helping, helping.post(helping.shift(activity, soon(3))), worker)
    with transaction():
        told = calling_off.call_off_activity(activities.activity(activity.public_id), "台风停办", by=worker)
    assert told == 1
    assert make.read(signup).state is SignupState.CALLED_OFF
    assert db.session.scalar(sa.select(sa.func.count()).select_from(HeldTime)) == 0
    topics = list(db.session.scalars(sa.select(OutboxRow.topic).order_by(OutboxRow.id)))
    assert "volunteers.signup_called_off" in topics
    assert activities.shown(activity.public_id).state_reason == "台风停办"


def test_an_activity_with_shifts_to_come_does_not_end(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    helping.shift(activity, soon(3))
    with pytest.raises(Refused, match="1 个班次"), transaction():
        keeping.end(activities.activity(activity.public_id), by=worker)


def test_a_called_off_shift_is_not_called_off_again(make, helping):
    worker = actor_of(make.worker())
    shift = helping.shift(helping.activity())
    with transaction():
        calling_off.call_off_shift(activities.shift(shift.public_id), "下雨", by=worker)
    with pytest.raises(Refused, match="有人改过"), transaction():
        calling_off.call_off_shift(activities.shift(shift.public_id), "下雨", by=worker)


def test_templates_are_loaded_once_and_fill_the_form(make, helping):
    worker, within = actor_of(make.worker()), [area_scope(make.community())]
    helping.skill("健康证", needs_proof=True)
    with transaction():
        assert activity_templates.load_samples(by=worker) >= 8
    with pytest.raises(Refused, match="都在了"), transaction():
        activity_templates.load_samples(by=worker)
    found = activity_templates.offered(within)
    filled = activity_templates.filled(found[0], activity_templates.skills())
    assert filled["title"] == "午间送餐"
    assert filled["positions"][1]["skills"] == [activity_templates.skills()[0].id]


def test_an_activity_saved_as_a_template_is_its_communitys_alone(make, helping):
    activity, worker = _draft(make)
    other = make.community("秋月社区")
    with transaction():
        activity_templates.save(activity, "我们的送餐", street=False, by=worker)
    assert [one.name for one in activity_templates.offered([area_scope(make.community())])] == ["我们的送餐"]
    assert activity_templates.offered([area_scope(other)]) == []


def test_those_on_coming_shifts_are_told_what_changed_of_what_they_agreed_to(make, helping):
    activity, worker = _draft(make)
    with transaction():
        keeping.publish(activity, by=worker)
    first, second = helping.shift(activity, soon(3)), helping.shift(activity, soon(4))
    signup = _join(helping, helping.post(first), worker)
    _join(helping, helping.post(second), worker)
    held = (PositionFacts("送餐员", 3, id=activity.positions[0].id, least_hours=2, newcomers=50),)
    for more in ({"title": "另一个名字"}, {"title": "另一个名字", "risks": "有狗，注意避让", "place": "东门"}):
        with transaction():
            keeping.change(activities.activity(activity.public_id), _facts(positions=held, **more), by=worker)
    query = sa.select(OutboxRow).where(OutboxRow.topic == "volunteers.activity_changed").order_by(OutboxRow.id)
    rows = list(db.session.scalars(query))
    assert len(rows) == 2
    assert signup.volunteer.person.public_id in {row.recipient_id for row in rows}
    assert "集合地点、可能的风险" in words_for(rows[0].topic, rows[0].facts).body
