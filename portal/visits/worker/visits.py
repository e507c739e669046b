"""Worker pages: my visits, the form on a phone with its draft, one visit, a number to call."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import audit, files, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.service import people
from portal.visits.forms.record import RecordForm, form_for, kept_of
from portal.visits.models import Urgency, Visit
from portal.visits.service import calling, checks, listing, planning, recording, visiting, workers
from portal.visits.service import route as routes
from portal.visits.service.visiting import Tab
from portal.visits.worker.blueprint import asked_page, bp


@bp.route("/")
@requires(Permission.VISITS_DO)
def index() -> Response:
    """我的探访: mine, or with `whose` everybody's in scope."""
    within, actor, day, page = scopes(Permission.VISITS_DO), current_actor(), today(), asked_page()
    asked, everybody = request.args.get("tab", Tab.TODAY.value), request.args.get("whose") == "all"
    tab = Tab(asked) if asked in set(Tab) else Tab.TODAY
    worker = None if everybody else actor.public_id
    listed = visiting.visits(within, worker=worker, tab=tab, day=day, page=page)
    facts: dict[str, Any] = {"tab": tab, "everybody": everybody, "today": day, "page": page}
    running = checks.open_count(within)
    return web.page("visits/worker/index.html", listed=listed, checks=running, **facts, **_names(listed.visits))


def _names(visits: list[Visit]) -> dict[str, Any]:
    return {"names": workers.names(visit.worker for visit in visits)}


@bp.route("/route", methods=["POST"])
@requires(Permission.VISITS_DO)
def route() -> Response:
    """A day's visits on paper, mine or with `whose` everybody's in scope, by the doors; that it was printed is kept."""
    whose, day = request.form.get("whose") == "all", routes.day_of(request.form.get("day", ""))
    worker = None if whose else current_actor().public_id
    split = routes.Split.DAY if request.form.get("split") == "day" else routes.Split.BUILDING
    found = routes.route(scopes(Permission.VISITS_DO), worker=worker, day=day, split=split)
    told: dict[str, Any] = {"count": len(found.stops), "day": day.isoformat(), "whose": "all" if whose else "mine"}
    audit.record("visits.route_printed", None, **told)
    facts: dict[str, Any] = {"everybody": whose, "today": today(), "day": day, "at": now(), "split": split}
    names = _names([stop.visit for stop in found.stops]) if whose else {"names": {}}
    return web.page("visits/worker/route.html", route=found, following=day + timedelta(days=1), **facts, **names)


@bp.route("/<public_id>")
@requires(Permission.VISITS_DO)
def visit(public_id: str) -> Response:
    within, actor = scopes(Permission.VISITS_DO), current_actor()
    found = visiting.visit_in(within, public_id)
    facts: dict[str, Any] = {
        "record": recording.record_of(found),
        "photos": recording.photos_of(found),
        "following": None if found.is_open() else routes.following(found, within, worker=actor.public_id),
        "today": today(),
    }
    return web.page("visits/worker/visit.html", visit=found, **facts)


@bp.route("/<public_id>/record", methods=["GET", "POST"])
@requires(Permission.VISITS_DO)
def record(public_id: str) -> Response:
    form = RecordForm()
    # The photograph is decoded here, before the first query begins the transaction.
    picture = form.picture() if form.validate_on_submit() else None
    found = visiting.visit_in(scopes(Permission.VISITS_DO), public_id)
    if form.is_submitted() and not form.errors:
        try:
            return _onward(recording.record(found, form.said(), by=current_actor(), picture=picture))
        except Refused as refused:
            form.refuse(refused)
    form = form.again() if form.is_submitted() else form_for(found)
    return web.page("visits/worker/record.html", visit=found, form=form, status=form.status, **_beside(found))


def _beside(visit: Visit) -> dict[str, Any]:
    """What stands above the form: her age, and the visit before; and whether it may be confirmed by name."""
    facts = {"age": visit.person.age(today()), "earlier": visiting.history(visit.person, limit=1)}
    return {**facts, "confirming": recording.confirming()}


def _onward(visit: Visit) -> Response:
    """After a record: to the running check of who was not met, else back to the list, or to what was found."""
    if visit.done_at is None:
        running = checks.running(visit.person_id)
        flash(_("记下了没见到%(name)s。请按下面的步骤确认平安。", name=visit.person.name), "warn")
        return web.go(".check", public_id=running.public_id) if running else web.go(".index")
    flash(_("%(name)s的探访记好了。", name=visit.person.name), "ok")
    stay = visit.findings or visit.urgency is Urgency.AT_ONCE
    return web.go(".visit", public_id=visit.public_id) if stay else web.go(".index")


@bp.route("/<public_id>/draft", methods=["POST"])
@requires(Permission.VISITS_DO)
def draft(public_id: str) -> Response:
    """Saves what is typed so far: by htmx as it is typed, by a button without scripts."""
    found = visiting.visit_in(scopes(Permission.VISITS_DO), public_id)
    saved = recording.save_draft(found, kept_of(request.form), by=current_actor())
    if request.headers.get("HX-Request"):
        return web.page("visits/worker/record.html", visit=found, form=RecordForm(formdata=None), saved=saved)
    flash(
        _("草稿存好了，随时可以接着填。") if saved else _("这次探访已经记录，草稿没有再存。"), "ok" if saved else "warn"
    )
    return web.go(".record", public_id=public_id) if saved else web.go(".index")


@bp.route("/<public_id>/photos/<int:photo_id>")
@requires(Permission.VISITS_DO)
def photo(public_id: str, photo_id: int) -> Response:
    found = visiting.visit_in(scopes(Permission.VISITS_DO), public_id)
    data = recording.photo(found, photo_id)
    response = Response(data, mimetype=files.image_type(data))
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.route("/begin/<person_id>", methods=["POST"])
@requires(Permission.VISITS_DO)
def begin(person_id: str) -> Response:
    """A visit that nobody had planned: met on the way, or asked for by telephone."""
    person = people.person_in(scopes(Permission.VISITS_DO), person_id)
    made = planning.unplanned(listing.subject_of(person))
    return web.go(".record", public_id=made.public_id)


@bp.route("/call/<person_id>", methods=["POST"])
@requires(Permission.VISITS_DO)
def call(person_id: str) -> Response:
    """Show one number to call it, with a trace: the person's own, or with `contact` an emergency contact's."""
    person = people.person_in(scopes(Permission.VISITS_DO), person_id)
    contact = web.number_asked("contact", said=request.form)
    number = calling.number_of(person, contact, by=current_actor())
    return web.page("visits/worker/call.html", person=person, number=number)
