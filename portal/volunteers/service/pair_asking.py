"""One of a pair asks the other to come along: nobody is signed up by another who was not asked."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, settings
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.places import service as places
from portal.places.models import Waiting
from portal.registry.service import people
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import InvitationState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import PairAsk
from portal.volunteers.service import fitness, joining, lines, pairs
from portal.volunteers.service.signup_telling import tell
from portal.volunteers.service.standing import KIND

HOURS = "volunteers.pair_answer_hours"
settings.declare(
    HOURS,
    default=24,
    label=lambda: _("约搭档一起报名，对方多久内要答复"),
    unit=lambda: _("小时"),
    least=1,
    most=168,
)
# Both may wait for it together.
_SKIP = frozenset({"full", "waiting"})


def verdict_for(post: Post, one: Volunteer, other: Volunteer) -> fitness.Verdict:
    """What stands in the way of the two coming together; that the post is full does not."""
    both = [one, other]
    found = fitness.verdicts_of([post], both, now(), together=both, skip=_SKIP)
    mine, theirs = found[post.id, one.id], found[post.id, other.id]
    if mine.fits and not theirs.fits:
        words = _("%(name)s现在来不了这一班，可以换一班再约", name=other.person.name)
        return fitness.stands("partner", words)
    return mine


def ask(post: Post, asker: Volunteer, other: Volunteer, *, by: joining.Who, words: str = "") -> PairAsk:
    """Ask until the setting's time, no later than the beginning; the asker has read risks and insurance."""
    if other.id not in {one.id for one, _always in pairs.others_of(asker)}:
        raise Missing
    joining.hold([asker], post.shift)
    found = verdict_for(post, asker, other)
    if not found.fits:
        raise joining.Unfit(found)
    _refuse_asked_by(other, asker, post)
    until = min(now() + timedelta(hours=settings.get(HOURS)), post.shift.starts_at)
    made = PairAsk(post_id=post.id, asker_id=asker.id, other_id=other.id, words=words, answer_by=until)
    with unique_or(Refused(_("这一班已经约过搭档了，正在等答复。"))):
        db.session.add(made)
    audit.record("volunteers.pair_asked", made, on_behalf_of=asker.person.public_id, post=post.id, by=by.public_id)
    tell("pair_asked", other, post, who=asker.person.name, until=until.isoformat(), words=words)
    return made


def _refuse_asked_by(other: Volunteer, asker: Volunteer, post: Post) -> None:
    query = sa.select(PairAsk.id).where(
        PairAsk.post_id == post.id,
        PairAsk.asker_id == other.id,
        PairAsk.other_id == asker.id,
        PairAsk.state == InvitationState.ASKED,
        PairAsk.answer_by > now(),
    )
    if db.session.scalar(query.limit(1)) is not None:
        raise Refused(_("%(name)s已经约了您，请到“我的班次”里答复。", name=other.person.name))


def accept(found: PairAsk, *, by: joining.Who) -> bool:
    """The other's yes: both are on the post (True), or both wait for it, where fewer than two places are left."""
    post, both = found.post, [found.asker, found.other]
    joining.hold(both, post.shift)
    if found.answer_by <= now():
        raise Refused(_("答复的期限已经过了。还想一起参加的话，请重新约。"))
    _end(found, InvitationState.ACCEPTED)
    audit.record("volunteers.pair_accepted", found, on_behalf_of=found.other.person.public_id, by=by.public_id)
    try:
        state = lines.entry_state(post)
        made = joining.put_on_all(post, both, way=Way.FAMILY, by=by, state=state, agreed_at=found.asked_at)
    except joining.Unfit as unfit:
        if unfit.code != "full":
            raise
        _wait(found, by)
        return False
    # Each read the risks when she said yes.
    next(one for one in made if one.volunteer_id == found.other_id).agreed_at = now()
    return True


def wait_for_both(post: Post, one: Volunteer, other: Volunteer, *, by: joining.Who) -> PairAsk:
    """Who acts for both has said yes for both: nobody is asked, and the two wait in one row of the line."""
    joining.hold([one, other], post.shift)
    both = [one, other]
    found = fitness.verdicts_of([post], both, now(), together=both, skip={"full"})
    for who in both:
        if not found[post.id, who.id].fits:
            raise joining.Unfit(found[post.id, who.id], who.person.name)
    if post.capacity.left >= 2:
        raise Refused(_("又空出名额了，可以直接报名。"))
    facts = {"answer_by": post.shift.starts_at, "state": InvitationState.ACCEPTED, "ended_at": now()}
    made = PairAsk(post_id=post.id, asker_id=one.id, other_id=other.id, **facts)
    db.session.add(made)
    db.session.flush()
    audit.record("volunteers.pair_waits", made, on_behalf_of=other.person.public_id, post=post.id, by=by.public_id)
    _wait(made, by)
    return made


def offer_of(found: PairAsk) -> Waiting | None:
    """The row in which two places are kept for both at this moment."""
    waits = _waiting(found)
    return waits if waits is not None and waits.stands(now()) else None


def take(found: PairAsk, *, by: joining.Who) -> None:
    """Either of the two takes the places kept for both: each agreed when they began to wait."""
    waits = offer_of(found)
    if waits is None:
        raise Refused(_("没有给两位留着的名额了：已经有人答复，或者过了时间。请到“我的班次”看看。"))
    lines.take(lines.Waits(waits, found.post, found.asker, 0), by=by)


def _wait(found: PairAsk, by: joining.Who) -> None:
    facts = {"kind": KIND, "ref": found.asker.public_id, "closes_at": found.post.shift.starts_at, "units": 2}
    person = people.resolved(found.asker.person)
    waiting = places.join(found.post.capacity_id, person, by=by, **facts)  # type: ignore[arg-type]
    found.line = waiting.public_id
    for one, other in ((found.asker, found.other), (found.other, found.asker)):
        tell("pair_waits", one, found.post, who=other.person.name)


def decline(found: PairAsk, *, reason: str) -> None:
    _end(found, InvitationState.DECLINED, reason=reason)
    audit.record("volunteers.pair_declined", found, on_behalf_of=found.other.person.public_id, reason=reason)
    tell("pair_declined", found.asker, found.post, who=found.other.person.name, reason=reason)


def withdraw(found: PairAsk, *, by: joining.Who) -> None:
    """The asker thinks otherwise; or, where both wait already, one of them: both are out of the line."""
    waits = _waiting(found)
    if waits is not None:
        places.leave(waits)
        audit.record("volunteers.pair_withdrawn", found, by=by.public_id, waited=True)
        for one, other in ((found.asker, found.other), (found.other, found.asker)):
            tell("pair_line_left", one, found.post, who=other.person.name)
        return
    _end(found, InvitationState.WITHDRAWN)
    audit.record("volunteers.pair_withdrawn", found, by=by.public_id)
    tell("pair_withdrawn", found.other, found.post, who=found.asker.person.name)


def end_all(shift: Shift, *, reason: str) -> None:
    """A shift takes nobody more: what was asked about it needs no answer, and both are told."""
    asked = sa.and_(Post.shift_id == shift.id, PairAsk.state == InvitationState.ASKED)
    query = sa.select(PairAsk).join(PairAsk.post).where(asked).options(*whole()).order_by(PairAsk.id)
    for found in db.session.scalars(query).all():
        where = sa.and_(PairAsk.id == found.id, PairAsk.state == InvitationState.ASKED)
        if not guarded(sa.update(PairAsk).where(where).values(state=InvitationState.WITHDRAWN, ended_at=now())):
            continue
        db.session.refresh(found, ["state", "ended_at"])
        audit.record("volunteers.pair_withdrawn", found, reason=reason)
        for one, other in ((found.asker, found.other), (found.other, found.asker)):
            tell("pair_ended", one, found.post, who=other.person.name, reason=reason)


def _waiting(found: PairAsk) -> Waiting | None:
    """The row in the line in which both wait, as long as they do."""
    if not found.line:
        return None
    live = sa.and_(Waiting.public_id == found.line, Waiting.state.in_(places.LIVE))
    return db.session.scalar(sa.select(Waiting).where(live))


def _end(found: PairAsk, state: InvitationState, **values: str) -> None:
    where = sa.and_(PairAsk.id == found.id, PairAsk.state == InvitationState.ASKED)
    changed = guarded(sa.update(PairAsk).where(where).values(state=state, ended_at=now(), **values))
    db.session.refresh(found)
    if not changed:
        raise Refused(_("这次相约已经答复过或收回了，请刷新看看。"))


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    post = joinedload(PairAsk.post)
    return (
        post.joinedload(Post.shift).joinedload(Shift.activity),
        post.joinedload(Post.position),
        post.joinedload(Post.capacity),
        joinedload(PairAsk.asker).joinedload(Volunteer.person),
        joinedload(PairAsk.other).joinedload(Volunteer.person),
    )


def _of(volunteers: Collection[Volunteer]) -> sa.ColumnElement[bool]:
    ids = [one.id for one in volunteers]
    return sa.or_(PairAsk.asker_id.in_(ids), PairAsk.other_id.in_(ids))


def open_of(volunteers: Collection[Volunteer]) -> list[PairAsk]:
    """What some volunteers asked or are asked and what they wait for together, the soonest answer first."""
    waits = sa.exists().where(Waiting.public_id == PairAsk.line, Waiting.state.in_(places.LIVE))
    still = sa.and_(PairAsk.state == InvitationState.ASKED, PairAsk.answer_by > now())
    query = sa.select(PairAsk).where(_of(volunteers), sa.or_(still, waits))
    return list(db.session.scalars(query.options(*whole()).order_by(PairAsk.answer_by, PairAsk.id)))


def ask_for(volunteers: Collection[Volunteer], public_id: str) -> PairAsk:
    query = sa.select(PairAsk).where(PairAsk.public_id == public_id, _of(volunteers))
    found = db.session.scalar(query.options(*whole()))
    if found is None:
        raise Missing
    return found


def is_waiting(found: PairAsk) -> bool:
    return _waiting(found) is not None


def due(at: datetime) -> list[int]:
    query = sa.select(PairAsk.id).where(PairAsk.state == InvitationState.ASKED, PairAsk.answer_by <= at)
    return list(db.session.scalars(query.order_by(PairAsk.id).limit(500)))


def lapse(number: int) -> None:
    """Nobody answered in time: the asker is told, for she holds no place."""
    where = sa.and_(PairAsk.id == number, PairAsk.state == InvitationState.ASKED)
    if guarded(sa.update(PairAsk).where(where).values(state=InvitationState.LAPSED, ended_at=now())):
        found = db.session.scalars(sa.select(PairAsk).where(PairAsk.id == number).options(*whole())).one()
        audit.record("volunteers.pair_lapsed", found)
        tell("pair_lapsed", found.asker, found.post, who=found.other.person.name)


def forget(before: datetime) -> None:
    """Those of shifts that ended before a moment."""
    old = sa.select(Post.id).join(Post.shift).where(Shift.ends_at < before)
    db.session.execute(
        sa.delete(PairAsk).where(PairAsk.post_id.in_(old)), execution_options={"synchronize_session": False}
    )
