"""Minors whose guardian comes along: where she is no longer on the shift, they are not left there alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.core import reasons
from portal.core.clock import local
from portal.core.db import db
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, SignupState
from portal.volunteers.models.people import GuardianConsent, Volunteer
from portal.volunteers.models.signups import Signup

ALONE = reasons.declare("volunteers.guardian_gone", label=lambda: _("陪同的监护人不参加了"))


def left_alone(signup: Signup) -> Sequence[Signup]:
    """Who had a place on the shift only because this guardian was there too; she is off it already."""
    yes, other, beside = aliased(GuardianConsent), aliased(Volunteer), aliased(Signup)
    on_it = sa.and_(beside.shift_id == signup.shift_id, beside.state.in_(HOLDS), beside.volunteer_id == other.id)
    # Another yes by which she may be there: no need to be accompanied, or by somebody who is here, or not registered.
    enough = sa.exists().where(
        yes.volunteer_id == Signup.volunteer_id,
        yes.withdrawn_at.is_(None),
        sa.or_(
            yes.comes_along.is_(False),
            yes.guardian_id.is_(None),
            sa.exists().where(other.person_id == yes.guardian_id, on_it),
        ),
    )
    query = (
        sa.select(Signup)
        .join(GuardianConsent, GuardianConsent.volunteer_id == Signup.volunteer_id)
        .where(
            GuardianConsent.guardian_id == signup.volunteer.person_id,
            GuardianConsent.comes_along,
            GuardianConsent.withdrawn_at.is_(None),
            Signup.shift_id == signup.shift_id,
            Signup.state.in_((SignupState.REQUESTED, SignupState.JOINED)),
            ~enough,
        )
        .options(
            joinedload(Signup.post).joinedload(Post.position),
            joinedload(Signup.shift).joinedload(Shift.activity),
            joinedload(Signup.volunteer).joinedload(Volunteer.person),
        )
        .order_by(Signup.id)
        .distinct()
    )
    day = local(signup.starts_at).date()
    return [one for one in db.session.scalars(query).all() if (one.volunteer.person.age(day) or 0) < 18]
