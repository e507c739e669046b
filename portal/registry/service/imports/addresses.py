"""Addresses: one column of words taken apart into estate, building, unit and room."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from portal.registry.service.imports.vocabulary import Field

FULL = re.compile(
    r"^(?P<estate>.*?)"
    r"(?P<building>[0-9A-Za-z一二三四五六七八九十百]+(?:号楼|幢|栋|座|号院|#楼|#))"
    r"(?:(?P<unit>[0-9A-Za-z一二三四五六七八九十]+(?:单元|门|梯)))?"
    r"-?(?P<room>[0-9A-Za-z][0-9A-Za-z-]*)?(?:室|号|房)?$"
)
DASHED = re.compile(
    r"^(?P<estate>.*?)(?P<building>[0-9]+)[-/](?:(?P<unit>[0-9]+)[-/])?(?P<room>[0-9A-Za-z]+)(?:室|号)?$"
)
DOOR = re.compile(r"^(?P<estate>.*?[^0-9])(?P<room>[0-9]+(?:-[0-9]+)?)(?:号|室)$")
BARE_NUMBER = re.compile(r"^[0-9]+$")
UNIT_AND_ROOM = re.compile(r"^([0-9]{1,2})-([0-9A-Za-z]+)$")
# What comes before the street or the community is the same for everybody and tells nothing.
PREFIX = re.compile(r"^.*(?:街道|社区)")


@dataclass(frozen=True, slots=True)
class Address:
    estate: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""

    def __bool__(self) -> bool:
        return bool(self.room)

    def words(self) -> str:
        return " ".join(part for part in (self.estate, self.building, self.unit, self.room) if part)


def of(said: Mapping[Field, str], default_estate: str) -> Address:
    """The four columns of a row, else the one; empty when neither names a door."""
    parts = [said.get(part, "") for part in (Field.ESTATE, Field.BUILDING, Field.UNIT, Field.ROOM)]
    if parts[3]:
        return tidy(parts[0], parts[1], parts[2], parts[3], default_estate)
    whole = said.get(Field.ADDRESS, "")
    return parse(whole, default_estate=parts[0] or default_estate) or Address() if whole else Address()


def parse(text: str, *, default_estate: str) -> Address | None:
    """春风里小区4号楼2单元402, 4-2-402, 李家村12号; None for words that name no door."""
    compact = PREFIX.sub("", re.sub(r"\s", "", text))
    for shape in (FULL, DASHED, DOOR):
        found = shape.match(compact)
        if found and found["room"]:
            parts = {name: part or "" for name, part in found.groupdict().items()}
            unit, room = parts.get("unit", ""), parts["room"]
            both = UNIT_AND_ROOM.match(room)
            unit, room = (both[1], both[2]) if both and not unit and "building" in parts else (unit, room)
            return tidy(parts["estate"], parts.get("building", ""), unit, room, default_estate)
    return None


def tidy(estate: str, building: str, unit: str, room: str, default_estate: str) -> Address:
    """Bare numbers become 4号楼 and 2单元, a room loses its 室; an estate that nobody named is the default."""
    estate, building, unit = (part.replace(" ", "") for part in (estate, building, unit))
    building = f"{building}号楼" if BARE_NUMBER.match(building) else re.sub(r"^([0-9]+)#楼?$", r"\1号楼", building)
    unit = f"{unit}单元" if BARE_NUMBER.match(unit) else unit
    return Address(estate or default_estate, building, unit, re.sub(r"[室房]$", "", room.replace(" ", "")))
