"""What the register tells: somebody died, moved, or is another's alias; the list follows at once, and never refuses."""

from portal.registry.models import Person, PersonState
from portal.visits.models import VisitKind
from portal.visits.service import listing, planning


def on_person_died(*, person: Person, **_facts: object) -> None:
    """Off the list from the day on; nobody goes there any more."""
    subject = listing.refresh_person(person)
    if subject is not None:
        planning.cancel_open(subject, "dead")


def on_person_moved(*, person: Person, **_facts: object) -> None:
    """Away from here nobody visits; inside the street the new grid's worker does."""
    subject = listing.refresh_person(person)
    if subject is not None and person.state is not PersonState.PRESENT:
        planning.cancel_open(subject, "moved")
    elif subject is not None:
        planning.hand_to_worker(subject)


def on_person_merged(*, kept: Person, merged: Person, **_facts: object) -> None:
    """The alias leaves the list; its open routine goes, what was promised or found stays where it was written."""
    subject = listing.refresh_person(merged)
    if subject is not None:
        planning.cancel_open(subject, "merged", VisitKind.ROUTINE, VisitKind.ROUND, VisitKind.SOON)
    listing.refresh_person(kept)
