"""Announcements: written for an area and tags, matched when they are read, and counted by their reads alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, AreaKind
from portal.core import audit, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.notifications.models import (
    Announcement,
    AnnouncementRead,
    AnnouncementState,
    AnnouncementTag,
)
from portal.registry.models import Claim, ClaimState, Person, PersonState, PersonTag, TagKind

SHOWN = 100


@dataclass(frozen=True)
class Words:
    """What a worker writes."""

    area: str
    title: str
    body: str
    from_at: datetime
    until_at: datetime
    tags: tuple[TagKind, ...] = ()
    is_urgent: bool = False


@dataclass(frozen=True)
class Reading:
    """An announcement as a resident's list shows it."""

    announcement: Announcement
    is_read: bool


@dataclass(frozen=True)
class Counts:
    """How far an announcement came: people meant, those of them with an account, those who read; by grid."""

    meant: int
    with_account: int
    read: int
    by_grid: Sequence[tuple[str, int, int]] = ()

    @property
    def unread(self) -> int:
        return self.meant - self.read


def areas_in(scopes: Collection[Scope]) -> list[Area]:
    """Where somebody may announce: the areas held, and every area below them; by code."""
    codes = [scope.ref for scope in scopes if scope.kind in set(AreaKind)]
    held = sa.select(Area.id).where(Area.code.in_(codes))
    below = sa.select(Area.id).where(Area.parent_id.in_(held))
    inside = sa.or_(Area.id.in_(held), Area.id.in_(below), Area.parent_id.in_(below))
    return list(db.session.scalars(sa.select(Area).where(inside).order_by(Area.code)))


def _within(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    return Announcement.area_id.in_([area.id for area in areas_in(scopes)])


def _loaded() -> sa.Select[Announcement]:
    return sa.select(Announcement).options(joinedload(Announcement.area), selectinload(Announcement.tags))


def announcements_in(scopes: Collection[Scope], state: AnnouncementState) -> list[Announcement]:
    """What was written for areas in scope, the newest first."""
    query = _loaded().where(_within(scopes), Announcement.state == state)
    return list(db.session.scalars(query.order_by(Announcement.id.desc()).limit(SHOWN)))


def announcement_in(scopes: Collection[Scope], announcement_id: int) -> Announcement:
    found = db.session.scalar(_loaded().where(_within(scopes), Announcement.id == announcement_id))
    if found is None:
        raise Missing
    return found


def write(scopes: Collection[Scope], words: Words, *, by: Actor, key: str = "") -> Announcement:
    """A draft; nobody reads it before it is published. The same key again is the same draft."""
    earlier = tokens.same_request(by.public_id, "announcements.written", key, repr(words))
    if earlier is not None:
        return announcement_in(scopes, int(earlier))
    announcement = Announcement(written_at=now(), written_by=by.public_id, written_by_name=by.name)
    _say(announcement, scopes, words)
    db.session.add(announcement)
    db.session.flush()
    audit.record("announcements.written", announcement, name=words.title)
    tokens.remember_request(by.public_id, "announcements.written", key, repr(words), str(announcement.id))
    return announcement


def change(announcement: Announcement, scopes: Collection[Scope], words: Words) -> None:
    _refuse_published(announcement)
    _say(announcement, scopes, words)
    db.session.flush()
    audit.record("announcements.changed", announcement, name=words.title)


def _refuse_published(announcement: Announcement) -> None:
    if announcement.state is not AnnouncementState.DRAFT:
        raise Refused(_("公告已经发布，不能再改。请撤回后另写一份。"))


def _say(announcement: Announcement, scopes: Collection[Scope], words: Words) -> None:
    area = next((area for area in areas_in(scopes) if area.code == words.area), None)
    if area is None:
        raise Missing
    if words.until_at <= words.from_at:
        raise Refused(_("结束时间要晚于开始时间。"), field="until_at")
    announcement.area_id, announcement.title, announcement.body = area.id, words.title, words.body
    announcement.from_at, announcement.until_at = words.from_at, words.until_at
    announcement.is_urgent = words.is_urgent
    standing = {tag.kind: tag for tag in announcement.tags}
    announcement.tags = [standing.get(kind) or AnnouncementTag(kind=kind) for kind in dict.fromkeys(words.tags)]


def publish(announcement: Announcement) -> None:
    """Show it to whom it is meant for. Nothing is written for each of them: they are matched when they read."""
    _refuse_published(announcement)
    if announcement.until_at <= now():
        raise Refused(_("结束时间已经过去，请先改时间再发布。"))
    announcement.move(AnnouncementState.PUBLISHED)
    announcement.published_at = now()
    audit.record("announcements.published", announcement, name=announcement.title, count=meant(announcement))


def withdraw(announcement: Announcement, reason: str) -> None:
    if announcement.state is not AnnouncementState.PUBLISHED:
        raise Refused(_("只有已发布的公告可以撤回。"))
    announcement.move(AnnouncementState.WITHDRAWN)
    announcement.withdrawn_at, announcement.withdrawn_reason = now(), reason
    audit.record("announcements.withdrawn", announcement, reason=reason, name=announcement.title)


def drop(announcement: Announcement) -> None:
    """Throw a draft away."""
    _refuse_published(announcement)
    audit.record("announcements.dropped", announcement, name=announcement.title)
    db.session.delete(announcement)


def meant_for(announcement: Announcement) -> list[sa.ColumnElement[bool]]:
    """The conditions that a person is meant: in the area, on the register, with one of the tags if there are any."""
    kinds = [tag.kind for tag in announcement.tags]
    conditions = [
        _inside(announcement.area),
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
    ]
    if kinds:
        conditions.append(Person.id.in_(_tagged().where(PersonTag.kind.in_(kinds))))
    return conditions


def _inside(area: Area) -> sa.ColumnElement[bool]:
    match area.kind:
        case AreaKind.GRID:
            return Person.grid_id == area.id
        case AreaKind.COMMUNITY:
            return Person.community_id == area.id
        case AreaKind.STREET:
            return Person.community_id.in_(sa.select(Area.id).where(Area.parent_id == area.id))


def _tagged() -> sa.Select[int]:
    """Who holds a tag today."""
    still = sa.or_(PersonTag.until.is_(None), PersonTag.until >= today())
    return sa.select(PersonTag.person_id).where(PersonTag.since <= today(), still)


def meant(announcement: Announcement) -> int:
    query = sa.select(sa.func.count()).select_from(Person).where(*meant_for(announcement))
    return db.session.scalar(query) or 0


def counts(announcement: Announcement) -> Counts:
    """Numbers only: who has not read it stays unnamed. One question for the people, one for the reads."""
    conditions = meant_for(announcement)
    has_account = sa.exists().where(Claim.person_id == Person.id, Claim.state == ClaimState.CONFIRMED)
    has_read = sa.exists().where(
        AnnouncementRead.person_id == Person.id, AnnouncementRead.announcement_id == announcement.id
    )
    grid = sa.orm.aliased(Area)
    query = (
        sa.select(
            grid.name,
            sa.func.count(),
            sa.func.count(sa.case((has_account, 1))),
            sa.func.count(sa.case((has_read, 1))),
        )
        .select_from(Person)
        .outerjoin(grid, Person.grid_id == grid.id)
        .where(*conditions)
        .group_by(grid.id, grid.name, grid.code)
        .order_by(grid.code.is_(None), grid.code)
    )
    rows = list(db.session.execute(query))
    return Counts(
        meant=sum(row[1] for row in rows),
        with_account=sum(row[2] for row in rows),
        read=sum(row[3] for row in rows),
        by_grid=[(row[0] or "", row[1], row[3]) for row in rows],
    )


def read_counts(found: Sequence[Announcement]) -> dict[int, int]:
    """How many have read each of some announcements."""
    query = (
        sa.select(AnnouncementRead.announcement_id, sa.func.count())
        .where(AnnouncementRead.announcement_id.in_([one.id for one in found]))
        .group_by(AnnouncementRead.announcement_id)
        .order_by(AnnouncementRead.announcement_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _shown_now() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Announcement.state == AnnouncementState.PUBLISHED,
        Announcement.from_at <= now(),
        Announcement.until_at > now(),
    )


def _newest() -> tuple[sa.UnaryExpression[Any], ...]:
    return (Announcement.is_urgent.desc(), Announcement.published_at.desc(), Announcement.id.desc())


def _for(person: Person) -> sa.Select[Announcement]:
    """What is shown now and meant for somebody, matched by her area and the tags she holds today."""
    street = sa.select(Area.parent_id).where(Area.id == person.community_id)
    area = sa.or_(
        Announcement.area_id.in_([person.community_id, person.grid_id or 0]), Announcement.area_id.in_(street)
    )
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    holds = sa.exists().where(
        AnnouncementTag.announcement_id == Announcement.id,
        AnnouncementTag.kind.in_(sorted(person.tag_kinds(today()))),
    )
    return _loaded().where(*_shown_now(), area, sa.or_(~any_tag, holds))


def for_person(person: Person, limit: int = SHOWN) -> list[Reading]:
    """What is shown now and meant for somebody: urgent first, then the newest."""
    found = list(db.session.scalars(_for(person).order_by(*_newest()).limit(limit)))
    query = sa.select(AnnouncementRead.announcement_id).where(
        AnnouncementRead.person_id == person.id,
        AnnouncementRead.announcement_id.in_([one.id for one in found]),
    )
    read = set(db.session.scalars(query))
    return [Reading(one, one.id in read) for one in found]


def newest(person: Person | None, limit: int) -> list[Reading]:
    """What a first page shows: her own, or what is for everybody, which counts as read by nobody."""
    if person is not None:
        return for_person(person, limit)
    return [Reading(one, is_read=True) for one in public(limit=limit)]


def public(code: str = "", limit: int = SHOWN) -> list[Announcement]:
    """What everybody may read: shown now, for a whole area, without tags; of one community and its street if asked."""
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    query = _loaded().where(*_shown_now(), ~any_tag)
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


def readable(announcement_id: int, person: Person | None) -> Announcement:
    """One that everybody may read, or that is meant for this person; anything else does not exist."""
    any_tag = sa.exists().where(AnnouncementTag.announcement_id == Announcement.id)
    open_to_all = _loaded().where(*_shown_now(), ~any_tag, Announcement.id == announcement_id)
    found = db.session.scalar(open_to_all)
    if found is None and person is not None:
        found = db.session.scalar(_for(person).where(Announcement.id == announcement_id))
    if found is None:
        raise Missing
    return found


def mark_read(announcement: Announcement, person: Person) -> None:
    """Once a person, however often it is opened; a reader it is not meant for is not counted."""
    if db.session.scalar(_for(person).where(Announcement.id == announcement.id)) is None:
        return
    where = (AnnouncementRead.announcement_id == announcement.id, AnnouncementRead.person_id == person.id)
    if db.session.scalar(sa.select(AnnouncementRead.id).where(*where)) is not None:
        return
    try:
        with unique_or(Refused(_("已经看过了。"))):
            db.session.add(AnnouncementRead(announcement_id=announcement.id, person_id=person.id, at=now()))
    except Refused:
        # The other device was first: read is read.
        return


def is_read(announcement: Announcement, person: Person) -> bool:
    where = (AnnouncementRead.announcement_id == announcement.id, AnnouncementRead.person_id == person.id)
    return db.session.scalar(sa.select(AnnouncementRead.id).where(*where)) is not None


def export(person: Person) -> list[dict[str, str]]:
    """What she has read and when, for the copy of her data that a person takes."""
    query = (
        sa.select(Announcement.title, AnnouncementRead.at)
        .join(AnnouncementRead, AnnouncementRead.announcement_id == Announcement.id)
        .where(AnnouncementRead.person_id == person.id)
        .order_by(AnnouncementRead.at, AnnouncementRead.id)
    )
    return [{_("公告"): title, _("看的时间"): f"{local(at):%Y-%m-%d %H:%M}"} for title, at in db.session.execute(query)]


def purge(before: datetime) -> int:
    """Forget announcements that ended before a moment, with their reads; return how many went."""
    old = list(
        db.session.scalars(sa.select(Announcement).where(Announcement.until_at < before).order_by(Announcement.id))
    )
    ids = [announcement.id for announcement in old]
    db.session.execute(sa.delete(AnnouncementRead).where(AnnouncementRead.announcement_id.in_(ids)))
    for announcement in old:
        db.session.delete(announcement)
    db.session.flush()
    return len(old)
