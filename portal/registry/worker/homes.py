"""Worker pages: the list of households, on the screen, on paper and as a file."""

from dataclasses import replace
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.exports import HouseholdExportForm
from portal.registry.forms.households import HouseholdListForm, wanted
from portal.registry.service import exports, household_exports, lists, records
from portal.registry.service import household_lists as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.search import MOST_PRINTED

bp.add_app_template_filter(service.state_words, "household_state")
bp.add_app_template_filter(service.people_words, "household_people")


def _asked() -> service.Wanted:
    """What a form said; without one, what the address says, but for words: those are asked by a recorded POST."""
    return wanted(request.form) if request.method == "POST" else _in_address()


def _in_address() -> service.Wanted:
    return replace(wanted(request.args), words="")


@bp.route("/households", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def households() -> Response:
    """Words that may name somebody are posted: an address holds none."""
    asked = _asked()
    place = service.ground(asked, scopes(Permission.PEOPLE_READ))
    page = service.page_of(asked, place.area, after=web.number_asked("after"))
    if asked.words:
        records.record_search(asked.words, page.count)
    facts: dict[str, Any] = {"page": page, "asked": asked, "most": lists.MOST_COUNTED}
    return web.page("registry/worker/households.html", form=HouseholdListForm.of(asked, place), **facts)


@bp.route("/households/print", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def households_print() -> Response:
    """A sheet of the list as it is filtered; that it was printed is recorded."""
    asked = _asked()
    place = service.ground(asked, scopes(Permission.PEOPLE_READ))
    lines, title = service.all_lines(asked, place.area, limit=MOST_PRINTED + 1), service.in_words(asked, place)
    audit.record("registry.households_printed", count=len(lines[:MOST_PRINTED]), asked=title)
    facts: dict[str, Any] = {"more": len(lines) > MOST_PRINTED, "title": title, "printed": now()}
    facts["back"] = url_for(".households", **dict[str, Any](asked.query()))
    return web.page("registry/worker/households_print.html", lines=lines[:MOST_PRINTED], heading=_("户册"), **facts)


@bp.route("/households/export", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EXPORT, fresh=True)
def households_export() -> Response:
    asked, form, within = _in_address(), HouseholdExportForm.fresh(), scopes(Permission.PEOPLE_EXPORT)
    place = service.ground(asked, within)
    if form.validate_on_submit():
        said: dict[str, Any] = {"plain": form.way.data == "plain", "reason": form.text("reason")}
        try:
            made = household_exports.ask(asked, within, **said, by=current_actor(), key=form.text("idem"))
            return web.go(".export", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"title": service.in_words(asked, place), "query": asked.query()}
    status, most = form.status, exports.most_people()
    count = lists.counted(service.everyone(asked, place.area), most)
    return web.page("registry/worker/households_export.html", form=form, count=count, most=most, status=status, **facts)
