"""Worker pages: finding somebody, showing a masked value with a reason, mending a record."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.people import EditForm, RevealForm, SearchForm, TagForm
from portal.registry.models import Person, TagKind
from portal.registry.service import people, records, words
from portal.registry.service.records import SealedField
from portal.registry.worker.blueprint import bp

MOST_FOUND = 50

bp.add_app_template_filter(words.in_words, "in_words")


@bp.route("/", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def search() -> Response:
    form, found = SearchForm(), None
    if form.validate_on_submit():
        found = people.find(form.q.data or "", scopes(Permission.PEOPLE_READ), MOST_FOUND + 1)
        records.record_search(form.q.data or "", len(found))
        # A whole number is not repeated on the page it found.
        if people.kind_of_query(form.q.data or "") in people.NUMBERS:
            form.q.data = ""
    shown, more = (found or [])[:MOST_FOUND], len(found or []) > MOST_FOUND
    facts = {"asked": found is not None, "found": shown, "more": more, "today": today()}
    return web.page("registry/worker/search.html", form=form, status=form.status, **facts)


def _reveal(public_id: str, field: SealedField, template: str) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_REVEAL), public_id)
    form, value = RevealForm(), ""
    if form.validate_on_submit():
        try:
            value = records.reveal(person, field, reason=form.reason.data or "", by=current_actor())
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"masked": records.masked(person, field), "label": records.field_words(field)}
    if not facts["masked"]:
        raise Missing
    return web.page(template, form=form, person=person, value=value, status=form.status, **facts)


@bp.route("/<public_id>/reveal/<field>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_REVEAL)
def reveal(public_id: str, field: str) -> Response:
    """Every masked field but the ID number, which asks for the password again."""
    if field not in set(SealedField) - {SealedField.ID_NUMBER}:
        raise Missing
    return _reveal(public_id, SealedField(field), "registry/worker/reveal.html")


@bp.route("/<public_id>/reveal-number", methods=["GET", "POST"])
@requires(Permission.PEOPLE_REVEAL, fresh=True)
def reveal_number(public_id: str) -> Response:
    return _reveal(public_id, SealedField.ID_NUMBER, "registry/worker/reveal_number.html")


@bp.route("/<public_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit(public_id: str) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_EDIT), public_id)
    form = EditForm.of(person)
    if form.validate_on_submit():
        try:
            records.mend(person, form.said())
            flash(_("已保存。"), "ok")
            return _back_to(person)
        except Refused as refused:
            form.refuse(refused)
    masked = {field.value: records.masked(person, field) for field in SealedField}
    return web.page("registry/worker/edit.html", person=person, form=form, masked=masked, status=form.status)


@bp.route("/<public_id>/tags", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit_tags(public_id: str) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_EDIT), public_id)
    form = TagForm.fresh()
    if form.validate_on_submit() and form.since.data:
        try:
            kind, source = TagKind(form.kind.data), form.source.data or ""
            records.add_tag(person, kind, since=form.since.data, source=source)
            return web.go(".edit_tags", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/edit_tags.html", person=person, form=form, today=today(), status=form.status)


@bp.route("/<public_id>/tags/<int:tag_id>/end", methods=["POST"])
@requires(Permission.PEOPLE_EDIT)
def end_tag(public_id: str, tag_id: int) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_EDIT), public_id)
    records.end_tag(person, tag_id)
    return web.go(".edit_tags", public_id=person.public_id)


def _back_to(person: Person) -> Response:
    return web.go("home.worker.person", public_id=person.public_id)
