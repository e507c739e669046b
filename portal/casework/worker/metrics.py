"""Worker pages: the rates of a month or a quarter, the requests behind each number, the sheet, the residents' page."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.casework.models.cases import Case
from portal.casework.service import metrics, metricwords, quarters, queue
from portal.casework.service.metrics import FEWER, By, Left, Measure, Report
from portal.casework.service.periods import Period, months_to, quarter_of
from portal.casework.worker.blueprint import bp
from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.core.sheets.writing import MIME
from portal.identity.permissions import Permission

SIZE = 50
for _word in ("measure_word", "formula_word", "left_word", "by_word", "column_word", "which_word"):
    bp.add_app_template_filter(getattr(metricwords, _word), _word)


def _by() -> By:
    text = request.args.get("by", By.CATEGORY.value)
    return By(text) if text in set(By) else By.CATEGORY


def _report() -> Report:
    return metrics.report(scopes(Permission.CASES_SUPERVISE), Period.of(request.args.get("period", "")), _by())


@bp.route("/figures")
@requires(Permission.CASES_SUPERVISE)
def figures() -> Response:
    found, by = _report(), _by()
    names = {row.key: metricwords.row_name(row, by) for row in found.rows}
    trend = metrics.trend(scopes(Permission.CASES_SUPERVISE), months_to(found.period))
    facts: dict[str, Any] = {"found": found, "by": by, "ways": list(By), "names": names, "trend": trend}
    shown: dict[str, Any] = {"measures": list(Measure), "fewer": FEWER, "reasons": list(Left)}
    return web.page("casework/worker/figures.html", **facts, **shown, quarter=quarter_of(found.period.first))


@bp.route("/figures/cases")
@requires(Permission.CASES_SUPERVISE)
def figure_cases() -> Response:
    found, measure = _report(), request.args.get("measure", "")
    if measure not in {*set(Measure), "sent", "taken"}:
        raise Missing
    row, which = metrics.row_of(found, request.args.get("row", "all")), request.args.get("which", "due")
    ids = _behind(row, measure, which)
    page = min(max(web.number_asked("page", 1), 1), 500)
    cases = _slowest(row, page) if measure == "taken" else _of(ids, page)
    facts: dict[str, Any] = {"found": found, "measure": measure, "which": which, "row": row, "by": _by()}
    shown: dict[str, Any] = {"cases": cases[:SIZE], "more": len(cases) > SIZE, "page": page, "total": len(ids)}
    return web.page("casework/worker/figure_cases.html", **facts, **shown)


def _of(ids: list[int], page: int) -> list[Case]:
    return queue.of_ids(scopes(Permission.CASES_SUPERVISE), current_actor(), ids, page, SIZE)


def _slowest(row: metrics.Row, page: int) -> list[Case]:
    """Those behind the average, the longest first: the first of all is the worst."""
    hours = row.taken.hours
    some = list(hours)[(page - 1) * SIZE : page * SIZE + 1]
    return sorted(_of(some, 1), key=lambda case: -hours[case.id])


def _behind(row: metrics.Row, measure: str, which: str) -> list[int]:
    if measure == "sent":
        return row.sent
    if measure == "taken":
        return list(row.taken.hours)
    return row.figure(Measure(measure)).ids(which)


@bp.route("/figures/sheet", methods=["POST"])
@requires(Permission.CASES_SUPERVISE)
def figure_sheet() -> Response:
    """Counts without names; that they were taken out is recorded."""
    found, by = _report(), _by()
    audit.record("cases.figures_exported", None, period=found.period.key, by=by.value, count=len(found.rows))
    return web.download(metricwords.workbook(found, by), _("诉求统计 %(period)s.xlsx", period=found.period.key), MIME)


@bp.route("/quarters")
@requires(Permission.CASES_DISPATCH)
def quarters_page() -> Response:
    """What residents read of each quarter; a quarter that is over is published once."""
    places = areas.whole_communities(scopes(Permission.CASES_DISPATCH))
    past = quarter_of(today()).before()
    periods = [past, past.before(), past.before().before()]
    held = [(area, periods, {one.quarter: one for one in quarters.published(area)}) for area in places]
    return web.page("casework/worker/quarters_page.html", held=held)


@bp.route("/quarters/<code>/<key>", methods=["POST"])
@requires(Permission.CASES_DISPATCH)
def quarter_publish(code: str, key: str) -> Response:
    places = {area.code: area for area in areas.whole_communities(scopes(Permission.CASES_DISPATCH))}
    if code not in places:
        raise Missing
    try:
        quarters.publish(places[code], Period.of(key), by=current_actor())
        flash(_("已公布，居民可以在公示栏看到。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".quarters_page")
