"""Worker pages of papers of opinions that a second person enters: again, where the two differ, and dropped."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.once import made_once
from portal.deliberation.forms.opinions import PaperForm, SheetDropForm, SheetSettleForm
from portal.deliberation.models.opinions import OpinionSheet
from portal.deliberation.service import opinion_sheets
from portal.deliberation.service.opinion_paper import Entered
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


def _sheet(topic_id: int, public_id: str) -> OpinionSheet:
    return opinion_sheets.sheet(topic_id, public_id, within=scopes(KEEP))


@bp.route("/topics/<int:topic_id>/opinions/paper/sheets/<public_id>", methods=["GET", "POST"])
@requires(KEEP)
def opinion_sheet(topic_id: int, public_id: str) -> Response:
    """The second time, without seeing the first."""
    found = _sheet(topic_id, public_id)
    form, action = PaperForm.asking(opinion_sheets.asked(found)), f"deliberation.sheet.{found.id}"
    if form.carries_out(lambda: made_once(action, form, lambda: _second(found, form))):
        return web.go(".opinion_sheet_settle" if opinion_sheets.differs(found) else ".opinion_paper_who", **_at(found))
    why = opinion_sheets.why_not_second(found, current_actor())
    facts = {"sheet": found, "topic": found.topic, "why": why}
    return web.page("deliberation/worker/opinion_sheet.html", form=form, status=form.status, **facts)


def _at(found: OpinionSheet) -> dict[str, str | int]:
    where: dict[str, str | int] = {"topic_id": found.topic_id}
    return where | {"public_id": found.public_id} if opinion_sheets.differs(found) else where


def _second(found: OpinionSheet, form: PaperForm) -> OpinionSheet:
    done = opinion_sheets.enter_second(found, form.read(), by=current_actor())
    if done is None:
        flash(_("两遍录的不一样，请看着纸核对。"), "warn")
    else:
        _tell(done)
    return found


def _tell(done: Entered) -> None:
    words = _("录好了：看法 %(words)d 条，表态 %(stands)d 条。", words=int(done.words is not None), stands=done.stands)
    if done.kept:
        words += _("另有 %(kept)d 条本人已经在手机上表过态，以本人的为准，没有改。", kept=done.kept)
    flash(words, "ok")
    if done.words and done.words.masked:
        flash(done.words.said(), "warn")


@bp.route("/topics/<int:topic_id>/opinions/paper/sheets/<public_id>/settle", methods=["GET", "POST"])
@requires(KEEP)
def opinion_sheet_settle(topic_id: int, public_id: str) -> Response:
    """Where the two read otherwise, with the paper in one's hand."""
    found, by = _sheet(topic_id, public_id), current_actor()
    form = SheetSettleForm.of(found, opinion_sheets.differences(found) if opinion_sheets.differs(found) else [])
    if form.carries_out(lambda: _tell(opinion_sheets.settle(found, form.firsts(), by=by))):
        return web.go(".opinion_paper_who", topic_id=topic_id)
    facts = {"sheet": found, "topic": found.topic, "differs": opinion_sheets.differs(found)}
    return web.page("deliberation/worker/opinion_sheet_settle.html", form=form, status=form.status, **facts)


@bp.route("/topics/<int:topic_id>/opinions/paper/sheets/<public_id>/drop", methods=["GET", "POST"])
@requires(KEEP)
def opinion_sheet_drop(topic_id: int, public_id: str) -> Response:
    found, form, by = _sheet(topic_id, public_id), SheetDropForm(), current_actor()
    if form.carries_out(lambda: opinion_sheets.drop(found, form.text("why"), by=by)):
        flash(_("编号 %(number)d 已作废，没有计入；可以重新录。", number=found.number), "ok")
        return web.go(".opinion_paper_who", topic_id=topic_id)
    facts = {"sheet": found, "topic": found.topic}
    return web.page("deliberation/worker/opinion_sheet_drop.html", form=form, status=form.status, **facts)
