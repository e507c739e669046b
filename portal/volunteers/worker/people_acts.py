"""Worker pages: what is decided about a volunteer: taken up, refused, paused, barred, restored; a guardian's paper."""

from collections.abc import Callable

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.forms import Form
from portal.identity.permissions import Permission
from portal.volunteers.forms.lists import OuterForm
from portal.volunteers.forms.people import BarForm, PaperForm, ReasonForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import guardians, honours, moving, people
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


def volunteer(public_id: str) -> Volunteer:
    return people.volunteer(public_id, within=scopes(KEEP))


@bp.route("/people/<public_id>/take-up", methods=["POST"])
@requires(KEEP)
def volunteer_take_up(public_id: str) -> Response:
    found = volunteer(public_id)
    try:
        moving.take_up(found)
        flash(_("已通过，%(name)s 可以报名了。", name=found.person.name), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".volunteer_page", public_id=public_id)


@bp.route("/people/<public_id>/refuse", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_refuse(public_id: str) -> Response:
    found, form = volunteer(public_id), ReasonForm()
    words = (_("不通过登记"), _("原因会告诉本人。"), _("已答复不通过。"))
    return _act(found, form, lambda: moving.refuse(found, reason=form.text("reason")), words)


@bp.route("/people/<public_id>/pause", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_pause(public_id: str) -> Response:
    found, form = volunteer(public_id), ReasonForm()
    words = (_("暂停服务"), _("暂停后不能报名，后面的班次会退出，原因会告诉本人。"), _("已暂停。"))
    reason = form.text("reason")
    return _act(found, form, lambda: moving.pause(found, by=current_actor(), own=False, reason=reason), words)


@bp.route("/people/<public_id>/bar", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_bar(public_id: str) -> Response:
    found, form = volunteer(public_id), BarForm()
    words = (_("停止资格"), _("虚报服务时间、多次无故缺席等，可以停止到某一天。原因会告诉本人。"), _("已停止资格。"))
    return _act(found, form, lambda: _bar(found, form), words)


def _bar(found: Volunteer, form: BarForm) -> None:
    moving.bar(found, until=form.until.data or today(), reason=form.text("reason"), by=current_actor())


@bp.route("/people/<public_id>/lift", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_lift(public_id: str) -> Response:
    found, form = volunteer(public_id), ReasonForm()
    words = (_("恢复服务"), _("提前恢复，请写明依据。"), _("已恢复。"))
    return _act(found, form, lambda: moving.lift(found, reason=form.text("reason")), words)


@bp.route("/people/<public_id>/guardian", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_guardian(public_id: str) -> Response:
    found, form = volunteer(public_id), PaperForm()
    words = (_("登记监护人同意书"), _("看过监护人签字的同意书和身份证，再登记。"), _("已登记监护人同意。"))
    return _act(found, form, lambda: guardians.on_paper(found, form.paper(), by=current_actor()), words)


@bp.route("/people/<public_id>/guardian/withdraw", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_guardian_end(public_id: str) -> Response:
    found, form = volunteer(public_id), ReasonForm()
    words = (_("撤回监护人同意"), _("监护人到窗口撤回时登记。后面的班次会退出。"), _("已撤回。"))
    return _act(found, form, lambda: _withdraw(found, form.text("reason")), words)


def _withdraw(found: Volunteer, reason: str) -> None:
    consent = people.consents_of([found.id]).get(found.id)
    guardians.withdraw(found, consent, by=current_actor())
    moving.clear_ahead(found, by=current_actor(), reason=reason, own=False)


@bp.route("/people/<public_id>/outer", methods=["GET", "POST"])
@requires(KEEP)
def volunteer_outer(public_id: str) -> Response:
    found = volunteer(public_id)
    form = OuterForm(data={"outer_number": found.outer_number})
    words = (_("其他系统的编号"), _("例如志愿汇或省平台的编号，方便对照。"), _("已保存。"))
    return _act(found, form, lambda: honours.set_outer_number(found, form.text("outer_number")), words)


def _act(found: Volunteer, form: Form, act: Callable[[], object], words: tuple[str, str, str]) -> Response:
    """A page of one form about a volunteer: what it is called, what it does, what was done."""
    title, note, done = words
    if form.carries_out(act):
        flash(done, "ok")
        return web.go(".volunteer_page", public_id=found.public_id)
    return web.page(
        "volunteers/worker/volunteer_act.html", volunteer=found, form=form, title=title, note=note, status=form.status
    )
