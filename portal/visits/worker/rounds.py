"""Worker pages: extra rounds in heat, cold and before festivals."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.visits.forms.rounds import RoundForm
from portal.visits.service import rounds as going
from portal.visits.worker.blueprint import bp


@bp.route("/rounds")
@requires(Permission.VISITS_MANAGE)
def rounds() -> Response:
    return web.page("visits/worker/rounds.html", rounds=going.rounds(scopes(Permission.VISITS_MANAGE)), today=today())


@bp.route("/rounds/new", methods=["GET", "POST"])
@requires(Permission.VISITS_MANAGE)
def round_new() -> Response:
    places = areas.whole_communities(scopes(Permission.VISITS_MANAGE))
    form = RoundForm(places)
    if form.validate_on_submit():
        try:
            _make(form)
            return web.go(".rounds")
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/round_new.html", form=form, status=form.status)


def _make(form: RoundForm) -> None:
    """Once, however often the button is pressed."""
    actor, key = current_actor(), form.idem.data or ""
    if tokens.same_request(actor.public_id, "visits.round", key, form.body()) is not None:
        return
    places = areas.whole_communities(scopes(Permission.VISITS_MANAGE))
    community = next((area for area in places if area.code == form.community.data), None)
    if community is None:
        raise Missing
    made = going.make_round(community, form.asked(), by=actor)
    tokens.remember_request(actor.public_id, "visits.round", key, form.body(), str(made.id))
    flash(_("「%(title)s」安排好了，共 %(count)d 人。", title=made.title, count=made.count), "ok")


@bp.route("/rounds/<int:round_id>/cancel", methods=["POST"])
@requires(Permission.VISITS_MANAGE)
def round_cancel(round_id: int) -> Response:
    count = going.cancel_round(scopes(Permission.VISITS_MANAGE), round_id)
    flash(_("专项探访停下了，%(count)d 次还没开始的探访取消了。", count=count), "ok")
    return web.go(".rounds")
