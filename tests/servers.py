"""A PostgreSQL for tests: TEST_DATABASE_URL, else a running local server, else a cluster of our own."""

import atexit
import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

DRIVER = "postgresql+psycopg://"


def _driver(url: str) -> str:
    return DRIVER + url.split("://", 1)[1]


def _answers(url: str) -> bool:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(sa.text("select rolsuper from pg_roles where rolname = current_user")))
    except sa.exc.OperationalError:
        return False


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("no PostgreSQL: install the package postgresql, or set TEST_DATABASE_URL")
    return found[-1].parent


def _as_postgres(command: list[str]) -> list[str]:
    """initdb refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if getpass.getuser() == "root" else command


def _start_cluster(folder: Path) -> str:
    binaries, data = _binaries(), folder / "data"
    if getpass.getuser() == "root":
        shutil.chown(folder, "postgres", "postgres")
    subprocess.run(
        _as_postgres([str(binaries / "initdb"), "-D", str(data), "-U", "portal", "-A", "trust", "-E", "UTF8"]),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=200"
    # A test's cluster need not survive the machine; what is measured must.
    options += "" if os.environ.get("TEST_DURABLE") else " -c fsync=off"
    subprocess.run(
        _as_postgres(
            [
                str(binaries / "pg_ctl"),
                "-D",
                str(data),
                "-l",
                str(folder / "log"),
                "-w",
                "-o",
                options,
                "start",
            ]
        ),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return f"{DRIVER}portal@/postgres?host={folder}"


def _stop_cluster(folder: Path) -> None:
    stop = [str(_binaries() / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop"]
    subprocess.run(_as_postgres(stop), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


def server() -> str:
    """The address of a database on a server where we may create others. A cluster of our own ends with us.

    The address is handed to xdist's workers through the environment, so that they share one server.
    """
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        return _driver(given)
    local = f"{DRIVER}postgres@127.0.0.1:5432/postgres"
    if _answers(local):
        return local
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    folder.chmod(0o755)
    url = _start_cluster(folder)
    owner = os.getpid()
    atexit.register(lambda: _stop_cluster(folder) if os.getpid() == owner else None)
    os.environ["TEST_DATABASE_URL"] = url
    return url


@contextmanager
def postgresql_url(name: str, *, like: str = "") -> Iterator[str]:
    """An empty database of that name, or a copy of the one at another address; dropped afterwards."""
    root = sa.make_url(server())
    copy_database(sa.make_url(like).database or "" if like else "", name)
    try:
        yield root.set(database=name).render_as_string(hide_password=False)
    finally:
        _ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_database(source: str, name: str) -> None:
    """The database of that name becomes a copy of the other, or empty when there is none to copy."""
    _ask(
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{source}"' if source else ""),
    )


def _ask(*statements: str) -> None:
    """Databases are made and dropped from beside them, outside any transaction."""
    engine = sa.create_engine(server(), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()
