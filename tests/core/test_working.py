"""Working time: office hours over weekends, worked weekends, holidays and the end of the table."""

from datetime import UTC, date, datetime, time

import pytest

from portal.core import calendar, clock, settings, working
from portal.core.db import transaction
from portal.core.working import WorkingTime
from tests.counting import count_queries

# In 2026 the Spring Festival lasts from Sunday 15 to Monday 23 February; Saturday the 14th and the 28th are worked.
FRIDAY_13, WORKED_SATURDAY, AFTER_FESTIVAL = date(2026, 2, 13), date(2026, 2, 14), date(2026, 2, 24)


@pytest.fixture
def year(make):
    with transaction():
        calendar.fill(2026)
    return make


def at(day, hour, minute=0):
    return clock.at(day, time(hour, minute))


def freeze(monkeypatch, day):
    monkeypatch.setattr(clock, "now", lambda: at(day, 10))


def test_minutes_stop_at_noon_and_go_on_in_the_afternoon(year):
    assert working.add_working_minutes(at(date(2026, 3, 4), 11, 30), 60) == at(date(2026, 3, 4), 14)


def test_minutes_that_fill_a_day_end_at_its_closing_time(year):
    assert working.add_working_minutes(at(date(2026, 3, 4), 8, 30), 450) == at(date(2026, 3, 4), 17, 30)
    assert working.add_working_minutes(at(date(2026, 3, 4), 8, 30), 451) == at(date(2026, 3, 5), 8, 31)


def test_what_comes_in_the_night_begins_in_the_morning(year):
    assert working.add_working_minutes(at(date(2026, 3, 4), 23), 240) == at(date(2026, 3, 5), 14)
    assert working.add_working_minutes(at(date(2026, 3, 4), 3), 30) == at(date(2026, 3, 4), 9)


def test_no_minutes_are_over_at_once_even_in_the_night(year):
    assert working.add_working_minutes(at(date(2026, 3, 4), 23), 0) == at(date(2026, 3, 4), 23)


def test_a_plain_weekend_is_jumped_over(year):
    assert working.add_working_minutes(at(date(2026, 3, 6), 17), 60) == at(date(2026, 3, 9), 9)


def test_a_worked_saturday_counts_and_the_festival_after_it_does_not(year):
    assert working.add_working_minutes(at(FRIDAY_13, 17), 60) == at(WORKED_SATURDAY, 9)
    assert working.add_working_minutes(at(WORKED_SATURDAY, 17), 60) == at(AFTER_FESTIVAL, 9)
    assert working.last_working_day(FRIDAY_13, 1) == WORKED_SATURDAY
    assert working.last_working_day(FRIDAY_13, 2) == AFTER_FESTIVAL


def test_a_term_of_working_days_ends_when_the_office_closes(year):
    assert WorkingTime(FRIDAY_13).until(at(FRIDAY_13, 9), 3) == at(date(2026, 2, 25), 17, 30)


def test_the_last_day_of_a_term_of_days_moves_off_a_holiday_but_not_off_a_worked_saturday(year):
    assert working.last_day(date(2026, 2, 10), 7) == AFTER_FESTIVAL
    assert working.last_day(date(2026, 2, 10), 4) == WORKED_SATURDAY
    assert working.last_day(date(2026, 2, 10), 2) == date(2026, 2, 12)


def test_beyond_the_end_of_the_table_weekdays_count(year):
    assert working.last_working_day(date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert working.add_working_minutes(at(date(2026, 12, 31), 17), 60) == at(date(2027, 1, 1), 9)
    assert working.last_day(date(2026, 12, 30), 3) == date(2027, 1, 4)


def test_minutes_between_count_office_hours_only(year):
    assert working.working_minutes_between(at(FRIDAY_13, 8), at(FRIDAY_13, 18)) == 450
    assert working.working_minutes_between(at(FRIDAY_13, 16, 30), at(AFTER_FESTIVAL, 9, 30)) == 60 + 450 + 60
    assert working.working_minutes_between(at(FRIDAY_13, 12), at(FRIDAY_13, 13, 30)) == 0
    assert working.working_minutes_between(at(FRIDAY_13, 18), at(FRIDAY_13, 9)) == 0


def test_pauses_do_not_count_and_overlapping_ones_are_taken_away_once(year):
    first, second = (at(FRIDAY_13, 9), at(FRIDAY_13, 11)), (at(FRIDAY_13, 10), at(FRIDAY_13, 14))
    assert working.working_minutes_between(at(FRIDAY_13, 8, 30), at(FRIDAY_13, 15), [second, first]) == 30 + 60


def test_a_pause_beyond_both_ends_leaves_nothing(year):
    pause = (at(date(2026, 2, 1), 9), at(date(2026, 3, 1), 9))
    assert working.working_minutes_between(at(FRIDAY_13, 9), at(FRIDAY_13, 15), [pause]) == 0


def test_adding_and_counting_agree(year):
    start = at(date(2026, 2, 11), 10, 7)
    for minutes in (1, 113, 114, 450, 451, 999, 4500):
        assert working.working_minutes_between(start, working.add_working_minutes(start, minutes)) == minutes


def test_the_table_is_read_once_however_long_the_span(year):
    times = WorkingTime(FRIDAY_13)
    with count_queries() as queries:
        times.add(at(FRIDAY_13, 9), 100_000)
        times.between(at(FRIDAY_13, 9), at(date(2027, 6, 1), 9))
        times.last_day(FRIDAY_13, 250)
    assert queries == []


def test_office_hours_are_a_setting(year):
    with transaction():
        settings.put(working.AFTERNOON, 1400, valid_from=clock.today(), by="管理员")
        settings.put(working.EVENING, 1800, valid_from=clock.today(), by="管理员")
    assert working.add_working_minutes(at(date(2026, 3, 4), 11, 30), 60) == at(date(2026, 3, 4), 14, 30)


def test_a_day_before_the_table_was_read_is_an_error(year):
    with pytest.raises(ValueError, match="since"):
        WorkingTime(AFTER_FESTIVAL).works(FRIDAY_13)


@pytest.mark.parametrize(
    ("day", "soon"), [(date(2026, 10, 30), False), (date(2026, 10, 31), True), (date(2026, 12, 31), True)]
)
def test_the_end_of_the_table_is_near_two_months_before(year, monkeypatch, day, soon):
    freeze(monkeypatch, day)
    assert working.known_until() == date(2026, 12, 31)
    assert working.ends_soon() is soon


def test_with_the_next_year_entered_the_end_is_far(year, monkeypatch):
    with transaction():
        calendar.set_day(date(2027, 1, 1), works=False, name="元旦")
    freeze(monkeypatch, date(2026, 12, 1))
    assert working.known_until() == date(2027, 12, 31)
    assert not working.ends_soon()


def test_an_empty_table_and_one_that_is_over_are_at_their_end(year, monkeypatch):
    freeze(monkeypatch, date(2027, 1, 5))
    assert working.known_until() is None
    assert working.ends_soon()


def test_moments_stay_in_utc(year):
    assert working.add_working_minutes(datetime(2026, 3, 4, 1, tzinfo=UTC), 30).tzinfo is UTC
