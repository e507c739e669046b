"""The line before a full post: who is next is on it by herself while she could still leave, else is asked first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.core import settings
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.places import service as places
from portal.places.models import Waiting, WaitingState
from portal.registry.service import people
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import Joining, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import fitness, joining, pairs
from portal.volunteers.service.signup_telling import tell
from portal.volunteers.service.standing import KIND

PROMOTE = "volunteers.promote_hours"
settings.declare(
    PROMOTE,
    default=12,
    label=lambda: _("离开始不足多久，候补到的班次要本人确认"),
    unit=lambda: _("小时"),
    least=0,
    most=72,
)


@dataclass(frozen=True)
class Waits:
    """A row of a line: what it is for, and how many wait before her, and she."""

    waiting: Waiting
    post: Post
    volunteer: Volunteer
    place: int


@dataclass(frozen=True)
class Placer:
    """Who put somebody in a line, in whose name she is on the post when her turn comes."""

    public_id: str
    name: str


def join_line(post: Post, volunteer: Volunteer, *, by: joining.Who) -> Waiting:
    """Wait for a place of a full post; who would not fit it does not wait for it."""
    joining.hold([volunteer], post.shift)
    found = joining.verdict(post, volunteer, way=Way.SELF)
    if not found.fits:
        raise joining.Unfit(found)
    facts = {"kind": KIND, "ref": volunteer.public_id, "closes_at": post.shift.starts_at}
    return places.join(post.capacity_id, people.resolved(volunteer.person), by=by, **facts)  # type: ignore[arg-type]


def entry_state(post: Post) -> SignupState:
    """Whether who joins a post is in at once, or waits for a yes; of who waited in its line the rule of the day when
    her turn comes is asked: that a yes came to be needed meanwhile is told her.
    """
    return SignupState.REQUESTED if post.shift.activity.joining is Joining.APPROVED else SignupState.JOINED


def waits_of(volunteers: Collection[Volunteer]) -> list[Waits]:
    """What some volunteers wait for: what is offered first, then the soonest."""
    refs = {one.public_id: one for one in volunteers}
    before = aliased(Waiting)
    place = (
        sa.select(sa.func.count(before.id))
        .where(
            before.capacity_id == Waiting.capacity_id,
            before.state == WaitingState.WAITING,
            before.id <= Waiting.id,
        )
        .scalar_subquery()
    )
    query = (
        sa.select(Waiting, Post, place)
        .join(Post, Post.capacity_id == Waiting.capacity_id)
        .where(Waiting.kind == KIND, Waiting.ref.in_(refs), Waiting.state.in_(places.LIVE))
        .options(*fitness.whole())
        .order_by(sa.case((Waiting.state == WaitingState.OFFERED, 0), else_=1), Waiting.closes_at, Waiting.id)
        .limit(places.SHOWN)
    )
    return [Waits(row[0], row[1], refs[row[0].ref], row[2]) for row in db.session.execute(query)] if refs else []


def waits_for(volunteers: Collection[Volunteer], public_id: str) -> Waits:
    found = next((one for one in waits_of(volunteers) if one.waiting.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def line_of(post: Post) -> list[Volunteer]:
    """Who waits for a post, in the order of the line, for its worker or leader."""
    query = (
        sa.select(Volunteer)
        .join(Waiting, Waiting.ref == Volunteer.public_id)
        .where(Waiting.capacity_id == post.capacity_id, Waiting.kind == KIND, Waiting.state.in_(places.LIVE))
        .options(joinedload(Volunteer.person))
        .order_by(Waiting.id)
    )
    return list(db.session.scalars(query))


def take(waits: Waits, *, by: joining.Who) -> Signup:
    """Take the place that is offered; what became of her own time meanwhile is asked again."""
    partner = pairs.partner_in(waits.waiting)
    if partner is not None:
        both, agreed = [waits.volunteer, partner], waits.waiting.queued_at
        state = entry_state(waits.post)
        return joining.put_on_offered(waits.post, both, waits.waiting, by=by, state=state, agreed_at=agreed)[0]
    return joining.put_on(
        waits.post,
        waits.volunteer,
        way=Way.LINE,
        by=by,
        state=entry_state(waits.post),
        agreed_at=waits.waiting.queued_at,
    )


def leave(waits: Waits) -> None:
    """Leave the line, or decline what is offered; who waits with her is told."""
    partner = pairs.partner_in(waits.waiting)
    places.leave(waits.waiting)
    if partner is not None:
        tell("pair_line_left", partner, waits.post, who=waits.volunteer.person.name)


def by_itself(post: Post, at: datetime) -> bool:
    """Whether who is next is on the post without being asked."""
    return at + timedelta(hours=settings.get(PROMOTE)) <= post.shift.starts_at


def on_place_offered(*, waiting: Waiting, **_facts: object) -> None:
    """In the transaction that freed the place, whose rows others may wait for: so this one waits for nobody. Whom it
    cannot promote at once the job does within the minute.
    """
    found = _of(waiting)
    if found is None:
        return
    post, volunteer = found
    if not by_itself(post, now()):
        _tell_offered(waiting, post, volunteer)
    elif joining.hold(_both(waiting, volunteer), post.shift, at_once=True):
        _promote(waiting, post, volunteer)


def _tell_offered(waiting: Waiting, post: Post, volunteer: Volunteer) -> None:
    """Who asked answers for both; who waits with her is told so."""
    until = waiting.offer_until.isoformat() if waiting.offer_until else ""
    asks = entry_state(post) is SignupState.REQUESTED
    tell("line_offered", volunteer, post, until=until, asks=asks)
    partner = pairs.partner_in(waiting)
    if partner is not None:
        tell("pair_offered", partner, post, until=until, asks=asks, who=volunteer.person.name)


def _promote(waiting: Waiting, post: Post, volunteer: Volunteer) -> bool:
    """Put who is next on the post; who does not fit any more is told so, and passed over."""
    by, agreed = Placer(waiting.placed_by, waiting.placed_by_name), waiting.queued_at
    both, state = _both(waiting, volunteer), entry_state(post)
    try:
        if len(both) > 1:
            joining.put_on_offered(post, both, waiting, by=by, state=state, agreed_at=agreed)
        else:
            joining.put_on(post, volunteer, way=Way.LINE, by=by, state=state, agreed_at=agreed)
    except joining.Unfit as refused:
        # Within on_place_offered the line goes on to the next by itself.
        places.hold(waiting.capacity_id)
        places.end_one(waiting, refused.message, told=False)
        for one in both:
            tell("line_passed", one, post, reason=refused.message)
        return False
    return True


def _both(waiting: Waiting, volunteer: Volunteer) -> list[Volunteer]:
    partner = pairs.partner_in(waiting)
    return [volunteer, partner] if partner else [volunteer]


def offered(at: datetime) -> list[int]:
    """The offers that should have become signups by themselves, the oldest first."""
    query = (
        sa.select(Waiting.id)
        .join(Post, Post.capacity_id == Waiting.capacity_id)
        .join(Post.shift)
        .where(
            Waiting.kind == KIND,
            Waiting.state == WaitingState.OFFERED,
            Shift.starts_at >= at + timedelta(hours=settings.get(PROMOTE)),
        )
        .order_by(Waiting.id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def promote(waiting_id: int) -> None:
    """The job's turn; another runner, or she herself, may have been faster."""
    waiting = db.session.get_one(Waiting, waiting_id)
    found = _of(waiting)
    if found is None:
        return
    joining.hold(_both(waiting, found[1]), found[0].shift)
    db.session.refresh(waiting)
    if waiting.state is WaitingState.OFFERED and not _promote(waiting, *found):
        places.offer_next(waiting.capacity_id)


def on_place_lapsed(*, waiting: Waiting, **_facts: object) -> None:
    _tell("line_lapsed", waiting)


def on_place_closed(*, waiting: Waiting, **_facts: object) -> None:
    _tell("line_closed", waiting)


def _tell(event: str, waiting: Waiting) -> None:
    found = _of(waiting)
    if found is not None:
        for one in _both(waiting, found[1]):
            tell(event, one, found[0])


def _of(waiting: Waiting) -> tuple[Post, Volunteer] | None:
    """The post and the volunteer of a row; a line of another capability is none of ours."""
    if waiting.kind != KIND:
        return None
    query = (
        sa.select(Post, Volunteer)
        .join(Waiting, Waiting.capacity_id == Post.capacity_id)
        .join(Volunteer, Volunteer.public_id == Waiting.ref)
        .where(Waiting.id == waiting.id)
        .options(*fitness.whole(), joinedload(Volunteer.person))
    )
    row = db.session.execute(query).first()
    return (row[0], row[1]) if row else None


def lines_of(volunteer: Volunteer) -> set[int]:
    """The capacities in whose lines she stands."""
    mine = sa.and_(Waiting.kind == KIND, Waiting.ref == volunteer.public_id, Waiting.state.in_(places.LIVE))
    return set(db.session.scalars(sa.select(Waiting.capacity_id).where(mine)))


def end_lines(volunteer: Volunteer, *, reason: str) -> int:
    """Out of every line: she paused, was barred, left. What was offered goes to the next."""
    return len(places.close_of(KIND, volunteer.public_id, reason=reason))
