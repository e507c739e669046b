"""The words of ideas: how they stand, who proposed them, how many are still missing."""

from flask_babel import gettext as _

from portal.core.clock import today
from portal.core.masking import COMPOUND_SURNAMES
from portal.core.web import day_words
from portal.deliberation.models.codes import IdeaState
from portal.deliberation.models.topics import Idea

TINTS = {IdeaState.OPEN: "info", IdeaState.REACHED: "warn", IdeaState.TAKEN: "ok", IdeaState.PENDING: "warn"}


def state_said(state: IdeaState) -> str:
    return {
        IdeaState.PENDING: _("等社区看过"),
        IdeaState.OPEN: _("附议中"),
        IdeaState.REACHED: _("等答复"),
        IdeaState.TAKEN: _("已列为议题"),
        IdeaState.DECLINED: _("已答复"),
        IdeaState.MERGED: _("已合并"),
        IdeaState.WITHDRAWN: _("已收回"),
    }[state]


def state_tint(state: IdeaState) -> str:
    return TINTS.get(state, "mute")


def writer_said(name: str) -> str:
    """Who proposed it, as others read it: the family name only."""
    text = name.strip()
    family = text[:2] if text[:2] in COMPOUND_SURNAMES and len(text) > 2 else text[:1]
    return _("%(family)s姓居民", family=family) if family else _("居民")


def standing_said(idea: Idea) -> str:
    """How it stands and what comes next, in a sentence."""
    left = max(idea.needed - idea.supports, 0)
    due = day_words(idea.due_on) if idea.due_on else ""
    said = {
        IdeaState.PENDING: _("社区看过就公开，一般一两天。结果会发通知。"),
        IdeaState.OPEN: _("还差 %(left)d 人附议就交居委会。附议不够，居委会最晚%(due)s也会答复。", left=left, due=due),
        IdeaState.REACHED: _("附议够了，居委会要在%(due)s以前答复。", due=due),
        IdeaState.TAKEN: _("居委会把它列为议题，接下来请大家一起商量。"),
        IdeaState.DECLINED: _("居委会已经答复，没有列为议题。"),
        IdeaState.MERGED: _("和说同一件事的建议合并了，附议合在一起算。"),
        IdeaState.WITHDRAWN: _("提的人收回了。"),
    }
    return said[idea.state]


def is_late(idea: Idea) -> bool:
    return idea.state in {IdeaState.OPEN, IdeaState.REACHED} and idea.due_on is not None and idea.due_on < today()
