"""The demonstration's signups: who was on the past shifts and is on the next, a full one with its line, and more."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.clock import local, now
from portal.core.ids import new_public_id
from portal.places.models import Capacity, Waiting, WaitingState
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import ActivityState, Joining, ShiftState, SignupState, VolunteerState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Invitation, Signup, Swap
from portal.volunteers.service.held import pieces
from portal.volunteers.service.standing import KIND

HERS, BY = "李小红", "周洁"
# How much of a coming shift is filled, turn by turn, in tenths: most miss somebody, some nobody, one is empty.
FILLED = (10, 7, 10, 5, 8, 10, 3, 10, 0, 6)
DAY_MINUTES = 360


class _Books:
    """What each volunteer has been given so far."""

    def __init__(self) -> None:
        self.times: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.count: dict[int, int] = defaultdict(int)
        self.rows: list[dict[str, Any]] = []

    def is_free(self, one: Volunteer, shift: Shift) -> bool:
        rest = timedelta(minutes=30)
        held = self.times[one.id]
        if any(start < shift.ends_at + rest and shift.starts_at - rest < end for start, end in held):
            return False
        day = local(shift.starts_at).date()
        minutes = sum((end - start).total_seconds() // 60 for start, end in held if local(start).date() == day)
        return minutes + shift.minutes <= DAY_MINUTES

    def _was_approved(self, shift: Shift, more: dict[str, Any]) -> bool:
        asks = more.get("state") is SignupState.REQUESTED
        return shift.activity.joining is Joining.APPROVED and not asks

    def put(self, one: Volunteer, post: Post, **more: Any) -> None:
        shift = post.shift
        self.times[one.id].append((shift.starts_at, shift.ends_at))
        self.count[one.id] += 1
        post.capacity.taken += 1
        asked = min(shift.starts_at - timedelta(days=3, hours=2), now() - timedelta(hours=5))
        self.rows.append(
            {
                "public_id": new_public_id(),
                "post_id": post.id,
                "shift_id": shift.id,
                "volunteer_id": one.id,
                "starts_at": shift.starts_at,
                "ends_at": shift.ends_at,
                "state": SignupState.JOINED,
                "way": Way.APPROVED if self._was_approved(shift, more) else Way.SELF,
                "agreed_at": asked,
                "placed_at": asked,
                "placed_by": "demo",
                "placed_by_name": one.person.name,
                "changed_at": asked,
            }
            | more
        )


def build_signups(session: Session) -> None:
    books, posts = _Books(), _posts(session)
    volunteers = defaultdict(list)
    for one in _volunteers(session):
        volunteers[one.community_id].append(one)
    for turn, post in enumerate(posts):
        past = post.shift.starts_at < now()
        filled = 9 if past else FILLED[turn % len(FILLED)]
        wanted = max(1, post.capacity.total * filled // 10) if past else post.capacity.total * filled // 10
        _fill(books, post, volunteers[post.shift.community_id], wanted)
    _write(session, books)
    _line(session, posts, volunteers)
    _asked(session)
    session.flush()


def _posts(session: Session) -> list[Post]:
    query = (
        sa.select(Post)
        .join(Post.shift)
        .join(Shift.activity)
        .where(Activity.state == ActivityState.PUBLISHED, Shift.state == ShiftState.OPEN)
        .options(
            joinedload(Post.shift).joinedload(Shift.activity),
            joinedload(Post.capacity),
            joinedload(Post.position).selectinload(Position.skills),
        )
        .order_by(Shift.starts_at, Post.id)
    )
    return list(session.scalars(query))


def _volunteers(session: Session) -> list[Volunteer]:
    """Those of age who were taken up."""
    query = (
        sa.select(Volunteer)
        .where(Volunteer.state == VolunteerState.ACTIVE)
        .options(
            joinedload(Volunteer.person),
            selectinload(Volunteer.absences),
            selectinload(Volunteer.skills),
            selectinload(Volunteer.times),
        )
        .order_by(Volunteer.id)
    )
    return [one for one in session.scalars(query) if (one.person.age(local(now()).date()) or 0) >= 18]


def _fill(books: _Books, post: Post, volunteers: list[Volunteer], wanted: int) -> None:
    """Who can and has done least comes next; half of those who said when they are free are asked only then."""
    fit = [one for one in volunteers if _can(one, post) and books.is_free(one, post.shift)]
    fit.sort(key=lambda one: (not _covers(one, post.shift), books.count[one.id], one.id))
    requested = post.shift.activity.joining is Joining.APPROVED and post.shift.starts_at > now() + timedelta(days=3)
    for number, one in enumerate(fit[:wanted]):
        state = SignupState.REQUESTED if requested and number % 3 == 2 else SignupState.JOINED
        books.put(one, post, state=state)


def _can(one: Volunteer, post: Post) -> bool:
    day = local(post.shift.starts_at).date()
    known = {skill.skill_id for skill in one.skills if skill.proven_at or not skill.skill.needs_proof}
    activity = post.shift.activity
    age = one.person.age(day) or 0
    if age < activity.least_age or (activity.most_age is not None and age > activity.most_age):
        return False
    return not one.is_away(day) and {skill.id for skill in post.position.skills} <= known


def _covers(one: Volunteer, shift: Shift) -> bool:
    start, end = local(shift.starts_at), local(shift.ends_at)
    return any(
        time.weekday == start.weekday() and time.opens <= start.time() and end.time() <= time.closes
        for time in one.times
    )


def _write(session: Session, books: _Books) -> None:
    session.flush()
    session.execute(sa.insert(Signup), books.rows)
    made = session.execute(sa.select(Signup.id, Signup.volunteer_id, Signup.starts_at, Signup.ends_at))
    held = [
        {"signup_id": number, "volunteer_id": volunteer, "at": at}
        for number, volunteer, starts_at, ends_at in made
        for at in pieces(starts_at, ends_at)
    ]
    session.execute(sa.insert(HeldTime), held)


def _line(session: Session, posts: list[Post], volunteers: dict[int, list[Volunteer]]) -> None:
    """Three wait for the first coming post that is full."""
    full = next((post for post in posts if post.shift.starts_at > now() + timedelta(days=2) and _is_full(post)), None)
    if full is None:
        return
    query = sa.select(Signup.volunteer_id).where(Signup.shift_id == full.shift_id)
    on = set(session.scalars(query))
    waits = [one for one in volunteers[full.shift.community_id] if one.id not in on and _can(one, full)][:3]
    for number, one in enumerate(waits):
        session.add(
            Waiting(
                capacity_id=full.capacity_id,
                person_id=one.person_id,
                kind=KIND,
                ref=one.public_id,
                state=WaitingState.WAITING,
                queued_at=now() - timedelta(hours=9 - number),
                closes_at=full.shift.starts_at,
                placed_by="demo",
                placed_by_name=one.person.name,
            )
        )


def _is_full(post: Post) -> bool:
    return post.capacity.left == 0


def _asked(session: Session) -> None:
    """李小红 is invited to a shift that misses somebody, a fellow asks everybody to take hers, one cannot come."""
    query = sa.select(Volunteer).join(Volunteer.person).options(joinedload(Volunteer.person))
    mine = session.scalar(query.where(Volunteer.state == VolunteerState.ACTIVE).order_by(Volunteer.id).limit(1))
    for one in session.scalars(query.order_by(Volunteer.id)):
        mine = one if one.person.name == HERS else mine
    if mine is None:
        return
    coming = sa.select(Signup).where(Signup.starts_at > now() + timedelta(days=1), Signup.state == SignupState.JOINED)
    near = sa.select(Shift.id).where(Shift.community_id == mine.community_id)
    coming = coming.where(Signup.shift_id.in_(near))
    others = coming.where(Signup.volunteer_id != mine.id).order_by(Signup.starts_at, Signup.id)
    found = session.scalars(others.limit(40)).all()
    if not found:
        return
    session.add(Swap(signup_id=found[len(found) // 2].id, words="那天要带孙子打疫苗"))
    for signup in found:
        signup.can_stay = signup.id % 3 == 0
    soon = session.scalars(
        sa.select(Signup)
        .where(Signup.starts_at > now(), Signup.starts_at < now() + timedelta(hours=24))
        .where(Signup.state == SignupState.JOINED, Signup.volunteer_id != mine.id)
        .order_by(Signup.starts_at.desc(), Signup.id)
    ).first()
    if soon is not None:
        soon.leave_asked_at, soon.leave_words = now() - timedelta(minutes=40), "发烧了，怕传染老人"
    _invite(session, mine)


def _invite(session: Session, mine: Volunteer) -> None:
    """To a shift that still misses somebody and lies on none of hers."""
    held = sa.select(Signup.starts_at, Signup.ends_at).where(Signup.volunteer_id == mine.id)
    own = [(starts, ends) for starts, ends in session.execute(held)]
    query = (
        sa.select(Post)
        .join(Post.shift)
        .join(Post.capacity)
        .join(Shift.activity)
        .where(
            Shift.starts_at > now() + timedelta(days=2),
            Shift.community_id == mine.community_id,
            Capacity.taken < Capacity.total,
            Activity.state == ActivityState.PUBLISHED,
        )
        .options(joinedload(Post.shift).joinedload(Shift.activity), joinedload(Post.position))
        .order_by(Shift.starts_at, Post.id)
    )
    for post in session.scalars(query):
        shift = post.shift
        if _can(mine, post) and not any(start < shift.ends_at and shift.starts_at < end for start, end in own):
            until = min(now() + timedelta(hours=30), shift.starts_at)
            session.add(
                Invitation(
                    post_id=post.id,
                    volunteer_id=mine.id,
                    words="上次您做得很好，这次还缺一位。",
                    answer_by=until,
                    asked_by_name=BY,
                )
            )
            return
