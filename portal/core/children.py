"""Heavy work in a process of its own, which ends with its work: fed, listened to, stopped.

The module reads JSON on standard input and writes lines of JSON on standard output: {"step": …} while it works, at the
end {"found": …}.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any

GoesOn = Callable[[dict[str, Any]], bool]

BEAT = 1.0
ROOT = Path(__file__).parents[2]
log = logging.getLogger(__name__)


class Stopped(Exception):
    """Whoever waits wants it no more."""


class Broken(Exception):
    """It ended without an answer, or did not end in time."""


def ask(module: str, question: Any, *, seconds: float, goes_on: GoesOn) -> dict[str, Any]:
    """What a module of ours finds. Every second `goes_on` is told how far it is, and says whether to go on."""
    with tempfile.TemporaryFile() as complaints, _started(module, complaints) as child:
        try:
            return _answer(child, json.dumps(question), seconds, goes_on)
        except Broken:
            complaints.seek(0)
            log.exception("%s: %s", module, complaints.read()[-2000:].decode(errors="replace"))
            raise


def _started(module: str, complaints: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 a module of ours
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )


def _answer(child: subprocess.Popen[str], said: str, seconds: float, goes_on: GoesOn) -> dict[str, Any]:
    heard: SimpleQueue[str] = SimpleQueue()
    listener = Thread(target=_listen, args=(child, heard), daemon=True)
    listener.start()
    try:
        _feed(child, said)
        return _heard(heard, time.monotonic() + seconds, goes_on)
    finally:
        child.kill()
        listener.join()


def _heard(heard: SimpleQueue[str], deadline: float, goes_on: GoesOn) -> dict[str, Any]:
    beat = 0.0
    last: dict[str, Any] = {"step": "begin"}
    while time.monotonic() < deadline:
        line = _next(heard)
        if line == "":
            raise Broken("no answer")
        if line is not None:
            last = json.loads(line)
        if "found" in last:
            return dict(last["found"])
        if time.monotonic() - beat >= BEAT:
            beat = time.monotonic()
            if not goes_on(last):
                raise Stopped
    raise Broken("not in time")


def _feed(child: subprocess.Popen[str], said: str) -> None:
    assert child.stdin
    try:
        child.stdin.write(said)
        child.stdin.close()
    except BrokenPipeError:
        raise Broken("it does not listen") from None


def _listen(child: subprocess.Popen[str], heard: SimpleQueue[str]) -> None:
    """Its lines, and "" once there are no more."""
    assert child.stdout
    for line in child.stdout:
        heard.put(line)
    heard.put("")


def _next(heard: SimpleQueue[str]) -> str | None:
    try:
        return heard.get(timeout=BEAT / 4)
    except Empty:
        return None
