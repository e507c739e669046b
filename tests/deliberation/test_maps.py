"""Maps of opinion: asked for, computed, kept without persons, drawn by themselves, cancelled, forgotten."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import children, jobs
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.deliberation import map_jobs
from portal.deliberation.mapping.question import Question
from portal.deliberation.models.codes import MapState, OpinionState, Stage
from portal.deliberation.models.opinions import Opinion, OpinionMap, OpinionVote
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.service import map_showing, map_words, mapping_child, maps
from portal.registry.models import Person
from tests.deliberation.mapped import TWO, drawn, here, opinions, stands


@pytest.fixture
def topic(deliberating):
    return deliberating.topic("6 号楼加装电梯")


@pytest.fixture
def near(monkeypatch):
    here(monkeypatch)


def _runs():
    db.session.expire_all()
    return list(db.session.scalars(sa.select(OpinionMap).order_by(OpinionMap.id)))


def test_a_map_is_drawn_by_a_process_of_its_own_and_keeps_no_person(make, topic):
    people = stands(make, topic, TWO)
    run = drawn(topic)
    assert run.state is MapState.DONE
    assert (run.people, run.opinions) == (14, 8)
    found = map_showing.shown(run)
    assert [(group.name, group.people, group.share) for group in found.groups] == [("甲组", 8, 57), ("乙组", 6, 43)]
    assert {(held.words, held.code, held.mine, held.others) for held in found.groups[1].holds} == {
        ("第 1 条看法", "disagree", 100, 0),
        ("第 2 条看法", "disagree", 100, 0),
        ("第 3 条看法", "agree", 100, 0),
        ("第 4 条看法", "agree", 100, 0),
    }
    assert {said.words for said in found.common} == {f"第 {number} 条看法" for number in (5, 6, 7, 8)}
    kept = json.dumps(run.figures, ensure_ascii=False)
    assert not any(str(person.public_id) in kept or person.name in kept for person in people)
    assert "person" not in kept


def test_too_few_people_or_statements_draw_no_map(make, topic, near):
    stands(make, topic, ("+++",) * 9)
    with pytest.raises(Refused, match="至少要有 10 人对 3 条看法表过态"):
        drawn(topic)
    stands(make, topic, ("++.",))
    assert drawn(topic).state is MapState.TOO_FEW
    assert "看出是谁" in map_words.result(_runs()[0])
    assert maps.latest(topic) is None


def test_two_maps_that_follow_differ_by_at_least_five_people(make, topic, near):
    stands(make, topic, TWO)
    first = drawn(topic)
    stands(make, topic, TWO[:4])
    with pytest.raises(Refused, match="只有 4 人新表态"):
        drawn(topic)
    stands(make, topic, TWO[:1])
    again = drawn(topic)
    assert again.state is MapState.DONE
    assert (first.people, again.people) == (14, 19)
    assert maps.latest(topic).id == again.id


def test_what_is_hidden_or_pending_counts_for_nothing(make, topic, near):
    stands(make, topic, TWO)
    said = list(db.session.scalars(sa.select(Opinion).order_by(Opinion.id)))
    with transaction():
        said[0].state, said[7].state = OpinionState.HIDDEN, OpinionState.PENDING
    run = drawn(topic)
    assert run.opinions == 6
    with transaction():
        db.session.get_one(Opinion, said[1].id).state = OpinionState.HIDDEN
    # Hidden after it was drawn: not shown either.
    words = {held.words for group in map_showing.shown(run).groups for held in group.holds}
    assert "第 2 条看法" not in words
    assert "第 3 条看法" in words
    assert len(map_showing.lines(run)[0]) == 5


def test_two_records_of_one_person_are_one(make, topic, near):
    people = stands(make, topic, TWO)
    with transaction():
        db.session.get_one(Person, people[1].id).merged_into_id = people[0].id
    assert drawn(topic).people == 13


def test_only_one_is_drawn_at_a_time_and_it_can_be_cancelled(make, topic, near, monkeypatch):
    stands(make, topic, TWO)
    monkeypatch.setattr(jobs, "enqueue", lambda name, **arguments: None)
    run_id = drawn(topic).id
    with pytest.raises(Refused, match="正在画"):
        drawn(topic)
    with transaction():
        maps.cancel(db.session.get_one(OpinionMap, run_id))
    maps.compute(run_id)
    assert [run.state for run in _runs()] == [MapState.CANCELLED]
    with transaction(), pytest.raises(Refused, match="不用取消"):
        maps.cancel(db.session.get_one(OpinionMap, run_id))


def test_a_map_cancelled_while_it_is_drawn_keeps_nothing(make, topic, monkeypatch):
    stands(make, topic, TWO)
    answers = []

    def cancelled(question, goes_on):
        run_id = db.session.scalar(sa.select(OpinionMap.id))
        answers.append(goes_on({"step": "groups"}))
        with transaction():
            maps.cancel(db.session.get_one(OpinionMap, run_id))
        answers.append(goes_on({"step": "holds"}))
        raise children.Stopped

    monkeypatch.setattr(mapping_child, "mapped", cancelled)
    assert drawn(topic).state is MapState.CANCELLED
    assert answers == [True, False]
    assert maps.latest(topic) is None


def test_a_computation_that_breaks_leaves_words(make, topic, monkeypatch):
    stands(make, topic, TWO)

    def broken(question, goes_on):
        raise children.Broken

    monkeypatch.setattr(mapping_child, "mapped", broken)
    run = drawn(topic)
    assert run.state is MapState.FAILED
    assert "请再试一次" in run.words


def test_a_process_that_ends_without_an_answer_is_broken(monkeypatch):
    monkeypatch.setattr(mapping_child, "MODULE", "portal.deliberation.mapping.nothing")
    with pytest.raises(children.Broken):
        mapping_child.mapped(Question((1,), ("+",)), lambda said: True)


def test_what_fell_silent_has_failed_and_what_was_lost_is_drawn(make, deliberating, near):
    silent_topic, lost_topic = deliberating.topic("路灯"), deliberating.topic("车棚")
    stands(make, lost_topic, TWO)
    facts = {"asked_at": now() - timedelta(hours=1)}
    silent_facts = {"state": MapState.WORKING, "beat_at": now() - timedelta(minutes=10)}
    silent = make.add(OpinionMap(topic_id=silent_topic.id, **facts, **silent_facts))
    lost = make.add(OpinionMap(topic_id=lost_topic.id, **facts))
    maps.resume()
    db.session.expire_all()
    assert silent.state is MapState.FAILED
    assert lost.state is MapState.DONE


def test_enough_new_stands_of_enough_people_draw_a_map_by_themselves(make, topic, near):
    stands(make, topic, ("++--++++",) * 4)
    assert maps.due(now()) == []
    # Four people took 32 stands; the fifth makes it due, but ten are needed to draw.
    stands(make, topic, ("++--++++",))
    assert maps.due(now()) == [topic.id]
    map_jobs.refresh_maps()
    assert _runs() == []
    stands(make, topic, TWO[4:])
    map_jobs.refresh_maps()
    (run,) = _runs()
    assert run.state is MapState.DONE
    assert run.asked_by_name == ""
    assert db.session.scalar(sa.select(sa.func.count(TopicEntry.id))) == 0
    stands(make, topic, TWO[:6])
    assert maps.due(now()) == []
    assert maps.due(now() + timedelta(hours=24, minutes=1)) == [topic.id]


def test_the_last_stands_are_drawn_however_few_once_opinions_are_closed(make, topic, near):
    stands(make, topic, TWO, at=now() - timedelta(hours=2))
    drawn(topic)
    tomorrow = now() + timedelta(days=2)
    stands(make, topic, ("+......+",) * 5)
    assert maps.due(tomorrow) == []
    with transaction():
        db.session.get_one(Topic, topic.id).stage = Stage.MEETING
    assert maps.due(tomorrow) == [topic.id]
    with transaction():
        db.session.get_one(Topic, topic.id).stage = Stage.WITHDRAWN
    assert maps.due(tomorrow) == []


def test_what_was_asked_at_the_desk_is_in_the_log_and_the_audit(make, topic, deliberating, near):
    stands(make, topic, TWO)
    by = deliberating.committee()
    drawn(topic, by=by)
    (entry,) = db.session.scalars(sa.select(TopicEntry).order_by(TopicEntry.id))
    assert (entry.deed, entry.by_name, entry.facts) == ("map_drawn", "周洁", {"people": 14, "groups": 2})
    actions = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"deliberation.map_asked", "deliberation.map_computed"} <= actions


def test_old_maps_are_forgotten_and_the_latest_stays(make, topic):
    old = {"topic_id": topic.id, "state": MapState.DONE, "asked_at": now() - timedelta(days=90)}
    make.add(OpinionMap(**old))
    kept = make.add(OpinionMap(**old)).id
    make.add(OpinionMap(**old | {"state": MapState.FAILED}))
    with transaction():
        assert maps.purge(now() - timedelta(days=60)) == 2
    db.session.expire_all()
    assert [run.id for run in _runs()] == [kept]


def test_a_map_of_another_topic_is_not_found(make, topic, deliberating):
    other = make.add(OpinionMap(topic_id=deliberating.topic("别的").id))
    with pytest.raises(Missing):
        maps.run_of(topic, other.public_id)


def test_a_topic_nobody_may_read_has_no_map(make, deliberating):
    draft = deliberating.topic(stage=Stage.DRAFT)
    stands(make, draft, TWO)
    with pytest.raises(Refused, match="没有公开"):
        drawn(draft)
    assert maps.due(now()) == []


def test_statements_nobody_answered_are_left_out(make, topic, near):
    opinions(make, topic, 9)
    stands(make, topic, tuple(row + "." for row in TWO))
    assert drawn(topic).opinions == 8
    assert db.session.scalar(sa.select(sa.func.count(OpinionVote.id))) == 8 * 14
