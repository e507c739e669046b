"""Worker pages: communities and grids in figures, who works there, what is open."""

from flask import Response

from portal.core import web
from portal.core.access import requires, scopes
from portal.home.service import grid as service
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission
from portal.registry.models import TagKind
from portal.registry.service import figures, words
from portal.registry.service.figures import Band


def _band_row(band: Band) -> tuple[str, int, int]:
    return band.words, band.men, band.women


def _tag_row(line: tuple[TagKind, int]) -> tuple[str, int]:
    return words.tag(line[0]), line[1]


bp.add_app_template_filter(_band_row, "band_row")
bp.add_app_template_filter(_tag_row, "tag_row")


@bp.route("/grids")
@requires(Permission.PEOPLE_READ)
def grids() -> Response:
    areas = service.areas_in(scopes(Permission.PEOPLE_READ))
    counts = figures.counts_of(areas)
    return web.page("home/worker/grids.html", lines=[(area, counts[area.id]) for area in areas])


@bp.route("/grids/<code>")
@requires(Permission.PEOPLE_READ)
def grid(code: str) -> Response:
    shown = service.page_of(scopes(Permission.PEOPLE_READ), code)
    return web.page("home/worker/grid.html", shown=shown, is_grid=service.is_grid(shown.area))
