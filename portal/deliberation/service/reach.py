"""Whom deliberation lets in: which topics a worker reads and keeps, and as which person a resident takes part."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Actor, Platform, Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic, topic_community
from portal.registry.models import Person, PersonState
from portal.registry.service import people

# Who leads topics: a community, or the street for several of them.
LEADS = (AreaKind.STREET, AreaKind.COMMUNITY)


def whole() -> tuple[ORMOption, ...]:
    """A topic with who leads it and the communities it concerns."""
    return joinedload(Topic.area), selectinload(Topic.communities)


def touched(within: Collection[Scope]) -> sa.Select[int]:
    """The ids of the communities that a worker's scopes reach."""
    return areas.touched(within)


def leading(within: Collection[Scope]) -> sa.Select[int]:
    """The ids of the areas whose topics a worker keeps: those that her scopes name, and not what lies inside them."""
    query = sa.select(Area.id).where(Area.kind.in_(LEADS))
    if any(scope.kind == "all" for scope in within):
        return query
    return query.where(
        sa.or_(
            *(
                sa.and_(Area.kind == kind, Area.code.in_([scope.ref for scope in within if scope.kind == kind.value]))
                for kind in LEADS
            )
        )
    )


def lead_areas(within: Collection[Scope]) -> list[Area]:
    """The areas for which a worker may begin a topic; the street first."""
    return list(db.session.scalars(sa.select(Area).where(Area.id.in_(leading(within))).order_by(Area.code)))


def kept_by(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a worker keeps (edits) a topic: her own area leads it."""
    return Topic.area_id.in_(leading(within))


def read_by(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a worker reads a topic: she keeps it, or it concerns a community that she reaches."""
    concerned = sa.select(topic_community.c.topic_id).where(topic_community.c.community_id.in_(touched(within)))
    return sa.or_(kept_by(within), Topic.id.in_(concerned))


def keeps(topic: Topic, within: Collection[Scope]) -> bool:
    """The same of one topic, without asking the database again."""
    return leads(topic.area, within)


def leads(area: Area, within: Collection[Scope]) -> bool:
    """Whether a worker's scopes name an area itself."""
    own = {(scope.kind, scope.ref) for scope in within}
    return (area.kind.value, area.code) in own or any(kind == "all" for kind, _ref in own)


def topic(topic_id: int, *, within: Collection[Scope]) -> Topic:
    """A topic as a worker reads it; Missing out of her scopes."""
    return _one(topic_id, read_by(within))


def kept(topic_id: int, *, within: Collection[Scope]) -> Topic:
    """A topic that a worker keeps; Missing for what she only reads, and out of her scopes."""
    return _one(topic_id, kept_by(within))


def shown(topic_id: int) -> Topic:
    """A topic as everybody may read it; a draft, and what was withdrawn as one, is Missing."""
    return _one(topic_id, public())


def public() -> sa.ColumnElement[bool]:
    """The condition that everybody may read a topic (Topic.is_public says the same of one)."""
    return sa.and_(Topic.stage != Stage.DRAFT, Topic.published_at.is_not(None))


def _one(topic_id: int, condition: sa.ColumnElement[bool]) -> Topic:
    found = db.session.scalar(sa.select(Topic).where(Topic.id == topic_id, condition).options(*whole()))
    if found is None:
        raise Missing
    return found


def community_ids(topic: Topic) -> list[int]:
    """The communities that a topic concerns: the leading one, or those that the street chose."""
    return [community.id for community in topic.communities]


def person_of(actor: Actor | None) -> Person | None:
    """The person behind a resident's account, or None: nobody signed in, a worker, not confirmed yet."""
    if actor is None or actor.platform is not Platform.RESIDENT:
        return None
    return people.person_of_or_none(actor, lean=True)


def lives_in(person: Person | None, topic: Topic) -> bool:
    """Whether somebody belongs to one of the communities that a topic concerns."""
    return person is not None and person.state is PersonState.PRESENT and person.community_id in community_ids(topic)


def person_in(topic: Topic, actor: Actor) -> Person:
    """As whom a resident takes part in a topic, or a refusal that says how to go on."""
    person = people.person_of(actor)
    if not lives_in(person, topic):
        names = _("、").join(community.name for community in topic.communities)
        words = _("这个议题由%(names)s的居民参加。您可以看全部内容；要是您就住在那里，请到社区更新住址。", names=names)
        raise Refused(words)
    return person


def person_near(community_ids: Collection[int], actor: Actor) -> Person:
    """As whom a resident acts where no topic is there yet (an idea): she must live in one of some communities."""
    person = people.person_of(actor)
    if person.state is not PersonState.PRESENT or person.community_id not in community_ids:
        raise Refused(_("请在您住的社区提。要是您就住在这里，请到社区更新住址。"))
    return person
