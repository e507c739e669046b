"""The words of outcomes, objections and tasks."""

from enum import StrEnum

from flask_babel import gettext as _

from portal.core.clock import today
from portal.core.web import day_words
from portal.deliberation.models.codes import AskState, OutcomeState, TaskState
from portal.deliberation.models.outcomes import FollowUp, Outcome
from portal.deliberation.service import follow_ups

OUTCOMES = {OutcomeState.PUBLISHED: "info", OutcomeState.STANDS: "ok", OutcomeState.SENT_BACK: "warn"}
ASKS = {AskState.OPEN: "warn", AskState.UPHELD: "ok"}
TASKS = {TaskState.DOING: "info", TaskState.DONE: "ok"}


def outcome_said(code: StrEnum) -> str:
    """Any of these codes in words, for a template."""
    if isinstance(code, OutcomeState):
        return _outcome(code)
    return _task(code) if isinstance(code, TaskState) else _ask(AskState(code))


def outcome_tint(code: StrEnum) -> str:
    if isinstance(code, OutcomeState):
        return OUTCOMES.get(code, "mute")
    return TASKS.get(code, "mute") if isinstance(code, TaskState) else ASKS.get(AskState(code), "mute")


def _outcome(state: OutcomeState) -> str:
    return {
        OutcomeState.DRAFT: _("草稿"),
        OutcomeState.PUBLISHED: _("公示中"),
        OutcomeState.STANDS: _("公示期满，定下来了"),
        OutcomeState.SENT_BACK: _("撤下了，重新商量"),
    }[state]


def _ask(state: AskState) -> str:
    return {
        AskState.OPEN: _("等答复"),
        AskState.UPHELD: _("成立"),
        AskState.DENIED: _("不成立"),
        AskState.WITHDRAWN: _("已收回"),
    }[state]


def _task(state: TaskState) -> str:
    return {
        TaskState.OPEN: _("还没开始"),
        TaskState.DOING: _("在办"),
        TaskState.DONE: _("办好了"),
        TaskState.DROPPED: _("不办了"),
    }[state]


def standing_said(outcome: Outcome) -> str:
    """How it stands and what comes next, in a sentence."""
    day = day_words(outcome.ends_on) if outcome.ends_on else ""
    over = outcome.ends_on is not None and outcome.ends_on < today()
    if outcome.state is OutcomeState.PUBLISHED:
        if over:
            return _("公示到%(day)s已满，正在答复最后的异议。", day=day)
        left = (outcome.ends_on - today()).days if outcome.ends_on else 0
        if not left:
            return _("今天是公示的最后一天。有不同意见，今天可以提异议，每一条都会答复。")
        words = _("公示到%(day)s为止，还有 %(left)d 天。", day=day, left=left)
        return words + _("有不同意见，在这以前可以提异议，每一条都会答复。")
    return {
        OutcomeState.DRAFT: _("还没有公示，居民看不到。"),
        OutcomeState.STANDS: _("公示期满，没有成立的异议，照着去做。"),
        OutcomeState.SENT_BACK: _("撤下了，重新商量。原因：%(why)s", why=outcome.sent_back_why),
    }[outcome.state]


def is_late(followed: FollowUp) -> bool:
    return followed.state in follow_ups.RUNNING and followed.due_on < today()
