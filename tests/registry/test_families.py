"""Events of whole households, undoing in order, the list of events, and the household itself."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import events
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import Happening, HappeningKind, Household, Person, Relation
from tests.client import Client
from tests.days import day_sent
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


# ---- Split, join, change of head ----


def split(family: Family, *who: Person, head: Person, **typed: Any) -> TestResponse:
    form = {"number": "X2", "lives": "same", "building": "", "new_head": "", "head": head.public_id}
    return family.at_home("split", who=[person.public_id for person in who], **{**form, **typed})


def test_a_split_makes_a_household_with_its_own_head_and_home(family: Family) -> None:
    door = family.make.dwelling(room="502")
    where = {"lives": "other", "building": str(door.building_id), "unit": "2单元", "room": "502"}
    assert split(family, family.son, family.mother, head=family.son, **where).status_code == 303
    made = db.session.scalars(sa.select(Household).where(Household.number == "X2")).one()
    assert made.dwelling_id == door.id
    assert family.relations(made) == {"张明": "head", "王秀英": "grandparent"}
    assert family.relations() == {"张伟": "head", "李芳": "spouse"}
    assert undo(family.client, newest()).status_code == 303
    assert family.relations() == {"张伟": "head", "李芳": "spouse", "张明": "son", "王秀英": "parent"}
    assert db.session.scalar(sa.select(Household).where(Household.number == "X2")) is None


def test_who_lives_alone_is_offered_no_form_to_split_off(family: Family, make: Make) -> None:
    alone = make.household()
    make.person("独一人", relation=Relation.HEAD, household_id=alone.id)
    page = text(family.client.get(f"/desk/people/households/{alone.id}/split"))
    assert ("没有人可以分出去" in page, 'name="who"' in page) == (True, False)


def test_a_split_is_refused_in_words(family: Family) -> None:
    everyone = (family.head, family.wife, family.son, family.mother)
    for answer, words in (
        (split(family, head=family.son), "请选择分出去的人"),
        (split(family, *everyone, head=family.son), "全户一起走不是分户"),
        (split(family, family.son, head=family.wife), "从分出去的人里选"),
        (split(family, family.head, head=family.head), "请选择新户主"),
        (split(family, family.son, head=family.son, number=family.home.number), "已经有户号"),
        (split(family, family.son, head=family.son, day=day_sent(1)), "还没有到"),
        (split(family, family.son, head=family.son, lives="other"), "请选择楼栋"),
    ):
        assert answer.status_code == 422, words
        assert words in text(answer)
    assert len(family.relations()) == 4


def test_two_households_join_under_the_head_of_the_one_that_stays(family: Family) -> None:
    other = family.make.household()
    guest = family.make.person("陈建国", household_id=other.id, relation=Relation.HEAD)
    page = f"/desk/people/households/{family.home.id}/join?number={other.number}"
    assert "陈建国" in text(family.client.get(page))
    typed = {"day": day_sent(), f"relation_{guest.id}": "sibling"}
    assert family.client.post(page, data=typed).status_code == 303
    assert family.relations()["陈建国"] == "sibling"
    assert family.make.read(other).closed_on == today()
    assert "登记已注销" in text(family.client.get(page)), "a closed household does not join again"
    assert undo(family.client, newest()).status_code == 303
    assert family.relations(other) == {"陈建国": "head"}


def test_a_household_does_not_join_itself(family: Family) -> None:
    answer = family.client.get(f"/desk/people/households/{family.home.id}/join?number={family.home.number}")
    assert answer.status_code == 422
    assert "这是同一户" in text(answer)


def test_a_change_of_head_proposes_the_relations_and_takes_corrections(family: Family) -> None:
    page = f"/desk/people/households/{family.home.id}/head?head={family.son.public_id}"
    html = text(family.client.get(page))
    assert "新户主：张明" in html
    assert '<option selected value="grandparent">' in html
    typed = {
        "day": day_sent(),
        f"relation_{family.head.id}": "parent",
        f"relation_{family.wife.id}": "other",
        f"relation_{family.mother.id}": "grandparent",
    }
    assert family.client.post(page, data=typed).status_code == 303
    assert family.relations() == {"张明": "head", "张伟": "parent", "李芳": "other", "王秀英": "grandparent"}
    assert family.client.get(f"{page}x").status_code == 404


# ---- Undoing in order, and the list ----


def test_an_undo_names_the_later_event_that_must_go_first(family: Family) -> None:
    family.post(family.mother, "absence")
    first = newest()
    family.post(family.head, "death", new_head=family.wife.public_id)
    answer = undo(family.client, first)
    assert answer.status_code == 422
    assert f"请先撤销后来的这一条：{day_sent()} 去世（张伟）" in text(answer)
    assert undo(family.client, newest()).status_code == 303
    assert undo(family.client, first).status_code == 303
    assert family.make.read(family.mother).absent_from is None


def test_an_undo_does_not_overwrite_a_later_edit(family: Family) -> None:
    lone = family.make.person("陈建国")
    typed = {"home": "existing", "household_number": family.home.number, "building": "", "relation": "other"}
    family.post(lone, "move-in", **typed)
    lone = family.make.read(lone)
    said = {"version": str(lone.version), "relation": "sibling", "guardian": ""}
    assert family.client.post(f"/desk/people/{lone.public_id}/edit/family", data=said).status_code == 303
    answer = undo(family.client, newest())
    assert answer.status_code == 422, "the relation was stated anew since"
    assert "与户主关系" in text(answer)


def test_an_undo_asks_why_and_is_on_the_record(family: Family) -> None:
    family.post(family.mother, "absence")
    happening = newest()
    assert undo(family.client, happening, reason="").status_code == 422
    assert undo(family.client, happening, reason="登记错人").status_code == 303
    rows = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.happening_undone"))
    assert [row.reason for row in rows] == ["登记错人"]
    page = text(family.client.get(f"/desk/people/happenings/{happening.public_id}"))
    assert "登记错人" in page
    assert "已撤销" in text(family.client.get(f"/desk/people/{family.mother.public_id}/record"))


def test_the_list_of_events_is_filtered_paged_and_empty_at_first(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    client.sign_in(make.worker())
    assert "没有登记事件" in text(client.get("/desk/people/happenings"))
    for _time in range(16):
        client.post(f"/desk/people/{person.public_id}/absence", data={"day": day_sent()})
        client.post(f"/desk/people/{person.public_id}/return", data={"day": day_sent()})
    html = text(client.get("/desk/people/happenings"))
    assert "下一页" in html
    only = text(client.get("/desk/people/happenings?kind=absence"))
    assert "外出返回</span>" not in only
    oldest = min(db.session.scalars(sa.select(Happening.id).order_by(Happening.id.desc()).limit(30)))
    assert "下一页" not in text(client.get(f"/desk/people/happenings?before={oldest}"))


def test_a_grid_worker_reads_events_of_her_grid_and_undoes_none(make: Make, client: Client) -> None:
    grid, other = make.grid(), make.grid(name="第二网格")
    mine, theirs = make.person("王秀英", grid=grid), make.person("陈建国", grid=other)
    client.sign_in(make.worker())
    for person in (mine, theirs):
        client.post(f"/desk/people/{person.public_id}/absence", data={"day": day_sent()})
    hers = newest()
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    html = text(client.get("/desk/people/happenings"))
    assert "王秀英" in html
    assert "陈建国" not in html
    assert client.get(f"/desk/people/happenings/{hers.public_id}").status_code == 404
    assert undo(client, hers).status_code == 403
    assert client.post(f"/desk/people/{mine.public_id}/return", data={"day": day_sent()}).status_code == 403


def test_another_communitys_events_are_not_there(make: Make, client: Client) -> None:
    other = make.community("秋月社区")
    person = make.person("陈建国", community=other)
    client.sign_in(make.worker(scope=other))
    client.post(f"/desk/people/{person.public_id}/absence", data={"day": day_sent()})
    happening = newest()
    client.sign_in(make.worker(scope=make.community()))
    assert "陈建国" not in text(client.get("/desk/people/happenings"))
    assert client.get(f"/desk/people/happenings/{happening.public_id}").status_code == 404
    assert undo(client, happening).status_code == 404


# ---- The household itself ----


def test_a_household_moves_to_another_door_with_its_people(family: Family, heard: list[tuple[str, int]]) -> None:
    door = family.make.dwelling(room="502")
    said = {"number": "N77", "building": str(door.building_id), "unit": "2单元", "room": "502", "idem": "k"}
    assert family.at_home("edit", **said).status_code == 303
    home = family.make.read(family.home)
    assert (home.number, home.dwelling_id) == ("N77", door.id)
    assert {name for name, _id in heard} == {"person_moved"}
    assert len(heard) == 4
    assert "已经有户号" in text(
        family.client.post("/desk/people/households/new", data={"number": "N77", "building": "", "idem": "l"})
    )


def test_a_new_household_waits_for_its_first_member(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    assert client.get("/desk/people/households/new").status_code == 200
    assert client.post("/desk/people/households/new", data={"number": "X1", "building": ""}).status_code == 303
    home = db.session.scalars(sa.select(Household)).one()
    html = text(client.get(f"/desk/people/households/{home.id}"))
    assert "这一户没有成员" in html
    assert f"/desk/people/new?household={home.id}" in html


def test_a_community_worker_of_two_events_at_once_gets_one(family: Family) -> None:
    assert family.post(family.mother, "death").status_code == 303
    answer = family.post(family.mother, "death")
    assert answer.status_code == 422
    assert "已经登记过去世" in text(answer)
    kinds = [one.kind for one in db.session.scalars(sa.select(Happening).order_by(Happening.id))]
    assert kinds == [HappeningKind.DEATH]


def test_a_rooms_page_leads_to_a_new_household_behind_its_door(make: Make, client: Client) -> None:
    door = make.dwelling(room="502")
    client.sign_in(make.worker())
    html = text(client.get(f"/desk/people/rooms/{door.id}"))
    assert f"/desk/people/households/new?dwelling={door.id}" in html
    form = text(client.get(f"/desk/people/households/new?dwelling={door.id}"))
    assert 'value="502"' in form
    assert f'<option selected value="{door.building_id}">' in form
