"""The ledger in words."""

import re

from flask_babel import gettext as _

from portal.core import reasons
from portal.core.web import full_day
from portal.points.models import EntryKind, GoodsState, PointEntry


def entry_words(entry: PointEntry) -> str:
    """What a line of the ledger was, in one line."""
    if entry.kind is EntryKind.ADJUSTED:
        return _("人工调整")
    if entry.kind is EntryKind.EXPIRED:
        return _("到期清零")
    if entry.kind is EntryKind.SETTLED:
        return _("抵扣之前欠的积分")
    if entry.kind is EntryKind.REVERSED:
        return _("撤销：%(words)s", words=_dated(entry.words) or _("人工调整"))
    return _dated(entry.words)


def _dated(words: str) -> str:
    """The day that a stored line begins with, as people say it."""
    found = re.match(r"(\d{4}-\d\d-\d\d) ", words)
    if found is None:
        return words
    return f"{full_day(found[1])} {words[found.end() :]}"


def entry_why(entry: PointEntry) -> str:
    """Why, and what of it could not be taken and is owed."""
    why = reasons.said(entry.reason)
    if entry.owed > 0:
        owed = _("其中 %(owed)d 分已经用掉，先欠着，以后得的积分先抵扣", owed=entry.owed)
        return _("%(why)s；%(more)s", why=why, more=owed) if why else owed
    return why


def reason_words(reason: str) -> str:
    """Why, as somebody wrote it, or in the words of a code that the program gave."""
    return reasons.said(reason)


def signed(points: int) -> str:
    return f"+{points}" if points > 0 else f"−{-points}" if points else "0"


def goods_state(state: GoodsState) -> str:
    return {
        GoodsState.ASKED: _("待领取"),
        GoodsState.HANDED: _("已领取"),
        GoodsState.CANCELLED: _("已取消"),
    }[state]


def goods_tint(state: GoodsState) -> str:
    return {GoodsState.ASKED: "warn", GoodsState.HANDED: "ok", GoodsState.CANCELLED: "mute"}[state]
