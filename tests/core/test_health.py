"""Signs of life of processes that start together."""

import sqlalchemy as sa

from portal.core import health
from portal.core.db import db


def test_two_web_workers_that_beat_first_at_the_same_moment_both_live(make, monkeypatch):
    # Each finds no row to change, for the other has not committed its own.
    monkeypatch.setattr(health, "guarded", lambda _statement: 0)
    health.beat(health.WEB)
    health.beat(health.WEB)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(health.Heartbeat)) == 1
