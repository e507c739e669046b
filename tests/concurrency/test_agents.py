"""Five people to act for, ten requests at once: the lock lets five through, without it more are made."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import FamilyAgent
from portal.registry.service import agents
from tests.concurrency.test_portions import at_once
from tests.meals.stand import acting

MOST, ATTEMPTS = 5, 10


def made() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(FamilyAgent)) or 0


@pytest.fixture
def daughter(make):
    return acting(make.resident(make.person("李小红")))


def test_of_ten_requests_at_once_five_are_made(app, daughter):
    def ask(number: int) -> bool:
        wanted = {"name": f"王秀英{number}", "number": "13911111111", "relation": "child"}
        try:
            with app.test_request_context(), transaction():
                agents.ask(daughter, until=today() + timedelta(days=30), **wanted)
            return True
        except Refused:
            return False

    assert at_once(app, ATTEMPTS, ask) == MOST
    assert made() == MOST


def test_without_the_lock_more_than_five_are_made(app, daughter):
    """The negative control: all count before any adds, which is what the lock forbids."""
    seen = threading.Barrier(ATTEMPTS, timeout=60)

    def ask(number: int) -> bool:
        with app.test_request_context():
            agents._refuse_more(daughter, f"王秀英{number}")
            db.session.rollback()
            seen.wait()
            with transaction() as session:
                session.add(
                    FamilyAgent(
                        account_id=daughter.account_id,
                        principal_name=f"王秀英{number}",
                        relation="child",
                        until=today() + timedelta(days=30),
                        requested_at=now(),
                    )
                )
        return True

    assert at_once(app, ATTEMPTS, ask) > MOST
    assert made() > MOST
