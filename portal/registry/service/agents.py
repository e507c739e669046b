"""Family agents (亲情代办): asking to act for somebody, consenting, ending. Asking tells nothing about the register."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, ids, outbox, search, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.core.sealing import blind
from portal.core.web import full_day
from portal.identity import service as identity
from portal.registry.models import AgentState, FamilyAgent, Person
from portal.registry.models.accounts import AGENT_MOVES
from portal.registry.service import people

# A request that nobody answers, as one that reached nobody, lapses.
REQUEST_LIVES = timedelta(days=30)
ORDER_MEALS = "meals.order"
SHOWN = 100

settings.declare(
    "agents.most_principals",
    default=5,
    label=lambda: _("一个账号最多为几个人代办"),
    unit=lambda: _("人"),
    least=1,
    most=20,
)
settings.declare(
    "agents.longest_days",
    default=365,
    label=lambda: _("亲情代办最长多少天"),
    unit=lambda: _("天"),
    least=1,
    most=3650,
)


@dataclass(frozen=True)
class Standing:
    """The family agents of an account: those for me, those I act for, and what waits on either side."""

    for_me: list[FamilyAgent]
    asked_of_me: list[FamilyAgent]
    mine: list[FamilyAgent]


def latest_until() -> date:
    return today() + timedelta(days=settings.get("agents.longest_days"))


def ask(
    actor: Actor, *, name: str, number: str, relation: str, until: date, actions: Collection[str] = (ORDER_MEALS,)
) -> FamilyAgent:
    """Ask to act for a person, named with ID number or mobile. Stored alike whether or not somebody matched."""
    tokens.throttle("agents.ask", actor.public_id, limit=10, per=timedelta(days=1))
    if not today() <= until <= latest_until():
        words = _("代办期限请选今天到 %(day)s 之间的一天", day=full_day(latest_until()))
        raise Refused(words, field="until")
    identity.queue(actor.account_id)
    _end_lapsed(actor)
    _refuse_more(actor, name)
    person = _matching(actor, name, number)
    agent = FamilyAgent(
        account_id=actor.account_id,
        person_id=person.id if person else None,
        principal_name=name,
        relation=relation,
        actions=",".join(actions),
        until=until,
        requested_at=now(),
    )
    with unique_or(_asked_already(name)):
        db.session.add(agent)
    audit.record("registry.agent_requested", agent)
    if person:
        outbox.enqueue("registry.agent_requested", to=person.ref, agent=actor.name, relation=relation)
    return agent


def _live() -> sa.ColumnElement[bool]:
    """Accepted and not past its day, or asked lately: what counts against the limit."""
    accepted = sa.and_(FamilyAgent.state == AgentState.ACCEPTED, FamilyAgent.until >= today())
    return sa.or_(accepted, _open_request())


def _open_request() -> sa.ColumnElement[bool]:
    return sa.and_(
        FamilyAgent.state == AgentState.REQUESTED,
        FamilyAgent.until >= today(),
        FamilyAgent.requested_at > now() - REQUEST_LIVES,
    )


def _end_lapsed(actor: Actor) -> None:
    """Close what ran out, so that it may be asked for anew."""
    over = sa.update(FamilyAgent).where(
        FamilyAgent.account_id == actor.account_id,
        FamilyAgent.state.in_([AgentState.REQUESTED, AgentState.ACCEPTED]),
        sa.not_(_live()),
    )
    db.session.execute(over.values(state=AgentState.ENDED, decided_at=now(), decided_by="lapsed"))


def _refuse_more(actor: Actor, name: str) -> None:
    """Too many, or the same name again: told by what she asked, never by whom it reached."""
    query = sa.select(FamilyAgent.principal_name).where(FamilyAgent.account_id == actor.account_id, _live())
    asked = [search.normalise(held) for held in db.session.scalars(query)]
    if search.normalise(name) in asked:
        raise _asked_already(name)
    most = settings.get("agents.most_principals")
    if len(asked) >= most:
        raise Refused(_("一个账号最多为 %(most)d 位亲友代办，请先结束不再需要的代办", most=most))


def _asked_already(name: str) -> Refused:
    words = _("您已经申请过为“%(name)s”代办。要改内容，请先结束原来的那一条。", name=name)
    return Refused(words, field="name")


def _matching(actor: Actor, name: str, number: str) -> Person | None:
    """The one person of that name and number who can be served and is not the asker; None otherwise."""
    try:
        index = Person.phone_index == blind("person.phone", ids.check_mobile(number))
    except ids.InvalidNumber:
        index = Person.id_index == blind("person.id_number", ids.normalise_id(number))
    query = sa.select(Person).where(index).order_by(Person.id).limit(20)
    found = {people.resolved(person) for person in db.session.scalars(query)}
    named = [person for person in found if search.normalise(person.name) == search.normalise(name)]
    me = people.person_of_or_none(actor)
    served = [person for person in named if people.is_served(person) and person != me]
    return served[0] if len(served) == 1 else None


def standing(actor: Actor) -> Standing:
    """Everything that stands between an account and others, the newest first."""
    me = people.person_of_or_none(actor)
    of_me = _of_person(me) if me else sa.false()
    accepted = sa.and_(FamilyAgent.state == AgentState.ACCEPTED, FamilyAgent.until >= today())
    return Standing(
        for_me=_listed(sa.and_(of_me, accepted)),
        asked_of_me=_listed(sa.and_(of_me, _open_request())),
        mine=_listed(FamilyAgent.account_id == actor.account_id),
    )


def _of_person(person: Person) -> sa.ColumnElement[bool]:
    """Asked of a person, or of a record that was merged into hers."""
    return FamilyAgent.person_id.in_(people.ids_of(person))


def _listed(where: sa.ColumnElement[bool]) -> list[FamilyAgent]:
    query = (
        sa.select(FamilyAgent)
        .where(where)
        .options(joinedload(FamilyAgent.account), joinedload(FamilyAgent.person))
        .order_by(FamilyAgent.requested_at.desc(), FamilyAgent.id.desc())
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def is_open(agent: FamilyAgent) -> bool:
    """Whether a request still waits for an answer."""
    lately = agent.requested_at > now() - REQUEST_LIVES
    return agent.state is AgentState.REQUESTED and agent.until >= today() and lately


def asked_of(actor: Actor, public_id: str) -> FamilyAgent:
    """A family agent of the actor's own person, in whatever state; Missing for anybody else's."""
    me = people.person_of_or_none(actor)
    query = sa.select(FamilyAgent).where(FamilyAgent.public_id == public_id)
    agent = db.session.scalar(query.where(_of_person(me))) if me else None
    if agent is None:
        raise Missing
    return agent


def between(actor: Actor, public_id: str) -> FamilyAgent:
    """One that the actor asked for, or that was asked of her; Missing for anybody else's."""
    mine = sa.select(FamilyAgent).where(FamilyAgent.public_id == public_id, FamilyAgent.account_id == actor.account_id)
    return db.session.scalar(mine) or asked_of(actor, public_id)


def agents(within: Collection[Scope], state: AgentState) -> list[FamilyAgent]:
    """Requests that wait, or family agents in force, for people in scope; the oldest first."""
    accepted = sa.and_(FamilyAgent.state == AgentState.ACCEPTED, FamilyAgent.until >= today())
    query = (
        sa.select(FamilyAgent)
        .where(_for_people(within), _open_request() if state is AgentState.REQUESTED else accepted)
        .options(joinedload(FamilyAgent.account), joinedload(FamilyAgent.person))
        .order_by(FamilyAgent.requested_at, FamilyAgent.id)
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def waiting(within: Collection[Scope]) -> int:
    """How many requests in scope wait for an answer."""
    query = sa.select(sa.func.count(FamilyAgent.id)).where(_for_people(within), _open_request())
    return db.session.scalar(query) or 0


def _for_people(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """For a person in scope, or for a record merged into one: where the record itself lay does not count."""
    whole = sa.select(Person.id).where(people.within(within), Person.merged_into_id.is_(None))
    asked_for = sa.exists().where(FamilyAgent.person_id == Person.id)
    meant = people.stood_for(sa.and_(Person.merged_into_id.is_not(None), asked_for))
    merged = sa.select(meant.c.origin).join(Person, Person.id == meant.c.id).where(people.within(within))
    return sa.or_(FamilyAgent.person_id.in_(whole), FamilyAgent.person_id.in_(merged))


def agent_in(within: Collection[Scope], public_id: str) -> FamilyAgent:
    query = (
        sa.select(FamilyAgent)
        .where(FamilyAgent.public_id == public_id, _for_people(within))
        .options(joinedload(FamilyAgent.account), joinedload(FamilyAgent.person))
    )
    agent = db.session.scalar(query)
    if agent is None:
        raise Missing
    return agent


def accept(agent: FamilyAgent, *, by: Actor, consent: str) -> None:
    """The principal consents: in her own account, or as a worker heard it, which `consent` tells."""
    if not is_open(agent):
        raise Refused(_("这个代办申请已经过期或已有结果，请对方重新申请。"))
    _decide(agent, AgentState.ACCEPTED, by=by, consent=consent)
    audit.record("registry.agent_accepted", agent, reason=consent)
    _tell_both(agent, "registry.agent_accepted")


def decline(agent: FamilyAgent, *, by: Actor, consent: str = "") -> None:
    _decide(agent, AgentState.DECLINED, by=by, consent=consent)
    audit.record("registry.agent_declined", agent, reason=consent)
    _tell_both(agent, "registry.agent_declined")


def end(agent: FamilyAgent, *, by: Actor, note: str = "") -> None:
    """Either side, or a worker for the principal, ends it; the next act for her is no longer possible."""
    was_open = agent.state is AgentState.REQUESTED
    _decide(agent, AgentState.ENDED, by=by, consent=note or agent.consent)
    audit.record("registry.agent_ended", agent, reason=note)
    if not was_open:
        _tell_both(agent, "registry.agent_ended")


def _decide(agent: FamilyAgent, state: AgentState, *, by: Actor, consent: str) -> None:
    before = [old for old, later in AGENT_MOVES.items() if state in later]
    move = sa.update(FamilyAgent).where(FamilyAgent.id == agent.id, FamilyAgent.state.in_(before))
    if not guarded(move.values(state=state, decided_at=now(), decided_by=by.name, consent=consent)):
        raise Refused(_("这条代办刚才已经有了结果，请刷新后再看。"))
    db.session.refresh(agent)


def _tell_both(agent: FamilyAgent, topic: str) -> None:
    facts = {"agent": agent.account.name, "principal": agent.principal_name, "until": agent.until.isoformat()}
    outbox.enqueue(topic, to=Recipient("account", agent.account.public_id), to_agent=True, **facts)
    if agent.person:
        outbox.enqueue(topic, to=people.resolved(agent.person).ref, to_agent=False, **facts)
