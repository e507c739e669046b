"""How long each step of an application may take, in working days by the table of special days."""

from datetime import date, timedelta

from flask_babel import gettext as _

from portal.catalogue.models.applications import Application
from portal.core import settings, working
from portal.core.clock import local, now, today

ACCEPT_DAYS, BRING_DAYS, USUAL_DAYS = "applications.accept_days", "applications.bring_days", "applications.usual_days"
CLOSE_DAYS, REMIND_DAYS = "applications.close_days", "applications.remind_days"
settings.declare(
    ACCEPT_DAYS,
    default=1,
    label=lambda: _("办事申请几个工作日内答复受理不受理"),
    unit=lambda: _("个工作日"),
    least=1,
    most=30,
)
settings.declare(
    BRING_DAYS,
    default=10,
    label=lambda: _("补材料等申请人几个工作日"),
    unit=lambda: _("个工作日"),
    least=1,
    most=90,
)
settings.declare(
    REMIND_DAYS,
    default=2,
    label=lambda: _("补材料到期前几天提醒申请人"),
    unit=lambda: _("天"),
    least=1,
    most=30,
)
settings.declare(
    CLOSE_DAYS,
    default=60,
    label=lambda: _("办事申请出结果后多少天自动办结"),
    unit=lambda: _("天"),
    least=7,
    most=730,
)
settings.declare(
    USUAL_DAYS,
    default=10,
    label=lambda: _("事项没写时限时，受理后几个工作日办完"),
    unit=lambda: _("个工作日"),
    least=1,
    most=120,
)


def to_accept() -> date:
    """The last day to say whether it is accepted, the day it came not counted."""
    return working.last_working_day(today(), settings.get(ACCEPT_DAYS))


def to_bring() -> date:
    """The last day on which what was asked for is awaited."""
    return working.last_working_day(today(), settings.get(BRING_DAYS))


def limit_of(application: Application) -> int:
    """How many working days the item allows, as it stood when the application began."""
    return application.limit_days or settings.get(USUAL_DAYS)


def to_decide(application: Application) -> date:
    """The last day to decide: so many working days after the day of acceptance."""
    accepted = application.accepted_at or now()
    return working.last_working_day(local(accepted).date(), limit_of(application))


def left(application: Application) -> int:
    """The working days that are left to decide, today's not counted; negative once it is late."""
    if application.due_on is None:
        return 0
    day, due = today(), application.due_on
    first, last = min(day, due), max(day, due)
    table = working.WorkingTime(first)
    days = (last - first).days
    count = sum(table.works(date.fromordinal(first.toordinal() + turn)) for turn in range(1, days + 1))
    return count if due >= day else -count


def days_to_close() -> int:
    """How many days after its result an application is closed by itself."""
    return settings.get(CLOSE_DAYS)


def _before(day: date, count: int) -> date:
    """The working day that so many working days have followed until a day, that day counted."""
    table = working.WorkingTime(day - timedelta(days=2 * count + 60))
    while count or not table.works(day):
        count -= table.works(day)
        day -= timedelta(days=1)
    return day


def resumed(application: Application) -> date:
    """The last day to decide once the papers are there: what was left when the term paused is left again, and what
    was late stays late.
    """
    days = application.days_left if application.days_left is not None else limit_of(application)
    if days < 0:
        return _before(local(application.asked_at or now()).date(), -days)
    return working.last_working_day(today(), days) if days > 0 else today()
