"""What the demonstration tells of deliberation holds together on the day it is loaded."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clock import now, today
from portal.core.db import db
from portal.deliberation.models.codes import ROAD, AskState, OutcomeState, Stage, TaskState
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, Project, TopicRating
from portal.deliberation.models.topics import Topic, TopicEntry, TopicStage
from portal.deliberation.service import outcomes
from portal.demo.accounts import Shown


@pytest.fixture
def street(app: Flask, demonstration: list[Shown]):
    with app.app_context():
        yield demonstration


def _topics(stage: Stage) -> list[Topic]:
    return list(db.session.scalars(sa.select(Topic).where(Topic.stage == stage).order_by(Topic.id)))


def test_a_result_is_on_the_wall_with_days_left_and_an_objection_that_waits(street):
    (topic,) = _topics(Stage.NOTICE)
    (outcome,) = outcomes.of(topic)
    assert outcome.state is OutcomeState.PUBLISHED
    assert outcomes.takes_objections(outcome, today())
    assert topic.stage_until == outcome.ends_on > today()
    assert outcomes.waiting([outcome])[outcome.id] >= 1
    assert outcomes.due() == []


def test_what_is_carried_out_has_tasks_money_pictures_a_project_and_ratings(street):
    (topic,) = _topics(Stage.FOLLOW_UP)
    tasks = list(db.session.scalars(sa.select(FollowUp).where(FollowUp.topic_id == topic.id)))
    assert {task.state for task in tasks} == set(TaskState)
    reports = sa.select(FollowUpStep).join(FollowUpStep.task).where(FollowUp.topic_id == topic.id)
    found = list(db.session.scalars(reports))
    assert sum(task.spent_fen for task in tasks) == sum(step.spent_fen for step in found) > 0
    assert sum(bool(step.photo) and bool(step.photo_words) for step in found) == 2
    assert db.session.scalar(sa.select(Project.step).where(Project.topic_id == topic.id)) == "carry_out"
    assert db.session.scalar(sa.select(sa.func.count(TopicRating.id)).where(TopicRating.topic_id == topic.id))


def test_an_archived_topic_walked_the_whole_road_and_its_project_was_assessed(street):
    (topic,) = _topics(Stage.ARCHIVED)
    walked = db.session.scalars(sa.select(TopicStage).where(TopicStage.topic_id == topic.id).order_by(TopicStage.id))
    rows = list(walked)
    assert [row.stage for row in rows] == list(ROAD)
    assert [row.entered_at for row in rows] == sorted(row.entered_at for row in rows)
    assert db.session.scalar(sa.select(Project.ended_at).where(Project.topic_id == topic.id)) is not None


def test_the_public_log_of_every_published_topic_begins_with_its_publication(street):
    told = sa.select(TopicEntry.topic_id).where(TopicEntry.deed == "published")
    silent = sa.select(Topic.title).where(Topic.stage != Stage.DRAFT, Topic.id.not_in(told)).order_by(Topic.id)
    assert db.session.scalars(silent).all() == []


def test_nothing_of_it_lies_in_the_future(street):
    moment = now()
    for moments in (TopicEntry.at, Objection.at, Objection.decided_at, FollowUpStep.at, FollowUp.made_at):
        latest = db.session.scalar(sa.select(sa.func.max(moments)))
        assert latest is None or latest <= moment, moments
    assert db.session.scalar(sa.select(sa.func.max(Outcome.published_at))) <= moment


def test_who_waits_for_an_answer_has_none_yet(street):
    for one in db.session.scalars(sa.select(Objection)):
        assert (one.state is AskState.DENIED) == bool(one.answer) == (one.decided_at is not None)
