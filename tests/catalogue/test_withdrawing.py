"""Withdrawing an item: those who booked are called off or come all the same, lines end, applications go on."""

from portal.catalogue.models.appointments import AppointmentState
from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import Item
from portal.core.audit import AuditRow
from portal.core.db import db
from portal.identity.permissions import Role
from portal.places.models import WaitingState
from tests.catalogue import applying
from tests.catalogue.bookings import a_slot, book, item_of, join, taken, told
from tests.client import Client
from tests.make import Make


def _withdraw(client: Client, item: Item, **data: str) -> int:
    return client.post(f"/desk/services/items/{item.id}/withdraw", data={"reason": "理发师搬走了"} | data).status_code


def test_those_who_booked_are_called_off_and_told_why(make: Make, client: Client) -> None:
    slot = a_slot(make, places=2)
    mine = [book(make, slot, make.person()) for _turn in range(2)]
    waits = join(make, slot, make.person())
    client.sign_in(make.worker())
    page = client.get(f"/desk/services/items/{item_of(slot).id}/withdraw").get_data(as_text=True)
    assert "还有 2 个约好的" in page
    assert "还有 1 人在候补" in page
    assert _withdraw(client, item_of(slot), booked="call_off") == 303
    assert {make.read(one).state for one in mine} == {AppointmentState.CALLED_OFF}
    assert make.read(waits).state is WaitingState.CLOSED
    assert make.read(item_of(slot)).state is ItemState.WITHDRAWN
    assert taken(slot) == 0
    for one in mine:
        (row,) = told("appointment_called_off", one.person)
        assert (row.facts["reason"], row.facts["instead"]) == ("理发师搬走了", "")
    (row,) = told("line_ended", waits.person)
    assert row.facts["reason"] == "理发师搬走了"
    assert not told("place_offered")
    done = [row.action for row in db.session.query(AuditRow).order_by(AuditRow.id)]
    assert done.count("catalogue.appointment_called_off") == 2


def test_those_who_booked_may_be_kept_while_the_line_ends(make: Make, client: Client) -> None:
    slot = a_slot(make)
    mine = book(make, slot, make.person())
    waits = join(make, slot, make.person())
    client.sign_in(make.worker())
    assert _withdraw(client, item_of(slot), booked="keep") == 303
    assert make.read(mine).state is AppointmentState.BOOKED
    assert make.read(waits).state is WaitingState.CLOSED
    assert taken(slot) == 1
    assert not told("appointment_called_off")


def test_what_becomes_of_those_who_booked_must_be_said(make: Make, client: Client) -> None:
    slot = a_slot(make)
    book(make, slot, make.person())
    client.sign_in(make.worker())
    assert _withdraw(client, item_of(slot)) == 422
    assert make.read(item_of(slot)).state is ItemState.PUBLISHED


def test_another_item_of_the_same_slot_keeps_its_people_and_its_line(make: Make, client: Client) -> None:
    slot = a_slot(make)
    other = a_slot(make)
    kept, waits = book(make, other, make.person()), join(make, other, make.person())
    book(make, slot, make.person())
    client.sign_in(make.worker())
    assert _withdraw(client, item_of(slot), booked="call_off") == 303
    assert make.read(kept).state is AppointmentState.BOOKED
    assert make.read(waits).state is WaitingState.WAITING


def test_open_applications_are_named_and_go_on(make: Make, client: Client) -> None:
    item, person = applying.item(make), make.person(name="赵春梅")
    made = applying.filed(item, person, make.resident(person))
    client.sign_in(make.worker(Role.COMMUNITY_WORKER))
    page = client.get(f"/desk/services/items/{item.id}/withdraw").get_data(as_text=True)
    assert made.code in page
    assert "赵春梅" in page
    before = made.state
    assert _withdraw(client, item) == 303
    assert applying.read(made).state is before
