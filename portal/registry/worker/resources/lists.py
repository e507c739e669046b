"""Printing and exporting the lists, and showing one masked telephone or number with a reason."""

from typing import Any

from flask import Response, url_for

from portal.core import settings, sheets, web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.exports import ListExportForm
from portal.registry.forms.people import RevealForm
from portal.registry.models import Certificate, Organisation, Staff
from portal.registry.service import exports
from portal.registry.service.resources import organisations, plain, revealing, staff, tables
from portal.registry.service.resources.listing import Wanted
from portal.registry.service.resources.tables import Kind
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources.asked import wanted


def _kind(word: str) -> Kind:
    if word not in set(Kind):
        raise Missing
    return Kind(word)


@bp.route("/resources/print/<kind>")
@requires(Permission.RESOURCES_READ)
def resources_print(kind: str) -> Response:
    asked = wanted()
    table = tables.table(_kind(kind), scopes(Permission.RESOURCES_READ), asked)
    return web.page("registry/worker/resources_print.html", table=table, wanted=asked, printed_at=now())


@bp.route("/resources/export/<kind>", methods=["GET", "POST"])
@requires(Permission.RESOURCES_READ, fresh=True)
def resources_export(kind: str) -> Response:
    """Why, then the file; with people in the clear it is a request that a second person decides."""
    which, asked = _kind(kind), wanted()
    form = ListExportForm.fresh(plain=which in tables.OF_PEOPLE and may(Permission.PEOPLE_EXPORT))
    if form.validate_on_submit():
        try:
            return _taken_out(which, asked, form)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"title": tables.title(which), "hours": settings.get(exports.KEPT_HOURS)}
    page = "registry/worker/resources_export.html"
    return web.page(page, form=form, kind=which, wanted=asked, status=form.status, **facts)


def _taken_out(which: Kind, asked: Wanted, form: ListExportForm) -> Response:
    within, facts = scopes(Permission.RESOURCES_READ), {"reason": form.text("reason"), "by": current_actor()}
    if form.way.data == "plain":
        # Where she may see the list and take people out of it: two roles in two places do not add up to one.
        both = tuple(one for one in within if one in scopes(Permission.PEOPLE_EXPORT))
        found = plain.ask(which, both, asked, key=form.text("idem"), **dict[str, Any](facts))
        return web.go(".export", public_id=found.public_id)
    name, body = tables.export(which, within, asked, **dict[str, Any](facts))
    return web.download(body, name, sheets.MIME)


def _reveal(thing: Staff | Organisation | Certificate, back: str) -> Response:
    form, value = RevealForm(), ""
    if form.validate_on_submit():
        try:
            value = revealing.reveal(thing, reason=form.text("reason"), by=current_actor())
        except Refused as refused:
            form.refuse(refused)
    name = thing.staff.name if isinstance(thing, Certificate) else thing.name
    facts = {"name": name, "value": value, "back": back}
    return web.page("registry/worker/resource_reveal.html", form=form, status=form.status, **facts)


@bp.route("/resources/staff/<public_id>/reveal", methods=["GET", "POST"])
@requires(Permission.RESOURCES_READ)
def staff_reveal(public_id: str) -> Response:
    member = staff.staff_in(scopes(Permission.RESOURCES_READ), public_id)
    return _reveal(member, url_for(".staff_member", public_id=member.public_id))


@bp.route("/resources/staff/<public_id>/reveal-certificate", methods=["GET", "POST"])
@requires(Permission.RESOURCES_READ, fresh=True)
def certificate_reveal(public_id: str) -> Response:
    """A certificate's number may be the holder's ID number, so the password is asked again."""
    member = staff.staff_in(scopes(Permission.RESOURCES_READ), public_id)
    asked = web.number_asked("paper")
    paper = next((one for one in member.certificates if one.id == asked), None)
    if paper is None:
        raise Missing
    return _reveal(paper, url_for(".staff_member", public_id=member.public_id))


@bp.route("/resources/organisations/<int:organisation_id>/reveal", methods=["GET", "POST"])
@requires(Permission.RESOURCES_READ)
def organisation_reveal(organisation_id: int) -> Response:
    found = organisations.organisation_in(scopes(Permission.RESOURCES_READ), organisation_id)
    return _reveal(found, url_for(".organisation", organisation_id=found.id))
