"""Training and awards of volunteers (民政部令67号 8-9), proofs of skills, and who comes together with whom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.volunteers.models.people import Award, Pair, Skill, Training, Volunteer, VolunteerSkill


@dataclass(frozen=True)
class TrainingFacts:
    name: str
    content: str
    minutes: int
    held_by: str
    held_on: date


@dataclass(frozen=True)
class AwardFacts:
    name: str
    given_by: str
    given_on: date


def note_training(volunteers: Collection[Volunteer], facts: TrainingFacts, *, by: Actor) -> int:
    """One training for several at once; who has the same of that day already is left out. Answers how many."""
    _refuse_empty(volunteers)
    _refuse_ahead(facts.held_on, "held_on")
    same = sa.select(Training.volunteer_id).where(Training.name == facts.name, Training.held_on == facts.held_on)
    have = set(db.session.scalars(same.order_by(Training.id)))
    fresh = [one for one in volunteers if one.id not in have]
    for one in fresh:
        made = Training(volunteer_id=one.id, noted_by=by.name, **vars(facts))
        db.session.add(made)
        audit.record("volunteers.training_noted", one, name=facts.name)
    db.session.flush()
    return len(fresh)


def note_award(volunteers: Collection[Volunteer], facts: AwardFacts, *, by: Actor) -> int:
    _refuse_empty(volunteers)
    _refuse_ahead(facts.given_on, "given_on")
    same = sa.select(Award.volunteer_id).where(Award.name == facts.name, Award.given_on == facts.given_on)
    have = set(db.session.scalars(same.order_by(Award.id)))
    fresh = [one for one in volunteers if one.id not in have]
    for one in fresh:
        db.session.add(Award(volunteer_id=one.id, noted_by=by.name, **vars(facts)))
        audit.record("volunteers.award_noted", one, name=facts.name)
    db.session.flush()
    return len(fresh)


def _refuse_empty(volunteers: Collection[Volunteer]) -> None:
    if not volunteers:
        raise Refused(_("请先在志愿者名单里勾选是哪几位。"))


def _refuse_ahead(day: date, field: str) -> None:
    if day > today():
        raise Refused(_("这个日期还没有到，请核对。"), field=field)


def drop_training(volunteer: Volunteer, number: int, *, reason: str) -> None:
    found = db.session.get(Training, number)
    if found is None or found.volunteer_id != volunteer.id:
        raise Missing
    audit.record("volunteers.training_dropped", volunteer, reason=reason, name=found.name)
    db.session.delete(found)


def drop_award(volunteer: Volunteer, number: int, *, reason: str) -> None:
    found = db.session.get(Award, number)
    if found is None or found.volunteer_id != volunteer.id:
        raise Missing
    audit.record("volunteers.award_dropped", volunteer, reason=reason, name=found.name)
    db.session.delete(found)


def prove(volunteer: Volunteer, skill: Skill, *, proof: str, valid_to: date | None, by: Actor) -> None:
    """A worker has seen what proves a skill; one the volunteer did not name is added."""
    if valid_to is not None and valid_to < today():
        raise Refused(_("证明已经过期，不能登记。"), field="valid_to")
    held = next((one for one in volunteer.skills if one.skill_id == skill.id), None)
    if held is None:
        held = VolunteerSkill(skill_id=skill.id, skill=skill)
        with unique_or(Refused(_("刚才已经登记过了，请刷新看看。"))):
            volunteer.skills.append(held)
    held.proof, held.proven_at, held.proven_by, held.valid_to = proof, now(), by.name, valid_to
    audit.record("volunteers.skill_proven", volunteer, name=skill.name, until=valid_to.isoformat() if valid_to else "")


def drop_proof(volunteer: Volunteer, number: int, *, reason: str) -> None:
    held = next((one for one in volunteer.skills if one.id == number), None)
    if held is None:
        raise Missing
    held.proof, held.proven_at, held.proven_by, held.valid_to = "", None, "", None
    audit.record("volunteers.proof_dropped", volunteer, reason=reason, name=held.skill.name)


def pair(one: Volunteer, other: Volunteer, *, always: bool, by: Actor) -> Pair:
    """Two who come together from now on; a pair that stands is changed."""
    if one.id == other.id:
        raise Refused(_("搭档要选另一位志愿者。"), field="other")
    first, second = sorted((one.id, other.id))
    query = sa.select(Pair).where(Pair.one_id == first, Pair.other_id == second)
    found = db.session.scalar(query)
    if found is None:
        found = Pair(one_id=first, other_id=second, made_by=by.name)
        with unique_or(Refused(_("刚才已经登记过了，请刷新看看。"))):
            db.session.add(found)
    found.always = always
    audit.record("volunteers.pair_made", one, other=other.public_id, always=always)
    return found


def end_pair(volunteer: Volunteer, number: int, *, reason: str) -> None:
    found = db.session.get(Pair, number)
    if found is None or volunteer.id not in {found.one_id, found.other_id}:
        raise Missing
    audit.record("volunteers.pair_ended", volunteer, reason=reason, pair=found.id)
    db.session.delete(found)


def set_outer_number(volunteer: Volunteer, number: str) -> None:
    volunteer.outer_number = number
    audit.record("volunteers.outer_number_set", volunteer)
