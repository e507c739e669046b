"""Background work of care visits: the list that makes itself every night, overdue steps."""

from contextlib import suppress

from flask import Flask

from portal.core import events
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.jobs import Jobs, Scheduled, enqueue
from portal.visits.service import checks, leaving, listing, planning, subscribers


def plan() -> None:
    """Bring every community's list up to date, each in a transaction of its own."""
    communities = [area.id for area in listing.communities_with_rules()]
    db.session.rollback()
    for community_id in communities:
        plan_one(community_id)


def plan_one(community_id: int) -> None:
    """One community's list. Where somebody presses the button at this very moment, hers is the same."""
    with suppress(Refused), transaction():
        planning.plan_of(community_id)


def plan_soon(community_id: int) -> None:
    """Whoever a register brought in is on the list at once, not only after the night."""
    enqueue("visits.plan_one", community_id=community_id)


def tell_late() -> None:
    with transaction():
        checks.tell_late()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("visits.plan", plan, Scheduled(minute="10", hour="1"))
    jobs.add("visits.plan_one", plan_one)
    jobs.add("visits.tell_late", tell_late, Scheduled(minute="*/5", hour="*"))


def listen(app: Flask) -> None:
    """Hear what siblings and the register tell."""
    events.subscribe(app, "meals.not_collected", checks.on_meal_not_collected)
    events.subscribe(app, "meals.collected_late", checks.on_meal_collected_late)
    events.subscribe(app, "person_died", subscribers.on_person_died)
    events.subscribe(app, "person_moved", subscribers.on_person_moved)
    events.subscribe(app, "person_merged", subscribers.on_person_merged)
    events.subscribe(app, "people_imported", plan_soon)
    events.subscribe(app, "people_leaving", leaving.on_people_leaving)
