"""Resident pages of hours: what was given, one's records, wishes to have them put right."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import reasons, web
from portal.core.access import current_actor, requires
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission
from portal.volunteers.forms.records import CorrectionForm, MissingForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import (
    corrections,
    kinds,
    people,
    publication,
    record_telling,
    record_words,
    recording,
    records,
    stars,
)

USE = Permission.VOLUNTEERS_USE
# How many records the first page shows; the rest is a list of its own.
FIRST = 5

bp.add_app_template_filter(record_words.state_words, "record_state")
bp.add_app_template_filter(record_words.state_tint, "record_tint")
bp.add_app_template_filter(record_words.when, "record_when")
bp.add_app_template_filter(record_telling.when_said, "record_when_said")
bp.add_app_template_filter(record_words.hours, "record_hours")
bp.add_app_template_filter(record_words.quality_words, "record_quality")
bp.add_app_template_filter(record_words.hours_state, "record_waits")
bp.add_app_template_filter(record_words.mark_words, "record_mark")
bp.add_app_template_filter(record_words.left_words, "record_left")
bp.add_app_template_filter(record_words.stars_of, "star_signs")
bp.add_app_template_filter(record_words.star_words, "star_words")
bp.add_app_template_filter(record_words.month_words, "record_month")
bp.add_app_template_filter(reasons.said, "record_by")
bp.add_app_template_filter(record_words.wishes, "record_wishes")


def _me() -> Volunteer:
    return people.me(current_actor())


@bp.route("/hours")
@requires(USE)
def hours_mine() -> Response:
    me = _me()
    found = records.sums(me)
    facts: dict[str, Any] = {
        "sums": found,
        "star": stars.highest(me),
        "wishes": corrections.corrections_of(me, limit=10),
    }
    facts["years"] = [(year, round(minutes / 60, 1)) for year, minutes in found.years]
    facts["kinds"] = [(kinds.kind_words(kind), round(minutes / 60, 1)) for kind, minutes in found.kinds]
    facts |= {"trainings": records.trainings_of(me), "awards": records.awards_of(me)}
    latest = records.records_of(me, limit=FIRST)
    return web.page("volunteers/resident/hours_mine.html", me=me, records=latest[:FIRST], **facts)


@bp.route("/hours/records")
@requires(USE)
def hours_records() -> Response:
    found = records.records_of(_me(), after=request.args.get("after", ""))
    more = len(found) > records.PAGE
    return web.page("volunteers/resident/hours_records.html", records=found[: records.PAGE], more=more)


@bp.route("/hours/records/<public_id>")
@requires(USE)
def hours_record(public_id: str) -> Response:
    found = records.record_for(_me(), public_id)
    facts: dict[str, Any] = {"basics": record_words.basics(found.volunteer), "history": records.history(found)}
    return web.page("volunteers/resident/hours_record.html", record=found, **facts)


@bp.route("/hours/records/<public_id>/correct", methods=["GET", "POST"])
@requires(USE)
def correction_ask(public_id: str) -> Response:
    me = _me()
    found = records.record_for(me, public_id)
    form = CorrectionForm.of(found)

    def ask() -> Any:
        facts = form.facts(recording.current_facts(found))
        return corrections.ask(me, found, facts, reason=form.text("reason"))

    if form.carries_out(lambda: made_once("volunteers.correction", form, ask)):
        flash(_("收到了，社区核对以后会通知您。"), "ok")
        return web.go(".hours_mine")
    return web.page("volunteers/resident/correction_ask.html", record=found, form=form, status=form.status)


@bp.route("/hours/missing", methods=["GET", "POST"])
@requires(USE)
def correction_missing() -> Response:
    me, places = _me(), publication.communities()
    form = MissingForm().offer(places, me.community_id)

    def ask() -> Any:
        return corrections.ask_missing(me, form.chosen(places), form.facts(), reason=form.text("reason"))

    if form.carries_out(lambda: made_once("volunteers.correction", form, ask)):
        flash(_("收到了，社区核对以后会通知您。"), "ok")
        return web.go(".hours_mine")
    return web.page("volunteers/resident/correction_missing.html", form=form, status=form.status)


@bp.route("/hours/corrections/<public_id>")
@requires(USE)
def correction_mine(public_id: str) -> Response:
    found = corrections.correction_for(_me(), public_id)
    return web.page("volunteers/resident/correction_mine.html", correction=found)


@bp.route("/hours/corrections/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def correction_withdraw(public_id: str) -> Response:
    try:
        corrections.withdraw(corrections.correction_for(_me(), public_id))
        flash(_("已撤回。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".hours_mine")
