"""The street's list of skills: offered or not, with a proof or without."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.volunteers.models.people import Skill, VolunteerSkill


def skills() -> list[Skill]:
    return list(db.session.scalars(sa.select(Skill).order_by(Skill.is_offered.desc(), Skill.name, Skill.id)))


def skill(number: int) -> Skill:
    found = db.session.get(Skill, number)
    if found is None:
        raise Missing
    return found


def held_by() -> dict[int, int]:
    """How many volunteers named each skill."""
    query = sa.select(VolunteerSkill.skill_id, sa.func.count()).group_by(VolunteerSkill.skill_id)
    found = db.session.execute(query.order_by(VolunteerSkill.skill_id))
    return {row[0]: row[1] for row in found}


def make(*, name: str, needs_proof: bool, is_offered: bool) -> Skill:
    made = Skill(name=name, needs_proof=needs_proof, is_offered=is_offered)
    with unique_or(_taken()):
        db.session.add(made)
    audit.record("volunteers.skill_made", made, name=name)
    return made


def change(found: Skill, *, name: str, needs_proof: bool, is_offered: bool) -> None:
    """From now on a skill that asks for a proof counts only for those who have one."""
    with unique_or(_taken()):
        found.name, found.needs_proof, found.is_offered = name, needs_proof, is_offered
    audit.record("volunteers.skill_changed", found, name=name)


def _taken() -> Refused:
    return Refused(_("已经有这个技能了，请直接修改它。"), field="name")
