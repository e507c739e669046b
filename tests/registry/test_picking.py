"""A household or a home is looked for inside the form that needs it, and picked from what was found."""

from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.db import db
from portal.registry.models import Household, Person, PersonState, Relation
from tests.client import Client
from tests.days import day_sent
from tests.make import Make
from tests.registry.family import Family, text

LOOK_HOME = {"household_look": "1"}
LOOK_DOOR = {"door_look": "1"}


@pytest.fixture
def family(make: Make, client: Client) -> Family:
    return Family(make, client)


def new(client: Client, **typed: Any) -> TestResponse:
    form = {
        "name": "赵大年",
        "id_kind": "id_card",
        "id_number": "",
        "sex": "unknown",
        "birth_date": "1960-01-01",
        "ethnicity": "",
        "phone": "",
        "home": "existing",
        "relation": "other",
        "day": day_sent(),
        "note": "",
        "idem": "k1",
    }
    return client.post("/desk/people/new", data={**form, **typed})


@pytest.mark.parametrize("words", ["张伟", "6号楼 301", "6号楼2单元301", "zhangwei"])
def test_a_newcomers_household_is_looked_for_with_everything_typed_kept(family: Family, words: str) -> None:
    step = new(family.client, household_words=words, note="来投亲", **LOOK_HOME)
    assert step.status_code == 200
    page = text(step)
    assert f'value="{family.home.id}"' in page
    assert "户主张伟" in page
    assert 'value="赵大年"' in page
    assert "来投亲" in page
    assert "有内容需要修改" not in page
    assert db.session.scalar(sa.select(Person).where(Person.name == "赵大年")) is None
    done = new(family.client, household_words=words, household_id=str(family.home.id))
    assert done.status_code == 303
    person = db.session.scalars(sa.select(Person).where(Person.name == "赵大年")).one()
    assert person.household_id == family.home.id


def test_what_was_found_is_still_there_when_another_field_is_wrong(family: Family) -> None:
    answer = new(family.client, name="", household_words="张伟", household_id=str(family.home.id))
    assert answer.status_code == 422
    assert f'value="{family.home.id}" checked' in " ".join(text(answer).split())


def test_a_search_that_finds_nothing_says_what_to_do(family: Family) -> None:
    assert "这个社区没有找到这样的户" in text(new(family.client, household_words="诸葛亮", **LOOK_HOME))
    assert "请先输入要查找的内容" in text(new(family.client, household_words="", **LOOK_HOME))
    answer = new(family.client, household_words="张伟")
    assert answer.status_code == 422
    assert "查找并选一户" in text(answer)


def test_the_household_whose_page_led_here_is_picked_already(family: Family) -> None:
    page = text(family.client.get(f"/desk/people/new?household={family.home.id}"))
    assert f'value="{family.home.id}" checked' in " ".join(page.split())


def test_a_household_out_of_scope_is_neither_found_nor_picked(family: Family) -> None:
    far = family.make.community("荷塘社区")
    strange = family.make.household(far)
    family.make.person("诸葛亮", community=far, household_id=strange.id, relation=Relation.HEAD)
    assert strange.number not in text(new(family.client, household_words="诸葛亮", **LOOK_HOME))
    assert new(family.client, household_id=str(strange.id)).status_code == 422


def test_a_new_households_home_is_looked_for_and_picked(family: Family) -> None:
    door = family.make.dwelling(room="502")
    typed = {"home": "new", "household_number": "X9", "door_words": "6号楼 502"}
    step = new(family.client, **typed, **LOOK_DOOR)
    assert step.status_code == 200
    assert f'value="{door.id}"' in text(step)
    assert new(family.client, **typed, dwelling_id=str(door.id)).status_code == 303
    made = db.session.scalars(sa.select(Household).where(Household.number == "X9")).one()
    assert made.dwelling_id == door.id
    far = family.make.dwelling(family.make.community("荷塘社区"), room="502")
    typed = {"home": "new", "household_number": "X10", "idem": "k2", "name": "钱二"}
    assert new(family.client, **typed, dwelling_id=str(far.id)).status_code == 303
    made = db.session.scalars(sa.select(Household).where(Household.number == "X10")).one()
    assert made.dwelling_id is None, "a home of another community is not one to pick"


def test_somebody_moves_into_a_household_that_was_found(family: Family) -> None:
    guest = family.make.person("陈建国", grid=family.make.grid())
    typed = {"home": "existing", "relation": "other", "household_words": "张伟"}
    step = family.post(guest, "move-in", **typed, **LOOK_HOME)
    assert step.status_code == 200
    assert "户主张伟" in text(step)
    assert family.make.read(guest).household_id is None
    assert family.post(guest, "move-in", **typed, household_id=str(family.home.id)).status_code == 303
    assert family.make.read(guest).household_id == family.home.id


def test_who_splits_off_looks_for_the_new_home(family: Family) -> None:
    door = family.make.dwelling(room="502")
    typed = {"number": "X2", "lives": "other", "who": [family.son.public_id], "head": family.son.public_id}
    step = family.at_home("split", **typed, door_words="502", **LOOK_DOOR)
    assert step.status_code == 200
    assert f'value="{door.id}"' in text(step)
    assert 'value="X2"' in text(step)
    assert family.at_home("split", **typed, building="", new_head="", dwelling_id=str(door.id)).status_code == 303
    made = db.session.scalars(sa.select(Household).where(Household.number == "X2")).one()
    assert made.dwelling_id == door.id


def test_a_household_moves_to_a_home_that_was_found(family: Family) -> None:
    door = family.make.dwelling(room="502")
    typed = {"number": family.home.number, "building": "", "idem": "k1"}
    assert f'value="{door.id}"' in text(family.at_home("edit", **typed, door_words="502", **LOOK_DOOR))
    assert family.at_home("edit", **typed, dwelling_id=str(door.id)).status_code == 303
    assert family.make.read(family.home).dwelling_id == door.id


def test_the_other_household_of_a_join_is_looked_for(family: Family) -> None:
    other = family.make.household()
    family.make.person("陈建国", household_id=other.id, relation=Relation.HEAD)
    page = text(family.at_home("join", household_words="陈建国", **LOOK_HOME))
    link = f"/desk/people/households/{family.home.id}/join?number={other.number}"
    assert link in page
    assert "户主张伟" not in text(family.at_home("join", household_words="张伟", **LOOK_HOME)), "not with itself"
    assert "并进来的人和本户户主的关系" in text(family.client.get(link))


def test_a_closed_household_is_not_found(family: Family) -> None:
    alone = family.make.household()
    person = family.make.person("陈建国", household_id=alone.id, relation=Relation.HEAD)
    assert family.post(person, "move-out", who=person.public_id).status_code == 303
    assert family.make.read(person).state is PersonState.MOVED_OUT
    assert alone.number not in text(new(family.client, household_words=alone.number, **LOOK_HOME)).replace(
        f'value="{alone.number}"', ""
    )


def test_with_scripts_only_the_search_comes_back(family: Family) -> None:
    headers = {"HX-Request": "true", "HX-Target": "home-pick"}
    typed = {"name": "赵大年", "home": "existing", "household_words": "张伟", **LOOK_HOME}
    part = text(family.client.post("/desk/people/new", data=typed, headers=headers))
    assert "户主张伟" in part
    assert "<html" not in part
