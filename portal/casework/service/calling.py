"""Calling back everyone: the number with its trace, the tries, the answer by telephone or at the door."""

from datetime import date

from flask_babel import gettext as _

from portal.casework.models.cases import Case
from portal.casework.models.codes import CallBackWay, CaseState, Deed, Satisfaction
from portal.casework.service import asking, calling_back, loads, moves, naming, telling
from portal.core import audit, clock, reasons, settings
from portal.core.access import Actor
from portal.core.errors import Missing, Refused
from portal.registry.service import records
from portal.registry.service.records import SealedField

CALLED = reasons.declare("casework.called", label=lambda: _("办理诉求联系居民"))
TRIES = "casework.call_back_tries"
settings.declare(
    TRIES,
    default=3,
    label=lambda: _("诉求回访：试几天都联系不上可以办结"),
    unit=lambda: _("天"),
    least=1,
    most=10,
)
WAYS = (CallBackWay.PHONE, CallBackWay.VISIT)
S = CaseState


def number_of(case: Case, *, by: Actor) -> str:
    """The reporter's telephone, once, with a trace; Missing where there is none, refused where she stays unnamed."""
    if not naming.reporter_name(case, by):
        raise Refused(_("居民要求对被反映的一方隐去身份，您不能查看电话，请由街道联系。"))
    if case.reporter is not None:
        return records.reveal(case.reporter, SealedField.PHONE, reason=CALLED, by=by)
    if not case.reporter_phone:
        raise Missing
    audit.record("cases.phone_revealed", case, reason=CALLED)
    records.raise_alarm(by)
    return case.reporter_phone


def record(
    case: Case, *, solved: bool, satisfaction: Satisfaction | None, way: CallBackWay, words: str, by: Actor
) -> None:
    """What the resident said on the telephone or at the door, entered by a worker."""
    if not may_record(case, by.public_id):
        raise Refused(_("谁办的不能自己记回访结果。请同事或派单人回访，或者请居民在网上、短信里评价。"))
    if way not in WAYS:
        raise Refused(_("请选电话或上门。"), field="way")
    if solved and satisfaction is None:
        raise Refused(_("请选居民是否满意。"), field="satisfaction")
    calling_back.record(
        case,
        solved=solved,
        satisfaction=satisfaction or Satisfaction.BAD,
        way=way,
        by=moves.worker(by),
        words=words.strip(),
    )


def may_record(case: Case, me: str) -> bool:
    """Whether somebody may write down what the resident said: not who handled it, unless nobody else is there."""
    handled = {case.holder, *(one.by for one in case.steps[-6:] if one.to_state is S.ANSWERED)}
    if me not in handled:
        return True
    dispatchers = {one.id for one in telling.dispatchers(case)}
    others = {one.public_id for one in loads.candidates(case)} | dispatchers
    return me in dispatchers and not others - handled


def tried(case: Case, words: str, *, by: Actor) -> int:
    """A call that nobody answered; returns the days on which it was tried."""
    if case.state is not S.ANSWERED:
        raise Refused(_("这件诉求现在不用回访。"))
    moves.step(case, Deed.CALL_BACK_TRIED, by=moves.worker(by), inside=words.strip())
    return len(days_tried(case))


def days_tried(case: Case) -> set[date]:
    """The days since the answer on which she was not reached."""
    since = case.answered_at
    return {
        clock.local(step.at).date()
        for step in case.steps
        if step.deed is Deed.CALL_BACK_TRIED and (since is None or step.at >= since)
    }


def tries_needed() -> int:
    """On how many days she is tried before it may be closed without her."""
    return settings.get(TRIES)


def unreachable(case: Case, why: str, *, by: Actor) -> None:
    """Closed without a call-back, once she was tried on the days that are set: neither solved nor unsatisfied."""
    tries = tries_needed()
    if len(days_tried(case)) < tries:
        words = _(
            "要在不同的 %(days)d 天试过都联系不上，才能这样办结；现在试过 %(done)d 天。",
            days=tries,
            done=len(days_tried(case)),
        )
        raise Refused(words, field="why")
    if not why.strip():
        raise Refused(_("请写明联系的经过。"), field="why")
    mover = moves.worker(by)
    moves.move(case, S.CALLED_BACK, by=mover, inside=why.strip(), called_back_at=None)
    moves.move(case, S.CLOSED, by=mover, words=_("多次没有联系上您。还有问题，可以在诉求页面要求重新办理。"))


def archive(case: Case, *, by: Actor) -> None:
    if asking.waits_for_approval(case):
        raise Refused(_("居民请社区批准重新办理，还没有答复。请先批准或不批准，再归档。"))
    moves.move(case, S.ARCHIVED, by=moves.worker(by))
