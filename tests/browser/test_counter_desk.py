"""The counter as a worker lives it: timetables at the desk, the day on a phone, their paper on A4."""

from datetime import time, timedelta

import pytest
from flask import Flask

from portal.catalogue.models.schedules import Of
from portal.core.clock import today
from tests.browser.conftest import Open
from tests.catalogue.tables import a_doctor, a_timetable, an_item, booked, slots_on
from tests.client import Client
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
MORNING = (time(9), time(11))
PAGES = (
    "days?day={day}",
    "weeks?week={day}",
    "slots/{slot}",
    "slots/{slot}/message",
    "slots/{slot}/call-off",
    "appointments/{appointment}",
    "appointments/{appointment}/cancel",
    "appointments/{appointment}/errand",
    "check-in",
    "book",
    "book/{person}?item={item}&day={day}",
    "book/{person}/{item}/{slot}",
    "errands",
    "figures",
    "timetables",
    "timetables/new",
    "timetables/{table}",
    "timetables/{table}/edit",
    "timetables/{table}/exception",
    "timetables/{table}/day-off",
)
PAPERS = ("days/sheet?day={day}", "days/tickets?day={day}", "weeks/sheet?week={day}")


def _stand(make: Make, app: Flask) -> tuple[dict[str, object], Client]:
    """A doctor's timetable with thirty appointments on a day to come, the worker signed in."""
    worker, doctor, item = make.worker(), a_doctor(make), an_item(make)
    day = today() + timedelta(days=2)
    person = make.person()
    hours = tuple((weekday, *MORNING) for weekday in range(7))
    table = a_timetable(
        make, item, by=worker, of=Of.STAFF, staff_id=doctor.id, people=12, hours=hours, on_holidays=True
    )
    slots = slots_on(table, day)
    first = booked(make, slots[0], person)
    for turn in range(30):
        booked(make, slots[turn % 3], make.person(f"居民{turn}"))
    names = {"day": day.isoformat(), "slot": slots[0].id, "appointment": first.public_id, "person": person.public_id}
    return names | {"item": item.id, "table": table.id}, app.test_client().sign_in(worker)


@pytest.mark.parametrize(("desk", "scale"), [(True, "1"), (False, "1"), (False, "1.3")])
def test_every_page_of_the_counter_fits_its_screen_and_reads_well(make: Make, app: Flask, reader: Open, desk, scale):
    names, client = _stand(make, app)
    worker = reader(desk=desk, scale=scale).carry(client)
    for page in PAGES:
        worker.go(f"/desk/services/{page.format(**names)}")


def test_the_papers_of_the_counter_fit_a4(make: Make, app: Flask, reader: Open):
    names, client = _stand(make, app)
    worker = reader(desk=True).carry(client)
    pages = []
    for paper in PAPERS:
        worker.go(f"/desk/services/{paper.format(**names)}")
        printed = worker.page.pdf(prefer_css_page_size=True)
        pages.append(printed.count(b"/Type /Page\n"))
    # Thirty-one names on one sheet or two, as many tickets on two sheets of 24, a week on one lying sheet.
    assert pages[0] <= 2
    assert pages[1:] == [2, 1]
