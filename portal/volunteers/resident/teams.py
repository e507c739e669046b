"""Resident pages of volunteer teams: wishing to be in one, and for their leaders, who keep only their own."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, requires
from portal.core.errors import Refused
from portal.core.forms import Form
from portal.identity.permissions import Permission
from portal.volunteers.forms.people import ReasonForm, WishForm
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import people, teams

USE = Permission.VOLUNTEERS_USE


@bp.route("/teams")
@requires(USE)
def team_list() -> Response:
    me = people.me_or_none(current_actor())
    facts: dict[str, Any] = {"found": teams.teams_for(me), "me": me, "led": teams.led_by(current_actor())}
    return web.page("volunteers/resident/team_list.html", **facts)


@bp.route("/teams/<int:number>/ask", methods=["GET", "POST"])
@requires(USE)
def team_ask(number: int) -> Response:
    found, me, form = teams.team(number), people.me(current_actor()), WishForm()
    if form.carries_out(lambda: teams.ask(found, me, words=form.text("words"))):
        flash(_("已申请，等队长答复，结果会发通知。"), "ok")
        return web.go(".team_list")
    return web.page("volunteers/resident/team_ask.html", team=found, form=form, status=form.status)


@bp.route("/teams/<int:number>/withdraw", methods=["POST"])
@requires(USE)
def team_withdraw(number: int) -> Response:
    me = people.me(current_actor())
    return _done(lambda: teams.withdraw(teams.team(number), me), _("申请已收回。"))


@bp.route("/teams/<int:number>/leave", methods=["POST"])
@requires(USE)
def team_quit(number: int) -> Response:
    me = people.me(current_actor())
    return _done(lambda: teams.leave(teams.team(number), me), _("已离开这支志愿队。"))


def _done(act: Callable[[], object], words: str, endpoint: str = ".team_list", **values: Any) -> Response:
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(endpoint, **values)


@bp.route("/teams/join/<word>", methods=["GET", "POST"])
@requires(USE)
def team_join(word: str) -> Response:
    """An invitation that was scanned or opened."""
    form = Form()
    try:
        found = teams.invited_to(word)
    except Refused as refused:
        web.turn_down(refused, "bad")
        return web.go(".team_list")
    me = people.me_or_none(current_actor())
    if form.carries_out(lambda: teams.join_invited(found, people.me(current_actor()))):
        flash(_("您已加入%(team)s。", team=found.name), "ok")
        return web.go(".team_list")
    return web.page("volunteers/resident/team_join.html", team=found, me=me, form=form, status=form.status)


@bp.route("/lead/teams")
@requires(USE)
def lead_teams() -> Response:
    led = teams.led_by(current_actor())
    return web.page("volunteers/resident/lead_teams.html", teams=led, wishes=teams.open_wishes(led))


@bp.route("/lead/teams/<int:number>")
@requires(USE)
def lead_team(number: int) -> Response:
    found = teams.team_led(current_actor(), number)
    facts: dict[str, Any] = {"members": teams.members(found), "wishes": teams.open_wishes([found])}
    return web.page("volunteers/resident/lead_team.html", team=found, **facts)


@bp.route("/lead/teams/<int:number>/invite")
@requires(USE)
def lead_team_invite(number: int) -> Response:
    found = teams.team_led(current_actor(), number)
    address = web.absolute(".team_join", word=teams.invitation(found))
    qr = files.qr_svg(address, title=_("加入志愿队的二维码"))
    return web.page("volunteers/resident/lead_team_invite.html", team=found, address=address, qr=qr)


@bp.route("/lead/teams/<int:number>/wishes/<public_id>/accept", methods=["POST"])
@requires(USE)
def lead_wish_accept(number: int, public_id: str) -> Response:
    found = teams.team_led(current_actor(), number)
    wish = teams.wish_of(teams.open_wishes([found]), public_id)
    words = _("%(name)s 已加入。", name=wish.volunteer.person.name)
    return _done(lambda: teams.accept(wish, by=current_actor()), words, ".lead_team", number=number)


@bp.route("/lead/teams/<int:number>/wishes/<public_id>/refuse", methods=["GET", "POST"])
@requires(USE)
def lead_wish_refuse(number: int, public_id: str) -> Response:
    found, form = teams.team_led(current_actor(), number), ReasonForm()
    wish = teams.wish_of(teams.open_wishes([found]), public_id)
    if form.carries_out(lambda: teams.refuse(wish, by=current_actor(), reason=form.text("reason"))):
        flash(_("已答复。"), "ok")
        return web.go(".lead_team", number=number)
    facts: dict[str, Any] = {"title": _("婉拒申请"), "name": wish.volunteer.person.name}
    return web.page("volunteers/resident/lead_team_act.html", team=found, form=form, status=form.status, **facts)


@bp.route("/lead/teams/<int:number>/members/<int:member_id>/remove", methods=["GET", "POST"])
@requires(USE)
def lead_team_remove(number: int, member_id: int) -> Response:
    found, form = teams.team_led(current_actor(), number), ReasonForm()
    member = teams.member_of(found, member_id)
    if form.carries_out(lambda: teams.remove(found, member_id, reason=form.text("reason"))):
        flash(_("已请这位队员离开，原因会告诉本人。"), "ok")
        return web.go(".lead_team", number=number)
    facts: dict[str, Any] = {"title": _("请队员离开"), "name": member.person.name}
    return web.page("volunteers/resident/lead_team_act.html", team=found, form=form, status=form.status, **facts)
