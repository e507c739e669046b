"""Worker pages: the five levels that volunteers are organised in, and the stations."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.identity.permissions import Permission
from portal.volunteers.forms.lists import StationForm
from portal.volunteers.forms.people import ReasonForm
from portal.volunteers.service import stations
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


@bp.route("/stations")
@requires(KEEP)
def station_list() -> Response:
    within = scopes(KEEP)
    facts: dict[str, Any] = {"levels": stations.levels(within), "stations": stations.stations(within)}
    return web.page("volunteers/worker/station_list.html", **facts)


@bp.route("/stations/new", methods=["GET", "POST"])
@requires(KEEP)
def station_new() -> Response:
    form = StationForm().offer(stations.candidates(scopes(KEEP)))
    if form.carries_out(lambda: _open(form)):
        flash(_("站点设好了。"), "ok")
        return web.go(".station_list")
    return web.page("volunteers/worker/station_new.html", form=form, status=form.status)


def _open(form: StationForm) -> None:
    opened, by = form.opened_on.data or today(), current_actor()
    stations.open_at(scopes(KEEP), form.facility.data, words=form.text("words"), opened_on=opened, by=by)


@bp.route("/stations/<int:number>/close", methods=["GET", "POST"])
@requires(KEEP)
def station_close(number: int) -> Response:
    found, form = stations.station(scopes(KEEP), number), ReasonForm()
    if form.carries_out(lambda: stations.close(found, reason=form.text("reason"))):
        flash(_("站点已撤下，设施还在。"), "ok")
        return web.go(".station_list")
    return web.page("volunteers/worker/station_close.html", station=found, form=form, status=form.status)
