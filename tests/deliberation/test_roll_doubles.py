"""Nobody counts twice on a roll, whatever was put right by hand; whoever is struck is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import Body, Stage, VoteState
from portal.deliberation.models.votes import RollCorrection, RollEntry, RollPerson, Turnout, Vote
from portal.deliberation.service import roll_doubles, rolls, rules, vote_making, vote_opening
from portal.deliberation.service.vote_making import Plan
from portal.identity.permissions import Role
from portal.registry.models import Person, Relation
from tests.client import Client
from tests.deliberating import Deliberating
from tests.make import Make


def _draft(deliberating: Deliberating, body: Body = Body.RESIDENTS_PERSONS, **more: object) -> Vote:
    with transaction():
        rules.load_law()
    topic = more.pop("topic", None) or deliberating.topic(stage=Stage.VOTING)
    made = deliberating.vote(
        topic,  # type: ignore[arg-type]
        body=body,
        state=VoteState.DRAFT,
        opens_at=now() + timedelta(days=5),
        closes_at=now() + timedelta(days=9),
        frozen_at=None,
    )
    made.rule = {}
    db.session.commit()
    return made


@pytest.fixture
def acts(deliberating: Deliberating) -> "Acts":
    return Acts(deliberating)


class Acts:
    """What a committee does with a roll, each within a transaction of its own."""

    def __init__(self, deliberating: Deliberating) -> None:
        self.by = deliberating.committee()

    def build(self, vote: Vote) -> list[str]:
        with transaction():
            rolls.build(vote, by=self.by)
        return [one.name for one in rolls.entries(vote)]

    def publish(self, vote: Vote, days: int = 3) -> None:
        self.build(vote)
        with transaction():
            rolls.publish(vote, until=now() + timedelta(days=days), by=self.by)

    def add(self, vote: Vote, person: Person) -> int:
        with transaction():
            return rolls.add_person(vote, person, why="本人来问过", by=self.by).number

    def strike(self, vote: Vote, number: int) -> None:
        with transaction():
            rolls.strike(vote, number, why="查不到", by=self.by)

    def restore(self, vote: Vote, number: int) -> None:
        with transaction():
            rolls.restore(vote, number, why="查到了", by=self.by)

    def born(self, person: Person, year: int | None) -> None:
        with transaction():
            held = db.session.get_one(Person, person.id)
            held.birth_date = held.birth_date.replace(year=year) if held.birth_date and year else _day(year)


def _day(year: int | None) -> object:
    return now().date().replace(year=year, day=1) if year else None


def test_who_was_added_by_hand_is_on_the_roll_once_after_the_register_is_put_right(
    make: Make, deliberating: Deliberating, acts: Acts
) -> None:
    vote, person = _draft(deliberating), make.person("丙居民", born=None)
    make.person("甲居民")
    acts.build(vote)
    acts.add(vote, person)
    acts.born(person, 1980)
    acts.publish(vote)
    assert sorted(one.name for one in rolls.entries(vote)) == ["丙居民", "甲居民"]
    assert len(rolls.entries_of(vote, person)) == 1
    (double,) = [one for one in rolls.entries(vote, struck=True) if one.struck_at]
    assert double.struck_why == roll_doubles.DOUBLE
    with pytest.raises(Refused, match="已经在名册上"):
        acts.restore(vote, double.number)


def test_who_was_struck_and_added_by_hand_is_not_put_back_beside_herself(
    make: Make, deliberating: Deliberating, acts: Acts
) -> None:
    vote, person = _draft(deliberating), make.person("丙居民")
    acts.build(vote)
    acts.strike(vote, 1)
    number = acts.add(vote, person)
    with pytest.raises(Refused, match="已经在名册上"):
        acts.restore(vote, 1)
    acts.strike(vote, number)
    with pytest.raises(Refused, match="恢复"):
        acts.add(vote, person)
    acts.restore(vote, 1)
    assert len(rolls.entries_of(vote, person)) == 1


def test_who_comes_back_to_the_register_is_not_counted_beside_her_line_by_hand(
    make: Make, deliberating: Deliberating, acts: Acts
) -> None:
    vote, person = _draft(deliberating), make.person("丙居民")
    make.person("甲居民")
    acts.publish(vote)
    acts.born(person, now().year - 5)
    assert acts.build(vote) == ["甲居民"]
    acts.add(vote, person)
    acts.born(person, 1980)
    acts.build(vote)
    (entry,) = rolls.entries_of(vote, person)
    assert not entry.added_why


def test_two_of_one_household_are_not_added_one_by_one(make: Make, deliberating: Deliberating, acts: Acts) -> None:
    vote, home = _draft(deliberating, Body.RESIDENTS_HOUSEHOLDS), make.household()
    first = make.person("王户主", household_id=home.id, relation=Relation.HEAD, born=None)
    second = make.person("王配偶", household_id=home.id, relation=Relation.SPOUSE, born=None)
    acts.build(vote)
    acts.add(vote, first)
    with pytest.raises(Refused, match="已经在名册上"):
        acts.add(vote, second)
    acts.born(second, 1980)
    assert acts.build(vote) == ["王配偶"]


def test_records_merged_after_the_last_build_are_found_before_the_vote_opens(
    make: Make, deliberating: Deliberating, acts: Acts
) -> None:
    vote, kept, other = _draft(deliberating), make.person("赵桂兰"), make.person("赵桂蓝")
    make.person("甲居民")
    acts.publish(vote)
    with transaction():
        db.session.get_one(Person, other.id).merged_into_id = kept.id
    first, second = (one.number for one in rolls.entries_of(vote, kept))
    numbers = f"{first} 号和 {second} 号"
    with pytest.raises(Refused, match=numbers), transaction():
        rolls.freeze(vote, at=now() + timedelta(days=4))
    assert any(not one.done and numbers in one.words for one in vote_opening.checks(vote))
    acts.build(vote)
    with transaction():
        rolls.freeze(vote, at=now() + timedelta(days=4))


def _plan(vote: Vote, body: Body, matter: int = 0) -> Plan:
    times = (vote.opens_at, vote.closes_at)
    return Plan(vote.question, "", body, matter, (), True, False, True, *times)


def test_a_draft_for_another_body_begins_with_an_empty_roll(make: Make, deliberating: Deliberating, acts: Acts) -> None:
    vote, person = _draft(deliberating), make.person("丙居民", born=None)
    make.person("甲居民")
    acts.build(vote)
    acts.add(vote, person)
    with transaction():
        vote_making.change(vote, _plan(vote, Body.OWNERS_ORDINARY, 5), by=acts.by)
    assert (rolls.entries(vote, struck=True), vote.roll_at) == ([], None)
    assert db.session.scalar(sa.select(sa.func.count(RollPerson.id))) == 0


# Published


def test_a_roll_is_published_when_its_topic_is_put_to_the_vote(
    make: Make, deliberating: Deliberating, acts: Acts
) -> None:
    make.person()
    vote = _draft(deliberating, topic=deliberating.topic(stage=Stage.MEETING))
    with pytest.raises(Refused, match="提交表决"):
        acts.publish(vote)
    assert make.read(vote).state is VoteState.DRAFT


def test_the_roll_may_be_put_right_for_its_days(make: Make, deliberating: Deliberating, acts: Acts) -> None:
    make.person()
    vote = _draft(deliberating)
    with pytest.raises(Refused, match="至少要公布 3 天"):
        acts.publish(vote, days=2)
    acts.publish(vote)


def test_who_is_struck_off_a_published_roll_is_told(make: Make, deliberating: Deliberating, acts: Acts) -> None:
    person, vote = make.person("丙居民"), _draft(deliberating)
    acts.build(vote)
    acts.strike(vote, 1)
    acts.restore(vote, 1)
    assert _told() == []
    acts.publish(vote)
    acts.strike(vote, 1)
    assert _told() == [person.public_id]


def _told() -> list[str]:
    query = sa.select(OutboxRow.recipient_id).where(OutboxRow.topic == "deliberation.roll_struck")
    return [str(one) for one in db.session.scalars(query)]


@pytest.mark.parametrize("street_reads", [False, True])
def test_a_community_reads_no_names_of_another_through_a_vote_of_the_street(
    make: Make, client: Client, deliberating: Deliberating, street_reads: bool
) -> None:
    other = make.community("秋实社区")
    lead = make.community() if street_reads else make.street()
    topic = deliberating.topic(area=lead, communities=[make.community(), other], stage=Stage.VOTING)
    vote = _draft(deliberating, topic=topic)
    person = make.person("钱别处", community=other)
    entry = deliberating.entry(vote, person)
    make.add(Turnout(vote_id=vote.id, entry_id=entry.id, channel="phone"))
    make.add(RollCorrection(vote_id=vote.id, person_id=person.id, words="我家的面积写错了"))
    with transaction():
        db.session.get_one(Vote, vote.id).roll_at = now()
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR if street_reads else Role.COMMITTEE_MEMBER))
    here = f"/desk/deliberation/votes/{vote.id}"
    pages: list[Callable[[], str]] = [
        lambda: client.get(f"{here}/roll").text,
        lambda: client.post(f"{here}/roll", data={"q": "钱别"}).text,
        lambda: client.get(f"{here}/turnout?voted=1").text,
        lambda: client.post(f"{here}/roll/print").text,
    ]
    for page in pages:
        said = page()
        assert "我家的面积写错了" not in said
        assert ("钱别处" in said) is street_reads
    assert db.session.scalar(sa.select(sa.func.count(RollEntry.id))) == 1
