"""Templates of topics: the street's and those of a community, begun from samples or saved from a topic."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState, PartyKind
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic, TopicTemplate
from portal.deliberation.service import reach
from portal.deliberation.service.topic_samples import SAMPLES

MOST = 200
MOST_OPINIONS = 10
KEPT = ("title", "summary", "place", "cost_words", "binding_words", "looks_first", "agenda")


def offered(within: Collection[Scope], *, all_of_them: bool = False) -> list[TopicTemplate]:
    """The templates that a worker may begin from: the street's, and those of the areas she keeps topics for."""
    ours = TopicTemplate.area_id.in_(reach.leading(within))
    query = sa.select(TopicTemplate).where(sa.or_(TopicTemplate.area_id.is_(None), ours))
    if not all_of_them:
        query = query.where(TopicTemplate.is_offered)
    street_first = sa.case((TopicTemplate.area_id.is_(None), 0), else_=1)
    query = query.options(joinedload(TopicTemplate.area)).order_by(street_first, TopicTemplate.id)
    return list(db.session.scalars(query.limit(MOST)))


def template(within: Collection[Scope], template_id: int) -> TopicTemplate:
    """One of them; Missing for another community's."""
    found = next((one for one in offered(within, all_of_them=True) if one.id == template_id), None)
    if found is None:
        raise Missing
    return found


def keeps(one: TopicTemplate, *, street: bool) -> bool:
    """Whether a worker may change a template: the street's only who makes the street's rules."""
    return street or one.area_id is not None


def load_samples(*, by: Actor) -> int:
    """Give the street the templates that it lacks; how many."""
    known = set(db.session.scalars(sa.select(TopicTemplate.name).where(TopicTemplate.area_id.is_(None))))
    lacking = [sample for sample in SAMPLES if sample["name"] not in known]
    if not lacking:
        raise Refused(_("常用模板都在了，不用再装。"))
    db.session.add_all(TopicTemplate(**sample, updated_by_name=by.name) for sample in lacking)
    db.session.flush()
    audit.record("deliberation.templates_loaded", None, count=len(lacking))
    return len(lacking)


def save(topic: Topic, name: str, area: Area | None, *, by: Actor) -> TopicTemplate:
    """Keep a topic as a template of an area, or (None) of the whole street; one of that name is written anew."""
    query = sa.select(TopicTemplate).where(
        TopicTemplate.name == name, TopicTemplate.area_id.is_not_distinct_from(area.id if area else None)
    )
    made = db.session.scalar(query.order_by(TopicTemplate.id).limit(1))
    if made is None:
        made = TopicTemplate(name=name, area_id=area.id if area else None)
        db.session.add(made)
    made.facts = _kept(topic)
    made.is_offered, made.updated_at, made.updated_by_name = True, now(), by.name
    db.session.flush()
    audit.record("deliberation.template_saved", made, name=name)
    return made


def _kept(topic: Topic) -> dict[str, Any]:
    """The words of a topic, its parties, and the committee's own first statements; nothing a resident said."""
    seeds = sa.select(Opinion.words).where(
        Opinion.topic_id == topic.id,
        Opinion.person_id.is_(None),
        Opinion.on_paper.is_(False),
        Opinion.state == OpinionState.SHOWN,
    )
    parties = [{"kind": row.kind.value, "name": row.name, "stake": row.stake} for row in topic.parties]
    plain: dict[str, Any] = {name: getattr(topic, name) for name in KEPT}
    plain |= {"category": topic.category.value, "forum": topic.forum.value, "parties": parties}
    opinions = db.session.scalars(seeds.order_by(Opinion.id).limit(MOST_OPINIONS))
    return plain | {"opinions": list(opinions), "days": 14}


def offer(one: TopicTemplate, *, on: bool, by: Actor) -> None:
    """Put a template on offer, or take it off."""
    one.is_offered, one.updated_at, one.updated_by_name = on, now(), by.name
    audit.record("deliberation.template_offered" if on else "deliberation.template_withdrawn", one, name=one.name)


def filled(one: TopicTemplate, area: Area) -> dict[str, Any]:
    """The fields of the form of a new topic, from a template; the committee of the area is its working party."""
    facts = dict(one.facts or {})
    parties = [dict(row) for row in facts.get("parties", ())]
    for row in parties:
        if row.get("name") == "社区居民委员会":
            row["name"] = committee_of(area)
    return {"title": one.name, **facts, "parties": parties}


def plain(area: Area) -> dict[str, Any]:
    """The fields of the form of a new topic without a template: who calls people together is known."""
    return {"parties": [{"kind": PartyKind.WORKING.value, "name": committee_of(area), "stake": ""}]}


def committee_of(area: Area) -> str:
    """Who calls the talks of an area together: the community's committee, or the street's office."""
    if area.kind.value == "community":
        return _("%(name)s居民委员会", name=area.name)
    return _("%(name)s办事处", name=area.name)
