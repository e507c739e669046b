"""The list of who is cared for: levels follow from tags and age by the rules, and each time on it is kept."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.clock import full_years, today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person, PersonState, PersonTag, TagKind
from portal.registry.service import people
from portal.visits.models import CareRule, CareSpell, CareSubject, Level
from portal.visits.service import rules, workers


@dataclass(frozen=True)
class Fact:
    """What a level follows from, without a person's sealed columns."""

    person_id: int
    born: date | None
    grid_id: int | None
    tags: frozenset[TagKind]


@dataclass(frozen=True)
class Refreshed:
    """How many are on the list, and whose level rose to the highest: a change that is looked after within a day."""

    listed: int
    raised: list[CareSubject]


def communities_with_rules() -> list[Area]:
    """Where care visits are set up: the communities; ordered by code."""
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)
    return list(db.session.scalars(query))


def refresh(community: Area, day: date | None = None) -> Refreshed:
    """Bring every level of a community up to date."""
    day = day or today()
    held = rules.holding(CareRule, community.code, day)
    facts = {fact.person_id: fact for fact in _candidates(held, community, day)}
    subjects = {subject.person_id: subject for subject in _subjects(Person.community_id == community.id)}
    for person_id in facts.keys() - subjects.keys():
        subjects[person_id] = CareSubject(person_id=person_id)
        db.session.add(subjects[person_id])
    db.session.flush()
    raised = _judge_all(community, subjects, facts, held, day)
    return Refreshed(sum(subject.level is not None for subject in subjects.values()), raised)


def refresh_person(person: Person, day: date | None = None) -> CareSubject | None:
    """The same for one person: at once when she dies, moves, or her tags or override change."""
    day = day or today()
    subject = known(person)
    held = rules.holding(CareRule, person.community.code, day)
    lives = person.state is PersonState.PRESENT and person.merged_into_id is None
    facts = {person.id: Fact(person.id, person.birth_date, person.grid_id, person.tag_kinds(day))} if lives else {}
    if subject is None and facts and rules.judge(held, facts[person.id].tags, person.age(day)):
        subject = subject_of(person)
    if subject is None:
        return None
    _judge_all(person.community, {person.id: subject}, facts, held, day)
    return subject


def subject_of(person: Person) -> CareSubject:
    """The person's row, made when there is none: who is visited need not be on the list."""
    subject = known(person)
    if subject is None:
        subject = CareSubject(person=person)
        subject.worker = workers.grid_workers(person.community).get(person.grid_id or 0, "")
        db.session.add(subject)
        db.session.flush()
    return subject


def known(person: Person) -> CareSubject | None:
    """The person's row, if she has one."""
    return db.session.scalar(sa.select(CareSubject).where(CareSubject.person_id == person.id))


def subject_in(within: Collection[Scope], person_id: str) -> CareSubject:
    """A person's row by her public id, inside the scopes; one who was never on the list has none and is Missing."""
    person = people.person_in(within, person_id)
    subject = db.session.scalar(
        sa.select(CareSubject)
        .where(CareSubject.person_id == person.id)
        .options(sa.orm.joinedload(CareSubject.rule))
        .execution_options(populate_existing=True)
    )
    if subject is None:
        raise Missing
    return subject


def _subjects(*where: sa.ColumnElement[bool]) -> list[CareSubject]:
    query = sa.select(CareSubject).join(Person, CareSubject.person_id == Person.id).where(*where)
    return list(db.session.scalars(query.order_by(CareSubject.id)))


def _candidates(held: list[CareRule], community: Area, day: date) -> list[Fact]:
    """Everybody present whom some rule could mean: with one of its tags, or, where it has none, of its age."""
    tags = {tag for rule in held for tag in rule.tags}
    ages = [rule.age_from for rule in held if not rule.tags and rule.age_from is not None]
    tagged = sa.select(PersonTag.person_id).where(PersonTag.kind.in_([TagKind(tag) for tag in tags]))
    meant: list[sa.ColumnElement[bool]] = [Person.id.in_(tagged)]
    if ages:
        meant.append(Person.birth_date <= day.replace(day=1) - timedelta(days=366 * min(ages) - 31))
    if any(not rule.tags and rule.age_from is None for rule in held):
        meant = [sa.true()]
    lives = (
        Person.community_id == community.id,
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
        sa.or_(*meant),
    )
    found = db.session.execute(
        sa.select(Person.id, Person.birth_date, Person.grid_id).where(*lives).order_by(Person.id)
    ).all()
    marks: dict[int, set[TagKind]] = defaultdict(set)
    query = sa.select(PersonTag).join(Person, PersonTag.person_id == Person.id).where(*lives).order_by(PersonTag.id)
    for tag in db.session.scalars(query):
        if tag.holds(day):
            marks[tag.person_id].add(tag.kind)
    return [Fact(row.id, row.birth_date, row.grid_id, frozenset(marks[row.id])) for row in found]


def _judge_all(
    community: Area, subjects: dict[int, CareSubject], facts: dict[int, Fact], held: list[CareRule], day: date
) -> list[CareSubject]:
    raised = []
    by_grid = workers.grid_workers(community)
    open_to = {public_id for public_id, _name in workers.visitors(community)}
    spells = _last_spells([subject.id for subject in subjects.values()])
    gone = _gone(subjects.keys() - facts.keys())
    grids = _grids(subjects.keys())
    for person_id, subject in subjects.items():
        fact = facts.get(person_id)
        rule = rules.judge(held, fact.tags, full_years(fact.born, day) if fact.born else None) if fact else None
        subject.rule_id = rule.id if rule else None
        level = _level(subject, rule, day) if fact or _lives(person_id, gone) else None
        if fact:
            chosen = subject.assigned_to if subject.assigned_to in open_to else ""
            subject.worker = chosen or by_grid.get(fact.grid_id or 0, "")
        if level is not subject.level:
            last_day = gone.get(person_id) or day - timedelta(days=1)
            spells[subject.id] = _change_spell(subject, spells.get(subject.id), level, day, last_day)
            if level is Level.HIGH and subject.level is not None:
                raised.append(subject)
            subject.level = level
        if level is not None:
            _place(spells.get(subject.id), community.id, grids.get(person_id), day)
    db.session.flush()
    return raised


def _grids(person_ids: Collection[int]) -> dict[int, int | None]:
    query = sa.select(Person.id, Person.grid_id).where(Person.id.in_(person_ids)).order_by(Person.id)
    return {row.id: row.grid_id for row in db.session.execute(query)}


def _place(spell: CareSpell | None, community_id: int, grid_id: int | None, day: date) -> None:
    """Where she lives while on the list; whoever moved is from this day on the list of the other place."""
    if spell is None or (spell.community_id, spell.grid_id) == (community_id, grid_id):
        return
    if spell.community_id is not None and spell.since < day:
        spell.until = day - timedelta(days=1)
        spell = CareSpell(subject_id=spell.subject_id, level=spell.level, since=day)
        db.session.add(spell)
    spell.community_id, spell.grid_id = community_id, grid_id


def _lives(person_id: int, gone: dict[int, date | None]) -> bool:
    """Present, though no rule could mean her: only a worker's override keeps her on the list."""
    return person_id not in gone


def _level(subject: CareSubject, rule: CareRule | None, day: date) -> Level | None:
    if subject.is_overridden(day):
        return None if subject.override_off else subject.override_level
    return rule.level if rule else None


def _gone(person_ids: Collection[int]) -> dict[int, date | None]:
    """Of some people those who are dead, moved or merged away, each with her last day as far as it is known."""
    query = sa.select(Person.id, Person.state_on).where(
        Person.id.in_(person_ids),
        sa.or_(Person.state != PersonState.PRESENT, Person.merged_into_id.is_not(None)),
    )
    return {row.id: row.state_on for row in db.session.execute(query.order_by(Person.id))} if person_ids else {}


def _last_spells(subject_ids: list[int]) -> dict[int, CareSpell | None]:
    found: dict[int, CareSpell | None] = {}
    for first in range(0, len(subject_ids), 500):
        query = sa.select(CareSpell).where(CareSpell.subject_id.in_(subject_ids[first : first + 500]))
        for spell in db.session.scalars(query.order_by(CareSpell.since, CareSpell.id)):
            found[spell.subject_id] = spell
    return found


def _change_spell(
    subject: CareSubject, last: CareSpell | None, level: Level | None, day: date, last_day: date
) -> CareSpell | None:
    """End the running time on the list and begin another; what was undone within a day goes on. Answer the last.

    None where she had a level that no time on the list was written down for, and has none now.
    """
    if last is not None and level is last.level and last.until is not None and last.until >= day - timedelta(days=1):
        last.until = None
        return last
    if last is not None and last.until is None:
        if last.since == day and level is not None:
            last.level = level
            return last
        last.until = max(last.since, last_day if level is None else day - timedelta(days=1))
    if level is not None:
        last = CareSpell(subject_id=subject.id, level=level, since=day)
        db.session.add(last)
    return last
