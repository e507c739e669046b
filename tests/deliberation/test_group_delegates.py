"""居民会议 by delegates of groups: the roll is made of those in their term, of all groups or of some."""

from datetime import date, timedelta
from typing import Any

import pytest

from portal.core.clock import local, now, today
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Body, Stage
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import delegates, rolls, rules, vote_making
from portal.deliberation.service.vote_making import Plan
from tests.client import Client
from tests.deliberating import Deliberating
from tests.make import Make


@pytest.fixture
def topic(deliberating: Deliberating) -> Topic:
    with transaction():
        rules.load_law()
    return deliberating.topic(stage=Stage.VOTING)


@pytest.fixture
def chosen(make: Make, deliberating: Deliberating):
    """Enters somebody as a delegate of a group."""
    by = deliberating.committee()

    def enter(name: str, group: str, since: date | None = None, until: date | None = None, **more: Any) -> None:
        person = make.person(name)
        body = more.get("body", Body.RESIDENTS_GROUPS)
        with transaction():
            first = since or today() - timedelta(days=100)
            delegates.add(make.community(), body, person, group=group, since=first, until=until, by=by)

    return enter


def _plan(body: Body = Body.RESIDENTS_GROUPS, *groups: str) -> Plan:
    facts: dict[str, Any] = {"question": "车棚修不修？", "words": "", "matter": 0, "labels": ()}
    facts |= {"is_named": True, "may_change": False, "takes_paper": True}
    opens = now() + timedelta(days=5)
    return Plan(body=body, groups=groups, opens_at=opens, closes_at=opens + timedelta(days=2), **facts)


def _vote(topic: Topic, deliberating: Deliberating, *groups: str) -> Vote:
    by = deliberating.committee()
    with transaction():
        made = vote_making.make(topic, _plan(Body.RESIDENTS_GROUPS, *groups), by=by)
        rolls.build(made, by=by)
    return made


def test_only_delegates_in_their_term_on_the_day_are_on_the_roll(
    topic: Topic, chosen, deliberating: Deliberating
) -> None:
    day = local(now() + timedelta(days=5)).date()
    chosen("赵在任", "第一居民小组")
    chosen("钱当天到期", "第一居民小组", until=day)
    chosen("孙前一天到期", "第一居民小组", until=day - timedelta(days=1))
    chosen("李当天起", "第二居民小组", since=day)
    chosen("周后一天起", "第二居民小组", since=day + timedelta(days=1))
    chosen("吴委员", "", body=Body.COMMITTEE)
    chosen("郑别会", "第二居民小组", body=Body.RESIDENT_DELEGATES)
    vote = _vote(topic, deliberating)
    assert [(one.name, one.place) for one in rolls.entries(vote)] == [
        ("赵在任", "第一居民小组"),
        ("钱当天到期", "第一居民小组"),
        ("李当天起", "第二居民小组"),
    ]
    said = {words: names for words, _count, names in rolls.look(vote).gaps.said}
    assert said["代表不是二至三人的居民小组（请核对代表名单）"] == ["第二居民小组 1 人"]


def test_a_vote_for_a_part_asks_the_delegates_of_its_groups(topic: Topic, chosen, deliberating: Deliberating) -> None:
    chosen("赵一", "第一居民小组")
    chosen("钱二", "第二居民小组")
    chosen("孙三", "第三居民小组")
    vote = _vote(topic, deliberating, "第一居民小组", "第三居民小组")
    assert [one.name for one in rolls.entries(vote)] == ["赵一", "孙三"]


def test_groups_without_a_delegate_and_bodies_without_groups_are_refused(
    topic: Topic, chosen, deliberating: Deliberating
) -> None:
    chosen("赵一", "第一居民小组")
    chosen("钱旧", "第九居民小组", until=today() - timedelta(days=1))
    by = deliberating.committee()
    assert delegates.groups_of(topic) == ["第一居民小组"]
    for plan, words in (
        (_plan(Body.RESIDENTS_GROUPS, "第九居民小组"), "没有代表"),
        (_plan(Body.RESIDENTS_PERSONS, "第一居民小组"), "代表参加的会议"),
    ):
        with pytest.raises(Refused, match=words), transaction():
            vote_making.make(topic, plan, by=by)


def test_the_form_offers_the_groups_that_have_delegates(topic: Topic, chosen, make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    address = f"/desk/deliberation/topics/{topic.id}/votes/new"
    assert "只限哪些小组的代表" not in client.get(address).text
    chosen("赵一", "第一居民小组")
    assert "第一居民小组" in client.get(address).text
