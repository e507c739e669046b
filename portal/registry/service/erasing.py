"""Forgetting diet and health once nobody may keep them: out of records, requests, histories and snapshots."""

import json
from collections.abc import Collection

import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import (
    Happening,
    HappeningKind,
    HappeningPart,
    Person,
    PersonChange,
    RightsRequest,
    RightState,
)

ERASED = ("diet", "health")
AT_ONCE = 500


def forget(ids: Collection[int]) -> None:
    """Everything that is known of the diet and health of some records, wherever it was written down."""
    known = sorted(ids)
    for first in range(0, len(known), AT_ONCE):
        part = known[first : first + AT_ONCE]
        for person in db.session.scalars(sa.select(Person).where(Person.id.in_(part)).order_by(Person.id)):
            person.diet = person.health = None
        db.session.flush()
        _requests(part)
        histories(part)
        _snapshots(part)


def histories(ids: Collection[int]) -> None:
    """Histories still tell that these fields changed, and no longer from what to what."""
    query = sa.select(PersonChange).where(PersonChange.person_id.in_(ids)).order_by(PersonChange.id)
    for row in db.session.scalars(query):
        told = json.loads(row.changes)
        if any(told.get(name, [None, None]) != [None, None] for name in ERASED):
            hidden = {name: [None, None] if name in ERASED else values for name, values in told.items()}
            row.changes = json.dumps(hidden, ensure_ascii=False)
    db.session.flush()


def _requests(ids: Collection[int]) -> None:
    """What was proposed for these fields goes too; what still waited is withdrawn."""
    hers = sa.update(RightsRequest).where(RightsRequest.person_id.in_(ids), RightsRequest.field.in_(ERASED))
    waiting = hers.where(RightsRequest.state == RightState.OPEN)
    db.session.execute(waiting.values(state=RightState.WITHDRAWN, decided_at=now()))
    db.session.execute(hers.values(said=None, why=None, picture=None, has_picture=False))


def _snapshots(ids: Collection[int]) -> None:
    """A merge's snapshots without these two fields: undoing it leaves them as they are."""
    about = sa.select(HappeningPart.happening_id).where(HappeningPart.person_id.in_(ids))
    query = sa.select(Happening).where(Happening.kind == HappeningKind.MERGE, Happening.id.in_(about))
    for happening in db.session.scalars(query.order_by(Happening.id)):
        happening.before = _without(happening.before, ids)
        happening.after = _without(happening.after, ids)
    db.session.flush()


def _without(text: str, ids: Collection[int]) -> str:
    rows = json.loads(text)
    for key, values in rows.get("person", {}).items():
        if int(key) in ids:
            for name in ERASED:
                values.pop(name, None)
    return json.dumps(rows, ensure_ascii=False, sort_keys=True)
