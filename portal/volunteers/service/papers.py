"""The paper of a day entered afterwards: the sign-in sheet for all at once, and codes that were noted beside a time."""

from dataclasses import dataclass
from datetime import time

from flask_babel import gettext as _

from portal.core.access import Actor
from portal.core.errors import Refused
from portal.volunteers.models.codes import Mark
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import attending, codes, hours
from portal.volunteers.service.attending import Times
from portal.volunteers.service.codes import Purpose


@dataclass(frozen=True)
class Row:
    """A line of the sign-in sheet as it was read: clock times, or that she is not on it."""

    came: time | None = None
    left: time | None = None
    pause: int = 0
    words: str = ""
    absent: bool = False


@dataclass(frozen=True)
class Noted:
    """A code and the time beside it, as somebody noted them on paper."""

    code: str = ""
    at: time | None = None


def enter_row(signup: Signup, row: Row, *, by: Actor, mark: Mark = Mark.PAPER) -> bool:
    """What the paper says of one person; whether it said anything."""
    if row.absent:
        if row.came or row.left:
            raise Refused(_("填了时间就不能勾“未到”，请去掉一样。"), field="absent")
        attending.no_show(signup, row.words or _("签到表上没有签名"), by=by)
        return True
    if row.came is None:
        if row.left is not None:
            raise Refused(_("有离开时间，还要填到达时间。"), field="came")
        return False
    attending.enter_hours(signup, times_of(signup, row), by=by, mark=mark)
    return True


def times_of(signup: Signup, row: Row) -> Times:
    """Clock times as instants: a shift may end on the next day."""
    assert row.came is not None
    came = hours.moment_near(signup.shift, row.came)
    left = hours.moment_near(signup.shift, row.left) if row.left else None
    return Times(came, left, row.pause, row.words)


def enter_noted(signup: Signup, purpose: Purpose, noted: Noted, *, by: Actor) -> bool:
    """A code that was noted without network: it must have been this shift's at that time; whether there was one."""
    if not noted.code and noted.at is None:
        return False
    if not noted.code or noted.at is None:
        raise Refused(_("签到码和写下的时间都要填。"), field=f"{purpose.value}_{'at' if noted.code else 'code'}")
    at = hours.moment_near(signup.shift, noted.at)
    try:
        codes.check_noted(signup.shift, purpose, noted.code, at)
        act = attending.mark_in if purpose is Purpose.IN else attending.mark_out
        act(signup, Mark.OFFLINE, at, by)
    except Refused as refused:
        raise Refused(refused.message, field=f"{purpose.value}_code") from None
    return True


def enter_both(signup: Signup, noted: tuple[Noted, Noted], *, by: Actor) -> bool:
    """The codes of one person for coming and for going; whether there was any."""
    said = [enter_noted(signup, purpose, one, by=by) for purpose, one in zip(Purpose, noted, strict=True)]
    return any(said)
