"""Background work of meetings: reminders; what the lines before full rooms and the register tell."""

from flask import Flask

from portal.core import clock, events
from portal.core.each import each
from portal.core.jobs import Jobs, Scheduled
from portal.deliberation.service import meeting_reminding, meeting_signup
from portal.places import service as places


def remind() -> None:
    moment = clock.now()
    each(meeting_reminding.due(moment), lambda number: meeting_reminding.remind(number, moment))


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.remind_meetings", remind, Scheduled(minute="*/5", hour="*"))


def listen(app: Flask) -> None:
    events.subscribe(app, places.OFFERED, meeting_signup.on_place_offered)
    events.subscribe(app, places.CLOSED, meeting_signup.on_place_closed)
    events.subscribe(app, "person_died", meeting_signup.on_person_died)
