"""Finding people by what a worker types: every kind of look-up is a range of an index, however large the register."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core import ids
from portal.core.access import Scope
from portal.core.db import db, rows_of
from portal.core.sealing import blind
from portal.registry.models import Household, Person, PersonState, PersonWord
from portal.registry.service.lines import Line, lines_in

# 6号楼2单元301, 6幢301室, 6-2-301, with or without the estate before it.
DOOR = re.compile(
    r"(?P<estate>[^\d\s]*)\s*(?P<building>\d+)\s*(?:号楼|[幢栋座号-])\s*(?:(?P<unit>\d+)\s*(?:单元|-)\s*)?(?P<room>\d+)室?"
)
BUILDING_WORDS = ("", "号楼", "幢", "栋", "座", "号")
NUMBERS = frozenset({"id_number", "phone"})
LAST_SIGN = chr(0x10FFFF)
Row = TypeVar("Row")
Ids = sa.Select[int] | sa.CompoundSelect[int]


@dataclass(frozen=True)
class Inside:
    """Scopes as ids of areas: whole communities, single grids, and the communities that hold either.

    A person's grid lies in her community: so the communities bound every look-up, and the grids narrow it.
    """

    whole: frozenset[int]
    grids: frozenset[int]
    around: frozenset[int]

    def holds(self) -> sa.ColumnElement[bool]:
        """The condition that a person is inside."""
        if not self.grids:
            return Person.community_id.in_(self.whole)
        if not self.whole:
            return Person.grid_id.in_(self.grids)
        return sa.or_(Person.community_id.in_(self.whole), Person.grid_id.in_(self.grids))


def inside(scopes: Collection[Scope]) -> Inside:
    """Resolve area scopes: one question for the areas named, one more where a street is among them."""
    if any(scope.kind == "all" for scope in scopes):
        whole = areas.reach(scopes).communities
        return Inside(whole, frozenset(), whole)
    named = {(scope.kind, scope.ref) for scope in scopes}
    codes = [ref for _kind, ref in named]
    rows = rows_of(_named_areas(), {"codes": codes}) if codes else []
    found = [row for row in rows if (row.kind.value, row.code) in named]
    streets = [row.id for row in found if row.kind is AreaKind.STREET]
    below = rows_of(_communities(), {"streets": streets}) if streets else []
    whole = frozenset(row.id for row in below) | {row.id for row in found if row.kind is AreaKind.COMMUNITY}
    grids = [row for row in found if row.kind is AreaKind.GRID]
    return Inside(whole, frozenset(row.id for row in grids), whole | {row.parent_id for row in grids})


# Questions that every look-up asks are put together once.
@cache
def _named_areas() -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(Area.id, Area.kind, Area.parent_id, Area.code)
    return query.where(Area.code.in_(sa.bindparam("codes", expanding=True)))


@cache
def _communities() -> sa.Select[int]:
    below = Area.parent_id.in_(sa.bindparam("streets", expanding=True))
    return sa.select(Area.id).where(below, Area.kind == AreaKind.COMMUNITY)


def find(q: str, within: Collection[Scope], limit: int = 20) -> list[Person]:
    """People in scope whom a worker's words may mean; the dead last, then by the sound of the name.

    The words are a name or part of one, its pinyin or initials, an ID number, a mobile number or its last four
    figures, or a door (6号楼2单元301). Several words must all fit.
    """
    home = sa.orm.joinedload(Person.household).joinedload(Household.dwelling).joinedload(Dwelling.building)
    loaded = (home.joinedload(Building.estate), sa.orm.joinedload(Person.grid), sa.orm.selectinload(Person.tags))
    query = _found(sa.select(Person), q, within)
    return [] if query is None else list(db.session.scalars(query.limit(limit).options(*loaded)))


def found_lines(q: str, within: Collection[Scope], limit: int = 20) -> list[Line]:
    """The same, as the lines of a list."""
    query = _found(sa.select(Person.id), q, within)
    return [] if query is None else lines_in(query.limit(limit).subquery(), _order())


def _found(wanted: sa.Select[Row], q: str, within: Collection[Scope]) -> sa.Select[Row] | None:
    """Whom the words mean, in order; None where there are no words, or no area to look in."""
    text, area = " ".join(unicodedata.normalize("NFKC", q).split()), inside(within)
    if not text or not area.around:
        return None
    query = wanted.where(area.holds(), Person.merged_into_id.is_(None), *_meant(text, area))
    return query.order_by(*_order())


@cache
def _order() -> tuple[sa.ColumnElement[Any], ...]:
    return (sa.case((Person.state == PersonState.DEAD, 1), else_=0), Person.pinyin.asc(), Person.id.asc())


def kind_of_query(q: str) -> str:
    """Which key a search went by, for the audit, which never holds the words themselves."""
    compact = ids.normalise_id(q)
    if re.fullmatch(r"\d{17}[\dX]", compact):
        return "id_number"
    if phone_in(q):
        return "phone"
    if re.fullmatch(r"\d{4}", compact):
        return "phone_tail"
    if DOOR.fullmatch(unicodedata.normalize("NFKC", q).strip()):
        return "door"
    return "pinyin" if re.fullmatch(r"[A-Z']+", compact) else "words"


def phone_in(text: str) -> str:
    """The telephone number that a text is, or nothing."""
    try:
        return ids.check_phone(text)
    except ids.InvalidNumber:
        return ""


def _meant(text: str, area: Inside) -> Iterable[sa.ColumnElement[bool]]:
    match kind_of_query(text):
        case "id_number":
            return [Person.id_index == blind("person.id_number", ids.normalise_id(text))]
        case "phone":
            return [Person.phone_index == blind("person.phone", phone_in(text))]
        case "phone_tail":
            return [Person.id.in_(_tail_or_room(ids.normalise_id(text), area))]
        case "door":
            return [Person.id.in_(_behind_door(text, area))]
        case "pinyin":
            return [Person.id.in_(_named(re.sub(r"[\s'\-]", "", text), text, area))]
        case _:
            return [Person.id.in_(_fitting(word, area)) for word in dict.fromkeys(text.split())]


def _beginning(start: str) -> sa.ColumnElement[bool]:
    return sa.and_(PersonWord.word >= start, PersonWord.word < start + LAST_SIGN)


def _named(sound: str, text: str, area: Inside) -> sa.Select[int]:
    """Whose name holds a text, or sounds so from its beginning on."""
    words = dict.fromkeys((sound.lower(), text.lower()))
    meant = sa.or_(*(_beginning(word) for word in words))
    return sa.select(PersonWord.person_id).where(PersonWord.community_id.in_(area.around), meant)


def _tail_or_room(figures: str, area: Inside) -> Ids:
    tail = Person.phone_tail_index == blind("person.phone_tail", figures)
    owners = sa.select(Person.id).where(tail, Person.community_id.in_(area.around))
    return owners.union(_living_in(_homes(area).where(Dwelling.room == figures)))


def _homes(area: Inside) -> sa.Select[int]:
    homes = sa.select(Dwelling.id).join(Building, Dwelling.building_id == Building.id)
    return homes.join(Estate, Building.estate_id == Estate.id).where(Estate.community_id.in_(area.around))


def _living_in(*homes: sa.Select[int]) -> Ids:
    dwellings = sa.union(*homes) if len(homes) > 1 else homes[0]
    people = sa.select(Person.id).join(Household, Person.household_id == Household.id)
    return people.where(Household.dwelling_id.in_(dwellings))


def _fitting(word: str, area: Inside) -> Ids:
    """One word of several: part of the name, its sound, the estate, the building, the unit or the room."""
    named, homes = sounding(word, area), homes_fitting(word, area)
    return named.union(_living_in(*homes)) if homes else named


def sounding(word: str, area: Inside) -> sa.Select[int]:
    """The people whose name holds a word, or sounds so."""
    return _named(re.sub(r"['\-]", "", word), word, area)


def homes_fitting(word: str, area: Inside) -> list[sa.Select[int]]:
    """The homes of which one word of several may speak: by the estate, the building, the unit or the room."""
    homes = [_homes(area).where(Estate.id.in_(known))] if (known := _estates_named(word, area)) else []
    if re.search(r"[0-9A-Za-z]", word):
        homes += [
            _homes(area).where(Building.name.in_([word + ending for ending in BUILDING_WORDS])),
            _homes(area).where(sa.or_(Dwelling.unit == word, Dwelling.room == word.removesuffix("室"))),
        ]
    return homes


def _estates_named(word: str, area: Inside) -> list[int]:
    """The estates of these communities whose name holds a word: a few short names, read outright."""
    estates = db.session.execute(_estates(), {"around": list(area.around)})
    return [estate for estate, name in estates if word.casefold() in name.casefold()]


@cache
def _estates() -> sa.Select[*tuple[Any, ...]]:
    around: sa.BindParameter[Any] = sa.bindparam("around", expanding=True)
    return sa.select(Estate.id, Estate.name).where(Estate.community_id.in_(around)).order_by(Estate.id)


def _behind_door(text: str, area: Inside) -> Ids:
    return _living_in(homes_behind(text, area))


def homes_behind(text: str, area: Inside) -> sa.Select[int]:
    """The homes that a door means: 6号楼2单元301, 6-2-301, with or without the estate."""
    door = DOOR.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if door is None:
        return _homes(area).where(sa.false())
    homes = _homes(area).where(
        Building.name.in_([door["building"] + ending for ending in BUILDING_WORDS]), Dwelling.room == door["room"]
    )
    if door["unit"]:
        homes = homes.where(Dwelling.unit.in_([door["unit"], door["unit"] + "单元"]))
    if door["estate"]:
        homes = homes.where(Estate.name.contains(door["estate"], autoescape=True))
    return homes
