"""The rates: numerator, denominator and who is left out, at their boundaries; the sheet; the residents' page."""

from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.casework.models.cases import CasePause
from portal.casework.models.codes import CaseState, Extension, Satisfaction
from portal.casework.service import metrics, metricwords, quarters, rates
from portal.casework.service.metrics import By, Left, Measure
from portal.casework.service.periods import Period, month_of, months_to, quarter_of
from portal.core import clock
from portal.core.access import Scope
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from tests.casework.desk import actor, case, category, holidays
from tests.visitor import words_shown

S, M = CaseState, Measure
MARCH = Period.of("2026-03")


def at(day: int, hour: int = 9, minute: int = 0, month: int = 3) -> datetime:
    return clock.at(date(2026, month, day), time(hour, minute))


DUE = at(10, 17, 30)
SECOND = timedelta(seconds=1)


def figure(make, measure, period=MARCH):
    db.session.rollback()
    within = (Scope("community", make.community().code),)
    return metrics.report(within, period, By.CATEGORY).total.figure(measure)


def tally(make, measure, period=MARCH):
    found = figure(make, measure, period)
    left = {reason: len(ids) for reason, ids in found.left.items() if ids}
    return len(found.met), len(found.missed), left


def finished(make, state=S.CLOSED, **more):
    return case(make, state, at=at(2), **({"finish_due": DUE, "state_at": at(9)} | more))


@pytest.mark.parametrize(
    ("answered", "met", "missed"), [(DUE, 1, 0), (DUE + SECOND, 0, 1), (DUE - SECOND, 1, 0), (None, 0, 1)]
)
def test_answered_exactly_at_the_end_is_in_time(make, answered, met, missed):
    finished(make, S.CLOSED if answered else S.WORKING, answered_at=answered)
    assert tally(make, M.FINISHED) == (met, missed, {})


def test_an_extension_that_was_granted_is_the_end(make):
    finished(make, answered_at=at(12), finish_due=at(13, 17, 30), extension=Extension.GRANTED)
    assert tally(make, M.FINISHED) == (1, 0, {})


def test_what_is_due_in_another_month_counts_there(make):
    finished(make, answered_at=at(30), finish_due=at(2, 17, 30, month=4))
    assert tally(make, M.FINISHED) == (0, 0, {})
    assert tally(make, M.FINISHED, Period.of("2026-04")) == (1, 0, {})


def test_what_is_not_due_yet_counts_nowhere(make):
    month = month_of(clock.today())
    case(make, S.WORKING, finish_due=clock.now() + timedelta(minutes=1))
    case(make, S.WORKING, finish_due=clock.now() - timedelta(minutes=1))
    assert tally(make, M.FINISHED, month) == (0, 1, {})


@pytest.mark.parametrize(
    ("state", "reason"),
    [(S.WITHDRAWN, Left.WITHDRAWN), (S.MERGED, Left.MERGED), (S.DECLINED, Left.DECLINED), (S.PAUSED, Left.PAUSED)],
)
def test_withdrawn_merged_declined_and_paused_are_left_out_by_reason(make, state, reason):
    finished(make, state)
    assert tally(make, M.FINISHED) == (0, 0, {reason: 1})


def test_withdrawing_after_the_end_repairs_no_lateness(make):
    finished(make, S.WITHDRAWN, state_at=DUE + SECOND)
    finished(make, S.WITHDRAWN, state_at=DUE)
    assert tally(make, M.FINISHED) == (0, 1, {Left.WITHDRAWN: 1})


def test_contacted_exactly_in_time_responds_and_who_left_no_number_does_not_count(make):
    for contacted in (DUE, DUE + SECOND, None):
        case(make, S.WORKING, at=at(9), contact_due=DUE, contacted_at=contacted)
    case(make, S.WORKING, at=at(9), contact_due=DUE, reporter_id=None, reporter_name="路人")
    assert tally(make, M.RESPONDED) == (1, 2, {Left.NO_PHONE: 1})


def test_accepting_and_declining_in_time_both_count_as_answered(make):
    case(make, S.ACCEPTED, at=at(9), accept_due=DUE, accepted_at=DUE)
    case(make, S.DECLINED, at=at(9), accept_due=DUE, accepted_at=None, state_at=DUE)
    case(make, S.SUBMITTED, at=at(9), accept_due=DUE)
    case(make, S.WITHDRAWN, at=at(9), accept_due=DUE, accepted_at=None, state_at=at(9, 10))
    assert tally(make, M.ACCEPTED) == (2, 1, {Left.WITHDRAWN: 1})


def called(make, **more):
    known = {"answered_at": at(9), "callback_due": DUE, "called_back_at": at(10), "state_at": at(10)}
    return case(make, S.CLOSED, at=at(2), **(known | more))


def test_called_back_in_time_and_who_could_not_be_reached_is_left_out(make):
    called(make, called_back_at=DUE, solved=True)
    called(make, called_back_at=DUE + SECOND, solved=True)
    called(make, called_back_at=None)
    case(make, S.ANSWERED, at=at(2), answered_at=at(9), callback_due=DUE, called_back_at=at(5))
    assert tally(make, M.CALLED_BACK) == (1, 2, {Left.UNREACHED: 1})


def test_solved_and_satisfied_are_of_those_who_said_so(make):
    called(make, solved=True, satisfaction=Satisfaction.GOOD)
    called(make, solved=True, satisfaction=Satisfaction.FAIR)
    called(make, solved=False, satisfaction=Satisfaction.BAD)
    called(make, solved=True, satisfaction=None)
    assert tally(make, M.SOLVED) == (3, 1, {})
    assert tally(make, M.SATISFIED) == (2, 1, {Left.NO_OPINION: 1})


def test_redone_and_returned_are_of_those_called_back_and_given(make):
    called(make, solved=True, redos=1, assigned_at=at(3), returns=1)
    called(make, solved=True, assigned_at=at(3))
    assert tally(make, M.REDONE) == (1, 1, {})
    assert tally(make, M.RETURNED) == (1, 1, {})


def test_what_waits_to_be_done_again_is_late_though_it_was_answered_before(make):
    finished(make, S.REDO, answered_at=at(5))
    assert tally(make, M.FINISHED) == (0, 1, {})


def test_another_communitys_requests_do_not_count(make):
    finished(make, answered_at=at(9), community=make.community("别的社区"))
    assert tally(make, M.FINISHED) == (0, 0, {})


def test_the_time_taken_is_working_time_without_pauses(make):
    holidays()
    one = finished(make, answered_at=at(4, 17, 30))
    make.add(CasePause(case_id=one.id, since=at(3, 8, 30), until=at(4, 8, 30), why="等配件"))
    taken = metrics.report((Scope("all", ""),), MARCH, By.GRID).total.taken
    # Monday from nine, the whole of Wednesday; Tuesday it stood still.
    assert taken.minutes == [(420 + 450, one.id)]
    assert taken.worst == (14.5, one.id)
    assert taken.average_hours == 14.5


def test_a_rate_is_cut_and_not_rounded(make):
    found = metrics.Figure(M.SOLVED, met=list(range(9997)), missed=[1, 2, 3])
    assert found.percent == "99.9%"
    assert metrics.Figure(M.SOLVED).percent == "—"


def test_the_figures_break_down_by_category_grid_and_worker(make):
    grid, kind, me = make.grid(), category(make, "路灯", "light"), make.worker(name="周洁")
    finished(make, answered_at=at(9), category_id=kind.id, grid_id=grid.id, holder=me)
    finished(make, answered_at=at(9))
    within = (Scope("community", make.community().code),)
    for by, name in ((By.CATEGORY, "路灯"), (By.GRID, "第一网格"), (By.WORKER, "周洁")):
        found = metrics.report(within, MARCH, by)
        assert name in {metricwords.row_name(row, by) for row in found.rows}
        assert sum(row.figure(M.FINISHED).due for row in found.rows) == found.total.figure(M.FINISHED).due == 2


def test_every_number_opens_its_requests(make, client):
    one = finished(make, answered_at=at(9))
    late = finished(make, answered_at=at(12))
    client.sign_in(make.worker())
    page = client.get("/desk/cases/figures?period=2026-03").text
    assert "50.0%" in page
    base = "/desk/cases/figures/cases?period=2026-03&measure=finished"
    assert one.number in client.get(f"{base}&which=met").text
    assert one.number not in client.get(f"{base}&which=missed").text
    assert late.number in client.get(f"{base}&which=missed").text
    assert client.get("/desk/cases/figures/cases?measure=none").status_code == 404


def test_by_worker_the_page_says_under_whose_name_a_returned_request_counts(make, client):
    finished(make, answered_at=at(9))
    client.sign_in(make.worker())
    said = "每件诉求算在现在的办理人名下"
    pages = {
        by: words_shown(client.get(f"/desk/cases/figures?period=2026-03&by={by}").text) for by in ("worker", "grid")
    }
    assert said in pages["worker"]
    assert said not in pages["grid"]


def test_the_sheet_has_every_numerator_and_denominator_and_leaves_a_trace(make, client):
    finished(make, answered_at=at(9))
    client.sign_in(make.worker())
    answer = client.post("/desk/cases/figures/sheet?period=2026-03")
    assert answer.status_code == 200
    assert answer.data.startswith(b"PK")
    trace = sa.text("SELECT count(*) FROM audit_row WHERE action = 'cases.figures_exported'")
    assert db.session.execute(trace).scalar() == 1


@pytest.mark.parametrize(
    ("text", "key"), [("2026-02", "2026-02"), ("2026Q1", "2026Q1"), ("x", None), ("2026Q9", None), ("9999-01", None)]
)
def test_a_period_is_read_from_the_address_or_is_this_month(make, text, key):
    assert Period.of(text).key == (key or month_of(clock.today()).key)


def test_periods_follow_each_other(make):
    first = Period.of("2026Q1")
    assert (first.first, first.last, first.before().key) == (date(2026, 1, 1), date(2026, 3, 31), "2025Q4")
    assert [one.key for one in months_to(MARCH, 3)] == ["2026-03", "2026-02", "2026-01"]
    assert quarter_of(clock.today()).after() is None


def quarter(make, good: int, bad: int, period=None) -> Area:
    period = period or quarter_of(clock.today()).before()
    day = clock.at(period.first + timedelta(days=20), time(10))
    for turn in range(good + bad):
        answered = day if turn < good else day + timedelta(days=9)
        more = {"finish_due": day, "answered_at": answered, "called_back_at": answered, "solved": turn < good}
        case(make, S.CLOSED, at=day - timedelta(days=3), state_at=answered, **more)
    return make.community()


def test_a_quarter_is_published_once_and_then_frozen(make):
    area, by = quarter(make, 9, 9), actor(make.worker())
    period = quarter_of(clock.today()).before()
    with transaction():
        page = quarters.publish(area, period, by=by)
    assert page.figures["rates"]["finished"] == {"due": 18, "met": 9, "permille": 500}
    quarter(make, 20, 0)
    assert quarters.page_of(area, period.key).figures["sent"] == 18
    with pytest.raises(Refused, match="已经公布"), transaction():
        quarters.publish(area, period, by=by)


def test_the_running_quarter_is_not_published(make):
    with pytest.raises(Refused, match="结束以后"):
        quarters.publish(make.community(), quarter_of(clock.today()), by=actor(make.worker()))


@pytest.mark.parametrize(
    ("good", "bad", "rate"),
    [
        (2, 2, {"due": None, "met": None, "permille": None}),
        (18, 2, {"due": None, "met": None, "permille": 900}),
        (20, 0, {"due": 20, "met": 20, "permille": 1000}),
    ],
)
def test_small_numbers_are_hidden(make, good, bad, rate):
    area = quarter(make, good, bad)
    frozen = quarters.frozen(metrics.of_community(area, quarter_of(clock.today()).before()))
    assert frozen["rates"]["finished"] == rate
    assert frozen["sent"] == (good + bad if good + bad >= 5 else None)


def test_residents_read_the_quarter_without_signing_in(make, client):
    area = quarter(make, 9, 9)
    period = quarter_of(clock.today()).before()
    client.sign_in(make.worker())
    assert client.post(f"/desk/cases/quarters/{area.code}/{period.key}").status_code == 303
    client.post("/desk/account/sign-out")
    page = client.get(f"/cases/board/{area.code}/quarters/{period.key}")
    assert "50.0%" in page.text
    assert period.words() in client.get(f"/cases/board/{area.code}/quarters").text
    assert client.get(f"/cases/board/{area.code}/quarters/2025Q1").status_code == 404
    with pytest.raises(Missing):
        quarters.page_of(area, "2025Q1")


def test_a_quarter_of_another_community_is_not_published(make, client):
    other = make.community("别的社区")
    client.sign_in(make.worker())
    assert client.post(f"/desk/cases/quarters/{other.code}/2026Q1").status_code == 404


def test_the_street_reads_the_figures_of_all_its_communities(make, client):
    finished(make, answered_at=at(9))
    finished(make, answered_at=at(9), community=make.community("别的社区"))
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert "2 ÷ 2" in client.get("/desk/cases/figures?period=2026-03").text


def test_the_boards_rates_are_those_of_the_report(make):
    """Counted by the database in one question, they come to the same as judged one by one."""
    contact, called = {"contact_due": DUE, "state_at": at(9)}, {"called_back_at": at(10)}
    nobody = {"reporter_id": None, "reporter_name": "路人"}
    for more in (
        {"contacted_at": DUE},
        {"contacted_at": DUE + SECOND},
        {"contacted_at": None},
        {"contacted_at": at(9), "contact_due": at(2, 17, 30, month=4)},
    ):
        case(make, S.WORKING, at=at(2), **(contact | more))
    for state in (S.WITHDRAWN, S.MERGED, S.DECLINED):
        case(make, state, at=at(2), **contact)
        case(make, state, at=at(2), **(contact | {"state_at": at(11)}))
    made = case(make, S.WORKING, at=at(2), **contact)
    made.reporter_id, made.reporter_name = None, nobody["reporter_name"]
    make.add(made)
    for solved, satisfaction in ((True, "good"), (True, "fair"), (False, "bad"), (None, None), (True, None)):
        how = Satisfaction(satisfaction) if satisfaction else None
        case(make, S.CLOSED, at=at(2), solved=solved, satisfaction=how, **called)
    case(make, S.CLOSED, at=at(2), solved=True, satisfaction=Satisfaction.GOOD, called_back_at=at(1, month=4))
    case(make, S.CLOSED, at=at(2), community=make.community("别的社区"), solved=False, **called)
    db.session.rollback()
    total = metrics.of_community(make.community(), MARCH).total
    for measure, met, due in rates.board_rates(make.community().id, MARCH):
        assert (met, due) == (len(total.figure(measure).met), total.figure(measure).due), measure
        assert 0 < met < due
