"""What the doors hand over of rolls: corrections that wait for an answer, what somebody asked, her look at the roll."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, local
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import AskState, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollCorrection, Vote
from portal.deliberation.service import reach, rule_words
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

ENDED = (VoteState.COUNTED, VoteState.VOID, VoteState.CANCELLED)


def todo_of(worker: Actor) -> list[Todo]:
    """Corrections of rolls that nobody answered yet, each vote by itself: it cannot open before."""
    within = scopes_of(worker, Permission.DELIBERATION_VOTES)
    if not within:
        return []
    query = (
        sa.select(Vote.id, Vote.question, sa.func.count(RollCorrection.id), sa.func.min(Vote.opens_at))
        .join(RollCorrection, RollCorrection.vote_id == Vote.id)
        .join(Topic, Vote.topic_id == Topic.id)
        .where(RollCorrection.state == AskState.OPEN, Vote.state == VoteState.ROLL, reach.kept_by(within))
        .group_by(Vote.id, Vote.question)
        .order_by(sa.func.min(Vote.opens_at), Vote.id)
        .limit(20)
    )
    return [
        Todo(_("有人要求更正表决名册"), "deliberation.worker.roll_page", {"vote_id": vote}, count=count, due=opens)
        for vote, _question, count, opens in db.session.execute(query)
    ]


def _asked(person: Person) -> sa.Select[RollCorrection]:
    query = sa.select(RollCorrection).where(RollCorrection.person_id.in_(people.ids_of(person)))
    return query.options(joinedload(RollCorrection.vote)).order_by(RollCorrection.id.desc())


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    return [
        Line(one.at, _("要求更正表决名册"), one.vote.question)
        for one in db.session.scalars(_asked(person).limit(limit))
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """Her own copy: what she asked and what was answered."""
    return [
        {
            _("表决"): one.vote.question,
            _("要求的更正"): one.words or "",
            _("时间"): f"{local(one.at):%Y-%m-%d %H:%M}",
            _("结果"): rule_words.ask_words(one.state),
            _("答复"): one.answer,
        }
        for one in db.session.scalars(_asked(person))
    ]


def purge(before: date) -> int:
    """What was asked about the rolls of votes that ended before a day; the rolls themselves are records and stay."""
    ended = sa.select(Vote.id).where(Vote.state.in_(ENDED), Vote.closes_at < day_bounds(before)[0])
    gone = sa.delete(RollCorrection).where(RollCorrection.vote_id.in_(ended))
    found = db.session.execute(gone.execution_options(synchronize_session=False))
    return int(getattr(found, "rowcount", 0))


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """While a roll is up for correction: whether I am on it."""
    query = sa.select(Vote).where(Vote.topic_id == topic.id, Vote.state == VoteState.ROLL).order_by(Vote.id)
    return [
        Step(
            _("看看您在不在表决名册上"),
            _("“%(question)s”的名册公布了，有错的可以要求更正", question=one.question),
            "deliberation.resident.roll_mine",
            {"vote_id": one.id},
            one.corrections_until,
            now=one.corrections_until is not None and at < one.corrections_until,
        )
        for one in db.session.scalars(query)
    ]


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """The desk comes to the roll by its vote."""
    return []
