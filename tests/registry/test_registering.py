"""Registering by hand: who comes, who is there already, and what undoing a registration may take away."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event as database_event
from werkzeug.test import TestResponse

from portal.core import ids, settings
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.ids import Sex
from portal.registry.models import Happening, Person, PersonState, Relation
from portal.registry.service import beyond, happenings
from portal.registry.service.people import Scope
from tests.client import Client
from tests.days import as_of_now, day_sent, later
from tests.make import Make


def new(client: Client, **typed: Any) -> TestResponse:
    form = {
        "name": "张新民",
        "id_kind": "id_card",
        "sex": "unknown",
        "ethnicity": "",
        "home": "none",
        "relation": "other",
        "building": "",
        "day": today().isoformat(),
        "idem": "k",
    }
    return client.post("/desk/people/new", data={**form, **typed})


def newest() -> Person:
    db.session.rollback()
    return db.session.scalars(sa.select(Person).order_by(Person.id.desc()).limit(1)).one()


def last_happening() -> Happening:
    db.session.rollback()
    return db.session.scalars(sa.select(Happening).order_by(Happening.id.desc()).limit(1)).one()


def undo(client: Client, happening: Happening) -> TestResponse:
    return client.post(f"/desk/people/happenings/{happening.public_id}/undo", data={"reason": "登记错了"})


def test_a_newcomer_with_a_number_is_registered_into_a_household(make: Make, client: Client) -> None:
    home = make.household()
    head = make.person("王秀英", household_id=home.id, relation=Relation.HEAD, grid=make.grid())
    number = make.id_number(date(1980, 3, 2), Sex.MALE)
    client.sign_in(make.worker(name="周洁"))
    assert client.get(f"/desk/people/new?household={home.id}").status_code == 200
    answer = new(client, id_number=number, home="existing", household_number=home.number, relation="son", idem="a")
    assert answer.status_code == 303
    person = newest()
    assert (person.name, person.id_number, person.birth_date, person.sex) == (
        "张新民",
        number,
        date(1980, 3, 2),
        Sex.MALE,
    )
    assert (person.household_id, person.relation, person.grid_id) == (home.id, Relation.SON, head.grid_id)
    assert person.temporary_number is None
    assert person.flags == []
    assert "姓名" in client.get(f"/desk/people/{person.public_id}/history").get_data(as_text=True)


def test_strangers_without_documents_get_running_temporary_numbers_completed_later(make: Make, client: Client) -> None:
    code = make.community().code
    client.sign_in(make.worker())
    assert new(client, name="无名氏", idem="a").status_code == 303
    first = newest()
    assert new(client, name="无名氏", idem="b").status_code == 303
    second = newest()
    assert [person.temporary_number for person in (first, second)] == [
        ids.temporary_number(code, 1),
        ids.temporary_number(code, 2),
    ]
    assert first.flags == ["no_number"]
    assert str(first.temporary_number) in client.get(f"/desk/people/{first.public_id}/record").get_data(as_text=True)
    number = make.id_number(date(1948, 3, 2))
    plain = {"marriage": "unknown", "schooling": "unknown", "politics": "unknown", "work": "unknown", "ethnicity": ""}
    said = {"version": "2", "name": "无名氏", "sex": "unknown", "id_kind": "id_card", "id_number": number, **plain}
    assert client.post(f"/desk/people/{second.public_id}/edit", data=said).status_code == 303
    second = make.read(second)
    assert (second.id_number, second.flags) == (number, [])
    new(client, name="又一位", idem="c")
    assert newest().temporary_number == ids.temporary_number(code, 3), "a number that was given is not given again"


def test_the_first_of_a_new_household_is_its_head_and_the_door_is_made(make: Make, client: Client) -> None:
    door = make.dwelling(room="301")
    client.sign_in(make.worker())
    where = {"building": str(door.building_id), "unit": "2单元", "room": "302"}
    answer = new(client, home="new", household_number="X1", relation="other", **where)
    assert answer.status_code == 303
    person = newest()
    assert person.relation is Relation.HEAD
    assert person.household is not None
    assert person.household.dwelling is not None
    assert (person.household.number, person.household.dwelling.room) == ("X1", "302")
    assert client.get(f"/desk/people/households/{person.household.id}").status_code == 200


def test_the_same_number_in_scope_leads_to_that_person(make: Make, client: Client) -> None:
    held = make.person("王秀英")
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = new(client, id_number=held.id_number)
    assert answer.status_code == 422
    assert f"/desk/people/{held.public_id}/record" in answer.get_data(as_text=True)
    assert newest().id == held.id


def test_the_same_number_elsewhere_is_told_without_a_name(make: Make, client: Client) -> None:
    held = make.person("欧阳静", community=make.community("秋月社区"))
    client.sign_in(make.worker())
    client.shows_numbers = True
    html = new(client, id_number=held.id_number, is_another="y").get_data(as_text=True)
    assert "您管辖范围以外" in html
    assert "欧阳静" not in html
    assert "秋月社区" not in html
    assert held.public_id not in html
    assert newest().id == held.id
    told = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.number_elsewhere"))
    assert [row.facts for row in told] == [{}], "that one was there is on the record, whose it is not"
    with transaction():
        settings.put(beyond.HOURLY, 1, valid_from=today(), by="test")
    assert new(client, id_number=held.id_number).status_code == 429


def test_the_same_name_and_birth_date_is_shown_and_may_go_on(make: Make, client: Client) -> None:
    held = make.person("张新民", born=date(1980, 3, 2))
    client.sign_in(make.worker())
    answer = new(client, birth_date="1980-03-02")
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert f"/desk/people/{held.public_id}/record" in html
    assert "不是同一个人" in html
    assert new(client, birth_date="1980-03-02", is_another="y").status_code == 303
    assert newest().id != held.id


def test_a_double_click_registers_one_person(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    assert new(client, idem="same").status_code == 303
    assert new(client, idem="same").status_code == 303
    assert len(list(db.session.scalars(sa.select(Person)))) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "请填写姓名"),
        ({"day": later(day_sent, 1)}, "日期还没有到"),
        ({"birth_date": later(day_sent, 1)}, "出生日期还没有到"),
        ({"home": "existing", "household_number": "没有的户"}, "没有户号是"),
        ({"home": "existing", "household_number": ""}, "请填写户号"),
        ({"id_number": "110105194912310021"}, "最后一位对不上"),
        ({"id_kind": "residence_permit", "id_number": "11010519491231002X"}, "810000"),
        ({"id_number": "810000199408230021"}, "港澳台居民居住证"),
    ],
)
def test_a_newcomer_is_refused_in_words(make: Make, client: Client, typed: dict[str, str], words: str) -> None:
    make.community()
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = new(client, **as_of_now(typed))
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert list(db.session.scalars(sa.select(Person))) == []


# ---- Taking somebody in whom another community let go ----


def let_go(make: Make) -> Person:
    """Somebody of another community who moved out of it."""
    other = make.community("秋月社区")
    return make.person("欧阳静", community=other, state=PersonState.MOVED_OUT, state_on=today())


def test_somebody_who_moved_out_elsewhere_comes_with_her_record(make: Make, client: Client) -> None:
    person = let_go(make)
    home = make.household()
    client.sign_in(make.worker())
    client.shows_numbers = True
    typed = {"name": "欧阳静", "id_number": person.id_number, "home": "existing", "household_number": home.number}
    answer = new(client, **typed)
    assert answer.status_code == 422
    assert "转入本社区" in answer.get_data(as_text=True)
    assert "秋月社区" not in answer.get_data(as_text=True)
    assert new(client, **typed, takes_over="y").status_code == 303
    person = make.read(person)
    assert (person.community_id, person.household_id, person.state) == (
        make.community().id,
        home.id,
        PersonState.PRESENT,
    )
    assert person.relation is Relation.HEAD
    assert undo(client, last_happening()).status_code == 303
    person = make.read(person)
    assert person.community_id != make.community().id
    assert (person.state, person.household_id) == (PersonState.MOVED_OUT, None)


@pytest.mark.parametrize("name", ["欧阳静", "别人"])
def test_nobody_is_taken_who_still_lives_there_or_bears_another_name(make: Make, client: Client, name: str) -> None:
    state = PersonState.PRESENT if name == "欧阳静" else PersonState.MOVED_OUT
    person = make.person("欧阳静", community=make.community("秋月社区"), state=state)
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = new(client, name=name, id_number=person.id_number, takes_over="y")
    assert answer.status_code == 422
    assert "您管辖范围以外" in answer.get_data(as_text=True)
    assert make.read(person).community_id != make.community().id


# ---- Undoing a registration ----


def test_a_registration_is_undone_as_long_as_nothing_leans_on_it(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    new(client, home="new", household_number="X1")
    assert undo(client, last_happening()).status_code == 303
    assert list(db.session.scalars(sa.select(Person))) == []


def test_a_registration_that_was_worked_on_is_not_undone(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    new(client)
    person = newest()
    said = {"name": "张明", "relation": "儿子", "phone": "13900001234"}
    assert client.post(f"/desk/people/{person.public_id}/contacts", data=said).status_code == 303
    answer = undo(client, last_happening())
    assert answer.status_code == 422
    assert "又改过这位居民的资料" in answer.get_data(as_text=True)
    assert newest().id == person.id


def test_the_list_of_events_asks_the_same_few_questions_however_long_it_is(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    scope = (Scope("community", make.community().code),)

    def questions() -> int:
        db.session.rollback()
        db.session.expire_all()
        asked: list[str] = []
        note = lambda *said: asked.append(said[2])  # noqa: E731
        database_event.listen(db.engine, "before_cursor_execute", note)
        for one in happenings.happenings(scope):
            assert happenings.who(one)
            assert all(home.household.number for home in one.homes)
        database_event.remove(db.engine, "before_cursor_execute", note)
        return len(asked)

    for number in range(2):
        new(client, name=f"甲{number}", home="new", household_number=f"A{number}", idem=f"a{number}")
    few = questions()
    for number in range(12):
        new(client, name=f"乙{number}", home="new", household_number=f"B{number}", idem=f"b{number}")
    assert questions() == few <= 8
