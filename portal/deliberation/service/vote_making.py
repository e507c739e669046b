"""Votes made from a topic and changed while they are drafts: body, matter, options, named or unnamed, times."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Estate
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.deliberation.models.codes import UNITS, Body, Stage, Unit, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote, VoteOption
from portal.deliberation.service import delegates, elections, reach, rolls, vote_notices, vote_words

OWNERS = (Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL)
# Of a part of a village: with no narrower extent the whole village would be asked.
GROUPS = (Body.VILLAGE_GROUP_PERSONS, Body.VILLAGE_GROUP_HOUSEHOLDS)
SHORTEST = timedelta(hours=1)
LONGEST = timedelta(days=90)
MOST_OPTIONS = 9


@dataclass(frozen=True)
class Plan:
    """A vote as it was typed. Without `labels` it is put for 同意, 反对, 弃权; else one of several is chosen."""

    question: str
    words: str
    body: Body
    matter: int
    labels: tuple[str, ...]
    is_named: bool
    may_change: bool
    takes_paper: bool
    opens_at: datetime
    closes_at: datetime
    communities: tuple[int, ...] = ()
    estates: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()


def make(topic: Topic, plan: Plan, *, by: Actor) -> Vote:
    """A draft of a vote; nobody but the committee sees it."""
    if topic.stage in {Stage.ARCHIVED, Stage.WITHDRAWN}:
        raise Refused(_("这个议题已经结束，不能再办表决。"))
    vote = Vote(topic_id=topic.id, made_by_name=by.name, rule={}, extent={}, result={})
    vote.topic = topic
    _fill(vote, plan)
    db.session.add(vote)
    db.session.flush()
    audit.record("deliberation.vote_made", vote, topic=topic.id, body=vote.body.value, named=vote.is_named)
    return vote


def change(vote: Vote, plan: Plan, *, by: Actor) -> None:
    """What was announced of it is withdrawn with the notice, so a draft alone is changed."""
    rolls.lock(vote)
    if vote.state is not VoteState.DRAFT:
        raise Refused(_("名册公示以后不能再改。要改请先取消这次表决，再重新办。"))
    before = (vote.body, vote.matter)
    _fill(vote, plan)
    if (vote.body, vote.matter) != before:
        vote.rule_confirmed_at, vote.rule_confirmed_by_name = None, ""
        vote.rule_id, vote.rule = None, {}
    if vote.body is not before[0]:
        rolls.forget(vote)
    vote_notices.withdraw(vote, _("表决的内容改了，另发通知。"), by=by)
    audit.record("deliberation.vote_changed", vote, by=by.name)


def _fill(vote: Vote, plan: Plan) -> None:
    check(vote.topic, plan)
    owners = plan.body in OWNERS
    vote.body = _owners_body(plan.matter) if owners else plan.body
    vote.matter = plan.matter if owners else 0
    vote.question, vote.words = plan.question, plan.words
    vote.is_named, vote.may_change = plan.is_named, plan.may_change and plan.is_named
    vote.takes_paper = plan.takes_paper
    vote.opens_at, vote.closes_at = plan.opens_at, plan.closes_at
    vote.extent = {"areas": list(plan.communities), "estates": list(plan.estates), "buildings": []}
    vote.extent["groups"] = list(plan.groups)
    _put_options(vote, plan.labels)


def _owners_body(matter: int) -> Body:
    """The matter decides by which majority owners agree (Civil Code art. 278)."""
    return Body.OWNERS_SPECIAL if matter in vote_words.SPECIAL else Body.OWNERS_ORDINARY


def _put_options(vote: Vote, labels: tuple[str, ...]) -> None:
    wanted = [(label, True) for label in labels] or [(_("同意"), True), (_("反对"), False)]
    wanted.append((_("弃权"), False))
    if [(one.label, one.carries) for one in vote.options] == wanted:
        return
    if vote.options:
        for one in vote.options:
            db.session.delete(one)
        db.session.flush()
        db.session.expire(vote, ["options"])
    for number, (label, carries) in enumerate(wanted, 1):
        db.session.add(VoteOption(vote=vote, number=number, label=label, carries=carries))


def check(topic: Topic, plan: Plan) -> None:
    """Refuse what cannot be put to a vote, at the field to mend."""
    _check_kind(plan)
    check_times(plan.opens_at, plan.closes_at)
    _check_labels(plan.labels)
    if set(plan.communities) - set(reach.community_ids(topic)):
        raise Refused(_("请只选这个议题涉及的社区。"), field="communities")
    if set(plan.estates) - {one.id for one in estates_of(topic)}:
        raise Refused(_("请只选这个议题涉及的小区。"), field="estates")
    if plan.groups and UNITS[plan.body] is not Unit.DELEGATE:
        raise Refused(_("只有代表参加的会议能限定小组。请去掉小组，或者换成代表会议。"), field="groups")
    if set(plan.groups) - set(delegates.groups_of(topic)):
        raise Refused(_("有的小组现在没有代表。请刷新页面再选，或者先在“代表名单”里登记。"), field="groups")


def _check_kind(plan: Plan) -> None:
    elections.check(plan.body, plan.labels, is_named=plan.is_named)
    owners = UNITS[plan.body] is Unit.OWNER
    if owners and plan.matter not in dict(vote_words.matters()):
        raise Refused(_("请选这是业主共同决定的哪一类事项，通过的比例由它决定。"), field="matter")
    if owners and not plan.is_named:
        raise Refused(_("业主表决按面积计算，面积会说明是谁，所以只能记名。请选“记名”。"), field="named")
    if plan.body in GROUPS and not plan.estates:
        words = _("村民小组会议只由本组的村民参加。请在“只限哪些小区”里选本组住的地方；还没有登记的，请先登记楼栋。")
        raise Refused(words, field="body")
    if plan.may_change and not plan.is_named:
        raise Refused(
            _("不记名的票投出以后没有人找得到它，所以不能改。请去掉“可以改”，或者选“记名”。"), field="may_change"
        )


def check_times(opens_at: datetime, closes_at: datetime) -> None:
    """Refuse times that no vote can have, at the field to mend."""
    if closes_at - opens_at < SHORTEST:
        raise Refused(_("截止要在开始以后至少一小时。"), field="closes_day")
    if closes_at - opens_at > LONGEST:
        raise Refused(_("投票最长 90 天，请把截止改早一些。"), field="closes_day")
    if opens_at <= now():
        raise Refused(_("开始的时间已经过去，请改成以后的时间。"), field="opens_day")


def _check_labels(labels: tuple[str, ...]) -> None:
    if len(labels) == 1 or len(labels) > MOST_OPTIONS:
        raise Refused(_("几个方案选一个：请写 2 到 %(most)d 个方案，一行一个。", most=MOST_OPTIONS), field="labels")
    if len(set(labels)) < len(labels):
        raise Refused(_("有两个方案写得一样，请改掉一个。"), field="labels")
    if any(len(label) > 60 for label in labels):
        raise Refused(_("每个方案最多 60 个字。"), field="labels")
    if _("弃权") in labels:
        raise Refused(_("“弃权”会自动加上，不用写。"), field="labels")


def estates_of(topic: Topic) -> list[Estate]:
    """The estates of a topic's communities that have buildings, to limit a vote to some."""
    held = sa.select(Building.estate_id)
    query = sa.select(Estate).where(Estate.community_id.in_(reach.community_ids(topic)), Estate.id.in_(held))
    return list(db.session.scalars(query.order_by(Estate.community_id, Estate.name, Estate.id).limit(200)))
