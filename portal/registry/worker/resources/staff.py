"""Worker pages of staff, their certificates, and the person of the register one may be."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.resources import CertificateForm, PickForm, StaffForm
from portal.registry.models import Person, Staff, StaffKind
from portal.registry.service import people, records
from portal.registry.service.resources import listing, words
from portal.registry.service.resources import organisations as organisation_service
from portal.registry.service.resources import staff as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources import asked

MOST_FOUND = 20


def _editable(public_id: str) -> Staff:
    return service.staff_in(scopes(Permission.RESOURCES_EDIT), public_id)


@bp.route("/resources/staff")
@requires(Permission.RESOURCES_READ)
def staff() -> Response:
    wanted = asked.wanted()
    found = service.staff(scopes(Permission.RESOURCES_READ), wanted)
    facts: dict[str, Any] = {"standing": service.standing, "soon": service.warn_until(), "states": service.STANDING}
    facts["died"] = service.died
    around = asked.around(wanted, words.choices(StaffKind), [("expiring", _("证书到期或快到期"))])
    return web.page("registry/worker/staff.html", found=found, **facts, **around)


@bp.route("/resources/staff/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_new() -> Response:
    form, own = StaffForm(), asked.own_communities()
    form.offer(asked.offered(own), organisation_service.choices(own[0].id) if len(own) == 1 else [])
    if form.validate_on_submit():
        try:
            community = listing.community_in(scopes(Permission.RESOURCES_EDIT), form.community.data)
            added = asked.once(
                "resources.staff_added", form, lambda: service.add_staff(community, form.facts()).public_id
            )
            flash(_("已登记%(name)s，请接着登记证书。", name=form.text("name")), "ok")
            return web.go(".staff_member", public_id=added)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/staff_new.html", form=form, member=None, status=form.status)


@bp.route("/resources/staff/<public_id>")
@requires(Permission.RESOURCES_READ)
def staff_member(public_id: str) -> Response:
    found = service.staff_in(scopes(Permission.RESOURCES_READ), public_id)
    facts: dict[str, Any] = {"standing": service.standing, "soon": service.warn_until(), "states": service.STANDING}
    facts |= {"may_edit": may(Permission.RESOURCES_EDIT), "dead": service.died(found)}
    return web.page("registry/worker/staff_member.html", member=found, **facts)


@bp.route("/resources/staff/<public_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_edit(public_id: str) -> Response:
    found = _editable(public_id)
    form = StaffForm(standing=found)
    form.offer(asked.offered([found.community]), organisation_service.choices(found.community_id))
    if form.validate_on_submit():
        try:
            service.change_staff(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".staff_member", public_id=found.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/staff_edit.html", form=form, member=found, status=form.status)


@bp.route("/resources/staff/<public_id>/leave", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_leave(public_id: str) -> Response:
    found = _editable(public_id)
    service.leave(found)
    flash(_("%(name)s已离岗，资料仍保留。", name=found.name), "ok")
    return web.go(".staff_member", public_id=found.public_id)


@bp.route("/resources/staff/<public_id>/return", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_return(public_id: str) -> Response:
    found = _editable(public_id)
    service.come_back(found)
    flash(_("%(name)s已恢复在岗。", name=found.name), "ok")
    return web.go(".staff_member", public_id=found.public_id)


@bp.route("/resources/staff/<public_id>/certificates/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def certificate_new(public_id: str) -> Response:
    found, form = _editable(public_id), CertificateForm()
    if form.validate_on_submit():
        try:
            asked.once(
                "resources.certificate_added", form, lambda: str(service.add_certificate(found, **form.said()).id)
            )
            flash(_("证书已登记。"), "ok")
            return web.go(".staff_member", public_id=found.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/certificate_new.html", form=form, member=found, status=form.status)


@bp.route("/resources/staff/<public_id>/certificates/<int:certificate_id>/withdraw", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def certificate_withdraw(public_id: str, certificate_id: int) -> Response:
    found = _editable(public_id)
    service.withdraw_certificate(found, certificate_id)
    flash(_("证书已注销，不再提醒。"), "ok")
    return web.go(".staff_member", public_id=found.public_id)


def looked_for(form: PickForm) -> list[Person] | None:
    """Whom a pick form means among the people the worker may know; None until it is sent."""
    if not form.validate_on_submit():
        return None
    found = people.find(form.text("q"), scopes(Permission.PEOPLE_READ), MOST_FOUND)
    records.record_search(form.text("q"), len(found))
    return found


@bp.route("/resources/staff/<public_id>/person", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_person(public_id: str) -> Response:
    """Find the person of the register a member of staff is; a post only because a search is recorded."""
    member, form = _editable(public_id), PickForm()
    found = looked_for(form)
    return web.page("registry/worker/staff_person.html", form=form, member=member, found=found, status=form.status)


@bp.route("/resources/staff/<public_id>/person/link", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_link(public_id: str) -> Response:
    member = _editable(public_id)
    person = people.person_in(scopes(Permission.PEOPLE_READ), request.form.get("person", ""))
    service.link_person(member, person)
    flash(_("已和居民登记对上。"), "ok")
    return web.go(".staff_member", public_id=member.public_id)


@bp.route("/resources/staff/<public_id>/person/unlink", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def staff_unlink(public_id: str) -> Response:
    member = _editable(public_id)
    service.unlink_person(member)
    flash(_("已取消和居民登记的对应。"), "ok")
    return web.go(".staff_member", public_id=member.public_id)
