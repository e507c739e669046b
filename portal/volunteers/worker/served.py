"""Worker pages of the people a shift serves: found, added, given to a volunteer, taken off."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people
from portal.volunteers.forms.activities import ReasonForm
from portal.volunteers.forms.served import FindServedForm, ServedForm, served_form
from portal.volunteers.models.activities import Shift
from portal.volunteers.service import activities, serving
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


@bp.route("/shifts/<public_id>/served", methods=["GET", "POST"])
@requires(KEEP)
def served_find(public_id: str) -> Response:
    shift = activities.shift(public_id, within=_within())
    form, found = FindServedForm(), None
    if form.validate_on_submit():
        found, kind = people.find(form.text("q"), _within()), people.kind_of_query(form.text("q"))
        audit.record("volunteers.served_sought", None, by=kind, found=len(found))
        form.forget(kind)
    return web.page("volunteers/worker/served_find.html", shift=shift, form=form, found=found, status=form.status)


@bp.route("/shifts/<public_id>/served/<person_id>", methods=["GET", "POST"])
@requires(KEEP)
def served_new(public_id: str, person_id: str) -> Response:
    shift, person = activities.shift(public_id, within=_within()), people.person_in(_within(), person_id)
    form = served_form(serving.on_shift(shift))
    if form.carries_out(lambda: _add(shift, person, form)):
        return web.go(".shift_page", public_id=public_id)
    return web.page("volunteers/worker/served_new.html", shift=shift, person=person, form=form, status=form.status)


def _add(shift: Shift, person: Person, form: ServedForm) -> None:
    serving.add(shift, person, by=current_actor(), **form.facts())
    flash(_("已把%(name)s加进这个班次。", name=person.name), "ok")


@bp.route("/served/<public_id>", methods=["GET", "POST"])
@requires(KEEP)
def served_edit(public_id: str) -> Response:
    found = serving.served_in(_within(), public_id)
    form = served_form(serving.on_shift(found.shift), found)
    if form.carries_out(lambda: serving.change(found, by=current_actor(), **form.facts())):
        flash(_("已保存。"), "ok")
        return web.go(".shift_page", public_id=found.shift.public_id)
    return web.page("volunteers/worker/served_edit.html", served=found, form=form, status=form.status)


@bp.route("/served/<public_id>/drop", methods=["GET", "POST"])
@requires(KEEP)
def served_drop(public_id: str) -> Response:
    found, form = serving.served_in(_within(), public_id), ReasonForm()
    shift = found.shift.public_id
    if form.carries_out(lambda: serving.drop(found, form.text("reason"), by=current_actor())):
        flash(_("已从名单去掉。"), "ok")
        return web.go(".shift_page", public_id=shift)
    return web.page("volunteers/worker/served_drop.html", served=found, form=form, status=form.status)
