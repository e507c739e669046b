"""Copies of everything that is held: kept sealed for a day, fetched by nobody but their owner, then deleted."""

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, tokens
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, RightKind, RightsCopy, RightsRequest, RightState
from portal.registry.service.consents import Voice
from portal.registry.service.rights.clock import due_on

LIVES = timedelta(hours=24)
A_DAY = 5

Body = dict[str, Any]


def throttle(actor: Actor) -> None:
    """Five copies a day: making one reads everything."""
    tokens.throttle("rights.copy", actor.public_id, limit=A_DAY, per=timedelta(days=1))


def keep(person: Person, body: Body, *, voice: Voice) -> RightsCopy:
    """Keep what was put together, and note that the right was answered at once."""
    moment = now()
    text = json.dumps(body, ensure_ascii=False, indent=1)
    made = RightsCopy(person_id=person.id, made_at=moment, ends_at=moment + LIVES, body=text)
    answered = RightsRequest(
        kind=RightKind.COPY,
        person_id=person.id,
        state=RightState.GRANTED,
        channel=voice.channel,
        asked_at=moment,
        asked_by=voice.by,
        asked_name=voice.name,
        due_on=due_on(RightKind.COPY, today()),
        decided_at=moment,
        decided_by="system",
        decided_name="系统",
    )
    db.session.add_all([made, answered])
    db.session.flush()
    audit.record("registry.copy_made", person)
    return made


def copies_of(person: Person) -> list[RightsCopy]:
    """Those that can still be fetched, newest first."""
    query = sa.select(RightsCopy).where(RightsCopy.person_id == person.id, RightsCopy.ends_at > now())
    return list(db.session.scalars(query.order_by(RightsCopy.id.desc())))


def copy_of(person: Person, public_id: str) -> RightsCopy:
    query = sa.select(RightsCopy).where(RightsCopy.person_id == person.id, RightsCopy.public_id == public_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def take(person: Person, public_id: str) -> Body:
    """A copy to hand out now, as it was put together; recorded."""
    found = copy_of(person, public_id)
    if found.ends_at <= now():
        raise Refused(_("这一份已经过了 24 小时，删除了。请再做一份。"))
    found.downloads += 1
    audit.record("registry.copy_taken", person)
    body: Body = json.loads(found.body)
    return body


def purge(before: datetime) -> int:
    """Delete copies whose day is over; return how many went."""
    gone = db.session.execute(sa.delete(RightsCopy).where(RightsCopy.ends_at < before))
    return int(getattr(gone, "rowcount", 0))
