"""The roster: the week in two views, what a worker does on it, and the pages behind each name and each post."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import web
from portal.core.access import Actor, current_actor, requires, scopes
from portal.core.clock import local, now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.roster import ActForm, asked_of_address, kept, monday_of, told
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import finding, rearranging, roster
from portal.volunteers.service.rearranging import Done
from portal.volunteers.service.roster_rows import Wanted
from portal.volunteers.service.signup_words import signup_said
from portal.volunteers.worker.blueprint import bp
from portal.volunteers.worker.tight import Tight

KEEP = Permission.VOLUNTEERS_KEEP
SHOWN = 12

bp.record_once(lambda state: state.app.jinja_env.add_extension(Tight))
bp.add_app_template_filter(signup_said, "roster_state")
bp.add_app_template_filter(finding.hours_words, "roster_hours")
bp.add_app_template_filter(rearranging.post_words, "roster_post")


@dataclass(frozen=True)
class Links:
    """Addresses of a row's page, with 0 where the row is named."""

    post: str
    place: str
    shift: str

    def to(self, kind: str, row: object) -> str:
        return str(getattr(self, kind)).replace("/0", f"/{row}", 1)


@dataclass(frozen=True)
class Asked:
    """What an address of the roster asks for."""

    communities: list[Area]
    community: Area
    first: date
    people: bool
    wanted: Wanted

    def query(self, **other: str) -> dict[str, Any]:
        """The same as an address; what is "" is left out."""
        said = {"week": self.first.isoformat(), "view": "people" if self.people else "", **self.wanted.query()}
        if len(self.communities) > 1:
            said["community"] = self.community.code
        return {name: value for name, value in (said | other).items() if value}

    def week(self, turns: int) -> dict[str, Any]:
        """The address of a week before or after."""
        return self.query(week=(self.first + timedelta(days=7 * turns)).isoformat())

    @property
    def ids(self) -> list[int]:
        return [self.community.id]

    @cached_property
    def links(self) -> Links:
        """Made once: a week names some hundred of them."""
        post = url_for(".roster_post", post_id=0, **self.query())
        place = url_for(".roster_place", public_id=0, **self.query())
        return Links(post, place, url_for(".shift_page", public_id=0))


def asked_for() -> Asked:
    said = asked_of_address()
    communities = roster.communities_in(scopes(KEEP))
    community = next((one for one in communities if one.code == said.get("community")), communities[0])
    wanted = Wanted(said.get("activity", ""), web.number_asked("skill"), "short" in said)
    return Asked(communities, community, monday_of(said.get("week", "")), said.get("view") == "people", wanted)


@bp.route("/roster", methods=["GET", "POST"], endpoint="roster")
@requires(KEEP)
def roster_page() -> Response:
    asked, form = asked_for(), ActForm()
    me = current_actor()
    done = form.done(lambda: _carry_out(asked.ids, form, me), by=me) if form.validate_on_submit() else None
    if done is None:
        return _page(asked, form, told())
    return web.settle(url_for(".roster", **asked.query(undo=kept(done))), lambda: _page(asked, ActForm.fresh(), done))


def _page(asked: Asked, form: ActForm, done: Done | None) -> Response:
    week = roster.week(asked.ids, asked.first, asked.wanted)
    moment = now()
    facts: dict[str, Any] = {"asked": asked, "week": week, "done": done, "today": today(), "at": moment}
    facts["open_posts"] = week.open_posts(moment) if asked.people else {}
    return web.page("volunteers/worker/roster.html", form=form, status=form.status, **facts)


def _carry_out(ids: list[int], form: ActForm, by: Actor) -> Done:
    reason, act = form.text("reason"), form.text("act")
    if act == "assign":
        volunteer = roster.volunteer_in(ids, form.text("volunteer"))
        return rearranging.assign(roster.post_in(ids, form.number("post")), volunteer, by=by, reason=reason)
    signup = roster.signup_in(ids, form.text("signup"))
    if act == "move":
        return rearranging.move(signup, roster.post_in(ids, form.number("post")), by=by, reason=reason)
    if act == "swap":
        return rearranging.swap(signup, roster.signup_in(ids, form.text("other")), by=by, reason=reason)
    if act == "give":
        return rearranging.give(signup, roster.volunteer_in(ids, form.text("volunteer")), by=by, reason=reason)
    if act == "remove":
        return rearranging.remove(signup, by=by, reason=reason)
    raise Refused(_("没看懂要做什么，请刷新后再试。"))


@bp.route("/roster/places/<public_id>")
@requires(KEEP)
def roster_place(public_id: str) -> Response:
    """Somebody on a post, and every act on it as a plain form."""
    asked = asked_for()
    signup = roster.signup_in(asked.ids, public_id)
    whole = Asked(
        asked.communities, asked.community, monday_of(request.args.get("week", _day(signup))), asked.people, Wanted()
    )
    week, own = roster.week(asked.ids, whole.first), monday_of(_day(signup))
    people = week.people if whole.first == own else roster.week(asked.ids, own).people
    line = next((one for one in people if one.id == signup.volunteer_id), None)
    free = signup.state in rearranging.MOVES and signup.ends_at > now()
    facts: dict[str, Any] = {"asked": whole, "week": week, "people": people, "line": line, "free": free, "at": now()}
    return web.page("volunteers/worker/roster_place.html", signup=signup, form=ActForm.fresh(), **facts)


def _day(signup: Signup) -> str:
    return local(signup.starts_at).date().isoformat()


@bp.route("/roster/posts/<int:post_id>")
@requires(KEEP)
def roster_post(post_id: int) -> Response:
    """Who could take a post, the fairest first, and who not, and why."""
    asked = asked_for()
    post = roster.post_in(asked.ids, post_id)
    found = finding.for_posts([post], asked.ids, now())[post.id]
    fit = [one for one in found if one.fits]
    facts: dict[str, Any] = {"asked": asked, "fit": fit[:SHOWN], "more": len(fit) - SHOWN, "at": now()}
    facts |= {"soft": [one for one in found if one.is_soft][:SHOWN], "unfit": [one for one in found if one.is_hard]}
    return web.page("volunteers/worker/roster_post.html", post=post, form=ActForm.fresh(), **facts)
