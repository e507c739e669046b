"""Each act on an application has a page of its own: what it does, what must be said, the button."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, flash
from flask_babel import lazy_gettext as _l

from portal.catalogue.forms.applications import (
    AcceptForm,
    AskForm,
    CloseForm,
    GrantForm,
    NotAcceptForm,
    NoteForm,
    PassForm,
    RefuseForm,
    RelativeForm,
    SeenForm,
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
    """An act: its heading, its form, what it calls, what is said once it is done, and how its button looks."""

    heading: Any
    form: Callable[[], Form]
    act: Callable[[Application, Any, Actor], None]
    done: Any
    note: Any = ""
    kind: str = "primary"


def _accept(found: Application, form: AcceptForm, by: Actor) -> None:
    deciding.know_lacking(found, seen=form.has_seen(), by=by)
    deciding.accept(found, form.text("note"), by=by)


def _grant(found: Application, form: GrantForm, by: Actor) -> None:
    deciding.know_lacking(found, seen=form.has_seen(), by=by)
    deciding.grant(found, form.text("result"), by=by)


DOORS: dict[str, Door] = {
    "accept": Door(
        _l("受理"),
        AcceptForm,
        _accept,
        _l("受理了，办理时限已通知申请人。"),
        _l("办理时限从受理次日起算，并通知申请人。"),
    ),
    "ask": Door(
        _l("一次告知补材料"),
        AskForm,
        lambda found, form, by: deciding.ask(found, form.chosen(), form.text("note"), by=by),
        _l("已一次告知申请人要补什么，等申请人补材料。"),
        _l("只能告知一次，请把缺的一次写全。已采集的材料不再要。"),
    ),
    "not-accept": Door(
        _l("不予受理"),
        NotAcceptForm,
        lambda found, form, by: deciding.refuse_to_accept(found, form.text("why"), form.text("where_to"), by=by),
        _l("不予受理，原因和去处已通知申请人。"),
        _l("原因和去处会原样发给申请人。"),
        "danger",
    ),
    "work": Door(
        _l("开始办理"),
        NoteForm,
        lambda found, form, by: deciding.begin_work(found, form.text("note"), by=by),
        _l("开始办理了，申请人能看到“办理中”。"),
    ),
    "resume": Door(
        _l("材料齐了，接着办"),
        NoteForm,
        lambda found, form, by: deciding.resume(found, form.text("note"), by=by),
        _l("材料齐了，时限接着算。"),
    ),
    "grant": Door(
        _l("办成了"),
        GrantForm,
        _grant,
        _l("办成了，结果已编号并通知申请人。"),
        _l("结果会编号，并原样发给申请人。"),
    ),
    "refuse": Door(
        _l("不予通过"),
        RefuseForm,
        lambda found, form, by: deciding.refuse(found, form.text("result"), form.text("appeal"), by=by),
        _l("没有通过，原因和不服怎么办已通知申请人。"),
        _l("原因和不服怎么办会原样发给申请人。"),
        "danger",
    ),
    "close": Door(
        _l("办结"),
        CloseForm,
        lambda found, form, by: deciding.close(found, form.text("note"), by=by),
        _l("这件申请办结了。"),
    ),
    "pass": Door(
        _l("请同事办"),
        PassForm,
        lambda found, form, by: receiving.pass_on(found, form.text("worker"), form.text("note"), by=by),
        _l("已请同事办，同事会收到通知，首接负责人不变。"),
        _l("只转任务，不转责任：首接负责人不变。"),
    ),
    "relative": Door(
        _l("近亲属备案"),
        RelativeForm,
        lambda found, form, by: deciding.note_relative(found, form.text("note"), by=by),
        _l("近亲属备案记下了。"),
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
        flash(str(door.done), "ok")
        return web.go(".application", public_id=public_id)
    return web.page(
        "catalogue/worker/application_act.html", application=found, door=door, form=form, status=form.status
    )


def _form(door: Door, found: Application) -> Form:
    form = door.form()
    if isinstance(form, AskForm):
        form.offer(found.papers)
    if isinstance(form, SeenForm):
        form.warn(deciding.lacking(found))
    if isinstance(form, PassForm):
        form.offer(receiving.servers(found), found.doer)
    return form
