"""Background work of meals: settling who did not collect, every minute, and what follows from it, every night."""

from portal.core import clock
from portal.core.db import db, transaction
from portal.core.jobs import Jobs, Scheduled
from portal.meals.service import settlement


def settle() -> None:
    """Settle each menu whose time has come, in a transaction of its own; what a crash left is found again."""
    waiting = settlement.due(clock.now())
    db.session.rollback()
    for menu_id in waiting:
        with transaction():
            settlement.settle(menu_id)


def take_back_subsidies() -> None:
    """Reverse the subsidies of meals that nobody collected and nobody can still enter."""
    uneaten = settlement.unpaid_subsidies(clock.now())
    db.session.rollback()
    for order_id in uneaten:
        with transaction():
            settlement.take_back_subsidy(order_id)


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("meals.settle", settle, Scheduled(minute="*", hour="*"))
    jobs.add("meals.take_back_subsidies", take_back_subsidies, Scheduled(minute="20", hour="2"))
