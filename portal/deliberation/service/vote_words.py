"""The words of votes: states, channels, proxies, batches of paper, the matters of Civil Code article 278."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from portal.core import web
from portal.deliberation.models.codes import BatchState, Body, Channel, ProxyState, Unit, VoteState
from portal.deliberation.models.votes import INVALID, Vote
from portal.deliberation.service import rule_words

# Matters of Civil Code art. 278 that three quarters of those who take part must agree to.
SPECIAL = (6, 7, 8)


def matters() -> list[tuple[int, str]]:
    """What owners decide together, as article 278 of the Civil Code numbers it."""
    return [
        (1, _("制定和修改业主大会议事规则")),
        (2, _("制定和修改管理规约")),
        (3, _("选举业主委员会或者更换业主委员会成员")),
        (4, _("选聘和解聘物业服务企业或者其他管理人")),
        (5, _("使用建筑物及其附属设施的维修资金")),
        (6, _("筹集建筑物及其附属设施的维修资金")),
        (7, _("改建、重建建筑物及其附属设施")),
        (8, _("改变共有部分的用途或者利用共有部分从事经营活动")),
        (9, _("有关共有和共同管理权利的其他重大事项")),
    ]


def matter_words(number: int) -> str:
    return dict(matters()).get(number, "")


def state_words(state: VoteState) -> str:
    return {
        VoteState.DRAFT: _("草稿"),
        VoteState.ROLL: _("名册公示中"),
        VoteState.OPEN: _("投票中"),
        VoteState.CLOSED: _("已截止，等待计票"),
        VoteState.COUNTING: _("计票中"),
        VoteState.COUNTED: _("已计票"),
        VoteState.VOID: _("无效"),
        VoteState.CANCELLED: _("已取消"),
    }[state]


def batch_words(state: BatchState) -> str:
    return {
        BatchState.FIRST: _("第一人录入中"),
        BatchState.SECOND: _("等第二人录入"),
        BatchState.DIFFERS: _("两人录的不一样"),
        BatchState.AGREED: _("两人一致，等入账"),
        BatchState.BOOKED: _("已入账"),
        BatchState.DROPPED: _("已作废"),
    }[state]


def proxy_words(state: ProxyState) -> str:
    return {
        ProxyState.GIVEN: _("有效，还没有投"),
        ProxyState.USED: _("已投票"),
        ProxyState.WITHDRAWN: _("已撤回"),
    }[state]


def channel_words(channel: Channel) -> str:
    return {Channel.PHONE: _("手机"), Channel.PAPER: _("纸质"), Channel.PROXY: _("委托")}[channel]


def vote_said(code: StrEnum) -> str:
    """Any code of votes in words, for a template."""
    said: dict[type[StrEnum], Any] = {
        VoteState: state_words,
        BatchState: batch_words,
        ProxyState: proxy_words,
        Channel: channel_words,
        Body: rule_words.body_words,
        Unit: rule_words.unit_words,
    }
    return str(said[type(code)](code))


def vote_tint(code: StrEnum) -> str:
    """The tint of a state's tag."""
    ok = {VoteState.OPEN, BatchState.BOOKED, ProxyState.GIVEN}
    warn = {VoteState.CLOSED, BatchState.DIFFERS, BatchState.SECOND, BatchState.AGREED}
    bad = {VoteState.VOID, VoteState.CANCELLED}
    return "ok" if code in ok else "warn" if code in warn else "bad" if code in bad else "mute"


def kind_words(vote: Vote) -> str:
    """Named or unnamed, and whether it may be changed: said before anybody votes."""
    if not vote.is_named:
        return _("不记名：没有人能查到谁投了什么，投出以后不能改")
    if vote.may_change:
        return _("记名：截止前可以改，以最后一次为准")
    return _("记名：投出以后不能改")


def time_words(vote: Vote) -> str:
    """From when until when: 11月23日 周一 09:00 至 12月1日 周二 17:00."""
    return _("%(opens)s 至 %(closes)s", opens=web.moment_words(vote.opens_at), closes=web.moment_words(vote.closes_at))


def closing_words(vote: Vote) -> str:
    return web.moment_words(vote.closes_at)


def option_words(vote: Vote, number: int) -> str:
    """What an option is called; 0 is a paper that is no valid vote."""
    if number == INVALID:
        return _("无效票")
    return next((one.label for one in vote.options if one.number == number), str(number))


def paper_choices(vote: Vote) -> list[tuple[int, str]]:
    """What may stand on a paper: the options, then no valid vote."""
    return [*((one.number, one.label) for one in vote.options), (INVALID, _("无效票"))]


WORDS: dict[str, Callable[..., str]] = {
    "vote_said": vote_said,
    "vote_tint": vote_tint,
    "vote_kind": kind_words,
    "vote_times": time_words,
    "vote_matter": matter_words,
}
