"""Worker page: printing a copy of everything for a person who asks for it at the counter."""

from flask import Response, request

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.home.service import copies
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission
from portal.registry.service import people


@bp.route("/person/<public_id>/copy", methods=["POST"])
@requires(Permission.RIGHTS_ANSWER, fresh=True)
def copy_print(public_id: str) -> Response:
    person = people.person_in(scopes(Permission.RIGHTS_ANSWER), public_id)
    sections = copies.print_for(person, reason=request.form.get("reason", ""), by=current_actor())
    return web.page("home/worker/copy_sheet.html", person=person, sections=sections, now=now())
