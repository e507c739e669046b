"""Putting a volunteer on a post and taking her off: the only writer of signups, of held times and of the posts' places.

Whoever puts somebody on holds, in this order, the volunteers, the shift, the capacity; whoever takes somebody off holds
the capacity first. What is freed promotes who waits, which therefore never waits for a volunteer's or shift's row.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from portal.core import audit, ids, reasons
from portal.core.clock import now
from portal.core.db import db, guarded, insert_new
from portal.core.db import together as in_one
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import Waiting, WaitingState
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, SIGNUP_MOVES, SignupState, SwapState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.plans import Plan
from portal.volunteers.models.signups import Signup, Swap
from portal.volunteers.service import accompanying, fitness, held, pairs, serving
from portal.volunteers.service.fit_to_join import BY_OTHERS, full, refuse_unfit
from portal.volunteers.service.fit_to_join import Unfit as Unfit
from portal.volunteers.service.fit_to_join import Who as Who
from portal.volunteers.service.fit_to_join import verdict as verdict
from portal.volunteers.service.signup_telling import tell, tell_signup
from portal.volunteers.service.signup_words import signup_said
from portal.volunteers.service.standing import KIND

SWAPPED = reasons.declare("volunteers.swapped", label=lambda: _("换给了别人"))
ENDED_WORDS = {
    SignupState.LEFT: "signup_left",
    SignupState.REMOVED: "signup_removed",
    SignupState.REFUSED: "signup_refused",
    SignupState.CALLED_OFF: "signup_called_off",
}


def put_on(
    post: Post,
    volunteer: Volunteer,
    *,
    way: Way,
    by: Who,
    state: SignupState = SignupState.JOINED,
    agreed_at: datetime | None = None,
    group: str = "",
    plan: Plan | None = None,
    checked: bool = True,
    together: Collection[Volunteer] = (),
    public_id: str = "",
    last: bool = False,
) -> Signup:
    """Put a volunteer on a post, or refuse in words (Unfit). A refusal leaves nothing behind: the next may be tried.

    `last`: nothing else will be tried, and a time that is held already takes back all that the transaction wrote.
    `checked=False` asks only what nobody may be put past (fitness.HARD). What holds back who signs up by herself alone
    does not hold back a worker. `together` are those who come with her.
    """
    if not hold([volunteer, *together], post.shift):
        # Its batch was undone at this very moment.
        raise Unfit(fitness.stands("closed", _("这一班已经取消，请看看别的班次")))
    waits = refuse_unfit(post, volunteer, way=way, checked=checked, together=together)
    facts: dict[str, Any] = {"state": state, "agreed_at": agreed_at, "group": group, "plan": plan}
    asks = state is SignupState.REQUESTED
    with held.or_collides(last=last):
        kept = bool(waits) and _accept_offer(post, volunteer)
        signup = _write(post, volunteer, way=way, by=by, public_id=public_id, **facts)
        with in_one():
            _record(signup, "volunteers.signup_requested" if asks else "volunteers.signup_made")
            tell_signup("signup_requested" if asks else "signup_joined", signup, way=way.value)
        if not kept:
            # Last: everybody who joins this post waits for its row until the commit.
            places.take(post.capacity_id, 1, refusal=full(way))
    if way in BY_OTHERS - {Way.PLAN}:
        pairs.tell_alone([signup])
    return signup


def put_on_all(
    post: Post,
    volunteers: Collection[Volunteer],
    *,
    way: Way,
    by: Who,
    state: SignupState,
    agreed_at: datetime | None,
    public_id: str = "",
) -> list[Signup]:
    """A family on one post: all of them or, with Refused, none. `public_id` is to be that of the first."""
    facts: dict[str, Any] = {"way": way, "by": by, "state": state, "agreed_at": agreed_at, "group": ids.new_public_id()}
    names = [public_id, *[""] * len(volunteers)]
    with held.or_collides():
        return [
            put_on(post, one, together=_without(volunteers, one), public_id=name, **facts)
            for one, name in zip(volunteers, names, strict=False)
        ]


def put_on_offered(
    post: Post,
    volunteers: Sequence[Volunteer],
    waiting: Waiting,
    *,
    by: Who,
    state: SignupState,
    agreed_at: datetime,
) -> list[Signup]:
    """Two who waited together on the places that are kept for them: both or, with Refused, neither."""
    hold(volunteers, post.shift)
    facts: dict[str, Any] = {"state": state, "agreed_at": agreed_at, "group": ids.new_public_id()}
    # Before the row of the line: who lets an offer lapse holds them in this order.
    places.hold(post.capacity_id)
    with held.or_collides():
        places.accept(waiting)
        for one in volunteers:
            refuse_unfit(post, one, way=Way.LINE, checked=True, together=_without(volunteers, one))
        made = [_write(post, one, way=Way.LINE, by=by, **facts) for one in volunteers]
    asks = state is SignupState.REQUESTED
    for signup in made:
        _record(signup, "volunteers.signup_requested" if asks else "volunteers.signup_made")
        tell_signup("signup_requested" if asks else "signup_joined", signup, way=Way.LINE.value)
    return made


def _without(volunteers: Collection[Volunteer], one: Volunteer) -> list[Volunteer]:
    return [other for other in volunteers if other != one]


def hold(volunteers: Iterable[Volunteer], shift: Shift, *, at_once: bool = False) -> bool:
    """Lock volunteers for this transaction, so that what they join comes one after the other, and the shift against
    being called off; read both anew. `at_once` does not wait for anybody: False when one is being changed.
    """
    numbers = sorted({volunteer.id for volunteer in volunteers})
    of_people, of_shift = held.locks(at_once)
    found = db.session.scalars(of_people, {"numbers": numbers}).all()
    return len(found) == len(numbers) and db.session.scalar(of_shift, {"shift": shift.id}) is not None


def in_line(post: Post, volunteer: Volunteer) -> Waiting | None:
    """The volunteer's live row in the line of a post."""
    query = sa.select(Waiting).where(
        Waiting.capacity_id == post.capacity_id,
        Waiting.kind == KIND,
        Waiting.ref == volunteer.public_id,
        Waiting.state.in_(places.LIVE),
    )
    return db.session.scalar(query.order_by(Waiting.id).limit(1))


def _accept_offer(post: Post, volunteer: Volunteer) -> bool:
    """Who is on a post waits for it no more; True when a place was kept for her, which is then hers."""
    found = _row_of(post, volunteer)
    if found is None:
        return False
    waiting, other = found
    if other is not None:
        # A place goes back: before the row of the line, as whoever lets an offer lapse.
        places.hold(post.capacity_id)
    offered = waiting.state is WaitingState.OFFERED and waiting.stands(now())
    if offered:
        places.accept(waiting)
        if other is not None:
            places.give_back(post.capacity_id, waiting.units - 1)
    else:
        places.leave(waiting)
    _tell_line_left(post, volunteer, other)
    return offered


def _row_of(post: Post, volunteer: Volunteer) -> tuple[Waiting, Volunteer | None] | None:
    """The live row in which she waits, and who waits with her in it."""
    waiting = in_line(post, volunteer)
    return (waiting, pairs.partner_in(waiting)) if waiting is not None else pairs.line_with(post, volunteer)


def _tell_line_left(post: Post, volunteer: Volunteer, other: Volunteer | None) -> None:
    if other is not None:
        tell("pair_line_left", other, post, who=volunteer.person.name)


def _write(
    post: Post,
    volunteer: Volunteer,
    *,
    way: Way,
    by: Who,
    state: SignupState,
    agreed_at: datetime | None = None,
    group: str = "",
    plan: Plan | None = None,
    public_id: str = "",
) -> Signup:
    """A signup whose place is taken already, and the time it holds."""
    moment, shift = now(), post.shift
    row = {
        "public_id": public_id or ids.new_public_id(),
        "post_id": post.id,
        "shift_id": shift.id,
        "volunteer_id": volunteer.id,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "state": state,
        "way": way,
        "group": group,
        "plan_id": plan.id if plan else None,
        "agreed_at": agreed_at,
        "placed_at": moment,
        "placed_by": by.public_id,
        "placed_by_name": by.name,
        "changed_at": moment,
    }
    signup = insert_new(Signup, row)
    if signup is None:
        raise Unfit(fitness.stands("joined", _("已在这一班")))
    db.session.info["signups_written"].append(signup)
    held.hold(signup)
    return signup


def take_off(signup: Signup, state: SignupState, *, by: Who, reason: str = "", late: bool = False) -> None:
    """End a signup: its time is free, and its place goes to whoever waits; she is told, with the reason."""
    if state in HOLDS:
        raise ValueError(f"{state} holds a place: mark() moves there")
    places.hold(signup.post.capacity_id)
    move(signup, state, by=by, reason=reason, late=late)
    _let_go(signup)
    _record(signup, "volunteers.signup_ended", reason=reason, state=state.value)
    tell_signup(ENDED_WORDS[state], signup, reason=reason, by=by.name, late=late)
    places.give_back(signup.post.capacity_id, 1)
    _with_her([signup], by=by)


def _with_her(gone: Iterable[Signup], *, by: Who) -> None:
    """Minors whom one of these accompanied on the shift leave it with her; her partner there is told."""
    for signup in gone:
        if signup.state is not SignupState.CALLED_OFF:
            pairs.tell_left(signup)
        for child in accompanying.left_alone(signup):
            take_off(child, SignupState.REMOVED, by=by, reason=accompanying.ALONE)


def mark(signup: Signup, state: SignupState, *, by: Who, reason: str = "", **values: Any) -> None:
    """Move a signup that goes on holding its place: approved, present, done, a no-show. Audit is the caller's."""
    if state not in HOLDS:
        raise ValueError(f"{state} holds no place: take_off() moves there")
    move(signup, state, by=by, reason=reason, **values)
    if state is SignupState.NO_SHOW:
        serving.let_go(signup)


def move(signup: Signup, state: SignupState, *, by: Who, reason: str, **values: Any) -> None:
    """The one mover: by a guarded UPDATE, from the states that lead there; of two who move it differently one does."""
    before = [old for old, following in SIGNUP_MOVES.items() if state in following]
    said = {"state": state, "reason": reason, "changed_at": now(), "changed_by_name": by.name, **values}
    where = sa.and_(Signup.id == signup.id, Signup.state.in_(before))
    changed = guarded(sa.update(Signup).where(where).values(**said))
    db.session.refresh(signup, list(said))
    if not changed:
        raise Refused(_("这次报名现在是「%(state)s」，不能再这样办理；请刷新看看", state=signup_said(signup.state)))


def hand_on(
    signup: Signup, volunteer: Volunteer, *, by: Who, way: Way = Way.SWAP, reason: str = SWAPPED, checked: bool = True
) -> Signup:
    """Give a place to another volunteer in one step: it is never free in between. Both are held already."""
    post, own = signup.post, way is Way.SWAP
    places.hold(post.capacity_id)
    with held.or_collides():
        move(signup, SignupState.LEFT if own else SignupState.REMOVED, by=by, reason=reason)
        _let_go(signup)
        refuse_unfit(post, volunteer, way=way, checked=checked, together=())
        found = _row_of(post, volunteer)
        if found is not None:
            places.leave(found[0])
            _tell_line_left(post, volunteer, found[1])
        agreed_at = now() if own else None
        made = _write(post, volunteer, way=way, by=by, state=SignupState.JOINED, agreed_at=agreed_at)
    _record(signup, "volunteers.signup_handed_on", reason=reason, to=made.public_id)
    _with_her([signup], by=by)
    return made


def rearrange(
    moves: Sequence[tuple[Signup, Post]], *, way: Way, by: Who, reason: str = "", checked: bool = True
) -> list[Signup]:
    """Put people from their posts on others in one step, as two who change theirs: no place is free in between.

    A refusal leaves everything as it was. Each is told once, where she is now.
    """
    for signup, _post in moves:
        # An attempt before this may have been taken back, of which the row in hand knows nothing.
        db.session.refresh(signup, ["state"])
    before = [(signup, post, signup.state) for signup, post in moves]
    for shift in sorted({post.shift for _signup, post in moves}, key=lambda one: one.id):
        hold([signup.volunteer for signup, _post in moves], shift)
    left, come = _counted(signup.post for signup, _post in moves), _counted(post for _signup, post in moves)
    with held.or_collides():
        for capacity_id in sorted(left | come):
            places.hold(capacity_id)
        for signup, post in moves:
            move(signup, SignupState.REMOVED, by=by, reason=reason)
            _let_go(signup, stays=post.shift_id == signup.shift_id)
        for capacity_id, units in sorted((come - left).items()):
            places.take(capacity_id, units, refusal=full(way))
        made = [_moved(*one, way=way, by=by, reason=reason, checked=checked) for one in before]
    for capacity_id, units in sorted((left - come).items()):
        places.give_back(capacity_id, units)
    _with_her((signup for signup, post in moves if post.shift_id != signup.shift_id), by=by)
    pairs.tell_alone(made)
    return made


def _counted(posts: Iterable[Post]) -> Counter[int]:
    return Counter(post.capacity_id for post in posts)


def _moved(before: Signup, post: Post, state: SignupState, *, way: Way, by: Who, reason: str, checked: bool) -> Signup:
    """Risks and insurance were agreed to for an activity, not for another."""
    refuse_unfit(post, before.volunteer, way=way, checked=checked, together=())
    same = before.shift.activity_id == post.shift.activity_id
    made = _write(post, before.volunteer, way=way, by=by, state=state, agreed_at=before.agreed_at if same else None)
    _record(made, "volunteers.signup_moved", reason=reason, before=before.public_id)
    was = before.starts_at.isoformat()
    tell_signup(
        "signup_moved", made, was=was, was_ends=before.ends_at.isoformat(), was_activity=before.shift.activity.title
    )
    return made


def exchange(one: Signup, other: Signup, *, by: Who) -> Signup:
    """Two volunteers take each other's place; both are held already. Answers the new signup on the first place."""
    pairs = [(one.post, other.volunteer), (other.post, one.volunteer)]
    for post in sorted((one.post, other.post), key=lambda post: post.capacity_id):
        places.hold(post.capacity_id)
    for signup in (one, other):
        move(signup, SignupState.LEFT, by=by, reason=SWAPPED)
        _let_go(signup)
    made = []
    with held.or_collides():
        for post, volunteer in pairs:
            refuse_unfit(post, volunteer, way=Way.SWAP, checked=True, together=())
            facts: dict[str, Any] = {"way": Way.SWAP, "by": by, "state": SignupState.JOINED, "agreed_at": now()}
            made.append(_write(post, volunteer, **facts))
    for before, after in zip((one, other), made, strict=True):
        _record(before, "volunteers.signup_handed_on", reason=SWAPPED, to=after.public_id)
    _with_her((one, other), by=by)
    return made[0]


def _let_go(signup: Signup, *, stays: bool = False) -> None:
    """Her time is free; a wish to swap ends with its signup, and with the signup that was asked against it; others go
    to whom she was to go to, unless she `stays` on the shift.
    """
    held.release(signup)
    if not stays:
        serving.let_go(signup)
    of = sa.or_(Swap.signup_id == signup.id, Swap.against_id == signup.id)
    ending = sa.update(Swap).where(of, Swap.state == SwapState.ASKED).values(state=SwapState.LAPSED, ended_at=now())
    db.session.execute(ending, execution_options={"synchronize_session": False})


def whole() -> tuple[ExecutableOption, ...]:
    """What a page about signups shows beside them."""
    return (
        joinedload(Signup.post).joinedload(Post.position),
        joinedload(Signup.shift).joinedload(Shift.activity),
        joinedload(Signup.volunteer).joinedload(Volunteer.person),
    )


def _record(signup: Signup, action: str, *, reason: str = "", **facts: Any) -> None:
    whose = signup.volunteer.person.public_id
    audit.record(action, signup, reason=reason, on_behalf_of=whose, post=signup.post_id, way=signup.way.value, **facts)
