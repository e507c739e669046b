"""Shifts made from a pattern in one step and undone in one step; single shifts added and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, tokens
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.web import moment_words
from portal.places.models import Capacity, Waiting
from portal.places.service import LIVE
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Served, Shift, ShiftBatch
from portal.volunteers.models.codes import HOLDS, ActivityState, InvitationState, ShiftState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.plans import PlanGap, PlanLine
from portal.volunteers.models.signups import Invitation, PairAsk, Signup
from portal.volunteers.service import activities, activity_telling, calling_off, guards, held, keeping, patterns
from portal.volunteers.service.patterns import Occurrence, Pattern


@dataclass(frozen=True)
class Undone:
    """What undoing a batch did: how many shifts went, how many were called off because somebody had been on them,
    and how many stay.
    """

    gone: int
    called_off: int
    stay: int


def _takes_shifts(activity: Activity) -> None:
    if activity.state not in (ActivityState.DRAFT, ActivityState.PUBLISHED):
        raise Refused(_("这个活动已经结束或取消，不能再加班次。"))
    if not activity.positions:
        raise Refused(_("请先给活动设岗位，再排班次。"))


def _guard(activity: Activity, ends_at: datetime, *, field: str) -> None:
    if activity.state is ActivityState.PUBLISHED:
        guards.check_shift(activity, ends_at, field=field)


def make(activity: Activity, pattern: Pattern, *, by: Actor, idem: str = "") -> ShiftBatch:
    """Make every shift of a pattern that nothing speaks against, in one batch; the same request twice makes it once."""
    _takes_shifts(activity)
    body = f"{activity.public_id}|{pattern}"
    earlier = tokens.same_request(by.public_id, "volunteers.shifts", idem, body)
    if earlier is not None:
        return batch(activity, earlier)
    dates = patterns.look(activity, pattern)
    free = [one for one in dates if not one.why_not]
    if not free:
        raise Refused(_("这些日期都排不上，原因见下面的清单。请改日期、时间或先续保。"), field="weekdays")
    made = ShiftBatch(activity_id=activity.id, pattern=pattern.kept(), count=len(free), made_by_name=by.name)
    db.session.add(made)
    db.session.flush()
    activities.new_shifts(activity, [(one.starts_at, one.ends_at) for one in free], made)
    tokens.remember_request(by.public_id, "volunteers.shifts", idem, body, made.public_id)
    audit.record("volunteers.shifts_made", made, name=activity.title, count=len(free), skipped=len(dates) - len(free))
    return made


def batches(activity: Activity) -> list[ShiftBatch]:
    """The batches of an activity that stand, the newest first."""
    query = sa.select(ShiftBatch).where(ShiftBatch.activity_id == activity.id, ShiftBatch.undone_at.is_(None))
    return list(db.session.scalars(query.order_by(ShiftBatch.id.desc()).limit(20)))


def batch(activity: Activity, public_id: str) -> ShiftBatch:
    query = sa.select(ShiftBatch).where(ShiftBatch.activity_id == activity.id, ShiftBatch.public_id == public_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def of_batch(made: ShiftBatch) -> list[Shift]:
    """Its shifts that still stand, by time."""
    query = (
        sa.select(Shift)
        .where(Shift.batch_id == made.id, Shift.state != ShiftState.CALLED_OFF)
        .options(*activities.with_posts())
        .order_by(Shift.starts_at, Shift.id)
    )
    return list(db.session.scalars(query))


def people_in(made: ShiftBatch) -> dict[int, list[str]]:
    """Who is on the shifts of a batch: names by the shift's id."""
    query = (
        sa.select(Signup.shift_id, Person.name)
        .join(Signup.volunteer)
        .join(Volunteer.person)
        .join(Signup.shift)
        .where(Shift.batch_id == made.id, Signup.state.in_(HOLDS))
        .order_by(Signup.shift_id, Signup.id)
    )
    found: dict[int, list[str]] = {}
    for shift_id, name in db.session.execute(query):
        found.setdefault(shift_id, []).append(name)
    return found


def undo(made: ShiftBatch, reason: str, *, by: Actor, only_free: bool = False) -> Undone:
    """Take a batch back while nobody is on it; with `only_free` those with people on them stay."""
    db.session.refresh(made, with_for_update=True)
    if made.undone_at is not None:
        raise Refused(_("这一批班次已经撤销过了。"))
    standing = [shift for shift in _held(made) if shift.starts_at > now()]
    names = people_in(made)
    busy = [shift for shift in standing if _is_taken(shift) or shift.id in names]
    if busy and not only_free:
        raise Refused(busy_words(busy, names))
    free = [shift for shift in standing if shift not in busy]
    used = _used(free)
    for shift in free:
        if shift.id in used:
            calling_off.call_off_shift(shift, reason, by=by)
        else:
            _delete(shift)
    made.undone_at, made.undone_by_name, made.undone_reason = now(), by.name, reason
    done = Undone(len(free) - len(used), len(used), len(busy))
    audit.record("volunteers.shifts_undone", made, reason=reason, count=len(free), stay=len(busy))
    db.session.flush()
    return done


def _held(made: ShiftBatch) -> list[Shift]:
    """Its shifts, which nobody joins until the transaction ends: who does holds the shift, then the capacity."""
    locked = sa.select(Shift.id).where(Shift.batch_id == made.id).order_by(Shift.id).with_for_update()
    db.session.execute(locked).all()
    shifts = of_batch(made)
    numbers = sorted(post.capacity_id for shift in shifts for post in shift.posts)
    query = sa.select(Capacity).where(Capacity.id.in_(numbers)).order_by(Capacity.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).all()
    return shifts


def _is_taken(shift: Shift) -> bool:
    return any(post.capacity.taken for post in shift.posts)


def busy_words(busy: Sequence[Shift], names: Mapping[int, Sequence[str]]) -> str:
    """Who is on the shifts that keep a batch from being undone."""
    lines = [
        _("%(when)s：%(names)s", when=moment_words(shift.starts_at), names=_("、").join(names.get(shift.id, ())))
        for shift in busy[:5]
    ]
    said = _("；").join(lines)
    more = _("等 %(count)d 个班次", count=len(busy)) if len(busy) > 5 else ""
    return _(
        "已经有人在这批班次上，不能整批撤销：%(said)s%(more)s。可以只撤销还没有人的，其余的逐个取消并通知。",
        said=said,
        more=more,
    )


def _used(shifts: Sequence[Shift]) -> set[int]:
    """Of some shifts those that somebody once was on, was asked to, waited for, was planned on, or was to be served by:
    they are called off, not forgotten.
    """
    posts = {post.id: shift.id for shift in shifts for post in shift.posts}
    places = {post.capacity_id: shift.id for shift in shifts for post in shift.posts}
    found = set(db.session.scalars(sa.select(Served.shift_id).where(Served.shift_id.in_([one.id for one in shifts]))))
    for column in (Signup.post_id, Invitation.post_id, PairAsk.post_id, PlanLine.post_id, PlanGap.post_id):
        found |= {posts[number] for number in db.session.scalars(sa.select(column).where(column.in_(posts)))}
    waited = sa.select(Waiting.capacity_id).where(Waiting.capacity_id.in_(places))
    return found | {places[number] for number in db.session.scalars(waited)}


def _delete(shift: Shift) -> None:
    capacities = [post.capacity for post in shift.posts]
    for post in list(shift.posts):
        db.session.delete(post)
    db.session.flush()
    for capacity in capacities:
        db.session.delete(capacity)
    db.session.delete(shift)


def add(
    activity: Activity,
    starts_at: datetime,
    ends_at: datetime,
    *,
    needs: Mapping[int, int],
    by: Actor,
    place: str = "",
    note: str = "",
) -> Shift:
    """A single shift."""
    _takes_shifts(activity)
    _guard(activity, ends_at, field="ends")
    made = activities.new_shift(activity, starts_at, ends_at, needs=needs, place=place, note=note)
    audit.record("volunteers.shift_added", made, name=activity.title, starts=starts_at.isoformat(), by=by.name)
    return made


def change(
    shift: Shift,
    starts_at: datetime,
    ends_at: datetime,
    *,
    needs: Mapping[int, int],
    by: Actor,
    place: str = "",
    note: str = "",
    with_people: bool = False,
) -> None:
    """Other times before it begins, another place or other needs until it ends. Who is on it is told; other times take
    them along only `with_people`, and only where nobody is somewhere else then.
    """
    _lock(shift)
    if shift.state is ShiftState.CALLED_OFF or shift.ends_at <= now():
        raise Refused(_("这个班次已经结束或取消，不能再改。"))
    before = (shift.starts_at, shift.ends_at, shift.place, shift.note)
    if (starts_at, ends_at) != before[:2]:
        _move(shift, starts_at, ends_at, with_people=with_people)
    for post in shift.posts:
        wanted = needs.get(post.position_id, post.capacity.total)
        if wanted != post.capacity.total:
            keeping.resize(shift, post, wanted, field=f"needs-{post.position_id}")
    shift.place, shift.note = place, note
    db.session.flush()
    if (shift.starts_at, shift.ends_at, place, note) != before:
        activity_telling.tell_shift(shift)
    audit.record("volunteers.shift_changed", shift, name=shift.activity.title, by=by.name)


def _lock(shift: Shift) -> None:
    """Nobody joins it meanwhile: who does reads the shift under a lock."""
    anew = {"populate_existing": True}
    db.session.scalar(sa.select(Shift).where(Shift.id == shift.id).with_for_update().execution_options(**anew))
    numbers = [post.capacity_id for post in shift.posts]
    # Before the people's rows: who leaves holds the place first, and then her own row.
    query = sa.select(Capacity).where(Capacity.id.in_(numbers)).order_by(Capacity.id).with_for_update()
    db.session.scalars(query.execution_options(**anew)).all()


def _move(shift: Shift, starts_at: datetime, ends_at: datetime, *, with_people: bool) -> None:
    if shift.starts_at <= now():
        raise Refused(_("这个班次已经开始了，不能改时间。"), field="starts")
    names = calling_off.people_on(shift)
    if names and not with_people:
        words = _(
            "已经有人报了这个班次（%(names)s）。改时间会通知他们，来不了的可以退出；确定要改，请勾选“连同已报名的人一起改”。",
            names=_("、").join(names),
        )
        raise Refused(words, field="with_people")
    activities.check_times(starts_at, ends_at)
    _guard(shift.activity, ends_at, field="ends")
    before = shift.starts_at
    with unique_or(Refused(_("这个活动在这个时间已经有一个班次，请换一个时间。"), field="starts")):
        shift.starts_at, shift.ends_at = starts_at, ends_at
    _take_along(shift)
    _end_with(shift, before)


def _take_along(shift: Shift) -> None:
    """Those on a shift hold its new time; refused when one of them is on another shift then."""
    query = (
        sa.select(Signup)
        .where(Signup.shift_id == shift.id, Signup.state.in_(HOLDS))
        .options(joinedload(Signup.volunteer).joinedload(Volunteer.person))
        .order_by(Signup.volunteer_id, Signup.id)
    )
    for signup in db.session.scalars(query).all():
        name = signup.volunteer.person.name
        words = _("%(name)s在那段时间有别的班次，不能一起改。请先请这位退出，或换一个时间。", name=name)
        held.release(signup)
        signup.starts_at, signup.ends_at, signup.reminded = shift.starts_at, shift.ends_at, 0
        with unique_or(Refused(words, field="starts")):
            held.hold(signup)


def _end_with(shift: Shift, before: datetime) -> None:
    """Its lines, what is offered in them, and the invitations that stood until it began: until it begins now."""
    begins = shift.starts_at
    numbers = [post.capacity_id for post in shift.posts]
    line = sa.and_(Waiting.capacity_id.in_(numbers), Waiting.state.in_(LIVE))
    db.session.execute(sa.update(Waiting).where(line).values(closes_at=begins))
    db.session.execute(sa.update(Waiting).where(line, Waiting.offer_until > begins).values(offer_until=begins))
    asked = sa.and_(
        Invitation.post_id.in_([post.id for post in shift.posts]), Invitation.state == InvitationState.ASKED
    )
    late = sa.or_(Invitation.answer_by > begins, Invitation.answer_by == before)
    db.session.execute(sa.update(Invitation).where(asked, late).values(answer_by=begins))
    pairs = sa.and_(PairAsk.post_id.in_([post.id for post in shift.posts]), PairAsk.state == InvitationState.ASKED)
    db.session.execute(sa.update(PairAsk).where(pairs, PairAsk.answer_by > begins).values(answer_by=begins))


def split(dates: Sequence[Occurrence]) -> tuple[int, int]:
    """How many of some dates would be made, and how many left out."""
    made = sum(not one.why_not for one in dates)
    return made, len(dates) - made
