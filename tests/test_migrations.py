"""Migrations: they lead from nothing to the models and back, whoever runs them and how often."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.core import migrating
from portal.core.db import Base
from tests.sites import Site, site

REVISIONS = [
    step.revision for step in reversed(list(ScriptDirectory.from_config(migrating.scripts()).walk_revisions()))
]


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[Site]:
    with site(database, tmp_path / "site") as made:
        yield made


@pytest.fixture
def connection(empty: Site) -> Iterator[sa.Connection]:
    engine = sa.create_engine(empty.database_url, poolclass=sa.pool.NullPool)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def _migrate(connection: sa.Connection, act, revision: str) -> None:
    settings = migrating.scripts()
    settings.attributes["connection"] = connection
    act(settings, revision)
    connection.commit()


def test_each_step_goes_up_and_down_and_up_again(connection):
    for revision in REVISIONS:
        _migrate(connection, command.upgrade, revision)
        _migrate(connection, command.downgrade, "-1")
        _migrate(connection, command.upgrade, revision)
    _migrate(connection, command.downgrade, "base")
    assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}


def test_the_migrations_lead_to_the_models(connection):
    _migrate(connection, command.upgrade, "head")
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, Base.metadata) == []


def test_three_processes_that_migrate_at_once_all_succeed(empty):
    processes = [empty.start("migrate") for _process in range(3)]
    assert [process.popen.wait(60) for process in processes] == [0, 0, 0], [process.said for process in processes]
    assert empty.scalar("SELECT count(*) FROM alembic_version") == 1
    assert empty.scalar("SELECT version_num FROM alembic_version") == migrating.head()
    assert [path.name for path in empty.instance.glob("*keys.json*")] == ["keys.json"]


def test_there_is_one_head():
    assert len(ScriptDirectory.from_config(migrating.scripts()).get_heads()) == 1
