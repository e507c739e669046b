"""Experts of a topic: invited to advise, their stakes declared, their advice published; they have no vote."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.meetings import Expert
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meetings, public_log, telling


@dataclass(frozen=True)
class Facts:
    """`has_stake` is None while she has not been asked."""

    name: str
    field: str
    organisation: str
    phone: str
    asked: str
    has_stake: bool | None
    stake: str
    advice: str


def of_topic(topic: Topic, *, public: bool) -> list[Expert]:
    query = sa.select(Expert).where(Expert.topic_id == topic.id)
    if public:
        query = query.where(Expert.published_at.is_not(None), Expert.withdrawn_at.is_(None))
    return list(db.session.scalars(query.order_by(Expert.id).limit(50)))


def expert(topic: Topic, expert_id: int) -> Expert:
    found = db.session.scalar(sa.select(Expert).where(Expert.topic_id == topic.id, Expert.id == expert_id))
    if found is None:
        raise Missing
    return found


def _columns(facts: Facts) -> dict[str, str | None]:
    if facts.has_stake and not facts.stake.strip():
        raise Refused(_("请写明有什么利害关系，例如“是中标公司的顾问”。"), field="stake")
    stake = None if facts.has_stake is None else (facts.stake.strip() if facts.has_stake else "")
    return {
        "name": facts.name,
        "field": facts.field,
        "organisation": facts.organisation,
        "phone": facts.phone or None,
        "asked": facts.asked,
        "stake": stake,
        "advice": facts.advice,
    }


def invite(topic: Topic, facts: Facts, *, by: Actor) -> Expert:
    if topic.stage in meetings.OVER:
        raise Refused(_("这个议题已经结束，不用再请专家。"))
    made = Expert(topic_id=topic.id, by_name=by.name, **_columns(facts))
    made.advised_at = now() if facts.advice else None
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.expert_invited", made, topic=topic.id, declared=made.stake is not None)
    public_log.log(topic, "expert_invited", by_name=by.name, field=made.field)
    return made


def change(one: Expert, facts: Facts, *, by: Actor) -> None:
    """What was published is replaced in sight of everybody: it is published again."""
    if one.withdrawn_at is not None:
        raise Refused(_("这位专家已经撤下，不能再改。"))
    columns = _columns(facts)
    changed = [name for name, value in columns.items() if getattr(one, name) != value]
    for name in changed:
        setattr(one, name, columns[name])
    if "advice" in changed:
        one.advised_at = now() if facts.advice else None
    if one.published_at is not None and set(changed) - {"phone"}:
        one.published_at = None
    audit.record("deliberation.expert_changed", one, fields=changed, by=by.name)


def publish(one: Expert, *, by: Actor) -> None:
    """Everybody reads the advice, and what stake its giver has."""
    if one.stake is None:
        raise Refused(_("还没有问清利害关系。请先请专家申报（没有也要写明没有），再公布意见。"))
    if not one.advice.strip():
        raise Refused(_("还没有意见。请先把专家的意见写下来，再公布。"))
    shown = sa.update(Expert).where(Expert.id == one.id, Expert.published_at.is_(None), Expert.withdrawn_at.is_(None))
    if not guarded(shown.values(published_at=now())):
        raise Refused(_("已经公布过，或已经撤下。"))
    db.session.refresh(one)
    audit.record("deliberation.expert_published", one, topic=one.topic_id)
    public_log.log(one.topic, "expert_published", by_name=by.name, field=one.field)
    telling.tell_followers(one.topic, "expert_published", field=one.field)


def withdraw(one: Expert, *, why: str, by: Actor) -> None:
    out = sa.update(Expert).where(Expert.id == one.id, Expert.withdrawn_at.is_(None))
    if not guarded(out.values(withdrawn_at=now(), withdrawn_why=why[:200])):
        raise Refused(_("已经撤下了。"))
    db.session.refresh(one)
    audit.record("deliberation.expert_withdrawn", one, reason=why, topic=one.topic_id)
    public_log.log(one.topic, "expert_withdrawn", by_name=by.name, why=why, field=one.field)
