"""What the codes of requests are called on screen: `case_word` for every enum that a page shows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import (
    Against,
    CallBackWay,
    CaseKind,
    CaseState,
    Channel,
    Colour,
    Deed,
    Extension,
    LinkKind,
    PhotoStage,
    RedirectKind,
    Satisfaction,
    Side,
    Urgency,
)

S = CaseState
_WORDS: dict[type[StrEnum], dict[Any, Any]] = {
    CaseState: {
        S.DRAFT: _l("没写完"),
        S.SUBMITTED: _l("等受理"),
        S.ACCEPTED: _l("已受理"),
        S.DECLINED: _l("不受理"),
        S.ASSIGNED: _l("已分派"),
        S.SIGNED: _l("已签收"),
        S.RETURNED: _l("已退单"),
        S.WORKING: _l("办理中"),
        S.PAUSED: _l("暂缓"),
        S.ANSWERED: _l("已答复，等回访"),
        S.CALLED_BACK: _l("已回访"),
        S.DISSATISFIED: _l("没有解决"),
        S.REDO: _l("重新办理"),
        S.CLOSED: _l("已办结"),
        S.ARCHIVED: _l("已归档"),
        S.MERGED: _l("已并入另一件"),
        S.WITHDRAWN: _l("已撤回"),
    },
    CaseKind: {
        CaseKind.QUESTION: _l("咨询"),
        CaseKind.HELP: _l("求助"),
        CaseKind.COMPLAINT: _l("投诉"),
        CaseKind.REPORT: _l("举报"),
        CaseKind.ADVICE: _l("建议"),
    },
    Urgency: {Urgency.NORMAL: _l("一般"), Urgency.URGENT: _l("紧急"), Urgency.HARD: _l("疑难")},
    Channel: {
        Channel.PORTAL: _l("网上"),
        Channel.PHONE: _l("电话"),
        Channel.VISIT: _l("走访"),
        Channel.COUNTER: _l("窗口"),
        Channel.PAPER: _l("书面"),
    },
    RedirectKind: {
        RedirectKind.EMERGENCY: _l("紧急情况"),
        RedirectKind.HOTLINE: _l("热线"),
        RedirectKind.LEGAL: _l("诉讼、仲裁、信访"),
        RedirectKind.OTHER: _l("其他单位"),
    },
    Against: {
        Against.NOBODY: _l("不涉及"),
        Against.WORKER: _l("工作人员"),
        Against.COMMITTEE: _l("居委会"),
        Against.ORGANISATION: _l("单位"),
    },
    Colour: {Colour.NONE: _l("正常"), Colour.YELLOW: _l("黄色督办"), Colour.RED: _l("红色督办")},
    Extension: {
        Extension.NONE: _l("没有申请"),
        Extension.ASKED: _l("等审批"),
        Extension.GRANTED: _l("已同意"),
        Extension.REFUSED: _l("没同意"),
    },
    CallBackWay: {
        CallBackWay.LINK: _l("短信链接"),
        CallBackWay.PORTAL: _l("网上"),
        CallBackWay.PHONE: _l("电话"),
        CallBackWay.VISIT: _l("上门"),
    },
    Satisfaction: {
        Satisfaction.GOOD: _l("满意"),
        Satisfaction.FAIR: _l("基本满意"),
        Satisfaction.BAD: _l("不满意"),
    },
    PhotoStage: {
        PhotoStage.REPORT: _l("反映时"),
        PhotoStage.BEFORE: _l("办理前"),
        PhotoStage.AFTER: _l("办理后"),
    },
    LinkKind: {LinkKind.DUPLICATE: _l("重复"), LinkKind.RELATED: _l("有关联")},
    Side: {Side.RESIDENT: _l("居民"), Side.WORKER: _l("社区"), Side.SYSTEM: _l("系统")},
}
# How a move reads on the timeline of the reporter.
_TOLD: dict[CaseState, Any] = {
    S.SUBMITTED: _l("诉求已提交"),
    S.ACCEPTED: _l("社区已受理"),
    S.DECLINED: _l("社区没有受理"),
    S.ASSIGNED: _l("已安排人员办理"),
    S.SIGNED: _l("办理人已签收"),
    S.RETURNED: _l("正在重新安排办理人"),
    S.WORKING: _l("正在办理"),
    S.PAUSED: _l("办理暂缓"),
    S.ANSWERED: _l("已答复"),
    S.CALLED_BACK: _l("已回访"),
    S.DISSATISFIED: _l("您不满意"),
    S.REDO: _l("重新办理"),
    S.CLOSED: _l("已办结"),
    S.ARCHIVED: _l("已归档"),
    S.MERGED: _l("已并入同一件事"),
    S.WITHDRAWN: _l("已撤回"),
}
_DEEDS: dict[Deed, Any] = {
    Deed.MOVED: _l("进展"),
    Deed.CLASSIFIED: _l("调整了类别"),
    Deed.CONTACTED: _l("联系了您"),
    Deed.NOTED: _l("办理记录"),
    Deed.ADDED: _l("补充了情况"),
    Deed.URGED: _l("催办"),
    Deed.EXTENSION_ASKED: _l("申请延期"),
    Deed.EXTENSION_GRANTED: _l("同意延期"),
    Deed.EXTENSION_REFUSED: _l("没有同意延期"),
    Deed.HELP_ASKED: _l("请其他人员协助"),
    Deed.HELP_GIVEN: _l("协助人员已回复"),
    Deed.SUPERVISED: _l("督办"),
    Deed.ESCALATED: _l("转请上级或有关单位办理"),
    Deed.LINKED: _l("关联了另一件"),
    Deed.PUBLISHED: _l("在公示栏公开"),
    Deed.HIDDEN: _l("从公示栏撤下"),
    Deed.PASSED: _l("交接给新的办理人"),
    Deed.CALL_BACK_TRIED: _l("回访没有联系上"),
    Deed.REOPEN_ASKED: _l("请社区批准重新办理"),
    Deed.REOPEN_REFUSED: _l("没有批准重新办理"),
}
_TINTS = {
    S.DECLINED: "bad",
    S.DISSATISFIED: "bad",
    S.REDO: "warn",
    S.RETURNED: "warn",
    S.PAUSED: "warn",
    S.ANSWERED: "info",
    S.CLOSED: "ok",
    S.ARCHIVED: "mute",
    S.MERGED: "mute",
    S.WITHDRAWN: "mute",
    S.DRAFT: "mute",
}


def case_word(code: StrEnum | None) -> str:
    """The word of any code of a request."""
    if code is None:
        return ""
    return str(_DEEDS[code] if isinstance(code, Deed) else _WORDS[type(code)][code])


def case_tint(state: CaseState) -> str:
    """The colour of a state's tag."""
    return _TINTS.get(state, "info")


def step_word(step: CaseStep) -> str:
    """A line of the timeline in plain words."""
    if step.to_state is S.DISSATISFIED and step.words:
        return step.words
    return str(_TOLD[step.to_state]) if step.deed is Deed.MOVED and step.to_state else case_word(step.deed)


def told_due(case: Case) -> tuple[str, datetime | None]:
    """What its reporter waits for now and until when; until when a worker signs for it is the desk's own matter."""
    if case.state is S.SUBMITTED:
        return _("受理期限"), case.due()
    if case.state in {S.ANSWERED, S.CALLED_BACK}:
        return _("回访期限"), case.due()
    return _("办理期限"), case.finish_due if case.due() else None


def no_due(case: Case) -> str:
    """Why a request waits for nothing now."""
    if case.state is S.PAUSED:
        return _("暂停计时")
    return _("还没有开始计时") if case.is_open() else case_word(case.state)


def place_words(case: Case) -> str:
    """Where it is, as one reads it: estate, building, and what was typed."""
    parts = [case.building.estate.name if case.building else "", case.building.name if case.building else ""]
    if not case.building and case.estate:
        parts = [case.estate.name]
    return " ".join([*filter(None, parts), case.place]).strip()


def public_place(case: Case) -> str:
    """Where it is as far as strangers may know: estate and building, never what was typed."""
    if case.building:
        return f"{case.building.estate.name} {case.building.name}"
    return case.estate.name if case.estate else _("社区范围内")


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, case_word(code)) for code in kind]
