"""Birth and death, going away for a time and coming back."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, events, reasons, tokens
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.ids import Sex
from portal.identity import sessions
from portal.registry.models import (
    AgentState,
    Claim,
    ClaimState,
    FamilyAgent,
    Happening,
    HappeningKind,
    Household,
    Person,
    PersonState,
    Relation,
)
from portal.registry.models.accounts import AGENT_MOVES
from portal.registry.service import happenings, households, moves, people, registering
from portal.registry.service.registering import Newcomer

BY_DEATH = "death"
DIED = reasons.declare("registry.died", label=lambda: _("本人已登记去世，账号不再代表本人。登记有误请联系社区"))


@dataclass(frozen=True)
class Newborn:
    """What is told of a child on the day it is registered."""

    name: str
    sex: Sex
    birth_date: date
    relation: Relation
    guardian: Person | None = None
    ethnicity: str = ""


def birth(household: Household, child: Newborn, *, by: Actor, note: str = "", idem: str = "") -> Happening:
    """A child is born into a household; it lives under a temporary number until it has its own."""
    said = f"{household.id}|{child.name}|{child.birth_date}"
    earlier = tokens.same_request(by.public_id, "registry.birth", idem, said)
    if earlier:
        return db.session.scalars(sa.select(Happening).where(Happening.public_id == earlier)).one()
    guardian = child.guardian
    if guardian and guardian.birth_date and guardian.birth_date >= child.birth_date:
        raise Refused(_("监护人比孩子还小，请核对出生日期。"), field="guardian")
    if not households.living(household):
        raise Refused(_("这一户还没有成员，请先登记大人。"))
    community_id, day = household.community_id, child.birth_date
    with happenings.recording(HappeningKind.BIRTH, community_id, day, note, of=[], homes=[household]) as event:
        newcomer = Newcomer(child.name, child.sex, day, ethnicity=child.ethnicity, guardian=guardian)
        person = registering.put_in_register(
            community_id, newcomer, household=household, relation=child.relation, ref=event.happening, since=day
        )
        event.makes(person)
    tokens.remember_request(by.public_id, "registry.birth", idem, said, event.happening.public_id)
    events.publish("person_moved", person=person)
    return event.happening


def death(person: Person, *, day: date, note: str = "", new_head: Person | None = None) -> Happening:
    """Somebody died: the household goes on under another head, and nobody acts in her name any more."""
    if person.state is PersonState.DEAD:
        raise Refused(_("已经登记过去世，不用再登记。登记有误请撤销那一条。"))
    moves.refuse_unserved(person)
    claims, homes = _claims_of(person), moves.homes_of([person])
    agents = _agents_of(person, claims)
    with happenings.recording(
        HappeningKind.DEATH,
        person.community_id,
        day,
        note,
        of=[person],
        homes=homes,
        along=moves.kin_of(homes),
        agents=agents,
        claims=claims,
    ) as event:
        for home in homes:
            moves.vacate(home, [person], day=day, new_head=new_head)
        person.state, person.state_on = PersonState.DEAD, day
        person.absent_from = person.absent_until = None
        for agent in agents:
            agent.state, agent.decided_at, agent.decided_by = AgentState.ENDED, now(), BY_DEATH
        for claim in claims:
            claim.state, claim.decided_at, claim.decided_by = ClaimState.REFUSED, now(), BY_DEATH
            claim.reason = DIED
            sessions.end_all(claim.account)
            audit.record("registry.claim_ended_by_death", claim, person=person.public_id)
    events.publish("person_died", person=person, day=day)
    return event.happening


def _claims_of(person: Person) -> list[Claim]:
    """The accounts confirmed to be hers, or a record's that was merged into hers."""
    query = sa.select(Claim).where(Claim.person_id.in_(people.ids_of(person)), Claim.state == ClaimState.CONFIRMED)
    return list(db.session.scalars(query.options(sa.orm.joinedload(Claim.account)).order_by(Claim.id)))


def _agents_of(person: Person, claims: list[Claim]) -> list[FamilyAgent]:
    """Those who act for her, and those for whom her own account acts, as far as they may still be ended."""
    accounts = [claim.account_id for claim in claims]
    live = [state for state, later in AGENT_MOVES.items() if AgentState.ENDED in later]
    hers = FamilyAgent.person_id.in_(people.ids_of(person))
    query = (
        sa.select(FamilyAgent)
        .where(FamilyAgent.state.in_(live), sa.or_(hers, FamilyAgent.account_id.in_(accounts)))
        .order_by(FamilyAgent.id)
    )
    return list(db.session.scalars(query))


def absence(person: Person, *, day: date, until: date | None, note: str = "") -> Happening:
    """Away for a time, and expected back; the household keeps the place."""
    moves.refuse_unserved(person)
    if person.state is not PersonState.PRESENT:
        raise Refused(_("%(name)s已经迁出，不用登记外出。", name=person.name))
    if person.absent_from is not None:
        raise Refused(_("%(name)s已经登记外出，请先登记返回。", name=person.name))
    if until is not None and until < day:
        raise Refused(_("预计返回日期早于外出日期，请核对。"), field="until")
    with happenings.recording(
        HappeningKind.ABSENCE, person.community_id, day, note, of=[person], homes=moves.homes_of([person])
    ) as event:
        person.absent_from, person.absent_until = day, until
    return event.happening


def come_back(person: Person, *, day: date, note: str = "") -> Happening:
    moves.refuse_unserved(person)
    if person.absent_from is None:
        raise Refused(_("%(name)s没有登记外出，不用登记返回。", name=person.name))
    if day < person.absent_from:
        raise Refused(_("返回日期早于外出日期，请核对。"), field="day")
    with happenings.recording(
        HappeningKind.RETURN, person.community_id, day, note, of=[person], homes=moves.homes_of([person])
    ) as event:
        person.absent_from = person.absent_until = None
    return event.happening
