"""Swaps: one asks, the other agrees, and whoever manages the rota sees it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, outbox, settings
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.duty.models import Shift, Swap, SwapState, Turn
from portal.duty.service import people
from portal.duty.service.rota import LONGEST
from portal.duty.service.words import facts_of, shift_words
from portal.identity.models import Account

SHOWN = 50
IN_A_ROW = "duty.hours_in_a_row"

settings.declare(
    IN_A_ROW, default=12, label=lambda: _("换班后连续值班超过多久要提醒"), unit=lambda: _("小时"), least=4, most=24
)


@dataclass(frozen=True)
class Option:
    """Somebody a turn may be offered to, with the turns she could give in return."""

    account: Account
    turns: list[Turn]


def turn_of(actor: Actor, turn_id: int) -> Turn:
    """One of the actor's own turns still to come."""
    query = sa.select(Turn).join(Shift).where(Turn.id == turn_id, Turn.account_id == actor.account_id)
    turn = db.session.scalar(query.options(joinedload(Turn.shift).joinedload(Shift.community)))
    if turn is None:
        raise Missing
    return turn


def turns_of(account_ids: Collection[int], community: Area | None = None) -> list[Turn]:
    """The turns of some accounts still to come, in order."""
    query = sa.select(Turn).join(Shift).where(Turn.account_id.in_(account_ids), Shift.starts_at > now())
    if community is not None:
        query = query.where(Shift.community_id == community.id)
    query = query.options(joinedload(Turn.shift), joinedload(Turn.account))
    return list(db.session.scalars(query.order_by(Shift.starts_at, Turn.id)))


def options(turn: Turn) -> list[Option]:
    """Whom a turn may be offered to: the community's desk but herself."""
    others = [one for one in people.desk_of(turn.shift.community) if one.id != turn.account_id]
    coming = turns_of([one.id for one in others], turn.shift.community)
    return [Option(one, [turn for turn in coming if turn.account_id == one.id]) for one in others]


def ask(turn: Turn, *, taker: str, back: int | None, reason: str, by: Actor) -> Swap:
    """Ask a colleague (public id) to take a turn, perhaps for one of hers (`back`) in return."""
    if turn.shift.starts_at <= now():
        raise Refused(_("班次已经开始，不能再换。"))
    offered = next((one for one in options(turn) if one.account.public_id == taker), None)
    if offered is None:
        raise Refused(_("请选这个社区的一位同事。"), field="taker")
    given = next((one for one in offered.turns if one.id == back), None)
    if back and given is None:
        raise Refused(_("要换回的班次不是这位同事的，请重新选。"), field="back")
    _refuse_asked_twice(turn, offered.account)
    swap = Swap(
        community_id=turn.shift.community_id,
        turn_id=turn.id,
        back_id=given.id if given else None,
        wants_back=given is not None,
        asker_id=by.account_id,
        taker_id=offered.account.id,
        subject=[facts_of(one.shift) for one in (turn, given) if one],
        reason=reason,
        asked_at=now(),
    )
    db.session.add(swap)
    db.session.flush()
    audit.record("duty.swap_asked", swap, by=by.name)
    facts = {"name": by.name, "shift": swap.subject, "reason": reason}
    outbox.enqueue("duty.swap_asked", to=Recipient("account", offered.account.public_id), **facts)
    return swap


def _refuse_asked_twice(turn: Turn, taker: Account) -> None:
    query = sa.select(Swap.id).where(Swap.turn_id == turn.id, Swap.taker_id == taker.id, Swap.state == SwapState.ASKED)
    if db.session.scalar(query.limit(1)) is not None:
        raise Refused(_("这个班次已经问过%(name)s，请等答复。", name=taker.name), field="taker")


def _loaded() -> sa.Select[Swap]:
    return sa.select(Swap).options(
        joinedload(Swap.turn).joinedload(Turn.shift),
        joinedload(Swap.back).joinedload(Turn.shift),
        joinedload(Swap.asker),
        joinedload(Swap.taker),
        joinedload(Swap.community),
    )


def mine(actor: Actor) -> list[Swap]:
    """What I asked and what I am asked, the newest first."""
    query = _loaded().where(sa.or_(Swap.asker_id == actor.account_id, Swap.taker_id == actor.account_id))
    return list(db.session.scalars(query.order_by(Swap.id.desc()).limit(SHOWN)))


def asked_of(actor: Actor) -> list[Swap]:
    """What waits for my answer, as long as there is time to swap."""
    coming = sa.select(Turn.id).join(Shift).where(Shift.starts_at > now())
    hers = (Swap.taker_id == actor.account_id, Swap.state == SwapState.ASKED, Swap.turn_id.in_(coming))
    query = _loaded().where(*hers)
    return list(db.session.scalars(query.order_by(Swap.id)))


def swaps_in(within: Collection[Scope]) -> list[Swap]:
    """Everything asked in some communities, the newest first: what a manager sees."""
    query = _loaded().where(Swap.community_id.in_(areas.touched(within)))
    return list(db.session.scalars(query.order_by(Swap.id.desc()).limit(SHOWN)))


def swap_of(actor: Actor, swap_id: int) -> Swap:
    """A swap that the actor is part of, locked: two answers must not both count."""
    part = sa.or_(Swap.asker_id == actor.account_id, Swap.taker_id == actor.account_id)
    if db.session.scalar(sa.select(Swap.id).where(Swap.id == swap_id, part).with_for_update()) is None:
        raise Missing
    return db.session.scalars(_loaded().where(Swap.id == swap_id)).one()


def agree(swap: Swap, by: Actor) -> list[str]:
    """The taker's consent: the turns change hands at once, if they are still what was asked about.

    Return the names of those who are now on duty for too long in a row; the asker is told them too.
    """
    _refuse_answered(swap, by.account_id == swap.taker_id)
    turn, back = _standing(swap)
    both = sa.select(Account.id).where(Account.id.in_([swap.asker_id, swap.taker_id]))
    db.session.execute(both.order_by(Account.id).with_for_update())
    _refuse_unfit(turn, swap.taker, but=[back] if back else [])
    if back:
        _refuse_unfit(back, swap.asker, but=[turn])
    _change_hands(swap, turn, back)
    handed = [(turn, swap.taker), (back, swap.asker)]
    tired = [account.name for given, account in handed if given and _in_a_row(given.shift, account) > _longest()]
    _answer(swap, SwapState.AGREED, "duty.swap_agreed", by, tired=tired)
    return tired


def _longest() -> timedelta:
    return timedelta(hours=settings.get(IN_A_ROW))


def _in_a_row(shift: Shift, account: Account) -> timedelta:
    """How long somebody is on duty without a break around a shift of hers."""
    starts, ends = shift.starts_at, shift.ends_at
    near = (Shift.ends_at >= starts - 2 * LONGEST, Shift.starts_at <= ends + 2 * LONGEST)
    query = sa.select(Shift.starts_at, Shift.ends_at).join(Turn).where(Turn.account_id == account.id, *near)
    hers = [(row.starts_at, row.ends_at) for row in db.session.execute(query.order_by(Shift.starts_at, Shift.id))]
    for begins, stops in hers:
        if begins <= ends and stops > ends:
            ends = stops
    for begins, stops in reversed(hers):
        if stops >= starts and begins < starts:
            starts = begins
    return ends - starts


def tired_words(names: list[str]) -> str:
    """A warning, on the screen of who agreed and in the notice of who asked."""
    said = {"names": _("、").join(names), "hours": settings.get(IN_A_ROW)}
    return _("请注意：换班以后，%(names)s连续值班超过 %(hours)d 小时。不合适的话，请再换或找排班的人。", **said)


def _change_hands(swap: Swap, turn: Turn, back: Turn | None) -> None:
    """Both turns or neither, and only from the hands they were asked about: somebody else may be agreeing too."""
    with unique_or(Refused(_("%(name)s已经在这个班次里。", name=swap.taker.name))):
        if not _passed(turn, swap.asker_id, swap.taker_id):
            raise _gone()
        if back and not _passed(back, swap.taker_id, swap.asker_id):
            raise _gone()
    for passed in [turn, back] if back else [turn]:
        db.session.refresh(passed)


def _passed(turn: Turn, giver: int, taker: int) -> bool:
    return guarded(sa.update(Turn).where(Turn.id == turn.id, Turn.account_id == giver).values(account_id=taker))


def _gone() -> Refused:
    return Refused(_("班次已经变动，不能再换。请重新提出。"))


def _standing(swap: Swap) -> tuple[Turn, Turn | None]:
    if swap.turn is None or (swap.wants_back and swap.back is None):
        raise _gone()
    if swap.turn.account_id != swap.asker_id or (swap.back and swap.back.account_id != swap.taker_id):
        raise _gone()
    if any(turn.shift.starts_at <= now() for turn in (swap.turn, swap.back) if turn):
        raise Refused(_("班次已经开始，不能再换。"))
    return swap.turn, swap.back


def _refuse_unfit(turn: Turn, account: Account, *, but: list[Turn]) -> None:
    """Whoever takes a turn is on the desk, and not on another shift then, but for the turn given in return."""
    shift = turn.shift
    if account.public_id not in {one.public_id for one in people.desk_of(shift.community)}:
        raise Refused(_("%(name)s已不在这个社区的岗位上。", name=account.name))
    query = (
        sa.select(Turn)
        .join(Shift)
        .where(Turn.account_id == account.id, Shift.starts_at < shift.ends_at, Shift.ends_at > shift.starts_at)
        .where(Turn.id.not_in([one.id for one in but]))
        .options(joinedload(Turn.shift))
    )
    clash = db.session.scalars(query.order_by(Turn.id)).first()
    if clash is not None:
        words = shift_words(clash.shift)
        raise Refused(_("%(name)s这个时间已经排了班：%(shift)s。", name=account.name, shift=words))


def decline(swap: Swap, by: Actor) -> None:
    _refuse_answered(swap, by.account_id == swap.taker_id)
    _answer(swap, SwapState.DECLINED, "duty.swap_declined", by)


def withdraw(swap: Swap, by: Actor) -> None:
    _refuse_answered(swap, by.account_id == swap.asker_id)
    _answer(swap, SwapState.WITHDRAWN, "duty.swap_withdrawn", by)


def _refuse_answered(swap: Swap, hers: bool) -> None:
    if not hers:
        raise Missing
    if swap.state is not SwapState.ASKED:
        raise Refused(_("这次换班已经有了结果。"))


def _answer(swap: Swap, state: SwapState, action: str, by: Actor, **more: list[str]) -> None:
    swap.move(state)
    swap.answered_at = now()
    audit.record(action, swap, by=by.name)
    if state is not SwapState.WITHDRAWN:
        outbox.enqueue(action, to=Recipient("account", swap.asker.public_id), name=by.name, shift=swap.subject, **more)
    db.session.flush()
