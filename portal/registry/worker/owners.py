"""Worker pages: who owns the homes, and where that is not complete yet."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.areas.models import Dwelling
from portal.core import tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.identity.permissions import Permission
from portal.registry.forms.owners import EndTitleForm, LinkOwnerForm, OwnerForm, UnlinkOwnerForm
from portal.registry.service import buildings, owner_links, owners
from portal.registry.worker.blueprint import bp


@bp.route("/owners", endpoint="owners")
@requires(Permission.PEOPLE_READ)
def owners_page() -> Response:
    found = owners.gaps(scopes(Permission.PEOPLE_READ))
    return web.page("registry/worker/owners.html", gaps=found)


@bp.route("/rooms/<int:dwelling_id>/owners")
@requires(Permission.PEOPLE_READ)
def owner_titles(dwelling_id: int) -> Response:
    home = buildings.dwelling_in(scopes(Permission.PEOPLE_READ), dwelling_id)
    facts: dict[str, Any] = {"titles": owners.titles_of(home), "today": today()}
    return web.page("registry/worker/owner_titles.html", dwelling=home, **facts)


@bp.route("/rooms/<int:dwelling_id>/owners/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def owner_new(dwelling_id: int) -> Response:
    within = scopes(Permission.PEOPLE_EDIT)
    home = buildings.dwelling_in(within, dwelling_id)
    form = OwnerForm.of(home, within)
    if form.carries_out(lambda: _added(home, form)):
        flash(_("业主已登记。"), "ok")
        return web.go(".owner_titles", dwelling_id=dwelling_id)
    return web.page("registry/worker/owner_new.html", dwelling=home, form=form, status=form.status)


def _added(home: Dwelling, form: OwnerForm) -> None:
    """Once, however often the form is sent: somebody from elsewhere has no number that would tell."""
    facts, by = form.facts(), current_actor()
    key, body = form.text("idem"), form.body()
    if tokens.same_request(by.public_id, "registry.owner", key, body):
        return
    title = owners.add(home, facts, since=form.since.data, source=form.text("source"), by=by)
    tokens.remember_request(by.public_id, "registry.owner", key, body, str(title.id))


@bp.route("/owners/<int:title_id>/end", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def owner_end(title_id: int) -> Response:
    title, form = owners.title_in(scopes(Permission.PEOPLE_EDIT), title_id), EndTitleForm()
    if form.carries_out(lambda: owners.end(title, until=form.from_day, why=form.text("reason"))):
        flash(_("已记下。以后的业主名册不再有这一条。"), "ok")
        return web.go(".owner_titles", dwelling_id=title.dwelling_id)
    return web.page("registry/worker/owner_end.html", title=title, form=form, status=form.status)


@bp.route("/owners/<int:title_id>/link", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def owner_link(title_id: int) -> Response:
    within = scopes(Permission.PEOPLE_EDIT)
    title, form = owners.title_in(within, title_id), LinkOwnerForm.of(within)
    if form.carries_out(lambda: owner_links.link(title.owner, form.picked(), by=current_actor())):
        flash(_("已对上。表决时只算一位业主。"), "ok")
        return web.go(".owner_titles", dwelling_id=title.dwelling_id)
    return web.page("registry/worker/owner_link.html", title=title, form=form, status=form.status)


@bp.route("/owners/<int:title_id>/unlink", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def owner_unlink(title_id: int) -> Response:
    title, form = owners.title_in(scopes(Permission.PEOPLE_EDIT), title_id), UnlinkOwnerForm()
    if form.carries_out(lambda: owner_links.unlink(title.owner, why=form.text("reason"))):
        flash(_("已撤销。这位业主又算住在别处的人。"), "ok")
        return web.go(".owner_titles", dwelling_id=title.dwelling_id)
    return web.page("registry/worker/owner_unlink.html", title=title, form=form, status=form.status)
