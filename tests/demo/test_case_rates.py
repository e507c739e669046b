"""The demonstration's rates are such as a street has: good, and not all of them full."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, Satisfaction
from portal.casework.service import rates
from portal.casework.service.metrics import Measure
from portal.casework.service.periods import month_of
from portal.core.clock import today
from portal.core.db import db
from portal.demo.cases import COUNTS

# Per mille, wide enough for whatever day the street is loaded on: some stories are not yet at their end by then.
SPAN = {Measure.RESPONDED: (900, 999), Measure.SOLVED: (820, 990), Measure.SATISFIED: (850, 995)}


@pytest.mark.parametrize("code", sorted(COUNTS))
def test_the_rates_are_believable(app, demonstration, code):
    with app.app_context():
        judge(code)


def judge(code):
    area = db.session.scalars(sa.select(Area).where(Area.code == code)).one()
    last = month_of(today())
    months = [last, last.before(), last.before().before()]
    found = [{m: (met, due) for m, met, due in rates.board_rates(area.id, one)} for one in months]
    for measure, (least, most) in SPAN.items():
        met, due = (sum(one[measure][turn] for one in found) for turn in (0, 1))
        assert least <= 1000 * met // due <= most, (measure, met, due)
    unsolved = sa.select(sa.func.count(Case.id)).where(Case.solved.is_(False))
    assert db.session.scalar(unsolved)
    assert not db.session.scalar(unsolved.where(Case.satisfaction != Satisfaction.BAD))
    assert not db.session.scalar(unsolved.where(Case.state == CaseState.CLOSED, Case.redos < 2))
    redone = db.session.scalar(sa.select(sa.func.count(Case.id)).where(Case.redos > 0))
    late = db.session.scalar(sa.select(sa.func.count(Case.id)).where(Case.answered_at > Case.finish_due))
    assert redone
    assert late
