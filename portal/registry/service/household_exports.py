"""The list of households as a file: masked at once, in the clear when a second person lets it go, like that of people.

Each head who stands in it reads later that her data went out.
"""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import masking, settings, sheets
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Export, ExportPerson, Household
from portal.registry.service import exports, household_lists
from portal.registry.service.finding import inside
from portal.registry.service.household_lists import Line, Wanted

RESOURCE = "households"
WIDTHS = (16.0, 34.0, 14.0, 8.0, 16.0, 14.0, 48.0)


def ask(wanted: Wanted, within: Collection[Scope], *, plain: bool, reason: str, by: Actor, key: str = "") -> Export:
    """Ask for the households of a list as they are now."""
    place, most = household_lists.ground(wanted, within), settings.get(exports.MOST_PEOPLE)
    lines = household_lists.all_lines(wanted, place.area, limit=most + 1)
    if not lines:
        raise Refused(_("没有符合条件的户，没有可以导出的内容。"))
    if len(lines) > most:
        raise Refused(_("一次最多导出 %(most)d 户，请缩小范围，或分几次导出。", most=most))
    ids = [line.id for line in lines]
    homes = sa.select(Household.community_id).where(Household.id.in_(ids)).distinct().order_by(Household.community_id)
    return exports.ask_list(
        RESOURCE,
        {"ids": ",".join(map(str, ids))},
        title=_("户册：%(title)s", title=household_lists.in_words(wanted, place)),
        total=len(lines),
        people=[line.head.person for line in lines if line.head],
        communities=list(db.session.scalars(homes)),
        plain=plain,
        reason=reason,
        by=by,
        within=within,
        key=key,
    )


def headers() -> list[str]:
    return [_("户号"), _("住址"), _("户主"), _("人数"), _("网格"), _("情况")]


def written(export: Export, stamp: str) -> tuple[bytes, int]:
    """The workbook: of the households asked for, those that their asker may see now; and how many they are.

    Whose head has left her area meanwhile does not stand in it, nor reads so.
    """
    area = inside([Scope(kind, ref) for kind, ref in export.scopes])
    lines = household_lists.lines_of([int(key) for key in export.wanted["ids"].split(",")], area)
    heads = [line.head.person for line in lines if line.head]
    gone = sa.delete(ExportPerson).where(ExportPerson.export_id == export.id, ExportPerson.person_id.not_in(heads))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    rows = [[*_cells(line, plain=export.plain), stamp] for line in lines]
    titles = [*headers(), _("水印")]
    return sheets.write_workbook(titles, rows, sheet=export.number, widths=WIDTHS, stamp=stamp), len(rows)


def _cells(line: Line, *, plain: bool) -> list[str]:
    head = line.head.name if line.head else ""
    state = household_lists.state_words(line.state) if line.state else _("正常")
    rest = [str(line.people), line.grid, state]
    if plain:
        return [line.number, line.address, head, *rest]
    address = masking.mask_address(*line.home) if line.home else ""
    return [masking.mask_middle(line.number, 1, 2), address, masking.mask_name(head), *rest]
