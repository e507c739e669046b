"""Looking somebody up beyond one's own area: by a whole number only, with a reason, and without opening the person."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, ids, masking, settings
from portal.core.access import Scope
from portal.core.db import db
from portal.core.sealing import blind
from portal.registry.models import Person, PersonState
from portal.registry.service import finding

HOURLY = "registry.beyond_per_hour"
MOST = 5

settings.declare(
    HOURLY,
    default=20,
    label=lambda: _("工作人员每小时跨区域查询"),
    unit=lambda: _("次"),
    least=1,
    most=200,
)


@dataclass(frozen=True)
class Stranger:
    """What a worker is told of somebody who is not hers: enough to send for the right office, and no more."""

    masked_name: str
    community: str
    mine: bool
    gone: bool


def beyond(number: str, within: Collection[Scope], *, reason: str) -> list[Stranger]:
    """Who has this ID number or mobile, wherever she lives. Each look is recorded with the person, found or not."""
    kind = finding.kind_of_query(number)
    query = sa.select(Person).where(_is(kind, number), Person.merged_into_id.is_(None)).order_by(Person.id).limit(MOST)
    people = list(db.session.scalars(query.options(sa.orm.joinedload(Person.community))))
    area = finding.inside(within)
    for found in [*people, *(() if people else (None,))]:
        audit.record("registry.searched_beyond", found, reason=reason, kind=kind, count=len(people))
    return [
        Stranger(
            masked_name=masking.mask_name(person.name),
            community=person.community.name,
            mine=person.community_id in area.whole or person.grid_id in area.grids,
            gone=person.state is not PersonState.PRESENT,
        )
        for person in people
    ]


def _is(kind: str, number: str) -> sa.ColumnElement[bool]:
    if kind == "id_number":
        return Person.id_index == blind("person.id_number", ids.normalise_id(number))
    return Person.phone_index == blind("person.phone", finding.phone_in(number))
