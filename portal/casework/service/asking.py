"""What the reporter may do with a sent request: urge, add, withdraw, reopen, and past its limit ask to reopen."""

from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case
from portal.casework.models.codes import HELD, OPEN, CaseState, Deed, PhotoStage
from portal.casework.models.limits import LimitStep
from portal.casework.service import limits, moves, photos, telling
from portal.casework.service.moves import Mover
from portal.core import audit, calendar, clock, settings
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.web import day_words

settings.declare(
    "casework.urge_days",
    default=1,
    label=lambda: _("催办一次后，隔几个工作日可以再催"),
    unit=lambda: _("工作日"),
    least=1,
    most=10,
)
REOPEN_DAYS = "casework.reopen_days"
settings.declare(
    REOPEN_DAYS,
    default=15,
    label=lambda: _("办结后多少天内可以要求重新办理"),
    unit=lambda: _("天"),
    least=0,
    most=90,
)
settings.declare(
    "casework.most_reopens",
    default=2,
    label=lambda: _("办结后最多可以要求重新办理几次"),
    unit=lambda: _("次"),
    least=0,
    most=5,
)
BEYOND = frozenset({Deed.REOPEN_ASKED, Deed.REOPEN_REFUSED})
WITHDRAWN_FROM = frozenset(
    {CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.ASSIGNED, CaseState.SIGNED, CaseState.RETURNED}
) | {CaseState.WORKING, CaseState.PAUSED}


def next_urge(case: Case) -> date | None:
    """From which day it may be urged again; None where it may be now."""
    if case.urged_at is None:
        return None
    day = calendar.add_working_days(clock.local(case.urged_at).date(), settings.get("casework.urge_days"))
    return day if day > today() else None


def can_urge(case: Case) -> bool:
    return case.state in OPEN and case.state is not CaseState.DISSATISFIED


def urge(case: Case, *, by: Mover, words: str = "") -> None:
    """催办: told to the holder, or to the dispatchers while nobody has it; once in so many working days."""
    if not can_urge(case):
        raise Refused(_("这件诉求已经答复，不用再催。对结果不满意，请在回访里选“没解决”。"))
    later = next_urge(case)
    if later:
        raise Refused(_("已经催过了，办理人已收到。%(day)s可以再催。急事请打社区电话。", day=day_words(later)))
    seen = sa.and_(Case.id == case.id, Case.urges == case.urges)
    if not guarded(sa.update(Case).where(seen).values(urges=case.urges + 1, urged_at=now())):
        raise Refused(_("刚才已经催过了，办理人已收到。"))
    db.session.refresh(case, ["urges", "urged_at"])
    moves.step(case, Deed.URGED, by=by, words=words)
    to = [case.holder] if case.holder and case.state in HELD else [one.id for one in telling.dispatchers(case)]
    for account in to:
        telling.tell_worker(case, account, "urged")


def add(case: Case, *, by: Mover, words: str, picture: bytes | None = None) -> None:
    """More words, or a photograph, while it runs."""
    if case.state not in OPEN:
        raise Refused(_("这件诉求已经答复，不能再补充。没有解决，请在回访里选“没解决”，并写下情况。"))
    if not words and picture is None:
        raise Refused(_("请写几句话，或者选一张照片。"), field="words")
    if picture is not None:
        photos.add(case, picture, PhotoStage.REPORT, by_name=by.name)
    moves.step(case, Deed.ADDED, by=by, words=words or _("加了一张照片"))
    if case.holder and case.state in HELD:
        telling.tell_worker(case, case.holder, "added")


def can_withdraw(case: Case) -> bool:
    return case.state in WITHDRAWN_FROM


def withdraw(case: Case, *, by: Mover, why: str) -> None:
    if not can_withdraw(case):
        raise Refused(_("这件诉求已经答复，不用撤回。"))
    moves.move(case, CaseState.WITHDRAWN, by=by, words=why)


def is_used_up(case: Case) -> bool:
    """Whether it was done again as often as it may be: by a bad answer and by reopening, counted together."""
    return case.redos >= limits.limit_of(case, LimitStep.REDOS).count


def reopen_until(case: Case) -> date | None:
    """The last day on which a closed case may be reopened; None where it may not."""
    if case.state is not CaseState.CLOSED or case.closed_at is None:
        return None
    if case.reopens >= settings.get("casework.most_reopens") or is_used_up(case):
        return None
    last = clock.local(case.closed_at).date() + timedelta(days=settings.get(REOPEN_DAYS))
    return last if last >= today() else None


def reopen(case: Case, *, by: Mover, why: str) -> None:
    """Have a closed case done again: to whoever is first responsible."""
    if reopen_until(case) is None:
        raise Refused(_("这件诉求已经过了要求重新办理的期限，或者次数已经用完。可以写明情况，请社区批准。"))
    _again(case, by, why)


def waits_for_approval(case: Case) -> bool:
    """Whether its reporter asked to have it done again beyond what the rules give her, and nobody answered yet."""
    said = [step for step in case.steps if step.deed in BEYOND]
    if case.state is not CaseState.CLOSED or case.closed_at is None or not said:
        return False
    return said[-1].deed is Deed.REOPEN_ASKED and said[-1].at >= case.closed_at


def ask_to_reopen(case: Case, *, by: Mover, why: str) -> None:
    """Past the limit she asks, and a worker decides; asked once until it was answered."""
    _hold(case)
    if case.state is not CaseState.CLOSED:
        raise Refused(_("这件诉求还在办理，或者已经归档。有新的情况，请补充说明，或者重新反映一件。"))
    if not why.strip():
        raise Refused(_("请写一写还有什么没解决。"), field="why")
    if waits_for_approval(case):
        raise Refused(_("已经请社区批准了，请等回复。急事请打社区电话。"))
    moves.step(case, Deed.REOPEN_ASKED, by=by, words=why.strip())
    for one in telling.dispatchers(case):
        telling.tell_worker(case, one.id, "reopen_asked")


def approve_reopening(case: Case, why: str, *, by: Actor) -> None:
    """A worker has a closed case done again, whatever the limits say, and answers for it with a reason."""
    asked = waits_for_approval(case)
    _hold(case)
    _closed(case, why)
    if asked and not waits_for_approval(case):
        raise Refused(_("刚才已经有人答复了这个重办请求，请刷新页面看看。"))
    _again(case, moves.worker(by), why.strip())
    audit.record("cases.reopening_approved", case, reason=why.strip())


def refuse_reopening(case: Case, why: str, *, by: Actor) -> None:
    _hold(case)
    _closed(case, why)
    if not waits_for_approval(case):
        raise Refused(_("这件诉求没有等批准的重办请求，请刷新页面看看。"))
    moves.step(case, Deed.REOPEN_REFUSED, by=moves.worker(by), words=why.strip())
    telling.tell_reporter(case, "reopen_refused", words=why.strip())


def _hold(case: Case) -> None:
    """Of two who ask or answer at once, the second sees what the first did."""
    db.session.flush()
    query = sa.select(Case).where(Case.id == case.id).with_for_update(of=Case)
    db.session.scalars(query.execution_options(populate_existing=True)).unique().one()
    db.session.expire(case, ["steps"])


def _closed(case: Case, why: str) -> None:
    if case.state is not CaseState.CLOSED:
        raise Refused(_("这件诉求不是办结状态，不用批准重办。请刷新页面看看最新进展。"))
    if not why.strip():
        raise Refused(_("请写明原因，居民会看到。"), field="why")


def _again(case: Case, by: Mover, why: str) -> None:
    moves.move(
        case,
        CaseState.REDO,
        by=by,
        words=why,
        reopens=case.reopens + 1,
        redos=case.redos + 1,
        holder=case.first_holder or case.holder,
        holder_name=case.first_holder_name or case.holder_name,
        closed_at=None,
    )
