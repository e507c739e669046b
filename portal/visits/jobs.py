"""Background work of care visits: the list that makes itself every night, overdue steps."""

from contextlib import suppress

from flask import Flask

from portal.core import events
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.jobs import Jobs, Scheduled
from portal.visits.service import checks, listing, planning, subscribers


def plan() -> None:
    """Bring every community's list up to date, each in a transaction of its own."""
    communities = [area.id for area in listing.communities_with_rules()]
    db.session.rollback()
    for community_id in communities:
        # Somebody pressed the button at this very moment: her list is the same.
        with suppress(Refused), transaction():
            planning.plan_of(community_id)


def tell_late() -> None:
    with transaction():
        checks.tell_late()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("visits.plan", plan, Scheduled(minute="10", hour="1"))
    jobs.add("visits.tell_late", tell_late, Scheduled(minute="*/5", hour="*"))


def listen(app: Flask) -> None:
    """Hear what siblings and the register tell."""
    events.subscribe(app, "meals.not_collected", checks.on_meal_not_collected)
    events.subscribe(app, "person_died", subscribers.on_person_died)
    events.subscribe(app, "person_moved", subscribers.on_person_moved)
    events.subscribe(app, "person_merged", subscribers.on_person_merged)
