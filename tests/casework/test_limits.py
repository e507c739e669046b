"""Limits of requests: the closest row holds, older requests keep theirs, clocks in working time."""

from datetime import date, time, timedelta

import pytest

from portal.casework.models.cases import CasePause
from portal.casework.models.codes import CaseKind, CaseState, Extension, Urgency
from portal.casework.models.limits import CaseLimit, LimitStep, LimitUnit
from portal.casework.service import deadlines, limits
from portal.casework.service.limits import Limit, LimitFacts
from portal.core import clock
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from tests.casework.desk import case, category, holidays

L, U = LimitStep, LimitUnit
# Friday before the worked Saturday and the Spring Festival of 2026.
FRIDAY = date(2026, 2, 13)


def at(day, hour, minute=0):
    return clock.at(day, time(hour, minute))


@pytest.fixture
def street(make):
    holidays()
    with transaction():
        limits.seed(make.street().code, by="何立新", since=date(2026, 1, 1))
    return make.street()


def facts(street, **more):
    default = {"area_code": street.code, "step": L.FINISH, "category_code": "", "kind": None, "urgency": None}
    return LimitFacts(**(default | {"count": 2, "unit": U.WORKING_DAYS, "valid_from": today()} | more))


def put(street, **more):
    with transaction():
        return limits.set_limit(facts(street, **more), within=(Scope("street", street.code),), by="何立新")


@pytest.mark.parametrize(
    ("step", "kind", "urgency", "count", "unit"),
    [
        (L.ACCEPT, CaseKind.HELP, Urgency.NORMAL, 1, U.WORKING_DAYS),
        (L.ACCEPT, CaseKind.HELP, Urgency.URGENT, 2, U.HOURS),
        (L.SIGN, CaseKind.HELP, Urgency.NORMAL, 4, U.WORKING_HOURS),
        (L.RETURN, CaseKind.HELP, Urgency.NORMAL, 1, U.WORKING_DAYS),
        (L.RETURNS, CaseKind.HELP, Urgency.NORMAL, 2, U.TIMES),
        (L.FINISH, CaseKind.QUESTION, Urgency.NORMAL, 3, U.WORKING_DAYS),
        (L.FINISH, CaseKind.HELP, Urgency.NORMAL, 5, U.WORKING_DAYS),
        (L.FINISH, CaseKind.COMPLAINT, Urgency.NORMAL, 7, U.WORKING_DAYS),
        (L.FINISH, CaseKind.ADVICE, Urgency.NORMAL, 7, U.WORKING_DAYS),
        (L.FINISH, CaseKind.QUESTION, Urgency.HARD, 15, U.WORKING_DAYS),
        (L.FINISH, CaseKind.COMPLAINT, Urgency.URGENT, 24, U.HOURS),
        (L.EXTENSIONS, CaseKind.HELP, Urgency.NORMAL, 1, U.TIMES),
        (L.CALL_BACK, CaseKind.HELP, Urgency.NORMAL, 3, U.WORKING_DAYS),
    ],
)
def test_the_default_set_is_that_of_the_rules(make, street, step, kind, urgency, count, unit):
    known = limits.Limits(make.community().code, today())
    assert known.of(step, kind=kind, urgency=urgency) == Limit(count, unit)


def test_a_place_that_has_set_nothing_lives_by_the_defaults(make):
    known = limits.Limits(make.community().code, today())
    assert known.of(L.FINISH, urgency=Urgency.URGENT) == Limit(24, U.HOURS)
    assert known.of(L.RETURNS, urgency=Urgency.NORMAL) == Limit(2, U.TIMES)


def test_seeding_twice_enters_nothing_twice(make, street):
    assert limits.seed(street.code, by="何立新") == 0


def test_a_categorys_own_limit_goes_before_its_parents_and_before_the_urgency(make, street):
    parent = category(make, "公共设施", "public")
    lamp = category(make, "路灯", "lamp", parent_id=parent.id)
    put(street, category_code="public", count=4)
    known = limits.Limits(make.community().code, today())
    assert known.of(L.FINISH, codes=limits.codes_of(lamp), urgency=Urgency.URGENT).count == 4
    put(street, category_code="lamp", count=2)
    known = limits.Limits(make.community().code, today())
    assert known.of(L.FINISH, codes=limits.codes_of(lamp), urgency=Urgency.URGENT).count == 2
    assert known.of(L.FINISH, codes=limits.codes_of(parent), urgency=Urgency.NORMAL).count == 4
    assert known.of(L.FINISH, codes=[], urgency=Urgency.NORMAL).count == 5


def test_a_communitys_limit_goes_before_the_streets(make, street):
    put(street, area_code=make.community().code, kind=CaseKind.HELP, count=3)
    assert limits.Limits(make.community().code, today()).of(L.FINISH, urgency=Urgency.NORMAL).count == 3
    assert limits.Limits(make.community("别的社区").code, today()).of(L.FINISH, urgency=Urgency.NORMAL).count == 5


def test_a_new_limit_ends_the_old_one_and_older_requests_keep_theirs(make, street):
    old = case(make, CaseState.SUBMITTED, at=at(today() - timedelta(days=3), 10))
    new = case(make, CaseState.SUBMITTED)
    put(street, kind=CaseKind.HELP, count=2)
    assert limits.limit_of(old, L.FINISH).count == 5
    assert limits.limit_of(new, L.FINISH).count == 2


def test_a_limit_set_twice_on_one_day_holds_once(make, street):
    put(street, kind=CaseKind.HELP, count=2)
    put(street, kind=CaseKind.HELP, count=4)
    rows = db.session.query(CaseLimit).filter_by(step=L.FINISH, kind=CaseKind.HELP).all()
    assert sorted((row.count, row.valid_to is None) for row in rows) == [(4, True), (5, False)]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"valid_from": date(2026, 1, 1)}, "valid_from"),
        ({"step": L.RETURNS, "unit": U.WORKING_DAYS}, "unit"),
        ({"unit": U.TIMES}, "unit"),
        ({"step": L.RETURNS, "unit": U.TIMES, "count": 3}, "count"),
        ({"count": 91}, "count"),
        ({"count": 0}, "count"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(make, street, more, field):
    with pytest.raises(Refused) as refused:
        put(street, **more)
    assert refused.value.field == field


def test_a_limit_of_another_street_does_not_exist(make, street):
    with pytest.raises(Missing):
        limits.set_limit(facts(street), within=(Scope("street", "999901009"),), by="别人")
    row = db.session.query(CaseLimit).first()
    with pytest.raises(Missing):
        limits.limit_in((Scope("street", "999901009"),), row.id)


def test_what_is_sent_on_friday_evening_is_to_be_accepted_on_the_worked_saturday(make, street):
    sent = case(make, CaseState.SUBMITTED, at=at(FRIDAY, 20))
    deadlines.start(sent, at(FRIDAY, 20))
    assert sent.accept_due == at(FRIDAY + timedelta(days=1), 17, 30)


def test_the_term_jumps_over_the_festival(make, street):
    accepted = case(make, at=at(FRIDAY, 10))
    deadlines.start(accepted, at(FRIDAY, 10))
    # Saturday the 14th, then Tuesday the 24th to Friday the 27th.
    assert accepted.finish_due == at(date(2026, 2, 27), 17, 30)
    assert accepted.contact_due == at(FRIDAY + timedelta(days=1), 17, 30)


def test_four_working_hours_to_sign_run_over_the_festival(make, street):
    assigned = case(make, CaseState.ASSIGNED, at=at(FRIDAY, 10))
    deadlines.start(assigned, at(FRIDAY + timedelta(days=1), 16, 30))
    assert assigned.sign_due == at(date(2026, 2, 24), 11, 30)


def test_an_urgent_request_runs_by_the_clock_on_holidays_too(make, street):
    urgent = case(make, CaseState.SUBMITTED, at=at(date(2026, 2, 17), 3), urgency=Urgency.URGENT)
    deadlines.start(urgent, at(date(2026, 2, 17), 3))
    assert urgent.accept_due == at(date(2026, 2, 17), 5)
    urgent.state = CaseState.ACCEPTED
    deadlines.start(urgent, at(date(2026, 2, 17), 4))
    assert urgent.finish_due == at(date(2026, 2, 18), 4)


def test_a_pause_moves_the_end_by_the_working_time_it_took(make, street):
    paused = case(make, CaseState.WORKING, at=at(date(2026, 3, 2), 9), finish_due=at(date(2026, 3, 9), 17, 30))
    since, until = at(date(2026, 3, 4), 8, 30), at(date(2026, 3, 5), 8, 30)
    make.add(CasePause(case_id=paused.id, since=since, until=until, why="等配件"))
    deadlines.start(paused, until)
    assert paused.finish_due == at(date(2026, 3, 10), 17, 30)


def test_a_pause_over_the_weekend_alone_moves_nothing(make, street):
    paused = case(make, CaseState.WORKING, at=at(date(2026, 3, 2), 9), finish_due=at(date(2026, 3, 9), 17, 30))
    since, until = at(date(2026, 3, 7), 8, 30), at(date(2026, 3, 8), 20)
    make.add(CasePause(case_id=paused.id, since=since, until=until, why="等配件"))
    deadlines.start(paused, until)
    assert paused.finish_due == at(date(2026, 3, 9), 17, 30)


def test_a_pause_after_the_end_repairs_no_lateness(make, street):
    late = case(make, CaseState.WORKING, at=at(date(2026, 3, 2), 9), finish_due=at(date(2026, 3, 3), 17, 30))
    since, until = at(date(2026, 3, 4), 8, 30), at(date(2026, 3, 5), 8, 30)
    make.add(CasePause(case_id=late.id, since=since, until=until, why="等配件"))
    deadlines.start(late, until)
    assert late.finish_due == at(date(2026, 3, 3), 17, 30)


def test_classed_as_hard_it_gets_the_longer_term_from_the_same_start(make, street):
    accepted = case(make, at=at(date(2026, 3, 2), 9), finish_due=at(date(2026, 3, 9), 17, 30))
    accepted.urgency = Urgency.HARD
    deadlines.again(accepted)
    assert accepted.finish_due == at(date(2026, 3, 23), 17, 30)


def test_what_was_extended_stays_as_granted_when_it_is_classed_otherwise(make, street):
    due = at(date(2026, 3, 16), 17, 30)
    accepted = case(make, at=at(date(2026, 3, 2), 9), finish_due=due, extension=Extension.GRANTED)
    accepted.urgency = Urgency.HARD
    deadlines.again(accepted)
    assert accepted.finish_due == due


def test_a_redo_begins_a_term_of_its_own_and_an_answer_the_call_backs(make, street):
    again = case(make, CaseState.REDO, at=at(date(2026, 3, 2), 9))
    deadlines.start(again, at(date(2026, 3, 11), 9))
    assert again.finish_due == at(date(2026, 3, 18), 17, 30)
    again.state = CaseState.ANSWERED
    deadlines.start(again, at(date(2026, 3, 11), 9))
    assert again.callback_due == at(date(2026, 3, 16), 17, 30)
