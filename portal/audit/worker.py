"""The worker platform of the audit: the auditor reads, and checks that nothing was changed."""

from typing import Any

from flask import Blueprint, Response, request

from portal.audit import deeds, labels, service
from portal.audit.forms import CheckForm, FilterForm
from portal.core.access import requires
from portal.core.clock import local, now
from portal.core.web import number_asked, page
from portal.identity.permissions import Permission

bp = Blueprint("worker", __name__)


@bp.route("/")
@requires(Permission.AUDIT_READ)
def index() -> Response:
    form = FilterForm(request.args, actions=deeds.deeds(), things=labels.things())
    if not form.validate():
        return page("audit/worker/index.html", status=422, form=form, rows=[], older=None, asked={}, **_words())
    wanted, before = form.wanted(), number_asked("before") or None
    asked = wanted.asked()
    service.note_reading(asked, before=before)
    rows, older = service.rows(wanted, before=before)
    return page("audit/worker/index.html", form=form, rows=rows, older=older, asked=asked, before=before, **_words())


@bp.route("/<int:row_id>")
@requires(Permission.AUDIT_READ)
def entry(row_id: int) -> Response:
    service.note_reading({"row": str(row_id)})
    row = service.row(row_id)
    return page("audit/worker/entry.html", row=row, batch=service.batch_of(row), **_words())


@bp.route("/chain", methods=["GET", "POST"])
@requires(Permission.AUDIT_READ)
def chain() -> Response:
    form = CheckForm()
    check = service.check(form.noted.data or "") if form.validate_on_submit() else None
    batches, older = service.batches(before=number_asked("before") or None)
    facts = {"chain": service.chain(), "batches": batches, "older": older, "check": check, "local": local}
    return page("audit/worker/chain.html", status=form.status, form=form, **facts)


@bp.route("/chain/head")
@requires(Permission.AUDIT_READ)
def head() -> Response:
    return page("audit/worker/head.html", chain=service.chain(), printed=local(now()), local=local)


def _words() -> dict[str, Any]:
    return {"labels": labels, "actions": deeds.deeds(), "things": labels.things(), "local": local}
