"""People whom the register takes back: what the list made of itself goes with them, what somebody did stays."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.core.db import db
from portal.visits.models import (
    Attempt,
    CareExclusion,
    CareSpell,
    CareSubject,
    CareWish,
    Consent,
    Finding,
    Method,
    SafetyCheck,
    TimeOfDay,
    Visit,
    VisitKind,
    VisitPhoto,
    VisitState,
)

CHUNK = 5_000
# What the plan makes and moves by itself, without anybody having been there.
BY_ITSELF = (VisitKind.ROUTINE, VisitKind.SOON, VisitKind.ROUND)
UNTOUCHED = (VisitState.PLANNED, VisitState.MISSED, VisitState.CANCELLED)


def on_people_leaving(*, person_ids: Sequence[int], **_facts: object) -> None:
    """Untouched places on the list go, with their planned visits; whatever was said or recorded holds its person."""
    ordered = sorted(person_ids)
    for start in range(0, len(ordered), CHUNK):
        _forget(ordered[start : start + CHUNK])


def _forget(person_ids: Sequence[int]) -> None:
    """Asked by the range of their numbers: a list of thousands takes longer to write than its answer to read."""
    between = CareSubject.person_id.between(min(person_ids), max(person_ids))
    query = sa.select(CareSubject.id, CareSubject.person_id).where(between, *_unsaid(), ~_visited())
    leaving = set(person_ids)
    found = db.session.execute(query.order_by(CareSubject.id))
    subjects = [subject for subject, person in found if person in leaving]
    if not subjects:
        return
    for model in (Visit, CareSpell):
        _delete(model, model.subject_id.in_(subjects))
    _delete(CareSubject, CareSubject.id.in_(subjects))


def _unsaid() -> list[sa.ColumnElement[bool]]:
    """Nobody said anything of the person: no wish, no override, no worker of her own, no time away."""
    return [
        CareSubject.override_level.is_(None),
        CareSubject.override_off.is_(False),
        CareSubject.assigned_to == "",
        CareSubject.method == Method.HOME,
        CareSubject.time_of_day == TimeOfDay.ANY,
        CareSubject.hint.is_(None),
        CareSubject.consent == Consent.UNASKED,
        CareSubject.not_needed_at.is_(None),
        CareSubject.last_met_on.is_(None),
        ~sa.exists().where(CareWish.subject_id == CareSubject.id),
        ~sa.exists().where(CareExclusion.subject_id == CareSubject.id),
    ]


def _visited() -> sa.ColumnElement[bool]:
    """A visit that somebody promised, began, tried or recorded."""
    held = [
        Visit.kind.not_in(BY_ITSELF),
        Visit.state.not_in(UNTOUCHED),
        Visit.draft.is_not(None),
        Visit.done_at.is_not(None),
        *(sa.exists().where(model.visit_id == Visit.id) for model in (Attempt, Finding, SafetyCheck, VisitPhoto)),
    ]
    return sa.exists().where(Visit.subject_id == CareSubject.id, sa.or_(*held))


def _delete(model: type[Any], which: sa.ColumnElement[bool]) -> None:
    db.session.execute(sa.delete(model).where(which), execution_options={"synchronize_session": False})
