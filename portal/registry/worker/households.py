"""Worker pages: a household with its people and its history, opening one, and what happens to one as a whole."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Dwelling
from portal.core import web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.happenings import BirthForm, HeadForm, JoinForm, RelationsForm, SplitForm
from portal.registry.forms.homes import FindHouseholdForm
from portal.registry.forms.households import HouseholdForm, NewHouseholdForm
from portal.registry.models import Happening, Household, Person
from portal.registry.service import buildings, families, happenings, lives, tags
from portal.registry.service import households as service
from portal.registry.worker.blueprint import bp


def _mine(household_id: int) -> Household:
    return service.household_in(scopes(Permission.PEOPLE_EDIT), household_id)


def _to(household: Household, words: str) -> Response:
    flash(words, "ok")
    return web.go(".household", household_id=household.id)


@bp.route("/households/<int:household_id>")
@requires(Permission.PEOPLE_READ)
def household(household_id: int) -> Response:
    within = scopes(Permission.PEOPLE_READ)
    found = service.household_in(within, household_id)
    members = service.living(found, within)
    facts: dict[str, Any] = {"happened": happenings.of_household(found, within), "today": today()}
    may_edit = may(Permission.PEOPLE_EDIT) and found.closed_on is None
    facts["not_alone"] = tags.not_alone(members) if may_edit else []
    return web.page("registry/worker/household.html", household=found, members=members, may_edit=may_edit, **facts)


def _asked_dwelling() -> Dwelling | None:
    """The home whose page led here."""
    asked = web.number_asked("dwelling")
    return buildings.dwelling_in(scopes(Permission.PEOPLE_EDIT), asked) if asked else None


@bp.route("/households/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def household_new() -> Response:
    places = areas.whole_communities(scopes(Permission.PEOPLE_EDIT))
    form, community = NewHouseholdForm.among(places, _asked_dwelling())
    if form.validate_on_submit():
        try:
            made = service.open_household(community.id, form.text("number"), form.dwelling(community.id))
            return _to(made, _("已新建这一户，请登记成员。"))
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/household_new.html", form=form, status=form.status)


@bp.route("/households/<int:household_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def household_edit(household_id: int) -> Response:
    found = _mine(household_id)
    form = HouseholdForm.of(found, service.community_of(found))
    if form.carries_out(
        lambda: service.mend_household(found, number=form.text("number"), dwelling=form.dwelling(found.community_id))
    ):
        return _to(found, _("已保存。"))
    return web.page("registry/worker/household_edit.html", form=form, household=found, status=form.status)


@bp.route("/households/<int:household_id>/birth", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def birth(household_id: int) -> Response:
    found = _mine(household_id)
    form = BirthForm.of(found)
    if form.carries_out(lambda: _birth(found, form)):
        return _to(found, _("已登记出生，孩子用临时编号，有了身份证号码再补。"))
    return web.page("registry/worker/birth.html", form=form, household=found, status=form.status)


def _birth(found: Household, form: BirthForm) -> None:
    said = {"note": form.text("note").strip(), "idem": form.text("idem")}
    lives.birth(found, form.child(), by=current_actor(), **said)


@bp.route("/households/<int:household_id>/split", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def split(household_id: int) -> Response:
    found = _mine(household_id)
    form = SplitForm.of(found, service.community_of(found))
    if form.validate_on_submit():
        try:
            done = _split(found, form)
            flash(_("已分户。与户主关系按新户主推定，请打开下面两户核对；分错了可以撤销。"), "ok")
            return web.go(".happening", public_id=done.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/split.html", form=form, household=found, status=form.status)


def _split(found: Household, form: SplitForm) -> Happening:
    head = form.chosen()
    if head is None:
        raise Refused(_("请选择新户的户主。"), field="head")
    elsewhere = service.dwelling_at(found.community_id, *form.door) if form.lives.data == "other" else None
    return families.split(
        found,
        form.leavers(),
        day=form.day.data or today(),
        number=form.text("number"),
        head=head,
        dwelling=found.dwelling if form.lives.data == "same" else elsewhere,
        note=form.text("note").strip(),
        new_head=form.chosen_head(),
    )


@bp.route("/households/<int:household_id>/join", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def join(household_id: int) -> Response:
    kept = _mine(household_id)
    other, refusal = _other(kept)
    form = JoinForm.of(service.living(other) if other else [])
    if other and form.carries_out(lambda: families.join(kept, other, **_told(form))):
        return _to(kept, _("已并户。"))
    find = FindHouseholdForm.beside(kept, service.community_of(kept), scopes(Permission.PEOPLE_EDIT))
    facts = {"kept": kept, "other": other, "refusal": refusal, "find": find}
    return web.page("registry/worker/join.html", form=form, status=422 if refusal else form.status, **facts)


def _other(kept: Household) -> tuple[Household | None, str]:
    """The household whose number the address names, or why it cannot come in."""
    number = request.args.get("number", "").strip()[:40]
    if not number:
        return None, ""
    try:
        found = service.by_number(kept.community_id, number, scopes(Permission.PEOPLE_EDIT), field="number")
    except Refused as refused:
        return None, refused.message
    if found.id == kept.id:
        return None, _("这是同一户，请填要并进来的另一户的户号。")
    return found, ""


@bp.route("/households/<int:household_id>/head", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def change_head(household_id: int) -> Response:
    found = _mine(household_id)
    members = service.living(found)
    head = _asked_head(members)
    form = HeadForm.of(members, head) if head else None
    if head and form and form.carries_out(lambda: families.change_head(found, head, **_told(form))):
        return _to(found, _("已变更户主。"))
    facts = {"household": found, "members": members, "head": head, "form": form}
    return web.page("registry/worker/change_head.html", status=form.status if form else 200, **facts)


def _asked_head(members: list[Person]) -> Person | None:
    asked = request.args.get("head", "")
    if not asked:
        return None
    found = next((person for person in members if person.public_id == asked), None)
    if found is None:
        raise Missing
    return found


def _told(form: RelationsForm) -> dict[str, Any]:
    return {"day": form.day.data or today(), "relations": form.relations(), "note": form.text("note").strip()}
