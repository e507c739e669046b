"""Notices about activities and shifts to those who are on what is still to come."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import outbox
from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Shift
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup

# Who was marked present, done or missed has been there already.
COMING = (SignupState.REQUESTED, SignupState.JOINED)
# What somebody agreed to when she joined: a change of it is told.
AGREED = ("content", "place", "risks", "insurance", "insured_until", "conditions", "leader_name", "leader_phone")


def _words() -> dict[str, str]:
    return {
        "content": _("服务内容"),
        "place": _("集合地点"),
        "risks": _("可能的风险"),
        "insurance": _("保险"),
        "insured_until": _("保险"),
        "conditions": _("条件和保障"),
        "leader_name": _("负责人"),
        "leader_phone": _("负责人"),
    }


def _on(condition: sa.ColumnElement[bool]) -> list[Person]:
    """Those who are on the coming shifts of which a condition is true, each once."""
    on = (
        sa.select(Volunteer.person_id)
        .join(Signup, Signup.volunteer_id == Volunteer.id)
        .join(Shift, Signup.shift_id == Shift.id)
        .where(condition, Signup.state.in_(COMING), Shift.ends_at > now())
    )
    query = sa.select(Person).where(Person.id.in_(on)).order_by(Person.id)
    return list(db.session.scalars(query))


def tell_shift(shift: Shift) -> None:
    """Those on a shift hear of its new time, place or words."""
    for person in _on(Shift.id == shift.id):
        outbox.enqueue(
            "volunteers.shift_changed",
            to=person.ref,
            person=person.name,
            activity=shift.activity.title,
            place=shift.place or shift.activity.place,
            note=shift.note,
            starts=shift.starts_at.isoformat(),
            ends=shift.ends_at.isoformat(),
        )


def tell_activity(activity: Activity, fields: list[str]) -> int:
    """Those on its coming shifts hear what of it changed that they had agreed to; return how many."""
    words = _words()
    changed = list(dict.fromkeys(words[name] for name in AGREED if name in fields))
    people = _on(Shift.activity_id == activity.id) if changed else []
    for person in people:
        outbox.enqueue(
            "volunteers.activity_changed",
            to=person.ref,
            person=person.name,
            activity=activity.title,
            changed=changed,
            place=activity.place,
        )
    return len(people)
