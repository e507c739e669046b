"""The desk's search, showing a masked value, and mending a record: each leaves the trace it must, and no more."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.models import SignedSession
from portal.identity.permissions import Role
from portal.registry.models import Person, TagKind
from portal.registry.service import people
from tests.client import Client
from tests.make import Make


def rows(action: str) -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def reveal(client: Client, person: Person, field: str = "phone", reason: str = "核对送餐电话") -> TestResponse:
    return client.post(f"/desk/people/{person.public_id}/reveal/{field}", data={"reason": reason})


def test_an_empty_search_page_says_what_can_be_typed(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    html = client.get("/desk/people/").get_data(as_text=True)
    assert "拼音" in html
    assert "6号楼2单元301" in html


def test_a_search_shows_who_where_and_a_masked_phone(make: Make, client: Client) -> None:
    person = make.person(
        "王秀英",
        household_id=make.household().id,
        grid=make.grid(),
        phone="13800005678",
        tags=[TagKind.LIVING_ALONE],
    )
    client.sign_in(make.worker())
    html = client.post("/desk/people/", data={"q": "wxy"}).get_data(as_text=True)
    for words in ("王秀英", "6号楼 2单元 301", "第一网格", "独居", "138****5678", f"/desk/person/{person.public_id}"):
        assert words in html
    assert "13800005678" not in html


def test_a_search_is_recorded_by_kind_and_count_and_never_by_its_words(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    client.sign_in(make.worker())
    client.post("/desk/people/", data={"q": str(person.id_number)})
    client.post("/desk/people/", data={"q": "王秀"})
    found = rows("registry.searched")
    assert [row.facts for row in found] == [{"kind": "id_number", "count": 1}, {"kind": "words", "count": 1}]
    held = " ".join(row.canonical() for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id)))
    assert str(person.id_number) not in held
    assert "王秀" not in held


def test_a_search_without_words_is_refused_and_not_recorded(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    answer = client.post("/desk/people/", data={"q": "  "})
    assert answer.status_code == 422
    assert "请输入要查找的内容" in answer.get_data(as_text=True)
    assert rows("registry.searched") == []


def test_a_search_that_finds_nobody_says_how_else_to_look(make: Make, client: Client) -> None:
    make.person("王秀英", community=make.community("秋月社区"))
    make.community()
    client.sign_in(make.worker())
    html = client.post("/desk/people/", data={"q": "王秀英"}).get_data(as_text=True)
    assert "没有找到" in html


def test_a_long_result_is_cut_with_a_hint(make: Make, client: Client) -> None:
    for _number in range(52):
        make.person("王秀英")
    client.sign_in(make.worker())
    html = client.post("/desk/people/", data={"q": "王"}).get_data(as_text=True)
    assert "只显示前 50 人" in html
    assert html.count("138****") == 50


def test_a_search_asks_the_database_the_same_few_questions_however_many_it_finds(make: Make) -> None:
    grid = make.grid()
    for _number in range(10):
        make.person("王秀英", household_id=make.household().id, grid=grid, tags=[TagKind.EMPTY_NEST])
    db.session.expire_all()
    questions: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        questions.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        scope = people.Scope("community", make.community().code)
        for person in people.find("王", within=(scope,)):
            assert person.household is not None
            assert person.household.dwelling is not None
            assert person.household.dwelling.address()
            assert person.grid is not None
            assert person.tag_kinds(today())
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len(questions) <= 7


def test_a_canteen_operator_may_not_search(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert client.post("/desk/people/", data={"q": "王"}).status_code == 403


def test_showing_a_phone_leaves_a_row_with_the_reason_and_masks_again(make: Make, client: Client) -> None:
    person = make.person(phone="13800005678")
    client.sign_in(make.worker())
    before = client.get(f"/desk/people/{person.public_id}/reveal/phone").get_data(as_text=True)
    assert "13800005678" not in before
    assert "13800005678" in reveal(client, person).get_data(as_text=True)
    after = client.get(f"/desk/people/{person.public_id}/reveal/phone").get_data(as_text=True)
    assert "13800005678" not in after
    (row,) = rows("registry.revealed")
    assert row.reason == "核对送餐电话"
    assert row.object_id == person.public_id
    assert row.facts == {"field": "phone"}


@pytest.mark.parametrize("reason", ["", "  ", "看"])
def test_nothing_is_shown_without_a_reason(make: Make, client: Client, reason: str) -> None:
    person = make.person(phone="13800005678")
    client.sign_in(make.worker())
    answer = reveal(client, person, reason=reason)
    assert answer.status_code == 422
    assert "13800005678" not in answer.get_data(as_text=True)
    assert rows("registry.revealed") == []


@pytest.mark.parametrize("field", ["registered_address", "note", "health"])
def test_texts_are_shown_the_same_way(make: Make, client: Client, field: str) -> None:
    person = make.person(**{field: "春晖路 18 号"})
    client.sign_in(make.worker())
    page = f"/desk/person/{person.public_id}"
    assert "春晖路" not in client.get(page).get_data(as_text=True)
    assert "春晖路 18 号" in reveal(client, person, field).get_data(as_text=True)


def test_what_is_not_there_cannot_be_shown(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    person = make.person()
    assert reveal(client, person, "health").status_code == 404
    assert reveal(client, person, "pinyin").status_code == 404
    assert reveal(client, person, "id_number").status_code == 404


def test_nobody_out_of_scope_can_be_shown(make: Make, client: Client) -> None:
    person = make.person(community=make.community("秋月社区"))
    client.sign_in(make.worker())
    assert reveal(client, person).status_code == 404
    assert client.post(f"/desk/people/{person.public_id}/reveal-number", data={"reason": "核对"}).status_code == 404
    assert rows("registry.revealed") == []


def test_an_id_number_is_shown_after_the_password_was_given_lately(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = client.post(f"/desk/people/{person.public_id}/reveal-number", data={"reason": "办理补贴"})
    assert str(person.id_number) in answer.get_data(as_text=True)


def test_an_id_number_asks_for_the_password_again_after_five_minutes(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    with transaction() as session:
        session.execute(sa.update(SignedSession).values(authenticated_at=now() - timedelta(minutes=6)))
    answer = client.post(f"/desk/people/{person.public_id}/reveal-number", data={"reason": "办理补贴"})
    assert answer.status_code == 303
    assert "/confirm" in answer.location
    assert rows("registry.revealed") == []


def test_the_fifty_first_look_within_an_hour_raises_one_alarm(make: Make, client: Client) -> None:
    person, worker = make.person(), make.worker()
    client.sign_in(worker)
    with transaction() as session:
        for _number in range(49):
            session.add(
                AuditRow(
                    at=now(),
                    actor=worker.public_id,
                    actor_name=worker.name,
                    roles="community_worker",
                    action="registry.revealed",
                    facts={"field": "phone"},
                )
            )
    reveal(client, person)
    assert rows("registry.reveal_alarm") == []
    reveal(client, person)
    reveal(client, person)
    (alarm,) = rows("registry.reveal_alarm")
    assert alarm.actor == worker.public_id
    assert alarm.facts == {"count": 51}


def test_a_resident_reads_who_looked_when_and_why(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    account = make.resident(person)
    client.sign_in(make.worker(name="周洁"))
    reveal(client, person, reason="核对送餐电话")
    client.sign_in(account)
    html = client.get("/me/looked").get_data(as_text=True)
    for words in ("周洁", "社区工作者", "查看了联系电话", "核对送餐电话"):
        assert words in html


def test_a_resident_does_not_read_who_looked_at_her_neighbour(make: Make, client: Client) -> None:
    neighbour = make.person("陈建国")
    client.sign_in(make.worker())
    reveal(client, neighbour, reason="核对送餐电话")
    client.sign_in(make.resident(make.person("王秀英")))
    html = client.get("/me/looked").get_data(as_text=True)
    assert "没有人看过遮住的内容" in html
    assert "核对送餐电话" not in html


@pytest.mark.parametrize(
    "asked",
    [
        "people/exports?before=",
        "people/happenings?before=",
        "people/twins/merges?before=",
        "people/imports?before=",
        "people/buildings?estate=",
        "quality/no_home?after=",
        "visits/people?grid=",
    ],
)
def test_a_number_that_no_column_holds_is_no_server_error(make: Make, client: Client, asked: str) -> None:
    client.sign_in(make.worker())
    assert client.get(f"/desk/{asked}{'9' * 25}").status_code == 200
