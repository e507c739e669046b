"""Notices about signups, lines, swaps and invitations, written in the transaction that made them true."""

from typing import Any

from portal.core import outbox
from portal.core.outbox import Recipient
from portal.volunteers.models.activities import Activity, Post
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup


def leader_of(activity: Activity) -> Recipient | None:
    """The leader on the spot, else the leader of the team, where there is one to be told; else workers look."""
    if activity.leader is not None:
        return activity.leader.person.ref
    if activity.team is not None and activity.team.leader is not None:
        return activity.team.leader.ref
    return None


def tell(event: str, volunteer: Volunteer, post: Post, *, to: Recipient | None = None, **more: Any) -> None:
    """Tell a volunteer (or `to`) something about a post: `volunteers.<event>` has its words in a template."""
    shift, activity = post.shift, post.shift.activity
    outbox.enqueue(
        f"volunteers.{event}",
        to=to or volunteer.person.ref,
        person=volunteer.person.name,
        activity=activity.title,
        position=post.position.name,
        place=shift.place or activity.place,
        starts=shift.starts_at.isoformat(),
        ends=shift.ends_at.isoformat(),
        **more,
    )


def tell_signup(event: str, signup: Signup, **more: Any) -> None:
    tell(event, signup.volunteer, signup.post, **more)
