"""One person on many devices, two moderators at once: one stand, so many statements a day, one line in the log."""

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Stand
from portal.deliberation.models.opinions import Comment, Opinion, OpinionVote
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.service import comments, moderating, opinions, stands
from portal.deliberation.service.moderating import Why
from portal.registry.models import Person
from tests.concurrency.test_portions import at_once

DEVICES = 12


@pytest.fixture
def topic(deliberating):
    return deliberating.topic()


@pytest.fixture
def person_id(make):
    return make.person("李小红").id


def _count(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def _done(act):
    """Whether it went through; a refusal is an answer."""
    try:
        with transaction() as session:
            act(session)
        return True
    except Refused:
        return False


def test_many_devices_of_one_person_take_one_stand(app, deliberating, topic, person_id):
    opinion_id, said = deliberating.opinion(topic).id, list(Stand)
    db.session.rollback()

    def take(session, number):
        opinion = session.get_one(Opinion, opinion_id)
        stands.take(opinion.topic, opinion, session.get_one(Person, person_id), said[number % 3])

    assert at_once(app, DEVICES, lambda number: _done(lambda session: take(session, number))) == DEVICES
    assert _count(OpinionVote) == 1


@pytest.mark.parametrize(("model", "write", "most"), [(Opinion, opinions.write, 5), (Comment, comments.write, 10)])
def test_a_days_measure_holds_on_many_devices(app, topic, person_id, model, write, most):
    topic_id = topic.id
    db.session.rollback()

    def attempt(session, number):
        write(session.get_one(Topic, topic_id), session.get_one(Person, person_id), f"第 {number} 句想说的话")

    assert at_once(app, DEVICES, lambda number: _done(lambda session: attempt(session, number))) == most
    assert _count(model) == most


def test_of_moderators_at_once_one_hides(app, deliberating, topic):
    opinion_id, worker = deliberating.opinion(topic).id, deliberating.committee()
    db.session.rollback()

    def hide(session):
        moderating.hide(session.get_one(Opinion, opinion_id), Why.TWIN, "", by=worker)

    assert at_once(app, DEVICES, lambda _number: _done(hide)) == 1
    assert _count(TopicEntry) == 1
