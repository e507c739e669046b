"""Commands of the portal in processes that need not import it again.

One process imports the portal and then waits. Each command is a fork of it, with an environment, a session and files of
its own: from there on it is what `python -m portal` is, which has imported just as much when it begins. Run as a
module, this is that one process.
"""

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = {"PATH", "HOME", "LANG"}


class Forker:
    """The process that waits, seen from the tests: it is told to start, and asked how the started have ended."""

    def __init__(self) -> None:
        env = {key: value for key, value in os.environ.items() if key in KEPT} | {"PYTHONUNBUFFERED": "1"}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking"],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        atexit.register(self._end)

    def ask(self, **order: Any) -> Any:
        talk = self._process
        assert talk.stdin
        assert talk.stdout
        with self._lock:
            talk.stdin.write(json.dumps(order) + "\n")
            talk.stdin.flush()
            return json.loads(talk.stdout.readline())

    def _end(self) -> None:
        self._process.communicate()


@cache
def _forker() -> Forker:
    return Forker()


class Forked:
    """A started command; it is asked and told what a `subprocess.Popen` is."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], out: Path, *, error: Path, code: str = ""
    ) -> None:
        order = {"arguments": [*arguments], "env": {**env}, "out": str(out), "error": str(error), "code": code}
        for path in (out, error):
            path.touch()
        self.pid: int = _forker().ask(**order)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _forker().ask(ended=self.pid)
        return self.returncode

    def wait(self, longest: float = 100.0) -> int:
        deadline = time.monotonic() + longest
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("portal", longest)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _wait() -> dict[str, Any] | None:
    """Do as told until nobody is left to tell; in a fork, return what is to be done there."""
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        if "ended" in order:
            answer = _ended(order["ended"])
        elif (answer := os.fork()) == 0:
            return dict(order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return None


def _become(order: dict[str, Any]) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(order["env"])
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for number, (path, how) in enumerate(
        [(os.devnull, os.O_RDONLY), (order["out"], written), (order["error"], written)]
    ):
        opened = os.open(path, how, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    if order["code"]:
        gc.enable()
        exec(compile(order["code"], "<told>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = ["portal", *order["arguments"]]
        main(prog_name="portal")


if __name__ == "__main__":
    gc.disable()
    from portal.cli import main

    if told := _wait():
        _become(told)
