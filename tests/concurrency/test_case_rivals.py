"""Two workers who act on one request at the same moment: one wins, the other is told, on both databases."""

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import CaseState
from portal.casework.service import dispatching, handling, moves
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from tests.casework.desk import actor, case
from tests.concurrency.test_portions import at_once

S = CaseState
SEEN = ("state", "state_at", "holder", "holder_name", "returns")


def rivals(app, found, acts):
    """Each act on a thread of its own, on the request as all of them saw it before any of them wrote."""
    case_id, met, told = found.id, threading.Barrier(len(acts), timeout=60), []

    def run(number):
        row = db.session.get_one(Case, case_id)
        seen = {name: getattr(row, name) for name in SEEN}
        db.session.rollback()
        met.wait()
        try:
            with app.test_request_context(), transaction() as session:
                row = session.get_one(Case, case_id)
                for name, value in seen.items():
                    set_committed_value(row, name, value)
                acts[number](row)
            return True
        except Refused as refused:
            told.append(str(refused))
            return False

    won = at_once(app, len(acts), run)
    db.session.rollback()
    db.session.expire_all()
    return won, told


def moved_to(state):
    query = sa.select(sa.func.count()).select_from(CaseStep).where(CaseStep.to_state == state)
    return db.session.scalar(query)


@pytest.fixture
def crew(make):
    """Two dispatchers and two who handle."""
    roles = [Role.COMMUNITY_WORKER, Role.COMMUNITY_WORKER, Role.CASE_WORKER, Role.CASE_WORKER]
    return [make.worker(role, name=f"张{turn}") for turn, role in enumerate(roles)]


def dispatches(crew):
    def by(turn):
        to = crew[2 + turn].public_id
        return lambda row: dispatching.assign(row, to, "", by=actor(crew[turn]))

    return [by(0), by(1)]


def unguarded(statement):
    """The same write, whatever became of the request meanwhile."""
    bare = statement._clone()
    bare._where_criteria = ()
    db.session.execute(bare)
    return True


def test_of_two_who_dispatch_a_request_at_once_one_wins_and_the_other_is_told(app, make, crew):
    found = case(make, S.ACCEPTED)
    won, told = rivals(app, found, dispatches(crew))
    assert (won, len(told)) == (1, 1)
    assert "刷新页面" in told[0]
    assert moved_to(S.ASSIGNED) == 1
    assert db.session.get_one(Case, found.id).holder in {one.public_id for one in crew[2:]}


def test_without_the_guard_both_would_have_dispatched_it(app, make, crew, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(moves, "guarded", unguarded)
    won, told = rivals(app, case(make, S.ACCEPTED), dispatches(crew))
    assert (won, told, moved_to(S.ASSIGNED)) == (2, [], 2)


def test_a_request_returned_twice_at_once_is_returned_once(app, make, crew):
    found = case(make, S.ASSIGNED, holder=crew[2])
    twice = [lambda row: handling.give_back(row, "不在我的网格", by=actor(crew[2]))] * 2
    won, told = rivals(app, found, twice)
    assert (won, len(told), moved_to(S.RETURNED)) == (1, 1, 1)
    assert db.session.get_one(Case, found.id).returns == 1


def test_returned_and_given_to_another_at_once_only_one_happens(app, make, crew):
    found = case(make, S.ASSIGNED, holder=crew[2])
    other = crew[3].public_id
    won, told = rivals(
        app,
        found,
        [
            lambda row: handling.give_back(row, "不在我的网格", by=actor(crew[2])),
            lambda row: dispatching.assign(row, other, "他更熟悉", by=actor(crew[0])),
        ],
    )
    assert (won, len(told)) == (1, 1)
    assert moved_to(S.RETURNED) + moved_to(S.ASSIGNED) == 1
    now = db.session.get_one(Case, found.id)
    assert (now.state, now.holder) in {(S.RETURNED, ""), (S.ASSIGNED, other)}
