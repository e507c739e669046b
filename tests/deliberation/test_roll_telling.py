"""A published roll is made again: whom it lost and whom it gained is told once, and reads why on her own page."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import Body, Stage, VoteState
from portal.deliberation.models.votes import RollPerson, Vote
from portal.deliberation.service import rolls, rules
from portal.registry.models import Person, PersonState, Relation
from tests.client import Client
from tests.deliberating import Deliberating
from tests.make import Make


def _published(deliberating: Deliberating, body: Body = Body.RESIDENTS_PERSONS) -> Vote:
    by = deliberating.committee()
    with transaction():
        rules.load_law()
    times = {"opens_at": now() + timedelta(days=5), "closes_at": now() + timedelta(days=9)}
    topic = deliberating.topic(stage=Stage.VOTING)
    made = deliberating.vote(topic, body=body, state=VoteState.DRAFT, frozen_at=None, **times)
    made.rule = {}
    db.session.commit()
    with transaction():
        rolls.build(made, by=by)
        rolls.publish(made, until=now() + timedelta(days=3), by=by)
    return made


def _again(vote: Vote, deliberating: Deliberating) -> None:
    with transaction():
        rolls.build(vote, by=deliberating.committee())


def _becomes(person: Person, state: PersonState) -> None:
    with transaction():
        db.session.get_one(Person, person.id).state = state


def _told() -> list[tuple[str, str]]:
    """Of rolls: what was said, and to whom, in order."""
    db.session.rollback()
    query = sa.select(OutboxRow.topic, Person.name).join(Person, Person.public_id == OutboxRow.recipient_id)
    query = query.where(OutboxRow.topic.in_(["deliberation.roll_struck", "deliberation.roll_added"]))
    return [
        (topic.removeprefix("deliberation."), name) for topic, name in db.session.execute(query.order_by(OutboxRow.id))
    ]


def test_whom_a_rebuilt_roll_lost_or_gained_is_told_once(make: Make, deliberating: Deliberating) -> None:
    gone = make.person("王迁出")
    make.person("李留下")
    vote = _published(deliberating)
    assert _told() == []
    _becomes(gone, PersonState.MOVED_OUT)
    make.person("赵新来")
    _again(vote, deliberating)
    assert _told() == [("roll_struck", "王迁出"), ("roll_added", "赵新来")]
    _again(vote, deliberating)
    assert len(_told()) == 2
    _becomes(gone, PersonState.PRESENT)
    _again(vote, deliberating)
    assert _told()[2:] == [("roll_added", "王迁出")]


def test_the_dead_are_told_nothing(make: Make, deliberating: Deliberating) -> None:
    gone = make.person("王去世")
    make.person("李留下")
    vote = _published(deliberating)
    _becomes(gone, PersonState.DEAD)
    _again(vote, deliberating)
    assert _told() == []


def test_whoever_only_changed_her_household_lost_nothing(make: Make, deliberating: Deliberating) -> None:
    first, second = make.household(), make.household()
    moving = make.person("王搬家", household_id=first.id, relation=Relation.HEAD)
    make.person("李留下", household_id=second.id, relation=Relation.HEAD)
    vote = _published(deliberating, Body.RESIDENTS_HOUSEHOLDS)
    with transaction():
        held = db.session.get_one(Person, moving.id)
        held.household_id, held.relation = second.id, Relation.OTHER
    _again(vote, deliberating)
    assert [one.name for one in rolls.entries(vote)] == ["李留下"]
    assert _told() == []


def test_whoever_is_struck_reads_why_and_how_to_ask(make: Make, deliberating: Deliberating, client: Client) -> None:
    gone = make.person("王迁出")
    make.person("李留下")
    vote = _published(deliberating)
    _becomes(gone, PersonState.MOVED_OUT)
    _again(vote, deliberating)
    (entry,) = rolls.entries_of(vote, gone, struck=True)
    assert entry.struck_why == rolls.GONE
    assert rolls.entries_of(vote, gone) == []
    _becomes(gone, PersonState.PRESENT)
    client.sign_in(make.resident(gone))
    page = client.get(f"/deliberation/votes/{vote.id}/roll").text
    assert rolls.GONE in page
    assert "觉得不该划掉" in page
    assert f"/deliberation/votes/{vote.id}/roll/ask" in page
    with transaction():
        db.session.get_one(Vote, vote.id).corrections_until = now() - timedelta(minutes=1)
    page = client.get(f"/deliberation/votes/{vote.id}/roll").text
    assert "请在开始投票以前打社区电话" in page


def test_a_struck_line_comes_back_with_its_people_once(make: Make, deliberating: Deliberating) -> None:
    gone = make.person("王迁出")
    make.person("李留下")
    vote = _published(deliberating)
    for state in (PersonState.MOVED_OUT, PersonState.PRESENT):
        _becomes(gone, state)
        _again(vote, deliberating)
    mine = sa.select(sa.func.count(RollPerson.id)).where(RollPerson.person_id == gone.id)
    assert db.session.scalar(mine) == 1
    assert len(rolls.entries_of(vote, gone)) == 1


@pytest.mark.parametrize("published", [True, False])
def test_whoever_is_added_by_hand_is_told_where_the_roll_is_public(
    published: bool, make: Make, deliberating: Deliberating
) -> None:
    make.person("李留下")
    vote, by = _published(deliberating), deliberating.committee()
    young = make.person("丁少年", born=now().date() - timedelta(days=365 * 17))
    if not published:
        with transaction():
            db.session.get_one(Vote, vote.id).state = VoteState.DRAFT
    with transaction():
        rolls.add_person(db.session.get_one(Vote, vote.id), young, why="出生日期登记有误", by=by)
    assert _told() == ([("roll_added", "丁少年")] if published else [])


def _merged(gone: Person, into: Person) -> None:
    with transaction():
        db.session.get_one(Person, gone.id).merged_into_id = into.id


def test_whoever_stands_under_another_record_since_is_told_nothing(make: Make, deliberating: Deliberating) -> None:
    gone, kept = make.person("赵桂兰"), make.person("赵桂蓝", state=PersonState.MOVED_OUT)
    make.person("李留下")
    vote = _published(deliberating)
    _merged(gone, kept)
    _becomes(kept, PersonState.PRESENT)
    _again(vote, deliberating)
    assert len(rolls.entries_of(vote, kept)) == 1
    assert _told() == []


def test_of_two_lines_of_one_person_the_second_goes_in_silence(make: Make, deliberating: Deliberating) -> None:
    gone, kept = make.person("赵桂兰"), make.person("赵桂蓝")
    vote = _published(deliberating)
    _merged(gone, kept)
    _again(vote, deliberating)
    assert [one.name for one in rolls.entries(vote)] == ["赵桂蓝"]
    assert _told() == []
