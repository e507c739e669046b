"""Worker pages of organisations."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.resources import OrganisationForm
from portal.registry.models import Organisation, OrganisationKind, Standing
from portal.registry.service.resources import listing, words
from portal.registry.service.resources import organisations as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources import asked


def _editable(organisation_id: int) -> Organisation:
    return service.organisation_in(scopes(Permission.RESOURCES_EDIT), organisation_id)


@bp.route("/resources/organisations")
@requires(Permission.RESOURCES_READ)
def organisations() -> Response:
    wanted = asked.wanted()
    found = service.organisations(scopes(Permission.RESOURCES_READ), wanted)
    states = [*words.choices(Standing), ("graded", _("有评估等级")), ("lapsed", _("等级已到期"))]
    around = asked.around(wanted, words.choices(OrganisationKind), states)
    return web.page("registry/worker/organisations.html", found=found, **around)


@bp.route("/resources/organisations/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def organisation_new() -> Response:
    form = OrganisationForm()
    form.community.choices = asked.offered(asked.own_communities())
    if form.validate_on_submit():
        try:
            community = listing.community_in(scopes(Permission.RESOURCES_EDIT), form.community.data)
            added = service.add_organisation(community, form.facts())
            flash(_("已登记组织“%(name)s”。", name=added.name), "ok")
            return web.go(".organisation", organisation_id=added.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/organisation_new.html", form=form, organisation=None, status=form.status)


@bp.route("/resources/organisations/<int:organisation_id>")
@requires(Permission.RESOURCES_READ)
def organisation(organisation_id: int) -> Response:
    found = service.organisation_in(scopes(Permission.RESOURCES_READ), organisation_id)
    facts = {"may_edit": may(Permission.RESOURCES_EDIT)}
    return web.page("registry/worker/organisation.html", organisation=found, **facts)


@bp.route("/resources/organisations/<int:organisation_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def organisation_edit(organisation_id: int) -> Response:
    found = _editable(organisation_id)
    form = OrganisationForm(organisation=found)
    form.community.choices = asked.offered([found.community])
    if form.validate_on_submit():
        try:
            service.change_organisation(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".organisation", organisation_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/organisation_edit.html", form=form, organisation=found, status=form.status)


@bp.route("/resources/organisations/<int:organisation_id>/close", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def organisation_close(organisation_id: int) -> Response:
    found = _editable(organisation_id)
    service.close_organisation(found)
    flash(_("“%(name)s”已停用，居民页面不再显示。", name=found.name), "ok")
    return web.go(".organisation", organisation_id=found.id)


@bp.route("/resources/organisations/<int:organisation_id>/reopen", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def organisation_reopen(organisation_id: int) -> Response:
    found = _editable(organisation_id)
    service.reopen_organisation(found)
    flash(_("“%(name)s”已恢复使用。", name=found.name), "ok")
    return web.go(".organisation", organisation_id=found.id)
