"""Worker pages of applications: the list by state and lateness, one of them, its papers, and 代办 at the counter."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.applications import CounterForm, PapersForm
from portal.catalogue.forms.seeking import SeekForm
from portal.catalogue.models.applications import Application, ApplicationChannel
from portal.catalogue.models.items import Item
from portal.catalogue.service.applications import filing, looking, offered, receiving
from portal.catalogue.service.applications.filing import Begun
from portal.catalogue.service.applications.looking import Tab
from portal.catalogue.worker.blueprint import bp
from portal.core import audit, files, tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

SERVE = Permission.CATALOGUE_SERVE


def application_here(public_id: str) -> Application:
    return looking.application_in(scopes(SERVE), public_id)


@bp.route("/applications")
@requires(SERVE)
def applications() -> Response:
    within, page = scopes(SERVE), min(max(web.number_asked("page", 1), 1), 500)
    asked, mine = request.args.get("tab", ""), request.args.get("whose") == "mine"
    tab = Tab(asked) if asked in set(Tab) else Tab.NEW
    worker = current_actor().public_id if mine else None
    found = looking.applications_in(within, tab, worker=worker, page=page)
    counts = looking.counts(within, worker)
    facts: dict[str, Any] = {"tab": tab, "mine": mine, "page": page, "more": len(found) > looking.PAGE}
    rows = found[: looking.PAGE]
    return web.page("catalogue/worker/applications.html", applications=rows, counts=counts, today=today(), **facts)


@bp.route("/applications/<public_id>")
@requires(SERVE)
def application(public_id: str) -> Response:
    found, me = application_here(public_id), current_actor().public_id
    facts: dict[str, Any] = {"in_charge": found.is_in_charge(me), "acts": offered.acts(found, me), "today": today()}
    return web.page("catalogue/worker/application.html", application=found, form=PapersForm(formdata=None), **facts)


@bp.route("/applications/<public_id>/take", methods=["POST"])
@requires(SERVE)
def application_take(public_id: str) -> Response:
    try:
        receiving.take(application_here(public_id), by=current_actor())
        flash(_("由您首接负责，办到有结果为止。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".application", public_id=public_id)


@bp.route("/applications/<public_id>/receipt")
@requires(SERVE)
def application_receipt(public_id: str) -> Response:
    return web.page("catalogue/worker/application_receipt.html", application=application_here(public_id), at=now())


@bp.route("/applications/<public_id>/papers/<int:paper_id>", methods=["POST"])
@requires(SERVE)
def application_paper(public_id: str, paper_id: int) -> Response:
    """At the counter: a paper is photographed, or shown and given back."""
    form = PapersForm()
    pictures = form.pictures()
    paper = filing.paper_of(application_here(public_id), paper_id)
    try:
        filing.take_paper(paper, by=current_actor())
        for _number, data in pictures:
            filing.add_picture(paper, data, by=current_actor())
        flash(_("材料登记好了。") if not form.form_errors else str(form.form_errors[0]), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".application", public_id=public_id)


@bp.route("/applications/<public_id>/papers/<int:paper_id>/<int:picture_id>", methods=["POST"])
@requires(SERVE)
def application_picture(public_id: str, paper_id: int, picture_id: int) -> Response:
    """Shown to who is in charge; that it was looked at is kept."""
    paper = filing.paper_of(application_here(public_id), paper_id)
    data = filing.look_at(paper, picture_id, by=current_actor())
    response = Response(data, mimetype=files.image_type(data))
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.route("/applications/new", methods=["GET", "POST"])
@requires(SERVE)
def application_who() -> Response:
    """For whom: found first, then the item is chosen."""
    form, found = SeekForm(), None
    if form.validate_on_submit():
        found, kind = people.find(form.words(), scopes(SERVE)), people.kind_of_query(form.words())
        audit.record("applications.person_sought", None, by=kind, found=len(found))
        form.forget(kind)
    return web.page("catalogue/worker/application_who.html", form=form, found=found, status=form.status)


@bp.route("/applications/new/<person_id>", methods=["GET", "POST"])
@requires(SERVE)
def application_new(person_id: str) -> Response:
    """代办: written down, handed in and received in one go, free of charge."""
    person = people.person_in(scopes(SERVE), person_id)
    known, form = offered.items_for(person), CounterForm(data={"item": request.args.get("item", "")})
    form.offer(known)
    item = form.chosen(known)
    if item is not None and form.validate_on_submit():
        try:
            return web.go(".application", public_id=_filed(item, person, form))
        except Refused as refused:
            form.refuse(refused)
    return web.page("catalogue/worker/application_new.html", person=person, form=form, item=item, status=form.status)


def _filed(item: Item, person: Person, form: CounterForm) -> str:
    by, idem = current_actor(), form.idem.data or ""
    body = f"{person.public_id}|{form.body()}"
    earlier = tokens.same_request(by.public_id, "applications.counter", idem, body)
    if earlier is not None:
        return earlier
    begun = Begun(person, ApplicationChannel.COUNTER, form.consent())
    made = filing.begin(item, begun, by=by)
    filing.submit(made, form.text("said"), by=by)
    tokens.remember_request(by.public_id, "applications.counter", idem, body, made.public_id)
    flash(_("已收下，由您首接负责。材料可以在这里登记。"), "ok")
    return made.public_id
