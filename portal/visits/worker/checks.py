"""Worker pages: who is to be made sure of today, step by step, and how it ended."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.visits.forms.checks import CloseForm, ColleagueForm, step_form
from portal.visits.models import CheckOutcome, SafetyCheck, StepResult
from portal.visits.service import checks as checking
from portal.visits.service import workers
from portal.visits.worker.blueprint import asked_page, bp

SIZE = checking.A_PAGE


@bp.route("/checks")
@requires(Permission.VISITS_DO)
def checks() -> Response:
    within, page = scopes(Permission.VISITS_DO), asked_page()
    running = checking.checks(within, page=page)
    ended = checking.checks(within, closed=True)[:10]
    facts: dict[str, Any] = {"running": running[:SIZE], "more": len(running) > SIZE, "page": page}
    return web.page("visits/worker/checks.html", ended=ended, at=now(), **facts)


def _found(public_id: str) -> SafetyCheck:
    return checking.check_in(scopes(Permission.VISITS_DO), public_id)


def _page(check: SafetyCheck, **forms: Any) -> Response:
    shown = {"step_form": step_form(check), "colleague_form": ColleagueForm(), "close_form": CloseForm(), **forms}
    shown["colleague_form"].colleague.choices = [("", _("请选")), *_colleagues(check)]
    status = max(form.status for form in shown.values()) if forms else 200
    return web.page("visits/worker/check.html", check=check, at=now(), status=status, **shown)


def _colleagues(check: SafetyCheck) -> list[tuple[str, str]]:
    """Who could go there instead: everybody but who asks."""
    return [one for one in workers.visitors_of(check.person) if one[0] != current_actor().public_id]


@bp.route("/checks/<public_id>")
@requires(Permission.VISITS_DO)
def check(public_id: str) -> Response:
    return _page(_found(public_id))


@bp.route("/checks/<public_id>/take", methods=["POST"])
@requires(Permission.VISITS_DO)
def check_take(public_id: str) -> Response:
    found = _found(public_id)
    try:
        checking.take(found, by=current_actor())
        flash(_("您已接手，请尽快确认平安。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".check", public_id=public_id)


@bp.route("/checks/<public_id>/step", methods=["POST"])
@requires(Permission.VISITS_DO)
def check_step(public_id: str) -> Response:
    found = _found(public_id)
    form = step_form(found, request.form.get("step", "") or "0")
    if form.validate_on_submit():
        try:
            result, step = StepResult(form.result.data), web.number_asked("step", said=request.form)
            said = {"to_name": form.text("to_name"), "note": form.text("note")}
            checking.do_step(found, step, result, by=current_actor(), **said)
            _say_next(result)
            return web.go(".check", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return _page(found, step_form=form)


def _say_next(result: StepResult) -> None:
    reached = result is StepResult.REACHED
    flash(_("记好了。请写明结果，再点“结束确认”。") if reached else _("记好了，请接着做下一步。"), "ok")


@bp.route("/checks/<public_id>/colleague", methods=["POST"])
@requires(Permission.VISITS_DO)
def check_colleague(public_id: str) -> Response:
    found, form = _found(public_id), ColleagueForm()
    form.colleague.choices = _colleagues(found)
    if form.validate_on_submit():
        try:
            checking.ask_colleague(found, form.colleague.data, by=current_actor())
            flash(_("已通知这位同事。"), "ok")
            return web.go(".check", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return _page(found, colleague_form=form)


@bp.route("/checks/<public_id>/close", methods=["POST"])
@requires(Permission.VISITS_DO)
def check_close(public_id: str) -> Response:
    found, form = _found(public_id), CloseForm()
    if form.validate_on_submit():
        try:
            checking.close(found, CheckOutcome(form.outcome.data), form.text("how"), by=current_actor())
            flash(_("确认平安已结束。"), "ok")
            return web.go(".check", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return _page(found, close_form=form)
