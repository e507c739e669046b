"""Dispatching: accept or not, class, give to somebody, take oneself, rotate fairly; the second of two is told."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import OPEN, CaseKind, CaseState, Deed, Urgency
from portal.casework.service import deadlines, intake, loads, moves, naming, reporting, responsible
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused

S = CaseState
# From these somebody can be given a request; the first two were not given to anybody yet.
GIVABLE = frozenset({S.SUBMITTED, S.ACCEPTED, S.RETURNED, S.ASSIGNED, S.SIGNED, S.WORKING, S.REDO})
ANEW = frozenset({S.ASSIGNED, S.SIGNED, S.WORKING, S.REDO})
TAKEABLE = frozenset({S.SUBMITTED, S.ACCEPTED, S.RETURNED})
CLASSABLE = GIVABLE | {S.PAUSED}


@dataclass(frozen=True)
class Class:
    """What a request is: its category, what it asks for, how pressing, who answers for it outside the committee."""

    category: Category
    kind: CaseKind
    urgency: Urgency
    party: str = ""


def unchanged(case: Case, seen: str) -> None:
    """Refuse where the request has moved since the worker's page was made."""
    if seen and seen != case.state_at.isoformat():
        last = case.steps[-1] if case.steps else None
        who = last.by_name if last and last.by_name else _("系统")
        words = _("%(name)s刚刚办理过这件诉求，您看到的已经不是最新的。请看看现在的情况，再决定怎么办。", name=who)
        raise Refused(words)


def accept(case: Case, words: str, *, by: Actor) -> None:
    moves.move(case, S.ACCEPTED, by=moves.worker(by), words=words.strip())


def decline(case: Case, why: str, channel: str, *, by: Actor) -> None:
    """Not taken: why, and which door is the right one instead."""
    if not why.strip():
        raise Refused(_("请写明为什么不受理，居民会看到。"), field="why")
    if not channel.strip():
        raise Refused(_("请告诉居民可以找谁办。"), field="channel")
    words = _("%(why)s。可以这样办：%(channel)s", why=why.strip().rstrip("。"), channel=channel.strip())
    moves.move(case, S.DECLINED, by=moves.worker(by), words=words)


def take_up_again(case: Case, why: str, *, by: Actor) -> None:
    """What was not taken is looked at once more."""
    moves.move(case, S.SUBMITTED, by=moves.worker(by), words=why.strip())


def classify(case: Case, told: Class, said: dict[str, str], *, by: Actor) -> None:
    """Another category, kind or urgency: the clocks follow from the same start."""
    if case.state not in CLASSABLE:
        raise Refused(_("这件诉求已经办完，不能再改类别。"))
    party = told.party.strip() or told.category.party
    if told.category.off_list and not party:
        raise Refused(_("这类事项不在居委会事项清单内，请填写由哪个单位承办。"), field="party")
    responsible.check(party, case.community)
    was = case.category.name if case.category else _("没有类别")
    reporting.classify(case, told.category)
    case.kind, case.urgency, case.party = told.kind, told.urgency, party
    intake.ask_more(case, said)
    db.session.flush()
    deadlines.again(case)
    moves.step(case, Deed.CLASSIFIED, by=moves.worker(by), inside=f"{was} → {told.category.name}", to_name=party)


def contact(case: Case, words: str, *, by: Actor) -> None:
    """Written down that the dispatcher spoke to the reporter, while who has it may not know her."""
    if case.state not in OPEN or not naming.is_dispatchers(case):
        raise Refused(_("这件诉求由办理人联系居民，不用派单人联系。"))
    if not naming.may_know(case, by):
        raise Refused(_("居民要求对被反映的一方隐去身份，您不能查看电话，请由街道联系。"))
    if not words.strip():
        raise Refused(_("请写一写联系的情况。"), field="words")
    case.contacted_at = case.contacted_at or now()
    moves.step(case, Deed.CONTACTED, by=moves.worker(by), words=words.strip())


def assign(case: Case, worker: str, why: str, *, by: Actor) -> None:
    """Give it to somebody who may have it; from somebody else's hands only with a reason."""
    if case.state not in GIVABLE:
        raise Refused(_("这件诉求现在不能分派。请刷新页面看看最新进展。"))
    whom = next((one for one in loads.candidates(case) if one.public_id == worker), None)
    if whom is None:
        raise Refused(_("请从名单里选一位能办这件诉求的同事。"), field="worker")
    if case.state in ANEW and case.holder != whom.public_id and not why.strip():
        raise Refused(_("请写明为什么改派。"), field="why")
    if case.state is S.SUBMITTED:
        accept(case, "", by=by)
    _give(case, whom.public_id, whom.name, why, by)


def _give(case: Case, holder: str, name: str, why: str, by: Actor) -> None:
    first = {} if case.first_holder else {"first_holder": holder, "first_holder_name": name}
    mover = moves.worker(by)
    moves.move(case, S.ASSIGNED, by=mover, inside=why.strip(), to_name=name, holder=holder, holder_name=name, **first)


def rotate(case: Case, *, by: Actor) -> str:
    """轮派: to whoever has the least in hand; answers her name."""
    if case.state not in TAKEABLE:
        raise Refused(_("这件诉求已经有人办理，要换人请用“分派”，并写明原因。"))
    whom = loads.next_in_turn(case)
    if whom is None:
        raise Refused(_("这个社区还没有能办理诉求的人员，请联系管理员开设账号。"))
    assign(case, whom.public_id, "", by=by)
    return whom.name


def take(case: Case, *, by: Actor) -> None:
    """Take it oneself, and sign for it at once."""
    if case.state not in TAKEABLE:
        raise Refused(_("%(name)s已经接手了这件诉求。", name=case.holder_name or _("别人")))
    if by.public_id not in {one.public_id for one in loads.candidates(case)}:
        raise Refused(_("这件诉求不在您办理的范围里，请交给派单人分派。"))
    if case.state is S.SUBMITTED:
        accept(case, "", by=by)
    if case.state is S.RETURNED:
        _give(case, by.public_id, by.name, "", by)
        moves.move(case, S.SIGNED, by=moves.worker(by))
        return
    held = {"holder": by.public_id, "holder_name": by.name}
    first = {} if case.first_holder else {"first_holder": by.public_id, "first_holder_name": by.name}
    moves.move(case, S.SIGNED, by=moves.worker(by), to_name=by.name, **held, **first)
