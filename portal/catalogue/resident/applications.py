"""Resident pages of applications: begin, say and hand over papers, follow, add, withdraw, rate."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.applications import (
    AddForm,
    BeginForm,
    DraftForm,
    PapersForm,
    RateForm,
    WithdrawForm,
    draft_form,
)
from portal.catalogue.models.applications import Application, ApplicationChannel, ApplicationState, Score, StepKind
from portal.catalogue.resident.blueprint import bp
from portal.catalogue.service import items
from portal.catalogue.service.applications import filing, looking, words
from portal.catalogue.service.applications.filing import Begun, Brought
from portal.core import files, web
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.db import undo
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.service import people

USE = Permission.CATALOGUE_USE
bp.add_app_template_filter(words.said, "application_said")
bp.add_app_template_filter(words.tint, "application_tint")
bp.add_app_template_filter(words.step_words, "step_words")
bp.add_app_template_filter(words.next_words, "next_words")
bp.add_app_template_filter(words.due_words, "term_words")


@bp.route("/<int:item_id>/apply", methods=["GET", "POST"])
@requires(USE)
def apply(item_id: int) -> Response:
    actor, item, form = current_actor(), items.shown(item_id), BeginForm()
    me = people.person_of_or_none(actor)
    whom = people.people_for(actor, looking.ACT, me=me)
    form.offer(whom)
    person = form.chosen(whom)
    if person is not None and form.validate_on_submit():
        try:
            begun = Begun(person, ApplicationChannel.SELF if person == me else ApplicationChannel.AGENT)
            return web.go(".application_edit", public_id=filing.begin(item, begun, by=actor).public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("catalogue/resident/apply.html", item=item, form=form, whom=whom, status=form.status)


@bp.route("/applications")
@requires(USE)
def applications() -> Response:
    found = looking.applications_for(current_actor())
    return web.page("catalogue/resident/applications.html", applications=found, today=today())


@bp.route("/applications/<public_id>")
@requires(USE)
def application(public_id: str) -> Response:
    found = looking.application_for(current_actor(), public_id)
    if found.state is ApplicationState.DRAFT:
        return web.go(".application_edit", public_id=public_id)
    steps = [step for step in found.steps if step.kind is StepKind.MOVED]
    return web.page("catalogue/resident/application.html", application=found, steps=steps, today=today())


@bp.route("/applications/<public_id>/edit", methods=["GET", "POST"])
@requires(USE)
def application_edit(public_id: str) -> Response:
    """What is typed and photographed is kept at each sending; with 提交 it is handed in."""
    form = DraftForm()
    pictures = form.pictures() if form.validate_on_submit() else []
    found = _draft(public_id)
    if form.is_submitted() and not form.errors:
        try:
            return _keep(found, form, pictures)
        except Refused as refused:
            found = _take_back(form, refused, public_id)
    form = form if form.is_submitted() else draft_form(found)
    if form.errors:
        form.say_lost()
    return web.page("catalogue/resident/application_edit.html", application=found, form=form, status=form.status)


def _take_back(form: PapersForm, refused: Refused, public_id: str) -> Application:
    """Nothing of a refused sending stays; the page shows what is there, read anew."""
    undo()
    form.refuse(refused)
    return looking.application_for(current_actor(), public_id)


def _draft(public_id: str) -> Application:
    found = looking.application_for(current_actor(), public_id)
    if found.state is not ApplicationState.DRAFT:
        raise Missing
    return found


def _keep(found: Application, form: DraftForm, pictures: list[tuple[int, bytes]]) -> Response:
    by, said, dropped = current_actor(), form.text("said"), form.dropped()
    _hang(found, pictures)
    if pictures and "send" in request.form and not said.strip():
        flash(_("照片存好了，还没有提交：请先写几句要办什么、现在是什么情况。"), "bad")
        return web.go(".application_edit", public_id=found.public_id)
    filing.keep(found, said)
    if dropped:
        filing.drop_picture(filing.paper_of(found, dropped[0]), dropped[1])
    if "send" not in request.form:
        flash(_("照片删掉了。") if dropped else _("存好了，还没有提交。"), "ok")
        return web.go(".application_edit", public_id=found.public_id)
    filing.submit(found, said, by=by)
    flash(_("提交好了。受理不受理会通知您。"), "ok")
    return web.go(".application", public_id=found.public_id)


def _hang(found: Application, pictures: list[tuple[int, bytes]]) -> None:
    for paper_id, data in pictures:
        filing.add_picture(filing.paper_of(found, paper_id), data, by=current_actor())


@bp.route("/applications/<public_id>/add", methods=["GET", "POST"])
@requires(USE)
def application_add(public_id: str) -> Response:
    """What was asked for, added once; or what is missing, before anybody asks."""
    form = AddForm()
    pictures = form.pictures() if form.validate_on_submit() else []
    found = looking.application_for(current_actor(), public_id)
    if form.is_submitted() and not form.errors:
        try:
            _hang(found, pictures)
            filing.add(found, form.text("said"), Brought(len(pictures), form.window()), by=current_actor())
            flash(_("补好了，社区接着办。"), "ok")
            return web.go(".application", public_id=public_id)
        except Refused as refused:
            found = _take_back(form, refused, public_id)
    if form.errors:
        form.say_lost()
    return web.page("catalogue/resident/application_add.html", application=found, form=form, status=form.status)


@bp.route("/applications/<public_id>/papers/<int:paper_id>/<int:picture_id>")
@requires(USE)
def application_picture(public_id: str, paper_id: int, picture_id: int) -> Response:
    """A picture of the applicant's own papers."""
    found = looking.application_for(current_actor(), public_id)
    data = filing.picture_of(filing.paper_of(found, paper_id), picture_id)
    response = Response(data, mimetype=files.image_type(data))
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.route("/applications/<public_id>/papers/<int:paper_id>/<int:picture_id>/drop", methods=["POST"])
@requires(USE)
def application_picture_drop(public_id: str, paper_id: int, picture_id: int) -> Response:
    found = looking.application_for(current_actor(), public_id)
    try:
        filing.drop_picture(filing.paper_of(found, paper_id), picture_id)
        flash(_("照片删掉了。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".application", public_id=public_id)


@bp.route("/applications/<public_id>/withdraw", methods=["GET", "POST"])
@requires(USE)
def application_withdraw(public_id: str) -> Response:
    found, form = looking.application_for(current_actor(), public_id), WithdrawForm()
    if form.carries_out(lambda: filing.withdraw(found, form.text("reason"), by=current_actor())):
        flash(_("已撤回。"), "ok")
        return web.go(".application", public_id=public_id)
    return web.page("catalogue/resident/application_withdraw.html", application=found, form=form, status=form.status)


@bp.route("/applications/<public_id>/rate", methods=["GET", "POST"])
@requires(USE)
def application_rate(public_id: str) -> Response:
    found, form = looking.application_for(current_actor(), public_id), RateForm()
    if form.carries_out(lambda: filing.rate(found, Score(form.score.data), form.text("words"))):
        flash(_("谢谢您的评价。"), "ok")
        return web.go(".application", public_id=public_id)
    return web.page("catalogue/resident/application_rate.html", application=found, form=form, status=form.status)
