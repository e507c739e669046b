"""Signed words, throttles and request keys."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.core import tokens
from portal.core.db import transaction
from portal.core.errors import Conflict, Refused, TooMany

NOON = datetime(2026, 11, 22, 4, 0, 30, tzinfo=UTC)


def test_a_signed_word_is_good_for_its_purpose_only(make):
    signed = tokens.sign("meals.pickup", "abc")
    assert tokens.unsign("meals.pickup", signed, within=timedelta(hours=1)) == "abc"
    assert tokens.unsign("other", signed, within=timedelta(hours=1)) is None
    assert tokens.unsign("meals.pickup", signed[:-2] + "xx", within=timedelta(hours=1)) is None


def test_a_signed_word_grows_old(make):
    with time_machine.travel(NOON, tick=False) as clock:
        signed = tokens.sign("meals.pickup", "abc")
        clock.shift(timedelta(hours=1, seconds=1))
        assert tokens.unsign("meals.pickup", signed, within=timedelta(hours=1)) is None


def test_an_older_secret_still_verifies(make, app):
    signed = tokens.sign("meals.pickup", "abc")
    old = app.config["SECRET_KEY"]
    app.config.update(SECRET_KEY="new" * 12, SECRET_KEY_FALLBACKS=[old])
    try:
        assert tokens.unsign("meals.pickup", signed, within=timedelta(hours=1)) == "abc"
    finally:
        app.config.update(SECRET_KEY=old, SECRET_KEY_FALLBACKS=[])


def test_a_throttle_lets_its_limit_through_and_says_when_to_come_back(make):
    with time_machine.travel(NOON, tick=False):
        for _turn in range(3):
            tokens.throttle("sign_in", "1.2.3.4", limit=3, per=timedelta(minutes=1))
        with pytest.raises(TooMany) as refused:
            tokens.throttle("sign_in", "1.2.3.4", limit=3, per=timedelta(minutes=1))
        assert refused.value.retry_after == 30


def test_a_throttle_counts_each_asker_alone_and_begins_again(make):
    with time_machine.travel(NOON, tick=False) as clock:
        tokens.throttle("sign_in", "a", limit=1, per=timedelta(minutes=1))
        tokens.throttle("sign_in", "b", limit=1, per=timedelta(minutes=1))
        clock.shift(timedelta(minutes=1))
        tokens.throttle("sign_in", "a", limit=1, per=timedelta(minutes=1))


def test_the_same_request_leads_to_the_same_answer(make):
    with transaction():
        assert tokens.same_request("me", "order", "key", "two portions") is None
        tokens.remember_request("me", "order", "key", "two portions", "order-1")
    assert tokens.same_request("me", "order", "key", "two portions") == "order-1"
    assert tokens.same_request("neighbour", "order", "key", "two portions") is None


def test_the_same_key_with_another_body_is_a_conflict(make):
    with transaction():
        tokens.remember_request("me", "order", "key", "two portions", "order-1")
    with pytest.raises(Conflict):
        tokens.same_request("me", "order", "key", "three portions")


def test_a_simultaneous_twin_is_refused_by_the_database(make):
    with transaction():
        tokens.remember_request("me", "order", "key", "body", "order-1")
    with pytest.raises(Refused, match="已经提交"), transaction():
        tokens.remember_request("me", "order", "key", "body", "order-2")


def test_purging_forgets_old_counts_and_keys(make):
    with time_machine.travel(NOON, tick=False):
        tokens.throttle("sign_in", "a", limit=1, per=timedelta(minutes=1))
        with transaction():
            tokens.remember_request("me", "order", "key", "body", "order-1")
            assert tokens.purge(NOON + timedelta(days=1)) == 2
