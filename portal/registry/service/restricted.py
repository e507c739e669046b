"""Restricted tags (need to know): seen on one page, by named roles, and every look is on the record."""

from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, RestrictedKind, RestrictedTag
from portal.registry.service import records


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
