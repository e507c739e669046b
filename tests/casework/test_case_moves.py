"""The state machine of requests: the table, the one function that moves, and what may not be."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.casework.models.cases import COMMITTEE_FREE, Case, CasePause, CaseStep
from portal.casework.models.codes import CASE_MOVES, DONE, FINAL, HELD, OPEN, RUNNING, CaseState
from portal.casework.service import moves
from portal.core import audit
from portal.core.db import db, transaction
from portal.core.errors import Refused
from tests.acting import actor_of
from tests.casework.asked import Street, street, told
from tests.make import Make

S = CaseState


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def reached(start: CaseState) -> Iterator[CaseState]:
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        yield state
        fresh = CASE_MOVES[state] - seen
        seen |= fresh
        todo += sorted(fresh)


def test_every_state_has_its_moves_and_every_state_can_be_reached() -> None:
    assert set(CASE_MOVES) == set(CaseState)
    assert set(reached(S.DRAFT)) == set(CaseState)


def test_from_every_state_but_the_archive_there_is_a_way_out_and_at_last_into_it() -> None:
    assert {state for state, to in CASE_MOVES.items() if not to} == FINAL
    for state in CaseState:
        assert S.ARCHIVED in set(reached(state)), state


def test_the_groups_of_states_agree_with_the_table() -> None:
    assert HELD < OPEN < RUNNING
    assert not FINAL & RUNNING
    assert not DONE & HELD


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(list(CaseState)), min_size=1, max_size=25))
def test_only_moves_of_the_table_happen_and_each_leaves_a_line(make: Make, wanted: list[CaseState]) -> None:
    """Whatever is asked for in whatever order, the case moves along the table, and its timeline tells just that."""
    place = make.community()
    worker = make.worker()
    with transaction():
        case = Case(community_id=place.id, title="路灯不亮", number=f"M{make.number():07d}")
        db.session.add(case)
        db.session.flush()
        expected = [(None, S.DRAFT)]
        for state in wanted:
            before = case.state
            allowed = state in CASE_MOVES[before]
            try:
                moves.move(case, state, by=moves.worker(actor_of(worker)), words="办理")
                assert allowed
                expected.append((before, state))
            except Refused:
                assert not allowed
                assert case.state is before
        steps = [(one.from_state, one.to_state) for one in case.steps]
        assert steps == expected[1:]
        assert all(after in CASE_MOVES[was] for was, after in steps if was is not None)
        open_pauses = sum(pause.until is None for pause in case.pauses)
        assert open_pauses == (case.state is S.PAUSED)
        assert case.is_late(case.state_at) in {True, False}


def test_two_who_move_at_once_one_is_told_so(place: Street) -> None:
    case = place.sent(place.resident())
    worker = actor_of(place.make.worker())
    with transaction():
        stale = db.session.get_one(Case, case.id)
        moves.move(stale, S.ACCEPTED, by=moves.worker(worker))
        # As another request, which read it before, still sees it.
        sa.orm.attributes.set_committed_value(stale, "state", S.SUBMITTED)
        with pytest.raises(Refused, match="已受理"):
            moves.move(stale, S.DECLINED, by=moves.worker(worker))
        assert db.session.scalar(sa.select(sa.func.count(CaseStep.id)).where(CaseStep.to_state == S.DECLINED)) == 0


def test_what_is_off_the_list_cannot_be_given_to_the_committee(place: Street) -> None:
    case = place.sent(place.resident(), "楼顶私搭阳光房", "illegal")
    worker = place.make.worker()
    place.moved(case, S.ACCEPTED, by=worker)
    with pytest.raises(Refused, match="不在居委会事项清单") as refused:
        place.moved(case, S.ASSIGNED, by=worker)
    assert refused.value.field == "party"
    place.moved(case, S.ASSIGNED, by=worker, party="街道综合行政执法队")
    assert db.session.get_one(Case, case.id).state is S.ASSIGNED


def test_the_database_itself_refuses_the_committee_as_responsible_party(place: Street) -> None:
    case = place.sent(place.resident(), "楼顶私搭阳光房", "illegal")
    for state in set(CaseState) - {S(code) for code in COMMITTEE_FREE}:
        with pytest.raises(sa.exc.IntegrityError), transaction():
            db.session.execute(sa.update(Case).where(Case.id == case.id).values(state=state))


def test_the_database_refuses_a_third_return(place: Street) -> None:
    case = place.sent(place.resident())
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Case).where(Case.id == case.id).values(returns=3))


def test_a_pause_has_an_end_when_the_work_goes_on(place: Street) -> None:
    case, worker = place.sent(place.resident()), place.make.worker()
    place.moved(case, S.ACCEPTED, S.ASSIGNED, S.SIGNED, S.WORKING, S.PAUSED, by=worker)
    (pause,) = db.session.scalars(sa.select(CasePause)).all()
    assert pause.until is None
    db.session.rollback()
    place.moved(case, S.WORKING, by=worker)
    db.session.expire_all()
    assert db.session.scalars(sa.select(CasePause.until)).one() is not None


def test_the_reporter_and_the_holder_are_told_and_who_acts_is_not(place: Street) -> None:
    who, dispatcher, grid = place.resident(), place.make.worker(), place.make.worker(name="王建国")
    case = place.sent(who)
    place.moved(case, S.ACCEPTED, by=dispatcher)
    with transaction():
        held = {"holder": grid.public_id, "holder_name": grid.name}
        moves.move(case, S.ASSIGNED, by=moves.worker(actor_of(dispatcher)), to_name=grid.name, **held)
    assert [row.recipient_id for row in told("casework.given")] == [grid.public_id]
    assert [row.recipient_id for row in told("casework.accepted")] == [who.person.public_id]
    assert who.person.name not in str([row.facts for row in told("casework.given")])
    db.session.rollback()
    place.moved(case, S.SIGNED, S.WORKING, S.ANSWERED, by=grid)
    (row,) = told("casework.answered")
    assert row.facts["path"].startswith("/cases/reply/")


def test_every_move_is_in_the_audit_without_words(place: Street) -> None:
    case, worker = place.sent(place.resident()), place.make.worker()
    place.moved(case, S.ACCEPTED, S.DECLINED, by=worker)
    moved = sa.select(audit.AuditRow).where(audit.AuditRow.action == "cases.moved")
    rows = db.session.scalars(moved.order_by(audit.AuditRow.id))
    assert [row.facts["state"] for row in rows] == ["submitted", "accepted", "declined"]
