"""Ideas in their order: a day's worth, what a reason may say, who answers them, what became of a topic nobody saw."""

import pytest
import sqlalchemy as sa

from portal.core import settings
from portal.core.access import Scope, scopes_of
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused, TooMany
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import Category, IdeaState, Stage
from portal.deliberation.models.topics import Idea
from portal.deliberation.service import idea_answers, ideas, moving, opinion_paper, proposing
from portal.identity.permissions import Permission, Role
from portal.notifications import wording
from tests.visitor import words_shown

BASE = "/desk/deliberation/ideas"


def told(event: str) -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"deliberation.{event}")))


def proposed(person, title: str) -> Idea:
    said = proposing.Said(title, "楼前没有地方晒被子，想在空地装一排晾衣杆。", "", Category.AFFAIR)
    with transaction() as session:
        here = session.merge(person)
        return proposing.propose(here, here.community, said).idea


def taken_back(idea: Idea, reason: str) -> None:
    with transaction() as session:
        proposing.withdraw(session.get_one(Idea, idea.id), reason=reason)


def test_what_was_taken_back_is_one_of_the_day_too(make):
    with transaction():
        settings.put(ideas.A_DAY, 1, valid_from=today(), by="test")
    person = make.person()
    taken_back(proposed(person, "装晾衣杆"), "写错了楼号")
    with pytest.raises(Refused, match="明天再提"):
        proposed(person, "装路灯")


def test_a_reason_names_nobody(make, deliberating):
    idea, backer = deliberating.idea(), make.person("李小红")
    with transaction() as session:
        proposing.support(session.get_one(Idea, idea.id), session.merge(backer))
    taken_back(idea, "找我商量请打 13812345678")
    assert "13812345678" not in make.read(idea).answer
    assert "13812345678" not in str(told("idea_withdrawn")[0].facts)


def test_who_reached_the_threshold_is_reminded_of_its_own_day(make, deliberating):
    idea = deliberating.idea(needed=1, reminded_at=now())
    with transaction() as session:
        proposing.support(session.get_one(Idea, idea.id), session.merge(make.person("李小红")))
    found = make.read(idea)
    assert (found.state, found.reminded_at) == (IdeaState.REACHED, None)


def test_the_street_reads_ideas_and_their_community_answers_them(app, make, deliberating):
    idea, waits = deliberating.idea("装晾衣杆"), deliberating.idea("装路灯", state=IdeaState.PENDING)
    street = app.test_client().sign_in(make.worker(Role.STREET_ADMINISTRATOR, name="街道"))
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    page = street.get(f"{BASE}/{idea.id}").get_data(as_text=True)
    assert "装晾衣杆" in page
    assert "不列为议题" not in page
    assert "不列为议题" in desk.get(f"{BASE}/{idea.id}").get_data(as_text=True)
    for act in ("take", "merge", "decline"):
        assert street.get(f"{BASE}/{idea.id}/{act}").status_code == 404
        assert desk.get(f"{BASE}/{idea.id}/{act}").status_code == 200
    assert street.post(f"{BASE}/{waits.id}/release").status_code == 404
    assert make.read(waits).state is IdeaState.PENDING
    everywhere = (Scope("all", ""),)
    assert ideas.kept(idea.id, within=everywhere).id == idea.id
    with pytest.raises(Missing):
        ideas.read(idea.id, within=(Scope("community", "990000000000"),))


def test_a_draft_that_is_given_up_is_not_still_being_prepared(app, client, make, deliberating):
    by, idea = deliberating.committee(), deliberating.idea("装晾衣杆")
    with transaction() as session:
        topic = idea_answers.take(session.get_one(Idea, idea.id), answer="好主意，我们议一议。", by=by).topic
    here = f"/deliberation/ideas/{idea.id}"
    assert "还在准备" in client.get(here).get_data(as_text=True)
    with transaction() as session:
        moving.move(session.merge(topic), Stage.WITHDRAWN, by=by, why="物业已经装好了")
    page = client.get(here).get_data(as_text=True)
    assert "还在准备" not in page
    assert "物业已经装好了" in page
    (row,) = told("topic_dropped")
    with app.test_request_context():
        words = wording.words_for("deliberation.topic_dropped", row.facts)
    assert "装晾衣杆" in words.title
    assert "物业已经装好了" in words.body


# ---- looking for who filled in a paper


@pytest.fixture
def desk(deliberating):
    worker = deliberating.committee()
    return worker, scopes_of(worker, Permission.DELIBERATION_KEEP)


def sought(topic, words, desk):
    with transaction():
        return [one.name for one in opinion_paper.seek(topic, words, within=desk[1], by=desk[0])]


def test_four_figures_answer_with_one_person_or_ask_for_her_name(make, deliberating, desk):
    topic = deliberating.topic()
    make.person("李小红", phone="13800009999")
    assert sought(topic, "9999", desk) == ["李小红"]
    make.person("赵桂兰", phone="13900009999")
    with pytest.raises(Refused, match="姓名和"):
        sought(topic, "9999", desk)
    assert sought(topic, "赵桂兰 9999", desk) == ["赵桂兰"]
    assert sought(topic, "赵桂兰9999", desk) == ["赵桂兰"]
    assert sought(topic, "赵桂 9999", desk) == []


def test_looking_for_people_has_its_measure(make, deliberating, desk):
    topic = deliberating.topic()
    for _turn in range(30):
        assert sought(topic, "李小红", desk) == []
    with pytest.raises(TooMany):
        sought(topic, "李小红", desk)


def test_nobody_is_looked_for_once_no_paper_is_taken(app, make, deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    make.person("李小红", phone="13800009999")
    worker = app.test_client().sign_in(make.worker())
    answer = worker.post(f"/desk/deliberation/topics/{topic.id}/opinions/paper", data={"q": "李小红"})
    page = answer.get_data(as_text=True)
    assert "不能再录入" in page
    assert "9999" not in words_shown(page)
    assert (
        db.session.scalar(sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == "deliberation.person_sought"))
        == 0
    )
