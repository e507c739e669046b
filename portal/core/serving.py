"""The web server that faces users itself: waitress in one process, wrapped so that stopping it drops no request."""

import logging
import signal
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from portal.core import statics
from portal.core.db import db

Application = Callable[..., Any]
log = logging.getLogger(__name__)
# A service manager that asks for an end waits longer than this before it kills.
DRAIN_SECONDS = 20.0
# No request may be larger: nginx has the same bound, and Flask refuses earlier with a page.
LARGEST_BODY = 32 * 1024 * 1024

REFUSAL = (
    '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>没有接收</title></head>'
    "<body><h1>没有接收</h1><p>{words}</p></body></html>\n"
)
TOO_LARGE = "文件太大，最多 20 MB。请返回上一页，换一个小一点的文件，或把它分成几份。"
NOT_TAKEN = "这次请求没有被接受。请返回上一页，刷新后再试一次。"


class _Task(WSGITask):
    """While draining, every answer asks the browser to open its next connection elsewhere."""

    def build_response_header(self) -> bytes:
        if self.channel.server.draining:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


class _ErrorTask(ErrorTask):
    """What is refused before the portal sees it is said in Chinese too: waitress's own words are bare English."""

    def execute(self) -> None:
        words = TOO_LARGE if isinstance(self.request.error, RequestEntityTooLarge) else NOT_TAKEN
        body = REFUSAL.format(words=words).encode()
        self.status = f"{self.request.error.code} {self.request.error.reason}"
        self.response_headers.append(("Content-Type", "text/html; charset=utf-8"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    task_class = _Task
    error_task_class = _ErrorTask


class Server(TcpWSGIServer):
    """Waitress, which finishes what it has begun before it ends."""

    channel_class = _Channel
    draining = False

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self.draining = True
        self.pull_trigger()

    def run_and_drain(self, longest: float = DRAIN_SECONDS) -> bool:
        """Serve until stop(), then answer what has arrived. Return whether everything was answered in time."""
        while not self.draining:
            wasyncore.loop(timeout=1, map=self._map, count=1)
        self._stop_accepting()
        deadline = time.monotonic() + longest
        quiet = 0
        # Two quiet rounds, so that a request already on the wire is seen before its connection closes.
        while quiet < 2 and time.monotonic() < deadline:
            wasyncore.loop(timeout=0.1, map=self._map, count=1)
            quiet = 0 if self._busy() else quiet + 1
        finished = not self._busy()
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
        return finished

    def _stop_accepting(self) -> None:
        """Take in whom the kernel has already let in, then close the door."""
        known = -1
        while known != len(self.active_channels):
            known = len(self.active_channels)
            self.handle_accept()
        self.accepting = False
        self.del_channel(self._map)
        self.socket.close()

    def _busy(self) -> bool:
        channels = list(self.active_channels.values())
        return any(channel.requests or channel.request or channel.total_outbufs_len for channel in channels)


def server(application: Application, *, host: str, port: int, threads: int) -> Server:
    """A listening server. Raise OSError when the address is taken."""
    settings = Adjustments(
        listen=f"{host}:{port}",
        threads=threads,
        # Slow clients cost a descriptor each, not a thread.
        connection_limit=1000,
        channel_timeout=60,
        max_request_body_size=LARGEST_BODY,
        ident="",
    )
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(settings.threads)
    # Its queue is meant to hold a rush; a line for each request in it helps nobody.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return Server(application, map={}, dispatcher=dispatcher, adj=settings, sockinfo=settings.listen[0])


def stop_when_asked(web: Server) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: web.stop())


def application(app: Flask) -> Application:
    """The portal with its static files in front."""
    front: Application = statics.served(app, app.extensions["portal.statics"])
    return front


def serve(app: Flask, *, host: str, port: int, threads: int, started: Callable[[str], None]) -> bool:
    """Serve until SIGTERM or SIGINT, then drain; tell `started` the address once it listens."""
    web = server(application(app), host=host, port=port, threads=threads)
    stop_when_asked(web)
    with app.app_context():
        # SQLite's WAL lives as long as a connection: with none open, a full disk would fail reads too.
        idle = db.engine.raw_connection()
    started(f"http://{host}:{web.effective_port}")
    try:
        return web.run_and_drain()
    finally:
        idle.close()
        with app.app_context():
            db.engine.dispose()
