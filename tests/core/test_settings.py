"""Parameters: declared in code, dated in the database."""

from datetime import timedelta

import pytest

from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused

KEY = "meals.test_minutes"


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setattr(settings, "DECLARED", {})
    settings.declare(KEY, default=30, label=lambda: "等候时间", unit=lambda: "分钟", least=5, most=120)


def put(value, valid_from=None, **more):
    with transaction():
        return settings.put(KEY, value, valid_from=valid_from or today(), by="周洁", **more)


def test_a_parameter_never_set_has_its_default(make):
    assert settings.get(KEY) == 30


def test_a_value_is_in_force_from_its_day_until_the_next(make):
    put(40, today() - timedelta(days=10))
    put(50, today() + timedelta(days=3))
    assert settings.get(KEY, today() - timedelta(days=11)) == 30
    assert settings.get(KEY) == 40
    assert settings.get(KEY, today() + timedelta(days=2)) == 40
    assert settings.get(KEY, today() + timedelta(days=3)) == 50


def test_setting_the_same_day_again_replaces_the_value(make):
    put(40)
    put(45, note="更正")
    assert [(row.value, row.note) for row in settings.history(KEY)] == [(45, "更正")]
    assert settings.get(KEY) == 45


def test_a_value_already_read_in_a_request_is_read_anew_after_a_change(make):
    assert settings.get(KEY) == 30
    put(60)
    assert settings.get(KEY) == 60


@pytest.mark.parametrize("value", [4, 121])
def test_a_value_out_of_bounds_is_refused_and_nothing_is_kept(make, value):
    with pytest.raises(Refused, match="5 到 120") as refused:
        put(value)
    assert refused.value.field == "value"
    assert settings.history(KEY) == []


@pytest.mark.parametrize("value", [5, 120])
def test_the_bounds_themselves_may_be_set(make, value):
    put(value)
    assert settings.get(KEY) == value


def test_the_history_shows_the_newest_first_with_who_set_it(make):
    put(40, today() - timedelta(days=2))
    put(50, today() + timedelta(days=2))
    assert [(row.value, row.set_by) for row in settings.history(KEY)] == [(50, "周洁"), (40, "周洁")]


def test_a_change_is_on_record_with_its_key_value_and_day(make):
    put(40)
    row = db.session.query(AuditRow).filter_by(action="settings.parameter_set").one()
    assert row.facts == {"key": KEY, "value": 40, "valid_from": today().isoformat()}
