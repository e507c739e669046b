"""A person's record: what is masked and shown on asking, and who looked at it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, masking
from portal.core.access import Actor, Scope
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, Relation
from portal.registry.service import people

REVEALS_AN_HOUR = 50
EDITS = ("registry.person_edited", "registry.contact_added", "registry.contact_changed", "registry.contact_removed")
TAGGINGS = ("registry.tag_added", "registry.tag_changed", "registry.tag_ended", "registry.tag_removed")
LOOKS = ("registry.revealed", "registry.restricted_opened", *EDITS, *TAGGINGS)
# What shows values in plain, and so counts for the alarm.
COUNTED = (
    "registry.revealed",
    "registry.restricted_opened",
    "registry.restricted_listed",
    "home.copy_printed",
    "resources.revealed",
)


class SealedField(StrEnum):
    """What is masked until a worker says why it must be seen. Only the ID number asks for the password again."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    REGISTERED_ADDRESS = "registered_address"
    NOTE = "note"
    HEALTH = "health"


@dataclass(frozen=True)
class Look:
    """One line of 谁看过我的信息: who, as what, when, which field or act, and why."""

    at: datetime
    name: str
    role: str
    what: str
    reason: str


def field_words(field: SealedField) -> str:
    return {
        SealedField.ID_NUMBER: _("身份证号码"),
        SealedField.PHONE: _("联系电话"),
        SealedField.REGISTERED_ADDRESS: _("户籍地址"),
        SealedField.NOTE: _("备注"),
        SealedField.HEALTH: _("健康情况"),
    }[field]


def masked(person: Person, field: SealedField) -> str:
    """How the value stands on a page: enough of a number to tell it from another, nothing of a text."""
    value = getattr(person, field.value)
    if not value:
        return ""
    if field is SealedField.ID_NUMBER:
        return masking.mask_id(value)
    return masking.mask_phone(value) if field is SealedField.PHONE else _("已登记，未显示")


def record_search(q: str, found: int) -> None:
    """A search leaves its kind and its count behind, never its words."""
    audit.record("registry.searched", kind=people.kind_of_query(q), count=found)


def reveal(person: Person, field: SealedField, *, reason: str, by: Actor) -> str:
    """The value in plain, once, with a trace; more than 50 in an hour by one worker raises an alarm row."""
    value = getattr(person, field.value)
    if not value:
        raise Missing
    leave_trace(person, field.value, reason=reason, by=by)
    return str(value)


def leave_trace(person: Person, field: str, *, reason: str, by: Actor) -> None:
    """Record that somebody is shown a masked value of a person, and why."""
    if len(reason.strip()) < 2:
        raise Refused(_("请写明为什么要看，至少两个字。"), field="reason")
    audit.record("registry.revealed", person, reason=reason.strip(), field=field)
    db.session.flush()
    raise_alarm(by)


def raise_alarm(by: Actor) -> None:
    """One row where a worker was shown more than 50 values or copies within an hour."""
    lately = sa.select(sa.func.count()).where(AuditRow.actor == by.public_id, AuditRow.at > now() - timedelta(hours=1))
    shown = db.session.scalar(lately.where(AuditRow.action.in_(COUNTED))) or 0
    alarmed = db.session.scalar(lately.where(AuditRow.action == "registry.reveal_alarm"))
    if shown > REVEALS_AN_HOUR and not alarmed:
        audit.record("registry.reveal_alarm", count=shown)


def household_of(person: Person, within: Collection[Scope]) -> list[Person]:
    """The others of a household: the head first, then the oldest."""
    query = (
        sa.select(Person)
        .where(
            Person.household_id == person.household_id,
            Person.id != person.id,
            Person.merged_into_id.is_(None),
            people.within(within),
        )
        .order_by(sa.case((Person.relation == Relation.HEAD, 0), else_=1), Person.birth_date, Person.id)
    )
    return list(db.session.scalars(query)) if person.household_id else []
