"""Resident pages: 身边的设施, open to everybody."""

from typing import Any

from flask import Response, request

from portal.core import web
from portal.core.access import actor_or_none, public
from portal.core.clock import now
from portal.registry.models import FacilityKind
from portal.registry.resident.blueprint import bp
from portal.registry.service import people
from portal.registry.service.resources import hours, words
from portal.registry.service.resources import nearby as near_service


@bp.route("/nearby")
@public
def nearby() -> Response:
    """身边的设施: the public side of a community's facilities and organisations."""
    actor = actor_or_none()
    me = people.person_of_or_none(actor) if actor else None
    found = near_service.communities()
    here = near_service.chosen(found, request.args.get("community", ""), me.community_id if me else None)
    kind = request.args.get("kind", "")
    near = near_service.near(here, kind) if here else None
    facts: dict[str, Any] = {"kind": kind, "kinds": words.choices(FacilityKind)}
    opening: dict[str, Any] = {"is_open": hours.is_open, "of_day": hours.of_day, "moment": now()}
    return web.page("registry/resident/nearby.html", near=near, communities=found, **facts, **opening)


@bp.route("/nearby/facilities/<int:facility_id>")
@public
def nearby_facility(facility_id: int) -> Response:
    found = near_service.facility(facility_id)
    is_open = hours.is_open(found.hours, now())
    return web.page("registry/resident/nearby_facility.html", facility=found, is_open=is_open)


@bp.route("/nearby/organisations/<int:organisation_id>")
@public
def nearby_organisation(organisation_id: int) -> Response:
    found = near_service.organisation(organisation_id)
    is_open = hours.is_open(found.hours, now())
    return web.page("registry/resident/nearby_organisation.html", organisation=found, is_open=is_open)
