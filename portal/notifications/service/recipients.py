"""Whom an opaque recipient means: the account of a person, their family agents, a telephone."""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.core import ids
from portal.core.clock import today
from portal.core.db import db
from portal.core.outbox import Recipient
from portal.identity.models import Account
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent, Person, Purpose
from portal.registry.service import consents, people

# Topics that every accepted family agent is told too, and the action she must have been accepted for. Who ordered
# for somebody is told of her own orders by meals itself.
AGENTS_HEAR = {
    "meals.no_show": "meals.order",
    "catalogue.appointment_booked": "catalogue.book",
    "catalogue.appointment_moved": "catalogue.book",
    "catalogue.appointment_cancelled": "catalogue.book",
    "catalogue.appointment_called_off": "catalogue.book",
    "catalogue.appointment_reminder": "catalogue.book",
    "catalogue.place_offered": "catalogue.book",
    "catalogue.place_lapsed": "catalogue.book",
    "catalogue.place_closed": "catalogue.book",
    "catalogue.line_ended": "catalogue.book",
    "catalogue.slot_message": "catalogue.book",
}
# Topics that are worth a place in an inbox, but not a message to a telephone.
INBOX_ONLY = frozenset({"meals.redeemed"})
# Notices and invitations that nobody asked for: to a telephone only with a yes. Everything else tells of a matter
# of one's own, and goes unless she said no.
UNASKED = frozenset(
    {
        "deliberation.topic_published",
        "deliberation.outcome_published",
        "deliberation.vote_reminder",
        "deliberation.meeting_invited",
        "volunteers.invited",
    }
)


@dataclass(frozen=True)
class Reached:
    """The accounts whose inbox gets the notice; a telephone only where there is no account to read one."""

    accounts: tuple[int, ...] = ()
    phone: str = ""


def reached_by(to: Recipient, topic: str) -> Reached:
    """Kinds: person and account; no number ever stands in the outbox."""
    if to.kind == "account":
        query = sa.select(Account.id).where(Account.public_id == to.id, Account.disabled_at.is_(None))
        return Reached(tuple(db.session.scalars(query.order_by(Account.id))))
    person = db.session.scalar(sa.select(Person).where(Person.public_id == to.id)) if to.kind == "person" else None
    return _of_person(people.resolved(person), topic) if person else Reached()


def _of_person(person: Person, topic: str) -> Reached:
    own = (
        sa.select(Claim.account_id)
        .join(Account, Claim.account_id == Account.id)
        .where(
            Claim.person_id.in_(people.ids_of(person)),
            Claim.state == ClaimState.CONFIRMED,
            Account.disabled_at.is_(None),
        )
        .order_by(Claim.account_id)
    )
    accounts = dict.fromkeys([*db.session.scalars(own), *_agents_of(person, topic)])
    purpose = Purpose.NEWS if topic in UNASKED else Purpose.SMS
    silent = accounts or topic in INBOX_ONLY or not consents.allows(person, purpose)
    return Reached(tuple(accounts), "" if silent else _mobile(person))


def _agents_of(person: Person, topic: str) -> list[int]:
    action = AGENTS_HEAR.get(topic, "")
    query = (
        sa.select(FamilyAgent)
        .join(Account, FamilyAgent.account_id == Account.id)
        .where(
            FamilyAgent.person_id == person.id,
            FamilyAgent.state == AgentState.ACCEPTED,
            Account.disabled_at.is_(None),
        )
        .order_by(FamilyAgent.account_id, FamilyAgent.id)
    )
    return [agent.account_id for agent in db.session.scalars(query) if action and agent.allows(action, today())]


def _mobile(person: Person) -> str:
    try:
        return ids.check_mobile(person.phone or "")
    except ids.InvalidNumber:
        return ""
