"""Swaps: a place given to one volunteer or to whoever takes it, or two places exchanged; always in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.places import service as places
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import SignupState, SwapState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup, Swap
from portal.volunteers.service import fitness, joining
from portal.volunteers.service.signup_telling import tell_signup

SHOWN = 100
# So many others are offered to choose from; whoever is not among them is reached by asking everybody.
OFFERED = 20
# What the exchange itself takes care of, or what only holds back who signs up from nothing.
SKIP = frozenset({"full", "waiting", "too_early"})


def ask(
    signup: Signup, *, by: joining.Who, to: Volunteer | None = None, against: Signup | None = None, words: str = ""
) -> Swap:
    """Ask one volunteer, or everybody, to take a place over; `against` asks for hers in exchange."""
    if not may_swap(signup, now()):
        raise Refused(_("只有还没开始、已经确认的班次才能换班。"))
    if against is not None:
        to = against.volunteer
        if not may_swap(against, now()) or against.volunteer_id == signup.volunteer_id:
            raise Refused(_("对方的班次已经变了，请刷新后重新选。"))
    if to is not None and to.id == signup.volunteer_id:
        raise Refused(_("不能和自己换班，请选另一位志愿者。"))
    swap = Swap(signup_id=signup.id, to_id=to.id if to else None, against_id=against.id if against else None)
    swap.words = words
    with unique_or(Refused(_("这一班已经在找人换了，先收回再重新发起。"))):
        db.session.add(swap)
    audit.record("volunteers.swap_asked", swap, on_behalf_of=signup.volunteer.person.public_id, by=by.public_id)
    if to is not None:
        tell_signup("swap_asked", signup, to=to.person.ref, who=signup.volunteer.person.name, words=words)
    return swap


def may_swap(signup: Signup, at: datetime) -> bool:
    return signup.state is SignupState.JOINED and at < signup.starts_at


@dataclass(frozen=True)
class Partners:
    """Who could take a place over, by name; and with whose shifts it could be exchanged, the soonest first."""

    takers: list[Signup]
    exchanges: list[Signup]


def partners(signup: Signup) -> Partners:
    """Of the fellows those who are free and fit for the place; against a shift of theirs, where each fits the other's
    but for the shift that is given away.
    """
    found = fellows(signup)
    others = list({one.volunteer_id: one.volunteer for one in found}.values())
    posts = {one.post_id for one in found} | {signup.post_id}
    read = db.session.scalars(sa.select(Post).where(Post.id.in_(posts)).options(*fitness.whole())).all()
    mine = [post for post in read if post.id == signup.post_id]
    free = fitness.verdicts_of(mine, others, now(), skip=SKIP)
    takers = {one.volunteer_id: one for one in found if free[signup.post_id, one.volunteer_id].fits}
    by_name = sorted(takers.values(), key=lambda one: (one.volunteer.person.name, one.volunteer_id))
    trade = _Trade(read, [signup.volunteer, *others])
    both = [one for one in found if trade.fits(one, signup) and trade.fits(signup, one)]
    return Partners(by_name[:OFFERED], both[:OFFERED])


class _Trade:
    """Whether volunteers fit each other's places once their own are given away: asked as the exchange itself asks."""

    def __init__(self, posts: Collection[Post], volunteers: Collection[Volunteer]) -> None:
        first, last = min(post.shift.starts_at for post in posts), max(post.shift.ends_at for post in posts)
        self.posts = {post.id: post for post in posts}
        self.known = fitness.standings(volunteers, first, last, now())
        self.asked = fitness.Asked(now(), fitness.newcomers_on(posts), skip=SKIP)

    def verdict(self, volunteer: Volunteer, given: Signup, taken: Signup) -> fitness.Verdict:
        """Of a volunteer who gives one place for another."""
        known = self.known[volunteer.id]
        left = replace(known, own=[own for own in known.own if own.shift_id != given.shift_id])
        return fitness.judge(self.posts[taken.post_id], left, self.asked)

    def fits(self, given: Signup, taken: Signup) -> bool:
        return self.verdict(given.volunteer, given, taken).fits


def fellows(signup: Signup) -> list[Signup]:
    """The coming signups of others on the same activity's other shifts: with whom a place can be exchanged."""
    query = (
        sa.select(Signup)
        .join(Signup.shift)
        .where(
            Shift.activity_id == signup.shift.activity_id,
            Signup.shift_id != signup.shift_id,
            Signup.volunteer_id != signup.volunteer_id,
            Signup.state == SignupState.JOINED,
            Signup.starts_at > now(),
        )
        .options(*joining.whole())
        .order_by(Signup.starts_at, Signup.id)
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def take(swap: Swap, volunteer: Volunteer, *, by: joining.Who) -> Signup:
    """Take a place over, or exchange: whoever cannot be on the other's place refuses both."""
    giver = swap.signup.volunteer
    # In the order of their ids, as whoever calls off or rearranges several shifts.
    shifts = {one.shift_id: one.shift for one in (swap.signup, swap.against) if one is not None}
    for _number, shift in sorted(shifts.items()):
        joining.hold([giver, volunteer], shift)
    if swap.to_id not in {None, volunteer.id} or volunteer.id == giver.id:
        raise Missing
    if swap.signup.starts_at <= now():
        raise Refused(_("这一班已经开始，不能再换了。"))
    # Before the swap's own row: who takes somebody off holds the place first, and ends the swaps then.
    for signup in sorted({swap.signup, swap.against or swap.signup}, key=lambda one: one.post.capacity_id):
        places.hold(signup.post.capacity_id)
    _end(swap, SwapState.DONE, taken_by_id=volunteer.id)
    signup = _exchanged(swap, volunteer, by)
    audit.record("volunteers.swap_done", swap, on_behalf_of=volunteer.person.public_id, signup=signup.public_id)
    for one in (giver, volunteer):
        tell_signup("swap_done", signup, to=one.person.ref, giver=giver.person.name, taker=volunteer.person.name)
    return signup


def _exchanged(swap: Swap, volunteer: Volunteer, by: joining.Who) -> Signup:
    if swap.against is None:
        return joining.hand_on(swap.signup, volunteer, by=by)
    if not may_swap(swap.against, now()) or swap.against.volunteer_id != volunteer.id:
        raise Refused(_("用来换的班次已经变了，请告诉对方重新发起。"))
    return joining.exchange(swap.signup, swap.against, by=by)


def decline(swap: Swap, volunteer: Volunteer) -> None:
    if swap.to_id != volunteer.id:
        raise Missing
    _end(swap, SwapState.DECLINED)
    audit.record("volunteers.swap_declined", swap, on_behalf_of=volunteer.person.public_id)
    tell_signup("swap_declined", swap.signup, who=volunteer.person.name)


def withdraw(swap: Swap, *, by: joining.Who) -> None:
    _end(swap, SwapState.WITHDRAWN)
    audit.record("volunteers.swap_withdrawn", swap, by=by.public_id)


def _end(swap: Swap, state: SwapState, **values: Any) -> None:
    """Of two who answer at once one does."""
    where = sa.and_(Swap.id == swap.id, Swap.state == SwapState.ASKED)
    changed = guarded(sa.update(Swap).where(where).values(state=state, ended_at=now(), **values))
    db.session.refresh(swap)
    if not changed:
        raise Refused(_("这次换班已经有人接了或收回了，请刷新看看。"))


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    mine = joinedload(Swap.signup)
    theirs = joinedload(Swap.against)
    return (
        mine.joinedload(Signup.shift).joinedload(Shift.activity),
        mine.joinedload(Signup.volunteer).joinedload(Volunteer.person),
        mine.joinedload(Signup.post).joinedload(Post.position),
        theirs.joinedload(Signup.shift).joinedload(Shift.activity),
        joinedload(Swap.to).joinedload(Volunteer.person),
        joinedload(Swap.taken_by).joinedload(Volunteer.person),
    )


def asked_by(volunteer: Volunteer) -> list[Swap]:
    """What she asked and nobody has answered."""
    query = sa.select(Swap).join(Swap.signup).where(Signup.volunteer_id == volunteer.id, Swap.state == SwapState.ASKED)
    return list(db.session.scalars(query.options(*whole()).order_by(Signup.starts_at, Swap.id)))


def open_for(volunteer: Volunteer) -> list[Swap]:
    """What somebody is asked to take over: what is asked of her, and of what is asked of everybody where she served
    before or is a neighbour, what she fits.
    """
    served = sa.select(Shift.activity_id).join(Signup, Signup.shift_id == Shift.id)
    served = served.where(Signup.volunteer_id == volunteer.id)
    near = sa.or_(Activity.id.in_(served), Activity.community_id == volunteer.community_id)
    query = (
        sa.select(Swap)
        .join(Swap.signup)
        .join(Signup.shift)
        .join(Shift.activity)
        .where(
            Swap.state == SwapState.ASKED,
            Signup.starts_at > now(),
            Signup.volunteer_id != volunteer.id,
            sa.or_(Swap.to_id == volunteer.id, sa.and_(Swap.to_id.is_(None), near)),
        )
        .options(*whole())
        .order_by(Signup.starts_at, Swap.id)
        .limit(SHOWN)
    )
    return _fitting(list(db.session.scalars(query)), volunteer)


def _fitting(swaps: list[Swap], volunteer: Volunteer) -> list[Swap]:
    asked_of_all = [swap.signup.post_id for swap in swaps if swap.to_id is None]
    if not asked_of_all:
        return swaps
    posts = db.session.scalars(sa.select(Post).where(Post.id.in_(asked_of_all)).options(*fitness.whole())).all()
    found = fitness.verdicts_of(posts, [volunteer], now(), skip=SKIP)
    return [swap for swap in swaps if swap.to_id is not None or found[swap.signup.post_id, volunteer.id].fits]


def swap_for(volunteers: Collection[Volunteer], public_id: str) -> Swap:
    """A swap that one of these volunteers asked for, or may answer; Missing for anybody else's."""
    ids = [one.id for one in volunteers]
    query = sa.select(Swap).join(Swap.signup).where(Swap.public_id == public_id)
    query = query.where(sa.or_(Signup.volunteer_id.in_(ids), Swap.to_id.in_(ids), Swap.to_id.is_(None)))
    found = db.session.scalar(query.options(*whole())) if ids else None
    if found is None:
        raise Missing
    return found


def verdict_of(swap: Swap, volunteer: Volunteer) -> fitness.Verdict:
    """Whether somebody could take a swap over now; in an exchange without the place that she gives."""
    post = db.session.scalars(sa.select(Post).where(Post.id == swap.signup.post_id).options(*fitness.whole())).one()
    if swap.against is not None:
        return _Trade([post], [volunteer]).verdict(volunteer, swap.against, swap.signup)
    return fitness.verdicts_of([post], [volunteer], now(), skip=SKIP)[post.id, volunteer.id]


def due(at: datetime) -> list[int]:
    """What nobody took before the shift began."""
    mine = aliased(Signup)
    query = sa.select(Swap.id).join(mine, mine.id == Swap.signup_id).where(Swap.state == SwapState.ASKED)
    return list(db.session.scalars(query.where(mine.starts_at <= at).order_by(Swap.id).limit(500)))


def lapse(swap_id: int) -> None:
    swap = db.session.get_one(Swap, swap_id)
    where = sa.and_(Swap.id == swap.id, Swap.state == SwapState.ASKED)
    if guarded(sa.update(Swap).where(where).values(state=SwapState.LAPSED, ended_at=now())):
        audit.record("volunteers.swap_lapsed", swap)
        tell_signup("swap_lapsed", swap.signup)
