"""The roster of who leads, on her own platform: her shifts of a week, and who of her team is on each post."""

from datetime import timedelta
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Actor, current_actor, requires
from portal.core.clock import local, now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.roster import ActForm, kept, monday_of, told
from portal.volunteers.models.signups import Signup
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import leading_roster, rearranging, signups
from portal.volunteers.service.rearranging import Done
from portal.volunteers.service.roster_rows import Week

USE = Permission.VOLUNTEERS_USE


@bp.route("/lead/roster", methods=["GET", "POST"])
@requires(USE)
def lead_roster() -> Response:
    form, me = ActForm(), current_actor()
    done = form.done(lambda: _carry_out(form, me), by=me) if form.validate_on_submit() else None
    if done is None:
        return _page(form, told())
    address = url_for(".lead_roster", week=request.args.get("week"), undo=kept(done))
    return web.settle(address, lambda: _page(ActForm.fresh(), done))


def _page(form: ActForm, done: Done | None) -> Response:
    week = leading_roster.week(current_actor(), monday_of(request.args.get("week", "")))
    facts: dict[str, Any] = {"week": week, "weeks": _weeks(week.first), "today": today(), "at": now(), "done": done}
    return web.page("volunteers/resident/lead_roster.html", form=form, status=form.status, **facts)


def _weeks(first: Any) -> tuple[str, str, str]:
    """The week before, this one and the next, as an address says them."""
    before, here, after = ((first + timedelta(days=7 * turn)).isoformat() for turn in (-1, 0, 1))
    return before, here, after


def _carry_out(form: ActForm, me: Actor) -> Done:
    act, signup, post = form.text("act"), form.text("signup"), form.number("post")
    if act == "assign":
        return leading_roster.assign(me, post, form.text("volunteer"))
    if act == "move":
        return leading_roster.move(me, signup, post)
    if act == "swap":
        return leading_roster.swap(me, signup, form.text("other"))
    if act == "give":
        return leading_roster.give(me, signup, form.text("volunteer"))
    if act == "remove":
        return leading_roster.remove(me, signup, reason=form.text("reason"))
    raise Refused(_("没看懂要做什么，请刷新后再试。"))


@bp.route("/lead/roster/places/<public_id>")
@requires(USE)
def lead_place(public_id: str) -> Response:
    """Somebody on a post, and every act on it as a plain form."""
    me = current_actor()
    signup = signups.signup_led(me, public_id)
    week, its = _week_shown_and_its_own(signup)
    free = signup.state in rearranging.MOVES and signup.ends_at > now()
    line = next((one for one in its.people if one.id == signup.volunteer_id), None)
    facts: dict[str, Any] = {"week": week, "weeks": _weeks(week.first), "line": line, "free": free, "at": now()}
    facts["takers"] = leading_roster.takers(me, its, signup)
    return web.page("volunteers/resident/lead_place.html", signup=signup, form=ActForm.fresh(), **facts)


def _week_shown_and_its_own(signup: Signup) -> tuple[Week, Week]:
    """The week to choose from; and the shift's own, whose hours count for whoever has the shift."""
    me, own = current_actor(), monday_of(local(signup.starts_at).date().isoformat())
    shown = monday_of(request.args.get("week", own.isoformat()))
    week = leading_roster.week(me, shown)
    return week, week if shown == own else leading_roster.week(me, own)


@bp.route("/lead/roster/posts/<int:post_id>")
@requires(USE)
def lead_post(post_id: int) -> Response:
    """Who of her team could take a post, the fairest first; who not, and why."""
    me = current_actor()
    post = leading_roster.post_led(me, post_id)
    found = leading_roster.candidates(me, post)
    fit, unfit = [one for one in found if one.fits], [one for one in found if not one.fits]
    week = monday_of(local(post.shift.starts_at).date().isoformat()).isoformat()
    facts: dict[str, Any] = {"fit": fit, "unfit": unfit, "week": week, "open": post.shift.ends_at > now()}
    return web.page("volunteers/resident/lead_post.html", post=post, form=ActForm.fresh(), **facts)
