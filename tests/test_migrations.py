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


def test_the_rows_of_the_first_version_survive_every_later_one(connection):
    _migrate(connection, command.upgrade, REVISIONS[0])
    connection.execute(
        sa.text("INSERT INTO area (id, kind, code, name) VALUES (1, 'community', '999901001001', '春风里')")
    )
    connection.execute(
        sa.text(
            "INSERT INTO person (id, public_id, community_id, relation, name, initials, pinyin, sex, registration, "
            "registration_code, state, flags, created_at, updated_at) VALUES (7, 'p7', 1, 'head', '王秀英', 'wxy', "
            "'wang xiu ying', 'female', 'local', '', 'present', '[]', '2026-11-01 00:00:00', '2026-11-01 00:00:00')"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO person_tag (id, person_id, kind, since, source) "
            "VALUES (3, 7, 'empty_nest', '2025-01-01', '名单')"
        )
    )
    connection.commit()
    _migrate(connection, command.upgrade, "head")
    facts = sa.text("SELECT p.name, p.version, t.kind FROM person p JOIN person_tag t ON t.person_id = p.id")
    assert connection.execute(facts).all() == [("王秀英", 1, "empty_nest")]


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
