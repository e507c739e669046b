"""`portal verify` names what is wrong, and ends with 1 when anything is."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from tests.sites import Site, site

PEOPLE = """
from datetime import timedelta
from tests.make import Make
from portal.core import audit
from portal.core.clock import now
from portal.core.db import transaction
made = [Make().person(name) for name in ("王秀英",)]
with transaction():
    for step in range(3):
        audit.record("test.step", made[0], step=step)
with transaction():
    audit.seal(until=now() + timedelta(seconds=1))
"""


@pytest.fixture(scope="module")
def example(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(database, tmp_path_factory.mktemp("verify") / "example") as made:
        made.migrated().python(PEOPLE)
        yield made


@pytest.fixture
def filled(new_site: Callable[..., Site], example: Site) -> Site:
    """A site with a person and a sealed batch of the audit."""
    return new_site(like=example)


def _tampered(site, *statements: str) -> None:
    """Change rows as somebody with the database in hand would: with its own guards out of the way."""
    with site.connection() as connection:
        if site.database_url.startswith("sqlite"):
            triggers = connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            before = ["PRAGMA foreign_keys=OFF", *(f"DROP TRIGGER {name}" for name in triggers)]
        else:
            before = ["SET session_replication_role = replica"]
        for statement in (*before, *statements):
            connection.execute(sa.text(statement))


def _flaws(site) -> str:
    done = site.run("verify")
    assert done.returncode == 1, done.stdout
    assert "no flaw found" not in done.stdout
    return done.stderr


def test_a_whole_database_has_no_flaw(filled):
    done = filled.run("verify")
    assert done.returncode == 0, done.stderr
    assert "references ok" in done.stdout
    assert "person: 1 rows" in done.stdout
    assert "sealed in 1 batches, 0 not yet sealed" in done.stdout
    assert "no flaw found" in done.stdout


def test_a_changed_audit_row_names_its_batch(filled):
    last = filled.scalar("SELECT max(id) FROM audit_row")
    _tampered(filled, f"UPDATE audit_row SET reason = 'nothing happened' WHERE id = {last}")
    assert "audit: 第 1 批" in _flaws(filled)


def test_a_deleted_audit_row_names_its_batch(filled):
    _tampered(filled, "DELETE FROM audit_row WHERE id = 2")
    assert "audit: 第 1 批" in _flaws(filled)


def test_a_reference_to_nothing_names_the_table_and_the_column(filled):
    _tampered(filled, "UPDATE person SET community_id = 424242")
    assert "1 rows of person point by community_id at a row that is not there" in _flaws(filled)


def test_a_sealed_value_moved_to_another_column_is_named(filled):
    _tampered(filled, "UPDATE person SET phone = id_number")
    assert "person.phone of row 1 cannot be opened" in _flaws(filled)


def test_a_value_sealed_by_keys_of_another_site_is_named(filled):
    (filled.instance / "keys.json").unlink()
    filled.migrated()
    assert "person.id_number of row 1 cannot be opened" in _flaws(filled)


def test_a_database_of_another_version_is_named(new_site):
    site = new_site().migrated()
    _tampered(site, "UPDATE alembic_version SET version_num = '0000'")
    assert "the database is at revision 0000" in _flaws(site)
