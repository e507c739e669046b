"""What a worker does on the roster: put on a post, move, change two, give, take off; and each of it taken back.

A refusal leaves everything as it was. What only advises against it (Soft) goes with a reason, which is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import finding, fitness, joining, pairs
from portal.volunteers.service.finding import GIVES, SOFT, over_wish, week_of
from portal.volunteers.service.joining import Unfit
from portal.volunteers.service.signup_telling import tell_signup
from portal.volunteers.service.signup_words import signup_said, span

Made_co = TypeVar("Made_co", covariant=True)
MOVES = frozenset({SignupState.REQUESTED, SignupState.JOINED})
# What nobody is put past here: a proof of skill, and what fitness holds to be hard anyway.
_PROOF = frozenset({"skill", "training"})


class _Putting(Protocol[Made_co]):
    def __call__(self, *, checked: bool) -> Made_co: ...


class Soft(Refused):
    """Advice against an act: with a reason it goes all the same."""


@dataclass(frozen=True)
class Done:
    """What was done, in words, and the act that takes it back: its name and what it is done to."""

    words: str
    undo: dict[str, str]


def assign(post: Post, volunteer: Volunteer, *, by: Actor, reason: str = "", way: Way = Way.WORKER) -> Done:
    """Put somebody of `volunteer_in()` on a post of `post_in()`; or a leader one of her own."""
    _refuse_past(post.shift)
    _weigh_wish(volunteer, post, reason=reason)

    def put(*, checked: bool) -> Signup:
        return joining.put_on(post, volunteer, way=way, by=by, checked=checked)

    made = _weighed([(volunteer, post)], put, reason)
    words = _("已安排%(name)s：%(post)s", name=volunteer.person.name, post=post_words(post))
    return Done(words, {"act": "remove", "signup": made.public_id})


def move(signup: Signup, post: Post, *, by: Actor, reason: str = "", way: Way = Way.WORKER) -> Done:
    """From one post to another, of the same shift or of a later one."""
    _refuse_begun(signup)
    _refuse_past(post.shift)
    before = signup.post
    if before.id == post.id:
        raise Refused(_("%(name)s已经在这个岗位上，不用移动。", name=signup.volunteer.person.name))
    if post.shift_id != signup.shift_id:
        _weigh_wish(signup.volunteer, post, less=signup, reason=reason)
    (made,) = _rearranged([(signup, post)], by=by, reason=reason, way=way)
    words = _("%(name)s改到：%(post)s", name=made.volunteer.person.name, post=post_words(post))
    return Done(words, {"act": "move", "signup": made.public_id, "post": str(before.id)})


def swap(one: Signup, other: Signup, *, by: Actor, reason: str = "", way: Way = Way.WORKER) -> Done:
    """Two take each other's places."""
    for signup in (one, other):
        _refuse_begun(signup)
    if one.volunteer_id == other.volunteer_id:
        raise Refused(_("要对调的是同一个人，请另选一位。"))
    if one.post_id == other.post_id:
        raise Refused(_("两个人在同一个岗位上，不用对调。"))
    made, back = _rearranged([(one, other.post), (other, one.post)], by=by, reason=reason, way=way)
    names = {"one": made.volunteer.person.name, "other": back.volunteer.person.name}
    words = _("%(one)s和%(other)s已对调", **names)
    return Done(words, {"act": "swap", "signup": made.public_id, "other": back.public_id})


def give(signup: Signup, volunteer: Volunteer, *, by: Actor, reason: str = "", way: Way = Way.WORKER) -> Done:
    """Somebody's place to another of `volunteer_in()`, who was not on the shift."""
    _refuse_begun(signup)
    giver, post = signup.volunteer, signup.post
    if volunteer.id == giver.id:
        raise Refused(_("这一班本来就是%(name)s的，排班没有变。", name=giver.person.name))
    _weigh_wish(volunteer, post, reason=reason)
    why = reason or _why(way)

    def put(*, checked: bool) -> Signup:
        joining.hold([giver, volunteer], post.shift)
        return joining.hand_on(signup, volunteer, by=by, way=way, reason=why, checked=checked)

    made = _weighed([(volunteer, post)], put, reason)
    tell_signup("signup_removed", signup, reason=why, by=by.name, late=False)
    tell_signup("signup_joined", made, way=way.value)
    pairs.tell_alone([made])
    names = {"one": giver.person.name, "other": volunteer.person.name}
    words = _("%(one)s的班交给%(other)s：%(post)s", **names, post=post_words(post))
    return Done(words, {"act": "give", "signup": made.public_id, "volunteer": giver.public_id})


def remove(signup: Signup, *, by: Actor, reason: str) -> Done:
    """Take somebody off, with a reason that she reads."""
    _refuse_begun(signup)
    if not reason:
        raise Refused(_("请写明原因，志愿者会看到。"), field="reason")
    joining.take_off(signup, SignupState.REMOVED, by=by, reason=reason)
    words = _("已调出%(name)s：%(post)s", name=signup.volunteer.person.name, post=post_words(signup.post))
    again = {"act": "assign", "volunteer": signup.volunteer.public_id, "post": str(signup.post_id)}
    return Done(words, again)


def post_words(post: Post) -> str:
    """6月10日 周三 08:00 至 10:00，老人送餐（送餐员）."""
    shift = post.shift
    facts = {"when": span(shift.starts_at, shift.ends_at), "what": shift.activity.title, "post": post.position.name}
    return _("%(when)s，%(what)s（%(post)s）", **facts)


def _rearranged(moves: list[tuple[Signup, Post]], *, by: Actor, reason: str, way: Way) -> list[Signup]:
    def put(*, checked: bool) -> list[Signup]:
        return joining.rearrange(moves, way=way, by=by, reason=reason or _why(way), checked=checked)

    return _weighed([(signup.volunteer, post) for signup, post in moves], put, reason)


def _why(way: Way) -> str:
    return _("负责人调整排班") if way is Way.LEADER else _("社区调整排班")


def _weighed(whom: list[tuple[Volunteer, Post]], put: _Putting[Made_co], reason: str) -> Made_co:
    """Do it; where something only advises against it, do it with a reason."""
    try:
        return put(checked=True)
    except Unfit as unfit:
        if unfit.code not in SOFT:
            raise
        if not reason:
            raise Soft(unfit.message, field="reason") from None
        code = unfit.code
    for volunteer, post in whom:
        _refuse_unproven(volunteer, post)
    made = put(checked=False)
    for volunteer, post in whom:
        whose = volunteer.person.public_id
        audit.record("volunteers.rule_put_past", post.shift, reason=reason, on_behalf_of=whose, rule=code)
    return made


def _refuse_unproven(volunteer: Volunteer, post: Post) -> None:
    others = {code for code, _check in fitness.CHECKS} - _PROOF
    verdict = fitness.verdicts_of([post], [volunteer], now(), skip=others)[post.id, volunteer.id]
    if not verdict.fits:
        raise Unfit(verdict, volunteer.person.name)


def _refuse_past(shift: Shift) -> None:
    if shift.ends_at <= now():
        raise Refused(_("这一班已经结束，不能再安排人；补登到岗请在考勤里办理。"))


def _refuse_begun(signup: Signup) -> None:
    name = signup.volunteer.person.name
    if signup.state not in MOVES:
        facts = {"name": name, "state": signup_said(signup.state)}
        raise Refused(_("%(name)s在这一班是“%(state)s”，不能再调整；请刷新看看。", **facts))
    if signup.ends_at <= now():
        raise Refused(_("这一班已经结束，不能再调整；请在考勤里登记%(name)s来没来。", name=name))


def _weigh_wish(volunteer: Volunteer, post: Post, *, less: Signup | None = None, reason: str) -> None:
    """More than she wishes in a week is for her to say: it goes with a reason."""
    if reason or not volunteer.week_hours:
        return
    total = minutes_in_week(volunteer, post.shift.starts_at, less=less) + post.shift.minutes
    if over_wish(volunteer.week_hours, total):
        facts = {"name": volunteer.person.name, "hours": volunteer.week_hours, "total": finding.hours_words(total)}
        words = _("%(name)s：这一周会到 %(total)s 小时，超过本人希望的 %(hours)d 小时", **facts)
        raise Soft(words, field="reason")


def minutes_in_week(volunteer: Volunteer, moment: datetime, *, less: Signup | None = None) -> int:
    """How long she is on shifts in the week of a moment, without one signup."""
    first, last = week_of(moment)
    query = (
        sa.select(Signup.starts_at, Signup.ends_at)
        .where(Signup.volunteer_id == volunteer.id, Signup.state.in_(GIVES), Signup.id != (less.id if less else 0))
        .where(Signup.starts_at >= first, Signup.starts_at < last)
        .order_by(Signup.id)
    )
    rows = db.session.execute(query)
    return sum(int((ends_at - starts_at).total_seconds()) // 60 for starts_at, ends_at in rows)
