"""Whatever sequence of joins, leaves, swaps, promotions and undos: no shift over-filled, nobody in two places."""

from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.places import service as places
from portal.places.models import Capacity, Waiting, WaitingState
from portal.volunteers import jobs
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, SIGNUP_MOVES, SignupState, SwapState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Signup, Swap
from portal.volunteers.service import held, joining, leaving, lines, requests, swapping
from tests.acting import actor_of
from tests.helping import Helping, soon

WHO, WHERE = st.integers(0, 4), st.integers(0, 3)
ENDS = (SignupState.LEFT, SignupState.REMOVED, SignupState.REFUSED, SignupState.CALLED_OFF)


class Shifts(RuleBasedStateMachine):
    """Five volunteers and four posts: two of one time, one that overlaps them, one that follows at once."""

    make = None

    def __init__(self):
        super().__init__()
        db.session.rollback()
        helping = Helping(self.make)
        self.moment = now()
        starts = soon(3)
        activity = helping.activity(positions=[helping.position(needs=2)])
        other = helping.activity(positions=[helping.position(needs=1)])
        spans = [(activity, 0, 2), (other, 0, 2), (other, 1, 2), (activity, 2, 2)]
        shifts = [helping.shift(what, starts_at=starts + timedelta(hours=h), hours=long) for what, h, long in spans]
        self.posts = [helping.post(shift).id for shift in shifts]
        self.people = [helping.volunteer().id for _number in range(5)]
        self.by = actor_of(self.make.worker())
        self.seen = {}

    def act(self, what):
        """Do something at the machine's time; a refusal is an answer."""
        with time_machine.travel(self.moment, tick=False), suppress(Refused, Missing), transaction() as session:
            what(session)

    def post(self, session, where):
        return session.get_one(Post, self.posts[where])

    def one(self, session, who):
        return session.get_one(Volunteer, self.people[who])

    def signup(self, session, where, who):
        query = sa.select(Signup).where(
            Signup.post_id == self.posts[where],
            Signup.volunteer_id == self.people[who],
            Signup.state.in_(HOLDS),
        )
        return session.scalars(query.order_by(Signup.id.desc())).first()

    @rule(where=WHERE, who=WHO, asks=st.booleans(), way=st.sampled_from([Way.SELF, Way.WORKER]), checked=st.booleans())
    def join(self, where, who, asks, way, checked):
        state = SignupState.REQUESTED if asks else SignupState.JOINED
        self.act(
            lambda session: joining.put_on(
                self.post(session, where), self.one(session, who), way=way, by=self.by, state=state, checked=checked
            )
        )

    @rule(where=WHERE, who=st.sets(WHO, min_size=2, max_size=3))
    def join_together(self, where, who):
        facts = {"way": Way.FAMILY, "by": self.by, "state": SignupState.JOINED, "agreed_at": self.moment}
        self.act(
            lambda session: joining.put_on_all(
                self.post(session, where), [self.one(session, one) for one in sorted(who)], **facts
            )
        )

    @rule(where=WHERE, who=st.sets(WHO, min_size=2, max_size=4))
    def apply_a_plan(self, where, who):
        """One by one, each on trial: a refusal leaves nothing behind and the next goes on."""

        def act(session):
            for one in sorted(who):
                with suppress(Refused):
                    joining.put_on(self.post(session, where), self.one(session, one), way=Way.PLAN, by=self.by)

        self.act(act)

    @rule(where=WHERE)
    def undo_a_plan(self, where):
        def act(session):
            query = sa.select(Signup).where(Signup.post_id == self.posts[where], Signup.way == Way.PLAN)
            for signup in session.scalars(query.where(Signup.state == SignupState.JOINED).order_by(Signup.id)).all():
                joining.take_off(signup, SignupState.REMOVED, by=self.by, reason="撤回方案")

        self.act(act)

    @rule(where=WHERE, who=WHO)
    def wait(self, where, who):
        self.act(lambda session: lines.join_line(self.post(session, where), self.one(session, who), by=self.by))

    @rule(who=WHO)
    def take_or_leave_what_is_offered(self, who):
        def act(session):
            for waits in lines.waits_of([self.one(session, who)])[:1]:
                if waits.waiting.state is WaitingState.OFFERED:
                    lines.take(waits, by=self.by)
                else:
                    lines.leave(waits)

        self.act(act)

    @rule(where=WHERE, who=WHO)
    def leave(self, where, who):
        def act(session):
            if signup := self.signup(session, where, who):
                leaving.leave(signup, by=self.by)

        self.act(act)

    @rule(where=WHERE, who=WHO, state=st.sampled_from(ENDS))
    def take_off(self, where, who, state):
        def act(session):
            if signup := self.signup(session, where, who):
                joining.take_off(signup, state, by=self.by, reason="测试")

        self.act(act)

    @rule(where=WHERE, who=WHO, state=st.sampled_from(sorted(HOLDS)))
    def mark(self, where, who, state):
        def act(session):
            if signup := self.signup(session, where, who):
                joining.mark(signup, SignupState(state), by=self.by)

        self.act(act)

    @rule(where=WHERE, who=WHO, yes=st.booleans())
    def answer(self, where, who, yes):
        def act(session):
            if signup := self.signup(session, where, who):
                requests.answer_request(signup, yes=yes, by=self.by, reason="测试")

        self.act(act)

    @rule(where=WHERE, who=WHO, against=st.tuples(WHERE, WHO) | st.none())
    def ask_to_swap(self, where, who, against):
        def act(session):
            signup = self.signup(session, where, who)
            theirs = self.signup(session, *against) if against else None
            if signup:
                swapping.ask(signup, by=self.by, against=theirs)

        self.act(act)

    @rule(who=WHO)
    def take_a_swap(self, who):
        def act(session):
            query = sa.select(Swap).where(Swap.state == SwapState.ASKED).order_by(Swap.id)
            swap = session.scalars(query).first()
            if swap:
                swapping.take(swap, self.one(session, who), by=self.by)

        self.act(act)

    @rule(moves=st.lists(st.tuples(WHERE, WHO, WHERE), min_size=1, max_size=2, unique=True))
    def rearrange(self, moves):
        def act(session):
            pairs = [(self.signup(session, where, who), self.post(session, to)) for where, who, to in moves]
            if all(signup for signup, _post in pairs) and len({signup.id for signup, _post in pairs}) == len(pairs):
                joining.rearrange(pairs, way=Way.WORKER, by=self.by, checked=False)

        self.act(act)

    @rule(where=WHERE, total=st.integers(1, 3))
    def resize(self, where, total):
        self.act(lambda session: places.resize(self.post(session, where).capacity_id, total))

    @rule(hours=st.sampled_from([1, 7, 20]))
    def time_goes_on(self, hours):
        self.moment += timedelta(hours=hours)
        with time_machine.travel(self.moment, tick=False):
            due = places.due(self.moment)
            db.session.rollback()
            for number in due:
                with transaction():
                    places.lapse(number, self.moment)
            jobs.promote_lines()
            jobs.lapse_questions()

    @invariant()
    def what_is_taken_is_held_or_offered(self):
        db.session.rollback()
        for post_id in self.posts:
            post = db.session.get_one(Post, post_id)
            capacity = db.session.get_one(Capacity, post.capacity_id, populate_existing=True)
            query = sa.select(sa.func.count()).select_from(Signup)
            holders = db.session.scalar(query.where(Signup.post_id == post_id, Signup.state.in_(HOLDS)))
            rows = db.session.scalars(sa.select(Waiting.state).where(Waiting.capacity_id == capacity.id)).all()
            assert capacity.taken == holders + rows.count(WaitingState.OFFERED)
            assert 0 <= capacity.taken <= capacity.total
        db.session.rollback()

    @invariant()
    def held_times_are_those_of_who_is_on(self):
        db.session.rollback()
        query = sa.select(Signup).where(Signup.state.in_(HOLDS)).join(Shift, Shift.id == Signup.shift_id)
        wanted = [
            (signup.volunteer_id, at, signup.id)
            for signup in db.session.scalars(query).all()
            for at in held.pieces(signup.starts_at, signup.ends_at)
        ]
        found = db.session.execute(sa.select(HeldTime.volunteer_id, HeldTime.at, HeldTime.signup_id))
        assert sorted(tuple(row) for row in found) == sorted(wanted)
        assert len({(volunteer, at) for volunteer, at, _signup in wanted}) == len(wanted)
        db.session.rollback()

    @invariant()
    def no_move_is_made_that_the_table_does_not_have(self):
        db.session.rollback()
        for number, state in db.session.execute(sa.select(Signup.id, Signup.state).order_by(Signup.id)):
            before = self.seen.get(number, state)
            assert state is before or _reaches(before, state), (before, state)
            self.seen[number] = state
        db.session.rollback()

    @invariant()
    def a_wish_to_swap_lives_as_long_as_its_signup(self):
        db.session.rollback()
        for swap in db.session.scalars(sa.select(Swap).where(Swap.state == SwapState.ASKED)).all():
            db.session.refresh(swap.signup)
            assert swap.signup.holds()
        db.session.rollback()


def _reaches(before, state):
    """Directly, or by two moves of one act."""
    return state in SIGNUP_MOVES[before] or any(state in SIGNUP_MOVES[between] for between in SIGNUP_MOVES[before])


def test_whatever_happens_nobody_is_in_two_places_and_no_shift_over_filled(make):
    Shifts.make = make
    shape = settings(
        max_examples=10,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Shifts, settings=shape)


def test_every_state_is_reached_from_the_first(make):
    reached = {SignupState.REQUESTED}
    while more := {state for known in reached for state in SIGNUP_MOVES[known]} - reached:
        reached |= more
    assert reached == set(SignupState)
