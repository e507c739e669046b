"""The road of a topic as its page draws it: where it is, what comes next, how to take part today."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from portal.core.clock import local, today
from portal.core.web import day_words
from portal.deliberation.models.codes import ROAD, Category, Forum, Stage
from portal.deliberation.models.topics import Topic, TopicStage, TopicTemplate
from portal.deliberation.service import public_log, topic_words
from portal.deliberation.service.doors import PARTS
from portal.deliberation.service.taking_part import Step
from portal.registry.models import Person


@dataclass(frozen=True)
class Milestone:
    """One stage of the road: `state` is done, now, skipped or ahead; when it was, and a word about it."""

    stage: Stage
    state: str
    when: str = ""
    why: str = ""

    @property
    def words(self) -> str:
        known = {"done": _("已走过"), "now": _("现在"), "skipped": _("跳过"), "ahead": _("还没到")}
        return known[self.state]


def milestones(topic: Topic) -> list[Milestone]:
    """The whole road, each stage as it was last: a topic that was sent back walks its later stages again."""
    return [_milestone(topic, stage) for stage in ROAD]


def _milestone(topic: Topic, stage: Stage) -> Milestone:
    rows = [row for row in topic.stages if row.stage is stage]
    if stage is topic.stage:
        return Milestone(stage, "done" if stage is Stage.ARCHIVED else "now", _span(rows[-1]) if rows else "")
    if not rows or _lies_ahead(topic, stage):
        return Milestone(stage, "ahead")
    if rows[-1].skipped:
        return Milestone(stage, "skipped", why=rows[-1].why)
    return Milestone(stage, "done", _span(rows[-1]))


def _lies_ahead(topic: Topic, stage: Stage) -> bool:
    return topic.stage in ROAD and ROAD.index(stage) > ROAD.index(topic.stage)


def _span(row: TopicStage) -> str:
    """From when until when a topic was in a stage."""
    first = day_words(local(row.entered_at).date())
    until = local(row.left_at).date() if row.left_at else row.ends_on
    if until is None:
        return _("%(first)s起", first=first)
    last = day_words(until)
    return first if first == last else _("%(first)s到%(last)s", first=first, last=last)


def position(topic: Topic) -> int:
    """Which stage of the road a topic is in, counted from one; 0 before it and off it."""
    return ROAD.index(topic.stage) + 1 if topic.stage in ROAD else 0


def next_stage(topic: Topic) -> Stage | None:
    """What the road has after the present stage, as far as it goes on at all."""
    if topic.stage is Stage.DRAFT:
        return Stage.COLLECTING
    here = position(topic)
    return ROAD[here] if 0 < here < len(ROAD) else None


def history(topic: Topic) -> list[TopicStage]:
    """Every stage as it was come to, the newest first."""
    return sorted(topic.stages, key=lambda row: row.id, reverse=True)


def steps(topic: Topic, person: Person | None, at: datetime) -> tuple[list[Step], list[Step]]:
    """What a reader can do today, and what there is to read."""
    found = [step for part in PARTS for step in part.steps(topic, person, at)]
    return [one for one in found if one.now], [one for one in found if not one.now]


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """What the committee finds on the topic's page, what is to be done today first."""
    found = [step for part in PARTS for step in part.desk_steps(topic, at)]
    return sorted(found, key=lambda step: not step.now)


def topic_line(topic: Topic) -> str:
    """Who leads a topic and until when its stage lasts, below its title in a list."""
    if topic.stage_until is None:
        return topic.area.name
    return _("%(area)s，到%(day)s为止", area=topic.area.name, day=day_words(topic.stage_until))


def is_late(topic: Topic) -> bool:
    """Whether the last day of its stage has gone by: somebody must move it on."""
    return topic.stage_until is not None and topic.stage_until < today()


def template_category(template: TopicTemplate) -> str:
    said = (template.facts or {}).get("category", "")
    return topic_words.category_said(Category(said)) if said in set(Category) else _("没有写")


def template_forum(template: TopicTemplate) -> str:
    said = (template.facts or {}).get("forum", "")
    return topic_words.forum_said(Forum(said)) if said in set(Forum) else _("没有写")


FILTERS: dict[str, Callable[..., Any]] = {
    "topic_said": topic_words.topic_said,
    "cost_said": topic_words.cost_said,
    "topic_tint": topic_words.stage_tint,
    "stage_code": topic_words.stage_code,
    "stage_meaning": topic_words.stage_meaning,
    "topic_milestones": milestones,
    "topic_position": position,
    "topic_next": next_stage,
    "topic_history": history,
    "topic_line": topic_line,
    "topic_late": is_late,
    "template_category": template_category,
    "template_forum": template_forum,
    "log_words": public_log.words_of,
    "log_who": public_log.who_of,
}
