"""A guardian's side of a volunteer under 18: agree, decline, withdraw; in her account or on paper."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core import audit, outbox, reasons
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.registry.service import consents
from portal.registry.service import people as register
from portal.volunteers.models.codes import ConsentWay, VolunteerState
from portal.volunteers.models.people import GuardianConsent, Volunteer
from portal.volunteers.service import people, registering
from portal.volunteers.service.registering import Consent

DECLINED = reasons.declare("volunteers.guardian_declined", label=lambda: _("监护人没有同意"))
WITHDRAWN = reasons.declare("volunteers.guardian_withdrew", label=lambda: _("监护人撤回了同意"))


@dataclass(frozen=True)
class Ward:
    """A child as the guardian sees it: a volunteer or not yet, with the consent that stands."""

    person: Person
    volunteer: Volunteer | None
    consent: GuardianConsent | None

    @property
    def can_register(self) -> bool:
        age = self.person.age(today())
        gone = self.volunteer is None or self.volunteer.state in registering.AGAIN
        return gone and age is not None and age >= people.LEAST_AGE


def wards(actor: Actor) -> list[Ward]:
    """The children of whom the register names this account's person the guardian."""
    me = register.person_of_or_none(actor)
    return [_ward(child) for child in consents.wards(me)] if me else []


def _ward(child: Person) -> Ward:
    found = people.volunteer_of(child)
    return Ward(child, found, people.consents_of([found.id]).get(found.id) if found else None)


def ward(actor: Actor, public_id: str) -> Ward:
    """One of them; Missing when the register does not name this account's person the child's guardian."""
    found = next((one for one in wards(actor) if one.person.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def spoken(actor: Actor, *, comes_along: bool = False) -> Consent:
    """The yes that a guardian gives in her own account."""
    me = register.person_of(actor)
    return Consent(me.name, ConsentWay.ACCOUNT, comes_along=comes_along, guardian=me)


def agree(ward: Ward, *, by: Actor, comes_along: bool) -> None:
    if ward.volunteer is None or ward.volunteer.state in registering.AGAIN:
        raise Refused(_("孩子还没有登记为志愿者，请先登记。"))
    if ward.consent is not None:
        raise Refused(_("您已经同意过了。"))
    registering.keep_consent(ward.volunteer, spoken(by, comes_along=comes_along), by=by)
    outbox.enqueue("volunteers.guardian_agreed", to=ward.person.ref, person=ward.person.name)


def decline(ward: Ward, *, by: Actor) -> None:
    """The child's application ends with it."""
    found = ward.volunteer
    if found is None or found.state is not VolunteerState.APPLIED or ward.consent is not None:
        raise Refused(_("没有等您答复的登记。已经同意过的，可以撤回同意。"))
    found.state, found.state_at, found.state_reason = VolunteerState.REFUSED, now(), DECLINED
    audit.record("volunteers.guardian_declined", found, by=by.name)
    outbox.enqueue("volunteers.guardian_declined", to=ward.person.ref, person=ward.person.name)


def withdraw(volunteer: Volunteer, consent: GuardianConsent | None, *, by: Actor) -> None:
    """From now on the child is on no shift; those ahead are given up by who withdraws (see moving.clear_ahead)."""
    if consent is None:
        raise Refused(_("没有可以撤回的同意。"))
    registering.end_consents(volunteer)
    audit.record("volunteers.guardian_withdrew", volunteer, by=by.name)
    outbox.enqueue("volunteers.guardian_withdrew", to=volunteer.person.ref, person=volunteer.person.name)


def on_paper(volunteer: Volunteer, consent: Consent, *, by: Actor) -> None:
    """A worker saw the signed paper of somebody under age."""
    if not people.is_minor(volunteer, today()):
        raise Refused(_("已满 18 周岁，不用监护人同意。"))
    if people.consents_of([volunteer.id]):
        raise Refused(_("已经有监护人的同意书了。换监护人请先撤回原来的。"))
    registering.keep_consent(volunteer, consent, by=by)
