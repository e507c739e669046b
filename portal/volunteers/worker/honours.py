"""Worker pages: proofs of skills, training, awards and pairs; the street's list of skills."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Missing
from portal.core.forms import Form, OnceForm
from portal.identity.permissions import Permission
from portal.volunteers.forms.lists import AwardForm, PairForm, TrainingForm
from portal.volunteers.forms.people import ProveForm, ReasonForm, SkillForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import honours, people_lists, skills
from portal.volunteers.worker.blueprint import bp
from portal.volunteers.worker.people_acts import volunteer

KEEP, RULES = Permission.VOLUNTEERS_KEEP, Permission.VOLUNTEERS_RULES


@bp.route("/people/<public_id>/prove", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_prove(public_id: str) -> Response:
    found, form = volunteer(public_id), ProveForm()
    form.skill.choices = [(one.id, one.name) for one in skills.skills()]
    if form.carries_out(lambda: _prove(found, form)):
        flash(_("已核验。"), "ok")
        return web.go(".volunteer_page", public_id=public_id)
    return web.page("volunteers/worker/volunteer_prove.html", volunteer=found, form=form, status=form.status)


def _prove(found: Volunteer, form: ProveForm) -> None:
    skill = skills.skill(form.skill.data)
    honours.prove(found, skill, proof=form.text("proof"), valid_to=form.valid_to.data, by=current_actor())


@bp.route("/people/<public_id>/drop/<what>/<int:number>", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_drop(public_id: str, what: str, number: int) -> Response:
    """A proof, a training, an award or a pair that was a mistake or ended; with its reason."""
    found, form = volunteer(public_id), ReasonForm()
    act, title = _dropping(what)
    if form.carries_out(lambda: act(found, number, reason=form.text("reason"))):
        flash(_("已办好。"), "ok")
        return web.go(".volunteer_page", public_id=public_id)
    facts: dict[str, Any] = {"title": title, "note": _("删除会留下记录，请写明原因。")}
    return web.page("volunteers/worker/volunteer_act.html", volunteer=found, form=form, status=form.status, **facts)


def _dropping(what: str) -> tuple[Callable[..., None], str]:
    """What is done, and what it is called."""
    drops: dict[str, tuple[Callable[..., None], str]] = {
        "proof": (honours.drop_proof, _("取消技能核验")),
        "training": (honours.drop_training, _("删除培训记录")),
        "award": (honours.drop_award, _("删除表彰记录")),
        "pair": (honours.end_pair, _("解除搭档")),
    }
    if what not in drops:
        raise Missing
    return drops[what]


@bp.route("/people/<public_id>/pair", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_pair(public_id: str) -> Response:
    found, form = volunteer(public_id), PairForm().fill()
    if form.carries_out(lambda: _pair(found, form)):
        flash(_("搭档登记好了。"), "ok")
        return web.go(".volunteer_page", public_id=public_id)
    return web.page("volunteers/worker/volunteer_pair.html", volunteer=found, form=form, status=form.status)


def _pair(found: Volunteer, form: PairForm) -> None:
    other = people_lists.by_number(scopes(KEEP), form.text("other"))
    honours.pair(found, other, always=form.always.data == "1", by=current_actor())


def _chosen() -> list[Volunteer]:
    return people_lists.chosen(scopes(KEEP), request.values.getlist("who"))


@bp.route("/training", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_training() -> Response:
    """One training for everybody who was ticked on the list."""
    chosen, form = _chosen(), TrainingForm()
    act = _once("volunteers.training", form, lambda: honours.note_training(chosen, form.facts(), by=current_actor()))
    return _noted(form, act, chosen, "volunteers/worker/volunteer_training.html")


@bp.route("/awards", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_award() -> Response:
    chosen, form = _chosen(), AwardForm()
    act = _once("volunteers.award", form, lambda: honours.note_award(chosen, form.facts(), by=current_actor()))
    return _noted(form, act, chosen, "volunteers/worker/volunteer_award.html")


def _noted(form: OnceForm, act: Callable[[], int], chosen: list[Volunteer], template: str) -> Response:
    counts: list[int] = []
    if form.carries_out(lambda: counts.append(act())):
        flash(_("给 %(count)s 位志愿者登记好了。", count=counts[0]), "ok")
        if len(chosen) == 1:
            return web.go(".volunteer_page", public_id=chosen[0].public_id)
        return web.go(".volunteer_list")
    return web.page(template, form=form, chosen=chosen, status=form.status)


def _once(action: str, form: OnceForm, act: Callable[[], int]) -> Callable[[], int]:
    """A form sent twice acts once, and answers the same."""

    def once() -> int:
        actor, key, body = current_actor().public_id, form.text("idem"), form.body()
        earlier = tokens.same_request(actor, action, key, body)
        if earlier is not None:
            return int(earlier)
        count = act()
        tokens.remember_request(actor, action, key, body, str(count))
        return count

    return once


@bp.route("/skills")
@requires(RULES)
def skill_list() -> Response:
    return web.page("volunteers/worker/skill_list.html", skills=skills.skills(), held=skills.held_by())


@bp.route("/skills/new", methods=["GET", "POST"])
@requires(RULES)
def skill_new() -> Response:
    form = SkillForm()
    return _skilled(form, lambda: skills.make(**_said(form)), _("新增技能"))


@bp.route("/skills/<int:number>", methods=["GET", "POST"])
@requires(RULES)
def skill_edit(number: int) -> Response:
    found = skills.skill(number)
    form = SkillForm(obj=found)
    return _skilled(form, lambda: skills.change(found, **_said(form)), _("修改技能"))


def _said(form: SkillForm) -> dict[str, Any]:
    return {
        "name": form.text("name"),
        "needs_proof": bool(form.needs_proof.data),
        "is_offered": bool(form.is_offered.data),
    }


def _skilled(form: Form, act: Callable[[], object], title: str) -> Response:
    if form.carries_out(act):
        flash(_("已保存。"), "ok")
        return web.go(".skill_list")
    return web.page("volunteers/worker/skill_edit.html", form=form, title=title, status=form.status)
