"""Background work of the catalogue: slots opened ahead, reminders, offers that ran out, turnouts decided."""

from flask import Flask

from portal.catalogue.service import changing, closing, opening, reminding, waiting
from portal.catalogue.service.applications import asking_again, deciding
from portal.catalogue.service.rooms import leaving, timely
from portal.core import clock, events
from portal.core.db import db, transaction
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.places import service as places


def open_slots() -> None:
    opening.open_all()


def decide_turnout() -> None:
    closing.decide(clock.now())


def remind() -> None:
    """Each reminder in a transaction of its own; what a crash left is found again."""
    moment = clock.now()
    due = reminding.due(moment)
    db.session.rollback()
    for appointment_id in due:
        with transaction():
            reminding.remind(appointment_id, moment)
    rooms_due = timely.due(moment)
    db.session.rollback()
    for booking_id in rooms_due:
        with transaction():
            timely.remind(booking_id, moment)


def lapse_rooms() -> None:
    """Requests for a room that nobody answered in time."""
    moment = clock.now()
    due = timely.unanswered(moment)
    db.session.rollback()
    for booking_id in due:
        with transaction():
            timely.lapse(booking_id, moment)


def close_applications() -> None:
    """Results that nobody marked as delivered for long."""
    moment = clock.now()
    due = deciding.decided_long(moment)
    db.session.rollback()
    for application_id in due:
        with transaction():
            deciding.close_by_itself(application_id, moment)


def remind_papers() -> None:
    """Papers that were asked for and did not come."""
    moment = clock.now()
    due = asking_again.due(moment)
    db.session.rollback()
    for application_id in due:
        with transaction():
            asking_again.remind(application_id, moment)


def lapse() -> None:
    """Pass on every offer that ran out, in any line: each in a transaction of its own."""
    moment = clock.now()
    due = places.due(moment)
    db.session.rollback()
    for waiting_id in due:
        with transaction():
            places.lapse(waiting_id, moment)


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("catalogue.open_slots", open_slots, Scheduled(minute="40", hour="0"))
    jobs.add("catalogue.decide_turnout", decide_turnout, Scheduled(minute="*/5", hour="*"))
    jobs.add("catalogue.remind", remind, Scheduled(minute="*/5", hour="*"))
    jobs.add("catalogue.lapse_rooms", lapse_rooms, Scheduled(minute="*/5", hour="*"))
    jobs.add("catalogue.close_applications", close_applications, Scheduled(minute="50", hour="0"))
    jobs.add("catalogue.remind_papers", remind_papers, Scheduled(minute="10", hour="8"))
    jobs.add("places.lapse", lapse, EVERY_MINUTE)


def listen(app: Flask) -> None:
    """Hear what the register and the waiting lines tell."""
    events.subscribe(app, places.OFFERED, waiting.on_place_offered)
    events.subscribe(app, places.LAPSED, waiting.on_place_lapsed)
    events.subscribe(app, places.CLOSED, waiting.on_place_closed)
    events.subscribe(app, places.FREED, opening.on_place_freed)
    events.subscribe(app, "person_died", changing.on_person_died)
    events.subscribe(app, "person_moved", changing.on_person_moved)
    events.subscribe(app, "person_died", leaving.on_person_died)
