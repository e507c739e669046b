"""The acts on a request that its page offers: for each its name, its form, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.casework.forms import worker as forms
from portal.casework.forms.worker import ActForm
from portal.casework.models.cases import Case
from portal.casework.models.codes import (
    Against,
    CallBackWay,
    CaseKind,
    CaseState,
    Colour,
    Extension,
    LinkKind,
    Satisfaction,
    Urgency,
)
from portal.casework.service import (
    accusing,
    answers,
    asking,
    calling,
    choosing,
    dispatching,
    handling,
    linking,
    loads,
    naming,
    reporting,
    supervising,
)
from portal.casework.service.dispatching import Class
from portal.core.access import current_actor, scopes
from portal.core.clock import now
from portal.identity.permissions import Permission

Run = Callable[[Case, Any], object]
Offer = Callable[[Case], ActForm]
S = CaseState


@dataclass(frozen=True)
class Act:
    """`states` are where it is offered; `plain` ones ask for nothing and are a button."""

    title: Any
    done: Any
    run: Run
    form: Offer = lambda _case: ActForm()
    states: frozenset[CaseState] = frozenset(S)
    plain: bool = False
    mine: bool = False
    kind: str = "plain"
    when: Callable[[Case, str], bool] = lambda _case, _me: True


def _assign_form(case: Case) -> ActForm:
    form = forms.AssignForm()
    form.offer(loads.candidates(case))
    if case.state not in dispatching.ANEW:
        del form.why
    return form


def _assign(case: Case, form: Any) -> None:
    why = form.text("why") if "why" in form else ""
    dispatching.assign(case, form.worker.data, why, by=current_actor())


def _classify_form(case: Case) -> ActForm:
    return forms.classify_form(case, choosing.leaves(case.community.code), request.form.get("category", ""))


def _classify(case: Case, form: Any) -> None:
    category = choosing.leaf(case.community.code, form.category.data)
    told = Class(category, CaseKind(form.kind.data), Urgency(form.urgency.data), form.text("party"))
    dispatching.classify(case, told, form.said(category), by=current_actor())


def _help_form(case: Case) -> ActForm:
    form = forms.HelpForm()
    form.offer(loads.candidates(case), current_actor().public_id)
    return form


def _answer_form(case: Case) -> ActForm:
    templates = answers.templates_for(case)
    chosen = next((one for one in templates if str(one.id) == request.args.get("template", "")), None)
    known = {"words": answers.filled(chosen, case), "template": str(chosen.id)} if chosen else {}
    form = forms.AnswerForm(data=known)
    form.offer(templates, linking.answerable(case))
    return form


def _answer(case: Case, form: Any) -> None:
    also = form.also.data or () if "also" in form else ()
    answers.answer(case, form.text("words"), also, by=current_actor())


def _link_form(_case: Case) -> ActForm:
    return forms.LinkForm(data={"number": request.args.get("number", ""), "kind": LinkKind.DUPLICATE.value})


def _link(case: Case, form: Any) -> None:
    other = linking.by_number(scopes(Permission.CASES_HANDLE), form.text("number"), current_actor())
    linking.link(case, other, LinkKind(form.kind.data), by=current_actor())


def _merge(case: Case, form: Any) -> None:
    main = linking.by_number(scopes(Permission.CASES_DISPATCH), form.text("number"), current_actor())
    linking.merge(case, main, form.text("why"), by=current_actor())


def _merge_form(_case: Case) -> ActForm:
    return forms.MergeForm(data={"number": request.args.get("number", "")})


def _call(case: Case, form: Any) -> None:
    satisfaction = Satisfaction(form.satisfaction.data) if form.satisfaction.data else None
    way, solved = CallBackWay(form.way.data), form.solved.data == "yes"
    calling.record(
        case, solved=solved, satisfaction=satisfaction, way=way, words=form.text("words"), by=current_actor()
    )


def _escalate_form(case: Case) -> ActForm:
    street = case.community.parent.name if case.community.parent else ""
    return forms.EscalateForm(data={"party": case.party or _("%(street)s办事处", street=street)})


def _against_form(case: Case) -> ActForm:
    known = {"against": case.against.value, "worker": case.against_worker}
    form = forms.AgainstForm(data=known | {"organisation": str(case.against_organisation_id or "")})
    form.offer(accusing.workers(case), reporting.organisations(case))
    return form


def _against(case: Case, form: Any) -> None:
    against, worker = Against(form.against.data), form.text("worker")
    accusing.set_party(case, against, worker, form.organisation_id(), by=current_actor())


def _decide(case: Case, form: Any) -> None:
    supervising.decide_extension(case, grant=form.granted.data == "yes", why=form.text("why"), by=current_actor())


def _by(act: Callable[..., object], *fields: str) -> Run:
    """An act that takes some words of its form, and who acts."""
    return lambda case, form: act(case, *(form.text(name) for name in fields), by=current_actor())


HELD = frozenset({S.ASSIGNED, S.SIGNED, S.WORKING, S.PAUSED, S.REDO})
HANDLE: dict[str, Act] = {
    "take": Act(
        _l("我来办"),
        _l("您已接手并签收。"),
        _by(dispatching.take),
        states=dispatching.TAKEABLE,
        plain=True,
        kind="primary",
    ),
    "sign": Act(
        _l("签收"),
        _l("已签收。"),
        _by(handling.sign),
        states=frozenset({S.ASSIGNED}),
        plain=True,
        mine=True,
        kind="primary",
    ),
    "begin": Act(
        _l("开始办理"),
        _l("已开始办理。"),
        _by(handling.begin),
        states=frozenset({S.SIGNED, S.REDO}),
        plain=True,
        mine=True,
        kind="primary",
    ),
    "resume": Act(
        _l("继续办理"),
        _l("继续办理了，期限已顺延。"),
        _by(handling.resume),
        states=frozenset({S.PAUSED}),
        plain=True,
        mine=True,
        kind="primary",
    ),
    "answer": Act(
        _l("答复居民"),
        _l("已答复，居民会收到通知；接下来要回访。"),
        _answer,
        _answer_form,
        answers.ANSWERED_FROM,
        mine=True,
        kind="primary",
    ),
    "contact": Act(
        _l("记联系"),
        _l("联系情况已记下。"),
        _by(handling.contact, "words"),
        lambda _case: forms.ContactForm(),
        HELD,
        mine=True,
    ),
    "note": Act(
        _l("写办理记录"),
        _l("已记下。"),
        lambda case, form: handling.note(case, form.text("words"), shown=form.shown.data, by=current_actor()),
        lambda _case: forms.NoteForm(),
        HELD | {S.ACCEPTED, S.ANSWERED},
    ),
    "classify": Act(
        _l("调整类别"), _l("类别已调整，期限按新类别计算。"), _classify, _classify_form, dispatching.CLASSABLE
    ),
    "help": Act(
        _l("请人协助"),
        _l("已请对方协助，这件事仍由您负责。"),
        lambda case, form: handling.ask_help(
            case, form.worker.data, form.text("party"), form.text("what"), by=current_actor()
        ),
        _help_form,
        HELD,
        mine=True,
    ),
    "pause": Act(
        _l("暂缓"),
        _l("已暂缓，期限停止计算。"),
        _by(handling.pause, "why"),
        lambda _case: forms.PauseForm(),
        frozenset({S.WORKING}),
        mine=True,
    ),
    "extension": Act(
        _l("申请延期"),
        _l("延期申请已提交，等负责人审批。"),
        lambda case, form: handling.ask_extension(case, form.until.data, form.text("why"), by=current_actor()),
        lambda _case: forms.ExtensionForm(),
        frozenset({S.SIGNED, S.WORKING}),
        mine=True,
        when=lambda case, _me: not case.is_late(now()),
    ),
    "escalate": Act(
        _l("上报街道或转有关单位"),
        _l("已上报，请继续跟进并答复居民。"),
        _by(handling.escalate, "party", "why"),
        _escalate_form,
        HELD,
        mine=True,
    ),
    "return": Act(
        _l("退单"),
        _l("已退单，派单人会重新安排。"),
        _by(handling.give_back, "why"),
        lambda _case: forms.WhyForm(),
        frozenset({S.ASSIGNED, S.SIGNED}),
        mine=True,
        kind="danger",
        when=lambda case, _me: handling.may_give_back(case),
    ),
    "link": Act(_l("关联另一件"), _l("已关联，两件诉求都能看到。"), _link, _link_form),
    "call": Act(
        _l("记回访结果"),
        _l("回访结果已记下。"),
        _call,
        lambda _case: forms.CallForm(),
        frozenset({S.ANSWERED}),
        kind="primary",
        when=calling.may_record,
    ),
    "tried": Act(
        _l("没有联系上"),
        _l("已记下。请换一天再联系；几天都联系不上的，可以按“联系不上”办结。"),
        _by(calling.tried, "words"),
        lambda _case: forms.WordsForm(),
        frozenset({S.ANSWERED}),
    ),
    "unreachable": Act(
        _l("联系不上，办结"),
        _l("已办结，不计入解决率和满意率。"),
        _by(calling.unreachable, "why"),
        lambda _case: forms.WhyForm(),
        frozenset({S.ANSWERED}),
    ),
}
DISPATCH: dict[str, Act] = {
    "accept": Act(
        _l("受理"),
        _l("已受理。"),
        _by(dispatching.accept, "words"),
        lambda _case: forms.WordsForm(),
        frozenset({S.SUBMITTED}),
        plain=True,
        kind="primary",
    ),
    "assign": Act(
        _l("分派"), _l("已分派，对方会收到通知。"), _assign, _assign_form, dispatching.GIVABLE, kind="primary"
    ),
    "rotate": Act(
        _l("轮派"), _l("已轮派给手上最少的同事。"), _by(dispatching.rotate), states=dispatching.TAKEABLE, plain=True
    ),
    "decline": Act(
        _l("不受理"),
        _l("已告知居民找谁办。"),
        _by(dispatching.decline, "why", "channel"),
        lambda _case: forms.DeclineForm(),
        frozenset({S.SUBMITTED, S.ACCEPTED, S.RETURNED}),
        kind="danger",
    ),
    "again": Act(
        _l("重新受理"),
        _l("已放回待受理。"),
        _by(dispatching.take_up_again, "why"),
        lambda _case: forms.WhyForm(),
        frozenset({S.DECLINED}),
    ),
    "merge": Act(
        _l("并入另一件"), _l("已并件，居民会跟着另一件看进展。"), _merge, _merge_form, dispatching.GIVABLE | {S.PAUSED}
    ),
    "against": Act(_l("填写反映的是谁"), _l("已记下；隐去姓名的，对方看不到是谁反映的。"), _against, _against_form),
    "contact": Act(
        _l("记联系居民"),
        _l("联系情况已记下。"),
        _by(dispatching.contact, "words"),
        lambda _case: forms.ContactForm(),
        HELD | {S.SUBMITTED, S.ACCEPTED, S.RETURNED},
        when=lambda case, _me: naming.is_dispatchers(case),
    ),
    "reopen": Act(
        _l("批准重新办理"),
        _l("已批准，办理人会收到通知，期限从现在重新算。"),
        _by(asking.approve_reopening, "why"),
        lambda _case: forms.ReopenForm(),
        frozenset({S.CLOSED}),
    ),
    "reopen_refuse": Act(
        _l("不批准重办"),
        _l("已告诉居民为什么。"),
        _by(asking.refuse_reopening, "why"),
        lambda _case: forms.ReopenForm(),
        frozenset({S.CLOSED}),
        kind="danger",
        when=lambda case, _me: asking.waits_for_approval(case),
    ),
    "archive": Act(
        _l("归档"),
        _l("已归档。"),
        _by(calling.archive),
        states=frozenset({S.CLOSED, S.DECLINED, S.MERGED, S.WITHDRAWN}),
        plain=True,
        when=lambda case, _me: not asking.waits_for_approval(case),
    ),
}
SUPERVISE: dict[str, Act] = {
    "press": Act(
        _l("督办"),
        _l("已督办，办理人和派单人会收到通知。"),
        lambda case, form: supervising.press(case, Colour(form.colour.data), form.text("why"), by=current_actor()),
        lambda _case: forms.PressForm(),
        HELD | {S.SUBMITTED, S.ACCEPTED, S.RETURNED},
    ),
    "decide": Act(
        _l("审批延期"),
        _l("延期申请已审批。"),
        _decide,
        lambda _case: forms.DecideForm(),
        HELD,
        when=lambda case, me: case.extension is Extension.ASKED and case.holder != me,
    ),
}


def offered(acts: dict[str, Act], case: Case, me: str) -> list[tuple[str, Act]]:
    """The acts that a request's state and holder allow."""
    return [
        (name, act)
        for name, act in acts.items()
        if case.state in act.states
        and (not act.mine or (case.holder in {me, ""} and _free(name, case, me)))
        and act.when(case, me)
    ]


def _free(name: str, case: Case, me: str) -> bool:
    """What nobody has may be answered at once by whoever is at the desk; everything else needs a holder."""
    return case.holder == me or (name == "answer" and case.state in {S.SUBMITTED, S.ACCEPTED})
