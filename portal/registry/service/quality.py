"""Data quality: what is missing, contradictory or outdated in the register, each with the page that repairs it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling, DwellingUse, Estate
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import EmergencyContact, Household, Person, PersonState, PersonTag, Relation, TagKind
from portal.registry.service import people
from portal.registry.service.figures import born_after
from portal.registry.service.households import living_here

PAGE = 50
CHILD, ELDER = 18, 60
ELDER_TAGS = (TagKind.LIVING_ALONE, TagKind.EMPTY_NEST, TagKind.LEFT_BEHIND, TagKind.DISABLED_ELDER)
CHILD_TAGS = (TagKind.CHILD_IN_DIFFICULTY, TagKind.LEFT_BEHIND_CHILD, TagKind.ORPHAN)
Condition = sa.ColumnElement[bool]


class Group(StrEnum):
    MISSING = "missing"
    CONTRADICTORY = "contradictory"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Finding:
    """One thing to repair: whom or what it is about, where to read more, and the page that mends it."""

    name: str
    where: str
    href: tuple[str, dict[str, Any]]
    repair: tuple[str, dict[str, Any]]
    key: int = 0


@dataclass(frozen=True)
class Check:
    """A question to the register. `count` and `page` take scopes; `page` goes on after a key."""

    code: str
    group: Group
    title: Callable[[], str]
    button: Callable[[], str]
    count: Callable[[Collection[Scope]], int]
    page: Callable[[Collection[Scope], int], list[Finding]]


@dataclass(frozen=True)
class Counted:
    check: Check
    count: int


@dataclass(frozen=True)
class _Repair:
    """The endpoint that mends a person's record, and what the person is called in its address."""

    endpoint: str
    button: Callable[[], str]


def _edit_words() -> str:
    return _("去补登")


EDIT = _Repair("registry.worker.record", _edit_words)
TAGS = _Repair("registry.worker.edit_tags", lambda: _("改标签"))
RETURN = _Repair("registry.worker.come_back", lambda: _("登记返回"))


def _flagged(code: str) -> Callable[[date], Condition]:
    return lambda _on: Person.flags.cast(sa.String).contains(f'"{code}"')


def _no_number(_on: date) -> Condition:
    return Person.id_number.is_(None)


def _no_phone(on: date) -> Condition:
    reached = sa.exists().where(EmergencyContact.person_id == Person.id)
    return sa.and_(Person.phone_index.is_(None), ~reached, Person.birth_date <= born_after(ELDER, on))


def _no_home(_on: date) -> Condition:
    homeless = sa.exists().where(Household.id == Person.household_id, Household.dwelling_id.is_not(None))
    return ~homeless


def _child_alone(on: date) -> Condition:
    """Under 18, no guardian on record, and no adult in the household."""
    other = aliased(Person)
    adult = sa.exists().where(
        other.household_id == Person.household_id,
        other.id != Person.id,
        other.state == PersonState.PRESENT,
        other.birth_date <= born_after(CHILD, on),
    )
    return sa.and_(Person.birth_date > born_after(CHILD, on), Person.guardian_id.is_(None), ~adult)


def _tagged(kinds: Collection[TagKind], on: date) -> Condition:
    return sa.exists().where(
        PersonTag.person_id == Person.id,
        PersonTag.kind.in_(kinds),
        PersonTag.since <= on,
        sa.or_(PersonTag.until.is_(None), PersonTag.until >= on),
    )


def _tag_against_age(on: date) -> Condition:
    young = sa.and_(_tagged(ELDER_TAGS, on), Person.birth_date > born_after(ELDER, on))
    grown = sa.and_(_tagged(CHILD_TAGS, on), Person.birth_date <= born_after(CHILD, on))
    return sa.or_(young, grown)


def _alone_with_others(on: date) -> Condition:
    other = aliased(Person)
    company = sa.exists().where(
        other.household_id == Person.household_id,
        other.id != Person.id,
        other.state == PersonState.PRESENT,
        other.merged_into_id.is_(None),
    )
    return sa.and_(_tagged([TagKind.LIVING_ALONE], on), company)


def _overdue_return(on: date) -> Condition:
    return Person.absent_until < on


def _people_check(
    code: str, group: Group, title: Callable[[], str], condition: Callable[[date], Condition], repair: _Repair = EDIT
) -> Check:
    def where(within: Collection[Scope]) -> tuple[Condition, ...]:
        return people.within(within), *living_here(), condition(today())

    def count(within: Collection[Scope]) -> int:
        return db.session.scalar(sa.select(sa.func.count(Person.id)).where(*where(within))) or 0

    def page(within: Collection[Scope], after: int) -> list[Finding]:
        query = sa.select(Person).where(*where(within), Person.id > after).order_by(Person.id).limit(PAGE + 1)
        return [_about(person, repair) for person in db.session.scalars(query.options(*people.whole()))]

    return Check(code, group, title, repair.button, count, page)


def _about(person: Person, repair: _Repair) -> Finding:
    who = {"public_id": person.public_id}
    home = person.household.dwelling.address() if person.household and person.household.dwelling else _("住址未登记")
    return Finding(person.name, home, ("home.worker.person", who), (repair.endpoint, who), person.id)


def _heads(inside: Condition) -> Any:
    head = sa.case((Person.relation == Relation.HEAD, 1), else_=0)
    return (
        sa.select(Person.household_id.label("id"), sa.func.sum(head).label("heads"))
        .where(*living_here(), Person.household_id.in_(sa.select(Household.id).where(inside)))
        .group_by(Person.household_id)
        .subquery()
    )


def _household_check(code: str, group: Group, title: Callable[[], str], wrong: Callable[[Any], Condition]) -> Check:
    """Households of whole communities in scope: a grid worker may see a part of one only, and cannot repair it."""

    def chosen(within: Collection[Scope]) -> sa.Select[Household]:
        heads = _heads(Household.community_id.in_(areas.reach(within).communities))
        return sa.select(Household).join(heads, heads.c.id == Household.id).where(wrong(heads.c.heads))

    def count(within: Collection[Scope]) -> int:
        return db.session.scalar(sa.select(sa.func.count()).select_from(chosen(within).subquery())) or 0

    def page(within: Collection[Scope], after: int) -> list[Finding]:
        query = chosen(within).where(Household.id > after).order_by(Household.id).limit(PAGE + 1)
        home = joinedload(Household.dwelling).joinedload(Dwelling.building).joinedload(Building.estate)
        return [_household(one) for one in db.session.scalars(query.options(home))]

    return Check(code, group, title, lambda: _("去处理"), count, page)


def _household(one: Household) -> Finding:
    address = one.dwelling.address() if one.dwelling else _("住址未登记")
    link = ("registry.worker.household", {"household_id": one.id})
    return Finding(_("户号 %(number)s", number=one.number), address, link, link, one.id)


def _unlived(within: Collection[Scope]) -> sa.Select[Dwelling]:
    """Homes in use, by what the register says, in which nobody lives. The lived-in ones are asked for once, as a set:
    asked for each home by itself, 3,500 people took SQLite eight seconds.
    """
    communities = areas.reach(within).communities
    lived = (
        sa.select(Household.dwelling_id)
        .join(Person, Person.household_id == Household.id)
        .where(Household.community_id.in_(communities), Household.dwelling_id.is_not(None), *living_here())
    )
    used = Dwelling.use.in_([DwellingUse.UNKNOWN, DwellingUse.OWN, DwellingUse.RENTED])
    return (
        sa.select(Dwelling)
        .join(Building)
        .join(Estate)
        .where(Estate.community_id.in_(communities), used, Dwelling.id.not_in(lived))
    )


def _count_unlived(within: Collection[Scope]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(_unlived(within).subquery())) or 0


def _page_unlived(within: Collection[Scope], after: int) -> list[Finding]:
    query = _unlived(within).where(Dwelling.id > after).order_by(Dwelling.id).limit(PAGE + 1)
    homes = db.session.scalars(query.options(joinedload(Dwelling.building).joinedload(Building.estate)))
    return [
        Finding(
            home.address(),
            _("登记为在用，没有住户"),
            ("registry.worker.dwelling", {"dwelling_id": home.id}),
            ("registry.worker.dwelling_edit", {"dwelling_id": home.id}),
            home.id,
        )
        for home in homes
    ]


CHECKS: tuple[Check, ...] = (
    _people_check("no_number", Group.MISSING, lambda: _("缺证件号码"), _no_number),
    _people_check("no_phone", Group.MISSING, lambda: _("老人没有电话，也没有紧急联系人"), _no_phone),
    _people_check("no_home", Group.MISSING, lambda: _("没有住址"), _no_home),
    _people_check("child_alone", Group.MISSING, lambda: _("未成年人没有登记监护人"), _child_alone),
    _household_check("no_head", Group.MISSING, lambda: _("户里没有户主"), lambda heads: heads == 0),
    Check("unlived", Group.MISSING, lambda: _("房屋没有住户"), lambda: _("改用途"), _count_unlived, _page_unlived),
    _household_check("two_heads", Group.CONTRADICTORY, lambda: _("一户有两个户主"), lambda heads: heads > 1),
    _people_check("sex", Group.CONTRADICTORY, lambda: _("性别与证件号码不一致"), _flagged("sex_contradicts")),
    _people_check("birth", Group.CONTRADICTORY, lambda: _("出生日期与证件号码不一致"), _flagged("birth_contradicts")),
    _people_check("alone", Group.CONTRADICTORY, lambda: _("标为独居，同户还有别人"), _alone_with_others, TAGS),
    _people_check("phone", Group.CONTRADICTORY, lambda: _("电话待核对"), _flagged("phone_doubtful")),
    _people_check("address", Group.CONTRADICTORY, lambda: _("住址与本户不一致"), _flagged("address_differs")),
    _people_check("tag_age", Group.OUTDATED, lambda: _("标签与年龄不符"), _tag_against_age, TAGS),
    _people_check("overdue", Group.OUTDATED, lambda: _("临时外出已过返回日期"), _overdue_return, RETURN),
)


def group_words(group: Group) -> str:
    return {Group.MISSING: _("缺失"), Group.CONTRADICTORY: _("矛盾"), Group.OUTDATED: _("过时")}[group]
