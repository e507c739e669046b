"""The road of a topic: the one place where its stage changes, with dates, guards, what is skipped and why."""

from collections.abc import Mapping
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, calendar
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.deliberation.models.codes import OutcomeState, Stage
from portal.deliberation.models.outcomes import Outcome
from portal.deliberation.models.topics import Topic, TopicStage
from portal.deliberation.service import guards, telling
from portal.deliberation.service.public_log import log
from portal.deliberation.service.topic_words import stage_said

LEAST_WHY = 4


def move(
    topic: Topic,
    to: Stage,
    *,
    by: Actor | None,
    why: str = "",
    until: date | None = None,
    skipping: Mapping[Stage, str] | None = None,
) -> Topic:
    """Bring a topic to a stage, or refuse in words that say what to do first.

    `by` is None for what the system does by itself (a notice period that ended). `why` is asked where the move skips
    stages, goes back or withdraws; `skipping` may give each skipped stage a reason of its own. `until` is the stage's
    last day.
    """
    hold(topic)
    start, why = topic.stage, why.strip()
    if not topic.may_become(to):
        here, there = stage_said(start), stage_said(to)
        raise Refused(_("议题现在在“%(here)s”，不能进入“%(there)s”。请刷新后再看。", here=here, there=there))
    reasons = _reasons(start, to, why, skipping or {})
    _refuse_flaws(topic, to, why)
    guards.check_until(to, until)
    by_name = by.name if by else ""
    _leave(topic, start, to, reasons, by_name=by_name)
    _enter(topic, to, why=why if guards.asks_why(start, to) else "", until=until, by_name=by_name)
    _write_down(topic, start, why=why, by_name=by_name, reasons=reasons)
    return topic


def extend(topic: Topic, until: date, *, why: str, by: Actor) -> None:
    """Give the stage a later last day; a day that was said to residents is never brought forward.

    What is published for its days stays published as long.
    """
    hold(topic)
    if topic.stage_until is None:
        raise Refused(_("这一步没有截止日，不用延长。"))
    if until <= topic.stage_until:
        words = _("已经告诉大家到%(day)s为止，只能往后延。", day=day_words(topic.stage_until))
        raise Refused(words, field="until")
    guards.check_until(topic.stage, until)
    _check_why(why)
    if topic.stage is Stage.NOTICE:
        until = on_workday(until)
        published = sa.update(Outcome).where(Outcome.topic_id == topic.id, Outcome.state == OutcomeState.PUBLISHED)
        db.session.execute(published.values(ends_on=until))
    topic.stage_until = until
    current = _current(topic)
    if current is not None:
        current.ends_on = until
    topic.version += 1
    log(topic, "extended", by_name=by.name, why=why.strip(), until=until.isoformat())
    audit.record("deliberation.topic_extended", topic, reason=why, until=until.isoformat())
    telling.tell_followers(topic, "topic_extended", until=until.isoformat(), why=why.strip())


def on_workday(day: date) -> date:
    """A last day off work moves on (Civil Code 203)."""
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return day


def next_stages(topic: Topic) -> list[Stage]:
    """Where a topic may go from here, onward first, the way back and the withdrawal last."""
    known = [stage for stage in Stage if topic.may_become(stage)]
    return sorted(known, key=lambda to: (to is Stage.WITHDRAWN, guards.is_back(topic.stage, to)))


def hold(topic: Topic) -> None:
    """Read the topic anew and hold it, so that of two who move it the second is told. Whoever changes an outcome too
    holds the topic first.
    """
    query = sa.select(Topic).where(Topic.id == topic.id).with_for_update(of=Topic)
    db.session.flush()
    db.session.scalars(query.execution_options(populate_existing=True)).one()


def _reasons(start: Stage, to: Stage, why: str, skipping: Mapping[Stage, str]) -> dict[Stage, str]:
    """Each skipped stage with its reason; refused where one, or the move, has none."""
    if guards.asks_why(start, to) and not guards.skipped(start, to):
        _check_why(why)
    reasons = {stage: (skipping.get(stage) or why).strip() for stage in guards.skipped(start, to)}
    for stage, reason in reasons.items():
        if len(reason) < LEAST_WHY:
            words = _("请写明为什么跳过“%(stage)s”，至少四个字，会公布出来。", stage=stage_said(stage))
            raise Refused(words, field=f"skip_{stage.value}" if skipping else "why")
    return reasons


def _check_why(why: str) -> None:
    if len(why.strip()) < LEAST_WHY:
        raise Refused(_("请写明原因，至少四个字，会公布出来。"), field="why")


def _refuse_flaws(topic: Topic, to: Stage, why: str) -> None:
    explained = len(why) >= LEAST_WHY
    standing = [flaw for flaw in guards.flaws(topic, to) if not (flaw.heals and explained)]
    if standing:
        field = "why" if all(flaw.heals for flaw in standing) else ""
        raise Refused("".join(flaw.words for flaw in standing), field=field)


def _current(topic: Topic) -> TopicStage | None:
    query = sa.select(TopicStage).where(
        TopicStage.topic_id == topic.id, TopicStage.left_at.is_(None), TopicStage.skipped.is_(False)
    )
    return db.session.scalars(query.order_by(TopicStage.id.desc()).limit(1)).first()


def _leave(topic: Topic, start: Stage, to: Stage, reasons: Mapping[Stage, str], *, by_name: str) -> None:
    current = _current(topic)
    if current is not None:
        current.left_at = now()
    for stage in guards.skipped(start, to):
        _passed_over(topic, stage, reasons[stage], by_name=by_name)


def _passed_over(topic: Topic, stage: Stage, why: str, *, by_name: str) -> None:
    at, facts = now(), {"topic_id": topic.id, "stage": stage, "why": why[:300], "by_name": by_name}
    db.session.add(TopicStage(**facts, entered_at=at, left_at=at, skipped=True))
    db.session.flush()


def _enter(topic: Topic, to: Stage, *, why: str, until: date | None, by_name: str) -> None:
    at, day = now(), today()
    facts = {"topic_id": topic.id, "stage": to, "why": why[:300], "by_name": by_name}
    ended = at if to in {Stage.ARCHIVED, Stage.WITHDRAWN} else None
    db.session.add(TopicStage(**facts, begins_on=day, ends_on=until, entered_at=at, left_at=ended))
    if topic.stage is Stage.DRAFT and to is Stage.COLLECTING:
        topic.published_at = at
    if ended is not None:
        topic.archived_at = ended
    topic.stage, topic.stage_until = to, until
    topic.version += 1
    db.session.flush()


def _write_down(topic: Topic, start: Stage, *, why: str, by_name: str, reasons: Mapping[Stage, str]) -> None:
    """The public log, the audit, and a word to who follows."""
    to = topic.stage
    until = topic.stage_until.isoformat() if topic.stage_until else ""
    for stage, reason in reasons.items():
        log(topic, "skipped", by_name=by_name, why=reason, stage=stage.value)
    log(topic, _deed(start, to), by_name=by_name, why="" if reasons else why, to=to.value, until=until)
    audit.record("deliberation.topic_moved", topic, reason=why, start=start.value, to=to.value)
    if topic.is_public:
        event = "topic_published" if start is Stage.DRAFT else "topic_moved"
        telling.tell_followers(topic, event, stage=to.value, start=start.value, until=until, why=why)
    elif to is Stage.WITHDRAWN:
        telling.tell_followers(topic, "topic_dropped", why=why)


def _deed(start: Stage, to: Stage) -> str:
    named = {Stage.WITHDRAWN: "withdrawn", Stage.ARCHIVED: "archived"}
    if to in named:
        return named[to]
    if start is Stage.DRAFT:
        return "published"
    return "sent_back" if guards.is_back(start, to) else "moved"
