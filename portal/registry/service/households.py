"""Households: who lives in one, opening one, its number and home; and what must always be true of one."""

import re
from collections.abc import Collection, Iterable
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import audit, events
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Household, Person, PersonState, Relation, Source
from portal.registry.service import people
from portal.registry.service.changes import changing

ADULT = 18
NUMBERED = re.compile(r"H([0-9]{1,12})")
# How many of the longest numbers are looked at for one that is an H and figures.
NUMBERS_READ = 50


def _home() -> sa.orm.interfaces.ORMOption:
    return (
        joinedload(Household.dwelling)
        .joinedload(Dwelling.building)
        .options(joinedload(Building.estate).joinedload(Estate.community), joinedload(Building.grid))
    )


def living_here() -> tuple[sa.ColumnElement[bool], ...]:
    """The condition that somebody counts among the living of a household."""
    return Person.state == PersonState.PRESENT, Person.merged_into_id.is_(None)


def living(household: Household, within: Collection[Scope] | None = None) -> list[Person]:
    """The members: the head first, then the oldest; with a scope, those in it."""
    where = [] if within is None else [people.within(within)]
    query = (
        sa.select(Person)
        .where(Person.household_id == household.id, *living_here(), *where)
        .options(*people.whole())
        .order_by(sa.case((Person.relation == Relation.HEAD, 0), else_=1), Person.birth_date, Person.id)
    )
    return list(db.session.scalars(query))


def head_of(members: Iterable[Person]) -> Person | None:
    return next((person for person in members if person.relation is Relation.HEAD), None)


def _reachable(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    inside = areas.reach(within)
    return reached(inside.communities, inside.grids)


def reached(communities: Collection[int], grids: Collection[int]) -> sa.ColumnElement[bool]:
    """Households of whole communities; of grids those with somebody of the grid, and the empty ones in its buildings.

    Who belongs to the grids is asked for once, as a set, and not for each household.
    """
    whole = Household.community_id.in_(communities)
    if not grids:
        return whole
    hers = sa.select(Person.household_id).where(Person.grid_id.in_(grids), Person.merged_into_id.is_(None))
    homes = sa.select(Dwelling.id).join(Building, Dwelling.building_id == Building.id)
    empty = sa.and_(Household.dwelling_id.in_(homes.where(Building.grid_id.in_(grids))), ~somebody())
    return sa.or_(whole, Household.id.in_(hers.where(Person.household_id.is_not(None))), empty)


def somebody(*which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition that a household has a living member, or one of a kind."""
    return sa.exists().where(Person.household_id == Household.id, *living_here(), *which)


def household_in(within: Collection[Scope], household_id: int) -> Household:
    query = sa.select(Household).where(Household.id == household_id, _reachable(within)).options(_home())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def by_number(community_id: int, number: str, within: Collection[Scope], *, field: str) -> Household:
    """The open household of a number; a refusal beside `field` where there is none."""
    query = (
        sa.select(Household)
        .where(Household.community_id == community_id, Household.number == number, _reachable(within))
        .options(_home())
    )
    found = db.session.scalar(query)
    if found is None:
        raise Refused(_("没有户号是“%(number)s”的户，请核对。", number=number), field=field)
    if found.closed_on is not None:
        raise Refused(_("这一户已经没有人，登记已注销，请新建一户。"), field=field)
    return found


def refuse_taken(community_id: int, number: str, *, field: str) -> None:
    """A new household needs a number that no other of its community has, closed ones too."""
    taken = sa.select(Household.id).where(Household.community_id == community_id, Household.number == number)
    if db.session.scalar(taken) is not None:
        raise Refused(_("这个社区已经有户号“%(number)s”，请换一个。", number=number), field=field)


def next_number(community_id: int) -> str:
    """The number after the highest of the community's that are an H and figures; "" where it numbers otherwise."""
    numbers = sa.select(Household.number).where(Household.community_id == community_id, Household.number.like("H%"))
    ordered = numbers.order_by(sa.func.length(Household.number).desc(), Household.number.desc(), Household.id)
    known = (NUMBERED.fullmatch(number) for number in db.session.scalars(ordered.limit(NUMBERS_READ)))
    highest = next((found for found in known if found), None)
    return f"H{int(highest[1]) + 1:0{len(highest[1])}d}" if highest else ""


def community_of(household: Household) -> Area:
    return db.session.get_one(Area, household.community_id)


def hold(*households: Household) -> None:
    """Lock the rows for this transaction, in the order of their ids, so that two acts on one household queue."""
    ids = sorted({household.id for household in households})
    query = sa.select(Household).where(Household.id.in_(ids)).order_by(Household.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).all()


def grid_of(household: Household) -> int | None:
    """The grid that looks after a home: the building's, else the one its people have."""
    if household.dwelling and household.dwelling.building.grid_id:
        return household.dwelling.building.grid_id
    return next((person.grid_id for person in living(household) if person.grid_id), None)


def buildings(community: Area) -> list[Building]:
    query = (
        sa.select(Building)
        .join(Building.estate)
        .where(Estate.community_id == community.id)
        .options(joinedload(Building.estate))
        .order_by(Estate.name, Building.id)
    )
    return list(db.session.scalars(query))


def dwelling_at(community_id: int, building_id: int, unit: str, room: str) -> Dwelling:
    """The home behind a door of the community; added where the building's list lacks it."""
    query = sa.select(Building).join(Building.estate).where(Estate.community_id == community_id)
    building = db.session.scalar(query.where(Building.id == building_id))
    if building is None:
        raise Refused(_("请选择楼栋。"), field="building")
    if not room:
        raise Refused(_("请填写房号。"), field="room")
    door = sa.select(Dwelling).where(Dwelling.building_id == building.id, Dwelling.unit == unit, Dwelling.room == room)
    found = db.session.scalar(door)
    if found is None:
        found = Dwelling(building_id=building.id, unit=unit, room=room)
        with unique_or(Refused(_("这一间刚才已经有人登记，请再提交一次。"), field="room")):
            db.session.add(found)
        audit.record("registry.dwelling_added", found)
    return found


def open_household(community_id: int, number: str, dwelling: Dwelling | None) -> Household:
    """A household that waits for its first member."""
    made = Household(community_id=community_id, number=number, dwelling_id=dwelling.id if dwelling else None)
    with unique_or(Refused(_("这个社区已经有户号“%(number)s”，请换一个。", number=number), field="number")):
        db.session.add(made)
    audit.record("registry.household_opened", made)
    return made


def mend_household(household: Household, *, number: str, dwelling: Dwelling | None) -> list[str]:
    """Another number, or another home, which all its people follow; return what changed."""
    hold(household)
    changed = []
    if number != household.number:
        with unique_or(Refused(_("这个社区已经有户号“%(number)s”，请换一个。", number=number), field="number")):
            household.number = number
        changed.append("household_number")
    if (dwelling.id if dwelling else None) != household.dwelling_id:
        _rehouse(household, dwelling)
        changed.append("address")
    if changed:
        audit.record("registry.household_changed", household, fields=changed)
    return changed


def _rehouse(household: Household, dwelling: Dwelling | None) -> None:
    household.dwelling_id = dwelling.id if dwelling else None
    db.session.flush()
    db.session.expire(household, ["dwelling"])
    follow_home(household, living(household), Source.WORKER)


def follow_home(household: Household, members: Iterable[Person], source: Source) -> None:
    """People whose home changed belong to the grid of the new one, and the capabilities hear of it."""
    members, grid = list(members), grid_of(household)
    for person in members:
        with changing(person, source):
            person.grid_id = grid or person.grid_id
    db.session.flush()
    for person in members:
        db.session.expire(person, ["grid"])
        events.publish("person_moved", person=person)


def refuse_inconsistent(household: Household) -> None:
    """What must be true of a household after every event and every undo."""
    members = living(household)
    heads = [person for person in members if person.relation is Relation.HEAD]
    names = _("、").join(person.name for person in heads)
    if len(heads) > 1:
        raise Refused(_("这样一户会有两个户主（%(names)s），请先变更户主。", names=names), field="relation")
    if household.closed_on is not None and members:
        raise Refused(_("这一户已经注销，不能再有成员。"))
    if any(person.community_id != household.community_id for person in members):
        raise Refused(_("成员和这一户不在同一个社区，请先办理迁入。"))
    home = household.dwelling
    if home and home.building.estate.community_id != household.community_id:
        raise Refused(_("房屋和这一户不在同一个社区，请核对。"))


def adults(members: Iterable[Person], *, on: date | None = None) -> list[Person]:
    """Those who may be somebody's guardian: of full age, or of an age nobody wrote down."""
    day = on or today()
    return [person for person in members if (age := person.age(day)) is None or age >= ADULT]
