"""Emergency contacts: whom to call, in which order; a telephone is masked until somebody says why."""

from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.masking import mask_phone
from portal.registry.models import EmergencyContact, Person, Source
from portal.registry.service import changes, records
from portal.registry.service.tags import hold

MOST = 5


def told(contact: EmergencyContact) -> str:
    """A contact in one line with the telephone masked, as the history keeps it."""
    return f"{contact.relation} {contact.name} {mask_phone(contact.phone)}"


def contact_of(person: Person, contact_id: int) -> EmergencyContact:
    found = next((contact for contact in person.contacts if contact.id == contact_id), None)
    if found is None:
        raise Missing
    return found


def add(person: Person, *, name: str, relation: str, phone: str) -> EmergencyContact:
    """The last in the order; at most five, and never one telephone twice."""
    hold(person)
    if len(person.contacts) >= MOST:
        raise Refused(_("最多登记 %(most)d 位紧急联系人，请先移除不用的。", most=MOST))
    _refuse_twice(person, phone, None)
    made = EmergencyContact(name=name, relation=relation, phone=phone, rank=len(person.contacts) + 1)
    person.contacts.append(made)
    db.session.flush()
    changes.note(person, {"contacts": [None, told(made)]}, Source.WORKER)
    audit.record("registry.contact_added", person)
    return made


def mend(person: Person, contact: EmergencyContact, *, name: str, relation: str, phone: str) -> None:
    """An empty telephone leaves the one that stands."""
    hold(person)
    if phone:
        _refuse_twice(person, phone, contact)
    before = told(contact)
    contact.name, contact.relation, contact.phone = name, relation, phone or contact.phone
    if told(contact) != before:
        changes.note(person, {"contacts": [before, told(contact)]}, Source.WORKER)
        audit.record("registry.contact_changed", person)


def raise_up(person: Person, contact: EmergencyContact) -> None:
    """Call this one before the one above."""
    hold(person)
    order = list(person.contacts)
    place = order.index(contact)
    if place == 0:
        return
    order[place - 1], order[place] = order[place], order[place - 1]
    for rank, one in enumerate(order, start=1):
        one.rank = rank
    names = _("、").join(one.name for one in order)
    changes.note(person, {"contacts": [None, _("顺序：%(names)s", names=names)]}, Source.WORKER)
    audit.record("registry.contact_changed", person)
    db.session.flush()
    db.session.expire(person, ["contacts"])


def remove(person: Person, contact: EmergencyContact) -> None:
    hold(person)
    changes.note(person, {"contacts": [told(contact), None]}, Source.WORKER)
    audit.record("registry.contact_removed", person)
    person.contacts.remove(contact)
    for rank, one in enumerate(person.contacts, start=1):
        one.rank = rank
    db.session.flush()


def reveal(person: Person, contact: EmergencyContact, *, reason: str, by: Actor) -> str:
    """The telephone in plain, once, with a trace on the person's record."""
    records.leave_trace(person, "emergency_contact", reason=reason, by=by)
    return contact.phone


def _refuse_twice(person: Person, phone: str, but: EmergencyContact | None) -> None:
    if any(other.phone == phone for other in person.contacts if other is not but):
        raise Refused(_("这个电话已经登记为紧急联系人。"), field="phone")
