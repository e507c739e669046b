"""Looking beyond one's own area: a whole number, a reason, so many an hour, and only what sends one to the office."""

import pytest
import sqlalchemy as sa

from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.registry.models import PersonState
from portal.registry.service import beyond
from tests.client import Client
from tests.make import Make


def ask(client: Client, number: str, reason: str = "走失老人，联系社区"):
    return client.post("/desk/people/beyond", data={"number": number, "reason": reason})


def rows() -> list[AuditRow]:
    query = sa.select(AuditRow).where(AuditRow.action == "registry.searched_beyond").order_by(AuditRow.id)
    return list(db.session.scalars(query))


@pytest.mark.parametrize("by", ["id_number", "phone"])
def test_a_whole_number_names_the_office_and_does_not_open_the_person(make: Make, client: Client, by: str) -> None:
    there = make.community("秋月社区")
    person = make.person("欧阳建国", community=there, phone="13800005678")
    client.sign_in(make.worker())
    html = ask(client, str(getattr(person, by))).get_data(as_text=True)
    assert "欧阳*国" in html
    assert "秋月社区" in html
    for hidden in ("欧阳建国", person.public_id, "138****5678", "13800005678"):
        assert hidden not in html
    (row,) = rows()
    assert (row.object_id, row.reason, row.facts) == (
        person.public_id,
        "走失老人，联系社区",
        {"kind": by, "count": 1},
    )


def test_a_number_that_nobody_has_is_recorded_too(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    assert "没有查到" in ask(client, "13900001234").get_data(as_text=True)
    (row,) = rows()
    assert (row.object_id, row.facts["count"]) == ("", 0)
    assert "13900001234" not in row.canonical()


@pytest.mark.parametrize("number", ["王秀英", "5678", "6-2-301", "wxy", "99990119500505", ""])
def test_less_than_a_whole_number_is_refused_and_asks_nothing(make: Make, client: Client, number: str) -> None:
    make.person("王秀英", community=make.community("秋月社区"), phone="13800005678")
    client.sign_in(make.worker())
    answer = ask(client, number)
    assert answer.status_code == 422
    assert "秋月社区" not in answer.get_data(as_text=True).split("<main")[-1]
    assert rows() == []


@pytest.mark.parametrize("reason", ["", "看"])
def test_a_reason_is_asked(make: Make, client: Client, reason: str) -> None:
    person = make.person("王秀英", community=make.community("秋月社区"))
    client.sign_in(make.worker())
    assert ask(client, str(person.phone), reason).status_code == 422
    assert rows() == []


def test_the_search_within_ones_area_asks_for_none(make: Make, client: Client) -> None:
    make.person("王秀英", phone="13800005678")
    client.sign_in(make.worker())
    assert "王秀英" in client.post("/desk/people/", data={"q": "13800005678"}).get_data(as_text=True)


def test_the_twenty_first_look_of_an_hour_is_refused(make: Make, client: Client) -> None:
    person = make.person("王秀英", community=make.community("秋月社区"))
    client.sign_in(make.worker())
    assert [ask(client, str(person.phone)).status_code for _look in range(21)] == [200] * 20 + [429]
    assert len(rows()) == 20


def test_how_many_an_hour_is_a_parameter(make: Make, client: Client) -> None:
    person = make.person("王秀英", community=make.community("秋月社区"))
    with transaction():
        settings.put(beyond.HOURLY, 1, valid_from=today(), by="test")
    client.sign_in(make.worker())
    assert [ask(client, str(person.phone)).status_code for _look in range(2)] == [200, 429]


def test_one_of_ones_own_is_said_to_be_so_and_the_gone_to_be_gone(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    gone = make.person("陈建国", community=make.community("秋月社区"), state=PersonState.DEAD)
    client.sign_in(make.worker())
    assert "在您负责的范围内" in ask(client, str(person.phone)).get_data(as_text=True)
    assert "已迁出或注销" in ask(client, str(gone.phone)).get_data(as_text=True)
