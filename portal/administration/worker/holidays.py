"""Worker pages: holidays and worked weekend days."""

from datetime import date

from flask import Response, abort, flash, request
from flask_babel import gettext as _

from portal.administration.forms import SpecialDayForm
from portal.administration.service import calendar_end
from portal.administration.service import holidays as service
from portal.administration.worker.blueprint import bp
from portal.core import working
from portal.core.access import requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.web import go, number_asked, page, turn_down
from portal.identity.permissions import Permission


@bp.route("/holidays")
@requires(Permission.SETTINGS_EDIT)
def holidays() -> Response:
    year = number_asked("year", today().year)
    months, years = service.months(year), service.years_around(year)
    ends = {"days": working.days_known(), "year": calendar_end.year_to_enter()} if working.ends_soon() else None
    return page("administration/worker/holidays.html", year=year, months=months, years=years, today=today(), ends=ends)


@bp.route("/holidays/<int:year>/fill", methods=["POST"])
@requires(Permission.SETTINGS_EDIT)
def fill_holidays(year: int) -> Response:
    try:
        entered = service.fill(year)
        flash(_("录入了 %(count)s 天", count=entered) if entered else _("这一年的放假安排早已录入，没有新增"), "ok")
    except Refused as refused:
        turn_down(refused)
    return go(".holidays", year=year)


@bp.route("/holidays/day", methods=["GET", "POST"])
@requires(Permission.SETTINGS_EDIT)
def holiday() -> Response:
    special = service.special_day(_day(request.args["day"])) if request.args.get("day") else None
    known = {"day": special.day, "works": "yes" if special.works else "no", "name": special.name} if special else {}
    form = SpecialDayForm(data=known)
    if form.validate_on_submit() and form.day.data:
        try:
            service.set_day(form.day.data, works=form.works.data == "yes", name=form.name.data or "")
            return go(".holidays", year=form.day.data.year)
        except Refused as refused:
            form.refuse(refused)
    return page("administration/worker/holiday.html", status=form.status, form=form, special=special, today=today())


@bp.route("/holidays/<iso>/clear", methods=["POST"])
@requires(Permission.SETTINGS_EDIT)
def clear_holiday(iso: str) -> Response:
    day = _day(iso)
    service.clear_day(day)
    return go(".holidays", year=day.year)


def _day(iso: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError:
        abort(404)
