"""Who is reached, told and shown what at the counter."""

from datetime import timedelta

import sqlalchemy as sa

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.rooms import BookedBy, RoomBooking
from portal.catalogue.service import changing, papers
from portal.catalogue.service.applications import deciding
from portal.catalogue.service.rooms import booking as room_booking
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.registry.models import FamilyAgent
from tests.acting import actor_of
from tests.catalogue import applying, rooming
from tests.catalogue.bookings import a_slot, an_agent, book, told
from tests.catalogue.tables import a_timetable, an_item, slots_on
from tests.client import Client
from tests.make import Make


def test_an_agent_whose_grant_ended_has_the_room_no_more_and_hears_nothing(make: Make, client: Client) -> None:
    account = an_agent(make, principal := make.person("王母"))
    wish = rooming.wish(principal, rooming.at(9, days=3), through=BookedBy.AGENT)
    made = rooming.book(rooming.rule(make), wish, account)
    client.sign_in(account)
    assert client.get(f"/services/rooms/bookings/{made.public_id}").status_code == 200
    with transaction() as session:
        session.execute(sa.update(FamilyAgent).values(until=today() - timedelta(days=1)))
    assert client.get(f"/services/rooms/bookings/{made.public_id}").status_code == 404
    with transaction() as session:
        room_booking.call_off(session.get_one(RoomBooking, made.id), "停电", by=actor_of(make.worker()))
    assert {row.recipient_kind for row in told("room_cancelled")} == {"person"}


def test_a_grid_worker_reaches_the_people_of_her_grid_alone(make: Make, client: Client) -> None:
    first, second = make.grid(name="一"), make.grid(name="二")
    slot = a_slot(make, places=2)
    theirs, mine = (make.person(name, grid=grid) for name, grid in (("赵钱孙", second), ("周吴郑", first)))
    other, own = book(make, slot, theirs), book(make, slot, mine)
    client.sign_in(make.worker(Role.GRID_WORKER, scope=first))
    assert client.get(f"/desk/services/appointments/{other.public_id}").status_code == 404
    assert client.get(f"/desk/services/appointments/{own.public_id}").status_code == 200
    for page in (f"days?day={slot.day}", f"slots/{slot.id}", f"figures/rows?month={slot.day:%Y-%m}"):
        shown = client.get(f"/desk/services/{page}").text
        assert "周吴郑" in shown
        assert "赵钱孙" not in shown


def test_what_was_written_freely_stays_out_of_the_audit(make: Make) -> None:
    made, worker = book(make, a_slot(make), make.person()), actor_of(make.worker())
    with transaction() as session:
        papers.take(session.get_one(Appointment, made.id), "诊断书", "柜子", by=worker)
    with transaction() as session:
        papers.give_back(session.scalars(sa.select(ErrandPaper)).one(), "女儿李梅", by=worker)
    with transaction() as session:
        changing.cancel(session.get_one(Appointment, made.id), by=worker, reason="住院做化疗")
    kept = " ".join(
        f"{row.reason} {row.facts}" for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id))
    )
    assert not [words for words in ("诊断书", "柜子", "李梅", "化疗") if words in kept]


def test_what_is_sealed_of_an_application_stays_out_of_the_outbox(make: Make) -> None:
    person, worker = make.person(), make.worker()
    held = applying.in_hand(applying.item(make), person, make.resident(person), worker)
    applying.act(deciding.ask, held, [], "缺精神科诊断", by=actor_of(worker))
    rows = db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))
    assert not [row for row in rows if "精神科" in str(row.facts)]


def test_a_slot_of_a_place_out_of_reach_is_not_booked_at_the_counter(make: Make, client: Client) -> None:
    item = an_item(make, "街道义诊", area=make.street())
    table = a_timetable(make, item, area=make.community("别处社区"))
    slot = next(one for ahead in range(1, 8) for one in slots_on(table, today() + timedelta(days=ahead)))
    client.sign_in(make.worker(scope=make.community()))
    assert client.get(f"/desk/services/book/{make.person().public_id}/{item.id}/{slot.id}").status_code == 404


def test_a_grid_workers_week_counts_her_own_people_alone(make: Make, client: Client) -> None:
    first, second = make.grid(name="一"), make.grid(name="二")
    slot = a_slot(make, places=5)
    for grid in (first, second, second):
        book(make, slot, make.person(grid=grid))
    pages = [f"/desk/services/weeks{kind}?week={slot.day}" for kind in ("", "/sheet")]
    pages.append(f"/desk/services/slots/{slot.id}")
    client.sign_in(make.worker(Role.GRID_WORKER, scope=first))
    week, sheet, one = (client.get(page).text for page in pages)
    assert "1 人" in week
    assert "1 人" in sheet
    assert "3/5" not in week + sheet
    assert "本网格约的" in one
    client.sign_in(make.worker())
    assert "3/5" in client.get(pages[0]).text
