"""The demonstration's rules, committee and delegates, and who owns the homes of one estate."""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core.clock import full_years
from portal.deliberation.models.bodies import Delegate
from portal.deliberation.models.codes import Body
from portal.deliberation.service import rules
from portal.registry.models import Household, Person, PersonState, Relation
from portal.registry.models.owners import Owner, Title

BY = "周洁"
# The last homes of a building are those whose papers nobody has brought yet: the desk sees what is missing.
EVERY_MISSING = 29
EVERY_COUPLE = 3


def build_rolls(session: Session, community: Area, day: date) -> None:
    rules.load_law()
    _delegates(session, community, day)
    _owners(session, community)
    session.flush()


def _delegates(session: Session, community: Area, day: date) -> None:
    """Seven of the committee and twelve delegates, four a group, for the term that began last year."""
    query = sa.select(Person.id, Person.birth_date).where(
        Person.community_id == community.id, Person.state == PersonState.PRESENT, Person.birth_date.is_not(None)
    )
    grown = [row.id for row in session.execute(query.order_by(Person.id)) if 30 < full_years(row.birth_date, day) < 75]
    started = date(day.year - 1, 5, 1)
    chosen = [(Body.COMMITTEE, "") for _member in range(7)]
    chosen += [(Body.RESIDENT_DELEGATES, f"第{group}居民小组") for group in "一二三" for _member in range(4)]
    for person, (body, group) in zip(grown[::9], chosen, strict=False):
        facts = {"body": body, "group": group, "since": started, "until": None, "added_by_name": BY}
        session.add(Delegate(community_id=community.id, person_id=person, **facts))


def _owners(session: Session, community: Area) -> None:
    """Areas and owners of the community's homes: the head of the household that lives there, often with the spouse."""
    homes = list(
        session.execute(
            sa.select(Dwelling.id, Dwelling.room)
            .join(Building, Dwelling.building_id == Building.id)
            .join(Estate, Building.estate_id == Estate.id)
            .where(Estate.community_id == community.id)
            .order_by(Dwelling.id)
        )
    )
    areas = [
        {"home": home.id, "area": Decimal(58 + 7 * (number % 9)) + Decimal(number % 4) / 4}
        for number, home in enumerate(homes)
        if number % EVERY_MISSING
    ]
    wanted = sa.update(Dwelling.__table__).where(Dwelling.id == sa.bindparam("home"))  # type: ignore[arg-type]
    session.connection().execute(wanted.values(area_m2=sa.bindparam("area")), areas)
    living: dict[int, list[tuple[int, str]]] = {}
    members = (
        sa.select(Household.dwelling_id, Person.id, Person.name)
        .join(Person, Person.household_id == Household.id)
        .where(Household.community_id == community.id, Person.relation.in_([Relation.HEAD, Relation.SPOUSE]))
        .where(Household.dwelling_id.is_not(None), Person.state == PersonState.PRESENT)
        .order_by(Household.dwelling_id, Person.relation, Person.id)
    )
    for row in session.execute(members):
        living.setdefault(row.dwelling_id, []).append((row.id, row.name))
    for number, home in enumerate(homes):
        together = 2 if number % EVERY_COUPLE == 0 else 1
        for person, name in living.get(home.id, [])[:together]:
            if number % EVERY_MISSING:
                owner = Owner(community_id=community.id, name=name, person_id=person)
                facts = {"since": date(2015, 6, 1), "source": "不动产登记", "entered_by_name": BY}
                session.add(Title(dwelling_id=home.id, owner=owner, **facts))
