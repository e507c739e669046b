"""Somebody cancels late or does not come: who can come instead, asked with one tap."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.core.masking import mask_name
from portal.places import service as places
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import finding, fitness, inviting, joining, leaving, lines
from portal.volunteers.service.attendance import Line
from portal.volunteers.service.attendance import whole as signup_whole
from portal.volunteers.service.finding import Candidate

ANSWER_MINUTES = "volunteers.substitute_minutes"
settings.declare(
    ANSWER_MINUTES,
    default=60,
    label=lambda: _("临时请人顶班，等多久答复"),
    unit=lambda: _("分钟"),
    least=10,
    most=1440,
)
SHOWN = 8


@dataclass(frozen=True)
class Gap:
    """A post that lacks somebody: how many, who waits in its line, who could be asked, the fairest first."""

    post: Post
    lacks: int
    waiting: list[Volunteer]
    candidates: list[Candidate]


def gaps(shift: Shift, shown: Sequence[Line]) -> list[Gap]:
    """The posts of a shift that lack somebody: places that are free, and those of who did not come."""
    missed = Counter(line.signup.post_id for line in shown if line.signup.state is SignupState.NO_SHOW)
    query = sa.select(Post).where(Post.shift_id == shift.id).options(*fitness.whole()).order_by(Post.id)
    found = [(post, _lacks(post, missed[post.id])) for post in db.session.scalars(query)]
    short = [(post, lacks) for post, lacks in found if lacks > 0]
    if not short or shift.ends_at <= now():
        return []
    asked = finding.for_posts([post for post, _lacks in short], {shift.community_id}, now())
    return [
        Gap(post, lacks, lines.line_of(post), [one for one in asked[post.id] if one.fits][:SHOWN])
        for post, lacks in short
    ]


def _lacks(post: Post, missed: int) -> int:
    """Free places, and those who did not come and for whom the post has not grown yet."""
    return post.capacity.left + max(0, missed - max(0, post.capacity.total - post.position.needs))


def ask(shift: Shift, post_id: int, volunteer_id: str, *, by: Actor, way: Way) -> str:
    """Before the shift begins somebody is invited; after, who was reached and comes is put on it. Answers in words.

    Who did not come keeps her place, so that her no-show counts: the post gets one more for who stands in.
    """
    query = sa.select(Post).where(Post.id == post_id, Post.shift_id == shift.id).options(*fitness.whole())
    post = db.session.scalar(query)
    chosen = sa.select(Volunteer).where(Volunteer.public_id == volunteer_id).options(joinedload(Volunteer.person))
    volunteer = db.session.scalar(chosen)
    if post is None or volunteer is None:
        raise Missing
    name = mask_name(volunteer.person.name) if way is Way.LEADER else volunteer.person.name
    if now() < shift.starts_at:
        until = _until(shift)
        inviting.invite(post, volunteer, by=by, answer_by=until, words=_("临时缺人，能来请点接受"))
        return _("已邀请 %(name)s，请在 %(time)s 前答复。", name=name, time=f"{clock.local(until):%H:%M}")
    if post.capacity.left <= 0 and _missed(post):
        places.resize(post.capacity_id, post.capacity.total + 1)
    joining.put_on(post, volunteer, way=way, by=by)
    return _("已登记 %(name)s 来顶班，到了请点“到”。", name=name)


def _missed(post: Post) -> int:
    """How many who did not come nobody stands in for yet."""
    held = sa.select(sa.func.count()).where(Signup.post_id == post.id)
    missed = db.session.scalar(held.where(Signup.state == SignupState.NO_SHOW)) or 0
    return missed - max(0, post.capacity.total - post.position.needs)


def _until(shift: Shift) -> datetime:
    return min(now() + timedelta(minutes=settings.get(ANSWER_MINUTES)), shift.starts_at)


def can_stay(shift: Shift) -> list[Signup]:
    """Who is on the shift just before, in the same activity, said that she could stay on, and is not on this one."""
    here = sa.select(Signup.volunteer_id).where(Signup.shift_id == shift.id, Signup.state.in_(HOLDS))
    query = (
        sa.select(Signup)
        .join(Signup.shift)
        .where(
            Shift.activity_id == shift.activity_id,
            Signup.volunteer_id.not_in(here),
            Signup.can_stay.is_(True),
            Signup.state.in_([SignupState.JOINED, SignupState.PRESENT, SignupState.DONE]),
            Signup.ends_at <= shift.starts_at,
            Signup.ends_at >= shift.starts_at - fitness.BREAK,
        )
        .options(*signup_whole())
        .order_by(Signup.id)
    )
    return list(db.session.scalars(query))


def keep_on(shift: Shift, signup_id: str, *, by: Actor, way: Way) -> Signup:
    """Who said she could stay on, put on this shift."""
    found = next((one for one in can_stay(shift) if one.public_id == signup_id), None)
    if found is None:
        raise Missing
    return leaving.stay_on(found, by=by, way=way)
