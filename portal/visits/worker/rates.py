"""Worker pages: the month's visit rate with its names, on paper too, and making the month's list on demand."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import web
from portal.core.access import requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.visits.models import Exclusion
from portal.visits.service import planning
from portal.visits.service import rates as counting
from portal.visits.service.rates import Line, Month, Rate
from portal.visits.worker.blueprint import asked_page, bp

SIZE = 50


def _asked() -> Rate:
    month = Month.of(request.args.get("month", ""))
    return counting.rate(scopes(Permission.VISITS_MANAGE), month, total_name=_("合计"))


@bp.route("/rates")
@requires(Permission.VISITS_MANAGE)
def rates() -> Response:
    month = Month.of(request.args.get("month", ""))
    trend = counting.trend(scopes(Permission.VISITS_MANAGE), month, total_name=_("合计"))
    return web.page("visits/worker/rates.html", rate=trend[0], trend=trend, reasons=list(Exclusion))


@bp.route("/rates/sheet")
@requires(Permission.VISITS_MANAGE)
def rate_sheet() -> Response:
    places = areas.whole_communities(scopes(Permission.VISITS_MANAGE))
    return web.page("visits/worker/rate_sheet.html", rate=_asked(), reasons=list(Exclusion), places=places, at=now())


@bp.route("/rates/names")
@requires(Permission.VISITS_MANAGE)
def rate_names() -> Response:
    rate, page = _asked(), asked_page()
    line, which = _line(rate, request.args.get("grid", "all")), request.args.get("which", "unvisited")
    ids = _ids(line, which)
    found = counting.names(rate.inside, ids, page, SIZE)
    facts: dict[str, Any] = {"line": line, "which": which, "grid": request.args.get("grid", "all"), "page": page}
    shown: dict[str, Any] = {"subjects": found[:SIZE], "more": len(found) > SIZE, "total": len(ids)}
    shown["moved"] = counting.moved_on(rate.inside, ids)
    return web.page("visits/worker/rate_names.html", rate=rate, **facts, **shown, day=rate.month.end)


def _line(rate: Rate, grid: str) -> Line:
    """ "all", "none" for who has no grid, or a grid's id."""
    if grid == "all":
        return rate.total
    wanted = None if grid == "none" else grid
    found = next((line for line in rate.lines if str(line.grid_id or "") == (wanted or "")), None)
    if found is None:
        raise Missing
    return found


def _ids(line: Line, which: str) -> list[int]:
    if which in set(Exclusion):
        return line.excluded.get(Exclusion(which), [])
    if which == "due":
        return [*line.visited, *line.unvisited]
    return line.visited if which == "visited" else line.unvisited


@bp.route("/plan", methods=["POST"])
@requires(Permission.VISITS_MANAGE)
def plan() -> Response:
    """The month's list on demand; every night it makes itself. Of several communities each is a job of its own."""
    places = areas.whole_communities(scopes(Permission.VISITS_MANAGE))
    if len(places) > 1:
        planning.plan_later(places)
        flash(_("%(count)d 个社区的名单正在更新，请过几分钟再看。", count=len(places)), "ok")
        return web.go(".rates")
    try:
        done = [planning.plan(area) for area in places]
        made, listed = sum(one.made for one in done), sum(one.listed for one in done)
        flash(_("探访名单更新好了：在册 %(listed)d 人，新排 %(made)d 次探访。", listed=listed, made=made), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".rates")
