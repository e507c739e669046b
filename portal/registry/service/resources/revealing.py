"""Showing a masked telephone or certificate number of a resource, with a reason, on the record."""

from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Certificate, Organisation, Staff
from portal.registry.service import records


def reveal(thing: Staff | Organisation | Certificate, *, reason: str, by: Actor) -> str:
    """The value in plain, which counts for the alarm; Missing where there is none."""
    if len(reason.strip()) < 2:
        raise Refused(_("请写明为什么要看，至少两个字。"), field="reason")
    match thing:
        case Staff():
            value, field = thing.phone, "phone"
        case Organisation():
            value, field = thing.contact_phone, "contact_phone"
        case Certificate():
            value, field = thing.number, "certificate_number"
    if not value:
        raise Missing
    audit.record("resources.revealed", thing, reason=reason.strip(), field=field)
    db.session.flush()
    records.raise_alarm(by)
    return value
