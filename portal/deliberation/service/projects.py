"""The five steps of 三社联动 that an outcome may open: 需求, 设计, 承接, 实施, 评估; each writes down its fields."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.deliberation.models.codes import ProjectStep, Stage
from portal.deliberation.models.outcomes import Project
from portal.deliberation.models.topics import Idea, Topic
from portal.deliberation.service import public_log, telling
from portal.deliberation.service.project_words import STEPS, labels, step_said

# What a step must have before the next one begins; the rest may stay empty.
NEEDS: dict[ProjectStep, tuple[str, ...]] = {
    ProjectStep.NEED: ("who", "group"),
    ProjectStep.DESIGN: ("aim", "output", "budget", "source"),
    ProjectStep.AWARD: ("notice", "winner", "published"),
    ProjectStep.CARRY_OUT: ("agreement", "records"),
    ProjectStep.ASSESS: ("satisfied", "verdict"),
}


def of(topic: Topic) -> Project | None:
    return db.session.scalar(sa.select(Project).where(Project.topic_id == topic.id))


def begin(topic: Topic, name: str, *, by: Actor) -> Project:
    """Once for each topic; who asked for it and how many supported it stand in its first step."""
    if topic.stage is not Stage.FOLLOW_UP:
        raise Refused(_("公示期满、结果定下来以后才开项目。"))
    made = Project(topic_id=topic.id, name=name, opened_by_name=by.name, facts={ProjectStep.NEED.value: _need(topic)})
    with unique_or(Refused(_("这个议题已经开了项目。"))):
        db.session.add(made)
    public_log.log(topic, "project_opened", by_name=by.name, name=name)
    audit.record("deliberation.project_opened", made)
    return made


def _need(topic: Topic) -> dict[str, Any]:
    supports = db.session.scalar(sa.select(sa.func.sum(Idea.supports)).where(Idea.topic_id == topic.id))
    who = _("居民建议") if supports is not None else _("社区和居民")
    return {"who": who, "group": "", "evidence": topic.title, "supports": str(supports or 0)}


def write(project: Project, said: Mapping[str, Any], *, seen: int, by: Actor) -> None:
    """Fill in the present step."""
    facts = {**project.facts, project.step.value: _checked(project.step, said)}
    values: dict[str, Any] = {"facts": facts}
    if project.step is ProjectStep.DESIGN:
        values["budget_fen"] = said.get("budget") or 0
    _change(project, values, seen)
    audit.record("deliberation.project_edited", project, step=project.step.value, by=by.name)


def _checked(step: ProjectStep, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a step and no other; a credit code is checked, and kept as it was said."""
    held = {name: said.get(name) for name in labels(step) if said.get(name) not in (None, "")}
    satisfied = str(held.get("satisfied", ""))
    if satisfied and not (satisfied.isascii() and satisfied.isdigit() and int(satisfied) <= 100):
        raise Refused(_("请填 0 到 100 之间的整数。"), field="satisfied")
    uscc = str(held.get("uscc", "")).strip().upper()
    if uscc and not (len(uscc) == 18 and uscc.isascii() and uscc.isalnum()):
        raise Refused(_("统一社会信用代码是 18 位的数字和字母，请核对。"), field="uscc")
    return held | ({"uscc": uscc} if uscc else {})


def missing(project: Project) -> list[str]:
    """What the present step still lacks, in words."""
    held, known = project.facts.get(project.step.value) or {}, labels(project.step)
    return [known[name] for name in NEEDS[project.step] if not held.get(name)]


def advance(project: Project, *, seen: int, by: Actor) -> None:
    """On to the next step, or after the last one to the end."""
    if project.ended_at is not None:
        raise Refused(_("这个项目已经评估完成。"))
    lacks = missing(project)
    if lacks:
        raise Refused(_("还没有填：%(names)s。填好保存以后再往下走。", names=_("、").join(lacks)))
    at = STEPS.index(project.step)
    if at + 1 == len(STEPS):
        _change(project, {"ended_at": now()}, seen)
        public_log.log(project.topic, "project_ended", by_name=by.name, name=project.name)
        audit.record("deliberation.project_ended", project)
        return
    _change(project, {"step": STEPS[at + 1]}, seen)
    public_log.log(project.topic, "project_moved", by_name=by.name, name=project.name, step=project.step.value)
    audit.record("deliberation.project_moved", project, step=project.step.value)
    telling.tell_followers(project.topic, "project_moved", name=project.name, step=step_said(project.step))


def _change(project: Project, values: dict[str, Any], seen: int) -> None:
    standing = sa.and_(Project.id == project.id, Project.version == seen, Project.ended_at.is_(None))
    if not guarded(sa.update(Project).where(standing).values(**values, version=seen + 1)):
        raise Refused(_("这个项目刚刚有人改过，请刷新看看再改。"))
    db.session.refresh(project)
