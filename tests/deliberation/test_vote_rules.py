"""A vote goes by the rule that its roll and its notice said, at the times that they said."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Estate, Settlement
from portal.core.clock import local, now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body, Stage, VoteState
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import rolls, rules, vote_making, vote_notices, vote_opening, vote_rules
from portal.deliberation.service.rules import RuleFacts
from portal.deliberation.service.vote_making import Plan
from tests.days import just_now
from tests.deliberating import Deliberating, ahead
from tests.make import Make

FACTS: dict[str, Any] = {
    "article": "新法第二十条",
    "notice_days": 0,
    "quorum": 1,
    "quorum_of": 2,
    "quorum_over": True,
    "passes": 1,
    "passes_of": 2,
    "passes_over": True,
    "registered_only": False,
    "least_age": 18,
    "note": "",
}


@pytest.fixture
def vote(make: Make, deliberating: Deliberating) -> Vote:
    """Its roll is out, its rule was confirmed by the committee, it was announced."""
    make.person("赵桂兰")
    with transaction():
        rules.load_law()
    made = deliberating.vote(
        deliberating.topic(stage=Stage.VOTING),
        state=VoteState.DRAFT,
        opens_at=ahead(5),
        closes_at=ahead(9),
        frozen_at=None,
    )
    by = deliberating.committee()
    with transaction():
        held = db.session.get_one(Vote, made.id)
        held.rule = {}
        rolls.build(held, by=by)
        rolls.publish(held, until=now() + timedelta(days=3), by=by)
        vote_rules.confirm(held, by=by)
        vote_notices.publish(held, "居委会 63000000", by=by)
    return held


def _replaced(vote: Vote, deliberating: Deliberating, **more: Any) -> BodyRule:
    with transaction():
        rule = db.session.get_one(BodyRule, vote.rule_id)
        facts = RuleFacts(**FACTS | {"passes": 2, "passes_of": 3, "passes_over": False} | more)
        return rules.replace(rule, facts, valid_from=local(now()).date(), by=deliberating.committee())


def _undone(vote: Vote) -> list[str]:
    return [one.words for one in vote_opening.checks(vote) if not one.done]


def test_a_vote_does_not_open_by_another_rule_than_was_announced(
    vote: Vote, make: Make, deliberating: Deliberating
) -> None:
    new = _replaced(vote, deliberating)
    assert any("规则已换" in words for words in _undone(vote))
    with transaction():
        held = db.session.get_one(Vote, vote.id)
        held.opens_at, held.corrections_until = just_now(), now() - timedelta(hours=1)
    with pytest.raises(Refused, match="规则已换"), transaction():
        vote_opening.open_vote(db.session.get_one(Vote, vote.id), by_name="周洁")
    assert make.read(vote).rule["passes"] == [1, 2]
    with transaction():
        rolls.build(db.session.get_one(Vote, vote.id), by=deliberating.committee())
    held = make.read(vote)
    assert (held.rule_id, held.rule["passes"], held.rule_confirmed_at) == (new.id, [2, 3], None)
    assert vote_notices.notice_of(held) is None


def test_what_was_confirmed_of_one_row_is_not_said_of_another(
    vote: Vote, make: Make, deliberating: Deliberating
) -> None:
    new = _replaced(vote, deliberating)
    with transaction():
        db.session.get_one(BodyRule, new.id).confirmed_at = None
    held = make.read(vote)
    assert not vote_rules.is_confirmed(held, db.session.get_one(BodyRule, new.id))
    with pytest.raises(Refused, match="规则已换"), transaction():
        vote_rules.confirm(db.session.get_one(Vote, vote.id), by=deliberating.committee())


# Times


def test_an_open_vote_keeps_its_times_whatever_the_page_had_read(vote: Vote, deliberating: Deliberating) -> None:
    by = deliberating.committee()
    with pytest.raises(Refused, match="已经开始"), transaction():
        held = _behind(vote, VoteState.ROLL, VoteState.OPEN)
        vote_opening.put_off(held, ahead(20), ahead(22), by=by)


def test_a_published_vote_keeps_its_words_whatever_the_page_had_read(vote: Vote, deliberating: Deliberating) -> None:
    by = deliberating.committee()
    with transaction():
        db.session.get_one(Vote, vote.id).state = VoteState.DRAFT
    with pytest.raises(Refused, match="不能再改"), transaction():
        held = _behind(vote, VoteState.DRAFT, VoteState.ROLL)
        vote_making.change(held, _plan(held, question="换了一个问题？"), by=by)


def _behind(vote: Vote, read: VoteState, state: VoteState) -> Vote:
    """The object in hand says what it said when it was read; the row was moved on."""
    held = db.session.get_one(Vote, vote.id)
    assert held.state is read
    moved = sa.update(Vote).where(Vote.id == vote.id).values(state=state)
    db.session.execute(moved.execution_options(synchronize_session=False))
    return held


def _plan(vote: Vote, question: str = "", **more: Any) -> Plan:
    facts: dict[str, Any] = {"question": question or vote.question, "words": "", "body": vote.body, "matter": 0}
    facts |= {"labels": (), "is_named": True, "may_change": False, "takes_paper": True}
    return Plan(**facts | {"opens_at": vote.opens_at, "closes_at": vote.closes_at} | more)


def test_a_roll_is_made_for_the_new_day(vote: Vote, make: Make, deliberating: Deliberating) -> None:
    make.person("钱未成", born=_born_eighteen_after(vote.opens_at))
    assert [one.name for one in rolls.entries(vote)] == ["赵桂兰"]
    with transaction():
        held = db.session.get_one(Vote, vote.id)
        vote_opening.put_off(held, ahead(25), ahead(29), by=deliberating.committee())
    assert [one.name for one in rolls.entries(vote)] == ["赵桂兰", "钱未成"]


def _born_eighteen_after(opens: datetime) -> date:
    day = local(opens).date() + timedelta(days=10)
    return day.replace(year=day.year - 18, day=min(day.day, 28))


def test_a_vote_is_not_put_off_to_last_for_ever(vote: Vote, deliberating: Deliberating) -> None:
    with pytest.raises(Refused, match="最长 90 天"), transaction():
        held = db.session.get_one(Vote, vote.id)
        vote_opening.put_off(held, ahead(20), ahead(200), by=deliberating.committee())


# Bodies


def test_the_meeting_of_a_village_group_is_asked_of_its_homes_alone(make: Make, deliberating: Deliberating) -> None:
    area = make.community("石桥村", Settlement.VILLAGE)
    topic = deliberating.topic(area=area, stage=Stage.VOTING)
    by = deliberating.committee(area)
    facts: dict[str, Any] = {"question": "修不修水渠？", "words": "", "matter": 0, "labels": ()}
    facts |= {"is_named": True, "may_change": False, "takes_paper": True, "opens_at": ahead(5), "closes_at": ahead(9)}
    for body in (Body.VILLAGE_GROUP_PERSONS, Body.VILLAGE_GROUP_HOUSEHOLDS):
        with pytest.raises(Refused, match="只由本组的村民参加"), transaction():
            vote_making.make(topic, Plan(body=body, **facts), by=by)
    estate = make.add(Estate(community_id=area.id, name="三组"))
    make.add(Building(estate_id=estate.id, name="1号"))
    with transaction():
        made = vote_making.make(topic, Plan(body=Body.VILLAGE_GROUP_PERSONS, estates=(estate.id,), **facts), by=by)
    assert made.extent["estates"] == [estate.id]


# The street's own rows


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"quorum": 1, "quorum_of": 2}, "quorum"),
        ({"quorum": 2, "quorum_of": 3, "passes_over": False}, "passes"),
        ({"quorum": 2, "quorum_of": 3, "passes": 1, "passes_of": 3}, "passes"),
    ],
)
def test_a_place_does_not_ask_less_of_owners_than_the_law(
    make: Make, deliberating: Deliberating, more: dict[str, Any], field: str
) -> None:
    with transaction():
        rules.load_law()
    by, day = deliberating.committee(), local(now()).date()
    with pytest.raises(Refused, match="不能低于法律") as refused, transaction():
        rules.add_local(Body.OWNERS_ORDINARY, make.community(), RuleFacts(**FACTS | more), valid_from=day, by=by)
    assert refused.value.field == field
    stricter = FACTS | {"quorum": 3, "quorum_of": 4, "quorum_over": False}
    with transaction():
        rules.add_local(Body.OWNERS_ORDINARY, make.community(), RuleFacts(**stricter), valid_from=day, by=by)


def test_nobody_can_be_more_than_everybody(make: Make, deliberating: Deliberating) -> None:
    facts = RuleFacts(**FACTS | {"passes": 3, "passes_of": 3})
    with pytest.raises(Refused, match="谁也达不到"), transaction():
        rules.add_local(
            Body.COMMITTEE, make.community(), facts, valid_from=local(now()).date(), by=deliberating.committee()
        )


def test_a_row_is_there_and_confirmed_until_its_last_day(vote: Vote, deliberating: Deliberating) -> None:
    rule = db.session.get_one(BodyRule, vote.rule_id)
    begins = local(now()).date() + timedelta(days=30)
    with transaction():
        new = rules.replace(rule, RuleFacts(**FACTS), valid_from=begins, by=deliberating.committee())
    shown = {one.id for one in rules.rules(())}
    assert {rule.id, new.id} <= shown
    with transaction():
        rules.confirm(db.session.get_one(BodyRule, rule.id), note="新法第二十条", by=deliberating.committee())


def test_a_vote_whose_last_second_is_over_is_not_called_off(deliberating: Deliberating) -> None:
    vote = deliberating.vote()
    with transaction() as session:
        session.get_one(Vote, vote.id).closes_at = now()
    with pytest.raises(Refused, match="不能再取消"), transaction() as session:
        vote_opening.cancel(session.get_one(Vote, vote.id), "结果不好看", by=deliberating.committee())
    assert db.session.get_one(Vote, vote.id).state is VoteState.OPEN
