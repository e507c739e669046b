"""The three rates of the public board, counted by the database in one question: everybody reads that page."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, Satisfaction
from portal.casework.service.metrics import Measure, reachable, touching
from portal.casework.service.periods import Period
from portal.core import clock
from portal.core.db import db


def board_rates(community_id: int, period: Period) -> list[tuple[Measure, int, int]]:
    """The three rates of the public board: measure, numerator, denominator; counted by the database."""
    first, last = period.bounds()
    facts = {"community": community_id, "first": first, "last": last, "now": clock.now()}
    row = db.session.execute(_board_counts(), facts).one()
    return [(measure, row[2 * turn], row[2 * turn + 1]) for turn, measure in enumerate(BOARD)]


BOARD = (Measure.RESPONDED, Measure.SOLVED, Measure.SATISFIED)


@cache
def _board_counts() -> sa.Select[*tuple[Any, ...]]:
    """The board is read by everybody: its question is built once."""
    first, last, now = (sa.bindparam(name, type_=Case.submitted_at.type) for name in ("first", "last", "now"))
    gone = sa.and_(
        Case.state.in_((CaseState.WITHDRAWN, CaseState.MERGED, CaseState.DECLINED)), Case.state_at <= Case.contact_due
    )
    excused = sa.and_(Case.contacted_at.is_(None), sa.or_(gone, sa.not_(reachable())))
    contact = sa.and_(Case.contact_due >= first, Case.contact_due < last, Case.contact_due <= now)
    called = sa.and_(Case.called_back_at >= first, Case.called_back_at < last)
    liked = Case.satisfaction.in_((Satisfaction.GOOD, Satisfaction.FAIR))
    pairs = (
        (sa.and_(contact, sa.not_(excused)), Case.contacted_at <= Case.contact_due),
        (sa.and_(called, Case.solved.is_not(None)), Case.solved.is_(True)),
        (sa.and_(called, Case.satisfaction.is_not(None)), liked),
    )
    columns = [sa.func.count().filter(part) for due, met in pairs for part in (sa.and_(due, met), due)]
    return sa.select(*columns).where(touching(Case.community_id == sa.bindparam("community"), first, last))
