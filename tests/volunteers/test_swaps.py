"""Swaps: to one, to whoever takes it, against one's own shift; both sides in one transaction or neither."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.places.models import Waiting
from portal.volunteers import jobs
from portal.volunteers.models.codes import SignupState, SwapState, Way
from portal.volunteers.models.people import Pair
from portal.volunteers.models.signups import HeldTime, Signup, Swap
from portal.volunteers.service import joining, leaving, lines, swapping
from tests.acting import actor_of
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def activity(helping):
    return helping.activity(positions=[helping.position(needs=1)])


@pytest.fixture
def first(helping, activity):
    return helping.post(helping.shift(activity, starts_at=soon(3)))


@pytest.fixture
def second(helping, activity):
    return helping.post(helping.shift(activity, starts_at=soon(4)))


def put(post, one, worker):
    with transaction():
        return joining.put_on(post, one, way=Way.SELF, by=worker, state=SignupState.JOINED)


def ask(signup, worker, **more):
    with transaction():
        return swapping.ask(signup, by=worker, **more)


def take(swap, one, worker):
    with transaction():
        return swapping.take(swap, one, by=worker)


def on(post):
    db.session.rollback()
    live = Signup.state == SignupState.JOINED
    return list(db.session.scalars(sa.select(Signup.volunteer_id).where(Signup.post_id == post.id, live)))


def held(one):
    db.session.rollback()
    return list(db.session.scalars(sa.select(HeldTime.at).where(HeldTime.volunteer_id == one.id).order_by(HeldTime.at)))


def told(topic):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}")))


def test_whoever_takes_it_has_the_place_and_the_time(make, helping, worker, first):
    giver, taker = helping.volunteer(), helping.volunteer()
    before = put(first, giver, worker)
    swap = ask(before, worker, words="家里有事")
    after = take(swap, taker, worker)
    assert on(first) == [taker.id]
    assert (held(giver), len(held(taker))) == ([], 24)
    assert (make.read(before).state, after.way) == (SignupState.LEFT, Way.SWAP)
    assert (make.read(swap).state, swap.taken_by_id) == (SwapState.DONE, taker.id)
    assert make.read(first.capacity).taken == 1
    assert {row.recipient_id for row in told("swap_done")} == {giver.person.public_id, taker.person.public_id}


def test_a_place_that_is_handed_on_does_not_go_to_the_line(make, helping, worker, first):
    giver, taker, waits = helping.volunteer(), helping.volunteer(), helping.volunteer()
    signup = put(first, giver, worker)
    with transaction():
        lines.join_line(first, waits, by=worker)
    take(ask(signup, worker), taker, worker)
    assert on(first) == [taker.id]
    assert db.session.scalar(sa.select(Waiting.state)) == "waiting"


def test_an_exchange_gives_each_the_others_place(make, helping, worker, first, second):
    one, other = helping.volunteer(), helping.volunteer()
    mine, theirs = put(first, one, worker), put(second, other, worker)
    swap = ask(mine, worker, against=theirs)
    assert swap.to_id == other.id
    take(swap, other, worker)
    assert (on(first), on(second)) == ([other.id], [one.id])
    assert held(one)[0] == second.shift.starts_at
    assert make.read(first.capacity).taken == make.read(second.capacity).taken == 1


def test_an_exchange_that_one_of_them_cannot_make_changes_nothing(helping, worker, first, second):
    one, other = helping.volunteer(), helping.volunteer()
    mine, theirs = put(first, one, worker), put(second, other, worker)
    swap = ask(mine, worker, against=theirs)
    # One has promised that day elsewhere since.
    put(helping.post(helping.shift(starts_at=second.shift.starts_at + timedelta(hours=1))), one, worker)
    with pytest.raises(Refused, match="冲突"):
        take(swap, other, worker)
    assert (on(first), on(second)) == ([one.id], [other.id])
    assert held(other)[0] == second.shift.starts_at


def test_who_does_not_fit_cannot_take_it(helping, worker, first):
    signup, other = put(first, helping.volunteer(), worker), helping.volunteer()
    put(helping.post(helping.shift(starts_at=first.shift.starts_at)), other, worker)
    swap = ask(signup, worker)
    with pytest.raises(Refused, match="冲突"):
        take(swap, other, worker)
    assert not swapping.verdict_of(swap, other).fits


def test_what_is_asked_of_one_nobody_else_may_take(helping, worker, first):
    signup, asked, stranger = put(first, helping.volunteer(), worker), helping.volunteer(), helping.volunteer()
    swap = ask(signup, worker, to=asked)
    with pytest.raises(Missing):
        take(swap, stranger, worker)
    with pytest.raises(Missing):
        swapping.swap_for([stranger], swap.public_id)
    assert swapping.open_for(stranger) == []
    assert swapping.open_for(asked) == [swap]
    with transaction():
        swapping.decline(swap, asked)
    assert told("swap_declined")[0].recipient_id == signup.volunteer.person.public_id
    with pytest.raises(Refused, match="刷新"):
        take(swap, asked, worker)


def test_it_is_taken_once(helping, worker, first):
    swap = ask(put(first, helping.volunteer(), worker), worker)
    take(swap, helping.volunteer(), worker)
    with pytest.raises(Refused, match="有人接了"):
        take(swap, helping.volunteer(), worker)


def test_one_place_is_asked_about_once_until_it_is_taken_back(helping, worker, first):
    signup = put(first, helping.volunteer(), worker)
    swap = ask(signup, worker)
    with pytest.raises(Refused, match="先收回"):
        ask(signup, worker)
    with transaction():
        swapping.withdraw(swap, by=worker)
    ask(signup, worker)


def test_leaving_ends_the_wish_to_swap(make, helping, worker, first):
    signup = put(first, helping.volunteer(), worker)
    swap = ask(signup, worker)
    with transaction():
        leaving.leave(signup, by=worker)
    assert make.read(swap).state is SwapState.LAPSED
    with pytest.raises(Refused):
        take(swap, helping.volunteer(), worker)


def test_everybody_is_shown_only_what_they_fit(helping, worker, first):
    swap = ask(put(first, helping.volunteer(), worker), worker)
    free, busy = helping.volunteer(), helping.volunteer()
    put(helping.post(helping.shift(starts_at=first.shift.starts_at)), busy, worker)
    assert swapping.open_for(free) == [swap]
    assert swapping.open_for(busy) == []


def test_fellows_are_those_on_the_other_shifts(helping, worker, first, second):
    mine = put(first, helping.volunteer(), worker)
    theirs = put(second, helping.volunteer(), worker)
    put(helping.post(helping.shift(starts_at=soon(5))), helping.volunteer(), worker)
    assert swapping.fellows(mine) == [theirs]


def test_what_nobody_took_before_the_shift_lapses_and_she_is_told(make, helping, worker, first):
    signup = put(first, helping.volunteer(), worker)
    swap = ask(signup, worker)
    with time_machine.travel(first.shift.starts_at + timedelta(minutes=1), tick=False):
        jobs.lapse_questions()
        jobs.lapse_questions()
    assert make.read(swap).state is SwapState.LAPSED
    assert len(told("swap_lapsed")) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Swap)) == 1
    assert make.read(signup).state is SignupState.JOINED
    assert now() < signup.starts_at


def test_only_those_free_and_fit_are_offered_to_choose_from(make, helping, worker, first, second):
    mine, theirs = put(first, helping.volunteer(), worker), put(second, helping.volunteer(), worker)
    busy, free = helping.volunteer(make.person("周忙")), helping.volunteer(make.person("李闲"))
    put(helping.post(helping.shift(starts_at=first.shift.starts_at)), busy, worker)
    for days, one in ((5, busy), (6, free)):
        put(helping.post(helping.shift(first.shift.activity, starts_at=soon(days))), one, worker)
    found = swapping.partners(make.read(mine))
    assert {one.volunteer_id for one in found.takers} == {theirs.volunteer_id, free.id}
    assert {one.volunteer_id for one in found.exchanges} == {theirs.volunteer_id, free.id}


def test_one_of_an_always_pair_is_offered_no_exchange_that_would_be_refused(make, helping, worker, first, second):
    one, other = helping.volunteer(), helping.volunteer()
    mine, _theirs = put(first, one, worker), put(second, other, worker)
    partner = helping.volunteer()
    make.add(Pair(one_id=other.id, other_id=partner.id, always=True))
    assert swapping.partners(make.read(mine)).exchanges == []


def test_an_exchange_past_the_days_hours_is_neither_offered_nor_said_to_fit(helping, worker):
    activity, day = helping.activity(day_minutes=180), today() + timedelta(days=3)
    first, second = (
        helping.post(helping.shift(activity, starts_at=at(day + timedelta(days=later), time(9)))) for later in (0, 2)
    )
    one, other = helping.volunteer(), helping.volunteer()
    mine, theirs = put(first, one, worker), put(second, other, worker)
    swap = ask(mine, worker, against=theirs)
    assert swapping.verdict_of(swap, other).fits
    # Elsewhere two hours of that day are promised already.
    put(helping.post(helping.shift(starts_at=at(day, time(14)))), other, worker)
    assert swapping.partners(mine).exchanges == []
    assert swapping.verdict_of(swap, other).code == "over_day"
    with pytest.raises(Refused, match="超过一天"):
        take(swap, other, worker)
