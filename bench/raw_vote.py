"""The limit for an unnamed vote: the vote's row held, the two inserts of the ORM. Arguments: vote, count.

Plain SQLAlchemy on an engine of its own with the portal's durability, and none of the portal's code round it. Its
entries and ballots belong to a vote of its own, which is taken away afterwards.
"""

import secrets
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from bench.measuring import CROWD, together
from portal.app import create_app
from portal.core.db import db, transaction
from portal.deliberation.models.codes import Channel
from portal.deliberation.models.votes import RollEntry, SecretBallot, Turnout, Vote

VOTE, VOTES = int(sys.argv[1]), int(sys.argv[2])
app = create_app()


def plain_engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=CROWD)
    engine = sa.create_engine(url, pool_size=CROWD, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


ENGINE = plain_engine(app.extensions["portal.config"].database_url)


def cast(entry: int) -> None:
    with Session(ENGINE) as session, session.begin():
        session.execute(sa.select(Vote.state).where(Vote.id == RAW).with_for_update(read=True))
        session.add(Turnout(entry_id=entry, vote_id=RAW, channel=Channel.PHONE))
        session.flush()
        session.add(SecretBallot(key=secrets.token_hex(8), vote_id=RAW, choice=1))


with app.app_context():
    with transaction() as opened:
        model = opened.get_one(Vote, VOTE)
        left_out = {"id", "topic", "body_rule", "options"}
        facts = {one.key: getattr(model, one.key) for one in Vote.__mapper__.column_attrs if one.key not in left_out}
        raw = Vote(**facts)
        opened.add(raw)
        opened.flush()
        RAW = raw.id
        entries = [RollEntry(vote_id=RAW, number=n, unit=f"raw:{n}", name="raw") for n in range(VOTES)]
        opened.add_all(entries)
        opened.flush()
        numbers = [entry.id for entry in entries]
    _answers, rate = together(cast, numbers)
    ENGINE.dispose()
    db.engine.dispose()
sys.stdout.write(f"{rate}\n")
