"""Findings become referrals: to whom, until when, and how it stands."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.service import people
from portal.visits.models import (
    REFERRAL_OPEN,
    Finding,
    FindingKind,
    Referral,
    ReferralMove,
    ReferralState,
    Urgency,
    Visit,
)
from portal.visits.service import loading, rules

A_PAGE = 40
AT_ONCE = frozenset({FindingKind.ABUSE, FindingKind.CHILD})


def refer(visit: Visit, kind: FindingKind, urgency: Urgency, note: str, *, by: Actor) -> Referral:
    """Hand a finding on by the street's table; what is urgent, and what the law says to report, is due today."""
    today = clock.today()
    party, due = rules.route(visit.person.community.code, kind, today)
    if urgency is Urgency.AT_ONCE or kind in AT_ONCE:
        due = today
    finding = Finding(visit=visit, kind=kind, urgency=urgency, note=note.strip() or None)
    referral = Referral(
        finding=finding,
        person_id=visit.person_id,
        kind=kind,
        party=party,
        due_on=due,
        state=ReferralState.OPEN,
        owner=by.public_id,
        owner_name=by.name,
        made_at=now(),
    )
    db.session.add_all([finding, referral])
    db.session.flush()
    audit.record("visits.referred", referral, kind=kind.value, due=due.isoformat())
    return referral


def referral_in(within: Collection[Scope], public_id: str) -> Referral:
    query = (
        sa.select(Referral)
        .join(Referral.person)
        .where(Referral.public_id == public_id)
        .options(
            *loading.eager(Referral.person),
            sa.orm.joinedload(Referral.finding).joinedload(Finding.visit),
            sa.orm.selectinload(Referral.moves),
        )
        .execution_options(populate_existing=True)
    )
    referral = db.session.scalar(query)
    if referral is None:
        raise Missing
    people.person_in(within, referral.person.public_id)
    return referral


def referrals(
    within: Collection[Scope], *, owner: str | None = None, closed: bool = False, page: int = 1
) -> list[Referral]:
    """Open referrals in scope, the most pressing first, or the closed ones, newest first; one more than a page."""
    states = [state for state in ReferralState if (state in REFERRAL_OPEN) is not closed]
    order = (Referral.id.desc(),) if closed else (Referral.due_on, Referral.id)
    query = (
        sa.select(Referral)
        .join(Referral.person)
        .where(people.within(within), Referral.state.in_(states))
        .options(*loading.eager(Referral.person), sa.orm.joinedload(Referral.finding))
        .order_by(*order)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    if owner is not None:
        query = query.where(Referral.owner == owner)
    return list(db.session.scalars(query))


def open_count(within: Collection[Scope], owner: str | None, day: date) -> tuple[int, int]:
    """How many are open, and how many of them are late."""
    late = sa.func.count(Referral.id).filter(Referral.due_on < day)
    query = (
        sa.select(sa.func.count(Referral.id), late)
        .join(Referral.person)
        .where(people.within(within), Referral.state.in_(REFERRAL_OPEN))
    )
    if owner is not None:
        query = query.where(Referral.owner == owner)
    row = db.session.execute(query).one()
    return int(row[0]), int(row[1])


def of_person(person_ids: Collection[int]) -> list[Referral]:
    query = (
        sa.select(Referral)
        .where(Referral.person_id.in_(person_ids))
        .options(sa.orm.joinedload(Referral.finding))
        .order_by(Referral.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(query))


def move(referral: Referral, state: ReferralState, note: str, *, by: Actor) -> None:
    """Bring a referral to another state; going back, giving up and closing say why."""
    if not referral.may_become(state):
        raise Refused(_("这张转介单现在不能改成这个状态，请刷新后再看。"), field="state")
    if state is not ReferralState.TAKEN and not note.strip():
        raise Refused(_("请写明结果或原因。"), field="note")
    _set_state(referral, state)
    db.session.add(
        ReferralMove(referral_id=referral.id, state=state, at=now(), by_name=by.name, note=note.strip() or None)
    )
    audit.record("visits.referral_moved", referral, state=state.value)


def _set_state(referral: Referral, state: ReferralState) -> None:
    """Of two who move a referral at once one wins."""
    moved = guarded(
        sa.update(Referral).where(Referral.id == referral.id, Referral.state == referral.state).values(state=state)
    )
    db.session.refresh(referral, ["state"])
    if not moved:
        raise Refused(_("这张转介单刚刚有人改过，请刷新后再看。"))


def redirect(referral: Referral, party: str, due: date, *, by: Actor) -> None:
    """Send a referral to somebody else, or until another day."""
    if referral.state not in REFERRAL_OPEN:
        raise Refused(_("这张转介单已经办结，不能再改。"))
    if due < clock.today():
        raise Refused(_("期限最早是今天。"), field="due_on")
    referral.party, referral.due_on = party, due
    if referral.state is ReferralState.RETURNED:
        _set_state(referral, ReferralState.OPEN)
    facts = {"referral_id": referral.id, "state": referral.state, "at": now(), "by_name": by.name}
    db.session.add(ReferralMove(**facts, party=party, due_on=due))
    audit.record("visits.referral_redirected", referral, due=due.isoformat())
