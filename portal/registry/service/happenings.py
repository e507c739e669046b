"""Events in people's lives: recorded whole with what was and what is, listed, and undone in the opposite order."""

import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, events, reasons
from portal.core.access import Scope, actor_or_none
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.ids import new_public_id
from portal.registry.models import (
    Claim,
    ClaimState,
    EmergencyContact,
    FamilyAgent,
    Happening,
    HappeningHousehold,
    HappeningKind,
    HappeningPart,
    Household,
    Person,
    PersonChange,
    PersonTag,
    Source,
)
from portal.registry.service import households, owner_links, people, words
from portal.registry.service.changes import changing, field_words
from portal.registry.service.finding import inside

PAGE = 30
EVENT_UNDONE = reasons.declare("registry.event_undone", label=lambda: _("撤销登记事件"))
# The columns that an event may change, by table.
TABLES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "household": (Household, ("dwelling_id", "closed_on")),
    "person": (
        Person,
        (
            "household_id", "relation", "community_id", "grid_id", "state", "state_on", "absent_from", "absent_until",
            "living_since",
        ),
    ),
    "family_agent": (FamilyAgent, ("state", "decided_at", "decided_by")),
    "claim": (Claim, ("state", "decided_at", "decided_by", "reason")),
}  # fmt: skip
Rows = dict[str, dict[str, dict[str, Any]]]


@dataclass
class Recording:
    """An event while it happens: whom and which households it is about, who goes along, and the rows that it makes."""

    happening: Happening
    people: list[Person]
    homes: list[Household]
    along: list[Person] = field(default_factory=list)
    agents: list[FamilyAgent] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    made: dict[str, list[Any]] = field(default_factory=lambda: {"person": [], "household": [], "names": []})

    def makes(self, row: Person | Household) -> None:
        """A row that undoing the event takes away again."""
        if isinstance(row, Person):
            self.people.append(row)
            self.made["names"].append(row.name)
        else:
            self.homes.append(row)
        self.made[row.__tablename__].append(row.id)


@contextmanager
def recording(
    kind: HappeningKind,
    community_id: int,
    day: date,
    note: str,
    *,
    of: Collection[Person],
    homes: Collection[Household] = (),
    along: Collection[Person] = (),
    agents: Collection[FamilyAgent] = (),
    claims: Collection[Claim] = (),
) -> Iterator[Recording]:
    """What changes inside becomes one event about `of` and `homes`; `along` are others whom it may change too.

    Whoever calls this has looked at the rows without a lock: once they are held they must still be as they were seen.
    """
    _refuse_day(day, of)
    actor = actor_or_none()
    happening = Happening(
        public_id=new_public_id(),
        kind=kind,
        community_id=community_id,
        day=day,
        note=note or None,
        recorded_at=now(),
        recorded_by=actor.public_id if actor else "system",
        recorded_name=actor.name if actor else "",
    )
    others = [person for person in dict.fromkeys(along) if person not in of]
    event = Recording(happening, list(of), list(dict.fromkeys(homes)), others, list(agents), list(claims))
    seen = _rows(event), _aliases(event)
    _hold(event)
    before = _rows(event)
    if seen != (before, _aliases(event)):
        raise Refused(_("刚才有人也在办理这位居民或这一户，情况已经变了。请刷新页面，看过现在的登记再办。"))
    with ExitStack() as stack:
        for person in [*of, *others]:
            stack.enter_context(changing(person, Source.EVENT, ref=happening.public_id))
        yield event
    _finish(event, before)


def _refuse_day(day: date, of: Collection[Person]) -> None:
    if day > today():
        raise Refused(_("日期还没有到，请填今天或更早的日期。"), field="day")
    younger = next((person for person in of if person.birth_date and day < person.birth_date), None)
    if younger:
        born = younger.birth_date.isoformat() if younger.birth_date else ""
        words_ = _("日期早于%(name)s的出生日期（%(born)s），请核对。", name=younger.name, born=born)
        raise Refused(words_, field="day")


def _hold(event: Recording) -> None:
    """Lock the people after their households, so that two events about one of them queue."""
    if event.homes:
        households.hold(*event.homes)
    ids = sorted(person.id for person in [*event.people, *event.along])
    query = sa.select(Person).where(Person.id.in_(ids)).order_by(Person.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).all()


def _aliases(event: Recording) -> list[int | None]:
    return [person.merged_into_id for person in [*event.people, *event.along]]


def _finish(event: Recording, before: Rows) -> None:
    db.session.flush()
    _look_again([*event.people, *event.along], event.homes)
    for household in event.homes:
        households.refuse_inconsistent(household)
    happening, after = event.happening, _rows(event)
    happening.made = event.made
    happening.before, happening.after = _packed(before), _packed(after)
    happening.parts = [HappeningPart(person_id=person.id) for person in dict.fromkeys(event.people)]
    happening.parts += [
        HappeningPart(person_id=person.id, is_subject=False)
        for person in event.along
        if before["person"][str(person.id)] != after["person"][str(person.id)]
    ]
    happening.homes = [HappeningHousehold(household_id=home.id) for home in dict.fromkeys(event.homes)]
    db.session.add(happening)
    db.session.flush()
    audit.record("registry.happening_recorded", happening, kind=happening.kind.value, count=len(happening.parts))


def _look_again(of: Collection[Person], homes: Collection[Household]) -> None:
    """What hangs on a column that changed is read anew."""
    for person in of:
        db.session.expire(person, ["household", "grid", "community"])
    for household in homes:
        db.session.expire(household, ["dwelling"])


def _rows(event: Recording) -> Rows:
    held: dict[str, Collection[Any]] = {
        "household": event.homes,
        "person": [*event.people, *event.along],
        "family_agent": event.agents,
        "claim": event.claims,
    }
    return {
        table: {str(row.id): {name: _plain(getattr(row, name)) for name in TABLES[table][1]} for row in rows}
        for table, rows in held.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _read(model: type[Any], name: str, value: Any) -> Any:
    """A column's value as it was packed."""
    kind = model.__table__.c[name].type.python_type
    if value is None or kind in {int, str}:
        return value
    return kind.fromisoformat(value) if kind in {date, datetime} else model.__table__.c[name].type.enum_class(value)


def _packed(rows: Rows) -> str:
    return json.dumps(rows, ensure_ascii=False)


# ---- Lists ----


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """Events of whole communities in scope; of grids in scope those about nobody outside them."""
    area = inside(within)
    whole = Happening.community_id.in_(area.whole)
    if not area.grids:
        return whole
    about = sa.exists().where(HappeningPart.happening_id == Happening.id, Person.id == HappeningPart.person_id)
    mine = Person.grid_id.in_(area.grids)
    only_mine = sa.and_(about.where(mine), ~about.where(sa.or_(Person.grid_id.is_(None), ~mine)))
    return sa.and_(Happening.community_id.in_(area.around), sa.or_(whole, only_mine))


def _told() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        selectinload(Happening.parts).joinedload(HappeningPart.person),
        selectinload(Happening.homes).joinedload(HappeningHousehold.household),
    )


def happenings(
    within: Collection[Scope], *, kind: HappeningKind | None = None, before: int | None = None
) -> list[Happening]:
    """The newest first, one page and one more; `before` is the id where the last page ended."""
    query = sa.select(Happening).where(_inside(within)).order_by(Happening.id.desc()).limit(PAGE + 1)
    if kind:
        query = query.where(Happening.kind == kind)
    if before:
        query = query.where(Happening.id < before)
    return list(db.session.scalars(query.options(*_told())))


def of_person(person: Person, within: Collection[Scope], *, limit: int = 20) -> list[Happening]:
    """A person's events in scope, the newest first, with those of records that were merged into hers."""
    about = sa.select(HappeningPart.happening_id).where(HappeningPart.person_id.in_(people.ids_of(person)))
    query = sa.select(Happening).where(Happening.id.in_(about), _inside(within))
    query = query.order_by(Happening.id.desc()).limit(limit)
    return list(db.session.scalars(query.options(*_told())))


def of_household(household: Household, within: Collection[Scope], *, limit: int = 30) -> list[Happening]:
    about = sa.select(HappeningHousehold.happening_id).where(HappeningHousehold.household_id == household.id)
    query = sa.select(Happening).where(Happening.id.in_(about), _inside(within))
    query = query.order_by(Happening.id.desc()).limit(limit)
    return list(db.session.scalars(query.options(*_told())))


def happening_in(within: Collection[Scope], public_id: str) -> Happening:
    query = sa.select(Happening).where(Happening.public_id == public_id, _inside(within)).options(*_told())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def who(happening: Happening) -> str:
    """The people of an event by name; those whom undoing took away are still named."""
    names = [part.person.name for part in happening.parts if part.is_subject] or list(
        (happening.made or {}).get("names", [])
    )
    shown = _("、").join(names[:4])
    return _("%(names)s等 %(count)d 人", names=shown, count=len(names)) if len(names) > 4 else shown


# ---- Undoing ----


def undo(happening: Happening, *, reason: str) -> None:
    """Put everything back as it was before the event. Refused while a later event or edit leans on it."""
    if happening.undone_at is not None:
        raise Refused(_("这一条已经撤销过了。"))
    if happening.kind is HappeningKind.MERGE:
        raise Refused(_("合并重复登记请在“重复登记”里撤销。"))
    of, homes = _held(happening)
    _refuse_later(happening)
    before, after = json.loads(happening.before), json.loads(happening.after)
    _refuse_changed(before, after)
    with ExitStack() as stack:
        for person in of:
            stack.enter_context(changing(person, Source.EVENT, ref=happening.public_id, reason=EVENT_UNDONE))
        with unique_or(Refused(_("登记以后又有了新的代办登记，请先结束那一条。"))):
            _restore(before, after)
    actor = actor_or_none()
    happening.undone_at, happening.undone_reason = now(), reason[:200]
    happening.undone_by = actor.name if actor else ""
    db.session.flush()
    _take_away(happening)
    _look_again(of, homes)
    for household in homes:
        households.refuse_inconsistent(household)
    audit.record("registry.happening_undone", happening, reason=reason, kind=happening.kind.value)
    for person in of:
        events.publish("person_moved", person=person)


def _held(happening: Happening) -> tuple[list[Person], list[Household]]:
    """The rows of an event that stay when it is undone, locked."""
    made = happening.made or {}
    homes = [home.household for home in happening.homes]
    of = [part.person for part in happening.parts]
    _hold(Recording(happening, of, homes))
    return (
        [person for person in of if person.id not in made.get("person", [])],
        [home for home in homes if home.id not in made.get("household", [])],
    )


def _refuse_later(happening: Happening) -> None:
    """The newest event about any of the same people or households must be undone first, and is named."""
    same_person = sa.select(HappeningPart.happening_id).where(
        HappeningPart.person_id.in_([part.person_id for part in happening.parts])
    )
    same_home = sa.select(HappeningHousehold.happening_id).where(
        HappeningHousehold.household_id.in_([home.household_id for home in happening.homes])
    )
    query = (
        sa.select(Happening)
        .where(Happening.id > happening.id, Happening.undone_at.is_(None))
        .where(sa.or_(Happening.id.in_(same_person), Happening.id.in_(same_home)))
        .order_by(Happening.id.desc())
        .limit(1)
    )
    later = db.session.scalar(query.options(*_told()))
    if later:
        facts = {"day": later.day.isoformat(), "kind": words.happening(later.kind), "who": who(later)}
        raise Refused(_("请先撤销后来的这一条：%(day)s %(kind)s（%(who)s）。", **facts))


def _changed(before: Rows, after: Rows) -> Iterator[tuple[Any, str, Any, Any]]:
    """Each column that the event changed: its row, its name, what was, what became of it."""
    for table, rows in after.items():
        model, names = TABLES[table]
        for row_id, values in rows.items():
            was = before[table].get(row_id)
            row = db.session.get(model, int(row_id)) if was else None
            if row is not None and was:
                moved = was.get("household_id") != values.get("household_id")
                for name in names:
                    # A relation is one to the head of a household: with the household it is another, said or not.
                    if was[name] != values[name] or (moved and name == "relation"):
                        yield row, name, was[name], values[name]


def _refuse_changed(before: Rows, after: Rows) -> None:
    others = [name for row, name, _was, became in _changed(before, after) if _plain(getattr(row, name)) != became]
    if others:
        what = _("、").join(dict.fromkeys(field_words(name) for name in others))
        raise Refused(_("登记以后又改过%(what)s，不能直接撤销。请先把它改回登记时的内容。", what=what))


def _restore(before: Rows, after: Rows) -> None:
    """What can be given back: an account that has been claimed anew meanwhile stays whose it is, and acts as that."""
    changed = list(_changed(before, after))
    claims = {row for row, *_rest in changed if isinstance(row, Claim) and _claimed_anew(row)}
    accounts = {claim.account_id for claim in claims}
    agents = {row for row, *_rest in changed if isinstance(row, FamilyAgent) and row.account_id in accounts}
    for row, name, was, _became in changed:
        if row not in claims and row not in agents:
            setattr(row, name, _read(type(row), name, was))


def _claimed_anew(claim: Claim) -> bool:
    """Whether the account has another claim since, the person another account, or the account is closed."""
    hers = sa.and_(Claim.person_id == claim.person_id, Claim.state == ClaimState.CONFIRMED)
    its = sa.and_(Claim.account_id == claim.account_id, Claim.state != ClaimState.REFUSED)
    other = sa.select(Claim.id).where(Claim.id != claim.id, sa.or_(hers, its)).limit(1)
    return claim.account.disabled_at is not None or db.session.scalar(other) is not None


def _take_away(happening: Happening) -> None:
    """Delete the rows that the event made. Refused when anything else has come to lean on them."""
    made = happening.made or {}
    born, opened = made.get("person", []), made.get("household", [])
    if not born and not opened:
        return
    edited = sa.select(PersonChange.id).where(PersonChange.person_id.in_(born), PersonChange.source != Source.EVENT)
    if db.session.scalar(edited.limit(1)):
        raise Refused(_("登记以后又改过这位居民的资料，不能撤销。登记重复请合并，已经搬走请办迁出。"))
    owner_links.on_people_leaving(person_ids=born)
    leaning = (
        (HappeningPart.person_id, born),
        (PersonChange.person_id, born),
        (PersonTag.person_id, born),
        (EmergencyContact.person_id, born),
        (HappeningHousehold.household_id, opened),
        (Person.id, born),
        (Household.id, opened),
    )
    with unique_or(Refused(_("登记以后已经有订餐、认领等记录用到了这位居民或这一户，不能撤销。"))):
        for column, ids in leaning:
            db.session.execute(sa.delete(column.class_).where(column.in_(ids)))
    db.session.expire(happening, ["parts", "homes"])
