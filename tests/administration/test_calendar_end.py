"""The end of the table of holidays is said two months ahead: a notice, a line on the desk, a strip on the page."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from portal.administration.service import calendar_end
from portal.core import calendar, clock, outbox
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.home.service import desk
from portal.identity import staff
from portal.identity.permissions import Role
from portal.notifications.wording import words_for

EARLY, NEAR, OVER = date(2026, 10, 20), date(2026, 11, 3), date(2027, 1, 5)
PAGE = "/desk/administration/holidays"


@pytest.fixture
def freeze(make, monkeypatch):
    """The clock stands at ten of a day, on a table that holds 2026."""
    with transaction():
        calendar.fill(2026)

    def stand(day):
        for module in (clock, outbox):
            monkeypatch.setattr(module, "now", lambda: clock.at(day, time(10)))

    return stand


def tell():
    with transaction():
        return calendar_end.tell()


def test_nobody_is_told_while_the_end_is_far(make, freeze):
    make.worker(Role.SYSTEM_ADMINISTRATOR)
    freeze(EARLY)
    assert tell() == 0


def test_two_months_ahead_whoever_keeps_the_table_is_told_and_nobody_else(make, freeze):
    keeper = make.worker(Role.SYSTEM_ADMINISTRATOR)
    make.worker(Role.COMMUNITY_WORKER)
    freeze(NEAR)
    assert tell() == 1
    row = db.session.scalars(sa.select(OutboxRow)).one()
    assert (row.topic, row.recipient_id) == ("administration.calendar_ends", keeper.public_id)
    assert row.facts == {"year": 2027, "days": 58}
    assert "2027" in words_for(row.topic, row.facts).body


def test_she_is_told_once_a_month(make, freeze):
    make.worker(Role.SYSTEM_ADMINISTRATOR)
    freeze(NEAR)
    tell()
    freeze(NEAR + timedelta(days=27))
    assert tell() == 0
    freeze(NEAR + timedelta(days=29))
    assert tell() == 1


def test_with_the_next_year_entered_nobody_is_told(make, freeze):
    make.worker(Role.SYSTEM_ADMINISTRATOR)
    with transaction():
        calendar.set_day(date(2027, 1, 1), works=False, name="元旦")
    freeze(NEAR)
    assert tell() == 0


@pytest.mark.parametrize(("day", "lines"), [(EARLY, 0), (NEAR, 1), (OVER, 1)])
def test_the_administrators_desk_has_a_line_for_it(make, freeze, day, lines):
    freeze(day)
    todo = desk.todo_of(staff.as_actor(make.worker(Role.SYSTEM_ADMINISTRATOR)))
    assert len(todo) == lines
    assert all(one.late is (day is OVER) for one in todo)


def test_other_desks_have_none(make, freeze):
    freeze(NEAR)
    assert desk.todo_of(staff.as_actor(make.worker(Role.SECURITY_ADMINISTRATOR))) == []


@pytest.mark.parametrize(
    ("day", "words"), [(EARLY, ""), (NEAR, "再过 58 天就到期"), (OVER, "还没有 2027 年的节假日安排")]
)
def test_the_page_of_holidays_says_it(make, client, freeze, day, words):
    freeze(day)
    client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR))
    page = client.get(PAGE).text
    assert words in page
    assert ("就到期" in page or "还没有 2027" in page) is bool(words)
