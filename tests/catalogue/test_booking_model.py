"""Appointments and the line before a slot, whatever happens in whatever order: no place lost, none sold twice."""

from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from portal.catalogue.models.appointments import HOLDS, Appointment, AppointmentState, Channel
from portal.catalogue.models.appointments import MOVES as APPOINTMENT_MOVES
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import booking, changing, waiting
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import MOVES as WAITING_MOVES
from portal.places.models import Capacity, Waiting, WaitingState
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue.bookings import a_slot, item_of

WHO = st.integers(0, 4)


class Slots(RuleBasedStateMachine):
    """Five people and a slot of two places; the clock goes on by hours."""

    make = None

    def __init__(self):
        super().__init__()
        self.moment = now()
        slot = a_slot(self.make, places=2, starts=self.moment + timedelta(days=3))
        self.slot_id, self.capacity_id = slot.id, slot.capacity_id
        self.people = [self.make.person(f"居民{number}").id for number in range(5)]
        self.by = actor_of(self.make.worker())
        self.seen = {}

    def act(self, what):
        """Do something at the machine's time; a refusal is an answer."""
        with time_machine.travel(self.moment, tick=False), suppress(Refused), transaction() as session:
            what(session, session.get_one(Slot, self.slot_id))

    def _appointment(self, session, who):
        query = sa.select(Appointment).where(
            Appointment.slot_id == self.slot_id, Appointment.person_id == self.people[who]
        )
        return session.scalars(query.order_by(Appointment.id.desc())).first()

    def _row(self, session, who):
        query = sa.select(Waiting).where(Waiting.capacity_id == self.capacity_id, Waiting.person_id == self.people[who])
        return session.scalars(query.order_by(Waiting.id.desc())).first()

    @rule(who=WHO)
    def book(self, who):
        self.act(
            lambda session, slot: booking.book(
                slot, item_of(slot), session.get_one(Person, self.people[who]), by=self.by, channel=Channel.COUNTER
            )
        )

    @rule(who=WHO)
    def join(self, who):
        self.act(
            lambda session, slot: waiting.join(
                slot, item_of(slot), session.get_one(Person, self.people[who]), by=self.by
            )
        )

    @rule(who=WHO)
    def take(self, who):
        def act(session, slot):
            row = self._row(session, who)
            if row:
                waits = waiting.Waits(row, item_of(slot), slot)
                waiting.take(waits, by=self.by, channel=Channel.COUNTER)

        self.act(act)

    @rule(who=WHO)
    def leave(self, who):
        def act(session, _slot):
            row = self._row(session, who)
            if row:
                places.leave(row)

        self.act(act)

    @rule(who=WHO, state=st.sampled_from(AppointmentState))
    def move(self, who, state):
        def act(session, _slot):
            appointment = self._appointment(session, who)
            if appointment:
                changing.move(appointment, state)

        self.act(act)

    @rule(hours=st.sampled_from([1, 7, 13]))
    def time_goes_on(self, hours):
        self.moment += timedelta(hours=hours)
        with time_machine.travel(self.moment, tick=False):
            due = places.due(self.moment)
            db.session.rollback()
            for number in due:
                with transaction():
                    places.lapse(number, self.moment)

    @rule(total=st.integers(1, 4))
    def resize(self, total):
        self.act(lambda _session, _slot: places.resize(self.capacity_id, total))

    @rule()
    def call_off(self):
        if self.moment > now() + timedelta(days=2):
            self.act(lambda _session, slot: changing.call_off_slot(slot, reason="测试"))

    @invariant()
    def what_is_taken_is_booked_or_offered(self):
        db.session.rollback()
        query = sa.select(sa.func.count()).select_from(Appointment)
        held = db.session.scalar(query.where(Appointment.slot_id == self.slot_id, Appointment.state.in_(HOLDS)))
        rows = db.session.scalars(sa.select(Waiting.state).where(Waiting.capacity_id == self.capacity_id)).all()
        capacity = db.session.get_one(Capacity, self.capacity_id, populate_existing=True)
        assert capacity.taken == held + rows.count(WaitingState.OFFERED)
        assert 0 <= capacity.taken <= capacity.total
        # Nobody waits before a place that is free, but for the last minutes, in which none is offered.
        late = self.moment > db.session.get_one(Slot, self.slot_id).starts_at - timedelta(minutes=20)
        assert late or capacity.left == 0 or WaitingState.WAITING not in rows
        db.session.rollback()

    @invariant()
    def no_move_is_made_that_the_table_does_not_have(self):
        db.session.rollback()
        for model, moves in ((Appointment, APPOINTMENT_MOVES), (Waiting, WAITING_MOVES)):
            for number, state in db.session.execute(sa.select(model.id, model.state).order_by(model.id)):
                before = self.seen.get((model, number), state)
                assert state is before or _reaches(moves, before, state), (model, before, state)
                self.seen[model, number] = state
        db.session.rollback()


def _reaches(moves, before, state):
    """Directly, or by two moves: what is left is offered at once, and an offer may end while time goes on."""
    return state in moves[before] or any(state in moves[between] for between in moves[before])


def test_whatever_happens_a_place_is_booked_or_offered_or_free(make):
    Slots.make = make
    shape = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Slots, settings=shape)


def test_every_state_is_reached_from_the_first(make):
    for moves, first in ((APPOINTMENT_MOVES, AppointmentState.BOOKED), (WAITING_MOVES, WaitingState.WAITING)):
        reached = {first}
        while more := {state for known in reached for state in moves[known]} - reached:
            reached |= more
        assert reached == set(moves)
