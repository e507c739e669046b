"""Worker pages: who serves."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.catalogue.forms.items import ProviderForm, ReasonForm
from portal.catalogue.service import grounds, providers
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import requires, scopes
from portal.identity.permissions import Permission

KEEP = Permission.CATALOGUE_KEEP


@bp.route("/providers")
@requires(KEEP)
def service_providers() -> Response:
    found, kept = providers.providers(scopes(KEEP)), grounds.kept_ids(scopes(KEEP))
    return web.page("catalogue/worker/service_providers.html", providers=found, kept=kept)


@bp.route("/providers/new", methods=["GET", "POST"])
@requires(KEEP)
def provider_new() -> Response:
    within = scopes(KEEP)
    form = ProviderForm().offer(grounds.places(within), providers.organisations(within))
    if form.carries_out(lambda: providers.add(grounds.place(within, form.text("area")), form.facts())):
        flash(_("提供方登记好了，可以给它加事项。"), "ok")
        return web.go(".service_providers")
    return web.page("catalogue/worker/provider_new.html", form=form, status=form.status)


@bp.route("/providers/<int:provider_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def provider_edit(provider_id: int) -> Response:
    within = scopes(KEEP)
    found = providers.provider_in(within, provider_id)
    form = ProviderForm.of(found, providers.organisations(within))
    if form.carries_out(lambda: providers.save(found, form.facts(), version=form.seen)):
        flash(_("已保存。"), "ok")
        return web.go(".service_providers")
    form.version.data = str(found.version)
    return web.page("catalogue/worker/provider_edit.html", provider=found, form=form, status=form.status)


@bp.route("/providers/<int:provider_id>/close", methods=["GET", "POST"])
@requires(KEEP)
def provider_close(provider_id: int) -> Response:
    found, form = providers.provider_in(scopes(KEEP), provider_id), ReasonForm()
    if form.carries_out(lambda: providers.close(found, reason=form.text("reason"))):
        flash(_("已停用。"), "ok")
        return web.go(".service_providers")
    return web.page("catalogue/worker/provider_close.html", provider=found, form=form, status=form.status)
