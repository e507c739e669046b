"""Two who do the same with a topic at once: one of them does it, the other is told."""

from datetime import timedelta

import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic, TopicEntry, TopicFollower, TopicStage
from portal.deliberation.service import following, moving
from portal.registry.models import Person
from tests.concurrency.test_portions import at_once

TIMES = 8


def test_a_topic_that_many_move_at_once_moves_once(app, deliberating):
    topic_id, by = deliberating.topic(stage=Stage.DRAFT).id, deliberating.committee()
    until = today() + timedelta(days=14)

    def publish(_number):
        try:
            with transaction() as session:
                moving.move(session.get_one(Topic, topic_id), Stage.COLLECTING, by=by, until=until)
        except Refused:
            return False
        return True

    assert at_once(app, TIMES, publish) == 1
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TopicStage)) == 1
    assert [entry.deed for entry in db.session.scalars(sa.select(TopicEntry))] == ["published"]


def test_somebody_who_follows_from_many_devices_at_once_follows_once(app, deliberating):
    topic_id, person_id = deliberating.topic().id, deliberating.person_with_account()[0].id

    def follow(_number):
        with transaction() as session:
            return following.follow(session.get_one(Topic, topic_id), session.get_one(Person, person_id))

    assert at_once(app, TIMES, follow) == 1
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TopicFollower)) == 1
