"""What the register tells: somebody died; her drafts go, nobody calls her back, what she reported is still mended."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import RUNNING, CaseState, Deed
from portal.casework.service import moves, reporting
from portal.casework.service.moves import SYSTEM
from portal.core.db import db
from portal.registry.models import Person
from portal.registry.service import people


def on_person_died(*, person: Person, **_facts: object) -> None:
    """A street lamp is mended all the same; what waits for her call-back ends without one."""
    ids = people.ids_of(person)
    db.session.execute(sa.delete(CaseFollower).where(CaseFollower.person_id.in_(ids)))
    query = sa.select(Case).where(Case.reporter_id.in_(ids), Case.state.in_({CaseState.DRAFT, *RUNNING}))
    for case in list(db.session.scalars(query.order_by(Case.id))):
        if case.state is CaseState.DRAFT:
            reporting.discard(case)
            continue
        moves.step(case, Deed.NOTED, by=SYSTEM, inside=_("反映人已去世，不用再联系。"))
        if case.state is CaseState.ANSWERED:
            moves.move(case, CaseState.CALLED_BACK, by=SYSTEM, inside=_("反映人已去世，不回访。"))
            moves.move(case, CaseState.CLOSED, by=SYSTEM)
