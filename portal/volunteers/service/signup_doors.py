"""What the doors of the volunteers say of signups: what waits for an answer, a person's shifts, export, forgetting."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, reasons
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.places import service as places
from portal.registry.models import Person
from portal.registry.service import people
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Attendance, HeldTime, Invitation, PairAsk, Signup, Swap
from portal.volunteers.service import joining, lines, pair_asking, signups
from portal.volunteers.service.signup_words import came_words, signup_said, span
from portal.volunteers.service.standing import KIND

_UNSYNCED = {"synchronize_session": False}
PAGE = "volunteers.worker.requests_page"


def todo_of(worker: Actor) -> list[Todo]:
    """Requests to join and to be let go, where the worker keeps activities; who cannot come is urgent."""
    scopes = scopes_of(worker, Permission.VOLUNTEERS_KEEP)
    if not scopes:
        return []
    joins, leaves = signups.count_asked(scopes)
    found = [Todo(_("志愿班次的申请要答复"), PAGE, count=joins)] if joins else []
    return found + ([Todo(_("志愿者请假要答复"), PAGE, count=leaves, late=True)] if leaves else [])


def _of(person: Person) -> sa.Select[Signup]:
    hers = sa.select(Volunteer.id).where(Volunteer.person_id.in_(people.ids_of(person)))
    return sa.select(Signup).where(Signup.volunteer_id.in_(hers)).options(*joining.whole())


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """When somebody signed up for what, the newest first."""
    query = _of(person).order_by(Signup.placed_at.desc(), Signup.id.desc()).limit(limit)
    return [_line(one) for one in db.session.scalars(query)]


def _line(one: Signup) -> Line:
    facts = {"activity": one.shift.activity.title, "state": signup_said(one.state)}
    return Line(one.placed_at, _("志愿班次：%(activity)s，%(state)s", **facts), span(one.starts_at, one.ends_at))


def export(person: Person) -> list[dict[str, Any]]:
    """Every signup, line, swap and invitation of somebody, in words."""
    hers = sa.select(Volunteer).where(Volunteer.person_id.in_(people.ids_of(person))).order_by(Volunteer.id)
    volunteers = db.session.scalars(hers).all()
    held = [_exported(one) for one in db.session.scalars(_of(person).order_by(Signup.id))]
    held += [_exported_wait(one) for one in lines.waits_of(volunteers)]
    asked = sa.select(Invitation).where(Invitation.volunteer_id.in_([one.id for one in volunteers]))
    held += [_exported_invitation(one) for one in db.session.scalars(asked.order_by(Invitation.id))]
    numbers = [one.id for one in volunteers]
    pairs = sa.select(PairAsk).where(sa.or_(PairAsk.asker_id.in_(numbers), PairAsk.other_id.in_(numbers)))
    held += [
        _exported_pair(one) for one in db.session.scalars(pairs.options(*pair_asking.whole()).order_by(PairAsk.id))
    ]
    swaps = sa.select(Swap).join(Swap.signup).where(Signup.volunteer_id.in_([one.id for one in volunteers]))
    return held + [_exported_swap(one) for one in db.session.scalars(swaps.order_by(Swap.id))]


def _exported(one: Signup) -> dict[str, Any]:
    return {
        _("志愿活动"): one.shift.activity.title,
        _("岗位"): one.post.position.name,
        _("班次"): span(one.starts_at, one.ends_at),
        _("状态"): signup_said(one.state),
        _("怎样来的"): came_words(one),
        _("看过风险和保险的时间"): _minute(one.agreed_at) if one.agreed_at else "",
        _("原因"): reasons.said(one.reason),
        _("请假的原因"): one.leave_words,
        _("报名时间"): _minute(one.placed_at),
        _("由谁报名"): one.placed_by_name,
    }


def _exported_wait(one: lines.Waits) -> dict[str, Any]:
    shift = one.post.shift
    return {
        _("候补的志愿活动"): shift.activity.title,
        _("班次"): span(shift.starts_at, shift.ends_at),
        _("状态"): signup_said(one.waiting.state),
        _("排上的时间"): _minute(one.waiting.queued_at),
    }


def _exported_invitation(one: Invitation) -> dict[str, Any]:
    shift = one.post.shift
    return {
        _("被邀请的志愿活动"): shift.activity.title,
        _("班次"): span(shift.starts_at, shift.ends_at),
        _("状态"): signup_said(one.state),
        _("邀请人"): one.asked_by_name,
        _("不参加的原因"): one.reason,
    }


def _exported_pair(one: PairAsk) -> dict[str, Any]:
    shift = one.post.shift
    return {
        _("相约一起参加"): shift.activity.title,
        _("班次"): span(shift.starts_at, shift.ends_at),
        _("谁约的"): one.asker.person.name,
        _("约了谁"): one.other.person.name,
        _("状态"): signup_said(one.state),
        _("留言"): one.words,
        _("不参加的原因"): one.reason,
    }


def _exported_swap(one: Swap) -> dict[str, Any]:
    return {
        _("发起的换班"): one.signup.shift.activity.title,
        _("班次"): span(one.signup.starts_at, one.signup.ends_at),
        _("状态"): signup_said(one.state),
        _("留言"): one.words,
    }


def _minute(moment: Any) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


def purge(before: date) -> int:
    """Forget the signups of shifts that ended before a day, with their swaps, lines and invitations. What a record of
    service or an open attendance rests on stays, and holds no time any more. How many went.
    """
    moment = day_bounds(before)[0]
    places.purge(KIND, moment)
    old = sa.select(Signup.id).where(Signup.ends_at < moment)
    kept: sa.CompoundSelect[Any] = sa.union(
        sa.select(ServiceRecord.signup_id).where(ServiceRecord.signup_id.is_not(None)), sa.select(Attendance.signup_id)
    )
    _delete(sa.delete(Swap).where(sa.or_(Swap.signup_id.in_(old), Swap.against_id.in_(old))))
    _delete(sa.delete(HeldTime).where(HeldTime.signup_id.in_(old)))
    _delete(sa.delete(Invitation).where(Invitation.answer_by < moment))
    pair_asking.forget(moment)
    return _delete(sa.delete(Signup).where(Signup.ends_at < moment, Signup.id.not_in(kept)))


def _delete(statement: sa.Delete) -> int:
    return int(getattr(db.session.execute(statement, execution_options=_UNSYNCED), "rowcount", 0))
