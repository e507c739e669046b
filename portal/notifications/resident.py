"""The resident's inbox, and the announcements of where she lives."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.db import db
from portal.identity.permissions import Permission
from portal.notifications import wording
from portal.notifications.service import announcements as announcement_service
from portal.notifications.service import inbox
from portal.registry.models import Person
from portal.registry.service import people

bp = Blueprint("resident", __name__)
NEWEST = 5


@bp.route("/")
@requires(Permission.SELF)
def index() -> Response:
    notices = inbox.notices_of(current_actor())
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    me = people.person_of_or_none(current_actor())
    read = announcement_service.for_person(me, NEWEST) if me else []
    facts: dict[str, Any] = {"unread": inbox.unread(current_actor()), "announcements": read}
    return web.page("notifications/resident/index.html", lines=lines, **facts)


@bp.route("/read", methods=["POST"])
@requires(Permission.SELF)
def read_all() -> Response:
    inbox.mark_all_read(current_actor(), up_to=web.number_asked("up_to", said=request.form))
    return web.go(".index")


def _reader() -> Person | None:
    actor = actor_or_none()
    return people.person_of_or_none(actor) if actor else None


@bp.route("/announcements")
@public
def announcements() -> Response:
    """What is meant for who reads; for everybody else, what is meant for all."""
    me, code = _reader(), request.args.get("community", "")
    own = announcement_service.for_person(me) if me else []
    facts: dict[str, Any] = {
        "own": own,
        "others": [] if me else announcement_service.public(code),
        "me": me,
        "code": code,
    }
    communities = announcement_service.communities() if me is None else []
    return web.page("notifications/resident/announcements.html", communities=communities, **facts)


@bp.route("/announcements/<int:announcement_id>")
@public
def announcement(announcement_id: int) -> Response:
    me = _reader()
    found = announcement_service.readable(announcement_id, me)
    is_read = me is not None and announcement_service.is_read(found, me)
    return web.page("notifications/resident/announcement.html", announcement=found, me=me, is_read=is_read)


@bp.route("/announcements/<int:announcement_id>/read", methods=["POST"])
@requires(Permission.SELF)
def announcement_read(announcement_id: int) -> Response:
    """A reading is kept by a post: opening a page writes nothing."""
    me = people.person_of_or_none(current_actor())
    found = announcement_service.readable(announcement_id, me)
    if me:
        announcement_service.mark_read(found, me)
    if request.headers.get("HX-Request"):
        return Response("", 204)
    return web.go(".announcements")


def _unread_notices() -> int:
    """The number on the bell, asked by the tab bar only; no number rather than no page when the database is busy."""
    actor = actor_or_none()
    try:
        return inbox.unread(actor) if actor else 0
    except SQLAlchemyError:
        db.session.rollback()
        return 0


@bp.app_context_processor
def _bell() -> dict[str, object]:
    return {"unread_notices": _unread_notices}
