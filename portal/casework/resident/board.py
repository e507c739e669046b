"""The public board of a community: what was asked, what was done, before and after, and the three rates."""

from datetime import date
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.casework.models.codes import PhotoStage
from portal.casework.resident.blueprint import bp
from portal.casework.resident.reporting import picture_response
from portal.casework.service import board as showing
from portal.casework.service import choosing, following, photos
from portal.casework.service.board import Asked
from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.identity.permissions import Permission
from portal.registry.service import people

bp.add_app_template_filter(showing.public_photos, "public_photos")


@bp.route("/board")
@public
def board() -> Response:
    areas = showing.communities()
    area = showing.community(areas, request.args.get("area", ""), actor_or_none())
    asked = Asked(_category(), _month(), min(max(web.number_asked("page", 1), 1), 500))
    found = showing.shown(area, asked) if area else []
    facts: dict[str, Any] = {
        "areas": areas,
        "firsts": choosing.firsts(area.code) if area else [],
        "months": showing.months(),
        "rates": showing.rates(area, asked) if area else [],
    }
    more = len(found) > showing.A_PAGE
    return web.page(
        "casework/resident/board.html", area=area, asked=asked, found=found[: showing.A_PAGE], more=more, **facts
    )


def _category() -> str:
    """A code as an address can hold it."""
    text = request.args.get("category", "")[:40]
    return text if text.isidentifier() else ""


def _month() -> date | None:
    """The month asked for, if it is one of those shown."""
    asked = request.args.get("month")
    return next((one for one in showing.months() if f"{one:%Y-%m}" == asked), None) if asked else None


@bp.route("/board/<public_id>")
@public
def board_case(public_id: str) -> Response:
    stages = (PhotoStage.BEFORE, PhotoStage.AFTER)
    return web.page("casework/resident/board_case.html", case=showing.released(public_id), stages=stages)


@bp.route("/board/<public_id>/photos/<photo_id>")
@public
def board_photo(public_id: str, photo_id: str) -> Response:
    return picture_response(photos.public_picture(showing.released(public_id), photo_id))


@bp.route("/board/<public_id>/follow", methods=["POST"])
@requires(Permission.CASES_REPORT)
def board_follow(public_id: str) -> Response:
    following.follow(showing.released(public_id), people.person_of(current_actor()))
    flash(_("已关注，有进展会通知您。"), "ok")
    return web.go(".followed", public_id=public_id)
