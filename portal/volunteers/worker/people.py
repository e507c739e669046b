"""Worker pages: the list of volunteers, one volunteer, and registering somebody at the counter."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import audit, sheets, web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.forms.lists import FilterForm, FindForm
from portal.volunteers.forms.people import CounterForm, ReasonForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import people, people_export, people_lists, registering
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


@bp.route("/people")
@requires(KEEP)
def volunteer_list() -> Response:
    near = [(area.code, area.name) for area in people.communities(_within())]
    form = FilterForm.of(request.args, near)
    wanted = form.wanted(web.number_asked("after"))
    found = people_lists.listed(_within(), wanted)
    facts: dict[str, Any] = {"form": form, "wanted": wanted, "many": len(near) > 1}
    return web.page("volunteers/worker/volunteer_list.html", found=found, **facts)


@bp.route("/people/export", methods=["GET", "POST"])
@requires(KEEP, fresh=True)
def volunteer_export() -> Response:
    """Names leave the portal: the password is asked for, and the reason is kept."""
    wanted = FilterForm.of(request.args, []).wanted(0)
    form, bodies = ReasonForm(), list[bytes]()

    def make() -> None:
        bodies.append(people_export.workbook(_within(), wanted, reason=form.text("reason"), by=current_actor()))

    if form.carries_out(make):
        return web.download(bodies[0], _("志愿者名单%(day)s.xlsx", day=today().isoformat()), sheets.MIME)
    return web.page("volunteers/worker/volunteer_export.html", form=form, wanted=wanted, status=form.status)


@bp.route("/people/<public_id>")
@requires(KEEP)
def volunteer_page(public_id: str) -> Response:
    found = people.volunteer(public_id, within=_within())
    facts: dict[str, Any] = {"whole": people_lists.whole(found), "waits": registering.waits_for(found)}
    facts |= {"consent": people.consents_of([found.id]).get(found.id), "minor": people.is_minor(found, today())}
    return web.page("volunteers/worker/volunteer_page.html", volunteer=found, today=today(), **facts)


@bp.route("/people/new", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_who() -> Response:
    """Whom to register: a post only because a search of the register is recorded."""
    form, found = FindForm(), None
    if form.validate_on_submit():
        found = register.find(form.text("q"), _within())
        audit.record("volunteers.person_sought", None, kind=register.kind_of_query(form.text("q")), count=len(found))
    return web.page("volunteers/worker/volunteer_who.html", form=form, found=found, status=form.status)


@bp.route("/people/new/<person_id>", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_new(person_id: str) -> Response:
    person = register.person_in(_within(), person_id)
    form = CounterForm.at_desk(minor=registering.needs_guardian(person))
    made: list[str] = []
    if form.carries_out(lambda: made.append(_registered(person, form))):
        return web.go(".volunteer_page", public_id=made[0])
    facts: dict[str, Any] = {"person": person, "stands": people.volunteer_of(person), "unfit": _unfit(person)}
    return web.page("volunteers/worker/volunteer_new.html", form=form, status=form.status, **facts)


def _registered(person: Person, form: CounterForm) -> str:
    """The public id of who was registered: by this post, or by an earlier one of the same form."""
    made_once(f"volunteers.counter.{person.id}", form, lambda: _register(person, form))
    found = people.volunteer_of(person)
    if found is None:
        raise Refused(_("没有登记成功，请再试一次。"))
    flash(registering.waits_for(found) or _("登记好了，志愿者编号是 %(number)s。", number=found.number), "ok")
    return found.public_id


def _register(person: Person, form: CounterForm) -> Volunteer:
    said = form.text("consent")
    return registering.register(person, form.wishes(), by=current_actor(), consent=form.paper(), said=said)


def _unfit(person: Person) -> str:
    try:
        registering.refuse_unfit(person)
    except Refused as refused:
        return refused.message
    return ""
