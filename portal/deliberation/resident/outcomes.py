"""Resident pages of outcomes: what was decided, objecting to it while it is published."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.outcomes import ObjectForm
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import objections, outcome_words, outcomes, reach
from portal.identity.permissions import Permission

USE = Permission.DELIBERATION_USE
bp.add_app_template_filter(outcome_words.outcome_said, "outcome_said")
bp.add_app_template_filter(outcome_words.outcome_tint, "outcome_tint")
bp.add_app_template_filter(outcome_words.standing_said, "outcome_standing")


@bp.route("/outcomes")
@public
def outcome_list() -> Response:
    page = max(web.number_asked("page", 1), 1)
    found, more = outcomes.listed(page=page)
    return web.page("deliberation/resident/outcome_list.html", found=found, more=more, page=page)


@bp.route("/outcomes/<int:outcome_id>")
@public
def outcome_page(outcome_id: int) -> Response:
    found, me = outcomes.shown(outcome_id), reach.person_of(actor_or_none())
    facts: dict[str, Any] = {"open": outcomes.takes_objections(found, today()), "me": me}
    facts["mine"] = objections.mine(found, me)
    return web.page("deliberation/resident/outcome_page.html", outcome=found, **facts)


@bp.route("/outcomes/<int:outcome_id>/object", methods=["GET", "POST"])
@requires(USE)
def outcome_object(outcome_id: int) -> Response:
    found, form = outcomes.shown(outcome_id), ObjectForm()
    try:
        person = objections.who_may(found, current_actor())
    except Refused as refused:
        web.turn_down(refused)
        return web.go(".outcome_page", outcome_id=outcome_id)
    act = lambda: objections.make(found, person, words=form.text("words"))  # noqa: E731
    if form.carries_out(lambda: _once(form, act)):
        flash(_("异议已提交，%(area)s会答复，结果发通知给您。", area=found.topic.area.name), "ok")
        return web.go(".outcome_page", outcome_id=outcome_id)
    return web.page("deliberation/resident/outcome_object.html", outcome=found, form=form, status=form.status)


def _once(form: ObjectForm, act: Any) -> str:
    return made_once("deliberation.objection", form, act)


@bp.route("/outcomes/<int:outcome_id>/objections/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def outcome_unobject(outcome_id: int, public_id: str) -> Response:
    found = _own(outcomes.shown(outcome_id), public_id)
    try:
        objections.withdraw(found)
        flash(_("异议已收回。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".outcome_page", outcome_id=outcome_id)


def _own(outcome: Outcome, public_id: str) -> Objection:
    return objections.own(outcome, public_id, reach.person_of(current_actor()))
