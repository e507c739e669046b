"""How much is open in the name of each visitor of an area: a few questions for all of them."""

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.doors import Load
from portal.registry.models import Person
from portal.visits.models import OPEN, REFERRAL_OPEN, Referral, SafetyCheck, SafetyStep, Visit
from portal.visits.service import checks, visiting
from portal.visits.service.visiting import Tab


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """Visits of today and late ones, safety checks taken and referrals; "" has the visits that are nobody's."""
    day = today()
    here = (Person.grid_id if area.kind is AreaKind.GRID else Person.community_id) == area.id
    late = visiting.in_tab(Tab.LATE, day)
    owners = [*workers, ""]
    step_late = sa.exists().where(
        SafetyStep.check_id == SafetyCheck.id, SafetyStep.done_at.is_(None), SafetyStep.due_at < now()
    )
    questions = (
        sa.select(Visit.worker, sa.func.count(Visit.id), sa.func.count(Visit.id).filter(late))
        .join(Visit.person)
        .where(here, Visit.worker.in_(owners), Visit.state.in_(OPEN), sa.or_(late, visiting.in_tab(Tab.TODAY, day)))
        .group_by(Visit.worker)
        .order_by(Visit.worker),
        sa.select(Referral.owner, sa.func.count(Referral.id), sa.func.count(Referral.id).filter(Referral.due_on < day))
        .join(Referral.person)
        .where(here, Referral.owner.in_(workers), Referral.state.in_(REFERRAL_OPEN))
        .group_by(Referral.owner)
        .order_by(Referral.owner),
        sa.select(SafetyCheck.taken_by, sa.func.count(SafetyCheck.id), sa.func.count(SafetyCheck.id).filter(step_late))
        .join(SafetyCheck.person)
        .where(here, SafetyCheck.taken_by.in_(workers), SafetyCheck.state.in_(checks.OPEN_CHECKS))
        .group_by(SafetyCheck.taken_by)
        .order_by(SafetyCheck.taken_by),
    )
    found: dict[str, Load] = defaultdict(Load)
    for question in questions:
        for worker, count, overdue in db.session.execute(question):
            found[worker] += Load(count, overdue)
    return found
