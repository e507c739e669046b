"""Requests that are likely the same matter: near in place and time, of one category or of similar words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Building
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import RUNNING, CaseState
from portal.core import clock, search, settings
from portal.core.clock import now
from portal.core.db import db

settings.declare(
    "casework.similar_days",
    default=30,
    label=lambda: _("查找相似诉求时往前看多少天"),
    unit=lambda: _("天"),
    least=1,
    most=180,
)
MOST_SHOWN = 3
MOST_READ = 300
# Words say nothing about which lamp is meant; these stand in nearly every request.
EMPTY_WORDS = frozenset(
    {
        "希望",
        "社区",
        "麻烦",
        "尽快",
        "处理",
        "一下",
        "解决",
        "我们",
        "小区",
        "没有",
        "已经",
        "谢谢",
        "请问",
        "问题",
        "反映",
    }
)


LIKELY = 0.3
# Of one category at one place, even with quite other words, it is likely the same matter, unless weeks lie between.
SAME_CATEGORY, SAME_BUILDING = 0.3, 0.1
FRESH_DAYS, A_DAY_LESS = 5, 0.02


@dataclass(frozen=True)
class Said:
    """What is compared of a request: its words as bigrams, its category, where it is, and its day as a number."""

    words: frozenset[str]
    category: str
    building: int | None = None
    estate: int | None = None
    grid: int | None = None
    day: int = 0


def said(text: str, category: str, **where: int | None) -> Said:
    """`where` is building, estate and grid as far as they are known, and `day`."""
    known = {name: value for name, value in where.items() if value is not None}
    return Said(frozenset(search.bigrams(text)) - EMPTY_WORDS, category, **known)


def likeness(one: Said, other: Said) -> float:
    """How much two texts share: twice the common bigrams by all of both (Dice), 0 to 1."""
    total = len(one.words) + len(other.words)
    return 2 * len(one.words & other.words) / total if total else 0.0


def nearness(one: Said, other: Said) -> float:
    """1 in one building, less where only estate or grid is known to be the same, 0 elsewhere."""
    if one.building and other.building:
        return float(one.building == other.building)
    if one.estate and one.estate == other.estate:
        return 0.5
    return 0.25 if one.grid and one.grid == other.grid else 0.0


def score(one: Said, other: Said) -> float:
    """How likely two requests are one matter: words, category, place and time together."""
    near = nearness(one, other)
    if not near:
        return 0.0
    apart = max(abs(one.day - other.day) - FRESH_DAYS, 0)
    same = SAME_CATEGORY if one.category == other.category else 0.0
    return likeness(one, other) + same * near + SAME_BUILDING * (near == 1.0) - A_DAY_LESS * apart


def is_likely(one: Said, other: Said) -> bool:
    return score(one, other) >= LIKELY


def _of(case: Case) -> Said:
    category = case.category.code if case.category else ""
    where = {"building": case.building_id, "estate": case.estate_id, "grid": case.grid_id}
    day = clock.local(case.submitted_at or now()).date().toordinal()
    return said(f"{case.what or case.title} {case.place}", category, day=day, **where)


def nearby(case: Case, *, states: Collection[CaseState] = tuple(RUNNING), private: bool = False) -> list[Case]:
    """Running requests that are likely the same matter as this one, the likeliest first; never its reporter's own."""
    asked = _of(case)
    scored = [(score(asked, _of(other)), other) for other in _candidates(case, states, private=private)]
    likely = sorted((one for one in scored if one[0] >= LIKELY), key=lambda one: (-one[0], -one[1].id))
    return [other for _score, other in likely[:MOST_SHOWN]]


def _candidates(case: Case, states: Collection[CaseState], *, private: bool) -> Sequence[Case]:
    since: datetime = now() - timedelta(days=settings.get("casework.similar_days"))
    query = (
        sa.select(Case)
        .join(Case.category)
        .where(Case.community_id == case.community_id, Case.id != case.id, Case.state.in_(states))
        .where(Case.submitted_at >= since, sa.or_(Case.reporter_id.is_(None), Case.reporter_id != case.reporter_id))
        .options(joinedload(Case.category), joinedload(Case.estate))
        .options(joinedload(Case.building).joinedload(Building.estate))
        .order_by(Case.submitted_at.desc(), Case.id.desc())
        .limit(MOST_READ)
    )
    if not private:
        query = query.where(Category.private.is_(False))
    return db.session.scalars(query).all()
