"""Worker pages: handing a grid worker's work over, signing for what was taken, and taking it back."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.home.forms import HandOverForm, TakeBackForm
from portal.home.service import handover
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission

bp.add_app_template_filter(handover.passed_words, "passed_words")
bp.add_app_template_filter(handover.kinds_words, "kinds_words")


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
    form = HandOverForm.between(handover.givers(grid), handover.takers(grid), request.args)
    if form.validate_on_submit():
        try:
            signed = handover.hand_over(grid, form.said(), by=current_actor())
            return web.go(".hand_over", public_id=signed.public_id)
        except Refused as refused:
            form.refuse(refused)
            form.signed.data = False
    preview = handover.preview(grid, form.giver.data or "", form.taker.data or "")
    return web.page("home/worker/hand_over_new.html", form=form, grid=grid, preview=preview, status=form.status)


@bp.route("/hand-overs/<public_id>", methods=["GET", "POST"])
@requires(Permission.DESK)
def hand_over(public_id: str) -> Response:
    """The paper of a hand-over; the taker's POST is her signature."""
    actor, within = current_actor(), scopes(Permission.HAND_OVER)
    signed = handover.hand_over_in(within, actor, public_id)
    if request.method == "POST":
        try:
            handover.receive(signed, by=actor)
            flash(_("已签收。"), "ok")
        except Refused as refused:
            web.turn_down(refused)
        return web.go(".hand_over", public_id=public_id)
    back = bool(within) and handover.may_take_back(within, signed)
    return web.page("home/worker/hand_over.html", signed=signed, mine=signed.taker == actor.public_id, back=back)


@bp.route("/hand-overs/<public_id>/back", methods=["GET", "POST"])
@requires(Permission.HAND_OVER, fresh=True)
def hand_over_back(public_id: str) -> Response:
    signed, form = handover.signed_in(scopes(Permission.HAND_OVER), public_id), TakeBackForm()
    if form.validate_on_submit():
        try:
            handover.take_back(signed, form.text("why"), by=current_actor())
            flash(_("已整体收回，工作都回到%(name)s名下。", name=signed.giver_name), "ok")
            return web.go(".hand_over", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("home/worker/hand_over_back.html", form=form, signed=signed, status=form.status)
