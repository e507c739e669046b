"""Resident pages of a volunteer on a shift: whom she serves, shown on asking and on the record; done with words."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.served import DoneForm
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import serving

USE = Permission.VOLUNTEERS_USE


@bp.route("/shifts/<public_id>/served", methods=["GET", "POST"])
@requires(USE)
def served_mine(public_id: str) -> Response:
    """How many they are; who they are only after the button, for each of them is told who looked."""
    shift, mine = serving.own_shift(current_actor(), public_id)
    facts: dict[str, Any] = {"count": serving.count_for(shift, mine), "hidden": serving.why_hidden(shift, now())}
    facts |= {"waits": serving.waits_for_yes(shift, mine), "open": serving.may_be_done(shift, now())}
    facts["shown"] = serving.show(shift, mine) if request.method == "POST" and not facts["hidden"] else None
    return web.page("volunteers/resident/served_mine.html", shift=shift, **facts)


@bp.route("/served/<public_id>/done", methods=["POST"])
@requires(USE)
def served_done(public_id: str) -> Response:
    form = DoneForm()
    try:
        served = serving.finish(current_actor(), public_id, _words(form))
        flash(_("记好了，谢谢您。"), "ok")
        return web.go(".served_mine", public_id=served.shift.public_id)
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".my_shifts")


def _words(form: DoneForm) -> str:
    if not form.validate():
        raise Refused(_("请写一句情况再登记完成，最多 100 个字。"))
    return form.text("words")
