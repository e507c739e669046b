"""Keeping topics: begun as a draft, edited on the version that was seen, parties, papers, asking people noted down."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core import audit, money, tokens
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.deliberation.models.codes import Category, Forum, OpinionState, PartyKind, Stage
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic, TopicPaper, TopicParty
from portal.deliberation.service import topics
from portal.deliberation.service.paper_files import Paper
from portal.deliberation.service.public_log import log
from portal.deliberation.service.topic_words import category_said, field_words, forum_said, party_said

# While people talk the words of a topic may still change; what is voted on and published stands.
EDITABLE = (Stage.DRAFT, Stage.COLLECTING, Stage.MEETING, Stage.EXPERTS, Stage.HEARING)
ENDED = (Stage.ARCHIVED, Stage.WITHDRAWN)
MOST_PAPERS = 30
LEAST_WHY = 4


@dataclass(frozen=True)
class Party:
    """Who takes part, as a row of the form says it."""

    kind: PartyKind
    name: str
    stake: str = ""


@dataclass(frozen=True)
class TopicFacts:
    """What the form of a topic says."""

    title: str
    summary: str
    category: Category
    forum: Forum
    place: str = ""
    cost_fen: int | None = None
    cost_words: str = ""
    binding_words: str = ""
    agenda: tuple[dict[str, Any], ...] = ()
    looks_first: bool = False
    community_ids: tuple[int, ...] = ()
    parties: tuple[Party, ...] = ()


PLAIN = tuple(one.name for one in fields(TopicFacts) if one.name not in {"agenda", "community_ids", "parties"})


def create(area: Area, facts: TopicFacts, *, by: Actor, opinions: Sequence[str] = ()) -> Topic:
    """A draft, which residents do not see; `opinions` are the committee's first statements."""
    made = Topic(area=area, stage=Stage.DRAFT, made_by=by.public_id, made_by_name=by.name)
    made.communities = _communities(area, facts, standing=())
    _check_parties(facts)
    _put(made, facts)
    db.session.add(made)
    db.session.flush()
    for words in opinions:
        seed = {"topic_id": made.id, "words": words[:140], "state": OpinionState.SHOWN, "entered_by_name": by.name}
        db.session.add(Opinion(**seed))
    db.session.flush()
    audit.record("deliberation.topic_created", made, area=area.code)
    return made


def save(topic: Topic, facts: TopicFacts, *, version: int, by: Actor) -> list[str]:
    """Change what differs; answer the fields in words. Refused when somebody else was quicker, or it is too late."""
    query = sa.select(Topic).where(Topic.id == topic.id).with_for_update(of=Topic)
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    refuse_settled(topic)
    if version != topic.version:
        raise Refused(_("您打开这一页以后，有同事改过这个议题。您填的内容还在，请核对后再保存一次。"))
    _check_parties(facts)
    before = _values(topic)
    standing = tuple(area.id for area in topic.communities) if topic.is_public else ()
    topic.communities = _communities(topic.area, facts, standing=standing)
    _put(topic, facts)
    db.session.flush()
    after = _values(topic)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        topic.version += 1
        if topic.is_public:
            log(topic, "edited", by_name=by.name, fields=changed)
        audit.record("deliberation.topic_edited", topic, fields=changed)
    return [field_words(name) for name in changed]


def refuse_settled(topic: Topic) -> None:
    if topic.stage not in EDITABLE:
        raise Refused(_("议题已经提交表决或有了结果，文字不能再改。要补充的，请添加材料。"))


def _communities(area: Area, facts: TopicFacts, *, standing: Sequence[int]) -> list[Area]:
    """A community's topic concerns itself; the street chooses two or more. What was published stays concerned."""
    if area.kind is AreaKind.COMMUNITY:
        return [area]
    chosen = [one for one in topics.communities_of(area) if one.id in facts.community_ids]
    if len(chosen) < 2:
        raise Refused(_("请至少选两个社区。只关系到一个社区的事，由那个社区自己牵头。"), field="communities")
    if set(standing) - {one.id for one in chosen}:
        raise Refused(_("议题已经发布，原来的社区不能去掉，只能再加。"), field="communities")
    return chosen


def _check_parties(facts: TopicFacts) -> None:
    """Who only advises says what is in it for her, or that nothing is."""
    for party in facts.parties:
        if party.kind is PartyKind.SUPPORTING and not party.stake:
            words = _("请写明“%(name)s”和这件事有没有利害关系，没有就写“没有”。", name=party.name)
            raise Refused(words, field="parties")


def _put(topic: Topic, facts: TopicFacts) -> None:
    for name in PLAIN:
        setattr(topic, name, getattr(facts, name))
    topic.agenda = [dict(item) for item in facts.agenda]
    standing = {(row.kind, row.name): row for row in topic.parties}
    kept = []
    for party in facts.parties:
        row = standing.pop((party.kind, party.name), None) or TopicParty(kind=party.kind, name=party.name)
        row.stake = party.stake
        kept.append(row)
    for row in standing.values():
        db.session.delete(row)
    topic.parties = kept


def _values(topic: Topic) -> dict[str, str]:
    """Every field in words, to tell what differs."""
    said: dict[str, Any] = {name: getattr(topic, name) for name in PLAIN}
    said["category"], said["forum"] = category_said(topic.category), forum_said(topic.forum)
    said["cost_fen"] = "" if topic.cost_fen is None else money.yuan(topic.cost_fen)
    said["agenda"] = "\n".join(f"{item['title']} {item['minutes']}" for item in topic.agenda)
    said["communities"] = "\n".join(area.name for area in topic.communities)
    said["parties"] = "\n".join(f"{party_said(row.kind)} {row.name} {row.stake}" for row in topic.parties)
    return {name: str(value) for name, value in said.items()}


def add_paper(topic: Topic, paper: Paper, name: str, words: str, *, by: Actor, idem: str = "") -> None:
    """A document, drawing or picture for everybody to read. The same `idem` again adds nothing more."""
    said = f"{topic.id}|{name}|{words}"
    if tokens.first_request(by.public_id, "deliberation.paper", idem, said, str(topic.id)) is not None:
        return
    if topic.stage in ENDED:
        raise Refused(_("议题已经结束，不能再添加材料。"))
    if len(topics.papers(topic)) >= MOST_PAPERS:
        raise Refused(_("一个议题最多放 %(count)d 份材料，请先撤下不用的。", count=MOST_PAPERS))
    made = TopicPaper(topic_id=topic.id, name=name[:80], words=words[:300], media=paper.media, content=paper.content)
    made.added_by_name = by.name
    db.session.add(made)
    db.session.flush()
    if topic.is_public:
        log(topic, "paper_added", by_name=by.name, name=made.name)
    audit.record("deliberation.topic_paper_added", topic, name=made.name)


def withdraw_paper(topic: Topic, paper: TopicPaper, *, why: str, by: Actor) -> None:
    """Nobody can open it any more; that it was there, and why it went, stays in the log."""
    check_why(why)
    statement = sa.update(TopicPaper).where(TopicPaper.id == paper.id, TopicPaper.withdrawn_at.is_(None))
    if not guarded(statement.values(withdrawn_at=now())):
        raise Refused(_("这份材料已经撤下了。"))
    db.session.expire(paper, ["withdrawn_at"])
    if topic.is_public:
        log(topic, "paper_withdrawn", by_name=by.name, why=why, name=paper.name)
    audit.record("deliberation.topic_paper_withdrawn", topic, reason=why, name=paper.name)


def note_outreach(topic: Topic, how: str, people: int, *, by: Actor, idem: str = "") -> None:
    """Write down that people were asked otherwise than here: at their doors, by telephone, at a talk. The same `idem`
    again writes nothing more.
    """
    said = f"{topic.id}|{how}|{people}"
    if tokens.first_request(by.public_id, "deliberation.outreach", idem, said, str(topic.id)) is not None:
        return
    if topic.stage is not Stage.COLLECTING:
        raise Refused(_("只有在民意征集期间才记征求意见。"))
    log(topic, "outreach", by_name=by.name, how=how[:80], people=people)
    audit.record("deliberation.outreach_noted", topic, people=people)


def check_why(why: str) -> None:
    if len(why.strip()) < LEAST_WHY:
        raise Refused(_("请写明原因，至少四个字，会公布出来。"), field="why")
