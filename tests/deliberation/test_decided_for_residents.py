"""What residents read of what was decided: how many days are left, their objections, the money, the log."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import transaction
from portal.deliberation.models.codes import AskState, OutcomeState, Score, Stage
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, TopicRating
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.service import public_log, topic_words
from tests.client import Client


def client_of(app, account) -> Client:
    return app.test_client().sign_in(account)


def published(deliberating, *, left: int, **more) -> Outcome:
    topic = deliberating.topic(stage=Stage.NOTICE)
    facts = {"title": "加装电梯的结果", "words": "装一部电梯。", "days": 7, "made_by_name": "周洁"}
    facts |= {"state": OutcomeState.PUBLISHED, "ends_on": today() + timedelta(days=left), "published_at": now()}
    return deliberating.make.add(Outcome(topic_id=topic.id, **facts | more))


def asked(make, outcome, person, **more) -> Objection:
    return make.add(Objection(outcome_id=outcome.id, person_id=person.id, words="电费没有说清楚", **more))


def test_a_result_says_how_many_days_are_left_and_when_it_is_the_last(app, deliberating):
    assert "还有 3 天" in app.test_client().get(f"/deliberation/outcomes/{published(deliberating, left=3).id}").text
    assert (
        "今天是公示的最后一天"
        in app.test_client().get(f"/deliberation/outcomes/{published(deliberating, left=0).id}").text
    )


def test_who_waits_for_an_answer_is_not_led_to_object_again(app, make, deliberating):
    person, outcome = make.person(), published(deliberating, left=3)
    resident = client_of(app, make.resident(person))
    mine = asked(make, outcome, person)
    page = resident.get(f"/deliberation/outcomes/{outcome.id}").text
    assert "收回异议" in page
    assert f'/outcomes/{outcome.id}/object"' not in page
    with transaction() as session:
        session.execute(sa.update(Objection).where(Objection.id == mine.id).values(state=AskState.WITHDRAWN))
    page = resident.get(f"/deliberation/outcomes/{outcome.id}").text
    assert "已收回" in page
    assert f'/outcomes/{outcome.id}/object"' in page


def test_an_answer_stands_with_who_gave_it(app, make, deliberating):
    person, outcome = make.person(), published(deliberating, left=3)
    said = {"answer": "电费由坐电梯的人家出", "decided_by_name": "周洁", "decided_at": now()}
    asked(make, outcome, person, state=AskState.DENIED, **said)
    page = client_of(app, make.resident(person)).get(f"/deliberation/outcomes/{outcome.id}").text
    assert "春风里社区周洁答复：" in page
    assert "电费由坐电梯的人家出" in page


@pytest.mark.parametrize(
    ("fen", "said"),
    [(46_000_000, "46 万元"), (9_650_000, "9.65 万元"), (960_000, "9,600 元"), (1_250, "12.50 元"), (0, "0 元")],
)
def test_sums_are_said_as_people_say_them(app, fen, said):
    with app.test_request_context():
        assert topic_words.cost_said(fen) == said


def test_the_page_of_what_becomes_of_it_shows_money_pictures_and_ratings(app, make, deliberating):
    topic = deliberating.topic(stage=Stage.FOLLOW_UP)
    facts = {"owner": "x", "owner_name": "周洁", "due_on": today(), "budget_fen": 6_200_000, "spent_fen": 3_850_000}
    task = make.add(FollowUp(topic_id=topic.id, title="修坡道", percent=65, **facts))
    make.add(FollowUpStep(task_id=task.id, words="修好了 9 个门口", percent=65, photo=b"x", photo_words="长坡道"))
    make.add(TopicRating(topic_id=topic.id, person_id=make.person().id, score=Score.SATISFIED))
    page = app.test_client().get(f"/deliberation/topics/{topic.id}/follow-up").text
    for words in ("65%", "6.2 万元", "3.85 万元", "长坡道", "1 人评议"):
        assert words in page


def test_an_archived_topic_has_nothing_to_do_today(app, deliberating):
    topic = deliberating.topic(stage=Stage.ARCHIVED, archived_at=now())
    page = app.test_client().get(f"/deliberation/topics/{topic.id}").text
    assert "落实情况" in page
    assert "今天可以做" not in page


def test_the_public_log_is_read_by_its_time(deliberating):
    topic = deliberating.topic()
    for deed, ago in (("archived", 1), ("outreach", 3)):
        facts = {"how": "上门", "people": 3}
        at = now() - timedelta(days=ago)
        deliberating.make.add(TopicEntry(topic_id=topic.id, by_name="周洁", deed=deed, facts=facts, at=at))
    found, _more = public_log.entries(topic)
    told = [one.deed for one in found if one.deed in ("archived", "outreach")]
    assert told == ["archived", "outreach"]
