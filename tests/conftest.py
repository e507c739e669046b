"""What every test stands on: one application a worker process, an empty migrated database for each test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal import config as configuration
from portal.app import create_app
from portal.config import Config
from portal.core import migrating
from portal.core.clock import today
from portal.core.db import db
from portal.demo.accounts import Shown
from portal.demo.load import load_demo
from tests.client import Client
from tests.deliberating import Deliberating
from tests.emptying import Emptier
from tests.make import Make
from tests.servers import postgresql_url, server
from tests.shelf import Shelf

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=["sqlite", "postgresql"], default="sqlite", help="the database to test on")


def pytest_configure(config: pytest.Config) -> None:
    """The workers of a parallel run share the one server, and the one folder, that the controller chooses."""
    if hasattr(config, "workerinput"):
        return
    if config.getoption("--db") == "postgresql":
        server()
    _stay_in_memory()


def _stay_in_memory() -> None:
    """A commit of SQLite waits for the disk, as it must; in memory, where there is room, it need not wait.

    Neither a folder of tests nor a test's cluster (see servers.py) need survive the machine.
    """
    chosen = "TMPDIR" in os.environ or "TEST_DURABLE" in os.environ
    if not chosen and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def _has_room(folder: Path) -> bool:
    """Room to write in, and leave to run what is installed there: one test installs the portal."""
    if not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free >= ROOM and not os.statvfs(folder).f_flag & os.ST_NOEXEC


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--db"))


@pytest.fixture(scope="session")
def instance() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(database: str, instance: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{instance / 'portal.db'}"
        return
    with postgresql_url(f"portal_test_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="session")
def config(instance: Path, database_url: str) -> Config:
    return configuration.load({"PORTAL_MODE": "test", "PORTAL_INSTANCE": str(instance), "DATABASE_URL": database_url})


@pytest.fixture(scope="session")
def bare_app(config: Config) -> Iterator[Flask]:
    """The application on a migrated, empty database."""
    app = create_app(config)
    app.config.update(WTF_CSRF_ENABLED=False)
    app.test_client_class = Client
    migrating.upgrade(config)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def shelf(bare_app: Flask, database_url: str, instance: Path) -> Iterator[Shelf]:
    """Databases kept to be put back: an empty one, and those that take long to build."""
    kept = Shelf(bare_app, database_url, instance)
    yield kept
    kept.clear()


@pytest.fixture(scope="session")
def emptier(bare_app: Flask, shelf: Shelf) -> Iterator[Emptier]:
    """Of PostgreSQL; a file of SQLite is put back whole as fast."""
    made = Emptier(bare_app, shelf)
    yield made
    assert made.shelf.stands != "empty" or made.forgotten() == []
    made.end()


@pytest.fixture
def emptied(request: pytest.FixtureRequest, database: str, shelf: Shelf) -> None:
    if database == "sqlite":
        shelf.put("empty", lambda _: None)
    else:
        request.getfixturevalue("emptier").empty()


@pytest.fixture
def app(bare_app: Flask, emptied: None) -> Iterator[Flask]:
    yield bare_app
    bare_app.config.update(WTF_CSRF_ENABLED=False)


@pytest.fixture
def demonstration(app: Flask, shelf: Shelf) -> list[Shown]:
    """The demonstration street, loaded once a worker process and day; the accounts that its command prints."""
    shelf.put(f"demonstration_{today():%Y%m%d}", load_demo)
    return load_demo(app)


@pytest.fixture
def make(app: Flask) -> Iterator[Make]:
    """Builders, inside an application context whose session the test may use for looking."""
    with app.app_context():
        yield Make()
        db.session.rollback()


@pytest.fixture
def deliberating(make: Make) -> Deliberating:
    """Builders of deliberation."""
    return Deliberating(make)


@pytest.fixture
def client(app: Flask) -> Client:
    return app.test_client()  # type: ignore[return-value]
