"""Worker pages: handing a grid worker's work over, and signing for what was taken."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.home.forms import HandOverForm
from portal.home.service import handover
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission

bp.add_app_template_filter(handover.capability_words, "capability_words")


@bp.route("/hand-overs")
@requires(Permission.DESK)
def hand_overs() -> Response:
    within = scopes(Permission.HAND_OVER)
    found, grids = handover.hand_overs(within, current_actor()), handover.grids(within)
    return web.page("home/worker/hand_overs.html", found=found, grids=grids)


@bp.route("/hand-overs/new/<code>", methods=["GET", "POST"])
@requires(Permission.HAND_OVER, fresh=True)
def hand_over_new(code: str) -> Response:
    grid = handover.grid_in(scopes(Permission.HAND_OVER), code)
    form = HandOverForm.between(handover.givers(grid), handover.takers(grid))
    if form.validate_on_submit():
        try:
            signed = handover.hand_over(grid, form.said(), by=current_actor())
            return web.go(".hand_over", public_id=signed.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("home/worker/hand_over_new.html", form=form, grid=grid, status=form.status)


@bp.route("/hand-overs/<public_id>", methods=["GET", "POST"])
@requires(Permission.DESK)
def hand_over(public_id: str) -> Response:
    """The paper of a hand-over; the taker's POST is her signature."""
    actor = current_actor()
    signed = handover.hand_over_in(scopes(Permission.HAND_OVER), actor, public_id)
    if request.method == "POST":
        handover.receive(signed, by=actor)
        flash(_("已签收。"), "ok")
        return web.go(".hand_over", public_id=public_id)
    return web.page("home/worker/hand_over.html", signed=signed, mine=signed.taker == actor.public_id)
