"""The resident's inbox."""

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from portal.core import web
from portal.core.access import actor_or_none, current_actor, requires
from portal.core.db import db
from portal.identity.permissions import Permission
from portal.notifications import wording
from portal.notifications.service import inbox

bp = Blueprint("resident", __name__)


@bp.route("/")
@requires(Permission.SELF)
def index() -> Response:
    notices = inbox.notices_of(current_actor())
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    return web.page("notifications/resident/index.html", lines=lines, unread=inbox.unread(current_actor()))


@bp.route("/read", methods=["POST"])
@requires(Permission.SELF)
def read_all() -> Response:
    inbox.mark_all_read(current_actor(), up_to=request.form.get("up_to", default=0, type=int))
    return web.go(".index")


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
