"""Resident pages of a guardian: the children's service as volunteers, agreed to, declined, withdrawn."""

from collections.abc import Callable

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.people import AgreeForm
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import guardians, moving
from portal.volunteers.service.guardians import Ward

USE = Permission.VOLUNTEERS_USE


def _ward(public_id: str) -> Ward:
    return guardians.ward(current_actor(), public_id)


@bp.route("/wards")
@requires(USE)
def wards_page() -> Response:
    return web.page("volunteers/resident/wards_page.html", wards=guardians.wards(current_actor()), today=today())


@bp.route("/wards/<public_id>/agree", methods=["GET", "POST"])
@requires(USE)
def ward_agree(public_id: str) -> Response:
    found, form, actor = _ward(public_id), AgreeForm(), current_actor()
    if form.carries_out(lambda: guardians.agree(found, by=actor, comes_along=bool(form.comes_along.data))):
        flash(_("已同意。%(name)s 可以报名合适的活动了。", name=found.person.name), "ok")
        return web.go(".wards_page")
    return web.page("volunteers/resident/ward_agree.html", form=form, ward=found, status=form.status)


@bp.route("/wards/<public_id>/decline", methods=["POST"])
@requires(USE)
def ward_decline(public_id: str) -> Response:
    found = _ward(public_id)
    return _done(lambda: guardians.decline(found, by=current_actor()), _("已答复不同意，登记不再办理。"))


@bp.route("/wards/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def ward_withdraw(public_id: str) -> Response:
    found = _ward(public_id)
    words = _("已撤回同意，孩子后面的班次都已退出。")
    return _done(lambda: moving.consent_withdrawn(found, by=current_actor()), words)


def _done(act: Callable[[], object], words: str) -> Response:
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".wards_page")
