"""A number to call: shown one at a time, each with its trace."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.registry.models import Person
from portal.registry.service import records
from portal.registry.service.records import SealedField
from portal.visits.service import visiting


@dataclass(frozen=True)
class Number:
    """Whose number it is, in words, and the number."""

    whose: str
    digits: str


def number_of(person: Person, contact_id: int, *, by: Actor) -> Number:
    """The person's own number, or an emergency contact's; Missing when there is none."""
    if not contact_id:
        digits = records.reveal(person, SealedField.PHONE, reason=_("探访联系本人"), by=by)
        return Number(person.name, digits)
    contact = visiting.contact_in(person, contact_id)
    audit.record("visits.contact_shown", person, reason=_("探访联系紧急联系人"))
    whose = _("%(name)s（%(relation)s）", name=contact.name, relation=contact.relation)
    return Number(whose, contact.phone)
