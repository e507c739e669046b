"""The notice of a vote: when, what about, who is entitled, by which rule; as early as that rule demands."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import Actor
from portal.core.clock import day_bounds, local, now
from portal.core.db import db
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Stage, VoteState
from portal.deliberation.models.meetings import Notice
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import meeting_rules, rule_words, rules, telling, vote_words
from portal.deliberation.service.public_log import log
from portal.deliberation.service.vote_rules import is_confirmed, rule_of
from portal.deliberation.service.votes import figures


def notice_of(vote: Vote) -> Notice | None:
    """What was announced of a vote and stands."""
    query = sa.select(Notice).where(Notice.vote_id == vote.id, Notice.withdrawn_at.is_(None))
    return db.session.scalar(query.order_by(Notice.id.desc()).limit(1))


def earliest_opening(announced: datetime, days: int) -> datetime:
    """When a vote may begin: so many days after the day of the notice, which is not counted, as for meetings."""
    return day_bounds(meeting_rules.earliest(days, local(announced).date()))[0] if days else announced


def facts_of(vote: Vote, rule: BodyRule, contact: str) -> dict[str, object]:
    """What the notice says, in words, as it is kept."""
    entitled = figures(vote).entitled.heads
    said = rule_words.unit_words(vote.unit)
    who = _("%(body)s，%(unit)s", body=rule_words.body_words(vote.body), unit=said)
    if entitled:
        who = _("%(who)s，名册上共 %(count)d 票", who=who, count=entitled)
    asked = [vote.question]
    if vote.matter:
        asked.append(
            _(
                "民法典第二百七十八条第 %(number)d 项：%(words)s",
                number=vote.matter,
                words=vote_words.matter_words(vote.matter),
            )
        )
    asked.append(_("选项：%(options)s", options=_("、").join(one.label for one in vote.options)))
    held = rules.snapshot(rule)
    needs = _("；").join((rule_words.quorum_words(held), rule_words.passes_words(held)))
    return {
        "when": vote_words.time_words(vote),
        "where": _("手机上投票，或到社区投纸质票") if vote.takes_paper else _("手机上投票"),
        "matters": asked,
        "entitled": who,
        "kind": vote_words.kind_words(vote),
        "rule": _("%(article)s：%(needs)s", article=rule.article, needs=needs),
        "contact": contact,
    }


def publish(vote: Vote, contact: str, *, by: Actor) -> Notice:
    """Announce a vote to everybody; an earlier notice of it is replaced."""
    rule = _checked(vote, rule_of(vote))
    facts = facts_of(vote, rule, contact)
    earlier = notice_of(vote)
    if earlier is not None and earlier.facts == facts:
        raise Refused(_("通知已经发布过，内容没有变化。"))
    _end(earlier, _("由新的通知替换。"))
    title = _("关于“%(question)s”的表决通知", question=vote.question)[:120]
    made = Notice(topic_id=vote.topic_id, vote_id=vote.id, title=title, facts=facts, published_by_name=by.name)
    made.published_at = now()
    db.session.add(made)
    db.session.flush()
    log(vote.topic, "vote_announced", by_name=by.name, question=vote.question, opens=vote.opens_at.isoformat())
    audit.record("deliberation.vote_announced", vote, notice=made.id)
    telling.tell_followers(
        vote.topic, "vote_announced", vote_id=vote.id, question=vote.question, when=str(facts["when"])
    )
    return made


def _checked(vote: Vote, rule: BodyRule | None) -> BodyRule:
    if vote.state is VoteState.DRAFT:
        raise Refused(_("请先公示名册，再发表决通知。"))
    if vote.state is not VoteState.ROLL:
        raise Refused(_("投票已经开始或结束，不用再发通知。"))
    if vote.topic.stage is not Stage.VOTING:
        raise Refused(_("请先把议题移到“提交表决”这一步，再发表决通知。"))
    if rule is None or not is_confirmed(vote, rule):
        raise Refused(_("请先核对通过的规则，再发表决通知。"))
    days = rule.notice_days
    first = earliest_opening(now(), days)
    if vote.opens_at < first:
        facts = {"days": days, "first": web.moment_words(first)}
        if not days:
            raise Refused(_("原定的开始时间已经过了。现在发通知，最早 %(first)s 开始，请先改投票时间。", **facts))
        raise Refused(
            _("规则要求通知后满 %(days)d 天才能投票。现在发通知，最早 %(first)s 开始，请先改投票时间。", **facts)
        )
    return rule


def withdraw(vote: Vote, why: str, *, by: Actor) -> None:
    """Take back what was announced, when it is no longer so."""
    earlier = notice_of(vote)
    if earlier is not None:
        _end(earlier, why)
        audit.record("deliberation.vote_notice_withdrawn", vote, reason=why, by=by.name)
    db.session.flush()


def _end(notice: Notice | None, why: str) -> None:
    if notice is not None:
        notice.withdrawn_at, notice.withdrawn_why = now(), why[:200]
