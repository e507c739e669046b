"""Who is told what of a request: the reporter, the holder, the dispatchers, the followers, all through the outbox."""

import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import CaseState
from portal.core import clock, outbox, tokens, web
from portal.core.db import db
from portal.core.outbox import Recipient
from portal.identity import staff
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

CALL_BACK = "casework.call_back"
S = CaseState
# What the reporter is told when her case comes to a state: templates/casework/messages/<event>.txt.
_TOLD = {
    S.SUBMITTED: "sent",
    S.ACCEPTED: "accepted",
    S.DECLINED: "declined",
    S.SIGNED: "signed",
    S.PAUSED: "paused",
    S.ANSWERED: "answered",
    S.REDO: "redo",
    S.MERGED: "merged",
}
_FOLLOWED = {S.ANSWERED, S.CLOSED, S.DECLINED}
_TO_HOLDER = {S.ASSIGNED: "given", S.REDO: "to_redo", S.WITHDRAWN: "over", S.MERGED: "over"}
_TO_DISPATCHERS = {S.SUBMITTED: "arrived", S.RETURNED: "returned"}


def moved(case: Case, before: CaseState, by: str, words: str) -> None:
    """Tell everybody whom a move concerns, but who made it."""
    state = case.state
    if state in _TOLD:
        tell_reporter(case, _TOLD[state], words=words)
    if state in _TO_HOLDER and case.holder and case.holder != by:
        tell_worker(case, case.holder, _TO_HOLDER[state])
    if state in _TO_DISPATCHERS:
        for recipient in dispatchers(case):
            if recipient.id != by:
                tell_worker(case, recipient.id, _TO_DISPATCHERS[state])
    if state in _FOLLOWED and before is not S.DRAFT:
        tell_followers(case)


def tell_reporter(case: Case, event: str, *, words: str = "", **facts: str) -> None:
    """A notice to who asked; a stranger without a record is called by telephone."""
    reporter = people.resolved(case.reporter) if case.reporter else None
    if reporter is None or not people.is_served(reporter):
        return
    path = call_back_path(case) if event in {"answered", "call_back"} else f"/cases/{case.public_id}"
    due = case.due()
    known = {
        "number": case.number or "",
        "words": words[:200],
        "due": clock.local(due).date().isoformat() if due else "",
        "holder": case.holder_name,
        "path": path,
        "address": web.address(path),
    }
    outbox.enqueue(f"casework.{event}", to=reporter.ref, **known, **facts)


def tell_worker(case: Case, account: str, event: str, **facts: str) -> None:
    """A notice to a worker: number and category, never a name of a resident."""
    path = f"/desk/cases/{case.public_id}"
    known = {"number": case.number or "", "category": case.category.name if case.category else "", "path": path}
    outbox.enqueue(f"casework.{event}", to=Recipient("account", account), **known, **facts)


def tell_followers(case: Case) -> None:
    query = (
        sa.select(Person)
        .join(CaseFollower, CaseFollower.person_id == Person.id)
        .where(CaseFollower.case_id == case.id)
        .order_by(CaseFollower.id)
    )
    refs = dict.fromkeys(people.resolved(person).ref for person in db.session.scalars(query))
    path = f"/cases/{case.public_id}/followed"
    for ref in refs:
        outbox.enqueue(
            "casework.followed",
            to=ref,
            number=case.number or "",
            category=case.category.name if case.category else "",
            state=case.state.value,
            path=path,
        )


def dispatchers(case: Case) -> list[Recipient]:
    held = staff.workers_on(Permission.CASES_DISPATCH, [case.community.code])
    return [Recipient("account", account.public_id) for account in held]


def call_back_path(case: Case) -> str:
    """The signed address under which the call-back of this round is answered, once."""
    return f"/cases/reply/{tokens.sign(CALL_BACK, [case.public_id, case.redos])}"
