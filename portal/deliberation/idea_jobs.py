"""Background work of ideas and outcomes: reminders before an answer is due, notices whose days are over, late tasks."""

from flask import Flask

from portal.core import events
from portal.core.each import each
from portal.core.jobs import Jobs, Scheduled
from portal.deliberation.service import follow_ups, idea_due, outcomes


def remind_ideas() -> None:
    """Ideas to be answered within days."""
    each(idea_due.due(), idea_due.remind)


def end_notices() -> None:
    """Outcomes whose days are over stand, and their topics go on."""
    each(outcomes.due(), outcomes.stand)


def remind_tasks() -> None:
    """Tasks whose day is over: their owners are told once."""
    each(follow_ups.late(), follow_ups.remind)


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.end_notices", end_notices, Scheduled(minute="15", hour="*"))
    jobs.add("deliberation.remind_tasks", remind_tasks, Scheduled(minute="20", hour="8"))
    jobs.add("deliberation.remind_ideas", remind_ideas, Scheduled(minute="10", hour="8"))


def listen(app: Flask) -> None:
    events.subscribe(app, "matters_recur", idea_due.on_matters_recur)
