"""The pages of plans: asked for, watched, read, edited, applied and taken back, each without JavaScript."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import children
from portal.core.audit import AuditRow
from portal.core.clock import at, today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.volunteers.models.codes import PlanState, SignupState
from portal.volunteers.models.people import Absence
from portal.volunteers.models.plans import Plan, PlanLine
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import plan_child
from tests.counting import count_queries
from tests.helping import Helping

PLANS = "/desk/volunteers/plans"


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def desk(client, make):
    client.sign_in(make.worker())
    return client


def _at(hour, days=2):
    return at(today() + timedelta(days=days), time(hour))


def _form(**more):
    facts = {
        "first_day": (today() + timedelta(days=2)).isoformat(),
        "last_day": (today() + timedelta(days=8)).isoformat(),
        "only_free": "1",
        "rest_minutes": "30",
        "day_hours": "8",
        "week_hours": "",
        "seconds": "10",
    }
    return facts | more


def _made(desk, **more):
    answer = desk.post(f"{PLANS}/new", data=_form(**more))
    assert answer.status_code == 303, answer.text
    db.session.expire_all()
    plan = db.session.scalars(sa.select(Plan).order_by(Plan.id.desc())).first()
    assert answer.headers["Location"].endswith(plan.public_id)
    return plan


def test_a_worker_starts_a_plan_and_reads_who_goes_where_and_why(desk, make, helping):
    activity = helping.activity("重阳送餐", positions=[helping.position("送餐员", 2)])
    helping.shift(activity, _at(9))
    helping.volunteer(make.person("刘建国"))
    assert "重阳送餐" in desk.get(f"{PLANS}/new").text
    plan = _made(desk, activities=activity.public_id)
    page = desk.get(f"{PLANS}/{plan.public_id}").text
    for said in ("重阳送餐", "刘建国", "没有填空闲时间，要问一声", "仍缺 1 人", "人手不够", "应用方案，安排 1 人次"):
        assert said in page
    assert "待应用" in desk.get(PLANS).text


def test_nothing_to_fill_is_said_at_the_field_and_lists_are_never_just_empty(desk):
    assert "还没有排班方案" in desk.get(PLANS).text
    answer = desk.post(f"{PLANS}/new", data=_form())
    assert answer.status_code == 422
    assert "没有缺人的岗位" in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_day", ""), ("last_day", "x"), ("rest_minutes", "-1"), ("day_hours", "25"), ("week_hours", "z"),
     ("seconds", "9999"), ("activities", "none-such"), ("only_free", "maybe")],
)  # fmt: skip
def test_what_is_typed_wrongly_is_refused_in_words(desk, helping, field, value):
    helping.shift(helping.activity(), _at(9))
    answer = desk.post(f"{PLANS}/new", data=_form(**{field: value}))
    assert answer.status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(Plan.id))) == 0


def test_progress_is_shown_polled_and_cancelled(desk, make, helping):
    helping.shift(helping.activity(), _at(9))
    facts = {"community_id": make.community().id, "first_day": today(), "last_day": today()}
    plan = make.add(
        Plan(**facts, state=PlanState.WORKING, figures={"step": "best", "places": 2}, made_by="x", made_by_name="周洁")
    )
    address = f"{PLANS}/{plan.public_id}"
    page = desk.get(address).text
    assert "人次已定，正在让每个人的时长更均匀" in page
    part = desk.get(address, headers={"HX-Request": "true", "HX-Target": "plan-progress"})
    assert "<h1" not in part.text
    assert "HX-Refresh" not in part.headers
    assert "正在计算，一次只算一份" in desk.get(f"{PLANS}/new").text
    assert desk.post(f"{address}/cancel", data={}).status_code == 303
    assert "这次计算取消了" in desk.get(address).text
    ended = desk.get(address, headers={"HX-Request": "true", "HX-Target": "plan-progress"})
    assert ended.headers["HX-Refresh"] == "true"
    assert desk.post(f"{address}/cancel", data={}).status_code == 303
    assert "不用取消" in desk.get(address).text


def test_a_failed_plan_says_what_to_do(desk, helping, monkeypatch):
    helping.shift(helping.activity(), _at(9))

    def broken(problem, goes_on):
        raise children.Broken

    monkeypatch.setattr(plan_child, "solve", broken)
    plan = _made(desk)
    page = desk.get(f"{PLANS}/{plan.public_id}").text
    assert "计算没有成功" in page
    assert "再算一次" in page


def test_lines_are_struck_restored_and_replaced_on_the_page(desk, make, helping):
    helping.shift(helping.activity(positions=[helping.position("送餐员", 1)]), _at(9))
    names = {helping.volunteer(make.person(name)).id: name for name in ("刘建国", "陈美兰")}
    plan = _made(desk)
    line = db.session.scalars(sa.select(PlanLine)).one()
    post_id, first = line.post_id, line.volunteer_id
    address = f"{PLANS}/{plan.public_id}"
    assert desk.post(f"{address}/lines/{line.id}", data={"act": "strike"}).status_code == 303
    assert f"<del>{names[first]}</del>" in desk.get(address).text
    assert "0 / 1" in desk.get(PLANS).text
    assert desk.post(f"{address}/lines/{line.id}", data={"act": "restore"}).status_code == 303
    other = next(one for one in names if one != first)
    replace = f"{address}/posts/{post_id}?instead={line.id}"
    assert names[other] in desk.get(replace).text
    assert desk.post(replace, data={}).status_code == 422
    assert desk.post(replace, data={"volunteer": str(other)}).status_code == 303
    page = desk.get(address).text
    assert "工作人员手工添加" in page
    full = desk.post(f"{address}/posts/{post_id}", data={"volunteer": str(first)})
    assert full.status_code == 422


def test_applying_and_taking_back_are_one_step_each_and_audited(desk, helping):
    helping.shift(helping.activity(positions=[helping.position("送餐员", 2)]), _at(9))
    for _number in range(2):
        helping.volunteer()
    plan = _made(desk)
    address = f"{PLANS}/{plan.public_id}"
    assert desk.post(f"{address}/apply", data={}).status_code == 303
    assert "已安排 2 人次" in desk.get(address).text
    assert desk.post(f"{address}/apply", data={}).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 2
    assert "会撤下这份方案安排的 2 人次" in desk.get(f"{address}/undo").text
    assert desk.post(f"{address}/undo", data={"reason": ""}).status_code == 422
    assert desk.post(f"{address}/undo", data={"reason": "日期排错了"}).status_code == 303
    page = desk.get(address).text
    assert "已撤回 2 人次" in page
    assert "日期排错了" in page
    db.session.expire_all()
    assert set(db.session.scalars(sa.select(Signup.state))) == {SignupState.REMOVED}
    said = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"volunteers.plan_started", "volunteers.plan_computed", "volunteers.plan_applied"} <= said
    assert "volunteers.plan_undone" in said


def test_what_holds_no_more_is_shown_and_needs_a_yes(desk, make, helping):
    helping.shift(helping.activity(positions=[helping.position("送餐员", 2)]), _at(9))
    away = helping.volunteer(make.person("刘建国"))
    helping.volunteer(make.person("陈美兰"))
    plan = _made(desk)
    day = today() + timedelta(days=2)
    make.add(Absence(volunteer_id=away.id, first_day=day, last_day=day))
    line_id = db.session.scalar(sa.select(PlanLine.id).where(PlanLine.volunteer_id == away.id))
    address = f"{PLANS}/{plan.public_id}"
    refused = desk.post(f"{address}/apply", data={})
    assert refused.status_code == 422
    assert "有 1 条安排现在不成立了" in refused.text
    assert "同意略过上面 1 条不成立的安排" in refused.text
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 0
    assert desk.post(f"{address}/apply", data={"left_out": str(line_id)}).status_code == 303
    db.session.expire_all()
    assert db.session.scalar(sa.select(sa.func.count(Signup.id))) == 1


def test_another_communitys_plan_is_not_there(client, make, helping):
    client.sign_in(make.worker())
    helping.shift(helping.activity(), _at(9))
    plan = _made(client)
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("别的社区")))
    for path in ("", "/undo", "/posts/1"):
        assert client.get(f"{PLANS}/{plan.public_id}{path}").status_code == 404
    for path in ("/cancel", "/apply", "/undo", "/lines/1", "/posts/1"):
        assert client.post(f"{PLANS}/{plan.public_id}{path}", data={}).status_code == 404
    assert plan.public_id not in client.get(PLANS).text


def test_the_list_and_the_proposal_ask_as_much_for_many_as_for_few(desk, make, helping):
    activity = helping.activity(positions=[helping.position("送餐员", 2)])
    helping.shift(activity, _at(9))
    helping.volunteer()
    few = _made(desk)
    desk.get(f"{PLANS}/{few.public_id}")
    with count_queries() as before:
        desk.get(f"{PLANS}/{few.public_id}")
    with count_queries() as listed_before:
        desk.get(PLANS)
    for number in range(4):
        helping.shift(activity, _at(9, 3 + number))
        helping.volunteer()
    many = _made(desk)
    with count_queries() as after:
        desk.get(f"{PLANS}/{many.public_id}")
    with count_queries() as listed:
        desk.get(PLANS)
    assert len(after) <= len(before)
    assert len(listed) == len(listed_before) <= 8
