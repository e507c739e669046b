"""Electing and recalling a village committee (rules 2.2): which of it a vote here can do, and what it must keep to."""

from collections.abc import Collection

from flask_babel import gettext as _

from portal.core import web
from portal.core.clock import now
from portal.core.errors import Refused
from portal.deliberation.models.codes import Body
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import vote_notices

# The most votes win a second round, from a third of them on; a vote here knows one majority and no such order.
ON_PAPER_ALONE = (Body.VILLAGE_ELECTION_AGAIN,)
ELECTIONS = (Body.VILLAGE_ELECTION, Body.VILLAGE_RECALL)
FEWEST_CANDIDATES = 2


def check(body: Body, labels: Collection[str], *, is_named: bool) -> None:
    """Refuse what no vote of a phone and a box can carry out as the law has it, at the field to mend."""
    if body in ON_PAPER_ALONE:
        words = _("另行选举按得票多少当选，这里的表决办不了。请在选举会场用纸质选票，由村民选举委员会公布结果。")
        raise Refused(words, field="body")
    if body in ELECTIONS and is_named:
        raise Refused(_("选举和罢免要无记名投票。请选“不记名”。"), field="named")
    if body is Body.VILLAGE_ELECTION and len(labels) < FEWEST_CANDIDATES:
        words = _(
            "选举要差额：这里一次选一个名额，请选“几个方案选一个”，写两位或更多候选人，一行一位。"
            "一个职位要选几人的，这里的表决办不了，请在选举会场用纸质选票。"
        )
        raise Refused(words, field="labels")
    if body is Body.VILLAGE_RECALL and labels:
        raise Refused(_("罢免只问同意还是不同意，一次一人。请选“同意、反对、弃权”，写明罢免谁。"), field="labels")


def check_roll(vote: Vote, notice_days: int) -> None:
    """The list of the voters hangs so many days before the day of the election (art. 14)."""
    if vote.body is not Body.VILLAGE_ELECTION:
        return
    first = vote_notices.earliest_opening(now(), notice_days)
    if vote.opens_at < first:
        words = _(
            "选民名册要在选举日的 %(days)d 天以前公布，现在公布，最早 %(first)s 开始投票。请先把开始投票的时间往后推。",
            days=notice_days,
            first=web.moment_words(first),
        )
        raise Refused(words)
