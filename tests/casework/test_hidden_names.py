"""Whoever hides her name stays hidden: every page that the holder of the request can open is walked."""

import re

import pytest
import sqlalchemy as sa
from flask import url_for

from portal.casework.models.cases import Case
from portal.casework.models.codes import Against, CaseState
from portal.core.db import db
from portal.core.outbox import OutboxRow
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import Organisation, OrganisationKind, Staff, StaffKind
from tests.casework.asked import Neighbour, Street, page, street
from tests.client import Client
from tests.make import Make

S = CaseState
NAME, PHONE = "欧阳兰芝", "13912345678"
LINK = re.compile(r'(?:href|action|src)="(/desk/cases[^"#]*)"')


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def reported(place: Street, **more: object) -> tuple[Neighbour, Case]:
    who = place.resident(NAME, phone=PHONE)
    return who, place.sent(who, "物业报修半个月没人管", "repair", hide_name=True, **more)


def walk(client: Client, start: str, case: Case) -> list[str]:
    """Every page about a case that can be reached from its own page and the lists, as the worker sees them."""
    todo, seen = [start, "/desk/cases/", *(f"/desk/cases/?tab={tab}" for tab in ("open", "done", "late"))], {""}
    shown = []
    while todo:
        path = todo.pop().replace("&amp;", "&")
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        html = answer.get_data(as_text=True)
        shown.append(html)
        todo += [found for found in LINK.findall(html) if case.public_id in found]
    return shown


def holder_of(place: Street, case: Case) -> Account:
    worker = place.make.worker(Role.CASE_WORKER, name="孙梅")
    place.moved(case, S.ACCEPTED, S.ASSIGNED, S.SIGNED, S.WORKING, by=worker)
    return worker


def test_the_holder_meets_neither_name_nor_telephone_on_any_page(place: Street, client: Client) -> None:
    _who, case = reported(place)
    holder = holder_of(place, case)
    shown = walk(client.sign_in(holder), f"/desk/cases/{case.public_id}", case)
    assert len(shown) > 5
    for html in shown:
        for secret in (NAME, PHONE, "139****5678", "欧阳*芝", "欧阳"):
            assert secret not in html


def test_the_dispatcher_meets_the_name_unless_she_is_complained_of(place: Street, client: Client) -> None:
    dispatcher = place.make.worker()
    _who, case = reported(place)
    client.sign_in(dispatcher)
    assert any(NAME in html for html in walk(client, f"/desk/cases/{case.public_id}", case))
    against = place.sent(place.resident("诸葛明"), "报修没人管", "repair", hide_name=True, against=Against.COMMITTEE)
    assert not any("诸葛明" in html for html in walk(client, f"/desk/cases/{against.public_id}", against))


def test_her_own_record_on_the_desk_does_not_tell_of_it(place: Street, client: Client) -> None:
    who, case = reported(place)
    client.sign_in(place.make.worker(Role.CASE_WORKER))
    assert case.number
    with client.application.test_request_context():
        path = url_for("home.worker.person", public_id=who.person.public_id)
    answer = client.get(path)
    assert answer.status_code == 200
    assert case.number not in answer.get_data(as_text=True)


def test_no_notice_to_a_worker_tells_a_name(place: Street) -> None:
    place.make.worker()
    _who, case = reported(place)
    holder_of(place, case)
    rows = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.recipient_kind == "account")).all()
    assert rows
    assert not any(NAME in str(row.facts) or PHONE in str(row.facts) for row in rows)


def accuse(client: Client, case: Case, **fields: str) -> int:
    path = f"/desk/cases/{case.public_id}/dispatch/against"
    return client.post(path, data={"against": "", "worker": "", "organisation": "", **fields}).status_code


def reads_name(client: Client, case: Case) -> bool:
    return any(NAME in html for html in walk(client, f"/desk/cases/{case.public_id}", case))


def test_once_it_is_known_whom_it_is_about_a_holder_who_is_not_the_party_reads_the_name(
    place: Street, client: Client
) -> None:
    _who, case = reported(place, against=Against.WORKER)
    holder, accused = holder_of(place, case), place.make.worker(Role.GRID_WORKER, name="赵强")
    dispatcher = place.make.worker(name="周洁")
    assert not reads_name(client.sign_in(holder), case)
    client.sign_in(dispatcher)
    assert reads_name(client, case)
    assert accuse(client, case, against="worker") == 422
    assert accuse(client, case, against="worker", worker="nobody") == 422
    assert accuse(client, case, against="worker", worker=dispatcher.public_id) == 422
    assert accuse(client, case, against="worker", worker=holder.public_id) == 422
    assert accuse(client, case, against="worker", worker=accused.public_id) == 303
    assert "赵强" in page(client, f"/desk/cases/{case.public_id}")
    assert reads_name(client.sign_in(holder), case)
    assert "赵强" not in page(client, f"/desk/cases/{case.public_id}")
    client.sign_in(accused)
    assert client.get(f"/desk/cases/{case.public_id}").status_code == 404
    assert not reads_name(client, case)


def test_the_organisation_complained_of_is_set_and_its_own_people_read_no_name(place: Street, client: Client) -> None:
    _who, case = reported(place)
    holder = holder_of(place, case)
    firm = place.make.add(Organisation(name="安居物业", kind=OrganisationKind.PROPERTY, community_id=case.community_id))
    client.sign_in(place.make.worker())
    assert accuse(client, case, against="organisation", organisation="") == 422
    assert accuse(client, case, against="organisation", organisation=str(firm.id)) == 303
    assert "安居物业" in page(client, f"/desk/cases/{case.public_id}")
    assert reads_name(client.sign_in(holder), case)
    place.make.add(
        Staff(organisation_id=firm.id, name=holder.name, kind=StaffKind.PROPERTY, community_id=case.community_id)
    )
    assert not reads_name(client, case)


def test_only_a_dispatcher_says_whom_it_is_about(place: Street, client: Client) -> None:
    _who, case = reported(place)
    client.sign_in(holder_of(place, case))
    assert accuse(client, case, against="committee") == 403
    client.sign_in(place.make.worker())
    assert accuse(client, case, against="committee") == 303
    assert not reads_name(client, case)
