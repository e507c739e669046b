"""People of the one database: who an account is, who is in scope, finding somebody."""

from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Dwelling
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent, Household, Person, PersonState
from portal.registry.service.finding import NUMBERS as NUMBERS
from portal.registry.service.finding import find as find
from portal.registry.service.finding import inside
from portal.registry.service.finding import kind_of_query as kind_of_query

# What an act asks of a person: who, how old, from where, what she may eat; not her numbers, addresses and search keys.
LEAN = (
    *(Person.public_id, Person.name, Person.sex, Person.birth_date, Person.state, Person.merged_into_id),
    *(Person.community_id, Person.grid_id, Person.household_id, Person.registration, Person.registration_code),
    *(Person.diet, Person.health),
)


def person_of_or_none(actor: Actor, *, lean: bool = False) -> Person | None:
    """The person an account has been confirmed to be; a merged person answers as the one it was merged into.

    `lean` reads LEAN alone; what else is asked of the person then takes a query.
    """
    person = db.session.scalar(_confirmed(lean), {"account": actor.account_id})
    return resolved(person) if person else None


@cache
def _confirmed(lean: bool) -> sa.Select[Person]:
    """Nearly every page of a resident asks this: built once."""
    return (
        sa.select(Person)
        .options(*([sa.orm.load_only(*LEAN)] if lean else []))
        .join(Claim, Claim.person_id == Person.id)
        .where(Claim.account_id == sa.bindparam("account"), Claim.state == ClaimState.CONFIRMED)
        # Said as the index of standing claims says it: SQLite would read every confirmed claim otherwise.
        .where(Claim.state != sa.literal_column(f"'{ClaimState.REFUSED.value}'"))
    )


def person_of(actor: Actor) -> Person:
    """The same, or a refusal that says what to do."""
    person = person_of_or_none(actor)
    if person is None:
        raise Refused(_("您的账号还没有通过社区的身份核对，核对后就可以办理。急用请打社区电话。"))
    return person


def resolved(person: Person) -> Person:
    """Follow an alias to the person it stands for."""
    while person.merged_into_id is not None:
        person = db.session.get_one(Person, person.merged_into_id)
    return person


# Two columns of the table: an alias of the whole mapper is made anew for each question, at a millisecond apiece.
_ALIAS = sa.table("person", sa.column("id", sa.Integer), sa.column("merged_into_id", sa.Integer)).alias("alias_of")


def ids_of(*persons: Person) -> sa.Select[int]:
    """The ids that rows about some people may carry, as a query: theirs, and of everybody merged into them, however
    often.
    """
    return merged_into(Person.id.in_([person.id for person in persons]))


def merged_into(condition: sa.ColumnElement[bool]) -> sa.Select[int]:
    """The same for the persons of whom a condition is true."""
    tree = sa.select(Person.id).where(condition).cte(recursive=True)
    tree = tree.union(sa.select(_ALIAS.c.id).join(tree, _ALIAS.c.merged_into_id == tree.c.id))
    return sa.select(tree.c.id)


def stood_for(condition: sa.ColumnElement[bool]) -> sa.Subquery:
    """For each person a condition is true of, whom she stands for: (origin, id), an alias with the end of its chain.

    Of persons in scope ask for the `id`: a merge must not carry somebody into another's area.
    """
    chain = (
        sa.select(Person.id.label("origin"), Person.id, Person.merged_into_id)
        .where(condition)
        .cte("chain", recursive=True)
    )
    further = sa.orm.aliased(Person)
    chain = chain.union(
        sa.select(chain.c.origin, further.id, further.merged_into_id).join(
            further, further.id == chain.c.merged_into_id
        )
    )
    ends = sa.select(chain.c.origin, chain.c.id).where(chain.c.merged_into_id.is_(None))
    return ends.subquery("stood_for")


def principals_of(actor: Actor, action: str) -> list[Person]:
    """The people an account may act for today, as an accepted family agent; ordered by name."""
    found = db.session.scalars(_represented(), {"account": actor.account_id})
    return [resolved(agent.person) for agent in found if agent.person and agent.allows(action, today())]


def relatives_of(actor: Actor) -> list[Person]:
    """Whom an account acts for today, whatever for, as far as they live here; ordered by name."""
    found = db.session.scalars(_represented(), {"account": actor.account_id})
    known = [resolved(agent.person) for agent in found if agent.person and agent.until >= today()]
    return [person for person in dict.fromkeys(known) if person.state is PersonState.PRESENT]


def stands_for(
    account: sa.BindParameter[int], day: sa.BindParameter[Any]
) -> tuple[sa.Select[int | None], sa.Select[int | None]]:
    """The same for a query: the ids of the account's own person, and of those it acts for; aliases as they are."""
    own = sa.select(Claim.person_id).where(Claim.account_id == account, Claim.state == ClaimState.CONFIRMED)
    own = own.where(Claim.state != sa.literal_column(f"'{ClaimState.REFUSED.value}'"))
    acts = sa.select(FamilyAgent.person_id).where(
        FamilyAgent.account_id == account, FamilyAgent.state == AgentState.ACCEPTED, FamilyAgent.until >= day
    )
    return own, acts


@cache
def _represented() -> sa.Select[FamilyAgent]:
    """Most accounts act for nobody: the persons come in a query of their own, when there are any."""
    return (
        sa.select(FamilyAgent)
        .join(FamilyAgent.person)
        .where(FamilyAgent.account_id == sa.bindparam("account"), FamilyAgent.state == AgentState.ACCEPTED)
        .order_by(Person.name, Person.id)
        .options(sa.orm.selectinload(FamilyAgent.person).load_only(*LEAN))
    )


def people_for(actor: Actor, action: str, *, me: Person | None = None) -> list[Person]:
    """Whom an account may act for: itself first (`me`, where it was read already), then its principals; read lean."""
    me = me or person_of_or_none(actor, lean=True)
    mine = [me] if me else []
    return mine + [person for person in principals_of(actor, action) if person not in mine]


def within(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a person is inside area scopes."""
    return inside(scopes).holds()


def person_in(scopes: Collection[Scope], public_id: str) -> Person:
    """A person in scope by public id; Missing when there is none or not in scope.

    An alias answers as the person it stands for, who must be in scope herself: a merge must not open another's door.
    """
    named = db.session.scalar(sa.select(Person).where(Person.public_id == public_id))
    query = sa.select(Person).where(Person.id == (resolved(named).id if named else 0), within(scopes))
    person = db.session.scalar(query.options(*whole()))
    if person is None:
        raise Missing
    return person


def is_served(person: Person) -> bool:
    """Whether somebody may still be served: not dead, not merged away."""
    return person.state is not PersonState.DEAD and person.merged_into_id is None


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What a line about a person shows, loaded with it: where they live, their grid, their tags."""
    home = sa.orm.joinedload(Person.household).joinedload(Household.dwelling)
    return (
        home.joinedload(Dwelling.building).joinedload(Building.estate),
        sa.orm.joinedload(Person.grid),
        sa.orm.selectinload(Person.tags),
    )
