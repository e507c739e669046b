"""Templates of activities: those of the street and of a community, begun from samples or saved from an activity."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.volunteers.models.activities import Activity, ActivityTemplate
from portal.volunteers.models.people import Skill
from portal.volunteers.service.activity_samples import SAMPLES

# What a template keeps of an activity: not who leads it, nor its insurance's dates.
KEPT = (
    *("content", "place", "conditions", "risks", "is_risky", "insurance", "members_only", "least_age", "most_age"),
    *("opens_days", "leave_hours", "late_minutes", "day_minutes", "factor"),
)
MOST = 200


def offered(within: Collection[Scope], *, all_of_them: bool = False) -> list[ActivityTemplate]:
    """The templates that a worker may begin from: the street's, and those of her communities; by name."""
    ours = ActivityTemplate.community_id.in_(areas.touched(within))
    query = sa.select(ActivityTemplate).where(sa.or_(ActivityTemplate.community_id.is_(None), ours))
    if not all_of_them:
        query = query.where(ActivityTemplate.is_offered)
    query = query.options(joinedload(ActivityTemplate.community))
    street_first = sa.case((ActivityTemplate.community_id.is_(None), 0), else_=1)
    return list(db.session.scalars(query.order_by(street_first, ActivityTemplate.id).limit(MOST)))


def template(within: Collection[Scope], template_id: int) -> ActivityTemplate:
    """One of them; Missing for another community's."""
    found = next((one for one in offered(within, all_of_them=True) if one.id == template_id), None)
    if found is None:
        raise Missing
    return found


def keeps(one: ActivityTemplate, *, street: bool) -> bool:
    """Whether a worker may change a template: the street's only who makes the street's rules."""
    return street or one.community_id is not None


def load_samples(*, by: Actor) -> int:
    """Give the street the templates that it lacks; how many."""
    known = set(db.session.scalars(sa.select(ActivityTemplate.name).where(ActivityTemplate.community_id.is_(None))))
    lacking = [sample for sample in SAMPLES if sample["name"] not in known]
    for sample in lacking:
        db.session.add(ActivityTemplate(**sample, updated_by=by.name))
    if not lacking:
        raise Refused(_("常用模板都在了，不用再装。"))
    audit.record("volunteers.templates_loaded", None, count=len(lacking))
    return len(lacking)


def save(activity: Activity, name: str, *, street: bool, by: Actor) -> ActivityTemplate:
    """Keep an activity as a template of its community, or of the street."""
    community_id = None if street else activity.community_id
    query = sa.select(ActivityTemplate).where(
        ActivityTemplate.name == name, ActivityTemplate.community_id.is_not_distinct_from(community_id)
    )
    made = db.session.scalar(query.order_by(ActivityTemplate.id).limit(1))
    if made is None:
        made = ActivityTemplate(name=name, community_id=community_id, kind=activity.kind)
        db.session.add(made)
    made.kind = activity.kind
    made.facts = {field: getattr(activity, field) for field in KEPT} | {"joining": activity.joining.value}
    made.positions = [_position(one) for one in activity.positions]
    made.is_offered, made.updated_at, made.updated_by = True, now(), by.name
    db.session.flush()
    audit.record("volunteers.template_saved", made, name=name)
    return made


def _position(one: Any) -> dict[str, Any]:
    return {
        "name": one.name,
        "does": one.does,
        "needs": one.needs,
        "skills": [skill.name for skill in one.skills],
        "least_hours": one.least_minutes // 60,
        "newcomers": one.newcomers,
    }


def offer(one: ActivityTemplate, *, on: bool, by: Actor) -> None:
    """Put a template on offer, or take it off."""
    one.is_offered, one.updated_at, one.updated_by = on, now(), by.name
    audit.record("volunteers.template_offered" if on else "volunteers.template_withdrawn", one, name=one.name)


def skills() -> list[Skill]:
    """The skills that a position may ask for, by name."""
    return list(db.session.scalars(sa.select(Skill).where(Skill.is_offered).order_by(Skill.name, Skill.id)))


def filled(one: ActivityTemplate, known: Collection[Skill]) -> dict[str, Any]:
    """The fields of the form of a new activity, from a template; skills by name, as far as the street has them."""
    numbers = {skill.name: skill.id for skill in known}
    positions = [
        dict(position) | {"skills": [numbers[name] for name in position.get("skills", ()) if name in numbers]}
        for position in one.positions
    ]
    return {"title": one.name, "kind": one.kind.value, **one.facts, "positions": positions}
