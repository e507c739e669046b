"""The resident's inbox, and the announcements of where she lives."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from portal.core import web
from portal.core.access import Actor, Platform, actor_or_none, current_actor, public, requires
from portal.core.db import db
from portal.identity.permissions import Permission
from portal.notifications import wording
from portal.notifications.service import inbox
from portal.notifications.service import reading as reading_service
from portal.notifications.service.reading import Reader

bp = Blueprint("resident", __name__)
NEWEST = 5


@bp.route("/")
@requires(Permission.SELF)
def index() -> Response:
    notices = inbox.notices_of(current_actor())
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    read = reading_service.for_reader(reading_service.reader_of(current_actor()), NEWEST)
    facts: dict[str, Any] = {"unread": inbox.unread(current_actor()), "announcements": read}
    return web.page("notifications/resident/index.html", lines=lines, **facts)


@bp.route("/read", methods=["POST"])
@requires(Permission.SELF)
def read_all() -> Response:
    inbox.mark_all_read(current_actor(), up_to=web.number_asked("up_to", said=request.form))
    return web.go(".index")


def _reader() -> Reader | None:
    """Who reads, as far as announcements can be meant for her: the others read what is for everybody."""
    actor = actor_or_none()
    reader = reading_service.reader_of(actor) if actor and actor.platform is Platform.RESIDENT else None
    return reader if reader and reader.everybody() else None


@bp.route("/announcements")
@public
def announcements() -> Response:
    """What is meant for who reads; for everybody else, what is meant for all."""
    me, code = _reader(), request.args.get("community", "")
    own = reading_service.for_reader(me) if me else []
    facts: dict[str, Any] = {
        "own": own,
        "others": [] if me else reading_service.public(code),
        "me": me,
        "code": code,
    }
    communities = reading_service.communities() if me is None else []
    return web.page("notifications/resident/announcements.html", communities=communities, **facts)


@bp.route("/announcements/<int:announcement_id>")
@public
def announcement(announcement_id: int) -> Response:
    reading = reading_service.readable(announcement_id, _reader())
    meant = reading.mine or bool(reading.whose)
    facts: dict[str, Any] = {"announcement": reading.announcement, "reading": reading, "meant": meant}
    return web.page("notifications/resident/announcement.html", **facts)


@bp.route("/announcements/<int:announcement_id>/read", methods=["POST"])
@requires(Permission.SELF)
def announcement_read(announcement_id: int) -> Response:
    """A reading is kept by a post: opening a page writes nothing."""
    reader = reading_service.reader_of(current_actor())
    reading_service.mark_read(reading_service.readable(announcement_id, reader), reader)
    if request.headers.get("HX-Request"):
        return Response("", 204)
    return web.go(".announcements")


def _unread_notices() -> int:
    """What the tab bar asks, once a page; nothing rather than no page when the database is busy."""
    actor = actor_or_none()
    if actor is None:
        return 0
    if "unread" not in actor.cache:
        try:
            actor.cache["unread"] = _waiting(actor)
        except SQLAlchemyError:
            db.session.rollback()
            actor.cache["unread"] = 0
    return int(actor.cache["unread"])


def _waiting(actor: Actor) -> int:
    """A resident's messages and announcements together; a worker's messages."""
    return inbox.bell(actor) if actor.platform is Platform.RESIDENT else inbox.unread(actor)


@bp.app_context_processor
def _of_every_page() -> dict[str, object]:
    return {"unread_notices": _unread_notices}
