"""Worker pages of the maps of opinion: topics with theirs, one drawn anew, watched and cancelled."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import map_listing, map_showing, map_words, maps, reach
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


@bp.route("/maps")
@requires(KEEP)
def map_list() -> Response:
    page = max(web.number_asked("page", 1), 1)
    rows, more = map_listing.topics(scopes(KEEP), page=page)
    return web.page("deliberation/worker/map_list.html", rows=rows, more=more, page=page, words=map_words)


@bp.route("/topics/<int:topic_id>/map")
@requires(KEEP)
def map_desk(topic_id: int) -> Response:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    runs = maps.runs_of(topic)
    done = maps.latest(topic)
    facts: dict[str, Any] = {
        "topic": topic,
        "runs": runs,
        "running": next((run for run in runs if run.state in maps.RUNS), None),
        "found": map_showing.shown(done) if done else None,
        "why_not": maps.why_not(topic, done),
        "keeps": reach.keeps(topic, scopes(KEEP)),
        "words": map_words,
    }
    return _watched(web.page("deliberation/worker/map_desk.html", **facts), over=facts["running"] is None)


def _watched(page: Response, *, over: bool) -> Response:
    """Whoever watches the progress gets the whole page anew once it has come to its end."""
    if over and "HX-Target" in request.headers:
        page.headers["HX-Refresh"] = "true"
    return page


def _kept(topic_id: int) -> Topic:
    return reach.kept(topic_id, within=scopes(KEEP))


@bp.route("/topics/<int:topic_id>/map/ask", methods=["POST"])
@requires(KEEP)
def map_ask(topic_id: int) -> Response:
    try:
        maps.start(_kept(topic_id), by=current_actor())
        flash(_("已经开始画，画好了就在这一页。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".map_desk", topic_id=topic_id)


@bp.route("/topics/<int:topic_id>/map/<public_id>/cancel", methods=["POST"])
@requires(KEEP)
def map_cancel(topic_id: int, public_id: str) -> Response:
    try:
        maps.cancel(maps.run_of(_kept(topic_id), public_id))
        flash(_("已取消，原来的意见地图不变。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".map_desk", topic_id=topic_id)
