"""What must hold before a vote opens: a confirmed rule, a notice early enough, a roll without open corrections."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import AskState, Stage, VoteState
from portal.deliberation.models.meetings import Notice
from portal.deliberation.models.votes import RollCorrection, Vote
from portal.deliberation.service import counting, roll_doubles, rolls, rules, telling, vote_making, vote_notices
from portal.deliberation.service.public_log import log
from portal.deliberation.service.vote_rules import is_confirmed, is_replaced, rule_of
from portal.deliberation.service.votes import figures


@dataclass(frozen=True)
class Check:
    """One thing to do before a vote opens: whether it is done, and where it is done."""

    words: str
    endpoint: str
    values: dict[str, Any]
    done: bool = field(kw_only=True)


def corrections_open(vote: Vote) -> int:
    query = sa.select(sa.func.count()).select_from(RollCorrection)
    return db.session.scalar(query.where(RollCorrection.vote_id == vote.id, RollCorrection.state == AskState.OPEN)) or 0


def checks(vote: Vote) -> list[Check]:
    """What is to be done before the vote opens, in the order in which it is done."""
    rule, notice = rule_of(vote), vote_notices.notice_of(vote)
    here = {"vote_id": vote.id}
    found = [
        Check(
            _("议题走到“提交表决”这一步"),
            "deliberation.worker.topic_page",
            {"topic_id": vote.topic_id},
            done=vote.topic.stage is Stage.VOTING,
        ),
        Check(_("通过的规则已经核对"), "deliberation.worker.vote_rule", here, done=is_confirmed(vote, rule)),
        _roll_check(vote),
        _notice_check(vote, rule, notice),
    ]
    if is_replaced(vote, rule):
        words = _("规则已换，请重新生成名册、重发通知")
        found.append(Check(words, "deliberation.worker.roll_page", here, done=False))
    twice = roll_doubles.doubles(vote)
    if twice:
        found.append(Check(rolls.double_words(twice), "deliberation.worker.roll_page", here, done=False))
    waiting = corrections_open(vote)
    if waiting:
        words = _("名册更正都答复了（还有 %(count)d 件）", count=waiting)
        found.append(Check(words, "deliberation.worker.roll_page", here, done=False))
    return found


def _roll_check(vote: Vote) -> Check:
    count, moment = figures(vote).entitled.heads, now()
    until, values = vote.corrections_until, {"vote_id": vote.id}
    if vote.state is VoteState.DRAFT or not count:
        return Check(_("名册已经生成并公示"), "deliberation.worker.roll_page", values, done=False)
    if until is not None and until > moment:
        words = _("名册公示到 %(until)s，可以申请更正", until=web.moment_words(until))
        return Check(words, "deliberation.worker.roll_page", values, done=False)
    return Check(_("名册公示期满，共 %(count)d 票", count=count), "deliberation.worker.roll_page", values, done=True)


def _notice_check(vote: Vote, rule: BodyRule | None, notice: Notice | None) -> Check:
    values, days = {"vote_id": vote.id}, rule.notice_days if rule else 0
    if notice is None:
        words = _("发布表决通知，至少提前 %(days)d 天", days=days) if days else _("发布表决通知")
        return Check(words, "deliberation.worker.vote_notice", values, done=False)
    first = vote_notices.earliest_opening(notice.published_at, days)
    if vote.opens_at < first:
        facts = {"days": days, "first": web.moment_words(first)}
        late = _("通知发在原定的开始时间以后，请改投票时间，最早 %(first)s 开始", **facts)
        words = _("规则要求通知后满 %(days)d 天才能投票，最早 %(first)s 开始", **facts) if days else late
        return Check(words, "deliberation.worker.vote_times", values, done=False)
    return Check(_("表决通知已发布"), "deliberation.worker.vote_notice", values, done=True)


def open_vote(vote: Vote, *, by_name: str, at: datetime | None = None) -> None:
    """Freeze the roll and let people vote; refused with what is to be done first. A second click changes nothing."""
    rolls.lock(vote)
    moment = at or now()
    _check_state(vote, moment)
    missing = [check.words for check in checks(vote) if not check.done]
    if missing:
        raise Refused(_("还不能开始投票：%(missing)s。", missing=_("；").join(missing)))
    # Who opens it twice at once finds it open: the move is the database's.
    changed = sa.update(Vote).where(Vote.id == vote.id, Vote.state == VoteState.ROLL)
    if not guarded(changed.values(frozen_at=moment)):
        raise Refused(_("这次表决已经开始。"))
    rolls.freeze(vote, at=moment)
    # The row that the roll was made by, whatever holds since; that somebody confirmed it meanwhile is written.
    rule = vote.body_rule
    if rule is not None:
        vote.rule = rules.snapshot(rule, confirmed_by=vote.rule_confirmed_by_name)
    vote.state, vote.frozen_at = VoteState.OPEN, moment
    db.session.flush()
    count = figures(vote).entitled.heads
    log(vote.topic, "vote_opened", by_name=by_name, question=vote.question, count=count)
    audit.record("deliberation.vote_opened", vote, entitled=count)
    telling.tell_followers(vote.topic, "vote_opened", vote_id=vote.id, question=vote.question)


def _check_state(vote: Vote, moment: datetime) -> None:
    if vote.state is not VoteState.ROLL:
        said = {
            VoteState.DRAFT: _("请先生成名册并公示。"),
            VoteState.OPEN: _("这次表决已经开始。"),
            VoteState.CANCELLED: _("这次表决已取消，要办请重新建一次。"),
        }
        raise Refused(said.get(vote.state, _("这次表决已经结束。")))
    if moment < vote.opens_at:
        raise Refused(_("还没到开始的时间（%(at)s），到时会自动开始。", at=web.moment_words(vote.opens_at)))
    if moment >= vote.closes_at:
        raise Refused(_("截止时间已经过了，请先改投票时间。"))


def due_to_open(at: datetime) -> list[int]:
    """The votes whose time has come."""
    query = sa.select(Vote.id).where(Vote.state == VoteState.ROLL, Vote.opens_at <= at, Vote.closes_at > at)
    return list(db.session.scalars(query.order_by(Vote.id)))


def open_due(vote_id: int) -> bool:
    """By the clock; False where something is still to be done, which the desk's list then says."""
    vote = db.session.get_one(Vote, vote_id)
    try:
        # What a refusal comes after is undone: the job's transaction goes on.
        with db.session.begin_nested():
            open_vote(vote, by_name="")
    except Refused:
        return False
    return True


def put_off(vote: Vote, opens_at: datetime, closes_at: datetime, *, by: Actor) -> None:
    """New times before it has opened; the notice that said the old ones is withdrawn and must be published anew."""
    rolls.lock(vote)
    if vote.state not in {VoteState.DRAFT, VoteState.ROLL}:
        raise Refused(_("投票已经开始，时间不能再改。"))
    vote_making.check_times(opens_at, closes_at)
    if (vote.opens_at, vote.closes_at) == (opens_at, closes_at):
        return
    before = rolls.day_of(vote)
    vote.opens_at, vote.closes_at = opens_at, closes_at
    if vote.state is VoteState.ROLL and rolls.day_of(vote) != before:
        # Ages, titles and the rule are those of the day on which it opens.
        rolls.build(vote, by=by)
    vote_notices.withdraw(vote, _("投票时间改了，另发通知。"), by=by)
    log(vote.topic, "vote_put_off", by_name=by.name, question=vote.question, opens=opens_at.isoformat())
    audit.record("deliberation.vote_put_off", vote, opens=opens_at.isoformat(), closes=closes_at.isoformat())


def cancel(vote: Vote, reason: str, *, by: Actor) -> None:
    """Call a vote off: nothing of it is ever counted. Everybody reads why."""
    over = vote.state is VoteState.OPEN and now() >= vote.closes_at
    if over or not vote.may_become(VoteState.CANCELLED):
        raise Refused(_("投票已经截止，不能再取消。"))
    was_public, has_ballots = vote.state is not VoteState.DRAFT, vote.state is VoteState.OPEN and not vote.is_named
    if has_ballots:
        counting.forget(vote)
    changed = sa.update(Vote).where(Vote.id == vote.id, Vote.state == vote.state)
    if not guarded(changed.values(state=VoteState.CANCELLED, cancelled_why=reason, closed_at=now())):
        raise Refused(_("这次表决刚刚有变化，请看看现在的状态再操作。"))
    db.session.refresh(vote, ["state", "cancelled_why", "closed_at"])
    audit.record("deliberation.vote_cancelled", vote, reason=reason)
    if was_public:
        log(vote.topic, "vote_cancelled", by_name=by.name, why=reason, question=vote.question)
        telling.tell_followers(vote.topic, "vote_cancelled", vote_id=vote.id, question=vote.question, why=reason)
