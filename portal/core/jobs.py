"""Background work: named jobs and a schedule, run by huey in a process of its own, or at once in tests."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer

from portal.config import Config, Mode
from portal.core.clock import local
from portal.core.db import after_commit

Work = Callable[..., None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scheduled:
    """When a job runs by itself: minutes as in crontab ("*", "*/5", "17"), hours likewise, in Asia/Shanghai."""

    minute: str
    hour: str

    def is_due(self, moment: datetime) -> bool:
        """`moment` is huey's: UTC, and naive."""
        due: bool = crontab(minute=self.minute, hour=self.hour)(local(moment.replace(tzinfo=UTC)))
        return due


# Of many that ask for the same job within this many seconds, one queues it.
SOON = 1.0
EVERY_MINUTE = Scheduled(minute="*", hour="*")


class Jobs:
    """The jobs of one application: registered at start, queued with after_commit, run inside an app context."""

    def __init__(self, app: Flask, huey: Huey) -> None:
        self.app = app
        self.huey = huey
        self.works: dict[str, Work] = {}
        self._queued: dict[str, float] = {}
        self.run = huey.task(name="portal.run")(self._run)

    def _run(self, name: str, arguments: dict[str, Any]) -> None:
        with self.app.app_context():
            self.works[name](**arguments)

    def add(self, name: str, work: Work, every: Scheduled | None = None) -> None:
        self.works[name] = work
        if every:
            self.huey.periodic_task(every.is_due, name=f"portal.{name}")(lambda: self._run(name, {}))

    def soon(self, name: str) -> None:
        """Run a job without arguments in a second, for whatever many callers commit until then."""
        if self.huey.immediate:
            self.run(name, {})
            return
        moment = time.monotonic()
        if moment >= self._queued.get(name, 0.0):
            self._queued[name] = moment + SOON
            queued = False
            try:
                self.run.schedule(args=(name, {}), delay=SOON)
                queued = True
            finally:
                if not queued:
                    # Nobody has: the next who asks tries again.
                    self._queued.pop(name, None)

    def let_go(self) -> None:
        """Close this thread's connection to the queue, if it has one; the next use opens another."""
        close = getattr(self.huey.storage, "close", None)
        if close:
            close()

    def work_off(self, workers: int = 2) -> None:
        """Run queued and scheduled jobs until SIGTERM or SIGINT; what is running is finished first."""
        self.huey.create_consumer(
            workers=workers,
            max_delay=1.0,
            check_worker_health=True,
            graceful_signal="TERM",
            shutdown_timeout=20,
        ).run()


def _huey(config: Config) -> Huey:
    url = config.jobs_url
    # What is queued is a pickle: unsigned, whoever writes the queue would run code here.
    signed = SignedSerializer(secret=config.secret_key, salt="portal.jobs")
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("portal", filename=str(path), serializer=signed, immediate=config.mode is Mode.TEST)
    if url.startswith("redis"):
        return RedisHuey("portal", serializer=signed, url=url)
    return PostgresHuey("portal", serializer=signed, dsn=url.replace("postgresql+psycopg://", "postgresql://"))


def init(app: Flask, config: Config) -> None:
    app.extensions["portal.jobs"] = Jobs(app, _huey(config))


def of(app: Flask) -> Jobs:
    jobs: Jobs = app.extensions["portal.jobs"]
    return jobs


def enqueue(name: str, **arguments: Any) -> None:
    """Queue a job once the running transaction has committed. Arguments are plain JSON values.

    A crash between the commit and the queue loses the message, so each job that matters is also swept up by a
    scheduled one that looks at its table.
    """
    jobs = of(current_app)
    after_commit(lambda: _queue(jobs, name, arguments))


def _queue(jobs: Jobs, name: str, arguments: dict[str, Any]) -> None:
    """The work is committed and its answer must leave, whatever the queue says; the sweep finds what it lost."""
    try:
        jobs.run(name, arguments)
    except Exception:
        if jobs.huey.immediate:
            raise
        log.exception("job %s could not be queued", name)
