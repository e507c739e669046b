"""What the register tells of people that changes who is a volunteer."""

from flask_babel import gettext as _

from portal.core import audit, reasons
from portal.core.clock import now
from portal.registry.models import Person
from portal.volunteers.models.codes import VolunteerState
from portal.volunteers.service import moving, people, registering

MERGED = reasons.declare("volunteers.merged", label=lambda: _("与另一条登记合并"))
DIED = reasons.declare("volunteers.died", label=lambda: _("登记为已去世"))


class _Portal:
    """The portal itself, in whose name a place ahead is given up."""

    public_id = ""
    name = ""


def on_person_died(*, person: Person, **_facts: object) -> None:
    """She is on no shift any more, and nobody writes to her; what she gave stays recorded."""
    found = people.volunteer_of(person)
    if found is None or found.state in registering.AGAIN:
        return
    found.state, found.state_at, found.state_reason, found.feed_key = VolunteerState.LEFT, now(), DIED, None
    moving.clear_ahead(found, by=_Portal(), reason=reasons.said(DIED), own=False)
    audit.record("volunteers.left", found, reason=DIED)


def on_person_merged(*, kept: Person, merged: Person, **_facts: object) -> None:
    """One person was registered twice as a volunteer: the livelier row goes on, the other takes no shift any more."""
    found = people.rows_of(kept)
    for other in found[1:]:
        if other.state not in registering.AGAIN:
            moving.clear_ahead(other, by=_Portal(), reason=_("同一个人登记了两次，已合并"), own=False)
            other.state, other.state_at, other.state_reason = VolunteerState.LEFT, now(), MERGED
            audit.record("volunteers.left", other, reason=MERGED, into=found[0].public_id, person=merged.public_id)
