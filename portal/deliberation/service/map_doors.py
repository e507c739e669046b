"""What the doors hand over of the maps of opinion: they are on the topic's page; no person is in them."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock
from portal.core.access import Actor
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import MapState
from portal.deliberation.models.opinions import OpinionMap
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import maps
from portal.deliberation.service.taking_part import Step
from portal.registry.models import Person


def todo_of(worker: Actor) -> list[Todo]:
    return []


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    return []


def export(person: Person) -> list[dict[str, Any]]:
    return []


def purge(before: date) -> int:
    start, _end = clock.day_bounds(before)
    return maps.purge(start)


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """The map, once there is one."""
    query = sa.select(OpinionMap.people).where(OpinionMap.topic_id == topic.id, OpinionMap.state == MapState.DONE)
    people = db.session.scalar(query.order_by(OpinionMap.id.desc()).limit(1))
    if people is None:
        return []
    words = _("%(count)d 人表过态：各组怎么想，哪些事大家都认同", count=people)
    return [Step(_("意见地图"), words, "deliberation.resident.map_page", {"topic_id": topic.id})]


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """The map, or what is to be done until there is one."""
    query = sa.select(OpinionMap.state, OpinionMap.people).where(OpinionMap.topic_id == topic.id)
    last = db.session.execute(query.order_by(OpinionMap.id.desc()).limit(1)).first()
    words = _("还没画过")
    if last is not None:
        done = _("%(count)d 人的表态", count=last.people)
        words = {MapState.DONE: done, MapState.FAILED: _("上次没有画成")}.get(last.state, _("正在画，或人数不够"))
    return [Step(_("意见地图"), words, "deliberation.worker.map_desk", {"topic_id": topic.id})]
