"""Resident pages: proposing another value for one field, and what became of everything that was asked."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.rights import FORMS, AskForm, ProposalForm
from portal.registry.models import Person, RightField
from portal.registry.resident.blueprint import bp
from portal.registry.resident.mine import who, whose, words_for_child
from portal.registry.service import consents, people
from portal.registry.service.rights import corrections, requests, words
from portal.registry.service.rights.clock import answer_days

bp.add_app_template_filter(words.subject, "right_subject")
bp.add_app_template_filter(words.named, "right_named")
bp.add_app_template_filter(words.said, "right_said")
bp.add_app_template_filter(words.state, "right_state")
bp.add_app_template_filter(words.kind, "right_kind")
bp.add_app_template_filter(words.channel, "right_channel")


@bp.route("/requests")
@requires(Permission.SELF)
def requests_made() -> Response:
    me = people.person_of_or_none(current_actor())
    found = requests.requests_of(whose()) if me else []
    return web.page("registry/resident/requests_made.html", me=me, requests=found, who=who(), today=today())


@bp.route("/correct/<field>", methods=["GET", "POST"])
@requires(Permission.SELF)
def correct(field: str) -> Response:
    if field not in set(RightField):
        raise Missing
    kind = RightField(field)
    form = FORMS[kind]()
    picture = form.picture() if form.validate_on_submit() else None
    person = whose()
    form.offer(person)
    if form.is_submitted() and not form.errors and _proposed(person, kind, form, picture):
        return web.go(".requests_made", who=who() or None)
    facts = {"label": words.field(kind), "kind": kind, "child": words_for_child(person), "days": answer_days()}
    return web.page("registry/resident/correct.html", form=form, who=who(), status=form.status, **facts)


def _proposed(person: Person, kind: RightField, form: ProposalForm, picture: bytes | None) -> bool:
    """Whether the proposal was taken; else the form says why not."""
    try:
        voice = consents.voice_of(current_actor(), person)
        corrections.propose(person, kind, form.said(), why=form.text("why"), voice=voice, picture=picture)
    except Refused as refused:
        form.refuse(refused)
        return False
    flash(_("已经交给社区。答复了会通知您，您也可以在这里看进度。"), "ok")
    return True


@bp.route("/ask", methods=["GET", "POST"])
@requires(Permission.SELF)
def ask() -> Response:
    form, person = AskForm(), whose()
    if form.validate_on_submit():
        try:
            requests.ask_other(person, form.text("text_"), voice=consents.voice_of(current_actor(), person))
            flash(_("已经交给社区，答复了会通知您。"), "ok")
            return web.go(".requests_made", who=who() or None)
        except Refused as refused:
            form.refuse(refused)
    child = words_for_child(person)
    return web.page("registry/resident/ask.html", form=form, child=child, who=who(), status=form.status)


@bp.route("/requests/<public_id>/take-back", methods=["POST"])
@requires(Permission.SELF)
def request_take_back(public_id: str) -> Response:
    person = whose()
    found = requests.request_of(person, public_id)
    requests.take_back(found, voice=consents.voice_of(current_actor(), person))
    flash(_("已经撤回。"), "ok")
    return web.go(".requests_made", who=who() or None)
