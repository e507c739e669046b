"""The demonstration's accounts: one for every role, and a family whose daughter orders for her mother."""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import search
from portal.core.access import Platform
from portal.core.clock import now, today
from portal.core.ids import Sex, check_digit
from portal.core.sealing import blind
from portal.identity import passwords
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import Role
from portal.identity.service import phone_index
from portal.meals.models import Canteen
from portal.registry.models import (
    AgentState,
    Claim,
    ClaimState,
    FamilyAgent,
    Household,
    Person,
    PersonTag,
    Registration,
    Relation,
    TagKind,
)
from portal.registry.service import consents

DESK_PASSWORD = "chunhui-jiedao-2026"
RESIDENT_PASSWORD = "jiankang2026"


@dataclass(frozen=True)
class Shown:
    """An account as `make run` prints it."""

    role: str
    address: str
    name: str
    password: str


WORKERS = (
    ("worker", "周洁", Role.COMMUNITY_WORKER, "community", "999901001001", "社区工作者（春风里社区）"),
    ("worker2", "林敏", Role.COMMUNITY_WORKER, "community", "999901001002", "社区工作者（荷塘社区）"),
    ("committee", "赵德明", Role.COMMITTEE_MEMBER, "community", "999901001001", "居委会成员（春风里社区）"),
    ("grid", "王建国", Role.GRID_WORKER, "grid", "999901001002001", "网格员（荷塘社区第一网格）"),
    ("case", "许文静", Role.CASE_WORKER, "community", "999901001001", "个案社工（春风里社区）"),
    ("street", "何立新", Role.STREET_ADMINISTRATOR, "street", "999901001", "街道管理员"),
    ("system", "沈一鸣", Role.SYSTEM_ADMINISTRATOR, "all", "", "系统管理员"),
    ("security", "冯静怡", Role.SECURITY_ADMINISTRATOR, "all", "", "安全管理员"),
    ("auditor", "江学文", Role.AUDITOR, "all", "", "审计员"),
)
OPERATORS_NAME = "食堂%d号"
MOTHER_PHONE, DAUGHTER_PHONE = "13800000001", "13800000002"


def _operators(canteens: list[Canteen]) -> list[tuple[str, str, Role, str, str, str]]:
    return [
        (
            "canteen" if turn == 1 else f"canteen{turn}",
            OPERATORS_NAME % canteen.id,
            Role.CANTEEN_OPERATOR,
            "canteen",
            canteen.public_id,
            f"助餐点人员（{canteen.name}）",
        )
        for turn, canteen in enumerate(canteens, start=1)
    ]


def build_desk(session: Session, canteens: list[Canteen]) -> None:
    """One account for every role of the desk, and an operator for each canteen."""
    password_hash = passwords.hashed(DESK_PASSWORD, Platform.DESK)
    for login, name, role, kind, ref, _label in (*WORKERS, *_operators(canteens)):
        account = Account(
            platform=Platform.DESK, username=login, name=name, password_hash=password_hash, created_at=now()
        )
        account.grants = [RoleGrant(role=role, scope_kind=kind, scope_ref=ref)]
        session.add(account)
    session.flush()


def _home(session: Session, community: Area) -> Household:
    """A household of her own, behind the first door of the community where nobody lives."""
    lived = sa.select(Household.dwelling_id).where(Household.dwelling_id.is_not(None))
    empty = sa.select(Dwelling).join(Dwelling.building).join(Building.estate).where(Estate.community_id == community.id)
    dwelling = session.scalars(empty.where(Dwelling.id.not_in(lived)).order_by(Dwelling.id).limit(1)).one()
    home = Household(community_id=community.id, number=f"{community.code[-3:]}-9{dwelling.id:04d}", dwelling=dwelling)
    session.add(home)
    session.flush()
    return home


def _person(session: Session, community: Area, name: str, born: date, phone: str) -> Person:
    home = _home(session, community)
    first = f"999901{born:%Y%m%d}998"
    number = first + check_digit(first)
    person = Person(
        community_id=community.id,
        grid_id=home.dwelling.building.grid_id if home.dwelling else None,
        household_id=home.id,
        relation=Relation.HEAD,
        name=name,
        initials=search.initials(name),
        pinyin=search.pinyin(name),
        sex=Sex.FEMALE,
        birth_date=born,
        id_number=number,
        id_index=blind("person.id_number", number),
        phone=phone,
        phone_index=blind("person.phone", phone),
        phone_tail_index=blind("person.phone_tail", phone[-4:]),
        registration=Registration.LOCAL,
        registration_code=community.code[:9],
        flags=[],
    )
    session.add(person)
    session.flush()
    return person


def _claimed(session: Session, person: Person, phone: str, password_hash: str) -> Account:
    account = Account(
        platform=Platform.RESIDENT,
        name=person.name,
        phone=phone,
        phone_index=phone_index(phone),
        password_hash=password_hash,
        created_at=now(),
    )
    account.grants = [RoleGrant(role=Role.RESIDENT, scope_kind="self", scope_ref="")]
    session.add(account)
    session.flush()
    session.add(
        Claim(
            account_id=account.id,
            name=person.name,
            id_number=person.id_number or "",
            id_index=person.id_index or b"",
            community_id=person.community_id,
            state=ClaimState.CONFIRMED,
            person_id=person.id,
            made_at=now(),
            decided_at=now(),
            decided_by="register",
        )
    )
    consents.at_registration(account, now())
    return account


def build_family(session: Session, community: Area) -> None:
    """A mother of 78 who lives alone, and her daughter, accepted as her family agent for a year."""
    password_hash = passwords.hashed(RESIDENT_PASSWORD, Platform.RESIDENT)
    mother = _person(session, community, "王秀英", date(1948, 3, 12), MOTHER_PHONE)
    daughter = _person(session, community, "李小红", date(1974, 6, 1), DAUGHTER_PHONE)
    mother.diet = "low_salt,soft"
    session.add(PersonTag(person_id=mother.id, kind=TagKind.LIVING_ALONE, since=date(2025, 1, 1), source="演示数据"))
    _claimed(session, mother, MOTHER_PHONE, password_hash)
    account = _claimed(session, daughter, DAUGHTER_PHONE, password_hash)
    session.add(
        FamilyAgent(
            account_id=account.id,
            person_id=mother.id,
            principal_name=mother.name,
            relation="child",
            actions="meals.order,catalogue.book,cases.report",
            state=AgentState.ACCEPTED,
            until=today() + timedelta(days=365),
            requested_at=now(),
            decided_at=now(),
            decided_by="worker",
            consent="上门时当面同意",
        )
    )
    session.flush()


def shown(canteens: list[Canteen]) -> list[Shown]:
    """Every account of the demonstration, as its start prints them."""
    desk = (*WORKERS, *_operators(canteens))
    return [
        *(Shown(label, "/desk", login, DESK_PASSWORD) for login, _name, _role, _kind, _ref, label in desk),
        Shown("居民（王秀英，78 岁）", "/", MOTHER_PHONE, RESIDENT_PASSWORD),
        Shown("居民（李小红，母亲的亲情代办人）", "/", DAUGHTER_PHONE, RESIDENT_PASSWORD),
    ]
