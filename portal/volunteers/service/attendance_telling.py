"""Notices about attendance, written in the transaction that made them true."""

from portal.core import outbox
from portal.volunteers.models.signups import Signup


def tell(event: str, signup: Signup, *, reason: str = "", words: str = "", by: str = "") -> None:
    """Tell a volunteer what was noted about her on a shift."""
    person, shift = signup.volunteer.person, signup.shift
    outbox.enqueue(
        event,
        to=person.ref,
        person=person.name,
        activity=shift.activity.title,
        place=shift.place or shift.activity.place,
        starts=shift.starts_at.isoformat(),
        ends=shift.ends_at.isoformat(),
        reason=reason,
        words=words,
        by=by,
    )
