"""Worker pages: who has how much, and where requests stay how long."""

from datetime import timedelta
from typing import Any

from flask import Response

from portal.casework.service import loads
from portal.casework.worker.blueprint import bp
from portal.core import clock, web
from portal.core.access import requires, scopes
from portal.identity.permissions import Permission

SPANS = (30, 90, 365)


@bp.route("/dwelling")
@requires(Permission.CASES_SUPERVISE)
def dwelling() -> Response:
    asked = web.number_asked("days", SPANS[0])
    days = asked if asked in SPANS else SPANS[0]
    within, until = scopes(Permission.CASES_SUPERVISE), clock.now()
    found = loads.dwelling(within, until - timedelta(days=days), until)
    shown: dict[str, Any] = {"found": found, "workers": loads.workers(within), "days": days, "spans": SPANS}
    return web.page("casework/worker/dwelling.html", **shown)
