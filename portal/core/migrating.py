"""Bringing the database to the code's revision, one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.config import PACKAGE, Config
from portal.core.db import db

LOCK = 760_114_001


def scripts() -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(PACKAGE / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings


def head() -> str:
    """The code's revision; the HEAD file repeats it so that two branches conflict on purpose."""
    return ScriptDirectory.from_config(scripts()).get_current_head() or ""


def current() -> str:
    """The database's revision; empty for an empty database."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


@contextmanager
def _alone(config: Config, engine: sa.Engine) -> Iterator[None]:
    """Three processes starting at once: one migrates, the others wait and find nothing to do."""
    if config.sqlite:
        path = config.instance / "migrate.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Path(path).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    # The lock belongs to a connection of its own, outside any transaction, and goes when that closes.
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        yield


def upgrade(config: Config, revision: str = "head") -> None:
    unbounded = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    bounds = {} if config.sqlite else {"options": unbounded}
    engine = sa.create_engine(config.database_url, poolclass=sa.pool.NullPool, connect_args=bounds)
    with _alone(config, engine), engine.begin() as connection:
        settings = scripts()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
    engine.dispose()
