"""The administrator's page of holidays."""

from datetime import date

import pytest

from portal.administration.service import holidays
from portal.core import calendar
from portal.core.clock import today
from portal.core.db import transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role

PAGE = "/desk/administration/holidays"
SATURDAY, FRIDAY = date(2025, 10, 18), date(2025, 10, 17)


@pytest.fixture
def administrator(make, client):
    return client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR))


def set_day(day, *, works, name):
    with transaction():
        calendar.set_day(day, works=works, name=name)


def squares(month):
    return {square.day.day: square.free for week in month.weeks for square in week if square}


def test_a_little_calendar_has_every_day_of_its_month_once_under_its_weekday(make):
    february = holidays.months(2024)[1]
    assert sorted(squares(february)) == list(range(1, 30))
    for week in february.weeks:
        assert [square.day.weekday() for square in week if square] == [n for n, s in enumerate(week) if s]


def test_a_little_calendar_marks_weekends_and_what_the_table_says(make):
    set_day(SATURDAY, works=True, name="调休")
    set_day(FRIDAY, works=False, name="运动会")
    october = holidays.months(2025)[9]
    free = squares(october)
    assert (free[16], free[17], free[18], free[19]) == (False, True, False, True)
    assert [special.day for special in october.specials] == [FRIDAY, SATURDAY]


@pytest.mark.parametrize("year", [2003, 2100])
def test_a_year_too_far_away_has_no_page(administrator, year):
    with pytest.raises(Missing):
        holidays.months(year)
    assert administrator.get(f"{PAGE}?year={year}").status_code == 404


def test_a_weekday_is_not_set_to_be_worked_because_it_is(make):
    with pytest.raises(Refused, match="本来就上班") as refused:
        holidays.set_day(FRIDAY, works=True, name="调休")
    assert refused.value.field == "works"


def test_an_empty_year_says_what_to_do(administrator):
    words = administrator.get(f"{PAGE}?year=2025").get_data(as_text=True)
    assert "2025 年还没有录入节假日" in words
    assert "录入国家放假安排" in words


def test_without_a_year_the_page_is_of_this_year(administrator):
    assert f"{today().year} 年节假日" in administrator.get(PAGE).get_data(as_text=True)


def test_filling_a_year_says_how_many_days_were_entered(administrator):
    answer = administrator.post(f"{PAGE}/2025/fill")
    entered = len(calendar.special_days(date(2025, 1, 1), date(2025, 12, 31)))
    words = administrator.get(answer.location).get_data(as_text=True)
    assert entered > 20
    assert f"录入了 {entered} 天" in words
    assert "国庆节" in words
    assert "10 月：放假 8 天，调休上班 1 天" in words


def test_filling_again_says_that_nothing_was_new(administrator):
    administrator.post(f"{PAGE}/2025/fill")
    administrator.get(PAGE)
    answer = administrator.post(f"{PAGE}/2025/fill")
    assert "没有新增" in administrator.get(answer.location).get_data(as_text=True)


def test_a_year_the_library_does_not_know_is_said_so(administrator):
    answer = administrator.post(f"{PAGE}/2090/fill")
    assert "还没有 2090 年的放假安排" in administrator.get(answer.location).get_data(as_text=True)
    assert calendar.special_days(date(2090, 1, 1), date(2090, 12, 31)) == []


def test_a_day_is_added_changed_and_removed(administrator):
    sent = {"day": FRIDAY.isoformat(), "works": "no", "name": "运动会"}
    assert administrator.post(f"{PAGE}/day", data=sent).location == f"{PAGE}?year=2025"
    assert calendar.holiday_name(FRIDAY) == "运动会"
    assert 'value="运动会"' in administrator.get(f"{PAGE}/day?day={FRIDAY}").get_data(as_text=True)
    administrator.post(f"{PAGE}/day", data={**sent, "name": "社区运动会"})
    assert calendar.holiday_name(FRIDAY) == "社区运动会"
    assert administrator.post(f"{PAGE}/{FRIDAY}/clear").status_code == 303
    assert calendar.is_working_day(FRIDAY)


def test_a_saturday_can_be_worked(administrator):
    administrator.post(f"{PAGE}/day", data={"day": SATURDAY.isoformat(), "works": "yes", "name": "调休"})
    assert calendar.is_working_day(SATURDAY)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"name": ""}, "name", "请填名称"),
        ({"name": "长" * 41}, "name", "最多 40 个字"),
        ({"day": "十月"}, "day", "例如 2026-05-01"),
        ({"day": "1999-01-01"}, "day", "年份要在"),
        ({"works": "yes"}, "works", "本来就上班"),
    ],
)
def test_what_is_wrong_with_a_day_is_said_beside_its_field(administrator, change, field, sentence):
    sent = {"day": FRIDAY.isoformat(), "works": "no", "name": "运动会", **change}
    answer = administrator.post(f"{PAGE}/day", data=sent)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True).split(f'id="{field}-error"')[1].split("</p>")[0]
    assert calendar.is_working_day(FRIDAY)


@pytest.mark.parametrize("iso", ["2025-10-17", "2025-13-01", "x"])
def test_removing_a_day_that_is_not_there_is_not_found(administrator, iso):
    assert administrator.post(f"{PAGE}/{iso}/clear").status_code == 404
