"""The call-back: solved or not, and how satisfied, once a round; a bad answer sends the case back (重办)."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.casework.models.cases import Case, CaseCallBack
from portal.casework.models.codes import CallBackWay, CaseState, Deed, Satisfaction
from portal.casework.models.limits import LimitStep
from portal.casework.service import limits, moves, telling
from portal.casework.service.moves import SYSTEM, Mover
from portal.casework.service.words import case_word
from portal.core import settings, tokens
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Refused

settings.declare(
    "casework.link_days",
    default=30,
    label=lambda: _("回访链接多少天内有效"),
    unit=lambda: _("天"),
    least=1,
    most=90,
)


def case_of_token(token: str) -> Case | None:
    """The case of a signed link, while its round waits for an answer; None for forged, old, used or overtaken ones."""
    within = timedelta(days=settings.get("casework.link_days"))
    facts = tokens.unsign(telling.CALL_BACK, token, within=within)
    if not (isinstance(facts, list) and len(facts) == 2):
        return None
    public_id, round_ = facts
    query = sa.select(Case).where(Case.public_id == str(public_id)).options(joinedload(Case.community))
    case = db.session.scalar(query)
    if case is None or case.redos != round_ or not can_answer(case):
        return None
    return case


def can_answer(case: Case) -> bool:
    return case.state is CaseState.ANSWERED


def record(
    case: Case, *, solved: bool, satisfaction: Satisfaction, way: CallBackWay, by: Mover, words: str = ""
) -> None:
    """Write down what was answered; done again where it is not solved or not satisfying, closed where it is."""
    if not can_answer(case):
        raise Refused(_("这次回访已经有结果了，谢谢您。请刷新页面看看最新进展。"))
    satisfaction = satisfaction if solved else Satisfaction.BAD
    with unique_or(Refused(_("这次回访已经有结果了，谢谢您。"))):
        db.session.add(
            CaseCallBack(
                case_id=case.id,
                round=case.redos,
                at=now(),
                way=way,
                solved=solved,
                satisfaction=satisfaction,
                words=words or None,
                by=by.id,
                by_name=by.name,
            )
        )
    happy = solved and satisfaction is not Satisfaction.BAD
    said = _("解决了，%(how)s", how=case_word(satisfaction)) if happy else _("不满意") if solved else _("没有解决")
    said = _("%(said)s。%(words)s", said=said, words=words) if words else said
    moves.move(case, CaseState.CALLED_BACK, by=by, words=said, solved=solved, satisfaction=satisfaction)
    if happy:
        moves.move(case, CaseState.CLOSED, by=SYSTEM)
        return
    words = _("您不满意，重新办理") if solved else _("您说没有解决，重新办理")
    moves.move(case, CaseState.DISSATISFIED, by=by, words=words if _redos_left(case) else "")
    _again(case)


def _redos_left(case: Case) -> bool:
    return case.redos < limits.limit_of(case, LimitStep.REDOS).count


def _again(case: Case) -> None:
    """Back to the first responsible while redos remain; after that it closes as it is, and those above are told."""
    if _redos_left(case):
        holder, name = case.first_holder or case.holder, case.first_holder_name or case.holder_name
        moves.move(case, CaseState.REDO, by=SYSTEM, redos=case.redos + 1, holder=holder, holder_name=name)
        return
    words = _("重新办理的次数已经用完，社区会派负责人和您联系。")
    moves.move(case, CaseState.CLOSED, by=SYSTEM, words=words)
    moves.step(case, Deed.SUPERVISED, by=SYSTEM, inside=_("重办次数用完，居民仍不满意"))
    for recipient in telling.dispatchers(case):
        telling.tell_worker(case, recipient.id, "still_bad")
