"""What a page that shows a shift's code needs, on whichever platform: the picture, the digits, whether they count."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from markupsafe import Markup

from portal.core import files, web
from portal.core.errors import Refused
from portal.volunteers.models.activities import Shift
from portal.volunteers.service import attendance, codes
from portal.volunteers.service.attendance import Count
from portal.volunteers.service.codes import Purpose, Shown


@dataclass(frozen=True)
class Screen:
    """`trouble` says why no code counts now: then none is shown, and `early` is whether one will; `left` is in
    seconds.
    """

    shown: Shown
    qr: Markup | str
    trouble: str
    early: bool
    left: int
    count: Count


def screen(shift: Shift, purpose: Purpose, moment: datetime) -> Screen:
    shown = codes.shown(shift, purpose, moment)
    count = attendance.counts_of([shift.id]).get(shift.id, Count())
    left = int((shown.changes_at - moment).total_seconds())
    trouble = _trouble(shift, purpose, moment)
    picture: Markup | str = "" if trouble else _picture(shift, shown)
    return Screen(shown, picture, trouble, bool(trouble) and codes.is_early(shift, purpose, moment), left, count)


def _picture(shift: Shift, shown: Shown) -> Markup:
    path = f"/volunteers/attend/{shift.public_id}/{shown.purpose.value}/{shown.step}/{shown.signature}"
    title = _("签到二维码") if shown.purpose is Purpose.IN else _("签退二维码")
    return files.qr_svg(web.address(path), title=title)


def _trouble(shift: Shift, purpose: Purpose, moment: datetime) -> str:
    try:
        codes.check_window(shift, purpose, moment)
    except Refused as refused:
        return refused.message
    return ""
