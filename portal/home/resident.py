"""The resident platform of home."""

from dataclasses import replace

from flask import Blueprint, Response, abort, current_app, flash, request
from flask_babel import gettext as _

from portal.config import Config
from portal.core import sheets, web
from portal.core.access import (
    Platform,
    actor_or_none,
    current_actor,
    guard_of,
    public,
    request_view,
    requires,
    safe_next,
)
from portal.core.clock import now
from portal.core.db import SAFE_METHODS
from portal.core.errors import Refused
from portal.home.forms import ClosingForm, PreferencesForm, TakeCopyForm
from portal.home.service import closing as closing_service
from portal.home.service import copies as copying
from portal.home.service import start
from portal.identity import credentials
from portal.identity.permissions import Permission
from portal.meals.service.kitchen import dish_words
from portal.notifications import wording
from portal.notifications.service import inbox, reading
from portal.registry.forms.rights import PasswordAgainForm
from portal.registry.models import Person
from portal.registry.service import claims, people
from portal.registry.service.rights import closing as rights_closing
from portal.registry.service.rights import copies as kept
from portal.registry.service.rights import looking

bp = Blueprint("resident", __name__)
# What an account that waits to be closed may still send: what changes nothing of its own, ends what it had allowed, or
# keeps a stranger out of it.
WHILE_CLOSING = frozenset(
    {
        "home.resident.closing",
        "home.resident.closing_take_back",
        "home.resident.copies",
        "home.resident.copy",
        "identity.resident.end_other_sessions",
        "identity.resident.end_session",
        "identity.resident.password",
        "notifications.resident.announcement_read",
        "notifications.resident.read_all",
        "registry.resident.agent_decline",
        "registry.resident.agent_end",
        "registry.resident.consent_withdraw",
        "registry.resident.mine_reveal",
    }
)
bp.add_app_template_filter(dish_words, "ordered_dishes")
A_YEAR = 365 * 24 * 3600
NOTICES = 3


@bp.before_app_request
def _refuse_while_closing() -> Response | None:
    """One guard for whatever a resident's page sends, so that no page can forget it."""
    actor = actor_or_none()
    if request.method in SAFE_METHODS or request.endpoint is None or request.endpoint in WHILE_CLOSING:
        return None
    guard = guard_of(request_view())
    if actor is None or actor.platform is not Platform.RESIDENT or guard is None or guard.public:
        return None
    day = actor.closes_on
    return web.page("home/resident/closing_first.html", day=day, status=422) if day else None


@bp.route("/")
@public
def index() -> Response:
    """Everybody's first page: what can be done here, and for who is signed in, what waits."""
    actor = actor_or_none()
    home = start.home_of(actor)
    _name_the_place(home.person)
    notices = inbox.notices_of(actor, NOTICES) if actor else []
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    told = reading.newest(actor, home.person, NOTICES)
    return web.page("home/resident/index.html", home=home, lines=lines, announcements=told)


def _name_the_place(person: Person | None) -> None:
    """Put the name of the reader's community into the head of this page."""
    if person:
        web.show_as(replace(web.current_view(), place_name=person.community.name))


@bp.route("/me")
@requires(Permission.SELF)
def me() -> Response:
    person = people.person_of_or_none(current_actor())
    claim = claims.claim_of(current_actor())
    closing_asked = rights_closing.asked(current_actor().account_id)
    return web.page("home/resident/me.html", person=person, claim=claim, closing=closing_asked)


@bp.route("/me/looked")
@requires(Permission.SELF)
def looked() -> Response:
    """谁看过我的信息: also the answer to a right that the law on personal information gives."""
    person, before = people.person_of_or_none(current_actor()), request.args.get("before", "")
    found = looking.looks(person, before=before) if person else looking.Page([])
    return web.page("home/resident/looked.html", person=person, found=found, before=before)


@bp.route("/me/copies", methods=["GET", "POST"])
@requires(Permission.SELF)
def copies() -> Response:
    """取一份我的资料: made at once after the password, kept for a day."""
    actor, form = current_actor(), PasswordAgainForm()
    if form.validate_on_submit():
        try:
            credentials.check_own_password(actor, form.text("password"))
            kept.throttle(actor)
            made = copying.make(people.person_of(actor), by=actor)
            return web.go(".copy", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    person = people.person_of_or_none(actor)
    made_before = kept.copies_of(person) if person else []
    return web.page("home/resident/copies.html", person=person, form=form, copies=made_before, status=form.status)


@bp.route("/me/copies/<public_id>", methods=["GET", "POST"])
@requires(Permission.SELF)
def copy(public_id: str) -> Response:
    actor, form = current_actor(), TakeCopyForm()
    if form.validate_on_submit():
        try:
            credentials.check_own_password(actor, form.text("password"))
            return _handed_out(people.person_of(actor), public_id, str(form.kind.data))
        except Refused as refused:
            form.refuse(refused)
    found = kept.copy_of(people.person_of(actor), public_id)
    return web.page("home/resident/copy.html", form=form, copy=found, status=form.status)


def _handed_out(person: Person, public_id: str, kind: str) -> Response:
    body = kept.take(person, public_id)
    if kind == "xlsx":
        return web.download(copying.workbook(body), _("我的资料.xlsx"), sheets.MIME)
    if kind == "json":
        return web.download(copying.as_json(body), _("我的资料.json"), "application/json")
    return web.page("home/resident/copy_sheet.html", person=person, sections=copying.sections(body), now=now())


@bp.route("/me/closing", methods=["GET", "POST"])
@requires(Permission.SELF)
def closing() -> Response:
    """注销账号: what it means, what is still open, and the days in which it may be taken back."""
    actor, form = current_actor(), ClosingForm()
    if form.validate_on_submit():
        try:
            credentials.check_own_password(actor, form.text("password"))
            closing_service.ask(actor, cancel_meals=bool(form.cancel_meals.data))
            return web.go(".closing")
        except Refused as refused:
            form.refuse(refused)
    asked, meals = rights_closing.asked(actor.account_id), closing_service.open_meals(actor)
    facts = {"asked": asked, "meals": meals, "days": rights_closing.wait_days()}
    return web.page("home/resident/closing.html", form=form, status=form.status, **facts)


@bp.route("/me/closing/take-back", methods=["POST"])
@requires(Permission.SELF)
def closing_take_back() -> Response:
    closing_service.take_back(current_actor())
    flash(_("账号留下来了，照常使用。"), "ok")
    return web.go(".me")


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
