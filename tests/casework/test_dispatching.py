"""Dispatching: accept or not, give, take, rotate; limits of returning; the second of two is told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import CaseKind, CaseState, Deed, Urgency
from portal.casework.service import dispatching, handling, loads, queue
from portal.casework.service.dispatching import Class
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from tests.casework.desk import actor, case, category

S = CaseState


def read(one):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, one.id)


def test_who_is_not_helped_here_is_told_where_to_go(make):
    found, by = case(make, S.SUBMITTED), actor(make.worker())
    with transaction():
        dispatching.decline(found, "不属于社区管理", "请打 12345", by=by)
    step = db.session.scalars(sa.select(CaseStep)).one()
    assert (read(found).state, step.words) == (S.DECLINED, "不属于社区管理。可以这样办：请打 12345")


@pytest.mark.parametrize(("why", "channel", "field"), [("", "12345", "why"), ("不归社区管", " ", "channel")])
def test_declining_asks_a_reason_and_another_door(make, why, channel, field):
    with pytest.raises(Refused) as refused:
        dispatching.decline(case(make, S.SUBMITTED), why, channel, by=actor(make.worker()))
    assert refused.value.field == field


def test_what_is_given_before_it_was_accepted_is_accepted_with_it(make):
    found, by, whom = case(make, S.SUBMITTED), actor(make.worker()), make.worker(name="王建国")
    with transaction():
        dispatching.assign(found, whom.public_id, "", by=by)
    found = read(found)
    assert (found.state, found.holder, found.first_holder) == (S.ASSIGNED, whom.public_id, whom.public_id)
    assert found.accepted_at is not None
    assert found.sign_due is not None


def test_whoever_is_given_something_hears_of_it(make):
    found, whom = case(make), make.worker(name="王建国")
    with transaction():
        dispatching.assign(found, whom.public_id, "", by=actor(make.worker()))
    told = set(db.session.execute(sa.select(OutboxRow.topic, OutboxRow.recipient_id)).all())
    assert ("casework.given", whom.public_id) in told


def test_only_who_handles_requests_there_can_be_given_one(make):
    elsewhere = make.worker(scope=make.community("别的社区"), name="外人")
    street = make.worker(Role.STREET_ADMINISTRATOR)
    for one in (elsewhere, street):
        with pytest.raises(Refused, match="名单"):
            dispatching.assign(case(make), one.public_id, "", by=actor(make.worker()))


def test_who_is_complained_of_is_never_given_it(make):
    accused = make.worker(name="周洁")
    found = case(make, against_worker=accused.public_id)
    assert accused.public_id not in {one.public_id for one in loads.candidates(found)}


def test_a_grid_worker_of_another_grid_is_no_candidate(make):
    here, there = make.grid(), make.grid(name="第二网格")
    mine, other = make.worker(Role.GRID_WORKER, here), make.worker(Role.GRID_WORKER, there)
    found = {one.public_id for one in loads.candidates(case(make, grid_id=here.id))}
    assert mine.public_id in found
    assert other.public_id not in found


def test_taking_it_out_of_somebodys_hands_asks_a_reason(make):
    first, second = make.worker(name="甲"), make.worker(name="乙")
    found = case(make, S.ASSIGNED, holder=first)
    with pytest.raises(Refused, match="改派"):
        dispatching.assign(found, second.public_id, " ", by=actor(make.worker()))
    with transaction():
        dispatching.assign(found, second.public_id, "甲请假了", by=actor(make.worker()))
    assert (read(found).holder, read(found).first_holder) == (second.public_id, first.public_id)


def test_rotation_gives_to_whoever_has_least(make):
    busy, free = make.worker(name="忙"), make.worker(name="闲")
    case(make, S.WORKING, holder=busy)
    found = case(make)
    with transaction():
        assert dispatching.rotate(found, by=actor(make.worker(scope=make.street(), role=Role.COMMUNITY_WORKER))) == "闲"
    assert read(found).holder == free.public_id


def test_of_equals_whoever_was_given_something_the_longest_ago_is_next(make):
    lately, longago = make.worker(name="甲"), make.worker(name="乙")
    for worker, days in ((lately, 1), (longago, 9)):
        case(make, S.CLOSED, holder=worker, at=now() - timedelta(days=days))
    whom = loads.next_in_turn(case(make))
    assert whom is not None
    assert whom.public_id == longago.public_id


def test_rotation_is_fair_over_many(make):
    workers = [make.worker(name=name) for name in "甲乙丙"]
    for _turn in range(9):
        found = case(make)
        with transaction():
            dispatching.rotate(found, by=actor(workers[0]))
    held = loads.held_by([one.public_id for one in workers])
    assert sorted(load.open for load in held.values()) == [3, 3, 3]


def test_who_takes_it_herself_has_signed_for_it(make):
    found, me = case(make, S.SUBMITTED), make.worker()
    with transaction():
        dispatching.take(found, by=actor(me))
    assert (read(found).state, read(found).holder) == (S.SIGNED, me.public_id)


def test_what_was_returned_can_be_taken(make):
    found, me = case(make, S.RETURNED, returns=1), make.worker()
    with transaction():
        dispatching.take(found, by=actor(me))
    assert read(found).state is S.SIGNED


def test_the_second_of_two_who_take_it_is_told_by_whom(make):
    found, first, second = case(make), make.worker(name="甲"), make.worker(name="乙")
    with transaction():
        dispatching.take(found, by=actor(first))
    with pytest.raises(Refused, match="甲"):
        dispatching.take(read(found), by=actor(second))


def test_who_looks_at_an_older_state_is_told_who_was_quicker(make):
    found, first = case(make), make.worker(name="甲")
    seen = found.state_at.isoformat()
    with transaction():
        dispatching.take(found, by=actor(first))
    with pytest.raises(Refused, match="甲刚刚办理过"):
        dispatching.unchanged(read(found), seen)


def test_classing_it_otherwise_moves_the_end_and_leaves_a_trace(make):
    found = case(make, category_id=category(make).id)
    other = category(make, "违章搭建", "illegal", kind=CaseKind.REPORT)
    was = found.finish_due
    with transaction():
        dispatching.classify(found, Class(other, CaseKind.REPORT, Urgency.HARD), {}, by=actor(make.worker()))
    found = read(found)
    assert (found.category.code, found.urgency) == ("illegal", Urgency.HARD)
    assert found.finish_due > was
    assert db.session.scalars(sa.select(CaseStep.deed)).all() == [Deed.CLASSIFIED]


def test_a_question_that_must_be_answered_is_asked(make):
    asked = [{"key": "trapped", "label": "有没有人困在里面", "required": True, "choices": ["没有", "有"]}]
    lift = category(make, "电梯", "lift", questions=asked)
    told = Class(lift, CaseKind.HELP, Urgency.URGENT)
    with pytest.raises(Refused) as refused:
        dispatching.classify(case(make), told, {}, by=actor(make.worker()))
    assert refused.value.field == "q_trapped"


def test_the_committee_cannot_answer_for_what_is_off_its_list(make):
    illegal = category(make, "违章搭建", "illegal", off_list=True)
    whom, by = make.worker(), actor(make.worker())
    found = case(make, category_id=illegal.id, off_list=True)
    with pytest.raises(Refused) as refused:
        dispatching.assign(found, whom.public_id, "", by=by)
    assert refused.value.field == "party"
    with pytest.raises(Refused) as refused:
        dispatching.classify(found, Class(illegal, CaseKind.REPORT, Urgency.NORMAL), {}, by=by)
    assert refused.value.field == "party"
    with transaction():
        told = Class(illegal, CaseKind.REPORT, Urgency.NORMAL, "街道综合行政执法队")
        dispatching.classify(read(found), told, {}, by=by)
        dispatching.assign(found, whom.public_id, "", by=by)
    assert (read(found).state, read(found).party) == (S.ASSIGNED, "街道综合行政执法队")


def test_a_return_asks_a_reason_and_lets_go(make):
    me = make.worker()
    found = case(make, S.ASSIGNED, holder=me)
    with pytest.raises(Refused, match="退单原因"):
        handling.give_back(found, "", by=actor(me))
    with transaction():
        handling.give_back(found, "不在我的网格", by=actor(me))
    assert (read(found).state, read(found).holder, read(found).returns) == (S.RETURNED, "", 1)


def test_after_two_returns_the_dispatcher_decides(make):
    me = make.worker()
    found = case(make, S.ASSIGNED, holder=me, returns=2)
    with pytest.raises(Refused, match="派单人"):
        handling.give_back(found, "还是不归我", by=actor(me))


def test_a_return_after_its_limit_is_refused(make):
    me = make.worker()
    found = case(make, S.ASSIGNED, holder=me, at=now() - timedelta(days=20))
    with pytest.raises(Refused, match="退单期限"):
        handling.give_back(found, "不归我", by=actor(me))


def test_a_worker_sees_her_scope_and_what_help_is_asked_of_her(make):
    here, there = make.community(), make.community("别的社区")
    mine = make.worker()
    case(make)
    other = case(make, community=there)
    by = actor(mine)
    within = tuple(grant.scope for grant in by.grants)
    assert queue.counts(within, by)[queue.Tab.OPEN] == 1
    helper = case(make, S.WORKING, community=there, holder=mine)
    assert queue.case_in(within, helper.public_id, by).id == helper.id
    with pytest.raises(Missing):
        queue.case_in(within, other.public_id, by)
    assert here.id != there.id


def test_what_is_said_against_a_worker_does_not_exist_for_her(make):
    me = make.worker()
    case(make, against_worker=me.public_id)
    by = actor(me)
    within = tuple(grant.scope for grant in by.grants)
    assert queue.counts(within, by)[queue.Tab.OPEN] == 0


def test_the_keys_of_pages_lead_through_all_of_a_list_once(make, monkeypatch):
    monkeypatch.setattr(queue, "A_PAGE", 3)
    me = actor(make.worker())
    within = tuple(grant.scope for grant in me.grants)
    due = now() + timedelta(days=2)
    made = {case(make, finish_due=due + timedelta(hours=turn // 2)).id for turn in range(8)}
    seen, after = [], ""
    while True:
        page = queue.page(within, me, queue.Tab.OPEN, queue.Filters(), after)
        seen += [one.id for one in page.cases]
        after = page.following
        if not after:
            break
    assert len(seen) == len(made)
    assert set(seen) == made


@pytest.mark.parametrize("key", ["x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~x", "~", "a~b~c"])
def test_a_broken_key_is_the_first_page(make, key):
    me = actor(make.worker())
    within = tuple(grant.scope for grant in me.grants)
    case(make)
    assert len(queue.page(within, me, queue.Tab.OPEN, queue.Filters(), key).cases) == 1
