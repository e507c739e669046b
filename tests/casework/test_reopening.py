"""Having a closed request done again past its limit: asked for with words, approved or refused by a worker."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import CaseState, Deed, Side
from portal.casework.service import asking, calling, doors, moves, tidying
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from tests.casework.desk import actor, case, holidays
from tests.visitor import words_shown

S = CaseState
BY = moves.Mover(Side.RESIDENT, "account")


@pytest.fixture
def old(make):
    holidays()
    return case(make, S.CLOSED, holder=make.worker(), closed_at=now() - timedelta(days=60))


def done(act, old, *args, **more):
    with transaction():
        act(db.session.get_one(Case, old.id), *args, **more)


def now_of(make, old):
    db.session.rollback()
    return make.read(old)


def test_past_the_limit_reopening_is_refused_and_says_that_it_may_be_approved(make, old):
    with pytest.raises(Refused, match="请社区批准"):
        done(asking.reopen, old, by=BY, why="又坏了")
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    found = now_of(make, old)
    assert (found.state, asking.waits_for_approval(found)) == (S.CLOSED, True)
    assert db.session.scalars(sa.select(OutboxRow.topic)).all() == ["casework.reopen_asked"]


def test_it_is_asked_once_until_it_was_answered(make, old):
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    with pytest.raises(Refused, match="请等回复"):
        done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    done(asking.refuse_reopening, old, "灯杆归电力公司", by=actor(make.worker()))
    assert not asking.waits_for_approval(now_of(make, old))
    done(asking.ask_to_reopen, old, by=BY, why="电力公司说归社区")
    assert asking.waits_for_approval(now_of(make, old))


def test_who_answers_by_what_was_read_before_another_answered_is_told(make, old):
    """Both workers had the request open; the second one's act looks again, and does nothing."""
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    by = actor(make.worker())
    with transaction() as session:
        row = session.get_one(Case, old.id)
        stale = {name: getattr(row, name) for name in ("state", "state_at", "closed_at")}
        asking.approve_reopening(row, "应当修好", by=by)
    with pytest.raises(Refused, match="刷新页面"), transaction() as session:
        row = session.get_one(Case, old.id)
        for name, value in stale.items():
            set_committed_value(row, name, value)
        asking.refuse_reopening(row, "灯杆归电力公司", by=by)
    assert now_of(make, old).state is S.REDO


def test_of_an_approval_and_a_refusal_at_once_the_second_is_told(make, old):
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    by = actor(make.worker())
    with transaction() as session:
        row = session.get_one(Case, old.id)
        steps = list(row.steps)
        asking.refuse_reopening(row, "灯杆归电力公司", by=by)
    with pytest.raises(Refused, match="刷新页面"), transaction() as session:
        row = session.get_one(Case, old.id)
        set_committed_value(row, "steps", [session.get_one(CaseStep, one.id) for one in steps])
        asking.approve_reopening(row, "应当修好", by=by)
    assert now_of(make, old).state is S.CLOSED


def test_a_second_tap_asks_nothing_twice(make, old):
    with transaction() as session:
        row = session.get_one(Case, old.id)
        assert list(row.steps) == []
        asking.ask_to_reopen(row, by=BY, why="又坏了")
    with pytest.raises(Refused, match="请等回复"), transaction() as session:
        row = session.get_one(Case, old.id)
        set_committed_value(row, "steps", [])
        asking.ask_to_reopen(row, by=BY, why="又坏了")
    assert len(now_of(make, old).steps) == 1


def test_an_approved_one_goes_back_to_who_was_first_responsible_with_a_new_limit(make, old):
    done(asking.approve_reopening, old, "灯又坏了，应当修好", by=actor(make.worker()))
    found = now_of(make, old)
    assert (found.state, found.redos, found.closed_at) == (S.REDO, 1, None)
    assert found.holder == found.first_holder
    assert found.finish_due > now()


def test_what_was_refused_is_told_with_its_reason(make, old):
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    done(asking.refuse_reopening, old, "灯杆归电力公司", by=actor(make.worker()))
    found = now_of(make, old)
    assert [step.deed for step in found.steps] == [Deed.REOPEN_ASKED, Deed.REOPEN_REFUSED]
    assert "casework.reopen_refused" in db.session.scalars(sa.select(OutboxRow.topic)).all()


@pytest.mark.parametrize("act", [asking.approve_reopening, asking.refuse_reopening])
def test_neither_answer_goes_without_a_reason_or_on_an_open_request(make, act):
    holidays()
    by = actor(make.worker())
    with pytest.raises(Refused):
        done(act, case(make, S.CLOSED, closed_at=now()), " ", by=by)
    with pytest.raises(Refused, match="办结"):
        done(act, case(make, S.WORKING), "原因", by=by)


def test_a_worker_approves_on_the_page_of_the_request(make, app, old):
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    client = app.test_client().sign_in(make.worker())
    page = client.get(f"/desk/cases/{old.public_id}").text
    assert "居民请社区批准重新办理" in page
    assert "不批准重办" in page
    answer = client.post(
        f"/desk/cases/{old.public_id}/dispatch/reopen", data={"why": "应当修好", "seen": old.state_at.isoformat()}
    )
    assert answer.status_code == 303
    assert now_of(make, old).state is S.REDO


def waiting_for(who):
    return {str(todo.words): todo.count for todo in doors.todo_of(actor(who)) if "重办" in str(todo.words)}


def test_a_reopening_asked_for_stands_on_the_desk_until_it_is_answered(make, app, old):
    """The notice is read once; the request itself is closed, and stands among the many that are over."""
    boss = make.worker()
    client = app.test_client().sign_in(boss)
    assert waiting_for(boss) == {}
    assert "待批重办" not in words_shown(client.get("/desk/cases/").text)
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    assert waiting_for(boss) == {"等批准重办的诉求": 1}
    assert "待批重办1" in words_shown(client.get("/desk/cases/").text)
    assert f"/desk/cases/{old.public_id}" in client.get("/desk/cases/?tab=reopen").text
    done(asking.refuse_reopening, old, "灯杆归电力公司", by=actor(boss))
    assert waiting_for(boss) == {}
    done(asking.ask_to_reopen, old, by=BY, why="电力公司说归社区")
    assert waiting_for(boss) == {"等批准重办的诉求": 1}
    done(asking.approve_reopening, old, "应当修好", by=actor(boss))
    assert waiting_for(boss) == {}


def test_what_waits_for_an_answer_is_not_archived_under_it(make, old):
    """Neither by the machine when its days are over nor by a worker who has not answered."""
    by = actor(make.worker())
    done(asking.ask_to_reopen, old, by=BY, why="又坏了")
    with pytest.raises(Refused, match="先批准或不批准"):
        done(calling.archive, old, by=by)
    with transaction() as session:
        session.get_one(Case, old.id).state_at = now() - timedelta(days=60)
    with transaction():
        assert tidying.archive() == 0
    done(asking.refuse_reopening, old, "灯杆归电力公司", by=by)
    with transaction():
        assert tidying.archive() == 1
    assert now_of(make, old).state is S.ARCHIVED
