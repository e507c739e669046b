"""Plans: gathered, computed in a process of their own, checked again, edited, applied and taken back."""

import threading
from datetime import time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import children
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.people import Absence, FreeTime, Pair
from portal.volunteers.models.plans import Plan, PlanGap, PlanLine
from portal.volunteers.service import plan_child, plan_problem, plan_showing, plan_words, planning
from portal.volunteers.solving import checker
from tests.counting import count_queries
from tests.days import as_of_now, in_days, later
from tests.helping import Helping
from tests.volunteers.planned import applied, clock_at, day, kept_lines, planned, wishes, worker


@pytest.fixture
def helping(make):
    return Helping(make)


def test_a_plan_puts_people_on_posts_and_says_why(make, helping):
    skill = helping.skill("急救")
    activity = helping.activity(positions=[helping.position("送餐员", 1, skills=[skill])])
    post = helping.post(helping.shift(activity, clock_at(9)))
    able = helping.volunteer(skills=[skill])
    helping.volunteer()
    plan = planned(make)
    assert plan.state is PlanState.READY
    assert kept_lines(plan) == [(able.id, post.id)]
    found = plan_showing.proposal(plan)
    assert found.shifts[0].posts[0].lines[0].why == ["会急救", "没有填空闲时间，要问一声", "能排的只有这一位"]
    assert found.missing == 0


def test_a_gap_says_which_rule_would_fill_it_if_it_were_lifted(make, helping):
    skill = helping.skill("急救")
    activity = helping.activity(positions=[helping.position("救护", 2, skills=[skill])])
    helping.shift(activity, clock_at(9))
    helping.volunteer(skills=[skill])
    lacking = helping.volunteer()
    plan = planned(make)
    (gap,) = planning.gaps_of(plan)
    assert gap.missing == 1
    assert plan_words.lifting(gap, plan_words.names_of([], [gap])) == [f"不要求会急救就能补上：{lacking.person.name}"]


def test_a_gap_that_no_rule_alone_would_fill_says_how_many_each_keeps_away(make, helping):
    activity = helping.activity(positions=[helping.position("送餐员", 1, least_minutes=600)], least_age=18)
    helping.shift(activity, clock_at(9))
    busy = helping.volunteer()
    other = helping.shift(helping.activity(positions=[helping.position("门岗", 1)]), clock_at(8), hours=4)
    helping.signup(helping.post(other), busy)
    plan = planned(make)
    (gap,) = planning.gaps_of(plan)
    (said,) = plan_words.lifting(gap, plan_words.names_of([], [gap]))
    assert said.startswith("人手不够，放宽任何一条都补不上，请另外招募：共 1 人")
    assert "1 人同时有别的班次" in said


def test_what_is_gathered_keeps_to_free_times_absences_and_what_is_held(make, helping):
    shift = helping.shift(helping.activity(positions=[helping.position("送餐员", 4)]), clock_at(9))
    free = helping.volunteer()
    make.add(FreeTime(volunteer_id=free.id, weekday=day().weekday(), opens=time(8), closes=time(12)))
    never = helping.volunteer()
    make.add(FreeTime(volunteer_id=never.id, weekday=(day().weekday() + 1) % 7, opens=time(8), closes=time(12)))
    away = helping.volunteer()
    make.add(Absence(volunteer_id=away.id, first_day=day(), last_day=day()))
    held = helping.volunteer()
    elsewhere = helping.shift(helping.activity(positions=[helping.position("门岗", 1)]), clock_at(11))
    helping.signup(helping.post(elsewhere), held)
    plan = planned(make)
    assert kept_lines(plan) == [(free.id, helping.post(shift).id)]
    soft = planned(make, only_free=False)
    assert sorted(kept_lines(soft)) == sorted([(free.id, shift.posts[0].id), (never.id, shift.posts[0].id)])


def test_free_hours_until_the_end_of_the_day_reach_over_midnight(make, helping):
    shift = helping.shift(helping.activity(positions=[helping.position("巡逻", 1)]), clock_at(22), hours=4)
    volunteer = helping.volunteer()
    make.add(FreeTime(volunteer_id=volunteer.id, weekday=day().weekday(), opens=time(20), closes=time(23, 59)))
    make.add(FreeTime(volunteer_id=volunteer.id, weekday=day(3).weekday(), opens=time(0), closes=time(3)))
    plan = planned(make)
    assert kept_lines(plan) == [(volunteer.id, shift.posts[0].id)]
    post = plan_problem.gather(plan).problem.posts[0]
    assert [minutes for _day_number, minutes in post.days] == [120, 120]


def test_who_always_comes_with_somebody_comes_with_her_or_not_at_all(make, helping):
    one, other = helping.volunteer(), helping.volunteer()
    make.add(Pair(one_id=one.id, other_id=other.id, always=True))
    single = helping.post(helping.shift(helping.activity(positions=[helping.position("单人", 1)]), clock_at(9)))
    double = helping.post(helping.shift(helping.activity(positions=[helping.position("双人", 2)]), clock_at(14)))
    plan = planned(make)
    assert sorted(kept_lines(plan)) == [(one.id, double.id), (other.id, double.id)]
    assert single.id in {gap.post_id for gap in planning.gaps_of(plan)}


def test_gathering_costs_as_many_questions_for_many_as_for_few(make, helping):
    skill = helping.skill()
    activity = helping.activity(positions=[helping.position("送餐员", 2, skills=[skill], newcomers=50)])
    helping.shift(activity, clock_at(9))
    helping.volunteer(skills=[skill])
    with transaction() as session:
        plan = Plan(community_id=make.community().id, first_day=day(), last_day=day(8), made_by="x", made_by_name="x")
        session.add(plan)
    plan_id = plan.id

    def asked():
        db.session.expire_all()
        with count_queries() as queries:
            plan_problem.gather(db.session.get_one(Plan, plan_id))
        return len(queries)

    asked()
    few = asked()
    for number in range(5):
        volunteer = helping.volunteer(skills=[skill])
        make.add(FreeTime(volunteer_id=volunteer.id, weekday=0, opens=time(8), closes=time(12)))
        helping.signup(helping.post(helping.shift(activity, clock_at(9, 3 + number))), volunteer)
    assert asked() == few
    assert few <= 14


def test_one_plan_of_a_community_at_a_time(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    with transaction() as session:
        session.add(
            Plan(community_id=make.community().id, first_day=day(), last_day=day(), made_by="x", made_by_name="x")
        )
    with pytest.raises(Refused, match="正在计算"):
        planning.start(make.community(), wishes(), by=worker(make))


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"first_day": later(in_days, -1)}, "已经过去"),
        ({"first_day": later(in_days, 9)}, "不能早于"),
        ({"last_day": later(in_days, 60)}, "最多排"),
        ({"activities": ["x"]}, "没有缺人"),
    ],
)
def test_days_and_activities_that_make_no_sense_are_refused(make, helping, said, says):
    helping.shift(helping.activity(), clock_at(9))
    with pytest.raises(Refused, match=says):
        planning.start(make.community(), wishes(**as_of_now(said)), by=worker(make))


def test_a_plan_that_is_cancelled_while_it_works_stops_its_process(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    problem = plan_problem.gather(plan).problem
    told, before = [], set(threading.enumerate())
    with pytest.raises(children.Stopped):
        plan_child.solve(problem, lambda said: told.append(said) or False)
    # Whatever it had come to when it was first asked about: it is asked about no more.
    assert [set(said) for said in told] == [{"step"}]
    # Nobody is left to listen to it, and it has ended: whoever listens ends with it.
    assert set(threading.enumerate()) <= before


def test_a_cancelled_plan_keeps_nothing(make, helping, monkeypatch):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()

    answers = []

    def cancelled(problem, goes_on):
        plan_id = db.session.scalar(sa.select(Plan.id))
        answers.append(goes_on({"step": "most"}))
        with transaction():
            planning.cancel(db.session.get_one(Plan, plan_id))
        answers.append(goes_on({"step": "best"}))
        raise children.Stopped

    monkeypatch.setattr(plan_child, "solve", cancelled)
    plan = planned(make)
    assert answers == [True, False]
    assert plan.state is PlanState.CANCELLED
    assert planning.lines_of(plan) == []


def test_a_solver_that_breaks_leaves_words(make, helping, monkeypatch):
    helping.shift(helping.activity(), clock_at(9))

    def broken(problem, goes_on):
        raise children.Broken

    monkeypatch.setattr(plan_child, "solve", broken)
    plan = planned(make)
    assert plan.state is PlanState.FAILED
    assert "请再试一次" in plan.words


def test_a_process_that_ends_without_an_answer_is_broken(make, helping, monkeypatch):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    monkeypatch.setattr(plan_child, "MODULE", "portal.volunteers.solving.nothing")
    with pytest.raises(children.Broken):
        plan_child.solve(plan_problem.gather(plan).problem, lambda said: True)


def test_a_plan_that_fell_silent_has_failed_and_one_that_was_lost_is_computed(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()
    facts = {"community_id": make.community().id, "first_day": day(), "last_day": day(8)}
    facts |= {"made_by": "x", "made_by_name": "x", "made_at": now() - timedelta(hours=1)}
    with transaction() as session:
        silent = Plan(**facts, state=PlanState.WORKING, beat_at=now() - timedelta(minutes=10))
        lost = Plan(**facts)
        session.add_all([silent, lost])
    planning.resume()
    db.session.expire_all()
    assert silent.state is PlanState.FAILED
    assert lost.state is PlanState.READY
    assert len(planning.lines_of(lost)) == 1


def test_a_plan_of_another_community_is_not_found(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    plan = planned(make)
    with pytest.raises(Missing):
        planning.plan_in((Scope("community", "310101002999"),), plan.public_id)


def test_old_plans_are_forgotten_but_not_what_they_put_on(make, helping):
    helping.shift(helping.activity(), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    applied(plan, make)
    with transaction():
        assert planning.purge(now() + timedelta(days=1)) == 0
    assert db.session.scalar(sa.select(sa.func.count(PlanLine.id))) == 0
    assert db.session.scalar(sa.select(sa.func.count(PlanGap.id))) == 0
    assert db.session.scalar(sa.select(sa.func.count(Plan.id))) == 1


def test_the_proposal_keeps_the_rules_as_they_were_gathered(make, helping):
    skill = helping.skill()
    activity = helping.activity(
        positions=[helping.position("送餐员", 2, newcomers=50), helping.position("急救", 1, skills=[skill])]
    )
    for number in range(4):
        helping.shift(activity, clock_at(8 + 3 * (number % 2), 2 + number // 2))
    for number in range(6):
        helping.volunteer(skills=[skill] if number % 2 else [])
    plan = planned(make)
    assert checker.faults(plan_problem.gather(plan).problem, kept_lines(plan)) == []
