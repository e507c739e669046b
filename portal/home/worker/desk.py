"""The worker platform of home: the desk, and everything about one person on one page."""

from datetime import datetime, time, timedelta

from flask import Response, url_for
from flask_babel import gettext as _

from portal.core import clock, web
from portal.core.access import current_actor, may, may_enter, requires, scopes
from portal.core.clock import today
from portal.core.doors import Line
from portal.home.service import desk, dossier
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission


def _timeline_item(line: Line) -> tuple[str, str, str, str]:
    href = url_for(line.endpoint, **line.values) if line.endpoint and may_enter(line.endpoint) else ""
    return _when(line.at), line.title, line.text, href


def _when(moment: datetime) -> str:
    """A moment of a long life: another year is said, and a midnight stands for the whole day."""
    at = clock.local(moment)
    day = _("%(year)d年%(month)d月%(day)d日", year=at.year, month=at.month, day=at.day)
    if at.year == today().year:
        day = web.day_words(at.date())
    return day if at.time() == time() else f"{day} {at:%H:%M}"


def _due_words(due: datetime) -> str:
    """Until when something is to be done; midnight is the end of the day before it."""
    if clock.local(due).time() == time():
        return _("%(day)s当天", day=web.day_words(clock.local(due).date() - timedelta(days=1)))
    return _("%(moment)s前", moment=web.moment_words(due))


bp.add_app_template_filter(_due_words, "due_words")
bp.add_app_template_filter(_timeline_item, "timeline_item")


@bp.route("/")
@requires(Permission.DESK)
def index() -> Response:
    shown = desk.desk_of(current_actor())
    bars = [(row.canteen.name, (row.collected, row.waiting, row.no_show)) for row in shown.figures if row.ordered]
    counter = may(Permission.MEALS_REDEEM) and not may(Permission.PEOPLE_READ)
    return web.page("home/worker/index.html", desk=shown, bars=bars, counter=counter, own=_own_work(), day=today())


def _own_work() -> list[tuple[str, str, str, str]]:
    """The entries of the three administrators, who have no day at a canteen: words, what for, endpoint, icon."""
    entries = {
        Permission.SETTINGS_EDIT: [
            (_("参数"), _("各项天数、次数、上限"), "administration.worker.settings", "settings"),
            (_("节假日"), _("放假、调休和补班的日子"), "administration.worker.holidays", "calendar-event"),
            (_("节假日值班"), _("放假和调休的日子，哪些时段必须有人"), "duty.worker.day_rules", "calendar-event"),
        ],
        Permission.ACCOUNTS_MANAGE: [
            (_("账号权限"), _("开通、停用账号，授予角色"), "administration.worker.accounts", "shield-lock"),
        ],
        Permission.AUDIT_READ: [
            (_("审计"), _("谁在什么时候做了什么，核验记录没有被改"), "audit.worker.index", "history"),
        ],
    }
    return [entry for permission, held in entries.items() if may(permission) for entry in held]


@bp.route("/person/<public_id>")
@requires(Permission.PEOPLE_READ)
def person(public_id: str) -> Response:
    whole = dossier.dossier(scopes(Permission.PEOPLE_READ), public_id)
    return web.page("home/worker/person.html", dossier=whole, person=whole.person, today=today())
