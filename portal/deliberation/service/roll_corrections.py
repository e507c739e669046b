"""Corrections of a published roll: asked by whoever finds it wrong about herself, answered before the vote opens."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import AskState, VoteState
from portal.deliberation.models.votes import RollCorrection, Vote
from portal.deliberation.service import telling
from portal.registry.models import Person
from portal.registry.service import people


def may_ask(vote: Vote, at: datetime) -> bool:
    return (
        vote.state is VoteState.ROLL
        and vote.frozen_at is None
        and vote.corrections_until is not None
        and at < vote.corrections_until
    )


def ask(vote: Vote, person: Person, words: str) -> RollCorrection:
    """Say what is wrong; one question at a time."""
    db.session.refresh(vote, with_for_update={"read": True, "of": Vote})
    if not may_ask(vote, now()):
        raise Refused(_("现在不在名册更正的时间里。有疑问请打社区电话，或者到居委会当面说。"))
    made = RollCorrection(vote_id=vote.id, person_id=person.id, words=words)
    with unique_or(Refused(_("您提的更正还在等答复，不用再提。要补充的话，请先撤回再重新提。"))):
        db.session.add(made)
    audit.record("deliberation.roll_correction_asked", made)
    return made


def withdraw(correction: RollCorrection) -> None:
    _decide(correction, AskState.WITHDRAWN, answer="", by_name="")
    audit.record("deliberation.roll_correction_withdrawn", correction)


def answer(correction: RollCorrection, *, upheld: bool, words: str, by: Actor) -> None:
    """Answer her, always in words; whoever upholds puts the roll right on its page."""
    state = AskState.UPHELD if upheld else AskState.DENIED
    _decide(correction, state, answer=words, by_name=by.name)
    audit.record("deliberation.roll_correction_answered", correction, upheld=upheld)
    told = {"question": correction.vote.question, "upheld": upheld, "answer": words, "vote_id": correction.vote_id}
    telling.tell(people.resolved(correction.person), "roll_answered", correction.vote.topic, **told)


def _decide(correction: RollCorrection, state: AskState, *, answer: str, by_name: str) -> None:
    where = (RollCorrection.id == correction.id, RollCorrection.state == AskState.OPEN)
    values = {"state": state, "decided_at": now(), "decided_by_name": by_name, "answer": answer}
    if not guarded(sa.update(RollCorrection).where(*where).values(**values)):
        raise Refused(_("这一条已经答复过或撤回了，请刷新页面再看。"))
    db.session.refresh(correction, list(values))


def of_vote(vote: Vote) -> list[RollCorrection]:
    """All of a vote, those that wait first, the oldest first."""
    waits = sa.case((RollCorrection.state == AskState.OPEN, 0), else_=1)
    query = (
        sa.select(RollCorrection).where(RollCorrection.vote_id == vote.id).options(joinedload(RollCorrection.person))
    )
    return list(db.session.scalars(query.order_by(waits, RollCorrection.id)))


def of_person(vote: Vote, person: Person) -> list[RollCorrection]:
    query = sa.select(RollCorrection).where(
        RollCorrection.vote_id == vote.id, RollCorrection.person_id.in_(people.ids_of(person))
    )
    return list(db.session.scalars(query.order_by(RollCorrection.id.desc())))


def one_of(vote: Vote, public_id: str, *, person: Person | None = None) -> RollCorrection:
    """A correction of a vote; of a person's own where she asks. Missing else."""
    query = sa.select(RollCorrection).where(RollCorrection.vote_id == vote.id, RollCorrection.public_id == public_id)
    if person is not None:
        query = query.where(RollCorrection.person_id.in_(people.ids_of(person)))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found
