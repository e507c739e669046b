"""Registers of owners (产权人): one row for each owner of each home, matched with the home, the person, the company."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.areas.models import Building, Dwelling, Estate
from portal.core import ids, search
from portal.core.sealing import blind
from portal.registry.models import Organisation, Person
from portal.registry.models.owners import Owner, Title
from portal.registry.service import people
from portal.registry.service.imports import addresses, cells, homes, numbers
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.things import Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field

LONGEST_NAME = 60
FRACTION = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)%")
DECIMAL = re.compile(r"0?\.[0-9]{1,6}|1(?:\.0+)?")
HAN_FRACTION = re.compile(r"([一二三四五六七八九十])分之([一二三四五六七八九十])")
FIGURES = {sign: value for value, sign in enumerate("一二三四五六七八九十", start=1)}
SHARE_WORDS = frozenset({"共同共有", "按份共有", "单独所有", "全部"})
# A company is one owner by its name alone, however many homes are hers: nobody else may be called the same.
COMPANY = re.compile(r"(公司|集团|银行|合作社|委员会|居委会|村委会|中心|基金会|协会|厂|局|院|校)$")


@dataclass(frozen=True)
class Home:
    id: int
    area: str | None


def understand(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    one.address = addresses.of(said, rules.default_estate)
    if not one.address:
        one.refuse(Field.ADDRESS if Field.ADDRESS in said else Field.ROOM, "no_home")
    homes.lengths(one)
    name = said.get(Field.OWNER, "").replace(" ", "") or ""
    if not name:
        one.refuse(Field.OWNER, "no_owner")
    elif len(name) > LONGEST_NAME:
        one.refuse(Field.OWNER, "too_long", count=LONGEST_NAME)
    one.values["_name"] = name
    _number(one, said, rules)
    cells.phone(one, said)
    cells.read(one, said, Field.AREA, "area_m2", homes.area, "no_number_word")
    cells.read(one, said, Field.SHARE, "share", share, "share")
    cells.day(one, said, Field.OWNED_SINCE, rules, past=True)
    one.key = (*_door(one), one.values.get("id_number", "") or f"={search.normalise(name)}")
    one.label = f"{name} {one.address.words()}"


def _door(one: Thing) -> Key:
    return one.address.estate, one.address.building, one.address.unit, one.address.room


def share(text: str) -> str | None:
    """1/2, 50%, 0.5, 二分之一 or 共同共有; None for what is more than the whole, or no part at all."""
    compact = text.replace(" ", "")
    if compact in SHARE_WORDS:
        return compact
    if han := HAN_FRACTION.fullmatch(compact):
        compact = f"{FIGURES[han[2]]}/{FIGURES[han[1]]}"
    if part := FRACTION.fullmatch(compact):
        return compact if 0 < int(part[1]) <= int(part[2]) else None
    if DECIMAL.fullmatch(compact):
        compact = f"{(Decimal(compact) * 100).normalize():f}%"
    percent = PERCENT.fullmatch(compact)
    return compact if percent and 0 < Decimal(percent[1]) <= 100 else None


def _number(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    """An ID number, else a company's code, in whichever of the two columns; a passport begins with a letter."""
    text = said.get(Field.ID_NUMBER, "")
    where = Field.ID_NUMBER if text else Field.USCC
    number = ids.normalise_id(text or said.get(Field.USCC, ""))
    if not number:
        return
    try:
        one.values["id_number"] = _checked(one, number, where, rules)
    except ids.InvalidNumber as fault:
        code = _company_fault(fault) if _is_company(number, where) else fault.reason.value
        one.refuse(where, code, count=len(number))


def _is_company(number: str, where: Field) -> bool:
    return where is Field.USCC or (len(number) == numbers.LENGTH and not number[:17].isdigit())


def _company_fault(fault: ids.InvalidNumber) -> str:
    return "uscc" if fault.reason is ids.NumberFault.CHECK_DIGIT else "uscc_shape"


def _checked(one: Thing, number: str, where: Field, rules: Rules) -> str:
    if _is_company(number, where):
        return ids.check_uscc(number)
    if number[0].isalpha():
        return ids.check_other_document(number)
    try:
        found, old = numbers.of_person(number, today=rules.today, allow_test_region=rules.allow_test_region)
    except ids.InvalidNumber as fault:
        # A company's code may be of figures alone.
        try:
            return ids.check_uscc(number)
        except ids.InvalidNumber:
            raise fault from None
    one.flags += ["old_number"] if old else []
    return found.number


def compared(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    """The same as known(), of rows as the file has them: the first of several about a home says its area."""
    areas: dict[Key, str] = {}
    for one in rows:
        area = one.values.get("area_m2")
        if area is not None and areas.setdefault(_door(one), area) != area:
            one.refuse(Field.AREA, "two_areas")
    return known(session, [one for one in rows if not one.reasons], community_id)


def known(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    """The title that each row is about, as it stands; a row about a home that nobody registered is refused."""
    doors = _homes(session, rows, community_id)
    _with_homes(rows, doors)
    found = [one for one in rows if not one.reasons]
    _with_parties(session, found, community_id)
    titles = _standing(session, {one.values["_home"] for one in found})
    made: dict[Key, Stored] = {}
    taken: dict[int, set[int]] = {}
    for one in found:
        title = _title_of(one, titles.get(one.values["_home"], ()))
        _stands_alone(one, title)
        if title is not None and not one.reasons:
            made[one.key] = Stored(title.id, _before(one, title, doors[_door(one)].area))
            taken.setdefault(title.dwelling_id, set()).add(title.id)
    for one in found:
        if one.key not in made:
            _new(one, doors[_door(one)], titles.get(one.values["_home"], ()), taken)
    return made


def _stands_alone(one: Thing, title: Title | None) -> None:
    """One owner once on each home, by whatever number or name; and one row for each title that stands."""
    one.alone[("owner", str(one.values["_home"]), *map(str, identity(one.values)))] = {"code": "twice"}
    if title is not None:
        one.alone["title", str(title.id)] = {"field": Field.OWNER.value, "code": "one_of_name"}


def _homes(session: Session, rows: Iterable[Thing], community_id: int) -> dict[Key, Home]:
    doors = [one.address for one in rows]
    query = (
        sa.select(Dwelling.id, Dwelling.area_m2, Estate.name, Building.name, Dwelling.unit, Dwelling.room)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(
            Estate.community_id == community_id,
            Building.name.in_({door.building for door in doors}),
            Dwelling.room.in_({door.room for door in doors}),
        )
        .order_by(Dwelling.id)
    )
    return {
        (estate, building, unit, room): Home(number, None if area is None else f"{area:.2f}")
        for number, area, estate, building, unit, room in session.execute(query)
    }


def _with_homes(rows: Iterable[Thing], doors: Mapping[Key, Home]) -> None:
    """Which home each row is about, and whether the register has another area of it."""
    for one in rows:
        home = doors.get(_door(one))
        if home is None:
            one.refuse(Field.ROOM if one.address.room else Field.ADDRESS, "no_room")
            continue
        one.values["_home"] = home.id
        area = one.values.get("area_m2")
        if area is not None and home.area is not None and area != home.area:
            one.flags.append("area_differs")


def _with_parties(session: Session, rows: Sequence[Thing], community_id: int) -> None:
    """Who of the register each owner is: a person by number and name, a company by its code, or by its name alone."""
    persons = _persons(session, {one.values["id_number"] for one in rows if "id_number" in one.values})
    companies = _companies(session, rows, community_id)
    for one in rows:
        number, name = one.values.get("id_number", ""), one.values["_name"]
        person = persons.get(number)
        if person is not None and search.normalise(person.name) != search.normalise(name):
            one.flags.append("owner_name_differs")
        elif person is not None:
            one.values["_person"] = people.resolved(person).id
            # Her telephone is the register's own.
            one.values.pop("phone", None)
        elif company := companies.get(number) or companies.get(name):
            one.values["_organisation"] = company


def _persons(session: Session, numbers_said: Collection[str]) -> dict[str, Person]:
    indexes = {number: blind("person.id_number", number) for number in numbers_said}
    if not indexes:
        return {}
    query = sa.select(Person).where(Person.id_index.in_(list(indexes.values()))).order_by(Person.id)
    found = list(session.scalars(query))
    by_index = {bytes(person.id_index): person for person in found if person.id_index}
    hits = {
        number: next((by_index[at] for at in (index, *index.older) if at in by_index), None)
        for number, index in indexes.items()
    }
    return {number: person for number, person in hits.items() if person is not None}


def _companies(session: Session, rows: Iterable[Thing], community_id: int) -> dict[str, int]:
    """The community's organisations by code; by name where a row says no code."""
    codes = {one.values["id_number"] for one in rows if "id_number" in one.values}
    names = {one.values["_name"] for one in rows if "id_number" not in one.values}
    query = sa.select(Organisation.id, Organisation.uscc, Organisation.name).where(
        Organisation.community_id == community_id,
        Organisation.closed_on.is_(None),
        sa.or_(Organisation.uscc.in_(codes), Organisation.name.in_(names)),
    )
    found: dict[str, int] = {}
    for number, code, name in session.execute(query.order_by(Organisation.id)):
        if name in names:
            found.setdefault(name, number)
        if code:
            found.setdefault(code, number)
    return found


def _standing(session: Session, dwelling_ids: Collection[int]) -> dict[int, list[Title]]:
    query = sa.select(Title).where(Title.dwelling_id.in_(dwelling_ids), Title.until.is_(None))
    whole = joinedload(Title.owner)
    query = query.options(whole.joinedload(Owner.person), whole.joinedload(Owner.organisation)).order_by(Title.id)
    found: dict[int, list[Title]] = {}
    for title in session.scalars(query.execution_options(populate_existing=True)):
        found.setdefault(title.dwelling_id, []).append(title)
    return found


def _title_of(one: Thing, titles: Sequence[Title]) -> Title | None:
    """By number first; else by name, also where the register has no number of that owner yet."""
    sure = [title for title in titles if _is_sure(one.values, title.owner)]
    if sure:
        return sure[0]
    same = [title for title in titles if search.normalise(title.owner.name) == search.normalise(one.values["_name"])]
    if "id_number" in one.values:
        same = [title for title in same if _is_bare(title.owner)]
    if len(same) > 1:
        one.refuse(Field.OWNER, "several_owners")
    return same[0] if len(same) == 1 else None


def _is_sure(said: Values, owner: Owner) -> bool:
    if owner.organisation_id is not None and owner.organisation_id == said.get("_organisation"):
        return True
    if owner.person is not None and people.resolved(owner.person).id == said.get("_person"):
        return True
    return "id_number" in said and owner_fits(owner, said["id_number"])


def owner_fits(owner: Owner, number: str) -> bool:
    index = blind("person.id_number", number)
    hers = [owner.id_index, owner.person.id_index if owner.person else None]
    code = owner.organisation.uscc if owner.organisation else None
    return code == number or any(index.fits(bytes(one)) for one in hers if one)


def _is_bare(owner: Owner) -> bool:
    """Nothing but a name says who she is."""
    return owner.person_id is None and owner.organisation_id is None and owner.id_index is None


def bare() -> sa.ColumnElement[bool]:
    return sa.and_(Owner.person_id.is_(None), Owner.organisation_id.is_(None), Owner.id_index.is_(None))


def _before(one: Thing, title: Title, area: str | None) -> Values:
    owner = title.owner
    one.values["_owner"] = owner.id
    if owner.person_id is not None:
        one.values.pop("phone", None)
    return {
        "area_m2": area,
        "id_number": "" if _is_bare(owner) else one.values.get("id_number", ""),
        "phone": owner.phone or "",
        "share": title.share,
        "owned_since": title.since.isoformat() if title.since else None,
    }


def _new(one: Thing, home: Home, titles: Sequence[Title], taken: Mapping[int, set[int]]) -> None:
    """What a new title changes of its home; who else owns it, where the rows do not name her."""
    if home.area is not None and "area_m2" in one.values:
        if one.values["area_m2"] == home.area:
            del one.values["area_m2"]
        one.before["area_m2"] = home.area
    if any(title.id not in taken.get(home.id, ()) for title in titles):
        one.flags.append("owner_beside")
    if not {"id_number", "_organisation"} & one.values.keys() and not COMPANY.search(one.values["_name"]):
        one.flags.append("no_number")


def identity(said: Values) -> tuple[Any, ...]:
    """One owner however many homes a file gives her; somebody of whom it has neither number nor telephone is one for
    each home.
    """
    name = search.normalise(said["_name"])
    if said.get("_person"):
        return "person", said["_person"]
    if said.get("_organisation"):
        return "organisation", said["_organisation"]
    if said.get("id_number"):
        return "number", said["id_number"]
    if COMPANY.search(said["_name"]):
        return "company", name
    return ("phone", name, said["phone"]) if said.get("phone") else ("home", name, said["_home"])
