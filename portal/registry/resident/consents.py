"""Resident pages: 同意管理, each purpose by itself, given and withdrawn with one tap."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.models import Purpose
from portal.registry.resident.blueprint import bp
from portal.registry.resident.mine import who, whose, words_for_child
from portal.registry.service import consents as service
from portal.registry.service import people


@bp.route("/consents")
@requires(Permission.SELF)
def consents() -> Response:
    me = people.person_of_or_none(current_actor())
    person = whose() if me else None
    standing = service.standing(person) if person else []
    child = words_for_child(person) if person else ""
    return web.page("registry/resident/consents.html", me=me, standing=standing, who=who(), child=child)


@bp.route("/consents/<purpose>/give", methods=["POST"])
@requires(Permission.SELF)
def consent_give(purpose: str) -> Response:
    return _say(purpose, give=True)


@bp.route("/consents/<purpose>/withdraw", methods=["POST"])
@requires(Permission.SELF)
def consent_withdraw(purpose: str) -> Response:
    return _say(purpose, give=False)


def _say(purpose: str, *, give: bool) -> Response:
    """One tap; what is refused is said on the page it came from."""
    if purpose not in set(Purpose):
        raise Missing
    person, kind = whose(), Purpose(purpose)
    try:
        act = service.give if give else service.withdraw
        act(person, kind, voice=service.voice_of(current_actor(), person))
        title = service.terms_of(kind).title
        flash(_("已经同意：%(title)s。", title=title) if give else _("已经撤回：%(title)s。", title=title), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".consents", who=who() or None)
