"""Working days: weekdays, except what the table says."""

from datetime import date

import pytest

from portal.core import calendar
from portal.core.audit import AuditRow
from portal.core.db import db, transaction

# In 2025 the 1st of October was a Wednesday, and Sunday 28 September was worked for it.
HOLIDAY, WORKED_SUNDAY, SATURDAY, FRIDAY = date(2025, 10, 1), date(2025, 9, 28), date(2025, 10, 18), date(2025, 10, 17)


def fill(year=2025):
    with transaction():
        return calendar.fill(year)


def test_without_special_days_the_weekdays_are_worked(make):
    assert calendar.is_working_day(FRIDAY)
    assert not calendar.is_working_day(SATURDAY)
    assert calendar.is_working_day(HOLIDAY)


def test_filling_a_year_enters_its_holidays_and_its_worked_weekend_days(make):
    assert fill() > 20
    assert not calendar.is_working_day(HOLIDAY)
    assert calendar.is_working_day(WORKED_SUNDAY)
    assert calendar.holiday_name(HOLIDAY) == "国庆节"
    assert calendar.holiday_name(WORKED_SUNDAY) == ""


def test_filling_twice_enters_nothing_twice(make):
    entered = fill()
    assert fill() == 0
    assert len(calendar.special_days(date(2025, 1, 1), date(2025, 12, 31))) == entered


def test_filling_leaves_an_edited_day_alone(make):
    with transaction():
        calendar.set_day(HOLIDAY, works=False, name="国庆（本街道）")
    fill()
    assert calendar.holiday_name(HOLIDAY) == "国庆（本街道）"


@pytest.mark.parametrize("year", [2003, 2090])
def test_a_year_the_library_does_not_know_enters_nothing(make, year):
    assert not calendar.knows(year)
    assert fill(year) == 0
    assert calendar.special_days(date(year, 1, 1), date(year, 12, 31)) == []


def test_a_day_set_by_hand_counts_and_cleared_it_does_not(make):
    with transaction():
        calendar.set_day(SATURDAY, works=True, name="运动会")
    assert calendar.is_working_day(SATURDAY)
    with transaction():
        calendar.clear_day(SATURDAY)
    assert not calendar.is_working_day(SATURDAY)


def test_a_term_of_working_days_skips_the_holiday_and_does_not_count_its_first_day(make):
    fill()
    # From Tuesday 30 September: the holiday lasts to Wednesday the 8th, so the first working day is the 9th.
    assert calendar.add_working_days(date(2025, 9, 30), 1) == date(2025, 10, 9)
    assert calendar.add_working_days(date(2025, 9, 26), 1) == WORKED_SUNDAY
    assert calendar.add_working_days(date(2025, 9, 30), 0) == date(2025, 9, 30)


def test_each_change_of_the_table_is_on_record(make):
    fill()
    with transaction():
        calendar.set_day(SATURDAY, works=True, name="运动会")
        calendar.clear_day(SATURDAY)
    actions = [row.action for row in db.session.query(AuditRow).order_by(AuditRow.id)]
    assert actions == ["calendar.filled", "calendar.day_set", "calendar.day_cleared"]
