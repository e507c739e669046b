"""A street's categories and redirects as its administrator keeps them: made, changed, ended on a day.

A request copies what its category says of it (kind, urgency, whether it is off the list) when it is classed: a change
here is for what comes after. A question keeps its key while it stays on its line, so that its answers stay its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.casework.models.categories import CaseRedirect, Category, Dated
from portal.casework.models.codes import CaseKind, RedirectKind, Urgency
from portal.casework.service import limits, responsible
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.ids import new_public_id


@dataclass(frozen=True)
class CategoryFacts:
    """What the form of a category says."""

    area_code: str
    parent_id: int | None
    name: str
    hint: str
    kind: CaseKind
    urgency: Urgency
    keywords: list[str]
    questions: list[dict[str, Any]]
    redirect_id: int | None
    off_list: bool
    party: str
    private: bool
    position: int


@dataclass(frozen=True)
class RedirectFacts:
    """What the form of a redirect says."""

    area_code: str
    name: str
    kind: RedirectKind
    phone: str
    says: str
    words: list[str]
    position: int


def _codes(within: Collection[Scope]) -> list[str]:
    return [area.code for area in limits.places(within)]


def is_over(row: Dated) -> bool:
    return row.valid_to is not None and row.valid_to < today()


def categories(places: Collection[Area]) -> list[Category]:
    """Their categories, both levels, as the list shows them; of each level what is over comes last."""
    query = sa.select(Category).where(Category.area_code.in_([one.code for one in places])).order_by(Category.id)
    rows = list(db.session.scalars(query.options(joinedload(Category.parent), joinedload(Category.redirect))))
    return sorted(rows, key=_turn)


def _turn(row: Category) -> tuple[Any, ...]:
    parent = row.parent or row
    own = (0, 0, False) if row is parent else (1, row.position, is_over(row))
    return is_over(parent), parent.position, parent.id, own[0], own[2], own[1], row.id


def category_in(within: Collection[Scope], category_id: int) -> Category:
    row = db.session.get(Category, category_id)
    if row is None or row.area_code not in _codes(within):
        raise Missing
    return row


def parents(rows: Collection[Category], but: Category | None = None) -> list[Category]:
    """Under which a category can stand: the first level."""
    return [one for one in rows if one.parent_id is None and one is not but and not is_over(one)]


def set_category(
    row: Category | None, facts: CategoryFacts, valid_from: date, *, within: Collection[Scope], by: str
) -> Category:
    """Make a category from a day on, or change one that stands."""
    if facts.area_code not in _codes(within):
        raise Missing
    _check_name(row, facts)
    _check_parent(row, facts)
    _check_rule(facts)
    values = {**facts.__dict__, "questions": _keyed(facts.questions, row.questions if row else [])}
    if row is None:
        _check_start(valid_from)
        row = Category(code=f"own_{new_public_id()[:12]}", valid_from=valid_from, set_by=by, **values)
        db.session.add(row)
        db.session.flush()
        audit.record("cases.category_made", row, name=row.name, valid_from=valid_from.isoformat())
        return row
    changed = _change(row, values, by)
    audit.record("cases.category_changed", row, name=row.name, changed=changed)
    return row


def _change(row: Dated, values: dict[str, Any], by: str) -> str:
    """Set what is another; return the names of what changed."""
    changed = [name for name, value in values.items() if getattr(row, name) != value and name != "area_code"]
    for name in changed:
        setattr(row, name, values[name])
    row.set_by = by
    db.session.flush()
    return " ".join(changed)


def _check_start(valid_from: date) -> None:
    if valid_from < today():
        raise Refused(_("生效日期最早是今天。"), field="valid_from")


def _check_name(row: Category | None, facts: CategoryFacts) -> None:
    query = sa.select(Category).where(Category.area_code == facts.area_code, Category.name == facts.name)
    query = query.where(Category.parent_id.is_not_distinct_from(facts.parent_id)).order_by(Category.id)
    if any(one is not row and not is_over(one) for one in db.session.scalars(query)):
        raise Refused(_("已经有“%(name)s”这个类别了，可以直接修改它。", name=facts.name), field="name")


def _check_parent(row: Category | None, facts: CategoryFacts) -> None:
    """Two levels, both of the same street."""
    if facts.parent_id is None:
        return
    parent = db.session.get(Category, facts.parent_id)
    if parent is None or parent.parent_id is not None or not facts.area_code.startswith(parent.area_code):
        raise Refused(_("请选这个街道的一个大类。"), field="parent")
    if row is not None and (parent is row or _under(row)):
        raise Refused(_("这个大类下面还有小类，不能再放到别的大类下面。"), field="parent")


def _check_rule(facts: CategoryFacts) -> None:
    if facts.off_list and not facts.party:
        raise Refused(_("不在居委会事项清单内的，要填写由哪个单位承办。"), field="party")
    responsible.check(facts.party)
    if facts.party and not facts.off_list:
        raise Refused(_("要由别的单位承办，请同时勾选“不在居委会事项清单内”。"), field="off_list")
    if facts.parent_id is not None and not facts.keywords:
        raise Refused(_("请至少写一个关键词，居民写的话才能对上这个类别。"), field="keywords")
    if facts.redirect_id is not None:
        other = db.session.get(CaseRedirect, facts.redirect_id)
        if other is None or not facts.area_code.startswith(other.area_code):
            raise Refused(_("请从列表里选由谁办理。"), field="redirect")


def _keyed(asked: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each question with the key of the same words before, else of the same line, else a new one."""
    same = {one["label"]: one["key"] for one in before}
    keys: list[str | None] = [same.get(one["label"]) for one in asked]
    for turn, one in enumerate(before[: len(asked)]):
        if keys[turn] is None and one["key"] not in keys:
            keys[turn] = one["key"]
    return [{"key": key or f"q{new_public_id()[:8]}", **one} for key, one in zip(keys, asked, strict=True)]


def _under(row: Category) -> list[Category]:
    """What stands under a first level and is not over."""
    query = sa.select(Category).where(Category.parent_id == row.id).order_by(Category.id)
    return [one for one in db.session.scalars(query) if not is_over(one)]


def end_category(row: Category, last_day: date) -> None:
    if any(one.valid_to is None or one.valid_to > last_day for one in _under(row)):
        raise Refused(_("这个大类下面还有小类在用，请先结束它们。"), field="last_day")
    _end(row, last_day)
    audit.record("cases.category_ended", row, name=row.name, valid_to=last_day.isoformat())


def _end(row: Dated, last_day: date) -> None:
    if last_day < today() - timedelta(days=1):
        raise Refused(_("结束日期最早是昨天。"), field="last_day")
    if last_day < row.valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    row.valid_to = last_day
    db.session.flush()


def redirects(places: Collection[Area]) -> list[CaseRedirect]:
    """Who else handles what at some places: emergencies first, what is over last."""
    codes = [area.code for area in places]
    query = sa.select(CaseRedirect).where(CaseRedirect.area_code.in_(codes)).order_by(CaseRedirect.id)
    turns = {kind: turn for turn, kind in enumerate(RedirectKind)}
    rows = db.session.scalars(query)
    return sorted(rows, key=lambda one: (is_over(one), turns[one.kind], one.position, one.id))


def redirect_in(within: Collection[Scope], redirect_id: int) -> CaseRedirect:
    row = db.session.get(CaseRedirect, redirect_id)
    if row is None or row.area_code not in _codes(within):
        raise Missing
    return row


def set_redirect(
    row: CaseRedirect | None, facts: RedirectFacts, valid_from: date, *, within: Collection[Scope], by: str
) -> CaseRedirect:
    """Say from a day on who else handles something, or change what is said."""
    if facts.area_code not in _codes(within):
        raise Missing
    if row is None:
        _check_start(valid_from)
        row = CaseRedirect(valid_from=valid_from, set_by=by, **facts.__dict__)
        db.session.add(row)
        db.session.flush()
        audit.record("cases.redirect_made", row, name=row.name, valid_from=valid_from.isoformat())
        return row
    changed = _change(row, dict(facts.__dict__), by)
    audit.record("cases.redirect_changed", row, name=row.name, changed=changed)
    return row


def end_redirect(row: CaseRedirect, last_day: date) -> None:
    _end(row, last_day)
    audit.record("cases.redirect_ended", row, name=row.name, valid_to=last_day.isoformat())
