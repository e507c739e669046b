"""Owners of homes at the desk: entered once, co-owners, ended with a reason, what is missing by building."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Dwelling
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import Organisation, OrganisationKind
from portal.registry.models.owners import Owner, Title
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make


@pytest.fixture
def home(make: Make) -> Dwelling:
    return make.dwelling()


@pytest.fixture
def worker(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker())


def _said(**more: str) -> dict[str, str]:
    return {"kind": "other", "organisation": "", "name": "李远方", "source": "不动产权证", "idem": "k" * 20, **more}


def _count(model: type[Owner] | type[Title] | type[AuditRow]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(model.id))) or 0


def test_somebody_from_elsewhere_is_entered_once_however_often_it_is_sent(worker: Client, home: Dwelling) -> None:
    for _turn in range(2):
        sent = worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=_said(phone="13800001234"))
        assert sent.status_code == 303
    assert (_count(Owner), _count(Title)) == (1, 1)
    page = worker.get(f"/desk/people/rooms/{home.id}/owners").text
    assert "李远方" in page
    assert "138****1234" in page
    assert "李远方" in worker.get(f"/desk/people/rooms/{home.id}").text


def test_two_homes_of_one_number_are_one_owners(make: Make, worker: Client, home: Dwelling) -> None:
    second = make.dwelling(room="302")
    for number, one in enumerate((home, second)):
        said = _said(id_number="999901194508150028", idem=f"{number}" * 20)
        assert worker.post(f"/desk/people/rooms/{one.id}/owners/new", data=said).status_code == 303
    assert (_count(Owner), _count(Title)) == (1, 2)
    said = _said(id_number="999901194508150028", idem="z" * 20)
    # What she has typed stands in the form that is to be mended.
    worker.shows_numbers = True
    again = worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said)
    assert again.status_code == 422
    assert "已经登记在这套房上" in again.text


def test_a_resident_and_an_organisation_may_own_a_home(make: Make, worker: Client, home: Dwelling) -> None:
    person = make.person("王秀英")
    maker = make.add(Organisation(community_id=make.community().id, name="春晖置业公司", kind=OrganisationKind.OTHER))
    said = _said(kind="person", person_words="王秀英")
    assert "王秀英" in worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said | {"person_look": "1"}).text
    assert worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said).status_code == 422
    assert (
        worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said | {"person": person.public_id}).status_code
        == 303
    )
    said = _said(kind="organisation", organisation="", idem="l" * 20)
    assert worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said).status_code == 422
    said |= {"organisation": str(maker.id)}
    assert worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=said).status_code == 303
    page = worker.get(f"/desk/people/rooms/{home.id}/owners").text
    assert "王秀英" in page
    assert "春晖置业公司" in page


def test_an_owner_ends_with_a_reason_on_a_day_that_was(worker: Client, home: Dwelling) -> None:
    worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=_said())
    title = db.session.scalars(sa.select(Title)).one().id
    said = {"until": today().isoformat(), "reason": "卖给别人"}
    assert worker.post(f"/desk/people/owners/{title}/end", data=said | {"reason": ""}).status_code == 422
    ahead = (today() + timedelta(days=1)).isoformat()
    assert worker.post(f"/desk/people/owners/{title}/end", data=said | {"until": ahead}).status_code == 422
    assert worker.post(f"/desk/people/owners/{title}/end", data=said).status_code == 303
    assert worker.post(f"/desk/people/owners/{title}/end", data=said).status_code == 422
    db.session.rollback()
    done = sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == "registry.owner_ended")
    assert db.session.scalar(done) == 1


def test_what_is_missing_is_counted_by_building(make: Make, worker: Client, home: Dwelling) -> None:
    for _turn in range(5):
        make.dwelling()
    worker.post(f"/desk/people/rooms/{home.id}/owners/new", data=_said())
    with count_queries() as asked:
        page = worker.get("/desk/people/owners")
    assert page.status_code == 200
    assert "还缺" in page.text
    assert len(asked) <= 8, asked


def test_homes_out_of_scope_do_not_exist_and_the_committee_reads_no_owner(
    make: Make, client: Client, home: Dwelling
) -> None:
    client.sign_in(make.worker())
    client.post(f"/desk/people/rooms/{home.id}/owners/new", data=_said())
    title = db.session.scalars(sa.select(Title)).one().id
    client.sign_in(make.worker(scope=make.community("别处社区")))
    for address in (
        f"/desk/people/rooms/{home.id}/owners",
        f"/desk/people/rooms/{home.id}/owners/new",
        f"/desk/people/owners/{title}/end",
    ):
        assert client.get(address).status_code == 404
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    assert client.get(f"/desk/people/rooms/{home.id}/owners").status_code == 403
