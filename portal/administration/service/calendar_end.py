"""The end of the table of holidays: two months before it those are told who keep it."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, outbox, working
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Todo
from portal.core.outbox import OutboxRow, Recipient
from portal.identity import staff
from portal.identity.permissions import Permission

TOPIC = "administration.calendar_ends"
# Said again each month, until the next year is entered.
AGAIN = timedelta(days=28)


def year_to_enter() -> int:
    """The first year of which the table says nothing."""
    end = working.known_until()
    return end.year + 1 if end else clock.today().year


def tell() -> int:
    """Tell those who keep the table that it ends soon, once a month; return how many were told."""
    if not working.ends_soon() or _told_since(clock.now() - AGAIN):
        return 0
    keepers = staff.everywhere(Permission.SETTINGS_EDIT)
    for account in keepers:
        outbox.enqueue(TOPIC, to=Recipient("account", account.public_id), year=year_to_enter(), days=_days())
    return len(keepers)


def _days() -> int:
    return working.days_known()


def _told_since(moment: datetime) -> bool:
    query = sa.select(OutboxRow.id).where(OutboxRow.topic == TOPIC, OutboxRow.created_at > moment).limit(1)
    return db.session.scalar(query) is not None


def todo_of(worker: Actor) -> list[Todo]:
    """What waits for who keeps the table: the next year's holidays, from two months before the end on."""
    if not scopes_of(worker, Permission.SETTINGS_EDIT) or not working.ends_soon():
        return []
    year = year_to_enter()
    due = clock.day_bounds(date(year, 1, 1))[0]
    words = _("录入 %(year)d 年节假日安排", year=year)
    values = {"year": year}
    return [Todo(words, "administration.worker.holidays", values, 1, due=due, late=due < clock.now())]
