"""Paper votes of a box: entered by one person, again by another who does not see it, compared, booked once.

Of a named vote a line is a roll number and a choice. Of an unnamed one it is an option and how many papers say so; a
box is opened after closing only, never with fewer than five papers, and its figures are forgotten once they are booked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import BatchState, Channel, ProxyState, VoteState
from portal.deliberation.models.votes import PaperBatch, PaperLine, RollEntry, Turnout, Vote, VoteProxy
from portal.deliberation.service import casting, counting, paper_waits, rolls, vote_words
from portal.deliberation.service.public_log import log

FIRST, SECOND, SETTLED = 1, 2, 3
MOST_LINES = 500
THIRD = "deliberation.paper_third"
settings.declare(
    THIRD,
    default=0,
    label=lambda: _("纸质票两遍录得不一样，要不要第三个人来核对"),
    unit=lambda: _("（1：要；0：录入的两个人都确认）"),
    least=0,
    most=1,
)


@dataclass(frozen=True)
class Difference:
    """Where the two do not agree: what stands in a line, in words, and what each says (None: nothing)."""

    number: int
    words: str
    first: int | None
    second: int | None


def batches(vote: Vote) -> list[PaperBatch]:
    query = sa.select(PaperBatch).where(PaperBatch.vote_id == vote.id).order_by(PaperBatch.id)
    return list(db.session.scalars(query.limit(200)))


def batch(vote: Vote, batch_id: int) -> PaperBatch:
    query = sa.select(PaperBatch).where(PaperBatch.vote_id == vote.id, PaperBatch.id == batch_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def lines(found: PaperBatch, turn: int) -> dict[int, int]:
    query = sa.select(PaperLine.number, PaperLine.figure).where(PaperLine.batch_id == found.id, PaperLine.turn == turn)
    return dict(db.session.execute(query.order_by(PaperLine.number)).all())


def may_enter(found: PaperBatch, actor: Actor) -> bool:
    """Whether it is hers to enter now: the first until she is done, then anybody else."""
    if found.state is BatchState.FIRST:
        return found.first_by == actor.public_id
    return found.state is BatchState.SECOND and found.first_by != actor.public_id


def is_theirs(found: PaperBatch, actor: Actor) -> bool:
    """Whether she is one of the two, who alone see what both entered."""
    return actor.public_id in {found.first_by, found.second_by}


def waits_for(actor: Actor) -> sa.ColumnElement[bool]:
    """The boxes it is hers to go on with: to enter, to look at again, or, both alike, to book."""
    me = actor.public_id
    theirs = sa.or_(PaperBatch.first_by == me, PaperBatch.second_by == me)
    settles = sa.not_(theirs) if settings.get(THIRD) else theirs
    return sa.or_(
        sa.and_(PaperBatch.state == BatchState.FIRST, PaperBatch.first_by == me),
        sa.and_(PaperBatch.state == BatchState.SECOND, PaperBatch.first_by != me),
        sa.and_(PaperBatch.state == BatchState.DIFFERS, PaperBatch.settled_by != me, settles),
        PaperBatch.state == BatchState.AGREED,
    )


def begin(vote: Vote, name: str, *, by: Actor) -> PaperBatch:
    # Held: it is not said meanwhile that all paper is in.
    rolls.lock(vote)
    _check_time(vote)
    made = PaperBatch(vote_id=vote.id, name=name, first_by=by.public_id, first_by_name=by.name)
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.papers_begun", made, vote=vote.id)
    return made


def _check_time(vote: Vote) -> None:
    if not vote.takes_paper:
        raise Refused(_("这次表决不收纸质票。"))
    if vote.state not in {VoteState.OPEN, VoteState.CLOSED}:
        raise Refused(_("投票开始以后、计票以前才能录入纸质票。"))
    if vote.papers_done_at is not None:
        raise Refused(_("已经确认纸质票全部录入，不能再加。"))
    if not vote.is_named and now() < vote.closes_at:
        raise Refused(_("不记名的票箱要等投票截止才能打开。截止时间：%(at)s。", at=vote_words.closing_words(vote)))


def enter(vote: Vote, found: PaperBatch, said: Mapping[int, int], *, by: Actor) -> None:
    """What one of the two has entered; when the second is done, both are compared."""
    _check_time(vote)
    if not may_enter(found, by):
        raise Refused(_("这一批要由另一个人独立再录一遍，不能由同一个人录两遍。"))
    _check_lines(vote, said)
    turn = FIRST if found.state is BatchState.FIRST else SECOND
    to = BatchState.SECOND if turn == FIRST else _compared(said, lines(found, FIRST))
    _move(found, to, by, turn)
    _write(found, turn, said)
    if to is BatchState.AGREED:
        _write(found, SETTLED, said)
    audit.record("deliberation.papers_entered", found, turn=turn, lines=len(said), state=to.value)


def _compared(second: Mapping[int, int], first: Mapping[int, int]) -> BatchState:
    return BatchState.AGREED if dict(first) == dict(second) else BatchState.DIFFERS


def _move(found: PaperBatch, to: BatchState, by: Actor, turn: int) -> None:
    """Of two who enter at once one wins, and the other is told."""
    changed = sa.update(PaperBatch).where(PaperBatch.id == found.id, PaperBatch.state == found.state)
    moment = now()
    values = (
        {"first_done_at": moment}
        if turn == FIRST
        else {"second_by": by.public_id, "second_by_name": by.name, "second_done_at": moment}
    )
    if not guarded(changed.values(state=to, **values)):
        raise Refused(_("刚刚有人录完了这一批，请看看现在的状态。"))
    db.session.refresh(found)


def _write(found: PaperBatch, turn: int, said: Mapping[int, int]) -> None:
    with unique_or(Refused(_("刚刚有人录完了这一批，请看看现在的状态。"))):
        db.session.add_all(
            PaperLine(batch_id=found.id, turn=turn, number=number, figure=figure) for number, figure in said.items()
        )


def _check_lines(vote: Vote, said: Mapping[int, int]) -> None:
    if not said:
        raise Refused(_("还没有录入一张票。"))
    if len(said) > MOST_LINES:
        raise Refused(_("一批最多 %(most)d 张，请分成几批录入。", most=MOST_LINES))
    if vote.is_named:
        _check_numbers(vote, said)
        return
    if set(said) - {number for number, _label in vote_words.paper_choices(vote)} or min(said.values()) < 0:
        raise Refused(_("票数请填 0 或更大的整数。"))
    total = sum(said.values())
    if total < counting.LEAST_BALLOTS:
        raise Refused(
            _(
                "一个票箱不足 %(least)d 张就能看出谁投了什么，不能单独清点。请和别的票箱混在一起，作为一批录入。",
                least=counting.LEAST_BALLOTS,
            )
        )
    out, in_already = paper_waits.handed_out(vote), paper_waits.booked(vote)
    if in_already + total > out:
        words = _(
            "登记发出的纸质选票是 %(out)d 张，已入账 %(booked)d 张，这一批 %(total)d 张，多了。请查对登记再数一遍。",
            out=out,
            booked=in_already,
            total=total,
        )
        raise Refused(words)


def _check_numbers(vote: Vote, said: Mapping[int, int]) -> None:
    query = sa.select(RollEntry.number).where(RollEntry.vote_id == vote.id, RollEntry.struck_at.is_(None))
    known = set(db.session.scalars(query.where(RollEntry.number.in_(said))))
    unknown = [str(number) for number in said if number not in known]
    if unknown:
        raise Refused(_("名册上没有这些编号，请对照名册再填：%(numbers)s。", numbers=_("、").join(unknown)))
    choices = {number for number, _label in vote_words.paper_choices(vote)}
    if set(said.values()) - choices:
        raise Refused(_("有的票没有选好是哪一项，请补上。"))


def differences(vote: Vote, found: PaperBatch) -> list[Difference]:
    """Line by line where the two do not agree."""
    first, second = lines(found, FIRST), lines(found, SECOND)
    numbers = sorted(number for number in {*first, *second} if first.get(number) != second.get(number))
    return [Difference(one, _line_words(vote, one), first.get(one), second.get(one)) for one in numbers]


def _line_words(vote: Vote, number: int) -> str:
    return _("名册第 %(number)d 号", number=number) if vote.is_named else vote_words.option_words(vote, number)


def may_settle(found: PaperBatch, actor: Actor) -> bool:
    """Who looks at the papers again where the two differed: a third person, or both of the two, as the place will."""
    return is_theirs(found, actor) is not bool(settings.get(THIRD))


def settle(vote: Vote, found: PaperBatch, chosen: Mapping[int, int | None], *, by: Actor) -> None:
    """What the papers say where the two differed, looked at again; None: there is no such paper.

    A third person's word decides. Of the two, what one says is a proposal until the other says the same.
    """
    if not may_settle(found, by):
        raise Refused(who_settles(found))
    open_numbers = {one.number for one in differences(vote, found)}
    if found.state is not BatchState.DIFFERS or set(chosen) != open_numbers:
        raise Refused(_("差异有变化，请刷新页面再核对。"))
    first, second = lines(found, FIRST), lines(found, SECOND)
    agreed = {number: figure for number, figure in first.items() if second.get(number) == figure}
    agreed |= {number: figure for number, figure in chosen.items() if figure is not None}
    _check_lines(vote, agreed)
    seen = found.settled_by
    confirms = seen not in {"", by.public_id} and lines(found, SETTLED) == agreed
    to = BatchState.AGREED if confirms or not is_theirs(found, by) else BatchState.DIFFERS
    held = (PaperBatch.id == found.id, PaperBatch.state == BatchState.DIFFERS, PaperBatch.settled_by == seen)
    names = found.settled_by_name if confirms else ""
    said = {"settled_by": by.public_id, "settled_by_name": _("、").join(filter(None, (names, by.name)))}
    if not guarded(sa.update(PaperBatch).where(*held).values(state=to, **said)):
        raise Refused(_("刚刚有人核对过这一批，请看看现在的状态。"))
    db.session.refresh(found)
    db.session.execute(sa.delete(PaperLine).where(PaperLine.batch_id == found.id, PaperLine.turn == SETTLED))
    _write(found, SETTLED, agreed)
    audit.record("deliberation.papers_settled", found, differences=len(open_numbers), state=to.value, by=by.name)


def who_settles(found: PaperBatch) -> str:
    """Who is to look at the papers again, in words."""
    if settings.get(THIRD):
        return _("两个人录的不一样，要由没有录过这一批的第三个人对着选票核对，请换一位同事来。")
    names = {"first": found.first_by_name, "second": found.second_by_name}
    return _("两个人录的不一样，由%(first)s和%(second)s核对，两个人都说一样的才算。", **names)


def drop(found: PaperBatch, reason: str, *, by: Actor) -> None:
    """Entered by mistake: nothing of it counts; what was booked stays."""
    changed = sa.update(PaperBatch).where(
        PaperBatch.id == found.id, PaperBatch.state.not_in((BatchState.BOOKED, BatchState.DROPPED))
    )
    if not guarded(changed.values(state=BatchState.DROPPED, dropped_why=reason)):
        raise Refused(_("这一批已经入账或作废，不能再作废。"))
    db.session.execute(sa.delete(PaperLine).where(PaperLine.batch_id == found.id))
    db.session.refresh(found)
    audit.record("deliberation.papers_dropped", found, reason=reason, by=by.name)


def book(vote: Vote, found: PaperBatch, *, by: Actor) -> None:
    """What both agreed on becomes votes, once; papers of who has voted otherwise, or was struck off, are laid aside."""
    _check_time(vote)
    said = lines(found, SETTLED)
    if not vote.is_named:
        _check_lines(vote, said)
    changed = sa.update(PaperBatch).where(PaperBatch.id == found.id, PaperBatch.state == BatchState.AGREED)
    if not guarded(changed.values(state=BatchState.BOOKED, booked_at=now())):
        raise Refused(_("这一批还没有核对一致，或者已经入账。"))
    db.session.refresh(found)
    if vote.is_named:
        found.aside = _book_named(vote, said, by)
        found.booked = len(said) - len(found.aside)
    else:
        casting.put_papers(vote, said)
        found.booked = sum(said.values())
        db.session.execute(sa.delete(PaperLine).where(PaperLine.batch_id == found.id))
    db.session.flush()
    log(vote.topic, "papers_booked", by_name=by.name, box=found.name, count=found.booked, aside=len(found.aside))
    audit.record("deliberation.papers_booked", found, papers=found.booked, aside=len(found.aside))


def _book_named(vote: Vote, said: Mapping[int, int], by: Actor) -> list[int]:
    aside = []
    for number, choice in said.items():
        entry = rolls.entry_numbered(vote, number)
        if entry is None or casting.have_voted([entry]):
            aside.append(number)
            continue
        try:
            casting.cast(vote, entry, None, choice, slip=casting.new_slip(), channel=Channel.PAPER, by=by, seen=0)
        except Refused:
            # Somebody voted by phone just now: that stands, and her paper is laid aside.
            if not casting.have_voted([entry]):
                raise
            aside.append(number)
    return aside


def left_over(vote: Vote, found: PaperBatch) -> int:
    """Of an unnamed vote: how many papers are still out once a box that both agreed on is booked."""
    if vote.is_named or found.state is not BatchState.AGREED:
        return 0
    return paper_waits.handed_out(vote) - paper_waits.booked(vote) - sum(lines(found, SETTLED).values())


def hand_out(vote: Vote, number: int, *, by: Actor) -> RollEntry:
    """Of an unnamed vote: a paper goes to who stands under a number; from then on that entry has voted."""
    check_hand(vote)
    entry = rolls.entry_numbered(vote, number)
    if entry is None:
        raise Refused(_("名册上没有这个编号，请对照名册再填。"), field="number")
    casting.hand_out(vote, entry)
    # Neither which entry nor when: of an unnamed vote nothing beside the turnout says who.
    audit.record("deliberation.paper_handed", vote, by=by.name)
    return entry


def check_hand(vote: Vote) -> None:
    """Papers are handed out where they are taken, and only of unnamed votes."""
    if not vote.takes_paper:
        raise Refused(_("这次表决不收纸质票。"))
    if vote.is_named:
        raise Refused(_("记名表决不用登记领票：收回来的选票按名册编号录入。"))


def take_back(vote: Vote, number: int, reason: str, *, by: Actor) -> None:
    """An unmarked paper is brought back before closing: it is torn up, and the entry, or her proxy, may vote again."""
    check_hand(vote)
    if not vote.takes_votes(now()):
        raise Refused(_("投票已经截止，领出去的选票不能再退。"))
    entry = rolls.entry_numbered(vote, number)
    mine = entry.id if entry else 0
    handed = sa.delete(Turnout).where(
        Turnout.vote_id == vote.id, Turnout.entry_id == mine, Turnout.channel.in_(paper_waits.HANDED)
    )
    if not guarded(handed):
        raise Refused(_("这一号没有领过纸质选票。"), field="number")
    used = sa.update(VoteProxy).where(VoteProxy.entry_id == mine, VoteProxy.state == ProxyState.USED)
    guarded(used.values(state=ProxyState.GIVEN))
    audit.record("deliberation.paper_returned", vote, reason=reason, by=by.name)


def all_in(vote: Vote, *, by: Actor) -> None:
    """The committee says that no more paper comes: the vote may be counted."""
    rolls.lock(vote)
    if vote.state is not VoteState.CLOSED and not (vote.state is VoteState.OPEN and now() >= vote.closes_at):
        raise Refused(_("投票截止以后才能确认纸质票全部录入。"))
    if paper_waits.unfinished(vote):
        raise Refused(_("还有没有入账的纸质票。请先核对、入账，录错的作废。"))
    changed = sa.update(Vote).where(Vote.id == vote.id, Vote.papers_done_at.is_(None))
    if not guarded(changed.values(papers_done_at=now(), papers_done_by_name=by.name)):
        raise Refused(_("已经确认过了。"))
    db.session.refresh(vote, ["papers_done_at", "papers_done_by_name"])
    left = paper_waits.handed_out(vote) - paper_waits.booked(vote) if not vote.is_named else 0
    log(vote.topic, "papers_all_in", by_name=by.name, question=vote.question, left=left)
    audit.record("deliberation.papers_all_in", vote, left=left)
