"""Resident pages: 我的信息, everything that is held about me, and one masked value after the password."""

from flask import Response, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity import credentials
from portal.identity.permissions import Permission
from portal.registry.forms.rights import PasswordAgainForm
from portal.registry.models import Person
from portal.registry.resident.blueprint import bp
from portal.registry.service import consents, people
from portal.registry.service.rights import held


def who() -> str:
    """Whose data the page is about: nobody named is the reader herself."""
    return request.args.get("who", "")


def whose() -> Person:
    return consents.whose(current_actor(), who())


@bp.route("/mine")
@requires(Permission.SELF)
def mine() -> Response:
    me = people.person_of_or_none(current_actor())
    shown = held.mine(whose()) if me else None
    wards = consents.wards(me) if me else []
    return web.page("registry/resident/mine.html", me=me, mine=shown, wards=wards, who=who(), today=today())


@bp.route("/mine/reveal/<field>", methods=["GET", "POST"])
@requires(Permission.SELF)
def mine_reveal(field: str) -> Response:
    if field not in set(held.OwnField):
        raise Missing
    form, value, kind = PasswordAgainForm(), "", held.OwnField(field)
    if form.validate_on_submit():
        try:
            credentials.check_own_password(current_actor(), form.text("password"))
            value = held.reveal(whose(), kind)
        except Refused as refused:
            form.refuse(refused)
    label = held.own_words(kind)
    return web.page(
        "registry/resident/mine_reveal.html", form=form, value=value, label=label, who=who(), status=form.status
    )


def words_for_child(person: Person) -> str:
    """Said above a page that is about a ward; nothing on one's own."""
    return _("您作为监护人，在办%(name)s的事。", name=person.name) if who() else ""
