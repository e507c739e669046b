"""What the limits of requests are called on screen."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.casework.models.limits import CaseLimit, LimitStep, LimitUnit
from portal.casework.service.limits import Limit
from portal.casework.service.words import case_word

L, U = LimitStep, LimitUnit
_STEPS: dict[LimitStep, Any] = {
    L.ACCEPT: _l("受理"),
    L.CONTACT: _l("联系居民（响应）"),
    L.SIGN: _l("签收"),
    L.RETURN: _l("退单"),
    L.FINISH: _l("办结答复"),
    L.EXTENSION: _l("延期最长"),
    L.HELP: _l("协助回复"),
    L.CALL_BACK: _l("回访"),
    L.RETURNS: _l("退单次数"),
    L.EXTENSIONS: _l("延期次数"),
    L.REDOS: _l("重办次数"),
}
_UNITS: dict[LimitUnit, Any] = {
    U.WORKING_DAYS: _l("工作日"),
    U.WORKING_HOURS: _l("工作小时"),
    U.HOURS: _l("小时（含节假日）"),
    U.TIMES: _l("次"),
}


def step_name(step: LimitStep) -> str:
    return str(_STEPS[step])


def limit_word(limit: Limit | CaseLimit) -> str:
    """A limit in words: 3 个工作日."""
    count = limit.count
    match limit.unit:
        case LimitUnit.WORKING_DAYS:
            return _("%(count)d 个工作日", count=count)
        case LimitUnit.WORKING_HOURS:
            return _("%(count)d 个工作小时", count=count)
        case LimitUnit.HOURS:
            return _("%(count)d 小时（含节假日）", count=count)
        case _:
            return _("最多 %(count)d 次", count=count)


def limit_for(row: CaseLimit, names: dict[str, str]) -> str:
    """For what a limit is set: its category, kind and urgency, in words."""
    parts = [
        names.get(row.category_code, row.category_code) if row.category_code else "",
        case_word(row.kind) if row.kind else "",
        case_word(row.urgency) if row.urgency else "",
    ]
    return _("、").join(filter(None, parts)) or _("所有诉求")


def steps() -> list[tuple[str, str]]:
    return [(step.value, str(words)) for step, words in _STEPS.items()]


def units() -> list[tuple[str, str]]:
    return [(unit.value, str(words)) for unit, words in _UNITS.items()]
