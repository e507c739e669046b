"""Whether somebody must give her password again before she votes: on a new device, or long after she signed in."""

from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.core import settings
from portal.core.access import Actor
from portal.identity import sessions

HOURS = "deliberation.vote_password_hours"
settings.declare(
    HOURS,
    default=24,
    label=lambda: _("投票时，登录超过多久要再输一次密码"),
    unit=lambda: _("小时"),
    least=1,
    most=336,
)
# Who has just signed in has just proved who she is, on whatever device.
JUST_NOW = timedelta(hours=1)


def asks_password(actor: Actor, at: datetime) -> bool:
    age = at - actor.authenticated_at
    if age <= JUST_NOW:
        return False
    return age > timedelta(hours=settings.get(HOURS)) or not sessions.knows_device(actor)
