"""Events of a person as a worker enters them: what each asks and refuses, what follows, and its undo."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import events
from portal.core.clock import now, today
from portal.core.db import db
from portal.registry.models import AgentState, FamilyAgent, Household, Person, Relation
from portal.registry.models import PersonState as State
from portal.registry.service import changes
from tests.client import Client
from tests.days import as_of_now, day_sent, later
from tests.make import Make
from tests.registry.family import Family, newest, text, undo


@pytest.fixture
def family(make: Make, client: Client) -> Family:
    return Family(make, client)


@pytest.fixture
def heard(app: Flask) -> Iterator[list[tuple[str, int]]]:
    """What siblings are told: names of events, and the number of the person."""
    told: list[tuple[str, int]] = []
    for name in ("person_died", "person_moved"):
        events.subscribe(app, name, lambda name=name, **facts: told.append((name, facts["person"].id)))
    yield told
    for name in ("person_died", "person_moved"):
        app.extensions["portal.events"][name].pop()


# ---- Every page opens ----


@pytest.mark.parametrize("event", ["death", "move-out", "move-in", "absence", "return"])
def test_the_page_of_each_event_of_a_person_opens(family: Family, event: str) -> None:
    assert family.client.get(f"/desk/people/{family.head.public_id}/{event}").status_code == 200


@pytest.mark.parametrize("event", ["", "/birth", "/split", "/join", "/head", "/edit"])
def test_the_page_of_each_event_of_a_household_opens(family: Family, event: str) -> None:
    assert family.client.get(f"/desk/people/households/{family.home.id}{event}").status_code == 200


def test_a_household_of_another_community_is_not_there(make: Make, client: Client) -> None:
    other = make.household(make.community("秋月社区"))
    client.sign_in(make.worker())
    for page in ("", "/birth", "/split", "/join", "/head", "/edit"):
        assert client.get(f"/desk/people/households/{other.id}{page}").status_code == 404


# ---- Death ----


def test_the_death_of_a_head_asks_for_the_new_one_in_the_same_form(family: Family) -> None:
    html = text(family.client.get(f"/desk/people/{family.head.public_id}/death"))
    assert "新户主" in html
    assert "新户主" not in text(family.client.get(f"/desk/people/{family.wife.public_id}/death"))
    answer = family.post(family.head, "death")
    assert answer.status_code == 422
    assert "请选择新户主" in text(answer)
    assert family.make.read(family.head).state is State.PRESENT


def test_after_a_death_relations_follow_the_new_head_and_siblings_hear_of_it(
    family: Family, heard: list[tuple[str, int]]
) -> None:
    assert family.post(family.head, "death", new_head=family.wife.public_id, note="因病").status_code == 303
    head = family.make.read(family.head)
    assert (head.state, head.state_on, head.household_id) == (State.DEAD, today(), None)
    assert family.relations() == {"李芳": "head", "张明": "son", "王秀英": "other"}
    assert heard == [("person_died", head.id)]
    assert {change.field for change in changes.history(head)} == {"state", "state_on", "household_id", "relation"}
    assert changes.history(family.make.read(family.wife))[0].row.ref == newest().public_id


def test_undoing_a_death_restores_the_household_the_relations_and_the_agents(family: Family) -> None:
    account = family.make.resident(family.make.person("陈建国"))
    agent = family.make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=family.head.id,
            principal_name="张伟",
            relation="侄子",
            state=AgentState.ACCEPTED,
            until=today() + timedelta(days=30),
            requested_at=now(),
        )
    )
    family.post(family.head, "death", new_head=family.wife.public_id)
    assert family.make.read(agent).state is AgentState.ENDED
    assert undo(family.client, newest()).status_code == 303
    assert family.make.read(agent).state is AgentState.ACCEPTED
    head = family.make.read(family.head)
    assert (head.state, head.state_on, head.household_id) == (State.PRESENT, None, family.home.id)
    assert family.relations() == {"张伟": "head", "李芳": "spouse", "张明": "son", "王秀英": "parent"}
    assert undo(family.client, newest()).status_code == 422
    assert "已经撤销过" in text(undo(family.client, newest()))


@pytest.mark.parametrize(("day", "words"), [(1, "还没有到"), ("1949-01-01", "早于张伟的出生日期")])
def test_a_death_before_the_birth_or_in_the_future_is_refused(family: Family, day: str | int, words: str) -> None:
    day = day_sent(day) if isinstance(day, int) else day
    answer = family.post(family.head, "death", day=day, new_head=family.wife.public_id)
    assert answer.status_code == 422
    assert words in text(answer)
    assert family.make.read(family.head).state is State.PRESENT


def test_nothing_happens_any_more_to_the_dead(family: Family) -> None:
    family.post(family.mother, "death")
    for event in ("death", "move-out", "move-in", "absence", "return"):
        typed = {"who": family.mother.public_id, "home": "existing", "household_number": family.home.number}
        answer = family.post(family.mother, event, **typed, relation="other", building="")
        assert answer.status_code == 422, event
        assert "去世" in text(answer)


def test_the_last_one_closes_the_household_and_undoing_opens_it_again(family: Family) -> None:
    everyone = [person.public_id for person in (family.head, family.wife, family.son, family.mother)]
    assert family.post(family.head, "move-out", who=everyone, note="搬去女儿家").status_code == 303
    assert family.make.read(family.home).closed_on == today()
    assert family.relations() == {}
    page = text(family.client.get(f"/desk/people/households/{family.home.id}"))
    assert "登记已注销" in page
    assert undo(family.client, newest()).status_code == 303
    assert family.make.read(family.home).closed_on is None
    assert len(family.relations()) == 4


# ---- Moving ----


def test_a_head_who_moves_out_leaves_the_household_to_somebody_who_stays(family: Family) -> None:
    both = [family.head.public_id, family.wife.public_id]
    answer = family.post(family.head, "move-out", who=both, new_head=family.wife.public_id)
    assert answer.status_code == 422
    assert "从留下的人里选" in text(answer)
    assert family.post(family.head, "move-out", who=both, new_head=family.son.public_id).status_code == 303
    assert family.relations() == {"张明": "head", "王秀英": "grandparent"}
    assert family.make.read(family.wife).state is State.MOVED_OUT


def test_nobody_chosen_moves_out(family: Family) -> None:
    answer = family.post(family.head, "move-out")
    assert answer.status_code == 422
    assert "请选择迁出的人" in text(answer)


def test_somebody_who_moved_out_comes_back_into_a_new_household(family: Family, heard: list[tuple[str, int]]) -> None:
    family.post(family.son, "move-out", who=family.son.public_id)
    door = family.make.dwelling(room="502")
    new = {"home": "new", "household_number": "X9", "building": str(door.building_id), "unit": "2单元", "room": "502"}
    assert family.post(family.son, "move-in", relation="other", **new).status_code == 303
    son = family.make.read(family.son)
    assert (son.state, son.relation, son.living_since) == (State.PRESENT, Relation.HEAD, today())
    assert son.household is not None
    assert son.household.dwelling_id == door.id
    assert heard == [("person_moved", son.id)] * 2
    assert undo(family.client, newest()).status_code == 303
    assert db.session.scalar(sa.select(Household).where(Household.number == "X9")) is None
    assert family.make.read(family.son).state is State.MOVED_OUT


def test_a_second_head_does_not_move_in(family: Family) -> None:
    lone = family.make.person("陈建国")
    typed = {"home": "existing", "household_number": family.home.number, "building": ""}
    answer = family.post(lone, "move-in", relation="head", **typed)
    assert answer.status_code == 422
    assert "户主是张伟" in text(answer)
    assert family.post(lone, "move-in", relation="other", **typed).status_code == 303
    answer = family.post(lone, "move-in", relation="other", **typed)
    assert "已经在这一户" in text(answer)


def test_nobody_moves_into_a_household_of_another_community(family: Family) -> None:
    other = family.make.household(family.make.community("秋月社区"))
    lone = family.make.person("陈建国")
    typed = {"home": "existing", "household_number": other.number, "building": "", "relation": "other"}
    assert "没有户号是" in text(family.post(lone, "move-in", **typed))


# ---- Absence ----


def test_an_absence_keeps_the_place_and_a_return_ends_it(family: Family) -> None:
    gone, back = today() - timedelta(days=9), today() - timedelta(days=2)
    assert family.post(family.mother, "absence", day=gone.isoformat(), until=day_sent()).status_code == 303
    mother = family.make.read(family.mother)
    assert (mother.absent_from, mother.absent_until, mother.household_id) == (gone, today(), family.home.id)
    assert "已经登记外出" in text(family.post(family.mother, "absence"))
    assert "返回日期早于外出日期" in text(family.post(family.mother, "return", day="2020-01-01"))
    assert family.post(family.mother, "return", day=back.isoformat()).status_code == 303
    assert family.make.read(family.mother).absent_from is None
    assert "没有登记外出" in text(family.post(family.mother, "return"))


def test_an_absence_without_a_day_of_return_is_told_as_such(family: Family) -> None:
    page = f"/desk/people/{family.mother.public_id}/record"
    assert family.post(family.mother, "absence").status_code == 303
    assert "哪天回来还不知道" in text(family.client.get(page))


def test_an_absence_does_not_end_before_it_begins(family: Family) -> None:
    assert "预计返回日期早于外出日期" in text(family.post(family.mother, "absence", until="2020-01-01"))


# ---- Birth ----


def birth(family: Family, **typed: Any) -> TestResponse:
    form = {"name": "张小宝", "sex": "female", "relation": "grandchild", "guardian": "", "ethnicity": "", "idem": "b"}
    return family.at_home("birth", **{**form, **typed})


def test_a_newborn_gets_a_temporary_number_a_guardian_and_a_place(family: Family) -> None:
    assert birth(family, guardian=family.son.public_id, ethnicity="01").status_code == 303
    child = db.session.scalars(sa.select(Person).where(Person.name == "张小宝")).one()
    assert (child.birth_date, child.relation, child.guardian_id) == (today(), Relation.GRANDCHILD, family.son.id)
    assert child.household_id == family.home.id
    assert child.temporary_number is not None
    assert birth(family, guardian=family.son.public_id, ethnicity="01").status_code == 303
    assert len(list(db.session.scalars(sa.select(Person).where(Person.name == "张小宝")))) == 1
    assert undo(family.client, newest()).status_code == 303
    assert db.session.scalar(sa.select(Person).where(Person.name == "张小宝")) is None
    assert "张小宝" in text(family.client.get("/desk/people/happenings"))


def test_a_birth_with_orders_leaning_on_it_is_not_undone(family: Family) -> None:
    birth(family)
    happening = newest()
    child = db.session.scalars(sa.select(Person).where(Person.name == "张小宝")).one()
    family.make.order(family.make.menu(), child)
    answer = undo(family.client, happening)
    assert answer.status_code == 422
    assert "已经有订餐" in text(answer)
    assert family.make.read(child).household_id == family.home.id


@pytest.mark.parametrize(("typed", "words"), [({"day": later(day_sent, 1)}, "还没有到"), ({"name": ""}, "请填写姓名")])
def test_a_birth_is_refused_in_words(family: Family, typed: dict[str, str], words: str) -> None:
    answer = birth(family, **as_of_now(typed))
    assert answer.status_code == 422
    assert words in text(answer)


# ---- Dates ----


def test_the_list_of_events_and_each_of_its_pages_say_a_day_as_people_do(family: Family) -> None:
    gone = today() - timedelta(days=400)
    assert family.post(family.mother, "absence", day=gone.isoformat(), until=day_sent()).status_code == 303
    said = f"{gone.year}年{gone.month}月{gone.day}日"
    one = newest().public_id
    pages = ("happenings", f"happenings/{one}", f"happenings/{one}/undo", f"{family.mother.public_id}/record")
    for page in pages:
        shown = family.client.get(f"/desk/people/{page}").text
        assert said in shown, page
