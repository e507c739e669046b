"""The states of applications: the table of moves, and a model of everything that anybody may try."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from portal.catalogue.models.applications import (
    APPLICATION_MOVES,
    DECIDED,
    ENDED,
    OPEN,
    WAITING,
    Application,
    ApplicationState,
)
from portal.catalogue.service.applications import deciding, filing, moving, receiving
from portal.core.db import transaction
from portal.core.errors import Refused
from tests.acting import actor_of
from tests.catalogue import applying
from tests.catalogue.applying import act, read
from tests.make import Make

S = ApplicationState


@pytest.fixture
def stand(make: Make):
    person = make.person()
    return person, make.resident(person), make.worker(name="周洁"), applying.item(make)


def test_every_state_is_reached_and_has_an_exit_unless_it_is_final():
    reached, frontier = {S.DRAFT}, [S.DRAFT]
    while frontier:
        for following in APPLICATION_MOVES[frontier.pop()] - reached:
            reached.add(following)
            frontier.append(following)
    assert reached == set(S)
    assert {state for state in S if not APPLICATION_MOVES[state]} == set(ENDED)
    assert set(S) == {S.DRAFT, *OPEN, *WAITING, *DECIDED, *ENDED}


@pytest.mark.parametrize("state", list(S))
def test_no_application_makes_a_move_that_the_table_lacks(make, stand, state):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    for following in S:
        with transaction() as session:
            session.get_one(Application, made.id).state = state
        if following in APPLICATION_MOVES[state]:
            act(moving.move, made, following, by=actor_of(account))
        else:
            with pytest.raises(Refused, match="不能这样办理"):
                act(moving.move, made, following, by=actor_of(account))


class Life(RuleBasedStateMachine):
    """Everything that anybody may try, in any order: what the table lacks is refused, and nothing gets stuck."""

    stand: tuple

    def __init__(self) -> None:
        super().__init__()
        person, account, worker, item = self.stand
        with transaction() as session:
            session.execute(sa.update(Application).values(state=S.WITHDRAWN))
        self.account, self.worker = actor_of(account), actor_of(worker)
        self.made = applying.draft(item, person, account)
        self.asked = 0
        self.state = S.DRAFT

    def attempt(self, call, *arguments, **more) -> None:
        before = read(self.made).state
        try:
            act(call, self.made, *arguments, **more)
        except Refused:
            assert read(self.made).state is before
            return
        after = read(self.made).state
        assert after is before or after in APPLICATION_MOVES[before], (before, after)

    @rule(text=st.sampled_from(["漏水", ""]))
    def submit(self, text):
        self.attempt(filing.submit, text, by=self.account)

    @rule()
    def take(self):
        self.attempt(receiving.take, by=self.worker)

    @rule()
    def ask(self):
        before = read(self.made).asked_at
        self.attempt(deciding.ask, [], "缺一份", by=self.worker)
        if before is not None:
            assert read(self.made).asked_at == before

    @rule(text=st.sampled_from(["", "送到窗口"]))
    def complete(self, text):
        self.attempt(filing.complete, text, by=self.account)

    @rule()
    def resume(self):
        self.attempt(deciding.resume, "", by=self.worker)

    @rule()
    def accept(self):
        self.attempt(deciding.accept, by=self.worker)

    @rule()
    def work(self):
        self.attempt(deciding.begin_work, "", by=self.worker)

    @rule(why=st.sampled_from(["不归这里", ""]))
    def not_accept(self, why):
        self.attempt(deciding.refuse_to_accept, why, "街道", by=self.worker)

    @rule()
    def grant(self):
        self.attempt(deciding.grant, "办成", by=self.worker)

    @rule()
    def refuse(self):
        self.attempt(deciding.refuse, "不够条件", "街道复核", by=self.worker)

    @rule()
    def close(self):
        self.attempt(deciding.close, "签收", by=self.worker)

    @precondition(lambda self: read(self.made).state in OPEN)
    @rule()
    def withdraw(self):
        self.attempt(filing.withdraw, "", by=self.account)

    @invariant()
    def whoever_must_act_has_a_last_day_and_a_result_has_a_number(self):
        found = read(self.made)
        assert (found.due_on is not None) == (found.state in (*OPEN, S.ASKED))
        assert (found.result_number is not None) == (found.decided_at is not None)
        assert (found.days_left is not None) == (found.state is S.PAUSED)
        if found.state in ENDED:
            assert found.ended_at is not None


def test_whatever_is_tried_no_application_leaves_the_table(make, stand):
    Life.stand = stand
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
