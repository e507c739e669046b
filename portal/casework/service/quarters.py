"""The quarter's page for residents: frozen when it is published, with small numbers hidden."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.casework.models.answers import QuarterPage
from portal.casework.service import metrics
from portal.casework.service.metrics import Figure, Measure, Report, Row
from portal.casework.service.periods import Period
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused

# Fewer than this could show who is meant.
SMALLEST = 5
SHOWN = (Measure.RESPONDED, Measure.FINISHED, Measure.SOLVED, Measure.SATISFIED, Measure.CALLED_BACK)


def publish(area: Area, period: Period, *, by: Actor) -> QuarterPage:
    """Freeze a quarter that is over, once."""
    if not period.is_quarter or not period.is_over():
        raise Refused(_("季度结束以后才能公布。"))
    page = QuarterPage(
        community_id=area.id,
        quarter=period.key,
        figures=frozen(metrics.of_community(area, period)),
        published_at=now(),
        published_by_name=by.name,
    )
    with unique_or(Refused(_("这个季度已经公布过了，公布的数字不再改动。"))):
        db.session.add(page)
    audit.record("cases.quarter_published", page, quarter=period.key)
    return page


def frozen(report: Report) -> dict[str, Any]:
    """A report as it is kept: counts below the smallest are none, and nothing can be worked out from what is left."""
    return {
        "sent": _count(len(report.total.sent)),
        "rates": {measure.value: _rate(report.total.figure(measure)) for measure in SHOWN},
        "hours": _hours(report.total),
        "categories": _categories(report.rows),
    }


def _count(number: int) -> int | None:
    return number if number >= SMALLEST else None


def _rate(figure: Figure) -> dict[str, int | None]:
    """Of a small denominator nothing is said; where a part of it is small, the rate alone without what it counts."""
    if figure.due < SMALLEST:
        return {"due": None, "met": None, "permille": None}
    if any(0 < part < SMALLEST for part in (len(figure.met), len(figure.missed))):
        return {"due": None, "met": None, "permille": figure.permille}
    return {"due": figure.due, "met": len(figure.met), "permille": figure.permille}


def _hours(row: Row) -> float | None:
    average = row.taken.average_hours
    return round(average, 1) if average is not None and len(row.taken.minutes) >= SMALLEST else None


def _categories(rows: list[Row]) -> list[dict[str, Any]]:
    """By category; all small ones together under one name, themselves hidden where they are few."""
    large = [row for row in rows if len(row.sent) >= SMALLEST]
    rest = sum(len(row.sent) for row in rows) - sum(len(row.sent) for row in large)
    found: list[dict[str, Any]] = [
        {"name": row.name, "sent": len(row.sent), "finished": _rate(row.figure(Measure.FINISHED))} for row in large
    ]
    if rest:
        found.append({"name": "", "sent": _count(rest), "finished": None})
    return found


def published(area: Area) -> list[QuarterPage]:
    """A community's published quarters, the newest first."""
    query = sa.select(QuarterPage).where(QuarterPage.community_id == area.id)
    return list(db.session.scalars(query.order_by(QuarterPage.quarter.desc(), QuarterPage.id)))


def page_of(area: Area, quarter: str) -> QuarterPage:
    found = next((one for one in published(area) if one.quarter == quarter), None)
    if found is None:
        raise Missing
    return found
