"""Resident pages of ideas: read them, propose one (what says the same is shown first), support, take back."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.core.tokens import throttle
from portal.deliberation.forms.ideas import IdeaFilter, IdeaForm, IdeaReasonForm, PlainForm
from portal.deliberation.models.topics import Idea
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import idea_words, ideas, proposing, reach
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

USE = Permission.DELIBERATION_USE
bp.add_app_template_filter(idea_words.state_said, "idea_state")
bp.add_app_template_filter(idea_words.state_tint, "idea_tint")
bp.add_app_template_filter(idea_words.writer_said, "idea_writer")
bp.add_app_template_filter(idea_words.standing_said, "idea_standing")
bp.add_app_template_filter(idea_words.is_late, "idea_late")


@bp.route("/ideas")
@public
def idea_list() -> Response:
    me, tab, page = reach.person_of(actor_or_none()), request.args.get("tab", "open"), web.number_asked("page", 1)
    form = IdeaFilter(request.args).offer(ideas.communities(), me.community_id if me else None)
    tab, page = tab if tab in ideas.TABS or (tab == "mine" and me) else "open", max(page, 1)
    found, more = (
        ideas.mine(me, page)
        if tab == "mine" and me
        else ideas.listed(tab, community=form.place(), category=form.kind(), page=page)
    )
    facts: dict[str, Any] = {"found": found, "more": more, "tab": tab, "page": page, "me": me, "form": form}
    return web.page("deliberation/resident/idea_list.html", **facts)


@bp.route("/ideas/new", methods=["GET", "POST"])
@requires(USE)
def idea_new() -> Response:
    """What perhaps says the same is shown while she types, and in any case before the first post of it counts."""
    me, form = people.person_of_or_none(current_actor()), IdeaForm()
    if me is None:
        return web.page("deliberation/resident/idea_new.html", form=None, me=None)
    near = ideas.alike(me.community_id, form.so_far(), writer=me) if form.is_submitted() else []
    looks = bool(form.look.data or (near and not form.text("seen")))
    if not looks and form.carries_out(lambda: _proposed(form, me)):
        return web.go(".idea_page", idea_id=form.made)
    facts: dict[str, Any] = {"form": form, "me": me, "near": near, "looked": looks, "status": form.status}
    return web.page("deliberation/resident/idea_new.html", **facts)


def _proposed(form: IdeaForm, me: Person) -> None:
    def make() -> proposing.Proposed:
        made = proposing.propose(me, me.community, form.said())
        if made.veiled:
            flash(made.veiled, "warn")
        return made

    form.made = int(made_once("deliberation.idea", form, make))


@bp.route("/ideas/<int:idea_id>")
@public
def idea_page(idea_id: int) -> Response:
    me = reach.person_of(actor_or_none())
    found = ideas.shown(idea_id, me)
    facts: dict[str, Any] = {"mine": ideas.is_mine(found, me), "backed": ideas.supported_by(found, me), "me": me}
    facts["given_up"] = ideas.given_up_why(found)
    return web.page("deliberation/resident/idea_page.html", idea=found, form=PlainForm(), **facts)


@bp.route("/ideas/<int:idea_id>/support", methods=["POST"])
@requires(USE)
def idea_support(idea_id: int) -> Response:
    throttle("deliberation.idea_support", current_actor().public_id, limit=30, per=timedelta(minutes=1))
    found = _asked(idea_id)
    try:
        person = reach.person_near([found.community_id], current_actor())
        reached = proposing.support(found, person)
        flash(_("已附议，够人数了，这就交给居委会。") if reached else _("已附议，谢谢您。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".idea_page", idea_id=idea_id)


@bp.route("/ideas/<int:idea_id>/unsupport", methods=["POST"])
@requires(USE)
def idea_unsupport(idea_id: int) -> Response:
    found = _asked(idea_id)
    try:
        proposing.unsupport(found, people.person_of(current_actor()))
        flash(_("附议已收回。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".idea_page", idea_id=idea_id)


@bp.route("/ideas/<int:idea_id>/withdraw", methods=["GET", "POST"])
@requires(USE)
def idea_withdraw(idea_id: int) -> Response:
    found, form = ideas.own(idea_id, reach.person_of(current_actor())), IdeaReasonForm()
    if form.carries_out(lambda: proposing.withdraw(found, reason=form.text("reason"))):
        flash(_("建议已收回。"), "ok")
        return web.go(".idea_list", tab="mine")
    return web.page("deliberation/resident/idea_withdraw.html", idea=found, form=form, status=form.status)


def _asked(idea_id: int) -> Idea:
    return ideas.shown(idea_id, reach.person_of(current_actor()))
