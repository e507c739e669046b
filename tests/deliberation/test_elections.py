"""Electing and recalling a village committee: which votes can do it, and the province's own rows."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Settlement
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body, Stage
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import rolls, rules, vote_making
from portal.deliberation.service.law import REGIONAL
from portal.deliberation.service.rules import RuleFacts
from portal.deliberation.service.vote_making import Plan
from portal.registry.models import Registration
from tests.client import Client
from tests.deliberating import Deliberating
from tests.make import Make


@pytest.fixture
def village(make: Make) -> Area:
    return make.community("石桥村", Settlement.VILLAGE)


@pytest.fixture
def topic(village: Area, deliberating: Deliberating) -> Topic:
    with transaction():
        rules.load_law()
    return deliberating.topic(area=village, stage=Stage.VOTING)


def _plan(body: Body, *labels: str, days: int = 30, **more: Any) -> Plan:
    facts: dict[str, Any] = {"question": "选谁当村委会主任？", "words": "", "matter": 0, "labels": labels}
    facts |= {"is_named": False, "may_change": False, "takes_paper": True}
    opens = now() + timedelta(days=days)
    return Plan(body=body, opens_at=opens, closes_at=opens + timedelta(hours=10), **{**facts, **more})


def _made(topic: Topic, plan: Plan, deliberating: Deliberating) -> Vote:
    by = deliberating.committee(topic.area)
    with transaction():
        return vote_making.make(topic, plan, by=by)


@pytest.mark.parametrize(
    ("plan", "field", "words"),
    [
        (_plan(Body.VILLAGE_ELECTION), "labels", "差额"),
        (_plan(Body.VILLAGE_ELECTION, "赵甲"), "labels", "两位或更多候选人"),
        (_plan(Body.VILLAGE_ELECTION, "赵甲", "钱乙", is_named=True), "named", "无记名"),
        (_plan(Body.VILLAGE_RECALL, is_named=True), "named", "无记名"),
        (_plan(Body.VILLAGE_RECALL, "赵甲", "钱乙"), "labels", "一次一人"),
        (_plan(Body.VILLAGE_ELECTION_AGAIN, "赵甲", "钱乙"), "body", "选举会场用纸质选票"),
    ],
)
def test_a_vote_that_cannot_elect_is_refused_with_what_to_do(
    topic: Topic, deliberating: Deliberating, plan: Plan, field: str, words: str
) -> None:
    with pytest.raises(Refused, match=words) as refused:
        _made(topic, plan, deliberating)
    assert refused.value.field == field


def test_one_seat_is_elected_from_two_candidates_and_one_member_recalled(
    topic: Topic, deliberating: Deliberating
) -> None:
    vote = _made(topic, _plan(Body.VILLAGE_ELECTION, "赵甲", "钱乙"), deliberating)
    assert [(one.label, one.carries) for one in vote.options] == [("赵甲", True), ("钱乙", True), ("弃权", False)]
    assert len(_made(topic, _plan(Body.VILLAGE_RECALL), deliberating).options) == 3


@pytest.mark.parametrize(("days", "early"), [(19, False), (20, True), (21, True)])
def test_the_voters_list_hangs_twenty_days_before(
    topic: Topic, make: Make, deliberating: Deliberating, days: int, early: bool
) -> None:
    make.person("赵村民", community=topic.area, registration=Registration.LOCAL)
    by = deliberating.committee(topic.area)
    vote = _made(topic, _plan(Body.VILLAGE_ELECTION, "赵甲", "钱乙", days=days), deliberating)
    with transaction():
        rolls.build(vote, by=by)
    until = now() + timedelta(days=4)
    if early:
        with transaction():
            rolls.publish(vote, until=until, by=by)
        return
    with pytest.raises(Refused, match="20 天以前公布"), transaction():
        rolls.publish(vote, until=until, by=by)


def test_the_rules_page_says_which_votes_use_the_rows(topic: Topic, client: Client) -> None:
    page = client.get("/deliberation/rules").text
    for words in ("村委会选举", "村委会另行选举", "罢免村委会成员", "一次选一个名额", "达到三分之一", "待核对"):
        assert words in page


def test_no_form_offers_what_no_vote_can_do(topic: Topic, make: Make, client: Client) -> None:
    client.sign_in(make.worker(scope=topic.area))
    page = client.get(f"/desk/deliberation/topics/{topic.id}/votes/new").text
    assert "村委会选举" in page
    assert "另行选举" not in page


def test_streets_of_the_province_have_its_row_once_and_keep_their_own(make: Make, deliberating: Deliberating) -> None:
    first = make.add(Area(kind=AreaKind.STREET, code="330106001", name="西溪街道"))
    own = make.add(Area(kind=AreaKind.STREET, code="330106002", name="古荡街道"))
    elsewhere = make.street()
    facts = RuleFacts("本街道办法", 5, 2, 3, False, 1, 2, True, False, 18, "")
    with transaction():
        rules.add_local(Body.VILLAGE_DELEGATES, own, facts, valid_from=today(), by=deliberating.committee())
    for _turn in range(2):
        with transaction():
            rules.load_law()
    rows = db.session.scalars(sa.select(BodyRule).where(BodyRule.area_id.is_not(None)).order_by(BodyRule.area_id)).all()
    assert [(row.area_id, row.notice_days) for row in rows] == [(first.id, 3), (own.id, 5)]
    assert "浙江" in rows[0].article
    assert rows[0].confirmed_at is None
    assert rules.rule_for(Body.VILLAGE_DELEGATES, elsewhere, REGIONAL[0].row.valid_from).area_id is None


@pytest.mark.parametrize("body", [Body.VILLAGE_ELECTION, Body.VILLAGE_RECALL, Body.VILLAGERS_PERSONS])
def test_voters_of_an_election_are_not_told_that_it_is_none(
    topic: Topic, deliberating: Deliberating, client: Client, body: Body
) -> None:
    vote = deliberating.vote(topic, body=body, named=False)
    page = client.get(f"/deliberation/votes/{vote.id}").text
    assert ("不代替法律规定必须当场进行的选举" in page) is (body is Body.VILLAGERS_PERSONS)
    assert ("由主持选举（罢免）的机构公布" in page) is (body is not Body.VILLAGERS_PERSONS)
