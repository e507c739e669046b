"""Outcomes: published for their days, objected to, sent back or standing; carried out, and rated."""

import io
import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.core import calendar
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import AskState, OutcomeState, Score, Stage, TaskState
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, Project
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import follow_ups, objections, outcomes, projects, ratings
from portal.identity.permissions import Role
from tests.client import Client


def client_of(app, account) -> Client:
    return app.test_client().sign_in(account)


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def written(deliberating, topic, **more) -> Outcome:
    facts = {"title": "加装电梯的结果", "words": "装一部电梯，费用按楼层分摊。", "days": 7, "made_by_name": "周洁"}
    return deliberating.make.add(Outcome(topic_id=topic.id, **facts | more))


def in_notice(deliberating, topic=None, ends_on=None) -> Outcome:
    topic = topic or deliberating.topic(stage=Stage.NOTICE)
    end = ends_on or today() + timedelta(days=5)
    return written(deliberating, topic, state=OutcomeState.PUBLISHED, ends_on=end, published_at=topic.made_at)


def objected(outcome, person, words="电费怎么分摊没有说清楚，请补充。") -> Objection:
    with transaction() as session:
        return objections.make(session.get_one(Outcome, outcome.id), session.merge(person), words=words)


def again(row):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(type(row), row.id)


def act(row, call):
    with transaction() as session:
        return call(session.get_one(type(row), row.id))


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2026, 11, 23), 7, date(2026, 11, 30)),
        (date(2026, 11, 20), 8, date(2026, 11, 30)),
        (date(2026, 11, 21), 7, date(2026, 11, 30)),
        (date(2026, 11, 23), 1, date(2026, 11, 30)),
    ],
)
def test_the_first_day_is_not_counted_and_a_last_day_off_work_moves_on(make, start, days, last):
    assert outcomes.last_day(start, days) == last


def test_a_last_day_on_a_holiday_moves_behind_it(make):
    with transaction():
        calendar.set_day(date(2026, 11, 30), works=False, name="假日")
    assert outcomes.last_day(date(2026, 11, 23), 7) == date(2026, 12, 1)


def test_publishing_needs_the_stage_and_is_done_once(make, deliberating):
    by, topic = deliberating.committee(), deliberating.topic(stage=Stage.NOTICE)
    outcome = written(deliberating, topic)
    act(outcome, lambda row: outcomes.publish(row, by=by))
    assert again(outcome).state is OutcomeState.PUBLISHED
    assert again(topic).stage_until == again(outcome).ends_on
    with pytest.raises(Refused, match="已经公示过"):
        act(outcome, lambda row: outcomes.publish(row, by=by))


def test_objections_end_with_the_last_day_and_one_waits_at_a_time(make, deliberating):
    outcome, person = in_notice(deliberating, ends_on=today()), make.person()
    objected(outcome, person)
    with pytest.raises(Refused, match="还在等答复"):
        objected(outcome, person)
    over = in_notice(deliberating, ends_on=today() - timedelta(days=1))
    with pytest.raises(Refused, match="公示已经结束"):
        objected(over, person)


def test_an_objection_that_holds_sends_the_topic_back_and_answers_the_others(make, deliberating):
    by, outcome = deliberating.committee(), in_notice(deliberating)
    first, other = objected(outcome, make.person()), objected(outcome, make.person("李小红"))
    uphold = {"answer": "说得对。", "why": "费用没有说清楚", "by": by}
    act(first, lambda row: objections.uphold(row, Stage.HEARING, **uphold))
    assert again(outcome).state is OutcomeState.SENT_BACK
    assert db.session.get_one(Topic, outcome.topic_id).stage is Stage.HEARING
    assert {again(one).state for one in (first, other)} == {AskState.UPHELD}


def test_an_outcome_waits_for_its_last_answer_and_then_stands(make, deliberating):
    by, outcome = deliberating.committee(), in_notice(deliberating, ends_on=today())
    asked = objected(outcome, make.person())
    with transaction():
        db.session.execute(sa.update(Outcome).values(ends_on=today() - timedelta(days=1)))
    assert outcomes.due() == []
    with transaction():
        outcomes.stand(outcome.id)
    assert again(outcome).state is OutcomeState.PUBLISHED
    act(asked, lambda row: objections.deny(row, answer="方案里有电费一节。", by=by))
    assert again(outcome).state is OutcomeState.STANDS
    assert db.session.get_one(Topic, outcome.topic_id).stage is Stage.FOLLOW_UP


def test_an_outcome_whose_days_are_not_over_does_not_stand(make, deliberating):
    outcome = in_notice(deliberating, ends_on=today())
    with transaction():
        outcomes.stand(outcome.id)
    assert again(outcome).state is OutcomeState.PUBLISHED


def task_of(make, deliberating) -> tuple[FollowUp, object]:
    account = make.worker()
    by, topic = deliberating.actor(account), deliberating.topic(stage=Stage.FOLLOW_UP)
    said = follow_ups.Task("请设计院来看", "先量尺寸", account.public_id, today() + timedelta(days=30), 500_00)
    return act(topic, lambda row: follow_ups.add(row, said, by=by)), by


def test_progress_adds_up_and_never_goes_back(make, deliberating):
    task, by = task_of(make, deliberating)
    act(task, lambda row: follow_ups.report(row, follow_ups.Progress("量好了", 40, 120_00), by=by))
    with pytest.raises(Refused, match="只能往前"):
        act(task, lambda row: follow_ups.report(row, follow_ups.Progress("返工", 30, 0), by=by))
    act(task, lambda row: follow_ups.report(row, follow_ups.Progress("图纸好了", 100, 80_00), by=by))
    done = again(task)
    assert (done.state, done.percent, done.spent_fen) == (TaskState.DONE, 100, 200_00)
    with pytest.raises(Refused, match="已经结束"):
        act(task, lambda row: follow_ups.report(row, follow_ups.Progress("还有", 100, 0), by=by))


def test_the_five_steps_each_ask_for_their_fields(make, deliberating):
    by, topic = deliberating.committee(), deliberating.topic(stage=Stage.FOLLOW_UP)
    project = act(topic, lambda row: projects.begin(row, "加装电梯", by=by))
    with pytest.raises(Refused, match="为哪些人"):
        act(project, lambda row: projects.advance(row, seen=row.version, by=by))
    act(project, lambda row: projects.write(row, {"who": "居民", "group": "老人"}, seen=row.version, by=by))
    act(project, lambda row: projects.advance(row, seen=row.version, by=by))
    assert again(project).step == "design"
    with pytest.raises(Refused, match="已经开了项目"):
        act(topic, lambda row: projects.begin(row, "又一个", by=by))


def test_a_resident_rates_once_and_may_change_it(make, deliberating):
    topic, person = deliberating.topic(stage=Stage.FOLLOW_UP), make.person()
    for score in (Score.DISSATISFIED, Score.SATISFIED):
        with transaction() as session:
            ratings.rate(session.get_one(Topic, topic.id), session.merge(person), score, words="")
    assert ratings.of(topic).counts[Score.SATISFIED] == ratings.of(topic).total == 1


def test_the_committee_goes_the_whole_way_on_its_pages(app, make, deliberating):
    account = make.worker()
    desk, topic = client_of(app, account), deliberating.topic(stage=Stage.NOTICE)
    base = f"/desk/deliberation/topics/{topic.id}"
    assert desk.get("/desk/deliberation/outcomes").status_code == 200
    assert desk.get(f"{base}/outcome/new").status_code == 200
    said = {"title": "结果", "words": "装一部电梯。", "days": 7, "vote": "", "idem": "k"}
    for _twice in range(2):
        assert desk.post(f"{base}/outcome/new", data=said).status_code == 303
    outcome = db.session.scalars(sa.select(Outcome)).one()
    assert desk.get(f"/desk/deliberation/outcomes/{outcome.id}/edit").status_code == 200
    assert app.test_client().get(f"/deliberation/outcomes/{outcome.id}").status_code == 404
    assert desk.get(f"/desk/deliberation/outcomes/{outcome.id}/publish").status_code == 200
    assert desk.post(f"/desk/deliberation/outcomes/{outcome.id}/publish", data={"idem": "p"}).status_code == 303
    for path in (f"{base}/outcome", "/desk/deliberation/outcomes", f"/desk/deliberation/outcomes/{outcome.id}/notice"):
        assert desk.get(path).status_code == 200
    assert desk.get(f"/desk/deliberation/outcomes/{outcome.id}/take-down").status_code == 200


def test_a_resident_objects_and_is_answered_and_nobody_else_reads_it(app, make, deliberating):
    desk, outcome = client_of(app, make.worker()), in_notice(deliberating)
    resident = client_of(app, make.resident(make.person()))
    here = f"/deliberation/outcomes/{outcome.id}"
    assert resident.get("/deliberation/outcomes").status_code == resident.get(f"{here}/object").status_code == 200
    words = {"words": "电费怎么分摊没有说清楚。", "idem": "o"}
    assert resident.post(f"{here}/object", data=words).status_code == 303
    assert "我的异议" in text_of(resident.get(here))
    asked = db.session.scalars(sa.select(Objection)).one()
    page = text_of(desk.get(f"/desk/deliberation/objections/{asked.public_id}"))
    assert "电费" in page
    assert "王秀英" not in page
    answer = {"upheld": "no", "answer": "方案里写了。", "idem": "a"}
    assert desk.post(f"/desk/deliberation/objections/{asked.public_id}", data=answer).status_code == 303
    assert "电费" not in text_of(app.test_client().get(here))


def test_the_work_is_shown_to_everybody(app, make, deliberating):
    task, _by = task_of(make, deliberating)
    topic = db.session.get_one(Topic, task.topic_id)
    desk = client_of(app, make.worker(Role.COMMITTEE_MEMBER))
    base = f"/desk/deliberation/topics/{topic.id}"
    for path in ("/follow-up", "/follow-up/new", "/project/new", f"/follow-up/{task.id}/edit"):
        assert desk.get(base + path).status_code == 200
    assert desk.get(f"{base}/follow-up/{task.id}/drop").status_code == 200
    assert desk.get(f"{base}/follow-up/{task.id}/report").status_code == 200
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "JPEG")
    picture.seek(0)
    said = {"words": "量好了", "percent": 40, "spent": "12.50", "photo_words": "量尺寸", "idem": "r"}
    sent = desk.post(f"{base}/follow-up/{task.id}/report", data=said | {"photo": (picture, "a.jpg")})
    assert sent.status_code == 303
    page = text_of(app.test_client().get(f"/deliberation/topics/{topic.id}/follow-up"))
    assert "12.50" in page
    step = db.session.scalars(sa.select(FollowUpStep)).one()
    assert app.test_client().get(f"/deliberation/follow-ups/photos/{step.public_id}").mimetype == "image/jpeg"


def test_the_project_is_filled_in_and_the_work_rated(app, make, deliberating):
    topic = deliberating.topic(stage=Stage.FOLLOW_UP)
    desk, base = client_of(app, make.worker()), f"/desk/deliberation/topics/{topic.id}"
    assert desk.post(f"{base}/project/new", data={"name": "加装电梯", "idem": "n"}).status_code == 303
    page = "".join(re.sub(r"<[^>]+>", "", desk.get(f"{base}/project").text).split())
    assert "为哪些人（选填）" not in page
    assert "附议人数（选填）" in page
    wordy = {"who": "居民", "group": "老人", "supports": "很多", "version": 1, "idem": "w"}
    assert desk.post(f"{base}/project", data=wordy).status_code == 422
    filled = {"who": "居民", "group": "老人", "supports": "12", "version": 1, "idem": "f"}
    assert desk.post(f"{base}/project", data=filled).status_code == 303
    assert desk.post(f"{base}/project/next", data={"version": 2}).status_code == 303
    assert db.session.scalars(sa.select(Project)).one().step == "design"
    assert desk.get(f"{base}/project").status_code == 200
    assert "加装电梯" in text_of(app.test_client().get(f"/deliberation/topics/{topic.id}/follow-up"))
    resident = client_of(app, make.resident(make.person()))
    assert resident.get(f"/deliberation/topics/{topic.id}/rate").status_code == 200
    assert resident.post(f"/deliberation/topics/{topic.id}/rate", data={"score": "satisfied"}).status_code == 303
    assert "100%" in text_of(desk.get(f"{base}/follow-up"))
    assert client_of(app, make.worker()).get("/desk/deliberation/follow-ups").status_code == 200


def test_out_of_scope_is_not_there(app, make, deliberating):
    outcome = in_notice(deliberating)
    asked = objected(outcome, make.person())
    away = client_of(app, make.worker(Role.COMMITTEE_MEMBER, make.community("桃园社区")))
    for path in (
        f"topics/{outcome.topic_id}/outcome",
        f"outcomes/{outcome.id}/take-down",
        f"outcomes/{outcome.id}/notice",
        f"objections/{asked.public_id}",
        f"topics/{outcome.topic_id}/follow-up",
    ):
        assert away.get(f"/desk/deliberation/{path}").status_code == 404


@pytest.mark.parametrize(
    ("state", "asks"), [(OutcomeState.PUBLISHED, True), (OutcomeState.STANDS, False), (OutcomeState.SENT_BACK, False)]
)
def test_a_notice_on_the_wall_asks_for_objections_only_while_they_are_taken(app, make, deliberating, state, asks):
    outcome = in_notice(deliberating)
    with transaction() as session:
        session.get_one(Outcome, outcome.id).state = state
    desk = client_of(app, make.worker(Role.COMMITTEE_MEMBER))
    notice = desk.get(f"/desk/deliberation/outcomes/{outcome.id}/notice")
    page = text_of(notice)
    assert "扫码看全部内容" in page
    assert ("提异议，也可以到社区来说" in page) is asks
    # On paper the code is not parted from what it is for.
    assert re.search(r'<div class="keep">\s*<figure class="qr">', notice.text)
