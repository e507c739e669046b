"""The case worker's list of who carries a restricted tag: behind a reason, masked, on the record, for nobody else."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import Person, PersonState, RestrictedKind, RestrictedTag
from portal.registry.service import restricted
from tests.client import Client
from tests.make import Make

PAGE = "/desk/people/restricted"
CORRECTION = RestrictedKind.COMMUNITY_CORRECTION


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def rows() -> list[AuditRow]:
    listed = sa.select(AuditRow).where(AuditRow.action == "registry.restricted_listed").order_by(AuditRow.id)
    return list(db.session.scalars(listed))


def carry(make: Make, person: Person, kind: RestrictedKind = CORRECTION, **held: Any) -> Person:
    span = {"since": today() - timedelta(days=30), "source": "司法所通知", **held}
    make.add(RestrictedTag(person_id=person.id, kind=kind.value, **span))
    return person


def ask(client: Client, kind: RestrictedKind = CORRECTION, **typed: str) -> TestResponse:
    return client.post(PAGE, data={"kind": kind.value, "reason": "安排本月走访", **typed})


def case_worker(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker(Role.CASE_WORKER, make.community(), name="何静"))


def test_the_list_opens_with_a_reason_masked_and_leaves_kind_and_number_but_no_names(
    make: Make, client: Client
) -> None:
    person = carry(make, make.person(name="张建国", phone="13900001234"))
    carry(make, make.person(name="李秀英"), RestrictedKind.SEVERE_MENTAL_ILLNESS)
    case_worker(make, client)
    before = text(client.get(PAGE))
    assert "共" not in before
    assert "张" not in before
    assert ask(client, reason="").status_code == 422
    assert rows() == []
    html = text(ask(client))
    assert "张*国" in html
    assert "139****1234" in html
    assert "张建国" not in html
    assert "李" not in html, "another kind is another list"
    assert f"/desk/people/{person.public_id}/restricted" in html
    (row,) = rows()
    assert row.reason == "安排本月走访"
    assert row.facts == {"tag": CORRECTION.value, "count": 1, "plain": False}
    assert (row.object_id, "张建国" in row.canonical()) == ("", False)


def test_full_names_are_a_choice_of_their_own_and_said_in_the_audit(make: Make, client: Client) -> None:
    carry(make, make.person(name="张建国"))
    case_worker(make, client)
    assert "张建国" in text(ask(client, names="y"))
    assert rows()[0].facts["plain"] is True


def test_only_tags_in_force_of_living_people_in_scope_are_listed(make: Make, client: Client) -> None:
    carry(make, make.person(name="赵一"), until=today() - timedelta(days=1))
    carry(make, make.person(name="钱二", state=PersonState.DEAD))
    carry(make, make.person(name="孙三", community=make.community("秋月社区")))
    twice = carry(make, make.person(name="周四海"), since=today() - timedelta(days=900))
    carry(make, twice)
    case_worker(make, client)
    html = text(ask(client))
    assert "共 1 人" in html
    assert "周*海" in html


def test_nobody_with_the_tag_is_said_with_what_to_do(make: Make, client: Client) -> None:
    case_worker(make, client)
    html = text(ask(client))
    assert "没有带这个标签的居民" in html
    assert rows()[0].facts["count"] == 0


def test_pages_follow_by_key_and_each_is_on_the_record(
    make: Make, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restricted, "PAGE", 2)
    people = [carry(make, make.person(name=name)) for name in ("安一", "白二", "陈三")]
    case_worker(make, client)
    html = text(ask(client))
    assert people[1].public_id in html
    assert people[2].public_id not in html
    html = text(ask(client, after=people[1].public_id))
    assert people[2].public_id in html
    assert people[0].public_id not in html
    assert [row.facts["count"] for row in rows()] == [2, 1]


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in {Role.CASE_WORKER, Role.RESIDENT, Role.CANTEEN_OPERATOR}]
)
def test_other_roles_get_neither_the_list_nor_its_counts(make: Make, client: Client, role: Role) -> None:
    carry(make, make.person())
    client.sign_in(make.worker(role))
    assert client.get(PAGE).status_code == 403
    assert ask(client).status_code == 403
    assert rows() == []
    assert "受限标签名单" not in text(client.get("/desk/"))


def test_a_list_costs_few_questions_however_many_carry_the_tag(make: Make, client: Client) -> None:
    for number in range(12):
        carry(make, make.person(name=f"王{number}"))
    case_worker(make, client)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, words: str, *_rest: Any) -> None:
        asked.append(words)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    html = text(ask(client))
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert "共 12 人" in html
    of_the_list = [words for words in asked if "restricted_tag" in words or "FROM person" in words]
    assert len(of_the_list) <= 8, of_the_list
