"""督办: yellow on the working day before the end, red after it; by the machine each hour, or by hand with a reason."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case
from portal.casework.models.codes import OPEN, CaseState, Colour, Deed, Extension, Urgency
from portal.casework.service import moves, telling
from portal.core import audit, clock, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.core.working import WorkingTime

YELLOW_HOURS = "casework.yellow_hours"
settings.declare(
    YELLOW_HOURS,
    default=6,
    label=lambda: _("紧急诉求到期前多少小时黄色提醒"),
    unit=lambda: _("小时"),
    least=1,
    most=24,
)
RANK = {Colour.NONE: 0, Colour.YELLOW: 1, Colour.RED: 2}
S = CaseState


def colour_of(case: Case, at: datetime, times: WorkingTime) -> Colour:
    """What colour a request has by its end: none while it stands still, or once it is answered."""
    if case.finish_due is None or case.state not in OPEN or case.state is S.PAUSED:
        return Colour.NONE
    if at > case.finish_due:
        return Colour.RED
    if case.urgency is Urgency.URGENT:
        return Colour.YELLOW if case.finish_due - at <= timedelta(hours=settings.get(YELLOW_HOURS)) else Colour.NONE
    warned = times.day_before(clock.local(case.finish_due).date())
    return Colour.YELLOW if clock.local(at).date() >= warned else Colour.NONE


def colour() -> int:
    """Give every open request its colour, and tell of each that rose; return how many rose."""
    at = now()
    times = WorkingTime(clock.local(at).date() - timedelta(days=60))
    query = (
        sa.select(Case)
        .where(Case.state.in_(OPEN - {S.PAUSED}), Case.finish_due.is_not(None), _unraised(at))
        .where(Case.finish_due < at + timedelta(days=15))
        .options(sa.orm.joinedload(Case.community), sa.orm.joinedload(Case.category))
        .order_by(Case.id)
    )
    risen = 0
    for case in db.session.scalars(query):
        found = colour_of(case, at, times)
        # Red by hand before the end is not the overdue itself: that is raised, and told, when it comes.
        if found is Colour.RED or RANK[found] > RANK[case.colour]:
            _raise_to(case, found, moves.SYSTEM, "")
            risen += 1
    return risen


def _unraised(at: datetime) -> sa.ColumnElement[bool]:
    """Not red yet, or red by hand before the end that has passed since."""
    by_hand = sa.and_(Case.finish_due < at, Case.supervised_at < Case.finish_due)
    return sa.or_(Case.colour != Colour.RED, by_hand)


def stands(case: Case, at: datetime) -> Colour:
    """The colour that it has by its end, whatever was given by hand."""
    return colour_of(case, at, WorkingTime(clock.local(at).date() - timedelta(days=60)))


def _raise_to(case: Case, colour: Colour, by: moves.Mover, why: str) -> None:
    case.colour, case.supervised_at = colour, now()
    moves.step(case, Deed.SUPERVISED, by=by, inside=why or _said(case, colour), to_name=case.holder_name)
    told = {case.holder} if case.holder else set()
    if colour is Colour.RED or not case.holder:
        told |= {recipient.id for recipient in telling.dispatchers(case)}
    for account in sorted(told - {by.id}):
        telling.tell_worker(case, account, "supervised", colour=colour.value)


def _said(case: Case, colour: Colour) -> str:
    """By its day: before a Monday it is yellow on Friday, and what is urgent on the day itself."""
    if colour is Colour.RED or case.finish_due is None:
        return _("已超过办理期限")
    return _("%(day)s到期，请抓紧", day=day_words(clock.local(case.finish_due).date()))


def press(case: Case, colour: Colour, why: str, *, by: Actor) -> None:
    """督办 by hand: with a reason; the holder and the dispatchers are told."""
    if case.state not in OPEN:
        raise Refused(_("这件诉求已经答复，不用督办。"))
    if colour is Colour.NONE:
        raise Refused(_("请选黄色或红色。"), field="colour")
    if not why.strip():
        raise Refused(_("请写明为什么督办。"), field="why")
    _raise_to(case, colour, moves.worker(by), why.strip())


def decide_extension(case: Case, *, grant: bool, why: str, by: Actor) -> None:
    """The extension asked for is granted or not, by somebody else than who asked."""
    if case.extension is not Extension.ASKED or case.state not in OPEN:
        raise Refused(_("现在没有等审批的延期申请。"))
    if case.holder == by.public_id:
        raise Refused(_("自己申请的延期不能自己审批，请其他负责人审批。"))
    if not grant and not why.strip():
        raise Refused(_("请写明为什么不同意。"), field="why")
    if grant:
        case.extension, case.finish_due, case.colour = Extension.GRANTED, case.extension_until, Colour.NONE
        words = _("办理需要更多时间：%(why)s", why=case.extension_why)
        moves.step(case, Deed.EXTENSION_GRANTED, by=moves.worker(by), words=words, inside=why.strip())
        telling.tell_reporter(case, "extended", words=case.extension_why)
    else:
        case.extension = Extension.REFUSED
        moves.step(case, Deed.EXTENSION_REFUSED, by=moves.worker(by), inside=why.strip())
    audit.record("cases.extension_decided", case, granted=grant)
    if case.holder:
        telling.tell_worker(case, case.holder, "extension_decided", granted="yes" if grant else "no")
