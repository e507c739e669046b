"""Worker pages: registering a newcomer, a record by its sections, its history, a masked value with a reason."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, settings, tokens, web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import today
from portal.core.db import aside
from portal.core.errors import Missing, Refused
from portal.core.forms import status_of
from portal.identity.permissions import Permission
from portal.registry.forms.people import FORMS, RegisterForm, RevealForm, SectionForm
from portal.registry.models import Household, Person, PersonState, Relation
from portal.registry.service import (
    beyond,
    consents,
    editing,
    ethnicities,
    happenings,
    households,
    people,
    records,
    registering,
    tags,
    telling,
    words,
)
from portal.registry.service.editing import Part
from portal.registry.service.records import SealedField
from portal.registry.service.registering import Likeness
from portal.registry.worker.blueprint import bp
from portal.registry.worker.happenings import arrived

bp.add_app_template_filter(words.in_words, "in_words")
bp.add_app_template_filter(words.flag_sentences, "flag_sentences")
bp.add_app_template_filter(ethnicities.in_words, "ethnicity")
bp.add_app_template_filter(tags.detail_words, "tag_detail")


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


def _arriving() -> tuple[Household | None, list[Area]]:
    """The household whose page led here, if any, and the communities that may take somebody in."""
    within = scopes(Permission.PEOPLE_EDIT)
    asked = web.number_asked("household")
    household = households.household_in(within, asked) if asked else None
    places = areas.whole_communities(within)
    if not places:
        raise Missing
    return household, [place for place in places if household is None or place.id == household.community_id]


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def register() -> Response:
    household, places = _arriving()
    form, community = RegisterForm.among(places, scopes(Permission.PEOPLE_EDIT), led=household)
    found, status = Likeness(), form.status
    if form.validate_on_submit():
        found = _likeness(form)
        done = _arrival(form, found, community)
        if isinstance(done, Response):
            return done
        status = done
    status = max(status, form.status)
    return web.page("registry/worker/register.html", form=form, found=found, household=household, status=status)


def _arrival(form: RegisterForm, found: Likeness, community: Area) -> Response | int:
    """Register or take in whom the form means; else the status of the page that says what stands in the way."""
    try:
        if found.nobody or (form.is_another.data and found.alike):
            return _registered(form, community)
        if found.gone and form.takes_over.data:
            return _taken_in(found.gone, form, community)
    except Refused as refused:
        form.refuse(refused)
        return status_of(refused)
    return 422


def _likeness(form: RegisterForm) -> Likeness:
    """Who is alike. That a number is held elsewhere is told as seldom as a search beyond one's area, and recorded."""
    found = registering.likeness(form.newcomer(), scopes(Permission.PEOPLE_EDIT))
    if found.elsewhere:
        _count_elsewhere()
    return found


def _count_elsewhere() -> None:
    """Before it is told that a number is held: so many an hour, and on the record."""
    hourly = settings.get(beyond.HOURLY)
    tokens.throttle("registry.beyond", current_actor().public_id, limit=hourly, per=timedelta(hours=1))
    with aside() as session:
        audit.record("registry.number_elsewhere", session=session)


def _registered(form: RegisterForm, community: Area) -> Response:
    person = registering.register(
        community,
        form.newcomer(),
        within=scopes(Permission.PEOPLE_EDIT),
        by=current_actor(),
        day=form.day.data or today(),
        relation=Relation(form.relation.data),
        home=form.chosen_home(),
        note=form.text("note").strip(),
        idem=form.text("idem"),
    )
    number = person.temporary_number
    flash(
        _("已登记，临时编号 %(number)s。有了证件再补号码。", number=number)
        if number
        else _("已登记。请把其他内容补全。"),
        "ok",
    )
    return arrived(person)


def _taken_in(person: Person, form: RegisterForm, community: Area) -> Response:
    registering.take_in(
        person,
        community,
        within=scopes(Permission.PEOPLE_EDIT),
        day=form.day.data or today(),
        relation=Relation(form.relation.data),
        home=form.chosen_home(),
        note=form.text("note").strip(),
    )
    flash(_("已转入本社区，原来的登记资料一起转来。"), "ok")
    return arrived(person)


@bp.route("/<public_id>/record")
@requires(Permission.PEOPLE_READ)
def record(public_id: str) -> Response:
    within = scopes(Permission.PEOPLE_READ)
    person = people.person_in(within, public_id)
    happened = happenings.of_person(person, within)
    facts: dict[str, Any] = {"masked": _masked(person), "happened": happened, "today": today()}
    facts["unanswered"] = consents.unanswered(person) if person.state is PersonState.PRESENT else []
    may_edit = may(Permission.PEOPLE_EDIT) and person.community_id in _editable()
    return web.page("registry/worker/record.html", person=person, may_edit=may_edit, part=Part, **facts)


def _editable() -> frozenset[int]:
    return areas.reach(scopes(Permission.PEOPLE_EDIT)).communities


def _masked(person: Person) -> dict[str, str]:
    return {field.value: records.masked(person, field) for field in SealedField}


@bp.route("/<public_id>/edit", methods=["GET", "POST"])
@bp.route("/<public_id>/edit/<part>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit(public_id: str, part: str = Part.IDENTITY) -> Response:
    within = scopes(Permission.PEOPLE_EDIT)
    person, section = people.person_in(within, public_id), _part(part)
    form = FORMS[section].of(person, within)
    if form.validate_on_submit():
        try:
            _save(form, person)
            return web.go(".record", public_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
            form.catch_up()
    facts: dict[str, Any] = {"masked": _masked(person), "part": section}
    return web.page("registry/worker/edit.html", person=person, form=form, status=form.status, **facts)


def _part(part: str) -> Part:
    if part not in set(Part):
        raise Missing
    return Part(part)


def _save(form: SectionForm, person: Person) -> None:
    try:
        changed = editing.save(person, form.said(), version=form.seen)
    except editing.NumberHeld:
        _count_elsewhere()
        raise
    flash(_("已保存。") if changed else _("没有改动。"), "ok")


@bp.route("/<public_id>/history")
@requires(Permission.PEOPLE_READ)
def history(public_id: str) -> Response:
    person = people.person_in(scopes(Permission.PEOPLE_READ), public_id)
    field = request.args.get("field", "")[:40]
    lines = telling.history(person, field=field)
    return web.page("registry/worker/history.html", person=person, lines=lines, field=field)
