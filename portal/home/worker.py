"""The worker platform of home: the desk, and everything about one person on one page."""

from typing import Any

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.clock import today
from portal.home import service
from portal.home.service import Desk
from portal.identity.permissions import Permission
from portal.meals.service.kitchen import dish_words

bp = Blueprint("worker", __name__)
bp.add_app_template_filter(dish_words, "ordered_dishes")


@bp.route("/")
@requires(Permission.DESK)
def index() -> Response:
    canteens = (*scopes(Permission.MEALS_MENUS), *scopes(Permission.MEALS_REDEEM))
    desk = service.desk_of(
        meals=scopes(Permission.MEALS_TODAY),
        reading=scopes(Permission.PEOPLE_READ),
        deciding=scopes(Permission.CLAIMS_DECIDE),
        importing=scopes(Permission.PEOPLE_IMPORT),
        canteens=tuple(dict.fromkeys(canteens)),
    )
    return web.page("home/worker/index.html", desk=desk, day=today(), own=_own_work(), **_lines(desk))


def _lines(desk: Desk) -> dict[str, Any]:
    """The rows of the chart and of what waits, with where each is done; `waiting` is None for who has no queue."""
    bars = [(row.canteen.name, (row.collected, row.waiting, row.no_show)) for row in desk.figures if row.ordered]
    counter = may(Permission.MEALS_REDEEM) and not may(Permission.PEOPLE_READ)
    queues = [
        (_("账号认领等待核对"), desk.claims_waiting, url_for("registry.worker.claims")),
        (_("代办申请等待答复"), desk.agents_waiting, url_for("registry.worker.agents")),
        (_("登记表等待确认导入"), desk.imports_waiting, url_for("registry.worker.imports")),
    ]
    waiting = [line for line in queues if line[1]]
    waiting += [(todo.words, 0, url_for(todo.endpoint, **dict[str, Any](todo.values))) for todo in desk.todo]
    has_queue = desk.claims_waiting is not None or may(Permission.MEALS_MENUS)
    return {"bars": bars, "counter": counter, "waiting": waiting if has_queue else None}


def _own_work() -> list[tuple[str, str, str, str]]:
    """The entries of the three administrators, who have no day at a canteen: words, what for, endpoint, icon."""
    entries = {
        Permission.SETTINGS_EDIT: [
            (_("参数"), _("各项天数、次数、上限"), "administration.worker.settings", "settings"),
            (_("节假日"), _("放假、调休和补班的日子"), "administration.worker.holidays", "calendar-event"),
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
    dossier = service.dossier(scopes(Permission.PEOPLE_READ), public_id)
    return web.page("home/worker/person.html", dossier=dossier, person=dossier.person, today=today())
