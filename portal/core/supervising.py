"""The web server and the jobs as children of one command: they start together and none outlives it.

A module to run (`python -m portal.core.supervising HOST PORT`) that imports none of ours: the process that only waits
for two others must not hold a whole portal in memory, so `portal run` ends by becoming this one.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType
from typing import NoReturn

# Linux: a child is told when its parent dies, even by kill -9.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
GRACE_SECONDS = 25
FIRST_PORTS = 20


def _die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(commands: list[str], env: Mapping[str, str]) -> list[subprocess.Popen[bytes]]:
    """Start a `portal` command in each child, out of reach of the terminal's Ctrl-C, which is the parent's."""
    return [
        subprocess.Popen(  # noqa: S603 ourselves
            [sys.executable, "-m", "portal", command],
            env=dict(env),
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 no thread runs in this command
        )
        for command in commands
    ]


def free_port(host: str, first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + FIRST_PORTS):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    return first


def wait_until_listens(host: str, port: int, children: list[subprocess.Popen[bytes]], longest: float = 30) -> bool:
    """Whether somebody listens there before `longest` seconds have passed and before a child has ended."""
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline and all(child.poll() is None for child in children):
        with suppress(OSError), socket.create_connection((host, port), timeout=2) as probe:
            # A socket that asks a free port often enough may be given that very port, and meet itself.
            if probe.getsockname() != probe.getpeername():
                return True
        time.sleep(0.05)
    return False


class Watch:
    """Waits for Ctrl-C, SIGTERM or the end of a child, and then ends them all."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def wait(self, children: list[subprocess.Popen[bytes]]) -> bool:
        """Return True when the end was asked for, False when a child ended by itself."""
        while not self.asked and all(child.poll() is None for child in children):
            time.sleep(0.1)
        return self.asked

    def end(self, children: list[subprocess.Popen[bytes]]) -> None:
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            try:
                child.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def become(host: str, port: int) -> NoReturn:
    """Go on as the supervisor: the same process, without what it has imported and loaded until now."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "portal.core.supervising", host, str(port)])  # noqa: S606 ourselves


def main(host: str, port: int) -> int:
    """Start both, say where they are, and wait. Return the exit code."""
    watch = Watch()
    env = {**os.environ, "PORT": str(port)}
    children = start(["serve"], env)
    if wait_until_listens(host, port, children):
        # After the server: the jobs look whether one has ever started here, and the first page comes sooner.
        children += start(["jobs"], env)
        address = f"http://{host}:{port}"
        lines = (
            "",
            f"  residents  {address}/",
            f"  the desk   {address}/desk",
            "",
            "  Ctrl-C ends everything.",
            "",
            "",
        )
        sys.stdout.write("\n".join(lines))
        sys.stdout.flush()
    asked = watch.wait(children)
    watch.end(children)
    return 0 if asked else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
