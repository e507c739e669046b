"""Resident page: where the volunteers' stations are; open to everybody."""

from flask import Response

from portal.core import web
from portal.core.access import public
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import stations


@bp.route("/stations")
@public
def station_places() -> Response:
    return web.page("volunteers/resident/station_places.html", stations=stations.stations())
