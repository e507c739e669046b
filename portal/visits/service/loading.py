"""What a line about somebody shows, loaded with it by name: where she lives, her grid, her tags, her contacts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.interfaces import ORMOption

from portal.areas.models import Building, Dwelling
from portal.registry.models import Household, Person


def person(load: Any, *, contacts: bool = False) -> tuple[ORMOption, ...]:
    """`load` is how the row's person itself is loaded: contains_eager(Visit.person), joinedload(Referral.person)."""
    home = load.joinedload(Person.household).joinedload(Household.dwelling)
    options = (
        home.joinedload(Dwelling.building).joinedload(Building.estate),
        load.joinedload(Person.grid),
        load.selectinload(Person.tags),
    )
    return (*options, load.selectinload(Person.contacts)) if contacts else options


def eager(attribute: Any, *, contacts: bool = False) -> tuple[ORMOption, ...]:
    """For a query that joins the person already."""
    return person(sa.orm.contains_eager(attribute), contacts=contacts)


def joined(attribute: Any, *, contacts: bool = False) -> tuple[ORMOption, ...]:
    return person(sa.orm.joinedload(attribute), contacts=contacts)
