"""One form sent twice at the same moment: one request acts, the others get its answer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from portal.core import tokens
from portal.core.db import db, transaction
from portal.core.errors import Conflict

TWINS = 12


def _ask(app, number: int) -> str | None:
    with app.app_context(), transaction():
        return tokens.first_request("me", "order", "key", "two portions", f"order-{number}")


def test_of_simultaneous_twins_one_is_first_and_the_others_get_its_answer(app, make):
    with ThreadPoolExecutor(TWINS) as crowd:
        answers = list(crowd.map(lambda number: _ask(app, number), range(TWINS)))
    assert answers.count(None) == 1
    first = f"order-{answers.index(None)}"
    assert set(answers) == {None, first}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(tokens.RequestKey)) == 1


def test_a_first_request_that_failed_leaves_the_key_to_the_next(app, make):
    with pytest.raises(ValueError, match="no"), transaction():
        assert tokens.first_request("me", "order", "key", "two portions", "order-1") is None
        raise ValueError("no")
    assert _ask(app, 2) is None


def test_the_same_key_with_another_content_is_a_conflict(app, make):
    _ask(app, 1)
    with pytest.raises(Conflict), transaction():
        tokens.first_request("me", "order", "key", "three portions", "order-2")
