"""Objections to an outcome while it is published: sealed, answered each; one that holds sends the topic back."""

from collections.abc import Collection
from contextlib import suppress

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, outbox
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.deliberation.models.codes import AskState, OutcomeState, Stage
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollEntry, RollPerson
from portal.deliberation.service import outcomes, public_log, reach, telling
from portal.identity import staff
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

A = AskState


def who_may(outcome: Outcome, actor: Actor) -> Person:
    """Who objects: somebody who lives there, or whom the vote's roll names (an owner who lives elsewhere)."""
    person = people.person_of(actor)
    if outcome.vote_id:
        hers = (RollPerson.vote_id == outcome.vote_id, RollPerson.person_id.in_(people.ids_of(person)))
        named = sa.select(RollPerson.id).join(RollEntry, RollPerson.entry_id == RollEntry.id)
        named = named.where(*hers, RollEntry.struck_at.is_(None))
        if db.session.scalar(named.limit(1)) is not None:
            return person
    return reach.person_in(outcome.topic, actor)


def make(outcome: Outcome, person: Person, *, words: str) -> Objection:
    """One waits for its answer at a time; only while the notice lasts."""
    outcomes.hold_row(outcome)
    if not outcomes.takes_objections(outcome, today()):
        raise Refused(_("公示已经结束，不能再提异议。有别的意见，请用“民呼我为”反映。"))
    made = Objection(outcome_id=outcome.id, person_id=person.id, words=words.strip())
    with unique_or(Refused(_("您已经提过一条异议，还在等答复。想改内容，先收回再提。"), field="words")):
        db.session.add(made)
    audit.record("deliberation.objection_made", made)
    for account in staff.workers_on(Permission.DELIBERATION_KEEP, [outcome.topic.area.code]):
        about = {"title": outcome.title, "topic_id": outcome.topic_id, "outcome_id": outcome.id}
        outbox.enqueue("deliberation.objection_made", to=Recipient("account", account.public_id), **about)
    return made


def mine(outcome: Outcome, person: Person | None) -> list[Objection]:
    if person is None:
        return []
    query = sa.select(Objection).where(
        Objection.outcome_id == outcome.id, Objection.person_id.in_(people.ids_of(person))
    )
    return list(db.session.scalars(query.order_by(Objection.id.desc())))


def own(outcome: Outcome, public_id: str, person: Person | None) -> Objection:
    found = next((one for one in mine(outcome, person) if one.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def withdraw(objection: Objection) -> None:
    _decide(objection, A.WITHDRAWN, {})
    audit.record("deliberation.objection_withdrawn", objection)


def of(outcome: Outcome) -> list[Objection]:
    """Every objection to an outcome, what waits first."""
    query = sa.select(Objection).where(Objection.outcome_id == outcome.id, Objection.state != A.WITHDRAWN)
    query = query.options(joinedload(Objection.person))
    return list(db.session.scalars(query.order_by(Objection.state != A.OPEN, Objection.id)))


def kept(public_id: str, *, within: Collection[Scope]) -> Objection:
    """An objection in a topic that a worker keeps; what its writer took back is nobody's any more."""
    query = (
        sa.select(Objection)
        .join(Objection.outcome)
        .join(Outcome.topic)
        .where(Objection.public_id == public_id, Objection.state != A.WITHDRAWN, reach.kept_by(within))
        .options(joinedload(Objection.person))
        .options(joinedload(Objection.outcome).joinedload(Outcome.topic).joinedload(Topic.area))
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def deny(objection: Objection, *, answer: str, by: Actor) -> None:
    """It does not hold, and why; when it was the last to wait after the notice, the outcome stands.

    Where the topic cannot move on yet, the job tries again; the answer is given in any case.
    """
    outcomes.hold(objection.outcome)
    _answer(objection, A.DENIED, answer, by)
    topic = objection.outcome.topic
    public_log.log(topic, "objection_denied", by_name=by.name)
    if objection.outcome_id in outcomes.due():
        with suppress(Refused), db.session.begin_nested():
            outcomes.stand(objection.outcome_id)


def uphold(objection: Objection, to: Stage, *, answer: str, why: str, by: Actor) -> None:
    """It holds: the outcome is taken down, the topic goes back; `why` is published and names nobody.

    Every other objection that waits is answered by that, in the same words.
    """
    if len(why.strip()) < 4:
        raise Refused(_("请写明为什么退回，至少四个字，会公布出来，不要写是谁提的。"), field="why")
    outcome = objection.outcome
    outcomes.hold(outcome)
    _answer(objection, A.UPHELD, answer, by)
    close_all(outcome, why=why, by=by)
    outcomes.send_back(outcome, to, why=why, by=by, deed="outcome_sent_back")


def take_down(outcome: Outcome, to: Stage, *, why: str, by: Actor) -> None:
    """The committee takes it down by itself; whatever waits is answered by that."""
    outcomes.hold(outcome)
    close_all(outcome, why=why, by=by)
    outcomes.send_back(outcome, to, why=why, by=by)


def close_all(outcome: Outcome, *, why: str, by: Actor) -> None:
    """Answer whatever waits: the outcome is taken down."""
    for other in [one for one in of(outcome) if one.state is A.OPEN]:
        _answer(other, A.UPHELD, _("结果已经撤下，重新商量：%(why)s", why=why.strip())[:500], by)


def _answer(objection: Objection, to: AskState, answer: str, by: Actor) -> None:
    if not answer.strip():
        raise Refused(_("请写答复，提异议的人会收到。"), field="answer")
    if objection.outcome.state is not OutcomeState.PUBLISHED:
        raise Refused(_("这份结果已经不在公示了，请刷新看看。"))
    _decide(objection, to, {"answer": answer.strip(), "decided_at": now(), "decided_by_name": by.name})
    audit.record("deliberation.objection_answered", objection, upheld=to is A.UPHELD)
    who = people.resolved(objection.person)
    facts = {"upheld": "yes" if to is A.UPHELD else "", "words": answer.strip(), "outcome_id": objection.outcome_id}
    telling.tell(who, "objection_answered", objection.outcome.topic, **facts)


def _decide(objection: Objection, to: AskState, values: dict[str, object]) -> None:
    """Of two who decide at once one wins."""
    standing = sa.and_(Objection.id == objection.id, Objection.state == A.OPEN)
    decided = guarded(sa.update(Objection).where(standing).values(state=to, **values))
    db.session.refresh(objection, ["state", *values])
    if not decided:
        raise Refused(_("这条异议刚刚已经答复过或收回了，请刷新看看。"))


def waiting(within: Collection[Scope]) -> tuple[int, int]:
    """How many objections wait in the topics a worker keeps, and of how many the notice is over."""
    late = sa.func.count(sa.case((Outcome.ends_on < today(), 1)))
    query = sa.select(sa.func.count(Objection.id), late).join(Objection.outcome).join(Outcome.topic)
    row = db.session.execute(query.where(Objection.state == A.OPEN, reach.kept_by(within))).one()
    return row[0], row[1]
