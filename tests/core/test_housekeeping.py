"""What is swept at night, and what is not."""

from datetime import timedelta

import sqlalchemy as sa

from portal.core import housekeeping, outbox
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import Delivery, OutboxRow, Recipient


def _told(state):
    """A message that came to this state a month ago."""
    with transaction():
        outbox.enqueue("meals.no_such_event", to=Recipient("account", "nobody"))
    with transaction() as session:
        row = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id.desc())).first()
        row.state, row.due_at = state, now() - timedelta(days=31)
    return row.id


def test_a_message_is_forgotten_a_month_after_its_end_and_one_that_waits_never(make):
    _ended, waits = _told(Delivery.DELIVERED), _told(Delivery.WAITING)
    housekeeping.purge()
    assert list(db.session.scalars(sa.select(OutboxRow.id))) == [waits]
