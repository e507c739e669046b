"""Resident pages of certificates and stars; and, open to everybody, what is published and whether a paper is true."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import tokens, web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.errors import Missing, Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission
from portal.registry.service import people as register
from portal.volunteers.forms.certificates import ApplyForm, CertificateForm, VerifyForm
from portal.volunteers.forms.records import month_in
from portal.volunteers.models.people import Volunteer
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.resident.signups import answer
from portal.volunteers.service import certificate_paper, certificates, people, publication, records, stars

USE = Permission.VOLUNTEERS_USE
# How often one address may ask whether papers are true: many for a counter, few for who guesses.
VERIFIED, PER = 30, timedelta(minutes=10)


def _me() -> Volunteer:
    return people.me(current_actor())


@bp.route("/certificates")
@requires(USE)
def certificates_mine() -> Response:
    me = _me()
    found, organisers = certificates.certificates_of(me), certificates.organisers_of(me)
    return web.page("volunteers/resident/certificates_mine.html", certificates=found, organisers=organisers)


@bp.route("/certificates/ask", methods=["GET", "POST"])
@requires(USE)
def certificate_ask() -> Response:
    me = _me()
    organisers = certificates.organisers_of(me)
    form = CertificateForm().offer(organisers)

    def ask() -> Any:
        return certificates.ask(me, form.chosen(organisers), *form.span(), **form.wishes())

    if form.carries_out(lambda: made_once("volunteers.certificate", form, ask)):
        flash(_("收到了，社区开具以后会通知您。"), "ok")
        return web.go(".certificates_mine")
    facts: dict[str, Any] = {"organisers": organisers, "status": form.status}
    return web.page("volunteers/resident/certificate_ask.html", form=form, **facts)


@bp.route("/certificates/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def certificate_withdraw(public_id: str) -> Response:
    found = certificates.certificate_for(_me(), public_id)
    act = lambda: certificates.withdraw(found)  # noqa: E731
    return answer(act, _("申请撤回了。要用的时候，可以再申请。"), ".certificates_mine")


@bp.route("/certificates/<public_id>/file")
@requires(USE)
def certificate_file(public_id: str) -> Response:
    """One's own paper; anybody else's is Missing."""
    found = certificates.certificate_for(_me(), public_id)
    return web.download(certificate_paper.body_of(found), f"{found.number}.pdf", "application/pdf")


@bp.route("/stars")
@requires(USE)
def stars_mine() -> Response:
    me = _me()
    facts: dict[str, Any] = {"steps": stars.ladder(me), "highest": stars.highest(me), "stars": stars.stars_of(me)}
    facts |= {"barred": stars.barred_until(me), "total": records.total(me), "form": ApplyForm()}
    return web.page("volunteers/resident/stars_mine.html", me=me, **facts)


@bp.route("/stars/<int:level>/apply", methods=["POST"])
@requires(USE)
def star_apply(level: int) -> Response:
    try:
        stars.apply(_me(), level)
        flash(_("收到了，审定以后公示，结果会通知您。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".stars_mine")


@bp.route("/published")
@public
def hours_published() -> Response:
    page = min(max(web.number_asked("page", 1), 1), 500)
    return web.page("volunteers/resident/hours_published.html", page=page, **_published(page))


@bp.route("/published/print")
@public
def hours_published_print() -> Response:
    return web.page("volunteers/resident/hours_published_print.html", **_published(1, limit=1000))


def _published(page: int, *, limit: int = publication.PAGE) -> dict[str, Any]:
    """A community's month, with what is under notice; the reader's own community unless another is asked for."""
    places, months = publication.communities(), publication.months()
    place = _place(places)
    month = month_in(request.args.get("month", "")) or months[0]
    if place is None:
        return {"places": [], "place": None, "months": months, "month": month}
    facts: dict[str, Any] = {"places": places, "place": place, "months": months, "month": month}
    facts["given"] = publication.month_of(place, month, page=page, limit=limit)
    facts["noticed"] = publication.certificates_noticed(place)
    facts["stars"] = publication.stars_published(place)
    return facts


def _place(places: list[Area]) -> Area | None:
    asked = request.args.get("community", "")
    if asked:
        found = next((one for one in places if one.code == asked), None)
        if found is None:
            raise Missing
        return found
    actor = actor_or_none()
    person = register.person_of_or_none(actor, lean=True) if actor else None
    own = person.community_id if person else None
    return next((one for one in places if one.id == own), places[0] if places else None)


@bp.route("/verify")
@public
def verify() -> Response:
    form = VerifyForm(request.args)
    if request.args and form.validate():
        return web.go(".verify_number", number=form.text("number"), code=form.text("code"))
    return web.page("volunteers/resident/verify.html", form=form if request.args else VerifyForm())


@bp.route("/verify/<number>")
@public
def verify_number(number: str) -> Response:
    """What a paper's code leads to. An unknown number and a wrong code are answered alike."""
    tokens.throttle("volunteers.verify", request.remote_addr or "", limit=VERIFIED, per=PER)
    found = certificates.verify(number, request.args.get("code", ""))
    return web.page("volunteers/resident/verify_number.html", found=found, status=200 if found else 404)
