"""Casting a vote: one for each entitled unit, whichever way it comes, held by the database.

Of an unnamed vote the same transaction notes that the unit has voted and drops a ballot under a random key; nothing
else is written: no key of the form, no audit row, no message. A form that is sent twice shows the same receipt, because
the receipt is derived from the random slip in it.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal.core import audit, clock, ids
from portal.core.access import Actor
from portal.core.db import db, guarded, insert_once, rows_of
from portal.core.errors import Conflict, Refused
from portal.deliberation.models.codes import Channel, ProxyState, VoteState
from portal.deliberation.models.votes import (
    INVALID,
    NamedBallot,
    RollEntry,
    RollPerson,
    SecretBallot,
    Turnout,
    Vote,
    VoteProxy,
)
from portal.registry.models import Person
from portal.registry.service import people

RECEIPT_SIGNS = 16


@dataclass(frozen=True)
class Receipt:
    """What a voter takes with her. `again`: the form had been sent before, and nothing was changed now."""

    code: str
    version: int = 1
    again: bool = False


@dataclass(frozen=True)
class _Act:
    """One post of a vote: `code` is the receipt that follows from its slip."""

    vote: Vote
    entry: RollEntry
    person: Person | None
    choice: int
    code: str
    channel: Channel
    by: Actor
    proxy: VoteProxy | None


def new_slip() -> str:
    """The random slip of a form, from which the receipt follows."""
    return secrets.token_urlsafe(24)


def receipt_for(vote: Vote, slip: str) -> str:
    """Sixteen signs that are hard to confuse. Nobody can choose one: it is a hash of the slip."""
    number = int.from_bytes(hashlib.sha256(f"{vote.id}|{slip}".encode()).digest())
    signs = []
    for _place in range(RECEIPT_SIGNS):
        number, place = divmod(number, len(ids.CODE_ALPHABET))
        signs.append(ids.CODE_ALPHABET[place])
    return "".join(signs)


def shown(code: str) -> str:
    """A receipt in groups of four, as it is read aloud."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def typed(text: str) -> str:
    """A receipt as somebody typed it, with spaces or small letters."""
    return ids.normalise_id(text)


def cast(
    vote: Vote,
    entry: RollEntry,
    person: Person | None,
    choice: int,
    *,
    slip: str,
    channel: Channel,
    by: Actor,
    proxy: VoteProxy | None = None,
    seen: int | None = None,
) -> Receipt:
    """Cast the vote of an entry, or change a named one where the vote allows it.

    By phone `person` is who votes and must stand for the entry; on paper `by` is the worker who enters it; by proxy
    `proxy` is the written one. `seen` is the version that the page showed: if another device was quicker, it is said.
    """
    _check_slip(slip)
    _check_choice(vote, choice, channel)
    act = _Act(vote, entry, person, choice, receipt_for(vote, slip), channel, by, proxy)
    row = _locked(vote, entry, person)
    refusal = _why_not(row, channel, clock.now()) or _not_hers(act, stands=row.hers)
    if refusal:
        return _sent_before(act) or _refuse(refusal)
    return _cast_named(act, seen) if vote.is_named else _cast_unnamed(act)


def hand_out(vote: Vote, entry: RollEntry, *, channel: Channel = Channel.PAPER) -> None:
    """Of an unnamed vote: a paper was handed out, to the entry or the holder of its proxy, so the entry has voted.

    What it says comes out of the box.
    """
    refusal = _why_not(_locked(vote, entry, None), Channel.PHONE, clock.now())
    if refusal or vote.is_named:
        _refuse(refusal or _("记名表决的选票按名册编号录入，不用先登记发票。"))
    if not insert_once(Turnout, {"entry_id": entry.id, "vote_id": vote.id, "channel": channel}):
        _refuse(_("这一户（人）已经投过票或领过纸质选票，不能再发。"))


def put_papers(vote: Vote, tallies: Mapping[int, int]) -> None:
    """Of an unnamed vote: the papers of a box, as they were counted, become ballots under random keys.

    There can be no more of them than papers were handed out.
    """
    state = db.session.scalar(sa.select(Vote.state).where(Vote.id == vote.id).with_for_update())
    if vote.is_named or state not in {VoteState.OPEN, VoteState.CLOSED}:
        _refuse(_("这次表决现在不能录入票箱。"))
    for choice in tallies:
        _check_choice(vote, choice, Channel.PAPER)
    ballots = sum(tallies.values())
    if min(tallies.values(), default=0) < 0 or ballots_of(vote) + ballots > turned_out(vote):
        _refuse(_("票箱里的选票比发出的多，请查对领票登记和票数。"))
    rows = [
        {"key": receipt_for(vote, new_slip()), "vote_id": vote.id, "choice": choice}
        for choice, figure in tallies.items()
        for _paper in range(figure)
    ]
    secrets.SystemRandom().shuffle(rows)
    if rows:
        db.session.execute(sa.insert(SecretBallot), rows)


def turned_out(vote: Vote) -> int:
    query = sa.select(sa.func.count()).select_from(Turnout).where(Turnout.vote_id == vote.id)
    return db.session.scalar(query) or 0


def ballots_of(vote: Vote) -> int:
    """How many ballots an unnamed vote has; never what they say."""
    query = sa.select(sa.func.count()).select_from(SecretBallot).where(SecretBallot.vote_id == vote.id)
    return db.session.scalar(query) or 0


def turnout_by_channel(vote: Vote) -> dict[Channel, int]:
    query = sa.select(Turnout.channel, sa.func.count()).where(Turnout.vote_id == vote.id).group_by(Turnout.channel)
    found = {row[0]: row[1] for row in db.session.execute(query)}
    return {channel: found.get(channel, 0) for channel in Channel}


def have_voted(entries: Collection[RollEntry]) -> dict[int, Channel]:
    """Which of some entries have voted, by id, and by which channel."""
    query = sa.select(Turnout.entry_id, Turnout.channel).where(Turnout.entry_id.in_([one.id for one in entries]))
    return {row[0]: row[1] for row in db.session.execute(query)}


def newest(entry: RollEntry) -> NamedBallot | None:
    """The version of a named vote that counts."""
    query = sa.select(NamedBallot).where(NamedBallot.entry_id == entry.id)
    return db.session.scalar(query.order_by(NamedBallot.version.desc()).limit(1))


def keeps(vote: Vote, code: str) -> bool:
    """Whether a ballot with this receipt is in the box, the last one of a vote that was changed; never what it says."""
    query = sa.select(sa.literal(1)).where(SecretBallot.key == code, SecretBallot.vote_id == vote.id)
    if vote.is_named:
        later = aliased(NamedBallot)
        changed = sa.exists().where(later.entry_id == NamedBallot.entry_id, later.version > NamedBallot.version)
        query = sa.select(sa.literal(1)).where(NamedBallot.receipt == code, NamedBallot.vote_id == vote.id, ~changed)
    return db.session.scalar(query) is not None


def _refuse(words: str) -> Any:
    raise Refused(words)


def _check_slip(slip: str) -> None:
    if not 24 <= len(slip) <= 64:
        _refuse(_("页面放得太久了，请重新打开再投票。"))


def _check_choice(vote: Vote, choice: int, channel: Channel) -> None:
    known = {option.number for option in vote.options}
    if choice not in known and not (choice == INVALID and channel is Channel.PAPER):
        raise Refused(_("请选一项"), field="choice")


@cache
def _locking() -> sa.Select[*tuple[Any, ...]]:
    """The vote and the entry as they stand, held against closing and striking until the end of the transaction; and
    whether a person stands for the entry.
    """
    hers = sa.exists().where(
        RollPerson.entry_id == RollEntry.id,
        RollPerson.person_id.in_(people.merged_into(Person.id == sa.bindparam("person"))),
    )
    return (
        sa.select(Vote.state, Vote.opens_at, Vote.closes_at, RollEntry.struck_at, hers.label("hers"))
        .join(RollEntry, RollEntry.vote_id == Vote.id)
        .where(RollEntry.id == sa.bindparam("entry"), Vote.id == sa.bindparam("vote"))
        .with_for_update(read=True, of=(Vote, RollEntry))
    )


def _locked(vote: Vote, entry: RollEntry, person: Person | None) -> Any:
    found = rows_of(_locking(), {"entry": entry.id, "vote": vote.id, "person": person.id if person else 0})
    return found[0] if found else _refuse(_("名册里没有这一条，请向社区查问。"))


def _why_not(row: Any, channel: Channel, at: datetime) -> str:
    """Why the entry cannot vote now; "" when it can. The second of closing is outside."""
    if row.struck_at is not None:
        return _("您已不在这次表决的名册里，不能投票。有疑问请向社区查问。")
    if channel is Channel.PAPER and row.state in {VoteState.OPEN, VoteState.CLOSED}:
        return ""
    if row.state is not VoteState.OPEN or at >= row.closes_at:
        return _("投票已经截止，不能再投。结果算出来后会在这里公布。")
    if at < row.opens_at:
        return _("投票还没有开始，请到时间再来。")
    return ""


def _not_hers(act: _Act, *, stands: bool) -> str:
    """Why who acts does not stand for the entry: by phone only its own people, by proxy only a written one."""
    if act.channel is Channel.PAPER:
        return "" if act.vote.is_named else _("无记名的纸质选票投进票箱，不能一张一张录入。")
    if act.channel is Channel.PROXY:
        proxy = act.proxy
        given = proxy is not None and proxy.entry_id == act.entry.id and proxy.state is not ProxyState.WITHDRAWN
        return "" if given else _("没有这一条的委托书，不能代投。")
    return "" if stands else _("名册里这一条不是您的，不能替别人投票。要代投请带书面委托书到社区办理。")


def _sent_before(act: _Act) -> Receipt | None:
    """The receipt of an earlier post of the same form."""
    if act.vote.is_named:
        query = sa.select(NamedBallot.version).where(NamedBallot.receipt == act.code)
        version = db.session.scalar(query.where(NamedBallot.entry_id == act.entry.id))
        return Receipt(act.code, version, again=True) if version else None
    here = sa.select(SecretBallot.choice).where(SecretBallot.key == act.code, SecretBallot.vote_id == act.vote.id)
    return Receipt(act.code, again=True) if db.session.scalar(here) is not None else None


def _turn_out(act: _Act) -> bool:
    row = {"entry_id": act.entry.id, "vote_id": act.vote.id, "channel": act.channel}
    return insert_once(Turnout, row)


def _cast_unnamed(act: _Act) -> Receipt:
    turned_out, dropped = _drop(act)
    if not turned_out:
        return _sent_before(act) or _refuse(_taken(act.vote))
    if not _use(act.proxy):
        _refuse(_used())
    if not dropped:
        _refuse(_("这张选票页面已经用过了。请重新打开再投。"))
    return Receipt(act.code)


def _drop(act: _Act) -> tuple[bool, bool]:
    """That the entry has voted, and its ballot if it had not; whether each was new. On PostgreSQL in one round trip."""
    if db.engine.dialect.name != "postgresql":
        ballot = {"key": act.code, "vote_id": act.vote.id, "choice": act.choice}
        return (True, insert_once(SecretBallot, ballot)) if _turn_out(act) else (False, False)
    row = {"entry": act.entry.id, "vote": act.vote.id, "channel": act.channel, "code": act.code, "choice": act.choice}
    (found,) = rows_of(_dropping(), row)
    return bool(found.turned_out), bool(found.dropped)


@cache
def _dropping() -> sa.Select[*tuple[Any, ...]]:
    said, entry, vote = (sa.bindparam(name, type_=sa.Integer) for name in ("choice", "entry", "vote"))
    channel, code = sa.bindparam("channel", type_=Turnout.channel.type), sa.bindparam("code", type_=sa.String)
    first = postgresql.insert(Turnout).values(entry_id=entry, vote_id=vote, channel=channel)
    turnout = first.on_conflict_do_nothing().returning(sa.literal(1).label("one")).cte("turned_out")
    rows = sa.select(code, vote, said).where(sa.exists(sa.select(turnout.c.one)))
    second = postgresql.insert(SecretBallot).from_select(["key", "vote_id", "choice"], rows)
    ballot = second.on_conflict_do_nothing().returning(sa.literal(1).label("one")).cte("dropped")
    figures = (sa.select(sa.func.count()).select_from(part).scalar_subquery() for part in (turnout, ballot))
    return sa.select(*(figure.label(name) for figure, name in zip(figures, ("turned_out", "dropped"), strict=True)))


def _cast_named(act: _Act, seen: int | None) -> Receipt:
    before = newest(act.entry)
    # Asked after it: what a twin of this post has just written is seen by both questions, or by this one alone.
    earlier = _sent_before(act)
    if earlier:
        return earlier
    version = before.version if before else 0
    _check_version(act.vote, version, seen)
    if not _use(act.proxy):
        return _sent_before(act) or _refuse(_used())
    row = {
        "vote_id": act.vote.id,
        "entry_id": act.entry.id,
        "version": version + 1,
        "choice": act.choice,
        "channel": act.channel,
        "receipt": act.code,
        "person_id": act.person.id if act.person else None,
        "proxy_id": act.proxy.id if act.proxy else None,
        "by_name": act.person.name if act.person and act.channel is Channel.PHONE else act.by.name,
        "at": clock.now(),
    }
    if not insert_once(NamedBallot, row):
        return _sent_before(act) or _refuse(_taken(act.vote))
    _turn_out(act)
    number, way = act.entry.number, act.channel.value
    audit.record("deliberation.vote_cast", act.vote, entry=number, channel=way, version=version + 1)
    return Receipt(act.code, version + 1)


def _check_version(vote: Vote, version: int, seen: int | None) -> None:
    if version and not vote.may_change:
        _refuse(_taken(vote))
    if seen is not None and seen != version:
        raise Conflict(_("刚才另一台设备已经投了票。请看看现在的选择，需要时再改。"))


def _taken(vote: Vote) -> str:
    if vote.is_named and vote.may_change:
        return _("刚才另一台设备已经投了票。请看看现在的选择，需要时再改。")
    return _("这一票已经投过了，每户（人）只投一次，不能再投。")


def _use(proxy: VoteProxy | None) -> bool:
    """Whether the written proxy, if it is one, is still to be used; from now on it is used."""
    if proxy is None:
        return True
    given = sa.update(VoteProxy).where(VoteProxy.id == proxy.id, VoteProxy.state == ProxyState.GIVEN)
    is_first = guarded(given.values(state=ProxyState.USED))
    db.session.refresh(proxy, ["state"])
    return is_first


def _used() -> str:
    return _("这份委托书已经用过或撤回，不能再代投。")
