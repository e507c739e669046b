"""Reading announcements: what is meant for an account, as its person or as a family agent; read once an account."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.notifications.models import Announcement, AnnouncementRead, AnnouncementState, AnnouncementTag
from portal.notifications.service.announcements import loaded
from portal.registry.models import Person, PersonState, PersonTag
from portal.registry.service import people

SHOWN = 100


@dataclass(frozen=True)
class Reading:
    """An announcement as a resident's list shows it; `whose` names whom she reads it for, where it is not `mine`."""

    announcement: Announcement
    is_read: bool
    mine: bool = False
    whose: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """An account, the person it is, and whom it acts for as a family agent."""

    account_id: int
    me: Person | None = None
    relatives: tuple[Person, ...] = ()

    def everybody(self) -> list[Person]:
        return [one for one in (self.me, *self.relatives) if one is not None]


def _shown(at: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Announcement.state == AnnouncementState.PUBLISHED,
        Announcement.from_at <= at,
        Announcement.until_at > at,
    )


def _newest() -> tuple[sa.UnaryExpression[Any], ...]:
    return (Announcement.is_urgent.desc(), Announcement.published_at.desc(), Announcement.id.desc())


def _meant_for_person(person: Any, day: Any) -> sa.ColumnElement[bool]:
    """An announcement is meant for somebody (a row or its table): by her area, and by a tag she holds on a day."""
    street = sa.select(Area.parent_id).where(Area.id == person.community_id).scalar_subquery()
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    holds = sa.exists().where(
        AnnouncementTag.announcement_id == Announcement.id,
        AnnouncementTag.kind == PersonTag.kind,
        PersonTag.person_id == person.id,
        PersonTag.since <= day,
        sa.or_(PersonTag.until.is_(None), PersonTag.until >= day),
    )
    here = Announcement.area_id.in_([person.community_id, sa.func.coalesce(person.grid_id, 0), street])
    return sa.and_(here, sa.or_(~any_tag, holds))


def _read(reader: Reader) -> sa.ColumnElement[bool]:
    """The condition that a row is a reader's: by her account, or by her person from an earlier account."""
    hers = AnnouncementRead.person_id == reader.me.id if reader.me else sa.false()
    return sa.or_(AnnouncementRead.account_id == reader.account_id, hers)


def reader_of(actor: Actor, me: Person | None = None) -> Reader:
    """An account as a reader of announcements (`me`, where it was read already)."""
    me = me or people.person_of_or_none(actor)
    return Reader(actor.account_id, me, tuple(one for one in people.relatives_of(actor) if one is not me))


def for_reader(reader: Reader, limit: int = SHOWN, *, only: int = 0) -> list[Reading]:
    """What is shown now and meant for her or whom she acts for: urgent first, then the newest; each once."""
    everybody = reader.everybody()
    if not everybody:
        return []
    meant_for = [_meant_for_person(person, today()) for person in everybody]
    query = loaded().add_columns(*(one.label(f"meant_{turn}") for turn, one in enumerate(meant_for)))
    query = query.where(*_shown(now()), sa.or_(*meant_for)).order_by(*_newest()).limit(limit)
    rows = db.session.execute(query.where(Announcement.id == only) if only else query).all()
    read = _read_of(reader, [row[0].id for row in rows])
    found = []
    for row in rows:
        whom = [person for person, meant in zip(everybody, row[1:], strict=True) if meant]
        mine = reader.me in whom
        found.append(Reading(row[0], row[0].id in read, mine, () if mine else tuple(one.name for one in whom)))
    return found


def _read_of(reader: Reader, ids: Collection[int]) -> set[int]:
    query = sa.select(AnnouncementRead.announcement_id).where(AnnouncementRead.announcement_id.in_(ids), _read(reader))
    return set(db.session.scalars(query))


@cache
def unread_query() -> sa.Select[int]:
    """How many wait for an :account on a :day, :at a moment: shown, meant for her or whom she acts for, not read by

    her; each once. A bell asks it with its messages.
    """
    account, day = sa.bindparam("account", type_=sa.Integer), sa.bindparam("day", type_=sa.Date)
    own, acts = people.stands_for(account, day)
    who, person = people.stood_for(Person.id.in_(own.union_all(acts))), sa.orm.aliased(Person)
    hers = sa.select(who.c.id).where(who.c.origin.in_(own))
    read = sa.exists().where(
        AnnouncementRead.announcement_id == Announcement.id,
        sa.or_(AnnouncementRead.account_id == account, AnnouncementRead.person_id.in_(hers)),
    )
    return (
        sa.select(sa.func.count(sa.distinct(Announcement.id)))
        .select_from(who)
        .join(person, sa.and_(person.id == who.c.id, person.state == PersonState.PRESENT))
        .join(Announcement, _meant_for_person(person, day))
        .where(*_shown(sa.bindparam("at", type_=Announcement.from_at.type)), ~read)
    )


def newest(actor: Actor | None, me: Person | None, limit: int) -> list[Reading]:
    """What a first page shows: what is meant for its reader, or what is for everybody, which nobody need read."""
    reader = reader_of(actor, me) if actor else None
    if reader is not None and reader.everybody():
        return for_reader(reader, limit)
    return [Reading(one, is_read=True) for one in public(limit=limit)]


def public(code: str = "", limit: int = SHOWN) -> list[Announcement]:
    """What everybody may read: shown now, for a whole area, without tags; of one community and its street if asked."""
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    query = loaded().where(*_shown(now()), ~any_tag)
    if code:
        here = sa.select(Area.id).where(Area.code == code)
        above = sa.select(Area.parent_id).where(Area.code == code)
        below = sa.select(Area.id).where(Area.parent_id.in_(here))
        query = query.where(
            sa.or_(Announcement.area_id.in_(here), Announcement.area_id.in_(above), Announcement.area_id.in_(below))
        )
    return list(db.session.scalars(query.order_by(*_newest()).limit(limit)))


def communities() -> list[Area]:
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)
    return list(db.session.scalars(query))


def readable(announcement_id: int, reader: Reader | None) -> Reading:
    """One that everybody may read, or that is meant for this reader; anything else does not exist."""
    hers = for_reader(reader, only=announcement_id) if reader else []
    if hers:
        return hers[0]
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    found = db.session.scalar(loaded().where(*_shown(now()), ~any_tag, Announcement.id == announcement_id))
    if found is None:
        raise Missing
    return Reading(found, is_read=True)


def mark_read(reading: Reading, reader: Reader) -> None:
    """Once an account, however often it is opened; a reader it is not meant for is not counted."""
    if reading.is_read:
        return
    person = reader.me if reading.mine else None
    read = AnnouncementRead(announcement_id=reading.announcement.id, account_id=reader.account_id, at=now())
    read.person_id = person.id if person else None
    try:
        with unique_or(Refused(_("已经看过了。"))):
            db.session.add(read)
    except Refused:
        # The other device was first: read is read.
        return
