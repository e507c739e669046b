"""Reporting a request: what, where, photographs; each page keeps what was typed on the ones before."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.casework.forms.resident import NewForm, PhotosForm, what_form, where_form
from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, PhotoStage
from portal.casework.resident.blueprint import bp
from portal.casework.service import choosing, following, naming, photos, reporting, seen, similar
from portal.core import files, web
from portal.core.access import current_actor, requires
from portal.core.db import undo
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def new() -> Response:
    whom = people.people_for(current_actor(), seen.REPORT)
    me = people.person_of_or_none(current_actor())
    if me is None:
        return web.page("casework/resident/new.html", form=None, hotlines=[], ready=False)
    groups = choosing.groups(me.community.code)
    form = NewForm.among(whom, groups)
    if form.validate_on_submit():
        draft = _begun(form, me, whom)
        return web.go(".what" if _asks_more(draft) else ".where", public_id=draft.public_id)
    hotlines = [one for one in choosing.redirects(me.community.code) if one.phone][:4]
    return web.page("casework/resident/new.html", form=form, hotlines=hotlines, ready=bool(groups), status=form.status)


def _begun(form: NewForm, me: Person, whom: list[Person]) -> Case:
    behalf = next((one for one in whom if one.public_id == form.behalf.data), me)
    by, said = current_actor(), form.text("what").strip()
    return reporting.begin(me, behalf, said, category_id=form.category_id(), by=by, idem=form.idem.data or "")


def _asks_more(draft: Case) -> bool:
    """Whether step one has something to say: no category found, questions of its own, or somebody else's matter."""
    return draft.category is None or bool(draft.category.questions) or bool(choosing.redirects_of(draft))


@bp.route("/new/<public_id>/what", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def what(public_id: str) -> Response:
    draft = seen.draft_of(current_actor(), public_id)
    groups = choosing.groups(draft.community.code)
    whom = people.people_for(current_actor(), seen.REPORT)
    form = what_form(draft, groups, whom)
    leaves = [leaf for group in groups for leaf in group.leaves]
    if form.validate_on_submit():
        before = draft.category_id
        reporting.for_whom(draft, form.whose(whom))
        reporting.say(
            draft, form.text("what").strip(), category_id=form.category_id(), answers=form.answers(draft.category)
        )
        others = choosing.redirects_of(draft)
        held_up = choosing.is_emergency(others) and not form.safe.data
        if draft.category is not None and draft.category_id == before and not held_up:
            return web.go(".where", public_id=public_id)
        return web.go(".what", public_id=public_id, stop=1 if held_up else None)
    facts = {"others": choosing.redirects_of(draft), "ideas": choosing.suggested(draft.what or "", leaves)}
    stopped = "stop" in request.args
    return web.page("casework/resident/what.html", case=draft, form=form, stopped=stopped, status=form.status, **facts)


@bp.route("/new/<public_id>/where", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def where(public_id: str) -> Response:
    draft = seen.draft_of(current_actor(), public_id)
    spots = reporting.spots(draft.building) if draft.building else []
    form = where_form(draft, spots)
    if form.validate_on_submit():
        try:
            if "pick" in request.form:
                reporting.point(draft, form.where(web.number_asked("pick", said=request.form) or None))
                outside = None if draft.building_id else 1
                return web.go(".where", public_id=public_id, outside=outside, _anchor="spots")
            reporting.put(draft, form.where(draft.building_id))
            return web.go(".alike" if similar.nearby(draft) else ".photos_page", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    estates = reporting.estates(draft)
    own = reporting.home_of(draft.behalf or draft.reporter) if draft.reporter else None
    facts = {"estates": estates, "spots": spots, "own": own}
    facts["outside"] = not draft.building_id and ("outside" in request.args or bool(draft.place))
    return web.page("casework/resident/where.html", case=draft, form=form, status=form.status, **facts)


@bp.route("/new/<public_id>/alike", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def alike(public_id: str) -> Response:
    draft = seen.draft_of(current_actor(), public_id)
    if request.method == "POST":
        person = people.person_of(current_actor())
        try:
            found = following.follow_instead(draft, request.form.get("case", ""), person)
            reporting.discard(draft)
            flash(_("已关注。有结果会通知您，不用再报一次。"), "ok")
            return web.go(".followed", public_id=found.public_id)
        except Refused as refused:
            web.turn_down(refused)
            return web.go(".alike", public_id=public_id)
    near = similar.nearby(draft)
    spots = {one.id: reporting.spot_of(one) for one in near}
    return web.page("casework/resident/alike.html", case=draft, found=near, spots=spots)


@bp.route("/new/<public_id>/photos", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def photos_page(public_id: str) -> Response:
    form = PhotosForm()
    # Pictures are decoded here, before the first query begins the transaction.
    pictures = form.pictures() if form.is_submitted() else []
    draft = seen.begun_by(current_actor(), public_id)
    if draft.state is not CaseState.DRAFT:
        return web.go(".sent", public_id=public_id)
    form.show(draft, reporting.organisations(draft))
    if form.is_submitted() and not form.errors and form.carries_out(lambda: _finish(draft, form, pictures)):
        return web.go(".sent" if _sends() else ".photos_page", public_id=public_id)
    if form.errors:
        undo()
    answers = reporting.answers_of(draft)
    return web.page("casework/resident/photos_page.html", case=draft, form=form, answers=answers, status=form.status)


def _sends() -> bool:
    return request.form.get("act") == "send"


def _finish(draft: Case, form: PhotosForm, pictures: list[bytes]) -> None:
    for picture in pictures:
        photos.add(draft, picture, PhotoStage.REPORT, by_name="")
    if "against" in form:
        reporting.accuse(draft, form.whom(), form.organisation_id(), hide_name=bool(form.hide_name.data))
    else:
        draft.hide_name = bool(form.hide_name.data)
    if _sends():
        reporting.send(draft, by=current_actor())


@bp.route("/new/<public_id>/photos/<photo_id>")
@requires(Permission.CASES_REPORT)
def draft_photo(public_id: str, photo_id: str) -> Response:
    return picture_response(photos.picture(seen.draft_of(current_actor(), public_id), photo_id))


@bp.route("/new/<public_id>/photos/<photo_id>/drop", methods=["POST"])
@requires(Permission.CASES_REPORT)
def photo_drop(public_id: str, photo_id: str) -> Response:
    photos.drop(seen.draft_of(current_actor(), public_id), photo_id)
    return web.go(".photos_page", public_id=public_id)


@bp.route("/new/<public_id>/discard", methods=["POST"])
@requires(Permission.CASES_REPORT)
def discard(public_id: str) -> Response:
    reporting.discard(seen.draft_of(current_actor(), public_id))
    flash(_("已删除没写完的诉求。"), "ok")
    return web.go(".index")


@bp.route("/<public_id>/sent")
@requires(Permission.CASES_REPORT)
def sent(public_id: str) -> Response:
    case = seen.case_of(current_actor(), public_id)
    return web.page("casework/resident/sent.html", case=case, dispatchers_alone=naming.is_dispatchers(case))


def picture_response(data: bytes) -> Response:
    """A photograph, kept by no cache."""
    response = Response(data, mimetype=files.image_type(data))
    response.headers["Cache-Control"] = "private, no-store"
    return response
