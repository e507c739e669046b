"""Residents' pages: a community's quarters as they were published."""

from flask import Response

from portal.areas import service as areas
from portal.casework.resident.blueprint import bp
from portal.casework.service import metricwords, quarters
from portal.casework.service.periods import Period
from portal.core import web
from portal.core.access import public


def _percent(permille: int | None) -> str:
    return "" if permille is None else f"{permille // 10}.{permille % 10}%"


def _quarter_words(key: str) -> str:
    return Period.of(key).words()


bp.add_app_template_filter(_percent, "permille")
bp.add_app_template_filter(_quarter_words, "quarter_words")
bp.add_app_template_filter(metricwords.measure_word, "rate_word")


@bp.route("/board/<code>/quarters")
@public
def quarters_of(code: str) -> Response:
    area = areas.by_code(code)
    return web.page("casework/resident/quarters_of.html", area=area, found=quarters.published(area))


@bp.route("/board/<code>/quarters/<key>")
@public
def quarter(code: str, key: str) -> Response:
    area = areas.by_code(code)
    found = quarters.page_of(area, key)
    return web.page(
        "casework/resident/quarter.html", area=area, found=found, figures=found.figures, order=quarters.SHOWN
    )
