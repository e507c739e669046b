"""Closing an account: asked, waited for so that it can be taken back, and then done for good by a job."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, outbox, settings
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.core.outbox import Recipient
from portal.core.sealing import blind
from portal.identity import service as identity
from portal.identity import sessions
from portal.identity.models import Account, RoleGrant, SignedSession
from portal.registry.models import (
    AgentState,
    Claim,
    ClaimState,
    FamilyAgent,
    Person,
    RightKind,
    RightsRequest,
    RightState,
)
from portal.registry.service import consents, people
from portal.registry.service.consents import Voice
from portal.registry.service.rights.clock import CLOSING, due_on

BY_CLOSING = "closing"
# The notices of an account's end: the alarm, and that it was called off.
ASKED, TAKEN_BACK = "registry.closing_asked", "registry.closing_taken_back"
# What stands where a name and a reason stood: kept, so never in the language of whoever runs the job.
CLOSED_NAME, ACCOUNT_CLOSED = "已注销", "账号已注销"


def wait_days() -> int:
    """Working days between the asking and the end."""
    return settings.get(CLOSING)


def asked(account_id: int) -> RightsRequest | None:
    """The closing of an account that is under way."""
    query = sa.select(RightsRequest).where(
        RightsRequest.account_id == account_id,
        RightsRequest.kind == RightKind.CLOSING,
        RightsRequest.state == RightState.OPEN,
    )
    return db.session.scalar(query.order_by(RightsRequest.id.desc()).limit(1))


def ask(actor: Actor, *, voice: Voice) -> RightsRequest:
    """The account's owner wants it closed: her other sessions end, and until the due day she may take it back."""
    account = identity.account(actor.account_id)
    made = _ask(account, people.person_of_or_none(actor), voice)
    sessions.end_others(actor)
    return made


def ask_at_counter(person: Person, *, voice: Voice) -> RightsRequest:
    """The same, said to a worker: of the account that was confirmed to be the person's."""
    owned = sa.select(Claim.account_id).where(
        Claim.person_id.in_(people.ids_of(person)), Claim.state == ClaimState.CONFIRMED
    )
    account = db.session.scalar(sa.select(Account).where(Account.id.in_(owned)).order_by(Account.id).limit(1))
    if account is None:
        raise Refused(_("这位居民没有账号，不用注销。"))
    sessions.end_all(account)
    return _ask(account, person, voice)


def _ask(account: Account, person: Person | None, voice: Voice) -> RightsRequest:
    made = RightsRequest(
        kind=RightKind.CLOSING,
        person_id=person.id if person else None,
        account_id=account.id,
        channel=voice.channel,
        asked_at=now(),
        asked_by=voice.by,
        asked_name=voice.operator or voice.name,
        identity=voice.identity,
        due_on=due_on(RightKind.CLOSING, today()),
    )
    with unique_or(Refused(_("这个账号已经在注销，不用再提。"))):
        db.session.add(made)
    account.closes_on = made.due_on
    audit.record("registry.closing_asked", account, channel=voice.channel.value)
    outbox.enqueue(ASKED, to=_of(account), day=made.due_on.isoformat())
    return made


def take_back(actor: Actor) -> None:
    """The owner keeps her account after all; an alarm that is still on its way is not delivered any more."""
    request, account = asked(actor.account_id), identity.account(actor.account_id)
    if request is None:
        raise Refused(_("账号没有在注销。"))
    _move(request, RightState.WITHDRAWN, actor.public_id, actor.name)
    account.closes_on = None
    audit.record("registry.closing_taken_back", account)
    outbox.call_back(ASKED, to=_of(account))
    outbox.enqueue(TAKEN_BACK, to=_of(account), day=today().isoformat())


def due(limit: int = 200) -> list[int]:
    """The closings whose day has come, by the request's id."""
    query = sa.select(RightsRequest.id).where(
        RightsRequest.kind == RightKind.CLOSING,
        RightsRequest.state == RightState.OPEN,
        RightsRequest.due_on <= today(),
    )
    return list(db.session.scalars(query.order_by(RightsRequest.due_on, RightsRequest.id).limit(limit)))


def finish(request_id: int) -> None:
    """Close for good: claims and family agents end, the account keeps neither name nor telephone nor password.

    What the law has the community keep of the person stays in the register, and so do orders that were settled.
    """
    request = db.session.get_one(RightsRequest, request_id)
    if request.state is not RightState.OPEN or request.account_id is None:
        return
    account, person = identity.account(request.account_id), request.person
    if person:
        outbox.enqueue("registry.account_closed", to=person.ref)
    consents.end_account(account, people.resolved(person) if person else None, name=BY_CLOSING)
    _end_claims(account)
    _end_agents(account)
    _forget(account)
    _move(request, RightState.GRANTED, "system", "系统")
    audit.record("registry.account_closed", account)


def _end_claims(account: Account) -> None:
    query = sa.select(Claim).where(Claim.account_id == account.id).order_by(Claim.id)
    for claim in db.session.scalars(query):
        if claim.state is not ClaimState.REFUSED:
            claim.state, claim.decided_at, claim.decided_by = ClaimState.REFUSED, now(), BY_CLOSING
            claim.reason = ACCOUNT_CLOSED
        claim.name, claim.id_number, claim.id_index = CLOSED_NAME, "", blind("person.id_number", "")
    db.session.flush()


def _end_agents(account: Account) -> None:
    live = sa.update(FamilyAgent).where(
        FamilyAgent.account_id == account.id, FamilyAgent.state.in_([AgentState.REQUESTED, AgentState.ACCEPTED])
    )
    db.session.execute(live.values(state=AgentState.ENDED, decided_at=now(), decided_by=BY_CLOSING))


def _forget(account: Account) -> None:
    """What the account itself held of its owner."""
    sessions.end_all(account)
    db.session.execute(sa.update(SignedSession).where(SignedSession.account_id == account.id).values(agent=""))
    db.session.execute(sa.delete(RoleGrant).where(RoleGrant.account_id == account.id))
    account.name, account.phone, account.phone_index = CLOSED_NAME, None, None
    account.password_hash, account.disabled_at, account.closes_on = "!", now(), None
    account.epoch += 1
    db.session.flush()


def _move(request: RightsRequest, state: RightState, by: str, name: str) -> None:
    move = sa.update(RightsRequest).where(RightsRequest.id == request.id, RightsRequest.state == RightState.OPEN)
    if not guarded(move.values(state=state, decided_at=now(), decided_by=by, decided_name=name)):
        raise Refused(_("这件申请刚才已经有了结果，请刷新后再看。"))
    db.session.refresh(request)


def _of(account: Account) -> Recipient:
    return Recipient("account", account.public_id)
