"""Background work of meetings: reminders; what the lines before full rooms and the register tell."""

from flask import Flask

from portal.core import clock, events
from portal.core.db import db, transaction
from portal.core.jobs import Jobs, Scheduled
from portal.deliberation.service import meeting_reminding, meeting_signup
from portal.places import service as places


def remind() -> None:
    """Each reminder in a transaction of its own; what a crash left is found again."""
    moment = clock.now()
    due = meeting_reminding.due(moment)
    db.session.rollback()
    for attendee_id in due:
        with transaction():
            meeting_reminding.remind(attendee_id, moment)


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.remind_meetings", remind, Scheduled(minute="*/5", hour="*"))


def listen(app: Flask) -> None:
    events.subscribe(app, places.OFFERED, meeting_signup.on_place_offered)
    events.subscribe(app, places.CLOSED, meeting_signup.on_place_closed)
    events.subscribe(app, "person_died", meeting_signup.on_person_died)
