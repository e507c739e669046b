"""The one way a request goes from a state to another, and the one way its timeline grows.

move(case, to, *, by, words="", inside="", to_name="", **changes) -> CaseStep
    `to` is a CaseState that CASE_MOVES allows from where the case is; anything else is Refused. `by` is
    worker(actor), resident(actor) or SYSTEM. `words` are read by the reporter, `inside` by workers only. `changes` are
    columns of Case set in the same guarded UPDATE (holder=..., holder_name=..., returns=case.returns + 1). It sets the
    state's own moment (accepted_at, signed_at, ...), opens and ends pauses, asks deadlines.start(case, at) for the due
    moments, writes the step and the audit row, and tells the reporter, the holder, the followers through the outbox.
step(case, deed, *, by, words="", inside="", to_name="") -> CaseStep
    A line of the timeline without a move: contacted, urged, help asked, extension asked, published, ...
worker(actor), resident(actor), SYSTEM -> Mover
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import COMMITTEE_FREE, Case, CasePause, CaseStep
from portal.casework.models.codes import CASE_MOVES, CaseState, Colour, Deed, Side
from portal.casework.service import deadlines, telling
from portal.casework.service.words import case_word
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused


@dataclass(frozen=True)
class Mover:
    """Who acts: on which side, the account's public id, and the name that the timeline shows."""

    side: Side
    id: str = ""
    name: str = ""


SYSTEM = Mover(Side.SYSTEM)
S = CaseState
# The moment that a state sets on the case, and whether the first one stands.
_MOMENTS: dict[CaseState, str] = {
    S.SUBMITTED: "submitted_at",
    S.ACCEPTED: "accepted_at",
    S.ASSIGNED: "assigned_at",
    S.SIGNED: "signed_at",
    S.ANSWERED: "answered_at",
    S.CALLED_BACK: "called_back_at",
    S.CLOSED: "closed_at",
    S.PAUSED: "paused_at",
}
# What is answered, or begun anew, is not supervised for what was before.
_COOLS: dict[CaseState, dict[str, Any]] = {S.ANSWERED: {"colour": Colour.NONE}, S.REDO: {"colour": Colour.NONE}}
_FIRST_STANDS = {"submitted_at", "accepted_at"}


def worker(actor: Actor) -> Mover:
    return Mover(Side.WORKER, actor.public_id, actor.name)


def resident(actor: Actor) -> Mover:
    """Without a name: whoever hides it must not be read in the timeline."""
    return Mover(Side.RESIDENT, actor.public_id)


def move(
    case: Case, to: CaseState, *, by: Mover, words: str = "", inside: str = "", to_name: str = "", **changes: Any
) -> CaseStep:
    """Move a case; Refused where the table has no such move, or where somebody else was quicker."""
    before, at = case.state, now()
    if to not in CASE_MOVES[before]:
        raise _impossible(before)
    _refuse_committee(case, to, changes)
    db.session.flush()
    values = {**_moments(case, to, at), **_COOLS.get(to, {}), **changes, "state": to, "state_at": at}
    where = sa.and_(Case.id == case.id, Case.state == before, Case.state_at == case.state_at)
    if not guarded(sa.update(Case).where(where).values(values)):
        db.session.refresh(case, ["state", "state_at"])
        raise _impossible(case.state)
    db.session.refresh(case, list(values))
    _pauses(case, before, to, at, words or inside)
    deadlines.start(case, at)
    made = _line(case, Deed.MOVED, by, at, words=words, inside=inside, to_name=to_name, states=(before, to))
    audit.record("cases.moved", case, state=to.value, was=before.value)
    telling.moved(case, before, by.id, words)
    return made


def step(case: Case, deed: Deed, *, by: Mover, words: str = "", inside: str = "", to_name: str = "") -> CaseStep:
    """A line of the timeline that is no move."""
    made = _line(case, deed, by, now(), words=words, inside=inside, to_name=to_name)
    audit.record(f"cases.{deed.value}", case)
    return made


def _line(
    case: Case,
    deed: Deed,
    by: Mover,
    at: datetime,
    *,
    words: str,
    inside: str,
    to_name: str,
    states: tuple[CaseState | None, CaseState | None] = (None, None),
) -> CaseStep:
    made = CaseStep(
        case_id=case.id,
        at=at,
        deed=deed,
        side=by.side,
        by=by.id,
        by_name=by.name,
        from_state=states[0],
        to_state=states[1],
        to_name=to_name,
        words=words or None,
        inside=inside or None,
    )
    db.session.add(made)
    db.session.flush()
    db.session.expire(case, ["steps"])
    return made


def _impossible(state: CaseState) -> Refused:
    return Refused(_("这件诉求现在是「%(state)s」，不能这样办理。请刷新页面看看最新进展。", state=case_word(state)))


def _refuse_committee(case: Case, to: CaseState, changes: dict[str, Any]) -> None:
    """The committee can never be the responsible party of what is off its list: the database says so too."""
    off_list, party = changes.get("off_list", case.off_list), changes.get("party", case.party)
    if off_list and not party and to.value not in COMMITTEE_FREE:
        words = _("这类事项不在居委会事项清单内，居委会不能当承办单位。请填写由哪个单位承办，再继续办理。")
        raise Refused(words, field="party")


def _moments(case: Case, to: CaseState, at: datetime) -> dict[str, Any]:
    name = _MOMENTS.get(to)
    if name is None or (name in _FIRST_STANDS and getattr(case, name) is not None):
        return {}
    return {name: at}


def _pauses(case: Case, before: CaseState, to: CaseState, at: datetime, why: str) -> None:
    if to is CaseState.PAUSED:
        db.session.add(CasePause(case_id=case.id, since=at, why=why[:200]))
    elif before is CaseState.PAUSED:
        ending = sa.update(CasePause).where(CasePause.case_id == case.id, CasePause.until.is_(None))
        db.session.execute(ending.values(until=at))
    db.session.flush()
    db.session.expire(case, ["pauses"])
