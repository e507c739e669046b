"""Owners as heads (Civil Code 278): one owner of several homes is one head, the co-owners of a home are one."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Building, Dwelling, Estate
from portal.core.db import db
from portal.deliberation.service import roll_units
from portal.deliberation.service.roll_units import Asked, Entitled, Gaps, Known
from portal.registry.models import PersonState
from portal.registry.models.owners import Owner
from portal.registry.service import owners as registry_owners

UNIT_LENGTH = 64
# What such an entry is called is data, the same in every language of the page.
NOBODY = "业主未登记"


@dataclass
class _Head:
    """Distinct co-owners together: who they are, and their dwellings."""

    owners: dict[str, Owner] = field(default_factory=dict)
    homes: list[Dwelling] = field(default_factory=list)


def owners(asked: Asked) -> tuple[list[Entitled], Gaps]:
    """One entry for each distinct set of owners. A dwelling whose owner nobody entered counts as a head of its own:
    left out, it would make every threshold easier than the law has it.
    """
    homes = _homes(asked)
    titles = registry_owners.titles_on([home.id for home in homes], asked.day)
    held = [title.owner for found in titles.values() for title in found]
    known = roll_units.standing_for({one.person_id for one in held if one.person_id is not None})
    heads: dict[tuple[str, ...], _Head] = {}
    nobody: list[Dwelling] = []
    for home in homes:
        found = {key_of(title.owner, known): title.owner for title in titles.get(home.id, ())}
        if not found:
            nobody.append(home)
            continue
        head = heads.setdefault(tuple(sorted(found)), _Head())
        head.homes.append(home)
        for key, owner in found.items():
            head.owners.setdefault(key, owner)
    made = [_entry(key, head, known) for key, head in heads.items()]
    made.extend(
        Entitled(f"dwelling:{home.id}", NOBODY, _place([home]), _order(home), [], _areas([home])) for home in nobody
    )
    return made, _gaps(homes, nobody, heads.values(), known)


def _homes(asked: Asked) -> list[Dwelling]:
    query = (
        sa.select(Dwelling)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(sa.or_(Estate.community_id.in_(asked.extent.areas), Building.grid_id.in_(asked.extent.areas)))
        .where(*asked.extent.homes())
        .options(joinedload(Dwelling.building).joinedload(Building.estate))
        .order_by(Estate.name, Estate.id, Building.id, Dwelling.id)
    )
    return list(db.session.scalars(query))


def key_of(owner: Owner, known: Known) -> str:
    """Who an owner is, however often she was entered: a person of the register, an organisation, a number."""
    if owner.person_id is not None:
        return f"p{known[owner.person_id][0]}"
    if owner.organisation_id is not None:
        return f"o{owner.organisation_id}"
    return f"i{owner.id_index.hex()}" if owner.id_index else f"w{owner.id}"


def _entry(key: tuple[str, ...], head: _Head, known: Known) -> Entitled:
    together = "owner:" + "-".join(key)
    if len(together) > UNIT_LENGTH:
        together = "owner:" + hashlib.sha256(together.encode()).hexdigest()[:40]
    everybody = sorted(head.owners.values(), key=lambda owner: owner.id)
    name = "、".join(owner.name for owner in everybody)[: roll_units.NAME_LENGTH]
    voters = {known[one.person_id][0] for one in everybody if one.person_id is not None and _lives(one, known)}
    return Entitled(together, name, _place(head.homes), _order(head.homes[0]), sorted(voters), _areas(head.homes))


def _lives(owner: Owner, known: Known) -> bool:
    """An owner need not live here: whoever moved away votes; the dead do not."""
    return owner.person_id is None or known[owner.person_id][1] is not PersonState.DEAD


def _areas(homes: Collection[Dwelling]) -> list[tuple[int, Decimal]]:
    return [(home.id, home.area_m2 or Decimal(0)) for home in homes]


def _place(homes: Collection[Dwelling]) -> str:
    named = dict.fromkeys(roll_units.place_words(home.building.estate.name, home.building.name) for home in homes)
    return "、".join(named)[: roll_units.PLACE_LENGTH]


def _order(home: Dwelling) -> tuple[str, int, str, int, str, int]:
    building, room = home.building, home.room
    return (building.estate.name, len(building.name), building.name, len(room), home.unit + room, home.id)


def _gaps(
    homes: Collection[Dwelling],
    nobody: Collection[Dwelling],
    heads: Collection[_Head],
    known: Known,
) -> Gaps:
    gaps = Gaps()
    gaps.note(
        _("没有登记产权面积的房屋（面积按 0 算，请先补上）"), [home.address() for home in homes if not home.area_m2]
    )
    gaps.note(_("没有登记业主的房屋（各算一位业主，谁也不能代投，请先补上）"), [home.address() for home in nobody])
    everybody = {owner.id: owner for head in heads for owner in head.owners.values()}
    dead = [owner.name for owner in everybody.values() if not _lives(owner, known)]
    gaps.note(_("登记的业主已经去世（请核对继承后更新业主）"), dead)
    return gaps
