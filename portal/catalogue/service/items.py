"""Items as they are found: one of them, those a resident sees, those a worker keeps."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area
from portal.catalogue.models.codes import ItemKind, ItemState, ProviderKind, Situation
from portal.catalogue.models.items import Condition, Item, ItemChange, Provider
from portal.catalogue.service import grounds
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing

A_PAGE = 40
# How many a resident sees at a time.
SHOWN = 30
HISTORY = 20


@dataclass(frozen=True)
class Brief:
    """An item as a list shows it: its columns alone."""

    id: int
    title: str
    summary: str
    kind: ItemKind
    situations: Sequence[str]
    cost_fen: int | None
    provider: str
    provider_kind: ProviderKind


@dataclass(frozen=True)
class Counted:
    """How many items there are of each situation and of each kind of provider, and in all."""

    situations: dict[Situation, int]
    kinds: dict[ProviderKind, int]
    count: int


def item(item_id: int) -> Item:
    """An item in whatever state, with its provider, papers and area; Missing when there is none."""
    found = db.session.scalar(sa.select(Item).where(Item.id == item_id).options(*_whole()))
    if found is None:
        raise Missing
    return found


def shown(item_id: int, on: date | None = None) -> Item:
    """An item as residents may see it: published, and valid on a day (today unless told)."""
    found = item(item_id)
    if not found.is_shown(on or today()):
        raise Missing
    return found


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        joinedload(Item.area).joinedload(Area.parent),
        joinedload(Item.provider),
        selectinload(Item.materials),
        selectinload(Item.conditions).joinedload(Condition.next_item),
    )


def showing(on: date) -> sa.ColumnElement[bool]:
    """The condition that residents see an item on a day."""
    return sa.and_(
        Item.state == ItemState.PUBLISHED,
        Item.valid_from <= on,
        sa.or_(Item.valid_to.is_(None), Item.valid_to >= on),
    )


@cache
def lean() -> sa.Select[Any]:
    """The columns of a Brief of what residents see in `areas` on a `day`: each reader asks this, so built once."""
    day: sa.BindParameter[Any] = sa.bindparam("day")
    return (
        sa.select(
            Item.id,
            Item.title,
            Item.summary,
            Item.kind,
            Item.situations,
            Item.cost_fen,
            Provider.name.label("provider"),
            Provider.kind.label("provider_kind"),
        )
        .join(Provider, Item.provider_id == Provider.id)
        .where(
            Item.area_id.in_(sa.bindparam("areas", expanding=True)),
            Item.state == ItemState.PUBLISHED,
            Item.valid_from <= day,
            sa.or_(Item.valid_to.is_(None), Item.valid_to >= day),
        )
        .order_by(Item.title, Item.id)
    )


def published(
    community: Area, *, situation: Situation | None = None, kind: ProviderKind | None = None, page: int = 1
) -> tuple[list[Brief], int]:
    """A page of what a community's residents can have today: its own and its street's, by title, perhaps of one
    situation or of one kind of provider; and how many there are in all.
    """
    said: dict[str, Any] = {"areas": grounds.around(community), "day": today(), "skipped": (page - 1) * SHOWN}
    said |= {"situation": f'%"{situation.value}"%' if situation else "%"} | ({"kind": kind} if kind else {})
    rows = db.session.execute(_paged(of_a_kind=kind is not None), said).all()
    return [Brief(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


@cache
def _paged(*, of_a_kind: bool) -> sa.Select[Any]:
    """A page of the same, each row with how many there are in all; situations are kept as a list of codes in JSON."""
    told = sa.type_coerce(Item.situations, sa.String()).like(sa.bindparam("situation", type_=sa.String()))
    query = lean().add_columns(sa.func.count().over()).where(told).limit(SHOWN).offset(sa.bindparam("skipped"))
    return query.where(Provider.kind == sa.bindparam("kind", type_=Provider.kind.type)) if of_a_kind else query


@cache
def _sorts() -> sa.Select[str, ProviderKind, int]:
    told = sa.type_coerce(Item.situations, sa.String())
    briefs = lean().order_by(None)
    return briefs.with_only_columns(told, Provider.kind, sa.func.count(Item.id)).group_by(told, Provider.kind)


@lru_cache(maxsize=512)
def _situations(told: str) -> tuple[Situation, ...]:
    """A list of codes in JSON; few different ones are in use."""
    return tuple(Situation(code) for code in json.loads(told))


def counted(community: Area) -> Counted:
    """How many items of each sort a community's residents find, in one question."""
    situations, kinds, count = dict.fromkeys(Situation, 0), dict.fromkeys(ProviderKind, 0), 0
    for lives, kind, number in db.session.execute(_sorts(), {"areas": grounds.around(community), "day": today()}):
        kinds[kind] += number
        count += number
        for situation in _situations(lives):
            situations[situation] += number
    return Counted(situations, kinds, count)


def item_in(within: Collection[Scope], item_id: int) -> Item:
    """An item that a worker keeps; Missing for any other."""
    query = sa.select(Item).where(Item.id == item_id, Item.area_id.in_(grounds.kept(within))).options(*_whole())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def served_in(within: Collection[Scope], item_id: int) -> Item:
    """An item that a worker keeps, or that the street above has published for her people; Missing for any other."""
    query = sa.select(Item).where(Item.id == item_id, _listed(within)).options(*_whole())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def items_within(
    within: Collection[Scope],
    *,
    state: ItemState | None = None,
    words: str = "",
    page: int = 1,
    kind: ItemKind | None = None,
) -> tuple[list[Item], bool]:
    """A page of the items that a worker keeps, and of those published for her people by the street above: drafts
    first, then by title; and whether there are more.
    """
    query = (
        sa.select(Item)
        .where(_listed(within))
        .options(joinedload(Item.area), joinedload(Item.provider))
        .order_by(_DRAFTS_FIRST, Item.title, Item.id)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    if state is not None:
        query = query.where(Item.state == state)
    if kind is not None:
        query = query.where(Item.kind == kind)
    if words:
        query = query.where(sa.or_(Item.title.contains(words, autoescape=True), Item.code == words.upper()))
    found = list(db.session.scalars(query))
    return found[:A_PAGE], len(found) > A_PAGE


def _listed(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    above = sa.and_(Item.area_id.in_(grounds.served(within)), Item.state == ItemState.PUBLISHED)
    return sa.or_(Item.area_id.in_(grounds.kept(within)), above)


_DRAFTS_FIRST = sa.case({ItemState.DRAFT: 0, ItemState.PUBLISHED: 1}, value=Item.state, else_=2)


def served(within: Collection[Scope], *, kind: ItemKind | None = None) -> list[Item]:
    """The published items that people in these scopes are served with, by title: for a counter and for timetables."""
    query = (
        sa.select(Item)
        .where(Item.area_id.in_(grounds.served(within)), showing(today()))
        .options(joinedload(Item.area), joinedload(Item.provider))
        .order_by(Item.title, Item.id)
    )
    if kind is not None:
        query = query.where(Item.kind == kind)
    return list(db.session.scalars(query))


def count_of(within: Collection[Scope]) -> dict[ItemState, int]:
    """How many of these there are in each state."""
    query = sa.select(Item.state, sa.func.count(Item.id)).where(_listed(within))
    held = {row[0]: row[1] for row in db.session.execute(query.group_by(Item.state))}
    return {state: held.get(state, 0) for state in ItemState}


def history(item: Item) -> list[ItemChange]:
    """The edits of an item, newest first."""
    query = sa.select(ItemChange).where(ItemChange.item_id == item.id)
    return list(db.session.scalars(query.order_by(ItemChange.version.desc(), ItemChange.id.desc()).limit(HISTORY)))


def alternatives(item: Item) -> list[tuple[int, str]]:
    """Id and title of the other items that may be named as the next one: of the same area and of its street."""
    query = (
        sa.select(Item.id, Item.title)
        .where(Item.area_id.in_(grounds.around(item.area)), Item.id != item.id, Item.state == ItemState.PUBLISHED)
        .order_by(Item.title, Item.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]
