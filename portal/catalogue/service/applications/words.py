"""What applications, their states, papers and scores are called on screen, for residents and for workers."""

from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.models.applications import (
    Application,
    ApplicationChannel,
    ApplicationState,
    ApplicationStep,
    PaperState,
    Score,
    StepKind,
)
from portal.core import web

S = ApplicationState
_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    ApplicationState: {
        S.DRAFT: _l("还没提交"),
        S.SUBMITTED: _l("已提交"),
        S.ASKED: _l("请补材料"),
        S.COMPLETED: _l("材料已补"),
        S.ACCEPTED: _l("已受理"),
        S.NOT_ACCEPTED: _l("不予受理"),
        S.IN_HAND: _l("办理中"),
        S.PAUSED: _l("等材料"),
        S.GRANTED: _l("办成了"),
        S.REFUSED: _l("没有通过"),
        S.CLOSED: _l("已办结"),
        S.WITHDRAWN: _l("已撤回"),
    },
    ApplicationChannel: {
        ApplicationChannel.SELF: _l("本人申请"),
        ApplicationChannel.AGENT: _l("亲情代办"),
        ApplicationChannel.COUNTER: _l("社区代办，不收费"),
    },
    PaperState: {
        PaperState.KNOWN: _l("已采集，自动带出"),
        PaperState.TO_BRING: _l("要交"),
        PaperState.WINDOW: _l("送到窗口"),
        PaperState.GIVEN: _l("已交"),
        PaperState.ASKED: _l("请补交"),
    },
    Score: {Score.SATISFIED: _l("满意"), Score.MOSTLY: _l("基本满意"), Score.DISSATISFIED: _l("不满意")},
}
TINTS = {
    S.DRAFT: "mute",
    S.SUBMITTED: "info",
    S.ASKED: "warn",
    S.COMPLETED: "info",
    S.ACCEPTED: "info",
    S.NOT_ACCEPTED: "bad",
    S.IN_HAND: "info",
    S.PAUSED: "warn",
    S.GRANTED: "ok",
    S.REFUSED: "bad",
    S.CLOSED: "ok",
    S.WITHDRAWN: "mute",
}
PAPER_TINTS = {
    PaperState.KNOWN: "ok",
    PaperState.TO_BRING: "mute",
    PaperState.WINDOW: "info",
    PaperState.GIVEN: "ok",
    PaperState.ASKED: "warn",
}


def said(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def tint(code: ApplicationState | PaperState) -> str:
    return TINTS[code] if isinstance(code, ApplicationState) else PAPER_TINTS[code]


def choices(kind: type[StrEnum]) -> list[tuple[str, Any]]:
    return [(code.value, words) for code, words in _WORDS[kind].items()]


def step_words(step: ApplicationStep) -> str:
    """What happened, as workers read it."""
    if step.kind is StepKind.MOVED:
        return said(step.state)
    return {
        StepKind.PASSED: _("转给同事办"),
        StepKind.HANDED: _("责任交接"),
        StepKind.RELATIVE: _("近亲属备案"),
        StepKind.PAPERS: _("材料登记"),
    }[step.kind]


def due_words(text: str) -> str:
    """The last day that a message carries, as people say it; what is no date is left as it is."""
    try:
        return web.day_words(date.fromisoformat(text))
    except ValueError:
        return text


def next_words(application: Application, on: date) -> str:
    """What comes next, and until when, as the applicant reads it."""
    day = web.day_words(application.due_on) if application.due_on else ""
    late = application.is_late(on)
    told = {
        S.DRAFT: _("填好以后点提交，社区才会收到。"),
        S.SUBMITTED: _("社区最晚 %(day)s 告诉您受理不受理。", day=day),
        S.ASKED: _("请在 %(day)s 前把缺的材料补上，只要补这一次。", day=day),
        S.COMPLETED: _("材料收到了，社区最晚 %(day)s 告诉您受理不受理。", day=day),
        S.ACCEPTED: _("已经受理，最晚 %(day)s 办完。", day=day),
        S.IN_HAND: _("正在办，最晚 %(day)s 办完。", day=day),
        S.PAUSED: _("等您交材料，办理时限先停着。交齐以后接着算。"),
        S.GRANTED: _("已经办成，结果在下面。"),
        S.REFUSED: _("没有通过，原因和不服怎么办写在下面。"),
        S.NOT_ACCEPTED: _("不归社区办或条件不够，该去哪里写在下面。"),
        S.CLOSED: _("这件事已经办结。"),
        S.WITHDRAWN: _("您已经撤回。以后需要可以重新申请。"),
    }[application.state]
    return _("%(told)s已经过了期限，可以打社区电话催办。", told=told) if late else told
