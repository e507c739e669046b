"""The rule that a vote goes by, and the committee's word that an unconfirmed one (待核对) was compared."""

from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import local, now
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import rules
from portal.deliberation.service.public_log import log


def rule_of(vote: Vote) -> BodyRule | None:
    """The rule that holds for a vote's body on the day it opens; None where there is none."""
    try:
        return rules.rule_for(vote.body, vote.topic.area, local(vote.opens_at).date())
    except Refused:
        return None


def is_confirmed(vote: Vote, rule: BodyRule | None) -> bool:
    """Whether the rule is confirmed: by the street for all, or by the committee, this very row for this vote."""
    if rule is None:
        return False
    return rule.confirmed_at is not None or (vote.rule_confirmed_at is not None and not is_replaced(vote, rule))


def is_replaced(vote: Vote, rule: BodyRule | None) -> bool:
    """Whether another row holds now than the one that its roll was made by."""
    return rule is not None and vote.rule_id not in {None, rule.id}


def confirm(vote: Vote, *, by: Actor) -> None:
    """The committee has compared the rule with the statute and lets this one vote go by it; everybody reads that."""
    if vote.state not in {VoteState.DRAFT, VoteState.ROLL}:
        raise Refused(_("投票已经开始，规则不能再动。"))
    rule = rule_of(vote)
    if rule is None:
        raise Refused(_("这个机构在这里还没有规则，请街道先在“议事规则”里补上。"))
    if is_replaced(vote, rule):
        raise Refused(_("规则已换，请先重新生成名册，再核对新的规则。"))
    if is_confirmed(vote, rule):
        return
    vote.rule_id = rule.id
    vote.rule_confirmed_at, vote.rule_confirmed_by_name = now(), by.name
    if vote.rule:
        vote.rule = rules.snapshot(rule, confirmed_by=by.name)
    log(vote.topic, "vote_rule_confirmed", by_name=by.name, question=vote.question, article=rule.article)
    audit.record("deliberation.vote_rule_confirmed", vote, rule=rule.id)
