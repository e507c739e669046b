"""One head: an owner entered from elsewhere who is, or becomes, somebody of the register; linked, and taken back."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Dwelling
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import IdKind, Organisation, OrganisationKind, Person, PersonState
from portal.registry.models.owners import Owner, Title
from portal.registry.service import documents, owner_links, owners
from portal.registry.service.owners import OwnerFacts
from tests.client import Client
from tests.deliberating import Deliberating
from tests.make import Make
from tests.registry.registers import count, number, row, take_in, undo
from tests.registry.registers import register as sheet
from tests.registry.test_registering import last_happening, new, newest
from tests.registry.test_registering import undo as take_back


@pytest.fixture
def home(make: Make) -> Dwelling:
    return make.dwelling()


@pytest.fixture
def worker(make: Make, client: Client) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _entered(home: Dwelling, deliberating: Deliberating, name: str = "王秀英", said: str = "") -> int:
    with transaction():
        title = owners.add(
            home, OwnerFacts(name, id_number=said), since=None, source="不动产登记", by=deliberating.committee()
        )
        return title.id


def _owner(title: int) -> Owner:
    db.session.expire_all()
    return db.session.get_one(Title, title).owner


def _audited(action: str) -> int:
    return int(db.session.scalar(sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == action)) or 0)


def test_whoever_arrives_with_a_register_is_linked_by_number_and_name(
    worker: Client, home: Dwelling, deliberating: Deliberating
) -> None:
    title = _entered(home, deliberating, said=number(1))
    other = _entered(home, deliberating, "李别名", said=number(2))
    batch = take_in(worker, sheet(row(), row(姓名="李本名", 身份证号=number(2), 户号="H2")))
    linked = _owner(title)
    assert linked.person is not None
    assert linked.person.name == "王秀英"
    assert linked.linked_by_name == owner_links.BY_NUMBER
    assert _owner(other).person_id is None
    assert owners.owned_by(linked.person, today())[0].dwelling_id == home.id
    assert undo(worker, batch).status_code == 303
    assert _owner(title).person_id is None
    assert count(Owner) == 2


def test_whoever_is_registered_by_hand_is_linked_and_undoing_it_lets_go(
    worker: Client, home: Dwelling, deliberating: Deliberating
) -> None:
    title = _entered(home, deliberating, said=number(1))
    assert new(worker, name="王秀英", id_number=number(1)).status_code == 303
    assert _owner(title).person_id == newest().id
    assert take_back(worker, last_happening()).status_code == 303
    assert (_owner(title).person_id, count(Person)) == (None, 0)


def test_whoever_gets_her_number_later_is_linked(worker: Client, home: Dwelling, deliberating: Deliberating) -> None:
    title = _entered(home, deliberating, said=number(1))
    assert new(worker, name="王秀英", id_number="").status_code == 303
    assert _owner(title).person_id is None
    person = newest()
    with transaction():
        documents.put(person, documents.Document(IdKind.ID_CARD, number(1), birth_date=None))
        owner_links.on_person(person)
    assert _owner(title).person_id == person.id


def test_a_worker_links_an_owner_without_a_number_and_takes_it_back(
    worker: Client, home: Dwelling, make: Make, deliberating: Deliberating
) -> None:
    title, person = _entered(home, deliberating), make.person("王秀英")
    listed = f"/desk/people/rooms/{home.id}/owners"
    assert "是登记的居民" in worker.get(listed).text
    address = f"/desk/people/owners/{title}/link"
    assert "王秀英" in worker.post(address, data={"person_words": "王秀英", "person_look": "1"}).text
    said = {"person_words": "王秀英", "person": person.public_id, "idem": "k" * 20}
    assert worker.post(address, data=said).status_code == 303
    assert _owner(title).person_id == person.id
    assert worker.post(address, data=said).status_code == 422
    assert "撤销对应" in worker.get(listed).text
    back = f"/desk/people/owners/{title}/unlink"
    assert worker.post(back, data={"reason": ""}).status_code == 422
    assert worker.post(back, data={"reason": "同名的另一个人"}).status_code == 303
    assert (_owner(title).person_id, _owner(title).not_person_id) == (None, person.id)
    assert worker.post(back, data={"reason": "再来一次"}).status_code == 422
    assert (_audited("registry.owner_linked"), _audited("registry.owner_unlinked")) == (1, 1)


def test_what_a_worker_took_back_no_night_links_again(home: Dwelling, make: Make, deliberating: Deliberating) -> None:
    title = _entered(home, deliberating, said=number(1))
    person = make.person("王秀英", id_number=number(1))
    with transaction():
        assert owner_links.link_all() == 1
        owner_links.unlink(_owner(title), why="号码录错了")
        assert owner_links.link_all() == 0
    assert _owner(title).not_person_id == person.id


def test_nobody_is_linked_twice_onto_one_home_or_once_dead(
    home: Dwelling, make: Make, deliberating: Deliberating
) -> None:
    person, by = make.person("王秀英"), deliberating.committee()
    title = _entered(home, deliberating, "王秀英")
    with transaction():
        owners.add(home, OwnerFacts("", person=person), since=None, source="不动产登记", by=by)
    with pytest.raises(Refused, match="同一套房"), transaction():
        owner_links.link(_owner(title), person, by=by)
    dead = make.person("王秀英", state=PersonState.DEAD)
    with pytest.raises(Refused, match="去世"), transaction():
        owner_links.link(_owner(title), dead, by=by)


def test_a_title_out_of_scope_is_not_there(make: Make, client: Client, home: Dwelling, deliberating) -> None:
    title = _entered(home, deliberating)
    client.sign_in(make.worker(scope=make.community("别处社区")))
    assert client.get(f"/desk/people/owners/{title}/link").status_code == 404
    assert client.get(f"/desk/people/owners/{title}/unlink").status_code == 404


CODE = "91330100MA2KXYZW0H"
COMPANY = "春风置业（杭州）有限公司"


def _registered(make: Make, name: str = COMPANY, code: str | None = CODE) -> Organisation:
    kind = OrganisationKind.PROPERTY
    return make.add(Organisation(community_id=make.community().id, name=name, kind=kind, uscc=code))


def test_a_company_registered_later_is_linked_by_code_and_name_in_the_night_and_taken_back_for_good(
    worker: Client, home: Dwelling, make: Make, deliberating: Deliberating
) -> None:
    title = _entered(home, deliberating, COMPANY, CODE)
    other = _entered(make.dwelling(room="102"), deliberating, "别的公司", "91330100MA2KXYZW1F")
    company = _registered(make, "春风置业(杭州)有限公司")
    with transaction():
        assert owner_links.link_all() == 1
        assert owner_links.link_all() == 0
    assert (_owner(title).organisation_id, _owner(other).organisation_id) == (company.id, None)
    assert _owner(title).linked_by_name == owner_links.BY_NUMBER
    assert "撤销对应" in worker.get(f"/desk/people/rooms/{home.id}/owners").text
    assert worker.post(f"/desk/people/owners/{title}/unlink", data={"reason": "号码录错了"}).status_code == 303
    with transaction():
        assert owner_links.link_all() == 0
    assert (_owner(title).organisation_id, _owner(title).not_organisation_id) == (None, company.id)


def test_a_worker_who_enters_the_company_links_what_stands_under_its_name(
    home: Dwelling, make: Make, deliberating: Deliberating
) -> None:
    first, second = _entered(home, deliberating, COMPANY), _entered(make.dwelling(room="102"), deliberating, COMPANY)
    company, by = _registered(make), deliberating.committee(name="周洁")
    with transaction():
        assert owner_links.link_all() == 0
        facts = OwnerFacts(company.name, organisation=company)
        assert owners.add(home, facts, since=None, source="不动产登记", by=by).id == first
    assert {_owner(first).organisation_id, _owner(second).organisation_id} == {company.id}
    assert _owner(first).linked_by_name == "周洁"
    assert count(Title) == 2


def test_a_company_of_the_same_name_and_another_code_stays_another(
    home: Dwelling, make: Make, deliberating: Deliberating
) -> None:
    title = _entered(home, deliberating, COMPANY, "91330100MA2KXYZW1F")
    company, by = _registered(make), deliberating.committee()
    with transaction():
        owners.add(home, OwnerFacts(company.name, organisation=company), since=None, source="不动产登记", by=by)
    assert _owner(title).organisation_id is None
    assert count(Owner) == 2
