"""Worker pages: checking in, marks and their undoing, booking for somebody, the papers of an errand."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from portal.catalogue.forms.counter import (
    BookForForm,
    CheckInForm,
    ItemForm,
    PaperBackForm,
    PaperForm,
    PaperMoveForm,
    ReasonForm,
)
from portal.catalogue.forms.seeking import SeekForm
from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import (
    appointments,
    booking,
    booking_for,
    changing,
    checking_in,
    counter,
    days,
    offering,
    papers,
    reach,
    timetables,
)
from portal.catalogue.worker.blueprint import bp
from portal.core import audit, files, web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

SERVE = Permission.CATALOGUE_SERVE


@bp.record
def _lets_camera(state: BlueprintSetupState) -> None:
    """The pages that read a resident's code may use the camera."""
    state.app.config["CAMERA_ENDPOINTS"] |= {"catalogue.worker.check_in", "catalogue.worker.room_code"}


def _within() -> tuple[Scope, ...]:
    return scopes(SERVE)


def _appointment(public_id: str) -> Appointment:
    return appointments.for_worker(_within(), public_id)


@bp.route("/check-in", methods=["GET", "POST"])
@requires(SERVE)
def check_in() -> Response:
    # A telephone's own camera opens the address that the code holds: the code stands in the field already.
    form = CheckInForm(code=request.args.get("code", ""))
    if form.validate_on_submit() and (said := _said(form)):
        try:
            found = checking_in.check_in(said, by=current_actor(), within=_within())
            flash(_("%(name)s 已签到：%(item)s。", name=found.person.name, item=found.item.title), "ok")
            return web.go(".appointment", public_id=found.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("catalogue/worker/check_in.html", form=form, status=form.status)


def _said(form: CheckInForm) -> str:
    """What was scanned, typed or photographed; what is missing is said beside its field."""
    if not form.photo.data:
        # The form of the photo has no field for a code: what is missing is the picture.
        if not form.code.raw_data:
            form.refuse(Refused(_("请先拍一张或选一张照片。"), field="photo"))
        elif not form.text("code"):
            form.refuse(Refused(_("请扫码，或输入 6 位预约码。"), field="code"))
        return form.text("code")
    try:
        read = files.read_qr(form.photo.data.read())
    except files.BadFile as bad:
        form.refuse(Refused(bad.sentence, field="photo"))
        return ""
    if read is None:
        form.refuse(Refused(_("照片里没有认出二维码。请对准、照亮再拍一张，或输入预约码。"), field="photo"))
    return read or ""


@bp.route("/appointments/<public_id>")
@requires(SERVE)
def appointment(public_id: str) -> Response:
    found = _appointment(public_id)
    facts: dict[str, Any] = {"missed": days.missed(found.person), "papers": papers.papers_of(found)}
    facts |= {"can_undo": counter.can_undo(found), "moment": now()}
    return web.page("catalogue/worker/appointment.html", appointment=found, **facts)


def _marked(found: Appointment, act: Callable[[], object], words: str) -> Response:
    """A mark of one button: back to the list or the page it was pressed on."""
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return _back(found)


def _back(found: Appointment) -> Response:
    said = request.values.get("list", "")
    if said:
        chosen = said if said.isascii() and said.isdigit() and int(said) else None
        return web.go(".days_page", day=found.day.isoformat(), timetable=chosen)
    return web.go(".appointment", public_id=found.public_id)


@bp.route("/appointments/<public_id>/arrive", methods=["POST"])
@requires(SERVE)
def appointment_arrive(public_id: str) -> Response:
    found = _appointment(public_id)
    words = _("%(name)s 已到场。", name=found.person.name)
    return _marked(found, lambda: counter.arrive(found, by=current_actor()), words)


@bp.route("/appointments/<public_id>/serve", methods=["POST"])
@requires(SERVE)
def appointment_serve(public_id: str) -> Response:
    found = _appointment(public_id)
    words = _("%(name)s 的服务已办好。", name=found.person.name)
    return _marked(found, lambda: counter.serve(found, by=current_actor()), words)


def _with_reason(public_id: str, template: str, act: Callable[[Appointment, str], object], words: str) -> Response:
    """An act that wants its reason first."""
    found, form = _appointment(public_id), ReasonForm()
    if form.carries_out(lambda: act(found, form.text("reason"))):
        flash(words, "ok")
        return _back(found)
    return web.page(template, appointment=found, form=form, status=form.status)


@bp.route("/appointments/<public_id>/no-show", methods=["GET", "POST"])
@requires(SERVE)
def appointment_no_show(public_id: str) -> Response:
    by = current_actor()
    return _with_reason(
        public_id,
        "catalogue/worker/appointment_no_show.html",
        lambda found, reason: counter.miss(found, reason, by=by),
        _("已记为没有到场。"),
    )


@bp.route("/appointments/<public_id>/undo", methods=["GET", "POST"])
@requires(SERVE)
def appointment_undo(public_id: str) -> Response:
    by = current_actor()
    return _with_reason(
        public_id,
        "catalogue/worker/appointment_undo.html",
        lambda found, reason: counter.undo(found, reason, by=by),
        _("标记已撤销。"),
    )


@bp.route("/appointments/<public_id>/cancel", methods=["GET", "POST"])
@requires(SERVE)
def appointment_cancel(public_id: str) -> Response:
    by = current_actor()
    return _with_reason(
        public_id,
        "catalogue/worker/appointment_cancel.html",
        lambda found, reason: changing.cancel(found, by=by, reason=reason),
        _("预约已取消，居民会收到通知。"),
    )


@bp.route("/book", methods=["GET", "POST"])
@requires(SERVE)
def book() -> Response:
    form, found = SeekForm(), None
    if form.validate_on_submit():
        found, kind = people.find(form.words(), _within()), people.kind_of_query(form.words())
        audit.record("catalogue.person_sought", None, by=kind, found=len(found))
        form.forget(kind)
    return web.page("catalogue/worker/book.html", form=form, found=found, status=form.status)


@bp.route("/book/<person_id>")
@requires(SERVE)
def book_item(person_id: str) -> Response:
    person = booking_for.person_in(_within(), person_id)
    known = booking_for.items_for(person)
    asked = web.number_asked("item")
    item = next((one for one in known if one.id == asked), None)
    open_days = offering.days_of(item.id) if item else []
    day = offering.chosen_day(open_days, request.args.get("day"))
    facts: dict[str, Any] = {"items": known, "item": item, "days": open_days, "day": day}
    slots = reach.near(_within(), offering.slots(item, day)) if item and day else []
    facts |= {"slots": slots, "missed": days.missed(person)}
    form = ItemForm()
    form.offer(known, item.id if item else 0)
    return web.page("catalogue/worker/book_item.html", person=person, form=form, **facts)


@bp.route("/book/<person_id>/<int:item_id>/<int:slot_id>", methods=["GET", "POST"])
@requires(SERVE)
def book_slot(person_id: str, item_id: int, slot_id: int) -> Response:
    person = booking_for.person_in(_within(), person_id)
    item, slot = offered(person, item_id, slot_id)
    form = BookForForm()
    if form.validate_on_submit():
        try:
            return web.go(".appointment", public_id=_book(person, item, slot, form).public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page(
        "catalogue/worker/book_slot.html", person=person, item=item, slot=slot, form=form, status=form.status
    )


def offered(person: Person, item_id: int, slot_id: int) -> tuple[Item, Slot]:
    """An item that she can have, in a slot that has it."""
    if item_id not in {one.id for one in booking_for.items_for(person)}:
        raise Missing
    timetables.slot_in(_within(), slot_id)
    return offering.asked(item_id, slot_id)


def _book(person: Person, item: Item, slot: Slot, form: BookForForm) -> Appointment:
    booking_for.throttle(current_actor())
    made = booking.book(
        slot,
        item,
        person,
        by=current_actor(),
        channel=Channel(form.channel.data),
        note=form.text("note"),
        consent=form.consent(),
        idem=form.text("idem"),
    )
    flash(_("已为%(name)s约好，预约码 %(code)s。", name=person.name, code=made.code), "ok")
    return made


@bp.route("/errands")
@requires(SERVE)
def errands() -> Response:
    returned, page = "returned" in request.args, min(max(web.number_asked("page", 1), 1), 500)
    found = papers.papers(_within(), returned=returned, page=page)
    shown, more = found[: papers.A_PAGE], len(found) > papers.A_PAGE
    return web.page("catalogue/worker/errands.html", papers=shown, returned=returned, number=page, more=more)


@bp.route("/appointments/<public_id>/errand", methods=["GET", "POST"])
@requires(SERVE)
def errand_new(public_id: str) -> Response:
    found, form = _appointment(public_id), PaperForm()
    said: dict[str, Any] = {"by": current_actor(), "idem": form.text("idem")}
    if form.carries_out(lambda: papers.take(found, form.text("what"), form.text("place"), **said)):
        flash(_("已登记收到的材料。请抄一份清单给居民；有账号的，在预约里也看得到。"), "ok")
        return web.go(".appointment", public_id=found.public_id)
    return web.page("catalogue/worker/errand_new.html", appointment=found, form=form, status=form.status)


def _paper(public_id: str) -> ErrandPaper:
    return papers.paper_in(_within(), public_id)


@bp.route("/errands/<public_id>", methods=["GET", "POST"])
@requires(SERVE)
def errand(public_id: str) -> Response:
    paper, form = _paper(public_id), PaperMoveForm()
    if form.carries_out(lambda: papers.carry(paper, form.text("place"), by=current_actor())):
        flash(_("材料的去处已更新。"), "ok")
        return web.go(".errand", public_id=paper.public_id)
    return web.page("catalogue/worker/errand.html", paper=paper, form=form, status=form.status)


@bp.route("/errands/<public_id>/return", methods=["GET", "POST"])
@requires(SERVE)
def errand_return(public_id: str) -> Response:
    paper, form = _paper(public_id), PaperBackForm()
    if form.carries_out(lambda: papers.give_back(paper, form.text("to"), by=current_actor())):
        flash(_("材料已交还。"), "ok")
        return web.go(".errand", public_id=paper.public_id)
    return web.page("catalogue/worker/errand_return.html", paper=paper, form=form, status=form.status)
