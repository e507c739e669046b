"""The engines of the two databases: how their connections are opened, begun, rested, and what waits are allowed."""

import time
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from portal.config import Config
from portal.core.turns import Turns

# A pooled connection that rested longer is asked whether it still lives; asking each time costs a busy portal much.
RESTED_SECONDS = 1.0
# How long a writer waits for the one before it.
BUSY_SECONDS = 30
# Statements that stand alone, as VACUUM must.
AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}
BEGIN, BEGIN_ACT = "BEGIN", "BEGIN; SET LOCAL plan_cache_mode = auto"
writing: ContextVar[bool] = ContextVar("writing", default=False)
# Within an unsafe request: its transaction is an act's, not a job's over thousands of rows.
acting: ContextVar[bool] = ContextVar("acting", default=False)
# Within a safe request, or while an unsafe one only reads.
reading_only: ContextVar[bool] = ContextVar("reading_only", default=False)


def engine_options(config: Config) -> dict[str, Any]:
    """The engine's settings: SQLite keeps connections open (WAL needs one alive), PostgreSQL bounds every wait.

    Neither puts a statement's values into its errors, which end up in the log.
    """
    if config.sqlite:
        return {
            "url": config.database_url,
            "pool_size": config.threads + 4,
            "max_overflow": 8,
            "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False},
            "hide_parameters": True,
        }
    bounds = "-c statement_timeout=10000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=30000"
    return {
        "url": config.database_url,
        "pool_size": config.threads + 2,
        "max_overflow": 8,
        "hide_parameters": True,
        **AUTOCOMMIT,
        "connect_args": {
            "connect_timeout": 3,
            "prepare_threshold": 2,
            "options": f"{bounds} -c timezone=UTC -c plan_cache_mode=force_custom_plan",
        },
    }


def prepare_sqlite(engine: sa.Engine) -> None:
    """Make its connections durable, and its writers of this process queue."""
    turns = Turns()

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: BEGIN IMMEDIATE is ours to say.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if not writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        # SQLite lets writers of other processes wait by sleeping, long after the lock is free; those of this one queue.
        connection.info["turn"] = connection.info.get("turn") or turns.take(BUSY_SECONDS)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        """However a transaction ended, its connection comes back to the pool."""
        if record.info.pop("turn", False):
            turns.leave()


def prepare_postgresql(engine: sa.Engine) -> None:
    """Begin its transactions, which the driver leaves to us; a connection that rested is asked whether it still lives.

    Reading without BEGIN and ROLLBACK saves two round trips, sees the same at READ COMMITTED, and keeps the prepared
    statements of the connection, which psycopg forgets when it rolls back.
    """

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if reading_only.get() or connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return
        # Lists are planned for what they ask each time; an act's statements are short: planning them costs the most.
        connection.exec_driver_sql(BEGIN_ACT if acting.get() and writing.get() else BEGIN)

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool opens another one and tries again.
            raise sa.exc.DisconnectionError from error
