"""Lists of resources with people's names and telephones in the clear: asked for, let go by another, written later."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import settings
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Export, Organisation, Staff, VolunteerTeam
from portal.registry.service import exports
from portal.registry.service.resources import organisations, staff, tables, teams
from portal.registry.service.resources.listing import Wanted
from portal.registry.service.resources.tables import Kind, Shown

Row = Organisation | Staff | VolunteerTeam


def ask(kind: Kind, within: Collection[Scope], wanted: Wanted, *, reason: str, by: Actor, key: str = "") -> Export:
    """Ask for a list in the clear. It waits for a second person, who answers for every community in it."""
    rows = _rows(kind, within, wanted)
    most = settings.get(exports.MOST_PEOPLE)
    if not rows:
        raise Refused(_("没有符合条件的内容可以导出。"))
    if len(rows) > most:
        raise Refused(_("一次最多导出 %(most)d 行，请缩小范围，或分几次导出。", most=most))
    return exports.ask_list(
        kind.value,
        wanted.asked(),
        title=_("%(where)s%(what)s", where=_where(rows), what=tables.title(kind)),
        total=len(rows),
        people=[person for row in rows for person in _people(row)],
        communities={row.community_id for row in rows},
        reason=reason,
        by=by,
        within=within,
        key=key,
    )


def _rows(kind: Kind, within: Collection[Scope], wanted: Wanted) -> Sequence[Row]:
    whole = wanted.whole()
    if kind is Kind.STAFF:
        return staff.staff(within, whole).rows
    if kind is Kind.TEAMS:
        return teams.teams(within, whole).rows
    return organisations.organisations(within, whole).rows if kind is Kind.ORGANISATIONS else []


def _where(rows: Sequence[Row]) -> str:
    """Whose list it is, for who decides."""
    names = list(dict.fromkeys(row.community.name for row in rows))
    return names[0] if len(names) == 1 else _("%(name)s等 %(count)d 个社区的", name=names[0], count=len(names))


def _people(row: Row) -> list[int]:
    """Who of the register stands in a row: she reads later that her data went out."""
    match row:
        case Staff():
            return [row.person_id] if row.person_id else []
        case VolunteerTeam():
            leader = teams.leader_of(row)
            return [leader.id] if leader else []
        case _:
            return []


def written(export: Export, stamp: str) -> tuple[bytes, int]:
    """The workbook of an approved request, and how many rows it has: of what its asker may see now, and no community
    but those that were let go.
    """
    kind, wanted = Kind(export.resource), Wanted(**export.wanted)
    touched = areas.touched([Scope(kind_, ref) for kind_, ref in export.scopes])
    here = sa.select(Area.code).where(Area.id.in_(touched), Area.id.in_(export.communities)).order_by(Area.code)
    within = [Scope("community", code) for code in db.session.scalars(here)]
    exports.hold_now(export, [person for row in _rows(kind, within, wanted) for person in _people(row)])
    made = tables.table(kind, within, wanted, Shown.PLAIN)
    return tables.workbook(made, stamp, export.number), len(made.rows)


def headers(export: Export) -> str:
    """Its columns in words."""
    return _("、").join(tables.table(Kind(export.resource), (), Wanted()).headers)
