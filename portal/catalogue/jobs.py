"""Background work of the catalogue: slots opened ahead, reminders, offers that ran out, turnouts decided."""

from flask import Flask

from portal.catalogue.service import changing, closing, opening, reminding, waiting
from portal.catalogue.service.applications import asking_again, deciding
from portal.catalogue.service.rooms import elsewhere, leaving, timely
from portal.core import clock, events
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.places import service as places


def open_slots() -> None:
    opening.open_all()


def decide_turnout() -> None:
    closing.decide(clock.now())


def remind() -> None:
    """Before appointments, and before a room's time."""
    moment = clock.now()
    each(reminding.due(moment), lambda number: reminding.remind(number, moment))
    each(timely.due(moment), lambda number: timely.remind(number, moment))


def lapse_rooms() -> None:
    """Requests for a room that nobody answered in time."""
    moment = clock.now()
    each(timely.unanswered(moment), lambda number: timely.lapse(number, moment))


def close_applications() -> None:
    """Results that nobody marked as delivered for long."""
    moment = clock.now()
    each(deciding.decided_long(moment), lambda number: deciding.close_by_itself(number, moment))


def remind_papers() -> None:
    """Papers that were asked for and did not come."""
    moment = clock.now()
    each(asking_again.due(moment), lambda number: asking_again.remind(number, moment))


def lapse() -> None:
    """Every offer that ran out, in any line, is passed on."""
    moment = clock.now()
    each(places.due(moment), lambda number: places.lapse(number, moment))


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
    """Hear what the register and the waiting lines tell, and who else takes a room."""
    events.subscribe(app, places.OFFERED, waiting.on_place_offered)
    events.subscribe(app, places.LAPSED, waiting.on_place_lapsed)
    events.subscribe(app, places.CLOSED, waiting.on_place_closed)
    events.subscribe(app, places.FREED, opening.on_place_freed)
    events.subscribe(app, "person_died", changing.on_person_died)
    events.subscribe(app, "person_moved", changing.on_person_moved)
    events.subscribe(app, "person_died", leaving.on_person_died)
    events.subscribe(app, "room_wanted", elsewhere.on_room_wanted)
    events.subscribe(app, "room_given_back", elsewhere.on_room_given_back)
