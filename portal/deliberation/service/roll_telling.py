"""Telling whom a published roll has lost or gained: each person once, whichever of its lines were hers."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from portal.core.db import db
from portal.deliberation.models.codes import Unit
from portal.deliberation.models.votes import RollEntry, RollPerson, Vote
from portal.deliberation.service import roll_units, telling
from portal.registry.models import Person, PersonState
from portal.registry.service import people

Lines = dict[int, set[int]]


def lines(vote: Vote) -> Lines:
    """The lines that each person may cast for, by the id she has since records were merged; struck ones left out."""
    query = sa.select(RollPerson.person_id, RollPerson.entry_id, Person.merged_into_id)
    query = query.join(RollEntry, RollPerson.entry_id == RollEntry.id).join(Person, RollPerson.person_id == Person.id)
    query = query.where(RollPerson.vote_id == vote.id, RollEntry.struck_at.is_(None)).order_by(RollPerson.id)
    rows = db.session.execute(query).all()
    merged = roll_units.standing_for({row.person_id for row in rows if row.merged_into_id is not None})
    found: Lines = {}
    for person, entry, _into in rows:
        now_is = merged[person][0] if person in merged else person
        found.setdefault(now_is, set()).add(entry)
    return found


def remade(vote: Vote, before: Mapping[int, Collection[int]], *, why: str) -> None:
    """The published roll was made again. Who lost a line hears it with the reason, who gained one too; whoever only
    went from one line to another has lost nothing; nor, but of owners, who still has one: it was there twice.
    """
    now_so = lines(vote)
    stays = set() if vote.unit is Unit.OWNER else set(now_so)
    lost = {person for person, entries in before.items() if set(entries) - now_so.get(person, set())}
    gained = {person for person, entries in now_so.items() if entries - set(before.get(person, ()))}
    for person in _people(lost - gained - stays):
        telling.tell(person, "roll_struck", vote.topic, **_about(vote), why=why)
    for person in _people(gained - lost):
        telling.tell(person, "roll_added", vote.topic, **_about(vote))


def struck(vote: Vote, entry: RollEntry, *, why: str) -> None:
    """A line of the published roll was struck by hand: whoever could have cast for it hears why."""
    for person in _people(_of(entry)):
        telling.tell(person, "roll_struck", vote.topic, **_about(vote), why=why)


def added(vote: Vote, entry: RollEntry) -> None:
    """A line was added by hand, or put back."""
    for person in _people(_of(entry)):
        telling.tell(person, "roll_added", vote.topic, **_about(vote))


def _of(entry: RollEntry) -> set[int]:
    return set(db.session.scalars(sa.select(RollPerson.person_id).where(RollPerson.entry_id == entry.id)))


def _about(vote: Vote) -> dict[str, Any]:
    return {"question": vote.question, "vote_id": vote.id}


def _people(numbers: Collection[int]) -> list[Person]:
    """Each as who she is since records were merged, once; the dead are told nothing."""
    query = sa.select(Person).where(Person.id.in_(numbers)).order_by(Person.id)
    found = {one.id: one for one in map(people.resolved, db.session.scalars(query))} if numbers else {}
    return [one for one in found.values() if one.state is not PersonState.DEAD]
