"""Any sequence of events and undos leaves households consistent, and undoing all of it restores the first state."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.areas.models import Area, Dwelling
from portal.core.access import Actor, Platform
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.ids import Sex
from portal.registry.models import Happening, Household, Person, PersonState, Relation
from portal.registry.service import families, happenings, households, kinship, lives, moves
from portal.registry.service.lives import Newborn
from tests.make import Make

CHANGE_OF_EVERY_EDIT = {"version", "updated_at"}
step = st.tuples(
    st.sampled_from(
        ["birth", "death", "move_in", "move_out", "all_out", "absence", "return", "split", "join", "head", "undo"]
    ),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 30),
)

WORKER = Actor(0, "worker", "周洁", Platform.DESK, (), 0, datetime(2026, 1, 1, tzinfo=UTC))


class Village:
    """A community of three households in two homes, whose people a test may put through anything."""

    def __init__(self, make: Make) -> None:
        self.community = make.community()
        self.doors = [make.dwelling(room="101").id, make.dwelling(room="102").id]
        self.homes_at_first = [make.household(), make.household(), make.household()]
        for number, home in enumerate(self.homes_at_first):
            for relation in (Relation.HEAD, Relation.SPOUSE, Relation.SON)[: number + 1]:
                make.person(f"甲{number}{relation}", household_id=home.id, relation=relation, born=date(1970, 1, 1))
        make.person("独行", born=date(1970, 1, 1))
        self.count = 0

    def everyone(self) -> list[Person]:
        return list(db.session.scalars(sa.select(Person).order_by(Person.id)))

    def homes(self) -> list[Household]:
        return list(db.session.scalars(sa.select(Household).order_by(Household.id)))

    def act(self, name: str, first: int, second: int, third: int) -> None:
        """One event about people and homes that the numbers pick, or an undo of the newest or of any."""
        acts: dict[str, Callable[[], Any]] = {
            "birth": lambda: lives.birth(self._home(first), self._child(), by=WORKER),
            "death": lambda: lives.death(
                self._person(first), day=self._day(third), new_head=self._other(first, second)
            ),
            "move_in": lambda: moves.move_in(
                self._person(first),
                self._home(second),
                day=self._day(third),
                relation=list(Relation)[third % len(Relation)],
                new_head=self._other(first, third),
            ),
            "move_out": lambda: moves.move_out(
                [self._person(first)], day=self._day(third), new_head=self._other(first, second)
            ),
            "all_out": lambda: moves.move_out(households.living(self._home(first)), day=self._day(third)),
            "absence": lambda: lives.absence(self._person(first), day=self._day(third), until=None),
            "return": lambda: lives.come_back(self._person(first), day=self._day(third)),
            "split": lambda: self._split(self._home(first), second, third),
            "join": lambda: families.join(
                self._home(first), self._home(second), day=self._day(third), relations=self._told(third)
            ),
            "head": lambda: self._head(self._home(first), second, third),
            "undo": lambda: self._undo(first),
        }
        with suppress(Refused), db.session.begin_nested():
            acts[name]()

    def _person(self, number: int) -> Person:
        return (found := self.everyone())[number % len(found)]

    def _home(self, number: int) -> Household:
        return (found := self.homes())[number % len(found)]

    def _day(self, number: int) -> date:
        return today() - timedelta(days=number - 1)

    def _child(self) -> Newborn:
        return Newborn(name="新儿", sex=Sex.FEMALE, birth_date=today() - timedelta(days=3), relation=Relation.DAUGHTER)

    def _other(self, number: int, pick: int) -> Person | None:
        """Somebody else of the same household, or now and then nobody."""
        person = self._person(number)
        home = person.household
        others = [member for member in households.living(home) if member.id != person.id] if home else []
        return others[pick % len(others)] if others and pick % 5 else None

    def _split(self, home: Household, second: int, third: int) -> None:
        members = households.living(home)
        goers = [person for place, person in enumerate(members) if (second >> place) & 1]
        head = members[third % len(members)] if members else self._person(0)
        staying = [person for person in members if person not in goers]
        self.count += 1
        door = db.session.get_one(Dwelling, self.doors[third % 2]) if third % 3 else None
        about = {
            "number": f"新{self.count}",
            "dwelling": door,
            "new_head": staying[0] if staying and third % 2 else None,
        }
        families.split(home, goers, day=self._day(third), head=head, **about)

    def _head(self, home: Household, second: int, third: int) -> None:
        members = households.living(home)
        chosen = members[second % len(members)] if members else self._person(second)
        families.change_head(home, chosen, day=self._day(third), relations=self._told(third))

    def _told(self, number: int) -> dict[int, Relation]:
        relations = list(Relation)
        return {person.id: relations[(person.id + number) % len(relations)] for person in self.everyone()[: number % 5]}

    def _undo(self, number: int) -> None:
        standing = self.standing()
        if standing:
            happenings.undo(standing[number % len(standing)], reason="登记错了")

    def standing(self) -> list[Happening]:
        """Events that are not undone, the newest first."""
        query = sa.select(Happening).where(Happening.undone_at.is_(None)).order_by(Happening.id.desc())
        return list(db.session.scalars(query))

    def state(self) -> dict[str, list[dict[str, Any]]]:
        db.session.flush()
        return {
            model.__tablename__: [
                {key: value for key, value in row._mapping.items() if key not in CHANGE_OF_EVERY_EDIT}
                for row in db.session.execute(sa.select(model.__table__).order_by(model.__table__.c.id))
            ]
            for model in (Person, Household, Dwelling, Area)
        }


def refuse_nonsense(village: Village) -> None:
    """What must be true after every step."""
    db.session.flush()
    db.session.expire_all()
    by_id = {home.id: home for home in village.homes()}
    for home in by_id.values():
        members = households.living(home)
        assert sum(person.relation is Relation.HEAD for person in members) <= 1
        assert not (home.closed_on and members), "a closed household has somebody"
        assert home.dwelling is None or home.dwelling.building.estate.community_id == home.community_id
    for person in village.everyone():
        if person.state is not PersonState.PRESENT:
            assert person.household_id is None, "the dead and the gone live nowhere"
            assert person.relation is Relation.OTHER
        if person.household_id is not None:
            assert person.community_id == by_id[person.household_id].community_id
        if person.absent_from is not None:
            assert person.state is PersonState.PRESENT


@pytest.fixture
def village(make: Make) -> Village:
    return Village(make)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, min_size=4, max_size=14))
def test_any_sequence_leaves_households_consistent_and_undoing_it_all_restores_the_first_state(
    village: Village, steps: list[tuple[str, int, int, int]]
) -> None:
    # Each example works in one transaction on the village of this test, and leaves nothing behind.
    db.session.rollback()
    first = village.state()
    for one in steps:
        village.act(*one)
        refuse_nonsense(village)
    for happening in village.standing():
        happenings.undo(happening, reason="都登记错了")
        refuse_nonsense(village)
    assert village.state() == first
    db.session.rollback()


def test_relations_follow_from_the_new_head(make: Make) -> None:
    home = make.household()
    old = make.person("张伟", household_id=home.id, relation=Relation.HEAD, sex=Sex.MALE)
    wife = make.person("李芳", household_id=home.id, relation=Relation.SPOUSE)
    son = make.person("张明", household_id=home.id, relation=Relation.SON, sex=Sex.MALE)
    mother = make.person("王秀英", household_id=home.id, relation=Relation.PARENT)
    members = [old, wife, son, mother]
    under_wife = kinship.under(wife, members)
    assert [under_wife[person.id] for person in members] == [
        Relation.SPOUSE,
        Relation.HEAD,
        Relation.SON,
        Relation.OTHER,
    ]
    under_son = kinship.under(son, members)
    assert [under_son[person.id] for person in members] == [
        Relation.PARENT,
        Relation.PARENT,
        Relation.HEAD,
        Relation.GRANDPARENT,
    ]
    under_mother = kinship.under(mother, members)
    assert under_mother[old.id] is Relation.SON
    assert under_mother[son.id] is Relation.GRANDCHILD
