"""The changing code of a meeting: a QR code and six figures for signing in, valid for a minute or two."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask_babel import gettext as _
from markupsafe import Markup

from portal.core import files, settings, tokens, web
from portal.core.errors import Refused, TooMany
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.service.meetings import AHEAD

SECONDS, BEFORE, TRIES = "deliberation.code_seconds", "deliberation.sign_in_minutes", "deliberation.code_tries"
TRIED_WITHIN = timedelta(minutes=10)
# Between opening what was scanned and pressing the button.
THINKS = timedelta(minutes=3)

settings.declare(SECONDS, default=60, label=lambda: _("会议签到码多久换一次"), unit=lambda: _("秒"), least=20, most=600)
settings.declare(
    BEFORE, default=60, label=lambda: _("会议开始前多久可以签到"), unit=lambda: _("分钟"), least=10, most=240
)
settings.declare(
    TRIES, default=5, label=lambda: _("十分钟内可以输错几次会议签到码"), unit=lambda: _("次"), least=3, most=20
)


@dataclass(frozen=True)
class Shown:
    """What the wall shows now; `left` is in seconds, `trouble` says why the code does not count."""

    qr: Markup
    pin: str
    left: int
    trouble: str


@dataclass(frozen=True)
class Link:
    """What the address of a QR code says."""

    meeting_id: int
    step: int
    signature: str


def _mac(meeting: Meeting, kind: str, step: int) -> bytes:
    words = f"deliberation.{kind}|{meeting.id}|{settings.get(SECONDS)}|{step}"
    return hmac.new(meeting.secret.encode(), words.encode(), hashlib.sha256).digest()


def signature(meeting: Meeting, step: int) -> str:
    return base64.urlsafe_b64encode(_mac(meeting, "qr", step)[:18]).decode()


def pin(meeting: Meeting, step: int) -> str:
    return f"{int.from_bytes(_mac(meeting, 'pin', step)[:8]) % 1_000_000:06d}"


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // settings.get(SECONDS)


def opens_at(meeting: Meeting) -> datetime:
    return meeting.starts_at - timedelta(minutes=settings.get(BEFORE))


def shown(meeting: Meeting, moment: datetime) -> Shown:
    step = step_at(moment)
    changes = datetime.fromtimestamp((step + 1) * settings.get(SECONDS), tz=UTC)
    path = f"/deliberation/meetings/{meeting.id}/in/{step}/{signature(meeting, step)}"
    qr = files.qr_svg(web.address(path), title=_("会议签到二维码"))
    return Shown(qr, pin(meeting, step), int((changes - moment).total_seconds()), trouble(meeting, moment))


def trouble(meeting: Meeting, moment: datetime) -> str:
    try:
        check_window(meeting, moment)
    except Refused as refused:
        return refused.message
    return ""


def check_window(meeting: Meeting, moment: datetime) -> None:
    """Codes count from a while before the meeting until it is closed."""
    if meeting.state is MeetingState.CANCELLED:
        raise Refused(_("这次会议取消了，不用签到。"), field="code")
    if meeting.state not in AHEAD:
        raise Refused(_("会议已经散会，不能再签到。到过会没签上的，请告诉工作人员补登记。"), field="code")
    opens = opens_at(meeting)
    if moment < opens:
        words = _("还没到签到时间，%(time)s 起可以签到。", time=web.moment_words(opens))
        raise Refused(words, field="code")


def check_link(meeting: Meeting, link: Link, moment: datetime) -> None:
    """Refuse what was not signed for this meeting, and what was shown too long ago."""
    if link.meeting_id != meeting.id or not hmac.compare_digest(
        signature(meeting, link.step).encode(), link.signature.encode()
    ):
        raise Refused(_("这个二维码不能用。请重新扫会场的二维码。"), field="code")
    if step_at(moment) - link.step not in {0, 1}:
        raise Refused(_("这个二维码已经过期。二维码会不断更换，请再扫一次会场的二维码。"), field="code")


def check_pin(meeting: Meeting, typed: str, moment: datetime) -> None:
    step = step_at(moment)
    known = [pin(meeting, one) for one in (step, step - 1)]
    if not any(hmac.compare_digest(one.encode(), typed.encode()) for one in known):
        raise Refused(_("签到码不对或已经过期。请看会场屏幕上现在的 6 位数字，再输一次。"), field="code")


def count_try(meeting: Meeting, whom: str) -> None:
    """Count a typed code of somebody at a meeting, in an aside; too many within ten minutes are refused."""
    try:
        tokens.throttle("deliberation.code", f"{meeting.id}|{whom}", limit=settings.get(TRIES), per=TRIED_WITHIN)
    except TooMany as full:
        minutes = max(1, -(-full.retry_after // 60))
        words = _("签到码输错太多次，请过 %(minutes)s 分钟再试，或者扫二维码，或者到签到台登记。", minutes=minutes)
        raise Refused(words, field="code") from None


def read(text: str) -> Link | str:
    """What was scanned or typed: the parts of the QR code's address, else the figures."""
    parts = urlsplit(text.strip()).path.split("/")
    if len(parts) >= 5 and parts[-3] == "in" and _number(parts[-4]) and _number(parts[-2]):
        return Link(int(parts[-4]), int(parts[-2]), parts[-1])
    return re.sub(r"[\s\-]", "", text)[:20]


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def seen(meeting: Meeting, whom: str) -> str:
    """Signed words that somebody opened a valid QR code just now: the button may be pressed a moment later."""
    return tokens.sign("deliberation.seen", [meeting.id, whom])


def was_seen(text: str, meeting: Meeting, whom: str) -> bool:
    return bool(tokens.unsign("deliberation.seen", text, within=THINKS) == [meeting.id, whom])
