"""The jobs beside the web server under one command: a child of it, and neither outlives the other.

The child is forked when all is imported and built, so that the two hold one portal in memory and the second takes no
seconds to start. Nobody may have started a thread or hold a connection by then.
"""

import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

# Linux: a child is told when its parent dies, even by kill -9.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
GRACE_SECONDS = 25
FIRST_PORTS = 20


def free_port(host: str, first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + FIRST_PORTS):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    return first


class Companion:
    """A child process that runs `work` and ends, with this one or by itself."""

    def __init__(self, work: Callable[[], None]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        self.gone = False
        if self.pid == 0:
            _live(work, parent)

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the child ends by itself; at once, when it has."""

        def look(_number: int, _frame: object) -> None:
            if not self.gone and self._has_ended():
                tell()

        signal.signal(signal.SIGCHLD, look)
        look(0, None)

    def end(self) -> None:
        """Ask for the child's end and wait for it; insist when it takes too long."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        deadline = time.monotonic() + GRACE_SECONDS
        self._send(signal.SIGTERM)
        while not self._has_ended():
            if time.monotonic() > deadline:
                self._send(signal.SIGKILL)
            time.sleep(0.05)

    def _send(self, number: int) -> None:
        if not self.gone:
            os.kill(self.pid, number)

    def _has_ended(self) -> bool:
        if not self.gone:
            self.gone = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        return self.gone


def _live(work: Callable[[], None], parent: int) -> None:
    """The child's life. Out of reach of the terminal's Ctrl-C, which is the parent's; told when the parent dies."""
    os.setsid()
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    code = 1
    try:
        # It may have died before it could be listened for.
        if os.getppid() == parent:
            work()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: what the parent had open is the parent's to close.
        os._exit(code)
