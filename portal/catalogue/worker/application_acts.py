"""Each act on an application has a page of its own: what it does, what must be said, the button."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.forms.applications import (
    AskForm,
    CloseForm,
    GrantForm,
    NotAcceptForm,
    NoteForm,
    PassForm,
    RefuseForm,
    RelativeForm,
)
from portal.catalogue.models.applications import Application
from portal.catalogue.service.applications import deciding, receiving
from portal.catalogue.worker.applications import SERVE, application_here
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import Actor, current_actor, requires
from portal.core.errors import Missing
from portal.core.forms import Form


@dataclass(frozen=True)
class Door:
    """An act: its heading, its form, what it calls, and how its button looks."""

    heading: Any
    form: Callable[[], Form]
    act: Callable[[Application, Any, Actor], None]
    note: Any = ""
    kind: str = "primary"


DOORS: dict[str, Door] = {
    "accept": Door(
        _l("受理"),
        NoteForm,
        lambda found, _form, by: deciding.accept(found, by=by),
        _l("办理时限从受理次日起算，并通知申请人。"),
    ),
    "ask": Door(
        _l("一次告知补材料"),
        AskForm,
        lambda found, form, by: deciding.ask(found, form.chosen(), form.text("note"), by=by),
        _l("只能告知一次，请把缺的一次写全。已采集的材料不再要。"),
    ),
    "not-accept": Door(
        _l("不予受理"),
        NotAcceptForm,
        lambda found, form, by: deciding.refuse_to_accept(found, form.text("why"), form.text("where_to"), by=by),
        _l("原因和去处会原样发给申请人。"),
        "danger",
    ),
    "work": Door(
        _l("开始办理"), NoteForm, lambda found, form, by: deciding.begin_work(found, form.text("note"), by=by)
    ),
    "resume": Door(
        _l("材料齐了，接着办"), NoteForm, lambda found, form, by: deciding.resume(found, form.text("note"), by=by)
    ),
    "grant": Door(
        _l("办成了"),
        GrantForm,
        lambda found, form, by: deciding.grant(found, form.text("result"), by=by),
        _l("结果会编号，并原样发给申请人。"),
    ),
    "refuse": Door(
        _l("不予通过"),
        RefuseForm,
        lambda found, form, by: deciding.refuse(found, form.text("result"), form.text("appeal"), by=by),
        _l("原因和不服怎么办会原样发给申请人。"),
        "danger",
    ),
    "close": Door(_l("办结"), CloseForm, lambda found, form, by: deciding.close(found, form.text("note"), by=by)),
    "pass": Door(
        _l("请同事办"),
        PassForm,
        lambda found, form, by: receiving.pass_on(found, form.text("worker"), form.text("note"), by=by),
        _l("只转任务，不转责任：首接负责人不变。"),
    ),
    "relative": Door(
        _l("近亲属备案"),
        RelativeForm,
        lambda found, form, by: deciding.note_relative(found, form.text("note"), by=by),
    ),
}


@bp.route("/applications/<public_id>/<act>", methods=["GET", "POST"])
@requires(SERVE)
def application_act(public_id: str, act: str) -> Response:
    found, door = application_here(public_id), DOORS.get(act)
    if door is None:
        raise Missing
    form = _form(door, found)
    if form.carries_out(lambda: door.act(found, form, current_actor())):
        flash(_("办好了，已记下并通知。"), "ok")
        return web.go(".application", public_id=public_id)
    return web.page(
        "catalogue/worker/application_act.html", application=found, door=door, form=form, status=form.status
    )


def _form(door: Door, found: Application) -> Form:
    form = door.form()
    if isinstance(form, AskForm):
        form.offer(found.papers)
    if isinstance(form, PassForm):
        form.offer(receiving.servers(found), found.doer)
    return form
