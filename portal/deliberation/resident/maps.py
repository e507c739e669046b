"""Resident pages of the map of opinion, which everybody may read: the groups and what they hold, and every figure."""

from typing import Any

from flask import Response

from portal.core import clock, web
from portal.core.access import public
from portal.deliberation.models.topics import Topic
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import map_showing, map_words, maps, opinions, reach

bp.add_app_template_filter(map_words.group, "map_group")


@bp.route("/topics/<int:topic_id>/map")
@public
def map_page(topic_id: int) -> Response:
    facts = _facts(topic_id)
    if facts["run"] is not None:
        facts["found"] = map_showing.shown(facts["run"])
    return web.page("deliberation/resident/map_page.html", **facts)


@bp.route("/topics/<int:topic_id>/map/figures")
@public
def map_figures(topic_id: int) -> Response:
    facts, page = _facts(topic_id), max(web.number_asked("page", 1), 1)
    run = facts["run"]
    rows, more = map_showing.lines(run, page=page) if run else ([], False)
    return web.page("deliberation/resident/map_figures.html", rows=rows, more=more, page=page, **facts)


def _facts(topic_id: int) -> dict[str, Any]:
    topic = reach.shown(topic_id)
    run = maps.latest(topic)
    why = "" if run else maps.why_none(topic)
    return {"topic": topic, "run": run, "words": map_words, "open_now": _asks(topic), "why": why}


def _asks(topic: Topic) -> bool:
    return not opinions.why_closed(topic, clock.today())
