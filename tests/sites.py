"""A site of its own for a test: an instance folder, a database, and the real commands run in processes."""

import atexit
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from portal import config as configuration
from portal.core import migrating, sealing, statics
from tests.forking import Forked
from tests.servers import copy_database, postgresql_url

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 40.0


def free_port() -> int:
    """A port, and the next, below those that the kernel lends to clients: nobody takes it before it is used."""
    while True:
        port = secrets.randbelow(8000) * 2 + 16000
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


def until(answer: Callable[[], Any], what: str, *, longest: float = PATIENCE) -> Any:
    """Ask again and again until the answer is true; fail with `what` when patience ends."""
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        found = answer()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def spawned(command: list[str], env: dict[str, str], log: Path, *, folder: Path = ROOT) -> "Process":
    """A command, started from nothing."""
    with log.open("wb") as out:
        popen = subprocess.Popen(
            command, env=env, cwd=folder, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    return Process(popen, log)


class Process:
    """A running command of a site, with what it has said so far."""

    def __init__(self, popen: "subprocess.Popen[bytes] | Forked", log: Path) -> None:
        self.popen, self.log = popen, log

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def says(self, words: str, *, longest: float = PATIENCE) -> None:
        until(lambda: words in self.said or not self.running, words, longest=longest)
        assert words in self.said, self.said

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def end(self, number: int = 15) -> int:
        """Ask for the end and wait for it; return the exit status."""
        if self.running:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise


class Site:
    def __init__(self, instance: Path, database_url: str, **settings: str) -> None:
        self.instance = instance
        self.database_url = database_url
        self.port = free_port()
        self.env = {
            **{key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}},
            "PORTAL_MODE": "demo",
            "PORTAL_INSTANCE": str(instance),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        self._processes: list[Process] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return self._to_its_end(arguments, self.env | settings)

    def _to_its_end(
        self, arguments: Sequence[str], env: dict[str, str], code: str = ""
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory(prefix="portal-said-") as folder:
            out, error = Path(folder) / "out", Path(folder) / "error"
            process = Forked(arguments, env, out, error=error, code=code)
            try:
                status = process.wait()
            except BaseException:
                process.kill()
                raise
            return subprocess.CompletedProcess(arguments, status, out.read_text(), error.read_text())

    def migrated(self) -> "Site":
        """What `portal migrate` does, without the seconds a process takes to start."""
        config = configuration.load(self.env)
        sealing.load(config.keys_file, create=True)
        if self._empty:
            _copy(_migrated(sa.make_url(self.database_url).get_backend_name()), self.database_url)
        else:
            migrating.upgrade(config)
        return self

    @property
    def _empty(self) -> bool:
        if self.database_url.startswith("sqlite"):
            return not Path(sa.make_url(self.database_url).database or "").exists()
        with self.connection() as connection:
            return not sa.inspect(connection).get_table_names()

    def python(self, code: str) -> str:
        """Run a few lines inside this site's application, in a process of their own; return what they printed."""
        head = "from portal.app import create_app\napp = create_app()\nwith app.app_context():\n"
        body = "".join(f"    {line}\n" for line in code.strip().splitlines())
        done = self._to_its_end([], self.env, head + body)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str, **settings: str) -> Process:
        """A command of ours. `run` starts from nothing as an operator's does; the others need not import all again."""
        if arguments[0] == "run":
            return self.spawn([sys.executable, "-m", "portal", *arguments], **settings)
        log = self._next_log()
        return self._kept(Process(Forked(arguments, self.env | settings, log, error=log), log))

    def spawn(self, command: list[str], **settings: str) -> Process:
        """Any command."""
        return self._kept(spawned(command, self.env | settings, self._next_log()))

    def _next_log(self) -> Path:
        return self.instance / f"log-{len(self._processes)}.txt"

    def _kept(self, process: Process) -> Process:
        self._processes.append(process)
        return process

    def serve(self) -> Process:
        """The real web server, once it answers."""
        process = self.start("serve")
        process.says("serving at")
        return process

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.address + path, timeout=20, **more)

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Past the portal, straight to the tables; committed statement by statement."""
        engine = sa.create_engine(self.database_url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def scalar(self, query: str) -> Any:
        with self.connection() as connection:
            return connection.scalar(sa.text(query))

    def stop(self) -> None:
        for process in self._processes:
            if process.running:
                process.popen.kill()
                process.popen.wait()


@cache
def _static() -> tempfile.TemporaryDirectory[str]:
    """The compressed static files, made once: every site would make the same in its first half second."""
    folder = tempfile.TemporaryDirectory(prefix="portal-static-")
    statics.build(ROOT / "static", Path(folder.name))
    return folder


@cache
def _migrated(kind: str) -> str:
    """The address of an empty, migrated database, made once: every step from nothing takes longer than a copy."""
    until_the_end = ExitStack()
    atexit.register(until_the_end.close)
    folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="portal-migrated-")))
    url = f"sqlite:///{folder / 'portal.db'}"
    if kind == "postgresql":
        url = until_the_end.enter_context(postgresql_url(f"migrated_{os.getpid()}"))
    migrating.upgrade(configuration.load({"PORTAL_MODE": "test", "PORTAL_INSTANCE": str(folder), "DATABASE_URL": url}))
    return url


def _copy(source: str, target: str) -> None:
    if target.startswith("sqlite"):
        shutil.copy(sa.make_url(source).database or "", sa.make_url(target).database or "")
    else:
        copy_database(sa.make_url(source).database or "", sa.make_url(target).database or "")


@contextmanager
def site(database: str, folder: Path, *, like: Site | None = None, **settings: str) -> Iterator[Site]:
    """A site on an empty database of the given kind, or a copy of another; whatever it started ends with it."""
    source, target = (like.instance, folder) if like else (Path(_static().name), folder / "static")
    shutil.copytree(source, target, dirs_exist_ok=True)
    with ExitStack() as stack:
        if database == "sqlite":
            url = f"sqlite:///{folder / 'portal.db'}"
        else:
            name = f"site_{os.getpid()}_{abs(hash(folder)) % 10**8}"
            url = stack.enter_context(postgresql_url(name, like=like.database_url if like else ""))
        made = Site(folder, url, **settings)
        stack.callback(made.stop)
        yield made


def copy_keys(there: Site, here: Site) -> None:
    shutil.copy(there.instance / "keys.json", here.instance / "keys.json")


class Trickle:
    """Clients that send a request's body a byte at a time and never finish."""

    def __init__(self, port: int, clients: int) -> None:
        head = (
            b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        self.sockets = [socket.create_connection(("127.0.0.1", port), timeout=10) for _client in range(clients)]
        for client in self.sockets:
            client.sendall(head + b"Content-Length: 100000\r\n\r\n")

    def drip(self) -> None:
        _readable, writable, _broken = select.select([], self.sockets, [], 0)
        for client in writable:
            with suppress(OSError):
                client.send(b"a")

    def close(self) -> None:
        for client in self.sockets:
            client.close()
