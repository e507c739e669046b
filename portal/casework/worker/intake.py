"""Worker pages: taking a request in for somebody who calls, comes, is visited, or wrote on paper."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.casework.forms.intake import IntakeForm, intake_form
from portal.casework.forms.worker import FindForm
from portal.casework.models.categories import Category
from portal.casework.service import choosing
from portal.casework.service import intake as taking
from portal.casework.worker.blueprint import bp
from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.CASES_HANDLE)
def intake() -> Response:
    form, found = FindForm(), None
    if form.validate_on_submit():
        kind = people.kind_of_query(form.text("q"))
        found = people.find(form.text("q"), scopes(Permission.CASES_HANDLE))
        audit.record("cases.person_sought", None, by=kind, found=len(found))
        form.q.data = "" if kind in people.NUMBERS else form.q.data
    return web.page("casework/worker/intake.html", form=form, found=found, today=today(), status=form.status)


@bp.route("/new/stranger", methods=["GET", "POST"])
@requires(Permission.CASES_HANDLE)
def intake_stranger() -> Response:
    return _intake(None)


@bp.route("/new/for/<person>", methods=["GET", "POST"])
@requires(Permission.CASES_HANDLE)
def intake_person(person: str) -> Response:
    return _intake(people.person_in(scopes(Permission.CASES_HANDLE), person))


def _intake(person: Person | None) -> Response:
    ground = taking.ground(person, scopes(Permission.CASES_HANDLE))
    form = intake_form(person, ground, _seen(ground))
    look = None
    if form.validate_on_submit():
        try:
            look = taking.look(form.told(), _community(form, ground))
            if form.has_looked(look.category) or not look.matters:
                return _taken(form, person, ground)
            form = _asking(form, person, ground, look)
        except Refused as refused:
            form.refuse(refused)
    return web.page("casework/worker/intake_new.html", person=person, form=form, look=look, status=form.status)


def _seen(ground: taking.Ground) -> Category | None:
    """The category whose questions the form that was sent asked."""
    said = request.form.get("looked", "")
    return next((one for one in ground.leaves if str(one.id) == said), None)


def _asking(sent: IntakeForm, person: Person | None, ground: taking.Ground, look: taking.Look) -> IntakeForm:
    """What was sent, once more, with the questions of its category: nothing is written down yet."""
    form = intake_form(person, ground, look.category)
    form.category.data = look.category.id
    form.looked.data = str(look.category.id)
    form.idem.data = sent.idem.data
    return form


def _community(form: IntakeForm, ground: taking.Ground) -> Area:
    return ground.community_of(form.community.data if "community" in form else 0)


def _taken(form: IntakeForm, person: Person | None, ground: taking.Ground) -> Response:
    community = _community(form, ground)
    key, body, by = form.text("idem"), form.body(), current_actor()
    case = taking.take_in(form.told(), person, community, by=by, idem=key, body=body)
    flash(_("已登记，编号 %(number)s。", number=case.number), "ok")
    for other in choosing.redirects_of(case):
        flash(_("%(name)s：%(says)s请马上告诉来人。", name=other.name, says=other.says), "warn")
    return web.go(".case", public_id=case.public_id)
