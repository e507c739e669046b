"""Worker pages: one request with everything about it, and the acts on it."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from portal.casework.forms import worker as forms
from portal.casework.forms.fields import clean_pictures
from portal.casework.forms.photos import PhotoForm
from portal.casework.models.cases import Case
from portal.casework.models.codes import PhotoStage
from portal.casework.service import (
    accusing,
    asking,
    board,
    calling,
    deskwords,
    dispatching,
    handling,
    linking,
    moves,
    naming,
    photos,
    queue,
    reporting,
    supervising,
)
from portal.casework.worker import acting
from portal.casework.worker.acting import DISPATCH, HANDLE, SUPERVISE, Act
from portal.casework.worker.blueprint import bp
from portal.core import files, tokens, web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission

# Acts that name another request, and whose requests are looked through for it.
SEARCHED = {"link": Permission.CASES_HANDLE, "merge": Permission.CASES_DISPATCH}
bp.add_app_template_filter(deskwords.desk_step, "desk_step")


def _found(public_id: str, permission: Permission) -> Case:
    return queue.case_in(scopes(permission), public_id, current_actor())


def _facts(case: Case, permission: Permission, acts: dict[str, dict[str, Act]]) -> dict[str, Any]:
    me, at = current_actor(), now()
    return {
        "case": case,
        "at": at,
        "stands": supervising.stands(case, at),
        "reporter": naming.reporter_name(case, me),
        "named": naming.may_know(case, me),
        "by_dispatcher": naming.is_dispatchers(case) and case.is_open(),
        "phone": naming.reporter_phone(case, me),
        "answers": reporting.answers_of(case),
        "linked": linking.linked(case),
        "proposed": linking.proposed(case, me) if case.is_open() and permission is Permission.CASES_HANDLE else [],
        "acts": {where: acting.offered(found, case, me.public_id) for where, found in acts.items()},
        "party": accusing.worker_name(case) if "dispatch" in acts else "",
        "asked_to_reopen": asking.waits_for_approval(case),
        "days_tried": calling.days_tried(case),
        "tries_needed": calling.tries_needed(),
        "step_by": naming.step_by,
        "me": me,
    }


@bp.route("/<public_id>")
@requires(Permission.CASES_HANDLE)
def case(public_id: str) -> Response:
    found, acts = _found(public_id, Permission.CASES_HANDLE), {"act": HANDLE}
    acts |= {"dispatch": DISPATCH} if may(Permission.CASES_DISPATCH) else {}
    acts |= {"supervise": SUPERVISE} if may(Permission.CASES_SUPERVISE) else {}
    facts = _facts(found, Permission.CASES_HANDLE, acts)
    return web.page("casework/worker/case.html", photo_form=PhotoForm(), **facts)


@bp.route("/<public_id>/watch")
@requires(Permission.CASES_SUPERVISE)
def watch(public_id: str) -> Response:
    """The same for a street, which supervises and does not handle."""
    found = _found(public_id, Permission.CASES_SUPERVISE)
    return web.page("casework/worker/watch.html", **_facts(found, Permission.CASES_SUPERVISE, {"supervise": SUPERVISE}))


def _act(case: Case, acts: dict[str, Act], where: str, name: str) -> Response:
    """One act: its form first where it asks for something; the second of two who act at once is told."""
    act = acts.get(name)
    if act is None:
        raise NotFound
    form = act.form(case)
    form.see(case)
    if form.validate_on_submit() and "again" not in request.form:
        try:
            if not _once(case, f"{where}.{name}", form):
                dispatching.unchanged(case, form.text("seen"))
                act.run(case, form)
                flash(str(act.done), "ok")
            return _back(case)
        except Refused as refused:
            if act.plain:
                web.turn_down(refused)
                return _back(case)
            form.refuse(refused)
    shown: dict[str, Any] = {"act": act, "form": form, "name": name, "where": where, **_beside(case, name)}
    return web.page("casework/worker/act.html", case=case, status=form.status, **shown)


def _beside(case: Case, name: str) -> dict[str, Any]:
    """What stands beside a form: the last day of an extension, the requests among which another is looked for."""
    if name == "extension":
        return {"latest": handling.latest_extension(case)}
    if name not in SEARCHED:
        return {}
    search = forms.SearchForm(request.args, meta={"csrf": False})
    within, words = scopes(SEARCHED[name]), search.text("words")
    found = linking.search(within, case, words, search.day.data, current_actor()) if search.validate() else []
    return {
        "search": search,
        "found": found,
        "sought": bool(words or search.day.data) and not search.errors,
        "most": linking.FOUND,
    }


def _once(case: Case, name: str, form: forms.ActForm) -> bool:
    """Whether this very form was carried out before."""
    me, key = current_actor().public_id, form.text("idem")
    body = f"{case.public_id} {name} {form.body()}"
    return bool(tokens.first_request(me, "casework.act", key, body, case.public_id)) if key else False


def _back(case: Case) -> Response:
    return web.go(".case" if may(Permission.CASES_HANDLE) else ".watch", public_id=case.public_id)


@bp.route("/<public_id>/act/<name>", methods=["GET", "POST"])
@requires(Permission.CASES_HANDLE)
def act(public_id: str, name: str) -> Response:
    return _act(_found(public_id, Permission.CASES_HANDLE), HANDLE, "act", name)


@bp.route("/<public_id>/dispatch/<name>", methods=["GET", "POST"])
@requires(Permission.CASES_DISPATCH)
def dispatch(public_id: str, name: str) -> Response:
    return _act(_found(public_id, Permission.CASES_DISPATCH), DISPATCH, "dispatch", name)


@bp.route("/<public_id>/supervise/<name>", methods=["GET", "POST"])
@requires(Permission.CASES_SUPERVISE)
def supervise(public_id: str, name: str) -> Response:
    return _act(_found(public_id, Permission.CASES_SUPERVISE), SUPERVISE, "supervise", name)


@bp.route("/<public_id>/help/<int:help_id>", methods=["GET", "POST"])
@requires(Permission.CASES_HANDLE)
def help_given(public_id: str, help_id: int) -> Response:
    found, form = _found(public_id, Permission.CASES_HANDLE), forms.HelpGivenForm()
    if form.carries_out(lambda: handling.give_help(found, help_id, form.text("answer"), by=current_actor())):
        flash(_("协助结果已记下，办理人会收到通知。"), "ok")
        return _back(found)
    return web.page("casework/worker/help_given.html", case=found, form=form, help_id=help_id, status=form.status)


@bp.route("/<public_id>/unlink/<other>", methods=["POST"])
@requires(Permission.CASES_HANDLE)
def unlink(public_id: str, other: str) -> Response:
    found = _found(public_id, Permission.CASES_HANDLE)
    linking.unlink(found, other, by=current_actor())
    flash(_("已取消关联。"), "ok")
    return _back(found)


@bp.route("/<public_id>/call", methods=["POST"])
@requires(Permission.CASES_HANDLE)
def call(public_id: str) -> Response:
    """Show the number to call, once, with a trace."""
    found = _found(public_id, Permission.CASES_HANDLE)
    try:
        digits = calling.number_of(found, by=current_actor())
    except Refused as refused:
        web.turn_down(refused)
        return _back(found)
    reporter = naming.reporter_name(found, current_actor())
    return web.page("casework/worker/call.html", case=found, digits=digits, reporter=reporter)


@bp.route("/<public_id>/photos", methods=["POST"])
@requires(Permission.CASES_HANDLE)
def photo_add(public_id: str) -> Response:
    form = PhotoForm()
    pictures = clean_pictures(form, form.photos, photos.MOST) if form.validate_on_submit() else []
    found = _found(public_id, Permission.CASES_HANDLE)
    stage, name = PhotoStage(form.stage.data or PhotoStage.BEFORE), current_actor().name
    try:
        handling.held_by(found, current_actor())
        for picture in pictures:
            photos.add(found, picture, stage, by_name=name)
        flash(*form.outcome(len(pictures)))
    except Refused as refused:
        web.turn_down(refused)
    return _back(found)


@bp.route("/<public_id>/photos/<photo_id>")
@requires(Permission.CASES_HANDLE)
def photo(public_id: str, photo_id: str) -> Response:
    return _picture(_found(public_id, Permission.CASES_HANDLE), photo_id)


@bp.route("/<public_id>/watch/photos/<photo_id>")
@requires(Permission.CASES_SUPERVISE)
def watch_photo(public_id: str, photo_id: str) -> Response:
    return _picture(_found(public_id, Permission.CASES_SUPERVISE), photo_id)


def _picture(case: Case, photo_id: str) -> Response:
    picture = photos.picture(case, photo_id)
    return Response(picture, mimetype=files.image_type(picture))


@bp.route("/<public_id>/photos/<photo_id>/drop", methods=["POST"])
@requires(Permission.CASES_HANDLE)
def photo_drop(public_id: str, photo_id: str) -> Response:
    found = _found(public_id, Permission.CASES_HANDLE)
    try:
        handling.drop_photo(found, photo_id, by=current_actor())
        flash(_("照片已删除。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return _back(found)


@bp.route("/<public_id>/release", methods=["GET", "POST"])
@requires(Permission.CASES_DISPATCH)
def release(public_id: str) -> Response:
    found = _found(public_id, Permission.CASES_DISPATCH)
    form = forms.ReleaseForm(data={"asked": found.public_asked, "done": found.public_done})
    form.offer(found)
    chosen = list(form.photos.data or ()) if "photos" in form else []
    mover = moves.worker(current_actor())
    asked, done = form.text("asked"), form.text("done")
    if form.carries_out(lambda: board.release(found, asked=asked, done=done, photo_ids=chosen, by=mover)):
        flash(_("已放上公示栏。"), "ok")
        return _back(found)
    return web.page("casework/worker/release.html", case=found, form=form, status=form.status)


@bp.route("/<public_id>/hide", methods=["GET", "POST"])
@requires(Permission.CASES_DISPATCH)
def hide(public_id: str) -> Response:
    found, form = _found(public_id, Permission.CASES_DISPATCH), forms.WhyForm()
    mover = moves.worker(current_actor())
    if form.carries_out(lambda: board.hide(found, why=form.text("why"), by=mover)):
        flash(_("已从公示栏撤下。"), "ok")
        return _back(found)
    return web.page("casework/worker/hide.html", case=found, form=form, status=form.status)
