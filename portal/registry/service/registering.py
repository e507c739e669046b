"""Putting somebody into the register by hand: with documents, or under a temporary number until they come."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import events, ids, search, tokens
from portal.core.access import Actor, Scope
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.ids import Sex
from portal.core.sealing import blind
from portal.registry.models import Happening, HappeningKind, Household, Person, PersonState, Relation, Source
from portal.registry.service import changes, documents, happenings, households, moves, owner_links
from portal.registry.service.documents import Document

MOST_TEMPORARY = 9999


@dataclass(frozen=True)
class Newcomer:
    """Who is to be registered, as far as it must be known at once."""

    name: str
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    document: Document | None = None
    ethnicity: str = ""
    phone: str = ""
    guardian: Person | None = None


@dataclass(frozen=True)
class Home:
    """Which household somebody comes to: the one of a number, or a new one of that number behind a door."""

    number: str
    opens: bool = False
    building_id: int = 0
    unit: str = ""
    room: str = ""


@dataclass(frozen=True)
class Likeness:
    """Why somebody may be in the register already: by number for certain (`person` in scope, or `elsewhere`), by name
    and birth date perhaps (`alike`). `gone` is who moved out elsewhere and bears the very name: she may be taken in.
    """

    person: Person | None = None
    elsewhere: bool = False
    gone: Person | None = None
    alike: tuple[Person, ...] = ()

    @property
    def nobody(self) -> bool:
        return self.person is None and not self.elsewhere and not self.alike


def likeness(newcomer: Newcomer, within: Collection[Scope]) -> Likeness:
    """Who the newcomer may be: by number for certain, by name and birth date perhaps."""
    held = documents.held(newcomer.document.number, within) if newcomer.document else None
    if held and held.person:
        return Likeness(person=held.person)
    if held:
        gone = held.holder.state is PersonState.MOVED_OUT
        same = search.normalise(held.holder.name) == search.normalise(newcomer.name)
        return Likeness(elsewhere=True, gone=held.holder if gone and same else None)
    return Likeness(alike=tuple(documents.alike(newcomer.name, newcomer.birth_date, within)))


def refuse_home(
    community_id: int, home: Home, relation: Relation, within: Collection[Scope], *, but: Person | None = None
) -> None:
    """What home_for() and entering would refuse, asked before anything is done. `but` is who comes."""
    if not home.number:
        raise _no_number()
    if home.opens:
        households.refuse_taken(community_id, home.number, field="household_number")
        return
    household = households.by_number(community_id, home.number, within, field="household_number")
    moves.refuse_second_head([one for one in households.living(household) if one is not but], relation)


def _no_number() -> Refused:
    return Refused(_("请填写户号，或者查找并选一户。还不知道住哪一户，请选“暂不入户”。"), field="household_number")


def home_for(community_id: int, home: Home, within: Collection[Scope]) -> Household:
    """The household meant, opened where it is to be new."""
    if not home.number:
        raise _no_number()
    if not home.opens:
        return households.by_number(community_id, home.number, within, field="household_number")
    door = (home.building_id, home.unit, home.room)
    dwelling = households.dwelling_at(community_id, *door) if home.building_id else None
    return households.open_household(community_id, home.number, dwelling)


def register(
    community: Area,
    newcomer: Newcomer,
    *,
    within: Collection[Scope],
    by: Actor,
    day: date,
    relation: Relation = Relation.OTHER,
    home: Home | None = None,
    note: str = "",
    idem: str = "",
) -> Person:
    """Register somebody who came, into a household or none yet; a resend leads to the same person."""
    said = f"{community.code}|{newcomer.name}|{newcomer.birth_date}"
    earlier = tokens.same_request(by.public_id, "registry.register", idem, said)
    if earlier:
        return db.session.scalars(sa.select(Person).where(Person.public_id == earlier)).one()
    household = home_for(community.id, home, within) if home else None
    opened = bool(home and home.opens)
    homes = [household] if household and not opened else []
    with happenings.recording(HappeningKind.MOVE_IN, community.id, day, note, of=[], homes=homes) as event:
        if household and opened:
            event.makes(household)
        if newcomer.birth_date and day < newcomer.birth_date:
            raise Refused(_("迁入日期早于出生日期，请核对。"), field="day")
        person = put_in_register(
            community.id, newcomer, household=household, relation=relation, ref=event.happening, since=day
        )
        event.makes(person)
    tokens.remember_request(by.public_id, "registry.register", idem, said, person.public_id)
    events.publish("person_moved", person=person)
    return person


def take_in(
    person: Person,
    community: Area,
    *,
    within: Collection[Scope],
    day: date,
    relation: Relation = Relation.OTHER,
    home: Home | None = None,
    note: str = "",
) -> Happening:
    """Somebody who moved out of another community comes to live here: her record comes with her."""
    if person.state is not PersonState.MOVED_OUT:
        raise Refused(_("对方社区还没有办迁出，不能转入。"))
    household = home_for(community.id, home, within) if home else None
    opened = bool(home and home.opens)
    homes = [household] if household and not opened else []
    with happenings.recording(HappeningKind.MOVE_IN, community.id, day, note, of=[person], homes=homes) as event:
        if household and opened:
            event.makes(household)
        person.community_id, person.grid_id = community.id, None
        if household:
            moves.enter(household, person, relation)
        moves.arrive(person, day)
    events.publish("person_moved", person=person)
    return event.happening


def put_in_register(
    community_id: int,
    newcomer: Newcomer,
    *,
    household: Household | None,
    relation: Relation,
    ref: Happening,
    since: date | None = None,
) -> Person:
    """The row itself, its first line of history, and a temporary number where there is no document."""
    person = Person(
        community_id=community_id,
        name=newcomer.name,
        initials=search.initials(newcomer.name)[:40],
        pinyin=search.pinyin(newcomer.name)[:160],
        sex=newcomer.sex,
        birth_date=newcomer.birth_date,
        ethnicity=newcomer.ethnicity,
        state=PersonState.PRESENT,
        living_since=since,
        relation=Relation.OTHER,
        guardian_id=newcomer.guardian.id if newcomer.guardian else None,
        flags=[],
    )
    put_phone(person, newcomer.phone)
    if newcomer.document:
        documents.put(person, newcomer.document)
    else:
        person.temporary_number = next_temporary_number(community_id)
        person.flags = ["no_number"]
    with unique_or(Refused(_("这个证件号码已登记在别人名下，请核对。"), field="id_number")):
        db.session.add(person)
    if household:
        moves.enter(household, person, relation)
    entered = {name: [None, value] for name, value in changes.values_of(person).items() if value not in {None, "[]"}}
    changes.note(person, entered, Source.EVENT, ref=ref.public_id)
    db.session.flush()
    owner_links.on_person(person)
    return person


def put_phone(person: Person, phone: str) -> None:
    """A telephone with the indexes it is found by, or none."""
    person.phone = phone or None
    person.phone_index = blind("person.phone", phone) if phone else None
    person.phone_tail_index = blind("person.phone_tail", phone[-4:]) if phone else None
    documents.flag(person, "phone_doubtful", on=False)


def next_temporary_number(community_id: int) -> str:
    """The community's next one. The row of the community is locked, so that two workers do not get the same."""
    query = sa.select(Area).where(Area.id == community_id).with_for_update()
    community = db.session.scalar(query)
    if community is None:
        raise Missing
    prefix = f"L{community.code}"
    last = db.session.scalar(
        sa.select(sa.func.max(Person.temporary_number)).where(Person.temporary_number.startswith(prefix))
    )
    running = int(last[len(prefix) : -1]) + 1 if last else 1
    if running > MOST_TEMPORARY:
        raise Refused(_("这个社区的临时编号已经用完，请联系系统管理员。"))
    return ids.temporary_number(community.code, running)
