"""What an hour earns, by which rule, and until when it may be spent."""

from datetime import date, timedelta

import pytest

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.points.models import PointRule
from portal.points.service import rules
from portal.points.service.rules import InForce, RuleFacts
from tests.acting import actor_of


@pytest.mark.parametrize(
    ("minutes", "per_hour", "factor", "points"),
    [(60, 10, 100, 10), (90, 10, 100, 15), (59, 10, 100, 9), (5, 10, 100, 0), (120, 10, 150, 30), (60, 7, 110, 7)],
)
def test_points_are_hours_by_the_rule_by_the_factor_rounded_down(minutes, per_hour, factor, points):
    assert InForce(per_hour, None).points(minutes, factor) == points


@pytest.mark.parametrize(
    ("earned", "months", "last"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 5), 12, date(2027, 1, 31)),
        (date(2026, 12, 31), 24, date(2028, 12, 31)),
        (date(2026, 11, 2), 1, date(2026, 12, 31)),
        (date(2024, 1, 2), 1, date(2024, 2, 29)),
        (date(2026, 5, 5), 0, date(2026, 5, 31)),
    ],
)
def test_points_expire_so_many_months_after_the_end_of_their_month(earned, months, last):
    assert InForce(10, months).expires_on(earned) == last


def test_points_of_a_rule_without_months_never_expire():
    assert InForce(10, None).expires_on(date(2026, 1, 1)) is None


def a_rule(make, kind="", per_hour=12, *, since=date(2026, 1, 1), until=None):
    return make.add(PointRule(kind=kind, per_hour=per_hour, expires_months=12, valid_from=since, valid_to=until))


def test_where_nothing_is_set_an_hour_is_ten_points(app):
    with app.app_context():
        found = rules.in_force("meals", today())
    assert (found.per_hour, found.expires_months, found.rule) == (10, 24, None)


def test_the_rule_of_a_kind_goes_before_the_one_for_all(make):
    a_rule(make, "", 12)
    a_rule(make, "escort", 20)
    assert rules.in_force("escort", date(2026, 6, 1)).per_hour == 20
    assert rules.in_force("meals", date(2026, 6, 1)).per_hour == 12
    assert rules.in_force("meals", date(2025, 12, 31)).per_hour == 10


def test_the_rule_of_the_day_of_service_holds_on_its_first_and_last_day(make):
    a_rule(make, "", 12, since=date(2026, 1, 1), until=date(2026, 3, 31))
    a_rule(make, "", 15, since=date(2026, 4, 1))
    found = [rules.in_force("meals", day).per_hour for day in (date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1))]
    assert found == [12, 12, 15]


def test_a_new_rule_ends_the_one_before_it_and_begins_no_earlier_than_today(make):
    by = actor_of(make.worker())
    old = a_rule(make)
    with transaction():
        rules.add_rule(RuleFacts(15, 24, today() + timedelta(days=3)), by=by)
    assert make.read(old).valid_to == today() + timedelta(days=2)
    with pytest.raises(Refused, match="不能早于今天"), transaction():
        rules.add_rule(RuleFacts(15, 24, today() - timedelta(days=1)), by=by)
    with pytest.raises(Refused, match="已经有一条规则"), transaction():
        rules.add_rule(RuleFacts(20, 24, today() + timedelta(days=3)), by=by)


def test_a_rule_set_before_a_later_one_ends_where_that_begins(make):
    by = actor_of(make.worker())
    with transaction():
        rules.add_rule(RuleFacts(15, 24, today() + timedelta(days=30)), by=by)
        made = rules.add_rule(RuleFacts(12, 24, today()), by=by)
    assert make.read(made).valid_to == today() + timedelta(days=29)
    assert [row.per_hour for row in rules.rules()] == [15, 12]


def test_a_rule_is_ended_with_a_day_but_not_for_days_gone_by(make):
    by = actor_of(make.worker())
    rule = a_rule(make)
    with pytest.raises(Refused, match="不能早于昨天"), transaction():
        rules.end_rule(rule, today() - timedelta(days=2), reason="改", by=by)
    with transaction() as session:
        rules.end_rule(session.get_one(PointRule, rule.id), today(), reason="改", by=by)
    assert rules.in_force("meals", today()).per_hour == 12
    assert rules.in_force("meals", today() + timedelta(days=1)).per_hour == 10
    with pytest.raises(Refused, match="已经停用"), transaction() as session:
        rules.end_rule(session.get_one(PointRule, rule.id), today() + timedelta(days=5), reason="改", by=by)
    db.session.rollback()
