"""The resident platform of home."""

from dataclasses import replace

from flask import Blueprint, Response, abort, current_app, g, request

from portal.config import Config
from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires, safe_next
from portal.home import service
from portal.home.forms import PreferencesForm
from portal.identity.permissions import Permission
from portal.notifications import wording
from portal.notifications.service import inbox
from portal.registry.models import Person
from portal.registry.service import claims, people, records

bp = Blueprint("resident", __name__)
A_YEAR = 365 * 24 * 3600
NOTICES = 3


@bp.route("/")
@public
def index() -> Response:
    """Everybody's first page: what can be done here, and for who is signed in, what waits."""
    actor = actor_or_none()
    home = service.home_of(actor)
    _name_the_place(home.person)
    notices = inbox.notices_of(actor, NOTICES) if actor else []
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    return web.page("home/resident/index.html", home=home, lines=lines)


def _name_the_place(person: Person | None) -> None:
    """Put the name of the reader's community into the head of this page."""
    if person:
        g.view = replace(web.current_view(), place_name=person.community.name)


@bp.route("/me")
@requires(Permission.SELF)
def me() -> Response:
    person = people.person_of_or_none(current_actor())
    claim = claims.claim_of(current_actor())
    return web.page("home/resident/me.html", person=person, claim=claim)


@bp.route("/me/looked")
@requires(Permission.SELF)
def looked() -> Response:
    """谁看过我的信息: also the answer to a right that the law on personal information gives."""
    person = people.person_of_or_none(current_actor())
    return web.page("home/resident/looked.html", person=person, looks=records.looks_at(person) if person else [])


@bp.route("/preferences", methods=["POST"])
@public
def preferences() -> Response:
    form = PreferencesForm()
    if not form.validate_on_submit():
        abort(400)
    config: Config = current_app.extensions["portal.config"]
    response = web.go_to(safe_next(request.form.get("next"), "/"))
    for name, value in (("scale", form.scale.data), ("locale", form.locale.data)):
        if value:
            response.set_cookie(name, value, max_age=A_YEAR, secure=config.production, httponly=True, samesite="Lax")
    return response
