"""A number to call: shown one at a time, each with its trace."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core import reasons
from portal.core.access import Actor
from portal.registry.models import Person
from portal.registry.service import contacts, records
from portal.registry.service.records import SealedField
from portal.visits.service import visiting

CALLED_PERSON = reasons.declare("visits.called_person", label=lambda: _("探访联系本人"))
CALLED_CONTACT = reasons.declare("visits.called_contact", label=lambda: _("探访联系紧急联系人"))


@dataclass(frozen=True)
class Number:
    """Whose number it is, in words, and the number."""

    whose: str
    digits: str


def number_of(person: Person, contact_id: int, *, by: Actor) -> Number:
    """The person's own number, or an emergency contact's; Missing when there is none."""
    if not contact_id:
        digits = records.reveal(person, SealedField.PHONE, reason=CALLED_PERSON, by=by)
        return Number(person.name, digits)
    contact = visiting.contact_in(person, contact_id)
    digits = contacts.reveal(person, contact, reason=CALLED_CONTACT, by=by)
    return Number(_("%(name)s（%(relation)s）", name=contact.name, relation=contact.relation), digits)
