"""Worker pages: the figures of a month, the rows behind each, and what was said of the services."""

from typing import Any

from flask import Response, request

from portal.catalogue.service import figures, rating
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import requires, scopes
from portal.identity.permissions import Permission

FIGURES = Permission.CATALOGUE_FIGURES
bp.add_app_template_filter(figures.which_words, "figure_words")


@bp.route("/figures")
@requires(FIGURES)
def figures_page() -> Response:
    wanted = _month()
    lines = figures.month(scopes(FIGURES), wanted)
    facts: dict[str, Any] = {"month": wanted, "lines": lines, "counted": list(figures.Which)}
    return web.page("catalogue/worker/figures_page.html", now_month=figures.month_of("").key, **facts)


@bp.route("/figures/rows")
@requires(FIGURES)
def figure_rows() -> Response:
    said, page, timetable = request.args.get("which", ""), _page(), web.number_asked("timetable")
    which = figures.Which(said) if said in set(figures.Which) else figures.Which.ALL
    rows = figures.rows(scopes(FIGURES), _month(), which, timetable, page=page)
    facts: dict[str, Any] = {"rows": rows[: figures.A_PAGE], "more": len(rows) > figures.A_PAGE, "page": page}
    facts |= {"timetable": timetable or None, "size": figures.A_PAGE}
    return web.page("catalogue/worker/figure_rows.html", month=_month(), which=which, **facts)


@bp.route("/figures/ratings")
@requires(FIGURES)
def ratings_page() -> Response:
    within, wanted, page = scopes(FIGURES), _month(), _page()
    said = rating.words_of(within, wanted, page=page)
    facts: dict[str, Any] = {"lines": rating.month(within, wanted), "page": page, "more": len(said) > rating.A_PAGE}
    return web.page("catalogue/worker/ratings_page.html", month=wanted, said=said[: rating.A_PAGE], **facts)


def _month() -> figures.Month:
    return figures.month_of(request.args.get("month", ""))


def _page() -> int:
    return min(max(web.number_asked("page", 1), 1), 1000)
