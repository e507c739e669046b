"""Whether the portal lives and is ready: two public addresses, and the heartbeats its processes leave behind."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from portal.config import Config
from portal.core import migrating
from portal.core.access import public
from portal.core.clock import now
from portal.core.db import Base, db, guarded, insert_once, transaction

WEB, JOBS = "web", "jobs"
# The jobs beat each minute; two missed beats and something is wrong.
SILENT_AFTER = timedelta(seconds=150)

bp = Blueprint("health", __name__)


class Heartbeat(Base):
    """The last sign of life of a kind of process, and the queue it works with, as a digest."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    at: Mapped[datetime]
    queue: Mapped[str] = mapped_column(sa.String(16))


def _queue() -> str:
    config: Config = current_app.extensions["portal.config"]
    return hashlib.sha256(config.jobs_url.encode()).hexdigest()[:16]


def beat(name: str) -> None:
    """Leave a sign of life in a transaction of its own."""
    with transaction():
        facts = {"at": now(), "queue": _queue()}
        if not guarded(sa.update(Heartbeat).where(Heartbeat.name == name).values(**facts)):
            # Several web workers start at once; whichever comes first has said it for all.
            insert_once(Heartbeat, {"name": name, **facts})


def beat_of_jobs() -> None:
    beat(JOBS)


def queue_flaw(name: str) -> str:
    """What is wrong with the other side's queue, in words; empty when both work with the same one."""
    other = db.session.get(Heartbeat, name)
    if other is None:
        return f"no {name} process has ever started on this database"
    if other.queue != _queue():
        return f"the {name} process works with another queue: JOBS_URL differs between the two"
    return ""


def flaws() -> dict[str, str]:
    """Each part that is not ready, with the reason."""
    try:
        current = migrating.current()
        beaten = db.session.get(Heartbeat, JOBS)
    except SQLAlchemyError as error:
        return {"database": type(error).__name__}
    found = {}
    if current != migrating.head():
        found["migrations"] = f"database at {current or 'nothing'}, code at {migrating.head()}"
    if beaten is None or now() - beaten.at > SILENT_AFTER:
        found["jobs"] = "silent"
    elif beaten.queue != _queue():
        found["jobs"] = "another queue"
    return found


@bp.get("/healthz")
@public
def alive() -> Response:
    """The process answers; nothing else is asked."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@public
def ready() -> Response:
    """200 when a request can be served and its messages will leave; else 503 and what is missing."""
    found = flaws()
    answer = jsonify(ready=not found, flaws=found)
    answer.status_code = 503 if found else 200
    return answer
