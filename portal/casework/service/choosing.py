"""Which category a request belongs to, and whether somebody else handles it: by the words that were typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.casework.models.cases import Case
from portal.casework.models.categories import CaseRedirect, Category, Dated
from portal.casework.models.codes import RedirectKind
from portal.core import search
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Refused

MOST_SUGGESTED = 3
# What a text must hold of a category's keywords: one shared character says nothing, a word of two does.
ENOUGH = 4
UNSURE = "other_any"


@dataclass(frozen=True)
class Group:
    """A category of the first level with those under it."""

    parent: Category
    leaves: tuple[Category, ...]


def in_force(community_code: str, day: date | None = None) -> list[Category]:
    """The categories of a community on a day, in the order of the list; of one code the nearest area's."""
    query = sa.select(Category).where(_holds(Category, day or today()))
    query = query.options(joinedload(Category.parent), joinedload(Category.redirect))
    rows = [row for row in db.session.scalars(query) if community_code.startswith(row.area_code)]
    nearest: dict[str, Category] = {}
    for row in sorted(rows, key=lambda one: (-len(one.area_code), one.valid_from, one.id)):
        nearest.setdefault(row.code, row)
    return sorted(nearest.values(), key=_turn)


def _turn(row: Category) -> tuple[int, int, int, int]:
    parent = row.parent
    return (parent.position, parent.id, 1 + row.position, row.id) if parent else (row.position, row.id, 0, row.id)


def _holds(kind: type[Dated], day: date | sa.ColumnElement[date]) -> sa.ColumnElement[bool]:
    return sa.and_(kind.valid_from <= day, sa.or_(kind.valid_to.is_(None), kind.valid_to >= day))


def groups(community_code: str) -> list[Group]:
    """Both levels, for a list to choose from; a first level without a second is left out."""
    found = in_force(community_code)
    parents = {row.code: row for row in found if row.parent is None}
    under = {code: tuple(row for row in found if row.parent and row.parent.code == code) for code in parents}
    return [Group(parent, under[code]) for code, parent in parents.items() if under[code]]


def firsts(community_code: str) -> list[tuple[str, str]]:
    """Code and name of the first level that holds something, in order: for a list to choose from."""
    found = db.session.execute(_firsts(), {"day": today()})
    rows = [row for row in found if community_code.startswith(row.area_code)]
    nearest = {row.code: row.name for row in sorted(rows, key=lambda one: len(one.area_code))}
    return [(code, nearest[code]) for code in dict.fromkeys(row.code for row in rows)]


@cache
def _firsts() -> sa.Select[str, str, str]:
    day, child, above = sa.bindparam("day", type_=sa.Date()), sa.orm.aliased(Category), sa.orm.aliased(Category)
    under = sa.exists().where(child.parent_id == above.id, above.code == Category.code, _holds(child, day))
    query = sa.select(Category.code, Category.name, Category.area_code).where(_holds(Category, day), under)
    return query.where(Category.parent_id.is_(None)).order_by(Category.position, Category.id)


def leaves(community_code: str) -> list[Category]:
    return [leaf for group in groups(community_code) for leaf in group.leaves]


def leaf(community_code: str, category_id: int) -> Category:
    """One of a community's categories by its number."""
    found = next((one for one in leaves(community_code) if one.id == category_id), None)
    if found is None:
        raise Refused(_("这个类别已经停用，请重新选一个。"), field="category")
    return found


def suggested(text: str, among: Iterable[Category]) -> list[Category]:
    """The categories whose keywords a text holds, the best first: long words say more than short ones."""
    said = search.normalise(text).replace(" ", "")
    scored = [(sum(len(word) ** 2 for word in row.keywords if word in said), row) for row in among]
    found = sorted((one for one in scored if one[0] >= ENOUGH), key=lambda one: (-one[0], _turn(one[1])))
    return [row for _score, row in found[:MOST_SUGGESTED]]


def best(text: str, among: Sequence[Category]) -> Category | None:
    """The category that a text suggests, else the one for what nobody can say."""
    found = suggested(text, among)
    return found[0] if found else next((row for row in among if row.code == UNSURE), None)


def redirects(community_code: str) -> list[CaseRedirect]:
    """Who else handles what there: emergencies first."""
    rows = db.session.scalars(sa.select(CaseRedirect).where(_holds(CaseRedirect, today())))
    turns = {kind: turn for turn, kind in enumerate(RedirectKind)}
    found = [row for row in rows if community_code.startswith(row.area_code)]
    return sorted(found, key=lambda row: (turns[row.kind], row.position, row.id))


def redirected(text: str, among: Sequence[CaseRedirect], category: Category | None = None) -> list[CaseRedirect]:
    """Who else handles what a text says: by its words, then by its category."""
    said = search.normalise(text).replace(" ", "")
    found = [row for row in among if any(word in said for word in row.words)]
    urgent = [row for row in found if row.kind is RedirectKind.EMERGENCY]
    if urgent:
        return urgent[:2]
    if category and category.redirect and category.redirect.holds(today()):
        found.append(category.redirect)
    return list(dict.fromkeys(found))[:2]


def redirects_of(case: Case) -> list[CaseRedirect]:
    """Who else handles this request."""
    text = f"{case.title} {case.what or ''}"
    return redirected(text, redirects(case.community.code), case.category)


def is_emergency(found: Iterable[CaseRedirect]) -> bool:
    return any(row.kind is RedirectKind.EMERGENCY for row in found)
