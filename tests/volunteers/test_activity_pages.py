"""The pages of activities: from a template to a published activity with shifts, and what residents find."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import at, today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.volunteers.models.activities import Activity, ActivityTemplate, Shift
from portal.volunteers.models.codes import ActivityState, ServiceKind, ShiftState, Way
from portal.volunteers.service import activity_templates, joining
from tests.acting import actor_of
from tests.counting import count_queries
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make, client):
    account = make.worker()
    client.sign_in(account)
    return account


def _typed(**more):
    return {
        "idem": "k1",
        "seen": "",
        "title": "春风里送餐",
        "kind": "meals",
        "content": "把午餐送到老人家中",
        "place": "春风里助餐点",
        "facility": "0",
        "organisation": "0",
        "team": "0",
        "leader_name": "周洁",
        "leader_phone": "13900000001",
        "risks": "上下楼注意脚下",
        "joining": "open",
        "least_age": "18",
        "opens_days": "30",
        "leave_hours": "24",
        "late_minutes": "0",
        "day_minutes": "0",
        "factor": "100",
        "positions-0-position_id": "0",
        "positions-0-name": "送餐员",
        "positions-0-needs": "2",
        "positions-1-position_id": "0",
        "positions-1-name": "",
    } | more


def _the(model):
    db.session.rollback()
    return db.session.scalars(sa.select(model).order_by(model.id)).one()


def _pattern(first):
    return {
        "idem": "k2",
        "weekdays": ["0", "1", "2", "3", "4", "5", "6"],
        "slots": "9:00-11:00；22:00-00:30",
        "first": first.isoformat(),
        "last": (first + timedelta(days=6)).isoformat(),
        "without": (first + timedelta(days=2)).isoformat(),
    }


def test_from_a_template_to_a_published_activity_with_shifts_and_back(make, client, worker):
    with transaction():
        activity_templates.load_samples(by=actor_of(worker))
    template = db.session.scalars(sa.select(ActivityTemplate).order_by(ActivityTemplate.id)).first()
    assert "午间送餐" in client.get("/desk/volunteers/activities/new").text
    door = f"/desk/volunteers/activities/new/form?template={template.id}"
    assert "送餐员" in client.get(door).text
    for _number in range(2):
        answer = client.post(door, data=_typed())
        assert answer.status_code == 303
    assert "10:30-12:30" in client.get(answer.location).text
    activity = _the(Activity)
    here = f"/desk/volunteers/activities/{activity.public_id}"
    pattern = _pattern(today() + timedelta(days=1))
    preview = client.post(f"{here}/shifts", data=pattern | {"preview": "1"}).text
    assert all(words in preview for words in ("会排 12 个班次，跳过 2 个", "您写了这天不排"))
    assert client.post(f"{here}/shifts", data=pattern).status_code == 303
    assert client.post(f"{here}/publish").status_code == 303
    assert make.read(activity).state is ActivityState.PUBLISHED
    page = client.get(here).text
    assert "整批撤销" in page
    batch = page.split("/batches/")[1].split("/")[0]
    assert client.get(f"{here}/batches/{batch}/undo").status_code == 200
    assert client.post(f"{here}/batches/{batch}/undo", data={"reason": "排错了"}).status_code == 303
    assert list(db.session.scalars(sa.select(Shift.id).order_by(Shift.id))) == []
    actions = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"volunteers.activity_added", "volunteers.shifts_made", "volunteers.shifts_undone"} <= actions


def test_a_draft_says_what_the_law_asks_before_it_is_published(make, client, worker):
    typed = _typed(risks="", is_risky="y")
    assert client.post("/desk/volunteers/activities/new/form", data=typed).status_code == 303
    activity = _the(Activity)
    here = f"/desk/volunteers/activities/{activity.public_id}"
    page = client.get(here).text
    assert "发布前还要补" in page
    assert "意外伤害保险" in page
    assert "写明可能的风险" in client.post(f"{here}/publish", follow_redirects=True).text
    assert make.read(activity).state is ActivityState.DRAFT


def test_what_is_typed_wrong_is_said_beside_its_field(client, worker):
    answer = client.post("/desk/volunteers/activities/new/form", data=_typed(title="", least_age="3"))
    assert answer.status_code == 422
    assert "请填 8 到 100 之间的整数" in answer.text
    twice = {"positions-1-name": "送餐员", "positions-1-needs": "1"}
    assert "同名" in client.post("/desk/volunteers/activities/new/form", data=_typed(**twice)).text
    few = {"positions-1-name": "登记员", "positions-1-needs": ""}
    assert client.post("/desk/volunteers/activities/new/form", data=_typed(**few)).status_code == 422


def test_the_second_of_two_editors_is_told(make, client, worker, helping):
    activity = helping.activity()
    here = f"/desk/volunteers/activities/{activity.public_id}/edit"
    old = activity.updated_at.isoformat()
    position = str(activity.positions[0].id)
    typed = _typed(seen=old, **{"positions-0-position_id": position})
    assert client.post(here, data=typed).status_code == 303
    answer = client.post(here, data=typed | {"title": "另一个名字", "idem": "k9"})
    assert answer.status_code == 422
    assert "有同事改过" in answer.text


def test_single_shifts_are_added_changed_closed_opened_and_called_off(make, client, worker, helping):
    activity = helping.activity()
    position = activity.positions[0].id
    day = (today() + timedelta(days=3)).isoformat()
    typed = {"idem": "s1", "day": day, "starts": "09:00", "ends": "11:00", f"needs-{position}": "3"}
    here = f"/desk/volunteers/activities/{activity.public_id}/shift"
    assert client.get(here).status_code == 200
    assert client.post(here, data=typed).status_code == 303
    assert client.post(here, data=typed).status_code == 422
    shift = _the(Shift)
    there = f"/desk/volunteers/shifts/{shift.public_id}"
    for path in ("", "/edit", "/close", "/call-off"):
        assert client.get(there + path).status_code == 200, path
    assert client.post(f"{there}/edit", data=typed | {"place": "东门", "ends": "11:30"}).status_code == 303
    assert client.post(f"{there}/close", data={"reason": ""}).status_code == 422
    assert client.post(f"{there}/close", data={"reason": "够了"}).status_code == 303
    assert client.post(f"{there}/reopen").status_code == 303
    assert make.read(shift).state is ShiftState.OPEN
    assert client.post(f"{there}/call-off", data={"reason": "下雨"}).status_code == 303
    assert make.read(shift).state is ShiftState.CALLED_OFF


def test_an_activity_is_called_off_with_a_reason_that_residents_read(make, client, worker, helping):
    activity = helping.activity()
    helping.shift(activity)
    here = f"/desk/volunteers/activities/{activity.public_id}/call-off"
    assert client.get(here).status_code == 200
    assert client.post(here, data={"reason": ""}).status_code == 422
    assert client.post(here, data={"reason": "台风停办"}).status_code == 303
    assert "台风停办" in client.get(f"/volunteers/activities/{activity.public_id}").text


def test_an_ended_activity_can_go_on(make, client, worker, helping):
    activity = helping.activity()
    here = f"/desk/volunteers/activities/{activity.public_id}"
    assert client.post(f"{here}/end").status_code == 303
    assert make.read(activity).state is ActivityState.ENDED
    assert client.post(f"{here}/reopen").status_code == 303
    assert make.read(activity).state is ActivityState.PUBLISHED


def test_another_communitys_worker_finds_nothing(make, client, helping):
    activity = helping.activity()
    shift = helping.shift(activity)
    served = helping.served(shift)
    client.sign_in(make.worker(scope=make.community("秋月社区")))
    paths = [f"activities/{activity.public_id}{end}" for end in ("", "/edit", "/call-off", "/shifts", "/shift")]
    paths += [f"shifts/{shift.public_id}{end}" for end in ("", "/edit", "/close", "/call-off", "/served")]
    paths += [f"served/{served.public_id}", f"served/{served.public_id}/drop"]
    for path in paths:
        assert client.get(f"/desk/volunteers/{path}").status_code == 404, path
    assert activity.title not in client.get("/desk/volunteers/activities").text


def test_templates_of_the_street_are_the_streets_to_withdraw(make, client, worker, helping):
    with transaction():
        activity_templates.load_samples(by=actor_of(worker))
    template = db.session.scalars(sa.select(ActivityTemplate).order_by(ActivityTemplate.id)).first()
    assert client.post(f"/desk/volunteers/templates/{template.id}/offer", data={"on": "0"}).status_code == 404
    assert client.post("/desk/volunteers/templates/samples").status_code == 403
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.post("/desk/volunteers/templates/samples").status_code == 303
    assert client.post(f"/desk/volunteers/templates/{template.id}/offer", data={"on": "0"}).status_code == 303
    assert make.read(template).is_offered is False


def test_an_activity_is_saved_as_a_template(make, client, worker, helping):
    activity = helping.activity()
    here = f"/desk/volunteers/activities/{activity.public_id}/template"
    assert client.get(here).status_code == 200
    answer = client.post(here, data={"idem": "t1", "name": "我们的送餐", "reach": "community"}, follow_redirects=True)
    assert "我们的送餐" in answer.text


PAGES = ("", "activities", "activities/near", "activities/calendar", "activities/calendar?view=month")


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_portal_says_what_to_do(make, client, path):
    make.community()
    answer = client.get(f"/volunteers/{path}")
    assert answer.status_code == 200
    assert "month" in path or "还没有" in answer.text or "没有" in answer.text


@pytest.mark.parametrize("scale", ["1", "1.3"])
@pytest.mark.parametrize("path", PAGES)
def test_everybody_may_look_for_activities_in_a_few_questions(make, client, helping, path, scale):
    for number in range(6):
        activity = helping.activity(positions=[helping.position(skills=[helping.skill()]), helping.position()])
        for day in range(3):
            helping.shift(activity, soon(1 + day, hours=number))
    person = make.person()
    helping.volunteer(person)
    client.set_cookie("scale", scale)
    client.sign_in(make.resident(person))
    with count_queries() as asked:
        answer = client.get(f"/volunteers/{path}")
    assert answer.status_code == 200
    assert len(asked) <= 8, asked


def test_an_activitys_page_tells_what_the_law_asks_and_each_post_its_verdict_in_a_few_questions(make, client, helping):
    skill = helping.skill("急救证", needs_proof=True)
    positions = [helping.position("陪诊员", skills=[skill], newcomers=50), helping.position("引导员")]
    activity = helping.activity(positions=positions, insurance="平安意外险", insured_until=soon(60))
    for day in range(1, 8):
        helping.shift(activity, soon(day))
    person = make.person()
    helping.volunteer(person)
    client.sign_in(make.resident(person))
    with count_queries() as asked:
        page = client.get(f"/volunteers/activities/{activity.public_id}").text
    for words in ("上下楼梯", "平安意外险", "穿防滑的鞋", "春风里社区居民委员会", "周洁", "能报", "需要急救证"):
        assert words in page, words
    assert len(asked) <= 8, asked


def test_a_stranger_reads_an_activity_and_is_shown_how_to_become_a_volunteer(make, client, helping):
    activity = helping.activity()
    helping.shift(activity)
    page = client.get(f"/volunteers/activities/{activity.public_id}").text
    assert "登记成为志愿者" in page
    assert "13900000001" not in page
    draft = helping.activity(state=ActivityState.DRAFT)
    assert client.get(f"/volunteers/activities/{draft.public_id}").status_code == 404


@pytest.mark.parametrize(("shows", "said"), [(True, "李小红"), (False, "李*红")])
def test_a_leader_who_wants_no_name_shown_is_masked_for_strangers(make, client, helping, shows, said):
    leader = helping.volunteer(make.person("李小红"), shows_name=shows)
    activity = helping.activity(leader_id=leader.id, leader_name="李小红")
    page = client.get(f"/volunteers/activities/{activity.public_id}").text
    assert said in page
    assert shows == ("李小红" in page)
    client.sign_in(make.resident(make.person()))
    assert "李小红" in client.get(f"/volunteers/activities/{activity.public_id}").text


def test_a_workers_pages_take_the_same_few_questions_however_much_there_is(make, client, worker, helping):
    activity = helping.activity(positions=[helping.position(skills=[helping.skill()]), helping.position()])
    shift = helping.shift(activity, soon(1))
    for number in range(12):
        helping.shift(activity, soon(2 + number))
        helping.activity()
        helping.served(shift, make.person(f"老人{number}"))
    for path, most in (("activities", 8), (f"activities/{activity.public_id}", 12), (f"shifts/{shift.public_id}", 12)):
        with count_queries() as asked:
            assert client.get(f"/desk/volunteers/{path}").status_code == 200
        assert len(asked) <= most, (path, len(asked), asked)


def test_the_filters_find_by_place_kind_skill_and_part_of_the_day(make, client, helping):
    skill = helping.skill("理发")
    other = make.community("秋月社区")
    helping.shift(helping.activity("上午理发", positions=[helping.position(skills=[skill])]), _clock(9))
    helping.shift(helping.activity("晚上巡防", kind=ServiceKind.EMERGENCY), _clock(20))
    helping.shift(helping.activity("秋月送餐", community=other), _clock(11))

    def found(**asked):
        page = client.get("/volunteers/activities", query_string=asked).text
        return [title for title in ("上午理发", "晚上巡防", "秋月送餐") if title in page]

    assert found() == ["上午理发", "晚上巡防", "秋月送餐"]
    assert found(community=other.code) == ["秋月送餐"]
    assert found(kind="emergency") == ["晚上巡防"]
    assert found(skill=skill.id) == ["上午理发"]
    assert found(part="evening") == ["晚上巡防"]
    assert found(day=(today() + timedelta(days=9)).isoformat()) == []


def _clock(hour):
    return at(today() + timedelta(days=2), time(hour))


def test_the_next_free_shift_is_first_in_ones_own_community_and_only_what_fits(make, client, helping):
    other = make.community("秋月社区")
    helping.shift(helping.activity("别处明天", community=other), soon(1))
    helping.shift(helping.activity("本社区后天"), soon(2))
    skilled = helping.position(skills=[helping.skill("急救证", needs_proof=True)])
    needs = helping.activity("要急救证", positions=[skilled])
    helping.shift(needs, soon(1))
    full = helping.shift(helping.activity("已经满了"), soon(3), needs={"送餐员": 1})
    with transaction():
        post = db.session.merge(full.posts[0])
        joining.put_on(post, helping.volunteer(), way=Way.WORKER, by=actor_of(make.worker()))
    person = make.person()
    helping.volunteer(person)
    client.sign_in(make.resident(person))
    page = client.get("/volunteers/activities/near").text
    assert page.index("本社区后天") < page.index("别处明天")
    assert "要急救证" not in page
    assert "已经满了" not in page


def test_the_resident_home_has_an_icon_for_volunteering(make, client):
    client.sign_in(make.resident(make.person()))
    assert "志愿服务" in client.get("/").text


@pytest.mark.parametrize(
    ("activity", "shift", "hours", "words"),
    [
        (ActivityState.PUBLISHED, ShiftState.OPEN, 24, "招人中"),
        (ActivityState.DRAFT, ShiftState.OPEN, 24, "活动发布后招人"),
        (ActivityState.PUBLISHED, ShiftState.OPEN, -24, "已结束"),
        (ActivityState.DRAFT, ShiftState.CALLED_OFF, 24, "已取消"),
    ],
)
def test_a_shift_says_whether_anybody_is_asked_to_join_it(worker, client, helping, activity, shift, hours, words):
    made = helping.shift(helping.activity(state=activity), soon() + timedelta(hours=hours - 48), state=shift)
    base, past = "/desk/volunteers", "?past=1" if hours < 0 else ""
    assert f">{words}</span>" in client.get(f"{base}/shifts/{made.public_id}").text
    listed = client.get(f"{base}/activities/{made.activity.public_id}{past}").text
    assert f">{words}</span>" in listed.partition("<tbody")[2]
