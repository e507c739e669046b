"""Worker pages: what happened lately, undoing it, and the events of one person."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.happenings import (
    AbsenceForm,
    DeathForm,
    EventForm,
    MoveInForm,
    MoveOutForm,
    UndoForm,
)
from portal.registry.models import HappeningKind, Person, Relation
from portal.registry.service import happenings as service
from portal.registry.service import households, lives, moves, people, registering, tags
from portal.registry.worker.blueprint import bp

bp.add_app_template_filter(service.who, "whom")


@bp.route("/happenings")
@requires(Permission.PEOPLE_READ)
def happenings() -> Response:
    asked = request.args.get("kind", "")
    kind = HappeningKind(asked) if asked in set(HappeningKind) else None
    before = web.number_asked("before") or None
    found = service.happenings(scopes(Permission.PEOPLE_READ), kind=kind, before=before)
    facts: dict[str, Any] = {"shown": found[: service.PAGE], "more": len(found) > service.PAGE, "kind": kind}
    return web.page("registry/worker/happenings.html", kinds=HappeningKind, **facts)


@bp.route("/happenings/<public_id>")
@requires(Permission.PEOPLE_READ)
def happening(public_id: str) -> Response:
    found = service.happening_in(scopes(Permission.PEOPLE_READ), public_id)
    may_undo = may(Permission.PEOPLE_EDIT) and found.undone_at is None and found.kind is not HappeningKind.MERGE
    return web.page("registry/worker/happening.html", happening=found, may_undo=may_undo)


@bp.route("/happenings/<public_id>/undo", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def happening_undo(public_id: str) -> Response:
    found, form = service.happening_in(scopes(Permission.PEOPLE_EDIT), public_id), UndoForm()
    if form.carries_out(lambda: service.undo(found, reason=form.text("reason"))):
        flash(_("已撤销，恢复到登记以前。"), "ok")
        return web.go(".happenings")
    return web.page("registry/worker/happening_undo.html", happening=found, form=form, status=form.status)


def _mine(public_id: str) -> Person:
    return people.person_in(scopes(Permission.PEOPLE_EDIT), public_id)


def _to(person: Person, words: str) -> Response:
    flash(words, "ok")
    return web.go(".record", public_id=person.public_id)


def _told(form: EventForm) -> dict[str, Any]:
    return {"day": form.day.data or today(), "note": form.text("note").strip()}


@bp.route("/<public_id>/death", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def death(public_id: str) -> Response:
    person = _mine(public_id)
    form = DeathForm.of(person)
    if form.carries_out(lambda: lives.death(person, **_told(form), new_head=form.chosen_head())):
        return _to(person, _("已登记去世。登记有误可以在下面撤销。"))
    return web.page("registry/worker/death.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/move-out", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def move_out(public_id: str) -> Response:
    person = _mine(public_id)
    form = MoveOutForm.of(person)
    if form.carries_out(lambda: moves.move_out(form.leavers(), **_told(form), new_head=form.chosen_head())):
        return _to(person, _("已登记迁出。"))
    return web.page("registry/worker/move_out.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/move-in", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def move_in(public_id: str) -> Response:
    person = _mine(public_id)
    form = MoveInForm.of(person, data={"home": "existing", "day": today()})
    form.offer_homes(person.community, scopes(Permission.PEOPLE_EDIT), nowhere=False)
    if form.carries_out(lambda: _move_in(person, form)):
        flash(_("已登记迁入。"), "ok")
        return arrived(person)
    return web.page("registry/worker/move_in.html", person=person, form=form, status=form.status)


def arrived(person: Person) -> Response:
    """To the household where somebody still stands as living alone, which that page asks about; else to the record."""
    household = person.household
    if household and tags.not_alone(households.living(household)):
        return web.go(".household", household_id=household.id)
    return web.go(".record", public_id=person.public_id)


def _move_in(person: Person, form: MoveInForm) -> None:
    home = form.chosen_home()
    if home is None:
        raise Refused(_("请选择住到哪一户。"), field="home")
    household = registering.home_for(person.community_id, home, scopes(Permission.PEOPLE_EDIT))
    about: dict[str, Any] = {
        "relation": Relation(form.relation.data),
        "new_head": form.chosen_head(),
        "opened": home.opens,
    }
    moves.move_in(person, household, **_told(form), **about)


@bp.route("/<public_id>/absence", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def absence(public_id: str) -> Response:
    person, form = _mine(public_id), AbsenceForm()
    if form.carries_out(lambda: lives.absence(person, **_told(form), until=form.until.data)):
        return _to(person, _("已登记外出。"))
    return web.page("registry/worker/absence.html", person=person, form=form, status=form.status)


@bp.route("/<public_id>/return", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def come_back(public_id: str) -> Response:
    person, form = _mine(public_id), EventForm()
    if form.carries_out(lambda: lives.come_back(person, **_told(form))):
        return _to(person, _("已登记返回。"))
    return web.page("registry/worker/come_back.html", person=person, form=form, status=form.status)
