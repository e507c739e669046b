"""A computed plan: checked as things stand, edited, applied and taken back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import PlanState, ShiftState, SignupState, Way
from portal.volunteers.models.people import Absence
from portal.volunteers.models.plans import Plan, PlanLine
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service import plan_editing, plan_showing, planning
from tests.helping import Helping
from tests.volunteers.planned import applied, clock_at, day, kept_lines, planned, worker


@pytest.fixture
def helping(make):
    return Helping(make)


def test_applying_puts_everybody_on_and_undoing_takes_them_off_again(make, helping):
    post = helping.post(helping.shift(helping.activity(), clock_at(9)))
    later = helping.post(helping.shift(helping.activity(), clock_at(9, 3)))
    for _number in range(3):
        helping.volunteer()
    plan = planned(make)
    assert applied(plan, make) == 4
    signups = db.session.scalars(sa.select(Signup).where(Signup.plan_id == plan.id)).all()
    assert {one.way for one in signups} == {Way.PLAN}
    assert [db.session.get_one(Post, one).capacity.taken for one in (post.id, later.id)] == [2, 2]
    with transaction():
        assert plan_editing.undo(db.session.get_one(Plan, plan.id), reason="日期排错了", by=worker(make)) == (4, 0)
    db.session.expire_all()
    assert {one.state for one in signups} == {SignupState.REMOVED}
    assert [db.session.get_one(Post, one).capacity.taken for one in (post.id, later.id)] == [0, 0]
    assert db.session.scalar(sa.select(sa.func.count(HeldTime.id))) == 0
    assert db.session.get_one(Plan, plan.id).state is PlanState.UNDONE


def test_applying_twice_puts_nobody_on_twice(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    assert applied(plan, make) == 1
    assert applied(plan, make) == 0
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 1


def test_undoing_leaves_whose_shift_has_begun(make, helping):
    soon, late = helping.shift(helping.activity(), clock_at(9)), helping.shift(helping.activity(), clock_at(9, 4))
    helping.volunteer()
    plan = planned(make)
    applied(plan, make)
    begun = db.session.scalars(sa.select(Signup).where(Signup.shift_id == soon.id)).one()
    with transaction():
        db.session.get_one(Signup, begun.id).starts_at = now() - timedelta(minutes=5)
    with transaction():
        assert plan_editing.undo(db.session.get_one(Plan, plan.id), reason="雨天", by=worker(make)) == (1, 1)
    db.session.expire_all()
    states = dict(db.session.execute(sa.select(Signup.shift_id, Signup.state)).all())
    assert states == {soon.id: SignupState.JOINED, late.id: SignupState.REMOVED}


def test_a_line_that_holds_no_more_is_left_out_only_when_agreed(make, helping):
    helping.shift(helping.activity(positions=[helping.position("送餐员", 2)]), clock_at(9))
    one, other = helping.volunteer(), helping.volunteer()
    plan = planned(make)
    make.add(Absence(volunteer_id=one.id, first_day=day(), last_day=day()))
    with pytest.raises(plan_editing.NoLongerHolds) as refused:
        applied(plan, make)
    (bad,) = refused.value.lines
    assert bad.volunteer_id == one.id
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 0
    assert applied(plan, make, agreed=[bad.id]) == 1
    assert db.session.scalars(sa.select(Signup.volunteer_id)).all() == [other.id]
    failed = [line.failed for line in planning.lines_of(db.session.get_one(Plan, plan.id)) if line.failed]
    assert failed == ["现在不能参加这一班（状态、年龄、保险、外出或监护人同意）"]


def test_what_is_refused_at_the_last_moment_leaves_nobody_placed(make, helping, monkeypatch):
    helping.shift(helping.activity(positions=[helping.position("送餐员", 2)]), clock_at(9))
    one, _other = helping.volunteer(), helping.volunteer()
    plan = planned(make)
    make.add(Absence(volunteer_id=one.id, first_day=day(), last_day=day()))
    real = plan_editing.check

    def blind(plan, lines):
        return {line_id: plan_editing.Standing() for line_id in real(plan, lines)}

    monkeypatch.setattr(plan_editing, "check", blind)
    with pytest.raises(Refused, match="什么也没有安排"):
        applied(plan, make)
    db.session.expire_all()
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 0
    assert plan.state is PlanState.READY


@pytest.mark.parametrize("what", ["taken", "closed", "joined"])
def test_lines_are_checked_against_what_happened_since(make, helping, what):
    shift = helping.shift(helping.activity(positions=[helping.position("送餐员", 1)]), clock_at(9))
    volunteer = helping.volunteer()
    plan = planned(make)
    (line,) = planning.lines_of(plan)
    post = db.session.get_one(Post, line.post_id)
    if what == "taken":
        post.capacity.taken = 1
    elif what == "closed":
        post.shift.state = ShiftState.CLOSED
    else:
        other = helping.shift(helping.activity(positions=[helping.position("门岗", 1)]), clock_at(10))
        helping.signup(helping.post(other), volunteer)
    db.session.commit()
    db.session.expire_all()
    (standing,) = plan_editing.check(plan, planning.lines_of(plan)).values()
    assert standing.bars == [{"taken": "full", "closed": "closed", "joined": "busy"}[what]]
    assert shift.id == post.shift_id


def test_lines_are_struck_put_back_and_added_by_hand(make, helping):
    shift = helping.shift(helping.activity(positions=[helping.position("送餐员", 1)]), clock_at(9))
    one, other = helping.volunteer(), helping.volunteer()
    plan = planned(make)
    (line,) = planning.lines_of(plan)
    spare = other if line.volunteer_id == one.id else one
    with transaction():
        added = plan_editing.add(plan, shift.posts[0], spare.id, replacing=line)
        assert added.by_hand
    assert kept_lines(plan) == [(spare.id, shift.posts[0].id)]
    with pytest.raises(Refused, match="岗位已经满了"):
        plan_editing.restore(plan, line)
    with transaction():
        plan_editing.strike(plan, db.session.get_one(PlanLine, added.id))
    with transaction():
        plan_editing.restore(plan, db.session.get_one(PlanLine, line.id))
    assert kept_lines(plan) == [(line.volunteer_id, shift.posts[0].id)]


def test_nobody_is_added_where_she_may_not_be(make, helping):
    shift = helping.shift(helping.activity(positions=[helping.position("送餐员", 2)]), clock_at(9))
    clash = helping.shift(helping.activity(positions=[helping.position("门岗", 2)]), clock_at(10))
    one = helping.volunteer()
    plan = planned(make)
    (line,) = planning.lines_of(plan)
    other = shift if line.post_id == clash.posts[0].id else clash
    with pytest.raises(Refused, match="同一时间已有别的班次"):
        plan_editing.add(plan, other.posts[0], one.id)
    strange = helping.volunteer(make.person("外人", community=make.community("310101002002")))
    with pytest.raises(Missing):
        plan_editing.add(plan, other.posts[0], strange.id)


def test_a_position_that_is_dropped_takes_what_was_proposed_for_it_along(make, helping):
    shift = helping.shift(helping.activity(positions=[helping.position("送餐员", 1)]), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    with transaction():
        db.session.execute(sa.delete(Post).where(Post.shift_id == shift.id))
    db.session.expire_all()
    assert planning.lines_of(plan) == []
    assert plan_showing.proposal(plan).shifts == []


def _whys(plan):
    with transaction():
        found = plan_showing.proposal(db.session.get_one(Plan, plan.id))
        return [line.why for shift in found.shifts for post in shift.posts for line in post.lines]


def test_hours_beside_a_plan_that_was_edited_are_those_of_the_edited_plan(make, helping):
    activity = helping.activity(positions=[helping.position(needs=1)])
    first, *_others = (helping.shift(activity, clock_at(9, days)) for days in (2, 3, 4, 5))
    one, other = helping.volunteer(), helping.volunteer()
    plan = planned(make)
    assert all("连同已有的班次和方案共 4 小时" in "".join(why) for why in _whys(plan))
    with transaction():
        kept = db.session.get_one(Plan, plan.id)
        line = next(one for one in planning.lines_of(kept) if one.post.shift_id == first.id)
        who = line.volunteer_id
        plan_editing.strike(kept, line)
    said = sorted(why[-1] for why in _whys(plan))
    assert said == ["连同近来的，按改过的方案共 2 小时"] * 2 + ["连同近来的，按改过的方案共 4 小时"] * 2
    assert "连同已有的班次和方案共 4 小时" not in "".join("".join(why) for why in _whys(plan))
    spare = other if who == one.id else one
    with transaction():
        plan_editing.add(db.session.get_one(Plan, plan.id), db.session.get_one(Post, first.posts[0].id), spare.id)
    assert ["工作人员手工添加", "连同近来的，按改过的方案共 6 小时"] in _whys(plan)
