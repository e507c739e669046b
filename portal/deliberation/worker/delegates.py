"""Worker pages: who sits on a committee, and who was chosen to decide for a group."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.once import made_once
from portal.deliberation.forms.rules import DelegateForm, EndDelegateForm
from portal.deliberation.models.bodies import Delegate
from portal.deliberation.models.codes import Body
from portal.deliberation.service import delegates
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

VOTES = Permission.DELIBERATION_VOTES


@bp.route("/delegates")
@requires(VOTES)
def delegate_list() -> Response:
    past = request.args.get("past") == "1"
    found = delegates.delegates(scopes(VOTES), past=past)
    return web.page("deliberation/worker/delegate_list.html", delegates=found, past=past)


@bp.route("/delegates/new", methods=["GET", "POST"])
@requires(VOTES)
def delegate_new() -> Response:
    within = scopes(VOTES)
    form = DelegateForm.among(areas.communities(within))
    form.offer_people(within)
    if form.carries_out(lambda: made_once("deliberation.delegate", form, lambda: _added(form))):
        flash(_("已加到代表名单。"), "ok")
        return web.go(".delegate_list")
    return web.page("deliberation/worker/delegate_new.html", form=form, status=form.status)


def _added(form: DelegateForm) -> Delegate:
    body, person, since = Body(form.text("body_kind")), form.picked(), form.since.data or today()
    term: dict[str, Any] = {"since": since, "until": form.until.data}
    return delegates.add(form.place(), body, person, group=form.text("group"), **term, by=current_actor())


@bp.route("/delegates/<int:delegate_id>/end", methods=["GET", "POST"])
@requires(VOTES)
def delegate_end(delegate_id: int) -> Response:
    delegate, form = delegates.delegate_in(scopes(VOTES), delegate_id), EndDelegateForm()
    if form.carries_out(lambda: _ended(delegate, form)):
        flash(_("任期已结束，以后的名册不再有这个人。"), "ok")
        return web.go(".delegate_list")
    return web.page("deliberation/worker/delegate_end.html", delegate=delegate, form=form, status=form.status)


def _ended(delegate: Delegate, form: EndDelegateForm) -> None:
    delegates.end(delegate, until=form.until.data or today(), why=form.text("reason"))
