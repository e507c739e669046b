"""Invitations: a worker or leader asks a volunteer for a post; she accepts, or declines and says why."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import InvitationState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Invitation, Signup
from portal.volunteers.service import fitness, joining
from portal.volunteers.service.signup_telling import leader_of, tell


def invite(post: Post, volunteer: Volunteer, *, by: joining.Who, answer_by: datetime, words: str = "") -> Invitation:
    """Ask somebody for a post until a moment, no later than its beginning; only who could be put on it is asked."""
    answer_by = min(answer_by, post.shift.starts_at)
    if answer_by <= now():
        raise Refused(_("答复的期限已经过了，请选晚一些的时间。"), field="answer_by")
    if post.capacity.left <= 0:
        raise Refused(_("这个岗位已经排满，有人调出或退出后才能再邀请。"))
    found = joining.verdict(post, volunteer, way=Way.INVITED)
    if not found.fits:
        raise joining.Unfit(found, volunteer.person.name)
    made = Invitation(post_id=post.id, volunteer_id=volunteer.id, answer_by=answer_by, asked_by_name=by.name)
    made.words = words
    with unique_or(Refused(_("%(name)s已经被邀请过这一班，正在等答复。", name=volunteer.person.name))):
        db.session.add(made)
    audit.record("volunteers.invited", made, on_behalf_of=volunteer.person.public_id, post=post.id)
    tell("invited", volunteer, post, by=by.name, until=answer_by.isoformat(), words=words)
    return made


def accept(invitation: Invitation, *, by: joining.Who) -> Signup:
    """Her yes, with the risks and the insurance read: the place is hers if one is left."""
    joining.hold([invitation.volunteer], invitation.post.shift)
    if invitation.answer_by <= now():
        raise Refused(_("答复的期限已经过了。还想参加的话，请到活动页面报名。"))
    _end(invitation, InvitationState.ACCEPTED)
    signup = joining.put_on(invitation.post, invitation.volunteer, way=Way.INVITED, by=by, agreed_at=now())
    audit.record("volunteers.invitation_accepted", invitation, on_behalf_of=invitation.volunteer.person.public_id)
    return signup


def decline(invitation: Invitation, *, reason: str) -> None:
    _end(invitation, InvitationState.DECLINED, reason=reason)
    audit.record("volunteers.invitation_declined", invitation, on_behalf_of=invitation.volunteer.person.public_id)
    leader = leader_of(invitation.post.shift.activity)
    if leader is not None:
        who = invitation.volunteer.person.name
        tell("invitation_declined", invitation.volunteer, invitation.post, to=leader, who=who, reason=reason)


def withdraw(invitation: Invitation, *, by: joining.Who) -> None:
    """The worker or leader found somebody else."""
    _end(invitation, InvitationState.WITHDRAWN)
    audit.record("volunteers.invitation_withdrawn", invitation, by=by.public_id)
    tell("invitation_withdrawn", invitation.volunteer, invitation.post, by=by.name)


def _end(invitation: Invitation, state: InvitationState, **values: Any) -> None:
    where = sa.and_(Invitation.id == invitation.id, Invitation.state == InvitationState.ASKED)
    changed = guarded(sa.update(Invitation).where(where).values(state=state, ended_at=now(), **values))
    db.session.refresh(invitation)
    if not changed:
        raise Refused(_("这份邀请已经答复过或收回了，请刷新看看。"))


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    post = joinedload(Invitation.post)
    return (
        post.joinedload(Post.shift).joinedload(Shift.activity),
        post.joinedload(Post.position),
        post.joinedload(Post.capacity),
        joinedload(Invitation.volunteer).joinedload(Volunteer.person),
    )


def open_of(volunteers: Collection[Volunteer]) -> list[Invitation]:
    """What some volunteers are asked for and may still answer, the soonest first."""
    query = sa.select(Invitation).where(
        Invitation.volunteer_id.in_([one.id for one in volunteers]),
        Invitation.state == InvitationState.ASKED,
        Invitation.answer_by > now(),
    )
    return list(db.session.scalars(query.options(*whole()).order_by(Invitation.answer_by, Invitation.id)))


def invitation_for(volunteers: Collection[Volunteer], public_id: str) -> Invitation:
    query = sa.select(Invitation).where(
        Invitation.public_id == public_id, Invitation.volunteer_id.in_([one.id for one in volunteers])
    )
    found = db.session.scalar(query.options(*whole()))
    if found is None:
        raise Missing
    return found


def verdict_of(invitation: Invitation) -> fitness.Verdict:
    return joining.verdict(invitation.post, invitation.volunteer, way=Way.INVITED)


def due(at: datetime) -> list[int]:
    query = sa.select(Invitation.id).where(Invitation.state == InvitationState.ASKED, Invitation.answer_by <= at)
    return list(db.session.scalars(query.order_by(Invitation.id).limit(500)))


def lapse(invitation_id: int) -> None:
    where = sa.and_(Invitation.id == invitation_id, Invitation.state == InvitationState.ASKED)
    if guarded(sa.update(Invitation).where(where).values(state=InvitationState.LAPSED, ended_at=now())):
        audit.record("volunteers.invitation_lapsed", db.session.get_one(Invitation, invitation_id))
