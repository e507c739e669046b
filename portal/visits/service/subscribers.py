"""What the register tells: somebody died, moved, or is another's alias; the list follows at once, and never refuses."""

from portal.core.clock import today
from portal.registry.models import Person, PersonState
from portal.visits.models import CheckOutcome, VisitKind
from portal.visits.service import checks, listing, planning, wishes


def on_person_died(*, person: Person, **_facts: object) -> None:
    """Off the list from the day on; nobody goes there any more."""
    subject = listing.refresh_person(person)
    if subject is not None:
        planning.cancel_open(subject, "dead")
    checks.withdraw(person, CheckOutcome.DEAD)


def on_person_moved(*, person: Person, **_facts: object) -> None:
    """Away from here nobody visits; inside the street the new grid's worker does; who is back is visited again."""
    subject = listing.refresh_person(person)
    if person.state is not PersonState.PRESENT:
        checks.withdraw(person, CheckOutcome.DEAD if person.state is PersonState.DEAD else CheckOutcome.OTHER)
    if subject is None:
        return
    if person.state is not PersonState.PRESENT:
        planning.cancel_open(subject, "moved")
        return
    if not wishes.is_paused(subject, today()):
        planning.restore(subject, *planning.GONE)
    planning.hand_to_worker(subject)


def on_person_merged(*, kept: Person, merged: Person, **_facts: object) -> None:
    """The alias leaves the list; its open routine goes, what was promised or found stays where it was written."""
    subject = listing.refresh_person(merged)
    if subject is not None:
        planning.cancel_open(subject, "merged", VisitKind.ROUTINE, VisitKind.ROUND, VisitKind.SOON)
        wishes.carry_over(subject, kept)
    listing.refresh_person(kept)
