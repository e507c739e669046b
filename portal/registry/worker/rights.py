"""Worker pages: what people ask of their own data, by its legal day; answers; and the same asked at the counter."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.forms.rights import (
    FORMS,
    AnswerForm,
    CounterForm,
    CounterRequestForm,
    ProposalForm,
)
from portal.registry.models import Person, Purpose, RightField, RightKind, RightsRequest
from portal.registry.service import consents, people
from portal.registry.service.consent_terms import terms
from portal.registry.service.rights import closing, corrections, requests, words
from portal.registry.service.rights.clock import soon_days
from portal.registry.worker.blueprint import bp

COUNTER_KINDS = (RightKind.COPY, RightKind.OTHER, RightKind.CLOSING)


@bp.route("/rights")
@requires(Permission.RIGHTS_ANSWER)
def rights() -> Response:
    within, waiting = scopes(Permission.RIGHTS_ANSWER), request.args.get("tab") != "answered"
    listed = requests.queue(within, waiting=waiting, after=request.args.get("after", ""))
    return web.page("registry/worker/rights.html", listed=listed, waiting=waiting, today=today(), soon=soon_days())


@bp.route("/rights/<public_id>", methods=["GET", "POST"])
@requires(Permission.RIGHTS_ANSWER)
def right(public_id: str) -> Response:
    found = requests.request_in(scopes(Permission.RIGHTS_ANSWER), public_id)
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            _answer(found, form)
            return web.go(".rights")
        except Refused as refused:
            form.refuse(refused)
    return _right_page(found, form)


def _answer(found: RightsRequest, form: AnswerForm) -> None:
    by, answer = current_actor(), form.text("answer").strip()
    if found.kind is RightKind.CLOSING:
        raise Refused(_("注销到期由系统自动完成，居民可以在这以前撤回。"))
    if request.form.get("decision") == "refuse":
        requests.refuse(found, answer, by=by)
        flash(_("已退回，原因会告诉居民。"), "ok")
        return
    if found.kind is RightKind.CORRECTION:
        corrections.grant(found, by=by, answer=answer, done=bool(form.done.data))
    else:
        requests.grant(found, by=by, answer=answer)
    flash(_("已办好，会通知居民。"), "ok")


def _right_page(found: RightsRequest, form: AnswerForm, *, is_open: bool = False) -> Response:
    """What is asked; telephones, addresses and health only once they were opened, which leaves a trace."""
    sealed = found.has_picture or found.field in words.SEALED or found.kind is RightKind.OTHER
    shown = is_open or not sealed
    picture = requests.picture_of(found) if is_open and found.has_picture else ""
    facts: dict[str, Any] = {
        "said": words.said(found, plain=is_open) if shown else "",
        "shown": shown,
        "picture": f"data:{files.image_type(requests.decoded(picture))};base64,{picture}" if picture else "",
        "answerable": shown or form.is_submitted(),
        "by_hand": found.field in corrections.BY_HAND,
        "by_event": found.field in corrections.BY_EVENT,
        "person": people.resolved(found.person) if found.person else None,
    }
    return web.page("registry/worker/right.html", asked=found, form=form, today=today(), status=form.status, **facts)


@bp.route("/rights/<public_id>/open", methods=["POST"])
@requires(Permission.RIGHTS_ANSWER)
def right_open(public_id: str) -> Response:
    found = requests.request_in(scopes(Permission.RIGHTS_ANSWER), public_id)
    requests.opened(found, by=current_actor())
    return _right_page(found, AnswerForm(formdata=None), is_open=True)


@bp.route("/rights/of/<person_id>", methods=["GET", "POST"])
@requires(Permission.RIGHTS_ANSWER)
def person_rights(person_id: str) -> Response:
    """The paper route: what somebody at the counter asks of her data, and what she asked before."""
    person = people.person_in(scopes(Permission.RIGHTS_ANSWER), person_id)
    form = CounterRequestForm()
    form.offer([(kind.value, words.kind(kind)) for kind in COUNTER_KINDS])
    if form.validate_on_submit():
        try:
            made = _asked_at_counter(person, form)
            flash(_("已登记，到期日已经算好。"), "ok")
            return web.go(".right", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"asked": requests.requests_of(person), "fields": [(f, words.field(f)) for f in RightField]}
    return web.page("registry/worker/person_rights.html", person=person, form=form, status=form.status, **facts)


def _asked_at_counter(person: Person, form: CounterRequestForm) -> RightsRequest:
    actor = current_actor()
    voice, kind = form.voice(person, operator=actor.name, by=actor.public_id), RightKind(form.kind.data)
    if kind is RightKind.CLOSING:
        return closing.ask_at_counter(person, voice=voice)
    if kind is RightKind.OTHER:
        return requests.ask_other(person, form.text("text_").strip(), voice=voice)
    return requests.ask(person, kind, voice=voice)


@bp.route("/rights/of/<person_id>/correct/<field>", methods=["GET", "POST"])
@requires(Permission.RIGHTS_ANSWER)
def person_correct(person_id: str, field: str) -> Response:
    form = FORMS[RightField(field)]() if field in set(RightField) else None
    if form is None:
        raise Missing
    counter, kind = CounterForm(), RightField(field)
    picture = form.picture() if form.is_submitted() and all([form.validate(), counter.validate()]) else None
    person = people.person_in(scopes(Permission.RIGHTS_ANSWER), person_id)
    form.offer(person)
    made = _proposed(person, kind, form, counter, picture) if form.is_submitted() else None
    if made:
        return web.go(".right", public_id=made.public_id)
    facts: dict[str, Any] = {"label": words.field(kind), "kind": kind, "status": max(form.status, counter.status)}
    return web.page("registry/worker/person_correct.html", form=form, counter=counter, person=person, **facts)


def _proposed(
    person: Person, kind: RightField, form: ProposalForm, counter: CounterForm, picture: bytes | None
) -> RightsRequest | None:
    """The correction as it was written down; None when something is to be mended first."""
    if form.errors or counter.errors:
        return None
    actor = current_actor()
    voice = counter.voice(person, operator=actor.name, by=actor.public_id)
    try:
        made = corrections.propose(person, kind, form.said(), why=form.text("why"), voice=voice, picture=picture)
        flash(_("已登记。核对无误后，请在这里点“同意并改登记”。"), "ok")
        return made
    except Refused as refused:
        form.refuse(refused)
        return None


@bp.route("/rights/of/<person_id>/consents", methods=["GET", "POST"])
@requires(Permission.RIGHTS_ANSWER)
def person_consents(person_id: str) -> Response:
    person = people.person_in(scopes(Permission.RIGHTS_ANSWER), person_id)
    form = CounterForm()
    if form.validate_on_submit():
        try:
            _say(person, form)
            return web.go(".person_consents", person_id=person.public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"standing": consents.standing(person), "ledger": consents.ledger(person)}
    facts["titles"] = {one.purpose: one.title for one in terms()}
    facts["is_child"] = not consents.speaks_for_herself(person)
    return web.page("registry/worker/person_consents.html", person=person, form=form, status=form.status, **facts)


def _say(person: Person, form: CounterForm) -> None:
    """The button says which purpose, and whether it is given."""
    actor, (code, _colon, decision) = current_actor(), request.form.get("said", "").partition(":")
    if code not in set(Purpose) or decision not in {"give", "withdraw"}:
        raise Refused(_("请点一项用途下面的按钮。"))
    voice = form.voice(person, operator=actor.name, by=actor.public_id)
    act = consents.give if decision == "give" else consents.withdraw
    act(person, Purpose(code), voice=voice)
    flash(_("已记下居民的意思。"), "ok")
