"""Reminding who has not voted: once in so many hours, each person once, never anybody who has."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, outbox, settings, web
from portal.core.clock import now
from portal.core.db import db, guarded, together
from portal.core.errors import Refused
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import RollEntry, RollPerson, Turnout, Vote
from portal.registry.models import Person, PersonState
from portal.registry.service import people

APART = "deliberation.remind_hours"
settings.declare(APART, default=24, label=lambda: _("两次催投票至少隔"), unit=lambda: _("小时"), least=1, most=168)


def people_left(vote: Vote) -> list[Person]:
    """Who may still vote for an entry that has not voted; each once, as who she is now."""
    voted = sa.select(Turnout.entry_id).where(Turnout.vote_id == vote.id)
    query = (
        sa.select(Person)
        .join(RollPerson, RollPerson.person_id == Person.id)
        .join(RollEntry, RollPerson.entry_id == RollEntry.id)
        .where(RollPerson.vote_id == vote.id, RollEntry.struck_at.is_(None), RollEntry.id.not_in(voted))
    )
    found = {person.id: person for person in map(people.resolved, db.session.scalars(query))}
    return [one for _number, one in sorted(found.items()) if one.state is PersonState.PRESENT]


def remind(vote: Vote) -> int:
    """Tell everybody who has not voted that she may, until when and where; how many were told."""
    moment = now()
    if not vote.takes_votes(moment):
        raise Refused(_("现在不在投票时间里，不能催投票。"))
    before = moment - timedelta(hours=settings.get(APART))
    changed = sa.update(Vote).where(
        Vote.id == vote.id,
        Vote.state == VoteState.OPEN,
        sa.or_(Vote.reminded_at.is_(None), Vote.reminded_at <= before),
    )
    if not guarded(changed.values(reminded_at=moment)):
        raise Refused(_("刚催过一次。同一次表决 %(hours)d 小时内只催一次，免得打扰。", hours=settings.get(APART)))
    db.session.refresh(vote, ["reminded_at"])
    left = people_left(vote)
    facts = {"vote_id": vote.id, "topic_id": vote.topic_id, "question": vote.question}
    with together():
        for person in left:
            told = facts | {"person": person.name, "closes": web.moment_words(vote.closes_at)}
            outbox.enqueue("deliberation.vote_reminder", to=person.ref, **told)
    audit.record("deliberation.vote_reminded", vote, people=len(left))
    return len(left)
