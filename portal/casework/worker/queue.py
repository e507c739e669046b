"""Worker pages: the lists of requests, each with its filters, one page after another."""

from typing import Any

from flask import Response, request

from portal.casework.service import queue
from portal.casework.service.queue import Filters, Tab
from portal.casework.worker.blueprint import bp
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.identity.permissions import Permission


def _filters() -> Filters:
    number = request.args.get("number", "")[:12]
    return Filters(web.number_asked("category"), web.number_asked("area"), number)


def _tab(default: Tab) -> Tab:
    text = request.args.get("tab", default.value)
    return Tab(text) if text in set(Tab) else default


def _listed(permission: Permission, default: Tab) -> dict[str, Any]:
    within, by, tab, filters = scopes(permission), current_actor(), _tab(default), _filters()
    communities = queue.communities(within)
    return {
        "tab": tab,
        "filters": filters,
        "counts": queue.counts(within, by),
        "page": queue.page(within, by, tab, filters, request.args.get("after", "")[:64]),
        "categories": queue.categories(communities),
        "places": queue.places(communities),
        "at": now(),
    }


@bp.route("/")
@requires(Permission.CASES_HANDLE)
def index() -> Response:
    return web.page("casework/worker/index.html", **_listed(Permission.CASES_HANDLE, Tab.MINE))


@bp.route("/supervised")
@requires(Permission.CASES_SUPERVISE)
def supervised() -> Response:
    return web.page("casework/worker/supervised.html", **_listed(Permission.CASES_SUPERVISE, Tab.SUPERVISED))
