"""Worker pages: a person's tags, the restricted ones apart, and whom to call in need."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.people import RevealForm
from portal.registry.forms.tags import (
    CarriersForm,
    EmergencyEditForm,
    EmergencyForm,
    EndForm,
    EndTagForm,
    ReasonForm,
    RestrictedForm,
    TagEditForm,
    TagForm,
)
from portal.registry.models import Person, RestrictedKind, TagKind
from portal.registry.service import contacts as contact_service
from portal.registry.service import people, restricted, tags
from portal.registry.worker.blueprint import bp


def _mine(public_id: str) -> Person:
    return people.person_in(scopes(Permission.PEOPLE_EDIT), public_id)


@bp.route("/<public_id>/tags", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit_tags(public_id: str) -> Response:
    person, form = _mine(public_id), TagForm.fresh()
    if form.validate_on_submit():
        try:
            tags.add_tag(person, TagKind(form.kind.data), form.said())
            return web.go(".edit_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/edit_tags.html", person=person, form=form, today=today(), status=form.status)


@bp.route("/<public_id>/tags/<int:tag_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit_tag(public_id: str, tag_id: int) -> Response:
    person = _mine(public_id)
    tag = tags.tag_of(person, tag_id)
    form = TagEditForm.of(tag)
    if form.validate_on_submit():
        try:
            tags.mend_tag(person, tag, form.said(), reason=form.text("reason"))
            return web.go(".edit_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    disabled = tag.kind is TagKind.DISABLED
    return web.page(
        "registry/worker/edit_tag.html", person=person, tag=tag, form=form, disabled=disabled, status=form.status
    )


@bp.route("/<public_id>/tags/<int:tag_id>/end", methods=["POST"])
@requires(Permission.PEOPLE_EDIT)
def end_tag(public_id: str, tag_id: int) -> Response:
    person, form = _mine(public_id), EndTagForm()
    tag = tags.tag_of(person, tag_id)
    if form.carries_out(lambda: tags.end_tag(person, tag, on=form.day.data)):
        flash(_("已结束%(name)s的这个标签。", name=person.name), "ok")
    for said in (*form.form_errors, *form.day.errors):
        flash(said, "bad")
    if form.home.data and person.household_id:
        return web.go(".household", household_id=person.household_id)
    return web.go(".edit_tags", public_id=person.public_id)


@bp.route("/<public_id>/tags/<int:tag_id>/remove", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def remove_tag(public_id: str, tag_id: int) -> Response:
    person, form = _mine(public_id), ReasonForm()
    tag = tags.tag_of(person, tag_id)
    if form.validate_on_submit():
        try:
            tags.remove_tag(person, tag, reason=form.text("reason"))
            return web.go(".edit_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/remove_tag.html", person=person, tag=tag, form=form, status=form.status)


# ---- Restricted tags: nothing is shown before a reason is given ----


def _looked_after(public_id: str) -> Person:
    return people.person_in(scopes(Permission.PEOPLE_RESTRICTED), public_id)


@bp.route("/restricted", methods=["GET", "POST"])
@requires(Permission.PEOPLE_RESTRICTED)
def restricted_people() -> Response:
    """Everybody in scope who carries one kind: nothing is shown, nor counted, before a reason is given."""
    form, page, within = CarriersForm.fresh(), None, scopes(Permission.PEOPLE_RESTRICTED)
    if form.validate_on_submit():
        asked: dict[str, Any] = {"names": bool(form.names.data), "after": form.text("after")[:32]}
        try:
            kind = RestrictedKind(form.kind.data)
            page = restricted.carriers(kind, within, reason=form.text("reason"), by=current_actor(), **asked)
        except Refused as refused:
            form.refuse(refused)
    facts = {"page": page, "today": today()}
    return web.page("registry/worker/restricted_people.html", form=form, status=form.status, **facts)


@bp.route("/<public_id>/restricted", methods=["GET", "POST"])
@requires(Permission.PEOPLE_RESTRICTED)
def restricted_tags(public_id: str) -> Response:
    person, form, found = _looked_after(public_id), ReasonForm(), None
    if form.validate_on_submit():
        try:
            found = restricted.look(person, reason=form.text("reason"), by=current_actor())
        except Refused as refused:
            form.refuse(refused)
    return web.page(
        "registry/worker/restricted_tags.html", person=person, form=form, found=found, today=today(), status=form.status
    )


@bp.route("/<public_id>/restricted/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_RESTRICTED)
def restricted_new(public_id: str) -> Response:
    person, form = _looked_after(public_id), RestrictedForm.fresh()
    if form.validate_on_submit() and form.since.data:
        try:
            span: dict[str, Any] = {"since": form.since.data, "until": form.until.data, "source": form.text("source")}
            restricted.add(person, RestrictedKind(form.kind.data), **span, by=current_actor())
            flash(_("已添加，写明原因后可以查看。"), "ok")
            return web.go(".restricted_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/restricted_new.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/restricted/<tag>/end", methods=["GET", "POST"])
@requires(Permission.PEOPLE_RESTRICTED)
def restricted_end(public_id: str, tag: str) -> Response:
    person, form = _looked_after(public_id), EndForm()
    held = restricted.tag_of(person, tag)
    if form.validate_on_submit() and form.until.data:
        try:
            restricted.end(person, held, until=form.until.data, reason=form.text("reason"))
            flash(_("已结束。"), "ok")
            return web.go(".restricted_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/restricted_end.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/restricted/<tag>/remove", methods=["GET", "POST"])
@requires(Permission.PEOPLE_RESTRICTED)
def restricted_remove(public_id: str, tag: str) -> Response:
    person, form = _looked_after(public_id), ReasonForm()
    held = restricted.tag_of(person, tag)
    if form.validate_on_submit():
        try:
            restricted.remove(person, held, reason=form.text("reason"))
            flash(_("已删除。"), "ok")
            return web.go(".restricted_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/restricted_remove.html", person=person, form=form, status=form.status)


# ---- Emergency contacts ----


@bp.route("/<public_id>/contacts", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def contacts(public_id: str) -> Response:
    person, form = _mine(public_id), EmergencyForm()
    if form.validate_on_submit():
        try:
            said = {name: form.text(name) for name in ("name", "relation", "phone")}
            contact_service.add(person, **said)
            return web.go(".contacts", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/contacts.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/contacts/<int:contact_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def contact(public_id: str, contact_id: int) -> Response:
    person = _mine(public_id)
    found = contact_service.contact_of(person, contact_id)
    form = EmergencyEditForm.of(found)
    if form.validate_on_submit():
        try:
            said = {name: form.text(name) for name in ("name", "relation", "phone")}
            contact_service.mend(person, found, **said)
            return web.go(".contacts", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/contact.html", person=person, contact=found, form=form, status=form.status)


@bp.route("/<public_id>/contacts/<int:contact_id>/up", methods=["POST"])
@requires(Permission.PEOPLE_EDIT)
def contact_up(public_id: str, contact_id: int) -> Response:
    person = _mine(public_id)
    contact_service.raise_up(person, contact_service.contact_of(person, contact_id))
    return web.go(".contacts", public_id=person.public_id)


@bp.route("/<public_id>/contacts/<int:contact_id>/remove", methods=["POST"])
@requires(Permission.PEOPLE_EDIT)
def contact_remove(public_id: str, contact_id: int) -> Response:
    person = _mine(public_id)
    contact_service.remove(person, contact_service.contact_of(person, contact_id))
    return web.go(".contacts", public_id=person.public_id)


@bp.route("/<public_id>/contacts/<int:contact_id>/reveal", methods=["GET", "POST"])
@requires(Permission.PEOPLE_REVEAL)
def contact_reveal(public_id: str, contact_id: int) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_REVEAL), public_id)
    found, form, value = contact_service.contact_of(person, contact_id), RevealForm(), ""
    if form.validate_on_submit():
        try:
            value = contact_service.reveal(person, found, reason=form.text("reason"), by=current_actor())
        except Refused as refused:
            form.refuse(refused)
    return web.page(
        "registry/worker/contact_reveal.html", person=person, contact=found, form=form, value=value, status=form.status
    )
