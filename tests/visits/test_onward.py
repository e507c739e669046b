"""After a visit is recorded: whom to call where it cannot wait, the next door of the route, and the way back."""

import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.registry.models import EmergencyContact, Household
from portal.visits.models import Urgency, VisitState
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make
from tests.visits import stand

NEXT, TODAY, ROOMS = "去下一户", "回今天的探访", ("301", "302", "1001")


def _doors(make: Make, grid):
    """Three doors of one stair, each with a visit of today, in the order of the doors."""
    estate = make.add(Estate(community_id=make.community().id, name="春风里"))
    building = make.add(Building(estate_id=estate.id, name="2栋"))
    found = []
    for room in ROOMS:
        dwelling = make.add(Dwelling(building_id=building.id, unit="1单元", room=room))
        home = make.add(Household(community_id=make.community().id, number=f"R{room}", dwelling_id=dwelling.id))
        person = make.person(f"王{room}", grid=grid, household_id=home.id)
        found.append((person, stand.promised(person)))
    return found


def test_a_recorded_visit_leads_to_the_next_door_and_back_to_today(make: Make, client: Client):
    grid = make.grid()
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    (_one, first), (_two, second), (_three, third) = _doors(make, grid)
    assert NEXT not in client.get(f"/desk/visits/{first.public_id}").text
    for visit, leads in ((second, third), (third, first), (first, None)):
        sent = stand.filled(findings=["health"], urgency="normal", note="血压高")
        shown = client.post(f"/desk/visits/{visit.public_id}/record", data=sent, follow_redirects=True).text
        assert TODAY in shown
        assert (f'href="/desk/visits/{leads.public_id}/record"' in shown) if leads else (NEXT not in shown)


def test_who_was_not_met_is_not_the_next_door(make: Make, client: Client):
    grid = make.grid()
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    (_one, first), (_two, second), _rest = _doors(make, grid)
    with transaction() as session:
        session.merge(second).state = VisitState.NOT_MET
    client.post(f"/desk/visits/{first.public_id}/record", data=stand.filled())
    shown = client.get(f"/desk/visits/{first.public_id}").text
    assert "王1001" in shown
    assert f"/desk/visits/{second.public_id}/record" not in shown


def test_what_cannot_wait_shows_whom_to_call_first_with_masked_numbers(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    contact = make.add(EmergencyContact(person_id=person.id, name="王丽", relation="女儿", phone="13800000099"))
    client.sign_in(worker)
    sent = stand.filled(urgency=Urgency.AT_ONCE.value, note="胸口疼")
    shown = client.post(f"/desk/visits/{visit.public_id}/record", data=sent, follow_redirects=True).text
    assert "马上打电话" in shown
    assert "138****0099" in shown
    assert "13800000099" not in shown
    assert person.phone not in shown
    assert shown.index("马上打电话") < shown.index("紧急程度")
    called = client.post(f"/desk/visits/call/{person.public_id}", data={"contact": contact.id}).text
    assert "13800000099" in called
    assert "emergency_contact" in [row.facts.get("field") for row in db.session.scalars(sa.select(AuditRow))]


def test_the_next_door_asks_as_much_of_many_as_of_one(make: Make, client: Client):
    grid = make.grid()
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    (_one, first), *_rest = _doors(make, grid)
    client.post(f"/desk/visits/{first.public_id}/record", data=stand.filled())
    address = f"/desk/visits/{first.public_id}"
    client.get(address)
    with count_queries() as few:
        client.get(address)
    for turn in range(5):
        stand.promised(make.person(f"赵{turn}", grid=grid))
    with count_queries() as many:
        client.get(address)
    assert len(many) == len(few)
