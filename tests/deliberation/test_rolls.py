"""Rolls from the register: who is on one by each body, owners as heads, corrections, freezing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import AskState, Body, Stage, VoteState
from portal.deliberation.models.votes import RollDwelling, RollEntry, Vote
from portal.deliberation.service import delegates, roll_corrections, rolls, rules
from portal.deliberation.service.thresholds import Weight
from portal.registry.models import Household, Person, PersonState, Registration, Relation
from portal.registry.service import owners
from portal.registry.service.owners import OwnerFacts
from tests.deliberating import Deliberating
from tests.make import Make


@pytest.fixture
def draft(deliberating: Deliberating) -> Vote:
    return _vote(deliberating, Body.RESIDENTS_PERSONS)


def _vote(deliberating: Deliberating, body: Body, **more: object) -> Vote:
    """A draft that opens in five days, of the law's rule for its body."""
    with transaction():
        rules.load_law()
    topic = deliberating.topic(stage=Stage.VOTING)
    made = deliberating.vote(
        topic,
        body=body,
        state=VoteState.DRAFT,
        opens_at=now() + timedelta(days=5),
        closes_at=now() + timedelta(days=9),
        frozen_at=None,
    )
    made.rule = {}
    db.session.commit()
    return made


def _build(vote: Vote, deliberating: Deliberating) -> list[str]:
    with transaction():
        rolls.build(vote, by=deliberating.committee())
    return [one.name for one in rolls.entries(vote)]


def _published(vote: Vote, deliberating: Deliberating) -> Vote:
    _build(vote, deliberating)
    with transaction():
        rolls.publish(vote, until=now() + timedelta(days=3), by=deliberating.committee())
    return vote


def _born(years: int, *, days: int = 0) -> date:
    """Somebody who is so old on the day on which the vote opens, less some days."""
    opens = (now() + timedelta(days=5)).date()
    return opens.replace(year=opens.year - years) + timedelta(days=days)


def test_everybody_of_age_on_the_day_it_opens_is_on_the_roll(
    draft: Vote, make: Make, deliberating: Deliberating
) -> None:
    make.person("赵成年", born=_born(18, days=-1))
    make.person("钱未成", born=_born(18, days=3))
    make.person("孙迁出", state=PersonState.MOVED_OUT)
    make.person("李去世", state=PersonState.DEAD)
    make.person("周无日", born=None)
    make.person("吴别处", community=make.community("别的社区"))
    kept = make.person("郑留下")
    make.person("郑并入", merged_into_id=kept.id)
    assert _build(draft, deliberating) == ["赵成年", "郑留下"]
    gaps = rolls.look(draft).gaps.said
    assert [(count, names) for _words, count, names in gaps] == [(1, ["周无日"])]
    assert draft.rule["quorum"] == [1, 2]


def test_a_village_asks_where_somebody_is_registered(make: Make, deliberating: Deliberating) -> None:
    vote = _vote(deliberating, Body.VILLAGERS_PERSONS)
    make.person("赵本村", registration=Registration.LOCAL)
    make.person("钱外来", registration=Registration.OUTSIDE)
    make.person("孙不明", registration=Registration.UNKNOWN)
    assert _build(vote, deliberating) == ["赵本村"]
    assert [names for _words, _count, names in rolls.look(vote).gaps.said] == [["孙不明"]]


def test_a_household_is_one_entry_which_any_of_its_adults_may_cast(make: Make, deliberating: Deliberating) -> None:
    vote = _vote(deliberating, Body.RESIDENTS_HOUSEHOLDS)
    home = make.household()
    first = make.person("王户主", household_id=home.id, relation=Relation.HEAD)
    second = make.person("王配偶", household_id=home.id, relation=Relation.SPOUSE)
    child = make.person("王小孩", household_id=home.id, born=_born(10))
    make.person("独自人")
    assert _build(vote, deliberating) == ["王户主"]
    (entry,) = rolls.entries(vote)
    assert rolls.entries_of(vote, first) == rolls.entries_of(vote, second) == [entry]
    assert rolls.entries_of(vote, child) == []
    assert "独自人" in rolls.look(vote).gaps.said[0][2]


def test_delegates_of_the_term_are_on_the_roll_once(make: Make, deliberating: Deliberating) -> None:
    vote, by = _vote(deliberating, Body.VILLAGE_DELEGATES), deliberating.committee()
    area, started = make.community(), today() - timedelta(days=100)
    both, chosen, past = make.person("赵两任"), make.person("钱代表"), make.person("孙卸任")
    with transaction():
        for person, body, until in (
            (both, Body.COMMITTEE, None),
            (both, Body.VILLAGE_DELEGATES, None),
            (chosen, Body.VILLAGE_DELEGATES, None),
            (past, Body.VILLAGE_DELEGATES, today() - timedelta(days=1)),
        ):
            delegates.add(area, body, person, group="一组", since=started, until=until, by=by)
    assert _build(vote, deliberating) == ["赵两任", "钱代表"]
    assert "五分之四" in rolls.look(vote).gaps.said[0][0]


def test_the_same_delegate_is_not_entered_twice_in_one_term(make: Make, deliberating: Deliberating) -> None:
    by, area, person = deliberating.committee(), make.community(), make.person()
    with transaction():
        delegates.add(area, Body.COMMITTEE, person, group="", since=today(), until=None, by=by)
    with pytest.raises(Refused, match="任期还没有结束"), transaction():
        delegates.add(area, Body.COMMITTEE, person, group="", since=today() + timedelta(days=5), until=None, by=by)


# Owners


class _Estate:
    """Homes of one building with their areas, and who owns them."""

    def __init__(self, make: Make, deliberating: Deliberating) -> None:
        self.make, self.by = make, deliberating.committee()
        estate = make.add(Estate(community_id=make.community().id, name="春风里小区"))
        self.building = make.add(Building(estate_id=estate.id, name="1号楼"))

    def home(self, room: str, area: str | None, *named: OwnerFacts) -> Dwelling:
        made = self.make.add(Dwelling(building_id=self.building.id, room=room, area_m2=Decimal(area) if area else None))
        with transaction():
            for facts in named:
                owners.add(made, facts, since=None, source="不动产登记", by=self.by)
        return made


def test_owners_are_heads_whatever_they_own(make: Make, deliberating: Deliberating) -> None:
    """One with two homes is one head, a couple is one head, the developer is one head, and each alone is another."""
    estate, husband, wife = _Estate(make, deliberating), make.person("张丈夫"), make.person("张妻子")
    afar = OwnerFacts("李远方", id_number="999901194508150028")
    estate.home("101", "90.50", OwnerFacts("", person=husband), OwnerFacts("", person=wife))
    estate.home("102", "60.25", OwnerFacts("", person=wife), OwnerFacts("", person=husband))
    estate.home("103", "50", OwnerFacts("", person=husband))
    estate.home("104", "70", afar)
    estate.home("105", "30", afar)
    vote = _vote(deliberating, Body.OWNERS_ORDINARY)
    assert _build(vote, deliberating) == ["张丈夫、张妻子", "张丈夫", "李远方"]
    assert rolls.entitled(vote) == Weight(3, Decimal("300.75"))
    assert [one.area_m2 for one in rolls.entries(vote)] == [Decimal("150.75"), Decimal("50.00"), Decimal("100.00")]
    assert len(rolls.entries_of(vote, husband)) == 2
    assert len(rolls.entries_of(vote, wife)) == 1
    assert db.session.scalar(sa.select(sa.func.count(RollDwelling.id))) == 5


def test_what_the_register_lacks_of_owners_is_named_before(make: Make, deliberating: Deliberating) -> None:
    estate = _Estate(make, deliberating)
    dead = make.person("赵去世", state=PersonState.DEAD)
    estate.home("101", None, OwnerFacts("", person=make.person("钱业主")))
    estate.home("102", "80")
    estate.home("103", "70", OwnerFacts("", person=dead))
    vote = _vote(deliberating, Body.OWNERS_SPECIAL)
    assert _build(vote, deliberating) == ["钱业主", "业主未登记", "赵去世"]
    assert rolls.entitled(vote) == Weight(3, Decimal(150))
    assert [names for _words, _count, names in rolls.look(vote).gaps.said] == [
        ["春风里小区 1号楼 101"],
        ["春风里小区 1号楼 102"],
        ["赵去世"],
    ]
    assert rolls.entries_of(vote, dead) == []


def test_owners_whose_records_were_merged_are_one_head(make: Make, deliberating: Deliberating) -> None:
    estate, kept = _Estate(make, deliberating), make.person("赵桂兰")
    other = make.person("赵桂蓝")
    estate.home("101", "50", OwnerFacts("", person=kept))
    estate.home("102", "50", OwnerFacts("", person=other))
    with transaction():
        db.session.get_one(Person, other.id).merged_into_id = kept.id
    vote = _vote(deliberating, Body.OWNERS_ORDINARY)
    _build(vote, deliberating)
    assert rolls.entitled(vote) == Weight(1, Decimal(100))
    assert len(rolls.entries_of(vote, kept)) == 1


def test_an_owner_typed_by_number_is_the_person_of_that_number_and_name(make: Make, deliberating: Deliberating) -> None:
    estate, number = _Estate(make, deliberating), make.id_number()
    person = make.person("赵桂兰", community=make.community("别处社区"), id_number=number)
    estate.home("101", "50", OwnerFacts("赵桂兰", id_number=number))
    estate.home("102", "50", OwnerFacts("钱冒名", id_number=number))
    vote = _vote(deliberating, Body.OWNERS_ORDINARY)
    assert _build(vote, deliberating) == ["赵桂兰", "钱冒名"]
    assert len(rolls.entries_of(vote, person)) == 1


def test_whoever_sold_is_no_longer_an_owner(make: Make, deliberating: Deliberating) -> None:
    estate = _Estate(make, deliberating)
    home = estate.home("101", "50", OwnerFacts("老业主"))
    (title,) = owners.titles_of(home)
    with transaction():
        owners.end(title, until=today() - timedelta(days=1), why="卖给别人")
        owners.add(home, OwnerFacts("新业主"), since=today(), source="不动产登记", by=estate.by)
    assert _build(_vote(deliberating, Body.OWNERS_ORDINARY), deliberating) == ["新业主"]


def test_on_the_day_of_a_sale_the_buyer_is_the_owner_and_the_seller_is_not(
    make: Make, deliberating: Deliberating
) -> None:
    estate = _Estate(make, deliberating)
    home = estate.home("101", "50", OwnerFacts("卖方"))
    (title,) = owners.titles_of(home)
    with transaction():
        owners.end(title, until=today(), why="卖给别人")
        owners.add(home, OwnerFacts("买方"), since=today(), source="不动产登记", by=estate.by)
    names = {day: [one.owner.name for one in owners.titles_on([home.id], day)[home.id]] for day in _around(today())}
    assert list(names.values()) == [["卖方"], ["买方"], ["买方"]]
    assert [title.holds_on(day) for day in _around(today())] == [True, False, False]
    assert _build(_vote(deliberating, Body.OWNERS_ORDINARY), deliberating) == ["买方"]


def _around(day: date) -> list[date]:
    return [day - timedelta(days=1), day, day + timedelta(days=1)]


# Published, corrected, frozen


def test_numbers_stay_when_the_published_roll_is_made_again(
    draft: Vote, make: Make, deliberating: Deliberating
) -> None:
    make.person("丙居民")
    gone = make.person("乙居民")
    vote = _published(draft, deliberating)
    before = {one.name: one.number for one in rolls.entries(vote)}
    make.person("甲居民")
    with transaction():
        db.session.get_one(Person, gone.id).state = PersonState.MOVED_OUT
    _build(vote, deliberating)
    assert {one.name: one.number for one in rolls.entries(vote)} == {"丙居民": before["丙居民"], "甲居民": 3}
    assert [one.struck_why for one in rolls.entries(vote, struck=True) if one.name == "乙居民"] == [rolls.GONE]
    with transaction():
        db.session.get_one(Person, gone.id).state = PersonState.PRESENT
    _build(vote, deliberating)
    assert {one.name: one.number for one in rolls.entries(vote)} == before | {"甲居民": 3}
    assert len(rolls.entries_of(vote, gone)) == 1


def test_what_was_decided_by_hand_stays_when_the_roll_is_made_again(
    draft: Vote, make: Make, deliberating: Deliberating
) -> None:
    make.person("甲居民")
    make.person("乙居民")
    young = make.person("丙少年", born=_born(17))
    _build(draft, deliberating)
    by = deliberating.committee()
    struck = rolls.entries(draft)[0]
    with transaction():
        rolls.strike(draft, struck.number, why="长期住在外地，本人说不参加", by=by)
        rolls.add_person(draft, young, why="已满十八周岁，出生日期登记有误", by=by)
    _build(draft, deliberating)
    assert struck.name not in [one.name for one in rolls.entries(draft)]
    assert len(rolls.entries_of(draft, young)) == 1
    assert sorted(one.number for one in rolls.entries(draft, struck=True)) == [1, 2, 3]
    with transaction():
        rolls.restore(draft, struck.number, why="查明常住本地", by=by)
    assert len(rolls.entries(draft)) == 3


def test_nobody_is_put_on_the_roll_twice(draft: Vote, make: Make, deliberating: Deliberating) -> None:
    person = make.person()
    _build(draft, deliberating)
    with pytest.raises(Refused, match="已经在名册上"), transaction():
        rolls.add_person(draft, person, why="再加一次", by=deliberating.committee())


def test_a_correction_is_asked_once_and_answered(draft: Vote, make: Make, deliberating: Deliberating) -> None:
    person = make.person()
    vote, by = _published(draft, deliberating), deliberating.committee()
    with transaction():
        asked = roll_corrections.ask(vote, person, "我住 6 号楼，名册写成 5 号楼了")
    with pytest.raises(Refused, match="还在等答复"), transaction():
        roll_corrections.ask(vote, person, "再问一次")
    with pytest.raises(Refused, match="没有答复"), transaction():
        rolls.freeze(vote, at=now() + timedelta(days=4))
    with transaction():
        roll_corrections.answer(asked, upheld=True, words="已经改过来了", by=by)
    with pytest.raises(Refused, match="已经答复过"), transaction():
        roll_corrections.answer(asked, upheld=False, words="不改", by=by)
    assert make.read(asked).state is AskState.UPHELD
    with transaction():
        rolls.freeze(vote, at=now() + timedelta(days=4))


def test_corrections_are_asked_only_in_their_time(draft: Vote, make: Make, deliberating: Deliberating) -> None:
    person = make.person()
    with pytest.raises(Refused, match="更正的时间"), transaction():
        roll_corrections.ask(draft, person, "早了")
    vote = _published(draft, deliberating)
    with transaction():
        vote.corrections_until = now() - timedelta(seconds=1)
    with pytest.raises(Refused, match="更正的时间"), transaction():
        roll_corrections.ask(vote, person, "晚了")


def test_a_roll_is_frozen_after_its_corrections_and_changes_no_more(
    draft: Vote, make: Make, deliberating: Deliberating
) -> None:
    make.person("甲居民")
    vote, by = _published(draft, deliberating), deliberating.committee()
    with pytest.raises(Refused, match="还在公布更正"), transaction():
        rolls.freeze(vote, at=now())
    with transaction():
        rolls.freeze(vote, at=now() + timedelta(days=4))
        vote.state = VoteState.OPEN
    late = make.person("乙居民")
    for act in (
        lambda: rolls.build(vote, by=by),
        lambda: rolls.strike(vote, 1, why="晚了", by=by),
        lambda: rolls.add_person(vote, late, why="晚了", by=by),
    ):
        with pytest.raises(Refused, match="不能再改"), transaction():
            act()
    assert rolls.entries_of(vote, late) == []
    assert rolls.entitled(vote) == Weight(1)


def test_a_vote_keeps_the_rule_of_its_roll(draft: Vote, make: Make, deliberating: Deliberating) -> None:
    make.person()
    _build(draft, deliberating)
    (rule,) = [one for one in rules.rules(()) if one.body is Body.RESIDENTS_PERSONS]
    assert draft.rule_id == rule.id
    assert not draft.rule["confirmed"]


def test_the_published_roll_is_never_empty(draft: Vote, deliberating: Deliberating) -> None:
    _build(draft, deliberating)
    with pytest.raises(Refused, match="没有人"), transaction():
        rolls.publish(draft, until=now() + timedelta(days=3), by=deliberating.committee())
    assert db.session.scalar(sa.select(sa.func.count(RollEntry.id))) == 0


def test_a_household_number_is_no_person(make: Make, deliberating: Deliberating) -> None:
    """Units of different kinds never meet in one name."""
    vote = _vote(deliberating, Body.RESIDENTS_HOUSEHOLDS)
    home: Household = make.household()
    make.person(household_id=home.id)
    _build(vote, deliberating)
    assert [one.unit for one in rolls.entries(vote)] == [f"household:{home.id}"]
