"""People of the one database: who an account is, who is in scope, finding somebody."""

import re
import unicodedata
from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling, Estate
from portal.core import ids
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.sealing import blind
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent, Household, Person, PersonState

# 6号楼2单元301, 6幢301室, 6-2-301, with or without the estate before it.
DOOR = re.compile(
    r"(?P<estate>[^\d\s]*)\s*(?P<building>\d+)\s*(?:号楼|[幢栋座号-])\s*(?:(?P<unit>\d+)\s*(?:单元|-)\s*)?(?P<room>\d+)室?"
)
BUILDING_WORDS = ("", "号楼", "幢", "栋", "座", "号")


def person_of_or_none(actor: Actor) -> Person | None:
    """The person an account has been confirmed to be; a merged person answers as the one it was merged into."""
    query = (
        sa.select(Person)
        .join(Claim, Claim.person_id == Person.id)
        .where(Claim.account_id == actor.account_id, Claim.state == ClaimState.CONFIRMED)
    )
    person = db.session.scalar(query)
    return resolved(person) if person else None


def person_of(actor: Actor) -> Person:
    """The same, or a refusal that says what to do."""
    person = person_of_or_none(actor)
    if person is None:
        raise Refused(_("您的账号还在等社区核对身份，核对后就可以办理。急用请打社区电话。"))
    return person


def resolved(person: Person) -> Person:
    """Follow an alias to the person it stands for."""
    while person.merged_into_id is not None:
        person = db.session.get_one(Person, person.merged_into_id)
    return person


def principals_of(actor: Actor, action: str) -> list[Person]:
    """The people an account may act for today, as an accepted family agent; ordered by name."""
    query = (
        sa.select(Person, FamilyAgent)
        .join(FamilyAgent, FamilyAgent.person_id == Person.id)
        .where(FamilyAgent.account_id == actor.account_id, FamilyAgent.state == AgentState.ACCEPTED)
        .order_by(Person.name, Person.id)
    )
    return [resolved(person) for person, agent in db.session.execute(query) if agent.allows(action, today())]


def people_for(actor: Actor, action: str) -> list[Person]:
    """Whom an account may act for: itself first, then its principals."""
    me = person_of_or_none(actor)
    mine = [me] if me else []
    return mine + [person for person in principals_of(actor, action) if person not in mine]


def within(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a person is inside area scopes."""
    inside = areas.reach(scopes)
    return sa.or_(Person.community_id.in_(inside.communities), Person.grid_id.in_(inside.grids))


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


_in_scope = within


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What a line about a person shows, loaded with it: where they live, their grid, their tags."""
    home = sa.orm.joinedload(Person.household).joinedload(Household.dwelling)
    return (
        home.joinedload(Dwelling.building).joinedload(Building.estate),
        sa.orm.joinedload(Person.grid),
        sa.orm.selectinload(Person.tags),
    )


def find(q: str, within: Collection[Scope], limit: int = 20) -> list[Person]:
    """People in scope whom a worker's words may mean; the dead last, then by name.

    The words are a name or part of one, its pinyin or initials, an ID number, a mobile number or its last four
    figures, or a door (6号楼2单元301). Several words must all fit.
    """
    text = " ".join(unicodedata.normalize("NFKC", q).split())
    if not text:
        return []
    query = (
        sa.select(Person)
        .outerjoin(Household, Person.household_id == Household.id)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
        .where(_in_scope(within), Person.merged_into_id.is_(None), _meant(text))
        .order_by(sa.case((Person.state == PersonState.DEAD, 1), else_=0), Person.name, Person.id)
        .limit(limit)
        .options(*whole())
    )
    return list(db.session.scalars(query))


NUMBERS = frozenset({"id_number", "phone"})


def kind_of_query(q: str) -> str:
    """Which key a search went by, for the audit, which never holds the words themselves."""
    compact = ids.normalise_id(q)
    if re.fullmatch(r"\d{17}[\dX]", compact):
        return "id_number"
    if _phone(q):
        return "phone"
    if re.fullmatch(r"\d{4}", compact):
        return "phone_tail"
    if DOOR.fullmatch(unicodedata.normalize("NFKC", q).strip()):
        return "door"
    return "pinyin" if re.fullmatch(r"[A-Z']+", compact) else "words"


def _meant(text: str) -> sa.ColumnElement[bool]:
    match kind_of_query(text):
        case "id_number":
            return Person.id_index == blind("person.id_number", ids.normalise_id(text))
        case "phone":
            return Person.phone_index == blind("person.phone", _phone(text))
        case "phone_tail":
            tail = Person.phone_tail_index == blind("person.phone_tail", text)
            return sa.or_(tail, Dwelling.room == text)
        case "door":
            return _behind_door(text)
        case "pinyin":
            return _sounds_like(text)
        case _:
            return sa.and_(*(_fits(word) for word in text.split()))


def _phone(text: str) -> str:
    try:
        return ids.check_phone(text)
    except ids.InvalidNumber:
        return ""


def _sounds_like(text: str) -> sa.ColumnElement[bool]:
    """Initials from the first on, or full pinyin written in one or in parts; or a name in Latin letters."""
    sound = re.sub(r"[\s'\-]", "", text).lower()
    joined = sa.func.replace(Person.pinyin, " ", "")
    return sa.or_(
        Person.initials.startswith(sound, autoescape=True),
        joined.startswith(sound, autoescape=True),
        Person.name.icontains(text, autoescape=True),
    )


def _fits(word: str) -> sa.ColumnElement[bool]:
    """One word of several: part of the name, its sound, the estate, the building, the unit or the room."""
    either = [
        Person.name.contains(word, autoescape=True),
        Estate.name.contains(word, autoescape=True),
        Building.name.in_([word + ending for ending in BUILDING_WORDS]),
        Dwelling.unit == word,
        Dwelling.room == word.removesuffix("室"),
    ]
    if re.fullmatch(r"[A-Za-z']+", word):
        either.append(_sounds_like(word))
    return sa.or_(*either)


def _behind_door(text: str) -> sa.ColumnElement[bool]:
    door = DOOR.fullmatch(text)
    if door is None:
        return sa.false()
    where = [
        Building.name.in_([door["building"] + ending for ending in BUILDING_WORDS]),
        Dwelling.room == door["room"],
    ]
    if door["unit"]:
        where.append(Dwelling.unit.in_([door["unit"], door["unit"] + "单元"]))
    if door["estate"]:
        where.append(Estate.name.contains(door["estate"], autoescape=True))
    return sa.and_(*where)
