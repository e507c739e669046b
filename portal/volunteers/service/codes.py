"""The leader's changing code of a shift: a QR code and a PIN for coming or going, valid for a minute or two."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from flask_babel import gettext as _

from portal.core import clock, settings, tokens
from portal.core.errors import Refused, TooMany
from portal.core.web import moment_words
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import ShiftState
from portal.volunteers.service import hours

SECONDS, SHEET_MINUTES, TRIES = "volunteers.code_seconds", "volunteers.sheet_minutes", "volunteers.code_tries"
TRIED_WITHIN = timedelta(minutes=10)
# Between opening what was scanned and pressing the button.
THINKS = timedelta(minutes=3)

settings.declare(SECONDS, default=60, label=lambda: _("签到码多久换一次"), unit=lambda: _("秒"), least=20, most=600)
settings.declare(
    SHEET_MINUTES,
    default=10,
    label=lambda: _("没有网络时用的签到码表多久换一个码"),
    unit=lambda: _("分钟"),
    least=5,
    most=60,
)
settings.declare(
    TRIES, default=5, label=lambda: _("十分钟内可以输错几次签到码"), unit=lambda: _("次"), least=3, most=20
)


class Purpose(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class Shown:
    """What the leader shows now: what the QR code's address ends with, the PIN, and when both change."""

    purpose: Purpose
    step: int
    signature: str
    pin: str
    changes_at: datetime


@dataclass(frozen=True)
class Slot:
    """A line of the sheet for a leader without network: from when, until when, which code."""

    starts_at: datetime
    ends_at: datetime
    pin: str


@dataclass(frozen=True)
class Link:
    """What the address of a QR code says."""

    shift: str
    purpose: str
    step: int
    signature: str


def purpose_of(text: str) -> Purpose:
    return Purpose(text) if text in set(Purpose) else Purpose.IN


def _mac(shift: Shift, kind: str, purpose: Purpose, step: int, seconds: int) -> bytes:
    words = f"volunteers.{kind}|{shift.public_id}|{purpose.value}|{seconds}|{step}"
    return hmac.new(shift.secret.encode(), words.encode(), hashlib.sha256).digest()


def signature(shift: Shift, purpose: Purpose, step: int) -> str:
    made = _mac(shift, "qr", purpose, step, settings.get(SECONDS))
    return base64.urlsafe_b64encode(made[:18]).decode()


def _digits(mac: bytes) -> str:
    return f"{int.from_bytes(mac[:8]) % 1_000_000:06d}"


def pin(shift: Shift, purpose: Purpose, step: int) -> str:
    return _digits(_mac(shift, "pin", purpose, step, settings.get(SECONDS)))


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // settings.get(SECONDS)


def shown(shift: Shift, purpose: Purpose, moment: datetime) -> Shown:
    step = step_at(moment)
    changes = datetime.fromtimestamp((step + 1) * settings.get(SECONDS), tz=UTC)
    return Shown(purpose, step, signature(shift, purpose, step), pin(shift, purpose, step), changes)


def _lives(step: int, moment: datetime) -> bool:
    """This step's code and that of the one before: somebody was just looking at it."""
    return step_at(moment) - step in {0, 1}


def check_link(shift: Shift, purpose: Purpose, step: int, signed: str, moment: datetime) -> None:
    """Refuse what was not signed for this shift and purpose, and what was shown too long ago."""
    if not hmac.compare_digest(signature(shift, purpose, step).encode(), signed.encode()):
        raise Refused(_("这个二维码不能用。请重新扫负责人手机上的二维码。"), field="code")
    if not _lives(step, moment):
        raise Refused(_("这个二维码已经过期。二维码会不断更换，请再扫一次负责人手机上的二维码。"), field="code")


def check_pin(shift: Shift, purpose: Purpose, typed: str, moment: datetime) -> None:
    step = step_at(moment)
    known = [pin(shift, purpose, one) for one in (step, step - 1)]
    if not any(hmac.compare_digest(one.encode(), typed.encode()) for one in known):
        raise Refused(_("签到码不对或已经过期。请看负责人手机上现在的 6 位数字，再输一次。"), field="code")


def count_try(shift: Shift, whom: str) -> None:
    """Count a typed code of somebody on a shift, in an aside; too many within ten minutes are refused."""
    try:
        who = f"{shift.public_id}|{whom}"
        tokens.throttle("volunteers.code", who, limit=settings.get(TRIES), per=TRIED_WITHIN)
    except TooMany as full:
        minutes = max(1, -(-full.retry_after // 60))
        words = _("签到码输错太多次，请过 %(minutes)s 分钟再试，或者扫二维码，或者请负责人登记。", minutes=minutes)
        raise Refused(words, field="code") from None


def window(shift: Shift, purpose: Purpose) -> tuple[datetime, datetime]:
    """From when until when codes of a purpose count."""
    if purpose is Purpose.IN:
        return hours.opens_at(shift), shift.ends_at
    return shift.starts_at, hours.closes_at(shift)


def is_early(shift: Shift, purpose: Purpose, moment: datetime) -> bool:
    return shift.state is not ShiftState.CALLED_OFF and moment < window(shift, purpose)[0]


def check_window(shift: Shift, purpose: Purpose, moment: datetime) -> None:
    """Codes count from a while before the shift until a while after it; for coming, only until its end."""
    if shift.state is ShiftState.CALLED_OFF:
        raise Refused(_("这个班次已经取消，不用签到。"), field="code")
    opens, closes = window(shift, purpose)
    if moment < opens:
        words = {
            Purpose.IN: _("还没到签到时间，%(time)s 起可以签到。", time=moment_words(opens)),
            Purpose.OUT: _("活动还没开始，%(time)s 起可以签退。", time=moment_words(opens)),
        }
        raise Refused(words[purpose], field="code")
    if moment > closes:
        time = moment_words(closes)
        raise Refused(
            _("签到码到 %(time)s 为止有效。请联系负责人或社区，由他们登记您的到离时间。", time=time), field="code"
        )


def read(text: str) -> Link | str:
    """What was scanned or typed: the parts of the QR code's address, else the digits."""
    parts = urlsplit(text.strip()).path.split("/")
    if len(parts) >= 4 and parts[-2].isascii() and parts[-2].isdigit() and len(parts[-2]) <= 10:
        return Link(parts[-4], parts[-3], int(parts[-2]), parts[-1])
    return re.sub(r"[\s\-]", "", text)[:20]


def seen(shift: Shift, purpose: Purpose, whom: str) -> str:
    """Signed words that somebody opened a valid QR code just now: the button may be pressed a moment later."""
    return tokens.sign("volunteers.seen", [shift.public_id, purpose.value, whom])


def was_seen(text: str, shift: Shift, purpose: Purpose, whom: str) -> bool:
    return bool(tokens.unsign("volunteers.seen", text, within=THINKS) == [shift.public_id, purpose.value, whom])


# ---- the sheet for a leader without network


def _sheet_step(moment: datetime, seconds: int) -> int:
    return int(moment.timestamp()) // seconds


def sheet_pin(shift: Shift, purpose: Purpose, moment: datetime) -> str:
    """The sheet's code at a moment. It is no code for checking in by oneself: only a leader or worker enters it."""
    seconds = settings.get(SHEET_MINUTES, clock.local(shift.starts_at).date()) * 60
    return _digits(_mac(shift, "sheet", purpose, _sheet_step(moment, seconds), seconds))


def sheet(shift: Shift, purpose: Purpose) -> list[Slot]:
    """The codes of a shift for the whole of its window, to be opened or printed while there is network."""
    seconds = settings.get(SHEET_MINUTES, clock.local(shift.starts_at).date()) * 60
    opens, closes = window(shift, purpose)
    found = []
    for step in range(_sheet_step(opens, seconds), _sheet_step(closes, seconds) + 1):
        starts = datetime.fromtimestamp(step * seconds, tz=UTC)
        if starts < closes:
            ends = starts + timedelta(seconds=seconds)
            found.append(Slot(max(starts, opens), min(ends, closes), sheet_pin(shift, purpose, starts)))
    return found


def check_noted(shift: Shift, purpose: Purpose, typed: str, noted_at: datetime) -> None:
    """A code that was noted on paper: it must have been the sheet's, or the one shown, at the time noted beside it."""
    check_window(shift, purpose, noted_at)
    minute = timedelta(minutes=1)
    known = [sheet_pin(shift, purpose, noted_at + minute * away) for away in (-1, 0, 1)]
    step = step_at(noted_at)
    known += [pin(shift, purpose, one) for one in _steps_of_minute(step)]
    if not any(hmac.compare_digest(one.encode(), typed.encode()) for one in known):
        raise Refused(_("签到码和写下的时间对不上，请核对纸上的数字和时间；对不上的按纸质签到表登记。"), field="code")


def _steps_of_minute(step: int) -> range:
    """A time noted to the minute stands for every code shown within it, and the one before."""
    return range(step - 1, step + max(1, 60 // settings.get(SECONDS)) + 1)
