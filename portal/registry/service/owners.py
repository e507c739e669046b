"""Owners of homes (产权人): who owns a home, alone or with others, and since when; they need not live there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling, Estate
from portal.core import audit, ids, search
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.sealing import blind
from portal.registry.models import Organisation, Person
from portal.registry.models.owners import Owner, Title
from portal.registry.service import buildings, owner_links, people

MOST_BUILDINGS = 500


@dataclass(frozen=True)
class OwnerFacts:
    """Who owns a home: somebody of the register, an organisation, or a name with perhaps a number and a telephone."""

    name: str
    person: Person | None = None
    organisation: Organisation | None = None
    id_number: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Gap:
    """A building of whose homes the owners or areas are not complete."""

    building: Building
    homes: int
    without_area: int
    without_owner: int


def titles_on(dwelling_ids: Collection[int], day: date) -> dict[int, list[Title]]:
    """Who owns some homes on a day, by home; in the order in which they were entered. Periods are half-open: on the day
    of a sale the buyer owns it, and the seller no longer.
    """
    found: dict[int, list[Title]] = {}
    if not dwelling_ids:
        return found
    holding = _holding(day)
    whole = joinedload(Title.owner).joinedload(Owner.person)
    numbers, most = sorted(dwelling_ids), 5000
    for start in range(0, len(numbers), most):
        query = sa.select(Title).where(Title.dwelling_id.in_(numbers[start : start + most]), *holding)
        for title in db.session.scalars(query.options(whole).order_by(Title.dwelling_id, Title.id)):
            found.setdefault(title.dwelling_id, []).append(title)
    return found


def _holding(day: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Title.holds_on, asked of the database."""
    return (
        sa.or_(Title.since.is_(None), Title.since <= day),
        sa.or_(Title.until.is_(None), Title.until > day),
    )


def titles_of(dwelling: Dwelling) -> list[Title]:
    """Everybody who owns a home or did, those who own it now first."""
    query = sa.select(Title).where(Title.dwelling_id == dwelling.id)
    ended = sa.case((Title.until.is_(None), 0), else_=1)
    query = query.options(joinedload(Title.owner).joinedload(Owner.person)).order_by(
        ended, Title.until.desc(), Title.id
    )
    return list(db.session.scalars(query))


def owned_by(person: Person, day: date) -> list[Title]:
    """The homes that somebody of the register owns on a day, wherever she lives."""
    query = (
        sa.select(Title)
        .join(Owner, Title.owner_id == Owner.id)
        .where(Owner.person_id.in_(people.ids_of(person)))
        .where(*_holding(day))
        .options(joinedload(Title.dwelling).joinedload(Dwelling.building).joinedload(Building.estate))
        .order_by(Title.dwelling_id, Title.id)
    )
    return list(db.session.scalars(query))


def gaps(within: Collection[Scope]) -> list[Gap]:
    """The buildings in scope with how many of their homes have no area or no owner; those that lack most first."""
    inside = areas.reach(within)
    owned = sa.exists().where(Title.dwelling_id == Dwelling.id, sa.or_(Title.until.is_(None), Title.until > today()))
    counted = (
        sa.select(
            Dwelling.building_id.label("building_id"),
            sa.func.count(Dwelling.id).label("homes"),
            sa.func.sum(sa.case((Dwelling.area_m2.is_(None), 1), else_=0)).label("no_area"),
            sa.func.sum(sa.case((owned, 0), else_=1)).label("no_owner"),
        )
        .group_by(Dwelling.building_id)
        .subquery()
    )
    query = (
        sa.select(Building, counted.c.homes, counted.c.no_area, counted.c.no_owner)
        .join(counted, counted.c.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(sa.or_(Estate.community_id.in_(inside.communities), Building.grid_id.in_(inside.grids)))
        .options(joinedload(Building.estate))
        .order_by((counted.c.no_area + counted.c.no_owner).desc(), Building.id)
        .limit(MOST_BUILDINGS)
    )
    return [Gap(row[0], int(row[1]), int(row[2]), int(row[3])) for row in db.session.execute(query)]


def add(dwelling: Dwelling, facts: OwnerFacts, *, since: date | None, source: str, by: Actor) -> Title:
    """Somebody owns a home from a day on, beside whoever else owns it. A registered company that stands on it by its
    name already is linked to what stands.
    """
    if since is not None and since > today():
        raise Refused(_("这一天还没到。请到了那天再登记。"), field="since")
    linked = owner_links.link_company(facts.organisation, by=by) if facts.organisation else []
    owner = _owner(dwelling.building.estate.community_id, _recognised(facts))
    if owner in linked and (known := _standing(dwelling, owner)) is not None:
        return known
    title = Title(dwelling_id=dwelling.id, owner_id=owner.id, since=since, source=source, entered_by_name=by.name)
    with unique_or(Refused(_("这位业主已经登记在这套房上了，不用再登记。"))):
        db.session.add(title)
    audit.record("registry.owner_added", title, dwelling=dwelling.id, source=source)
    return title


def _standing(dwelling: Dwelling, owner: Owner) -> Title | None:
    query = sa.select(Title).where(Title.dwelling_id == dwelling.id, Title.owner_id == owner.id)
    return db.session.scalar(query.where(Title.until.is_(None)))


def end(title: Title, *, until: date, why: str) -> None:
    """Somebody owns a home no longer from a day on, that of the sale: on it the buyer is the owner already."""
    db.session.refresh(title, with_for_update={"of": Title})
    if title.until is not None:
        raise Refused(_("这一条已经结束了，请刷新页面再看。"))
    if until > today():
        raise Refused(_("这一天还没到。请到了那天再登记。"), field="until")
    if title.since is not None and until < title.since:
        raise Refused(_("不再是业主的日子不能早于开始的那天。"), field="until")
    title.until = until
    audit.record("registry.owner_ended", title, reason=why, dwelling=title.dwelling_id)


def title_in(within: Collection[Scope], title_id: int) -> Title:
    found = db.session.get(Title, title_id)
    if found is None:
        raise Missing
    buildings.dwelling_in(within, found.dwelling_id)
    return found


def _owner(community_id: int, facts: OwnerFacts) -> Owner:
    """The owner of these facts, entered once in a community however many homes are hers."""
    known = _known(community_id, facts)
    if known is not None:
        if facts.phone and facts.person is None:
            known.phone = facts.phone
        return known
    number = _number(facts.id_number)
    made = Owner(
        community_id=community_id,
        name=facts.person.name if facts.person else facts.name,
        person_id=facts.person.id if facts.person else None,
        organisation_id=facts.organisation.id if facts.organisation else None,
        id_number=number or None,
        id_index=blind("person.id_number", number) if number else None,
        phone=facts.phone or None,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _recognised(facts: OwnerFacts) -> OwnerFacts:
    """Somebody from elsewhere whose number and name the register has is that person: one head, who may vote herself."""
    if facts.person is not None or not facts.id_number:
        return facts
    query = sa.select(Person).where(Person.id_index == blind("person.id_number", _number(facts.id_number)))
    found = db.session.scalar(query)
    if found is None or search.normalise(found.name) != search.normalise(facts.name):
        return facts
    return OwnerFacts(found.name, person=people.resolved(found))


def _known(community_id: int, facts: OwnerFacts) -> Owner | None:
    if facts.person is not None:
        same: sa.ColumnElement[bool] = Owner.person_id.in_(people.ids_of(facts.person))
    elif facts.organisation is not None:
        same = Owner.organisation_id == facts.organisation.id
    elif facts.id_number:
        same = Owner.id_index == blind("person.id_number", _number(facts.id_number))
    else:
        return None
    query = sa.select(Owner).where(Owner.community_id == community_id, same).order_by(Owner.id)
    return db.session.scalars(query).first()


def _number(said: str) -> str:
    return ids.normalise_id(said) if said else ""
