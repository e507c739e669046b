"""Announcements: written for an area and tags, matched when they are read, and counted by their reads alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, AreaKind
from portal.core import audit, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.notifications.models import (
    Announcement,
    AnnouncementRead,
    AnnouncementState,
    AnnouncementTag,
)
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent, Person, PersonState, PersonTag, TagKind

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
class Counts:
    """How far an announcement came: people meant, those with an account or an agent, those who read; by grid.

    `for_relatives`: family agents who read it for somebody meant, and are not meant themselves.
    """

    meant: int
    with_account: int
    read: int
    for_relatives: int = 0
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


def loaded() -> sa.Select[Announcement]:
    return sa.select(Announcement).options(joinedload(Announcement.area), selectinload(Announcement.tags))


def announcements_in(scopes: Collection[Scope], state: AnnouncementState) -> list[Announcement]:
    """What was written for areas in scope, the newest first."""
    query = loaded().where(_within(scopes), Announcement.state == state)
    return list(db.session.scalars(query.order_by(Announcement.id.desc()).limit(SHOWN)))


def announcement_in(scopes: Collection[Scope], announcement_id: int) -> Announcement:
    found = db.session.scalar(loaded().where(_within(scopes), Announcement.id == announcement_id))
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
    agent = sa.exists().where(
        FamilyAgent.person_id == Person.id, FamilyAgent.state == AgentState.ACCEPTED, FamilyAgent.until >= today()
    )
    has_account = sa.or_(sa.exists().where(Claim.person_id == Person.id, Claim.state == ClaimState.CONFIRMED), agent)
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
    others = sa.select(sa.func.count()).where(
        AnnouncementRead.announcement_id == announcement.id, AnnouncementRead.person_id.is_(None)
    )
    return Counts(
        meant=sum(row[1] for row in rows),
        with_account=sum(row[2] for row in rows),
        read=sum(row[3] for row in rows),
        for_relatives=db.session.scalar(others) or 0,
        by_grid=[(row[0] or "", row[1], row[3]) for row in rows],
    )


def read_counts(found: Sequence[Announcement]) -> dict[int, int]:
    """How many of those meant have read each of some announcements."""
    query = (
        sa.select(AnnouncementRead.announcement_id, sa.func.count(sa.distinct(AnnouncementRead.person_id)))
        .where(AnnouncementRead.announcement_id.in_([one.id for one in found]))
        .group_by(AnnouncementRead.announcement_id)
        .order_by(AnnouncementRead.announcement_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def export(person: Person) -> list[dict[str, str]]:
    """What she has read and when, for the copy of her data that a person takes."""
    hers = sa.select(Claim.account_id).where(Claim.person_id == person.id, Claim.state == ClaimState.CONFIRMED)
    query = (
        sa.select(Announcement.title, AnnouncementRead.at)
        .join(AnnouncementRead, AnnouncementRead.announcement_id == Announcement.id)
        .where(sa.or_(AnnouncementRead.person_id == person.id, AnnouncementRead.account_id.in_(hers)))
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
