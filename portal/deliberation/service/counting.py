"""Closing and counting: after the last second, all counts at once, the two tables of an unnamed vote written anew.

Fewer than five unnamed ballots are never opened: the vote is void, and what they said is put out of the world.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, clock
from portal.core.access import Actor
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.deliberation.models.codes import Channel, VoteState
from portal.deliberation.models.votes import (
    INVALID,
    NamedBallot,
    RollEntry,
    SecretBallot,
    Turnout,
    Vote,
    VoteFile,
)
from portal.deliberation.service import casting, chain, paper_waits, public_log, telling
from portal.deliberation.service.thresholds import NOTHING, Weight, decide, threshold_of

LEAST_BALLOTS = 5
AT_ONCE = 20


@dataclass(frozen=True)
class Tally:
    """What one option was given; number 0 are the invalid papers."""

    number: int
    label: str
    heads: int
    area: Decimal
    carries: bool
    carried: bool


@dataclass(frozen=True)
class Result:
    """What a counted vote came to, as its page shows it."""

    tallies: tuple[Tally, ...]
    entitled: Weight
    took_part: Weight
    quorum_met: bool
    heads_enough: bool
    area_enough: bool
    by_area: bool
    carried: tuple[int, ...]
    # How many voted by which channel: by Channel's codes.
    channels: dict[str, int]

    @property
    def rows(self) -> list[tuple[str, int]]:
        return [(one.label, one.heads) for one in self.tallies]

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Who was entitled and who took part, and whether that was enough, in words."""
        enough = _("够了") if self.quorum_met else _("不够")
        if self.by_area and self.heads_enough != self.area_enough:
            enough = _("票数够了，面积不够") if self.heads_enough else _("面积够了，票数不够")
        said = {
            "phone": lambda count: _("手机 %(count)d 票", count=count),
            "paper": lambda count: _("纸质 %(count)d 票", count=count),
            "proxy": lambda count: _("委托 %(count)d 票", count=count),
        }
        ways = [said[way](count) for way, count in self.channels.items() if count]
        return [
            (_("名册上一共"), _weight_words(self.entitled, by_area=self.by_area)),
            (_("参加投票"), _weight_words(self.took_part, by_area=self.by_area)),
            (_("参加的够不够"), enough),
            (_("怎么投的"), _("、").join(ways) or _("没有人投")),
        ]


def _weight_words(weight: Weight, *, by_area: bool) -> str:
    if by_area:
        return _("%(count)d 票，%(area)s 平方米", count=weight.heads, area=f"{weight.area:,.2f}")
    return _("%(count)d 票", count=weight.heads)


def close(vote: Vote, *, by: Actor | None = None) -> None:
    """Close an open vote whose time is over: nothing comes in by phone from now on. By hand or by the job.

    It waits for every vote that is being cast just now; each of them is counted.
    """
    moment = clock.now()
    if vote.state is VoteState.OPEN and moment < vote.closes_at:
        raise Refused(_("还没有到截止时间，不能提前结束投票。"))
    if not _become(vote, VoteState.OPEN, VoteState.CLOSED, closed_at=moment):
        raise Refused(_("这次投票没有在进行，不用结束。"))
    public_log.log(vote.topic, "vote_closed", by_name=_name(by), vote=vote.question)
    audit.record("deliberation.vote_closed", vote)


def hindrance(vote: Vote) -> str:
    """Why a closed vote cannot be counted yet (paper that two people have not agreed on), or ""."""
    return paper_waits.waiting(vote)


def count(vote: Vote, *, by: Actor | None = None) -> None:
    """Count a closed vote, write its file and head; void an unnamed one with fewer than five ballots."""
    words = hindrance(vote)
    if words:
        raise Refused(words)
    if not _become(vote, VoteState.CLOSED, VoteState.COUNTING):
        raise Refused(_("投票截止后才能计票，每次投票只计一次。"))
    if vote.is_named:
        _finish(vote, _named_rows(vote), by)
        return
    rows = [chain.Row(key, choice) for key, choice in _ballots(vote)]
    opened = len(rows) >= LEAST_BALLOTS
    _write_anew(vote, [(row.receipt, row.choice if opened else INVALID) for row in rows])
    if opened:
        _finish(vote, rows, by)
    else:
        _void(vote, by)


def forget(vote: Vote) -> None:
    """Of an unnamed vote that is called off while it is open: nothing of what was chosen, nor any order, is left.

    The vote is `counting` afterwards, in which no ballot comes in.
    """
    if not _become(vote, VoteState.OPEN, VoteState.COUNTING):
        raise Refused(_("这次表决刚刚有变化，请看看现在的状态再操作。"))
    _write_anew(vote, [(key, INVALID) for key, _choice in _ballots(vote)])


def result_of(vote: Vote) -> Result | None:
    """The result of a counted vote; None before, and of one that is void."""
    if vote.state is not VoteState.COUNTED or not vote.result:
        return None
    kept = vote.result
    labels = {option.number: option for option in vote.options}
    tallies = [
        Tally(
            one["number"],
            labels[one["number"]].label if one["number"] in labels else _("无效票"),
            one["heads"],
            Decimal(one["area"]),
            one["number"] in labels and labels[one["number"]].carries,
            one["number"] in kept["carried"],
        )
        for one in kept["options"]
    ]
    return Result(
        tuple(tallies),
        _weight(kept["entitled"]),
        _weight(kept["took_part"]),
        kept["quorum_met"],
        kept["heads_enough"],
        kept["area_enough"],
        kept["by_area"],
        tuple(kept["carried"]),
        kept["channels"],
    )


def file_of(vote: Vote) -> VoteFile | None:
    return db.session.get(VoteFile, vote.id)


def due_to_close(at: datetime) -> list[int]:
    query = sa.select(Vote.id).where(Vote.state == VoteState.OPEN, Vote.closes_at <= at)
    return list(db.session.scalars(query.order_by(Vote.closes_at, Vote.id).limit(AT_ONCE)))


def due_to_count() -> list[int]:
    """Closed votes that wait for no paper."""
    query = sa.select(Vote).where(Vote.state == VoteState.CLOSED).order_by(Vote.closed_at, Vote.id)
    found = db.session.scalars(query.limit(AT_ONCE * 10))
    return [vote.id for vote in found if not hindrance(vote)][:AT_ONCE]


def one(number: int) -> Vote:
    """A vote with its topic and options, for a job."""
    query = sa.select(Vote).where(Vote.id == number).options(selectinload(Vote.options))
    return db.session.scalars(query).one()


def _become(vote: Vote, before: VoteState, after: VoteState, **more: Any) -> bool:
    """One move, made by one of several who try at once."""
    changed = guarded(sa.update(Vote).where(Vote.id == vote.id, Vote.state == before).values(state=after, **more))
    db.session.refresh(vote, ["state", *more])
    return changed


def _ballots(vote: Vote) -> list[tuple[str, int]]:
    query = sa.select(SecretBallot.key, SecretBallot.choice).where(SecretBallot.vote_id == vote.id)
    return [(key, choice) for key, choice in db.session.execute(query.order_by(SecretBallot.key))]


def _write_anew(vote: Vote, ballots: Sequence[tuple[str, int]]) -> None:
    """Both tables lose the order in which they were filled; each gets a random one of its own. What SQLite frees by it
    is overwritten at once; the rest is swept at night (sweeping.py).
    """
    if db.engine.dialect.name == "sqlite":
        db.session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
    query = sa.select(Turnout.entry_id, Turnout.channel).where(Turnout.vote_id == vote.id)
    turnout = [{"entry_id": entry, "vote_id": vote.id, "channel": way} for entry, way in db.session.execute(query)]
    papers = [{"key": key, "vote_id": vote.id, "choice": choice} for key, choice in ballots]
    for model, rows in ((Turnout, turnout), (SecretBallot, papers)):
        secrets.SystemRandom().shuffle(rows)
        db.session.execute(sa.delete(model).where(model.vote_id == vote.id))
        if rows:
            db.session.execute(sa.insert(model), rows)


def _named_rows(vote: Vote) -> list[chain.Row]:
    """The version that counts of each entry, with the area of owners."""
    last = (
        sa.select(NamedBallot.entry_id, sa.func.max(NamedBallot.version).label("version"))
        .where(NamedBallot.vote_id == vote.id)
        .group_by(NamedBallot.entry_id)
        .subquery()
    )
    query = (
        sa.select(NamedBallot.receipt, NamedBallot.choice, RollEntry.area_m2)
        .join(last, sa.and_(last.c.entry_id == NamedBallot.entry_id, last.c.version == NamedBallot.version))
        .join(RollEntry, RollEntry.id == NamedBallot.entry_id)
        .order_by(NamedBallot.receipt)
    )
    by_area = bool(vote.rule["by_area"])
    return [
        chain.Row(receipt, choice, area if by_area else Decimal(0))
        for receipt, choice, area in db.session.execute(query)
    ]


def _entitled(vote: Vote) -> Weight:
    """The roll as it was frozen; somebody struck off later who had voted before stays counted on both sides."""
    standing = sa.or_(RollEntry.struck_at.is_(None), RollEntry.id.in_(sa.select(Turnout.entry_id)))
    query = sa.select(sa.func.count(RollEntry.id), sa.func.sum(RollEntry.area_m2))
    heads, area = db.session.execute(query.where(RollEntry.vote_id == vote.id, standing)).one()
    return Weight(heads, Decimal(area or 0) if vote.rule["by_area"] else Decimal(0))


def _finish(vote: Vote, rows: list[chain.Row], by: Actor | None) -> None:
    vote.result = _reckoned(vote, rows)
    vote.counted_at = clock.now()
    content, vote.head = chain.written(_header(vote), rows)
    db.session.add(VoteFile(vote_id=vote.id, content=content, made_at=vote.counted_at))
    vote.state = VoteState.COUNTED
    db.session.flush()
    public_log.log(vote.topic, "vote_counted", by_name=_name(by), vote=vote.question, head=vote.head)
    audit.record("deliberation.vote_counted", vote, ballots=len(rows), head=vote.head)
    telling.tell_followers(vote.topic, "vote_counted", question=vote.question, vote_id=vote.id)


def _void(vote: Vote, by: Actor | None) -> None:
    words = _("收到的选票不到 %(least)d 张，打开就会看出谁投了什么，所以不开票，这次投票作废。", least=LEAST_BALLOTS)
    vote.void_why, vote.counted_at, vote.state = words, clock.now(), VoteState.VOID
    db.session.flush()
    public_log.log(vote.topic, "vote_void", by_name=_name(by), vote=vote.question, why=words)
    audit.record("deliberation.vote_void", vote)
    telling.tell_followers(vote.topic, "vote_void", question=vote.question, vote_id=vote.id)


def _reckoned(vote: Vote, rows: Sequence[chain.Row]) -> dict[str, Any]:
    weights: dict[int, Weight] = {option.number: NOTHING for option in vote.options}
    for row in rows:
        weights[row.choice] = weights.get(row.choice, NOTHING) + Weight(1, row.area)
    entitled, put = _entitled(vote), [option.number for option in vote.options if option.carries]
    decision = decide(threshold_of(vote.rule), entitled=entitled, votes=weights, put=put)
    return {
        "entitled": _said(entitled),
        "took_part": _said(sum(weights.values(), NOTHING)),
        "options": [{"number": number, **_said(weight)} for number, weight in weights.items()],
        "quorum_met": decision.quorum_met,
        "heads_enough": decision.heads_enough,
        "area_enough": decision.area_enough,
        "by_area": bool(vote.rule["by_area"]),
        "carried": list(decision.carried),
        "channels": _channels(vote, len(rows)),
    }


def _channels(vote: Vote, ballots: int) -> dict[str, int]:
    """How many votes came which way. Of an unnamed one what came out of the boxes is one figure, whoever brought the
    papers; those that went out and never came back are no votes.
    """
    ways = {channel.value: number for channel, number in casting.turnout_by_channel(vote).items()}
    if vote.is_named:
        return ways
    return ways | {Channel.PAPER.value: ballots - ways[Channel.PHONE.value], Channel.PROXY.value: 0}


def _header(vote: Vote) -> dict[str, Any]:
    """What stands above the ballots: all that a recount needs, and what it must come to."""
    rule = {name: vote.rule[name] for name in ("quorum", "quorum_over", "passes", "passes_over", "by_area")}
    return {
        "vote": vote.id,
        "topic": vote.topic.title,
        "question": vote.question,
        "named": vote.is_named,
        "article": vote.rule.get("article", ""),
        "options": [{"number": one.number, "label": one.label, "carries": one.carries} for one in vote.options],
        "rule": rule,
        "opened": clock.local(vote.opens_at).isoformat(timespec="minutes"),
        "closed": clock.local(vote.closes_at).isoformat(timespec="minutes"),
        "result": {name: value for name, value in vote.result.items() if name != "channels"},
    }


def _said(weight: Weight) -> dict[str, Any]:
    return {"heads": weight.heads, "area": f"{weight.area:.2f}"}


def _weight(kept: dict[str, Any]) -> Weight:
    return Weight(kept["heads"], Decimal(kept["area"]))


def _name(by: Actor | None) -> str:
    return by.name if by else ""
