"""What a worker does with a topic: moves it, gives it more time, adds papers, notes whom she asked; its public log."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Missing
from portal.deliberation.forms.topics import ExtendForm, MoveForm, OutreachForm, PaperForm, WhyForm
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, moving, paper_files, public_log, reach, topic_keeping, topics
from portal.deliberation.service.topic_words import stage_said
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.topics import KEEP, asked_page, topic_kept


@bp.route("/topics/<int:topic_id>/move/<to>", methods=["GET", "POST"])
@requires(KEEP)
def topic_move(topic_id: int, to: str) -> Response:
    found, stage = topic_kept(topic_id), _stage(to)
    form = MoveForm()
    if form.carries_out(lambda: _move(found, stage, form)):
        return web.go(".topic_page", topic_id=topic_id)
    goes = found.may_become(stage)
    facts: dict[str, Any] = {"to": stage, "goes": goes, "flaws": guards.flaws(found, stage) if goes else []}
    facts |= {"skips": form.skips(found, stage), "asks_why": guards.asks_why(found.stage, stage)}
    facts["blocked"] = any(not flaw.heals for flaw in facts["flaws"])
    form.ask(found.stage, stage, healed=bool(facts["flaws"]))
    facts |= {"first_day": guards.first_day(stage), "dated": stage in guards.DATED}
    return web.page("deliberation/worker/topic_move.html", topic=found, form=form, status=form.status, **facts)


def _stage(said: str) -> Stage:
    if said not in set(Stage):
        raise Missing
    return Stage(said)


def _move(found: Topic, stage: Stage, form: MoveForm) -> None:
    skipping = form.skipping(found, stage)
    until = form.last_day()
    moving.move(found, stage, by=current_actor(), why=form.text("why"), until=until, skipping=skipping)
    flash(_("议题现在在“%(stage)s”。", stage=stage_said(stage)), "ok")


@bp.route("/topics/<int:topic_id>/extend", methods=["GET", "POST"])
@requires(KEEP)
def topic_extend(topic_id: int) -> Response:
    found, form = topic_kept(topic_id), ExtendForm()
    if form.carries_out(lambda: _extend(found, form)):
        flash(_("已延长，关注的人会收到通知。"), "ok")
        return web.go(".topic_page", topic_id=topic_id)
    return web.page("deliberation/worker/topic_extend.html", topic=found, form=form, status=form.status)


def _extend(found: Topic, form: ExtendForm) -> None:
    until = form.until.data
    if until is not None:
        moving.extend(found, until, why=form.text("why"), by=current_actor())


@bp.route("/topics/<int:topic_id>/outreach", methods=["GET", "POST"])
@requires(KEEP)
def topic_outreach(topic_id: int) -> Response:
    found, form = topic_kept(topic_id), OutreachForm()
    if form.carries_out(lambda: _note(found, form)):
        flash(_("已记下，写进了公开记录。"), "ok")
        return web.go(".topic_page", topic_id=topic_id)
    return web.page("deliberation/worker/topic_outreach.html", topic=found, form=form, status=form.status)


def _note(found: Topic, form: OutreachForm) -> None:
    people = form.people.data or 0
    topic_keeping.note_outreach(found, form.text("how"), people, by=current_actor(), idem=form.text("idem"))


@bp.route("/topics/<int:topic_id>/papers/new", methods=["GET", "POST"])
@requires(KEEP)
def topic_paper_new(topic_id: int) -> Response:
    form = PaperForm()
    paper = form.paper() if form.validate_on_submit() else None
    found = topic_kept(topic_id)
    if paper is not None and form.carries_out(lambda: _hang(found, form, paper)):
        flash(_("材料已经放上。"), "ok")
        return web.go(".topic_page", topic_id=topic_id)
    return web.page("deliberation/worker/topic_paper_new.html", topic=found, form=form, status=form.status)


def _hang(found: Topic, form: PaperForm, paper: paper_files.Paper) -> None:
    name, words, idem = form.text("name"), form.text("words"), form.text("idem")
    topic_keeping.add_paper(found, paper, name, words, by=current_actor(), idem=idem)


@bp.route("/topics/<int:topic_id>/papers/<public_id>")
@requires(KEEP)
def topic_paper(topic_id: int, public_id: str) -> Response:
    """A paper as everybody will read it, also of a draft."""
    found = reach.topic(topic_id, within=scopes(KEEP))
    paper = topics.paper(found, public_id)
    if paper.media == paper_files.PDF:
        return web.download(paper.content, f"{paper.name}.pdf", paper.media)
    return Response(paper.content, mimetype=paper.media)


@bp.route("/topics/<int:topic_id>/papers/<public_id>/withdraw", methods=["GET", "POST"])
@requires(KEEP)
def topic_paper_withdraw(topic_id: int, public_id: str) -> Response:
    found, form = topic_kept(topic_id), WhyForm()
    paper, by = topics.paper(found, public_id), current_actor()
    if form.carries_out(lambda: topic_keeping.withdraw_paper(found, paper, why=form.text("why"), by=by)):
        flash(_("材料已经撤下，原因写进了公开记录。"), "ok")
        return web.go(".topic_page", topic_id=topic_id)
    page = "deliberation/worker/topic_paper_withdraw.html"
    return web.page(page, topic=found, paper=paper, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/log")
@requires(KEEP)
def topic_log(topic_id: int) -> Response:
    found, page = reach.topic(topic_id, within=scopes(KEEP)), asked_page()
    entries, more = public_log.entries(found, page=page)
    return web.page("deliberation/worker/topic_log.html", topic=found, entries=entries, page=page, more=more)
