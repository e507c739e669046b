"""Restricted tags (need to know): seen on one page, by named roles, and every look is on the record."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, PersonState, RestrictedKind, RestrictedTag
from portal.registry.service import lines, records
from portal.registry.service.finding import inside
from portal.registry.service.lines import Line

PAGE = 50


@dataclass(frozen=True)
class Carriers:
    """A page of the people who carry a tag of one kind; `after` is where the next begins, "" on the last."""

    lines: list[Line]
    after: str
    count: int


def carriers(
    kind: RestrictedKind, within: Collection[Scope], *, reason: str, by: Actor, names: bool = False, after: str = ""
) -> Carriers:
    """Who in scope carries a tag of this kind today, by the sound of names, behind a reason.

    Each page leaves a trace: the kind, how many it showed and whether names stood in full, never whose.
    """
    _refuse_silent(reason)
    keys = _keys(kind, within)
    start = bisect_right(keys, _cursor(after)) if after else 0
    shown, more = keys[start : start + PAGE], len(keys) > start + PAGE
    found = lines.lines_of([person for _pinyin, person in shown])
    audit.record("registry.restricted_listed", reason=reason.strip(), tag=kind.value, count=len(found), plain=names)
    db.session.flush()
    records.raise_alarm(by)
    return Carriers(found, found[-1].public_id if more and found else "", len(keys))


def _keys(kind: RestrictedKind, within: Collection[Scope]) -> Sequence[tuple[str, int]]:
    """The keys of the order. A kind is sealed in its row, so the few tags in scope are opened to tell them apart."""
    day = today()
    query = (
        sa.select(Person.pinyin, Person.id, RestrictedTag.kind)
        .join(Person, RestrictedTag.person_id == Person.id)
        .where(inside(within).holds(), Person.merged_into_id.is_(None), Person.state != PersonState.DEAD)
        .where(RestrictedTag.since <= day, sa.or_(RestrictedTag.until.is_(None), RestrictedTag.until >= day))
        .order_by(RestrictedTag.id)
    )
    return sorted({(pinyin, person) for pinyin, person, sealed in db.session.execute(query) if sealed == kind.value})


def _cursor(after: str) -> tuple[str, int]:
    row = db.session.execute(sa.select(Person.pinyin, Person.id).where(Person.public_id == after)).one_or_none()
    return (row[0], row[1]) if row else ("", 0)


def look(person: Person, *, reason: str, by: Actor) -> list[RestrictedTag]:
    """The tags, with a trace that names who looked and why; the newest first."""
    _refuse_silent(reason)
    audit.record("registry.restricted_opened", person, reason=reason.strip())
    db.session.flush()
    records.raise_alarm(by)
    query = sa.select(RestrictedTag).where(RestrictedTag.person_id == person.id)
    return list(db.session.scalars(query.order_by(RestrictedTag.since.desc(), RestrictedTag.id.desc())))


def tag_of(person: Person, public_id: str) -> RestrictedTag:
    query = sa.select(RestrictedTag).where(RestrictedTag.public_id == public_id)
    found = db.session.scalar(query.where(RestrictedTag.person_id == person.id))
    if found is None:
        raise Missing
    return found


def add(person: Person, kind: RestrictedKind, *, since: date, until: date | None, source: str, by: Actor) -> None:
    """Note one. The audit says that one was added, never which."""
    _refuse_wrong(since, until)
    made = RestrictedTag(person_id=person.id, kind=kind.value, since=since, until=until, source=source)
    made.noted_by = by.name
    db.session.add(made)
    db.session.flush()
    audit.record("registry.restricted_added", person, reason=source)


def end(person: Person, tag: RestrictedTag, *, until: date, reason: str) -> None:
    """It holds until a day."""
    _refuse_silent(reason)
    _refuse_wrong(tag.since, until)
    tag.until = until
    audit.record("registry.restricted_ended", person, reason=reason.strip())


def remove(person: Person, tag: RestrictedTag, *, reason: str) -> None:
    """It was never true."""
    _refuse_silent(reason)
    db.session.delete(tag)
    db.session.flush()
    audit.record("registry.restricted_removed", person, reason=reason.strip())


def _refuse_silent(reason: str) -> None:
    if len(reason.strip()) < 2:
        raise Refused(_("请写明原因，至少两个字。"), field="reason")


def _refuse_wrong(since: date, until: date | None) -> None:
    if since > today():
        raise Refused(_("请填今天或更早的日期。"), field="since")
    if until is not None and until < since:
        raise Refused(_("结束日期早于开始日期，请核对。"), field="until")
