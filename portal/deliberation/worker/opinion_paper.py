"""Worker pages of paper opinions: who filled it in, and what stands on it."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.opinions import PaperForm, SeekForm
from portal.deliberation.models.opinions import OpinionSheet
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import opinion_paper, opinion_sheets, reach
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission
from portal.registry.models import Person

KEEP = Permission.DELIBERATION_KEEP


@bp.route("/topics/<int:topic_id>/opinions/paper", methods=["GET", "POST"])
@requires(KEEP)
def opinion_paper_who(topic_id: int) -> Response:
    """For whom: found narrowly, by the whole name or a number; or nobody's."""
    topic, form, found = reach.topic(topic_id, within=scopes(KEEP)), SeekForm(), None
    if form.validate_on_submit():
        try:
            found = opinion_paper.seek_writer(topic, form.text("q"), within=scopes(KEEP), by=current_actor())
            form.forget()
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"topic": topic, "found": found, "closed": opinion_paper.why_closed(topic)}
    facts |= {"waiting": opinion_sheets.waiting(topic), "me": current_actor().public_id}
    return web.page("deliberation/worker/opinion_paper_who.html", form=form, status=form.status, **facts)


@bp.route("/topics/<int:topic_id>/opinions/paper/unsigned", methods=["GET", "POST"])
@requires(KEEP)
def opinion_paper_unsigned(topic_id: int) -> Response:
    return _entering(reach.topic(topic_id, within=scopes(KEEP)), None)


@bp.route("/topics/<int:topic_id>/opinions/paper/of/<person_id>", methods=["GET", "POST"])
@requires(KEEP)
def opinion_paper_of(topic_id: int, person_id: str) -> Response:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    return _entering(topic, opinion_paper.person_for(topic, person_id, within=scopes(KEEP)))


def _entering(topic: Topic, person: Person | None) -> Response:
    form = PaperForm.asking(opinion_paper.asked(topic) if person else [])
    action = f"deliberation.paper.{topic.id}.{person.id if person else 0}"
    if form.carries_out(lambda: made_once(action, form, lambda: _begun(topic, person, form))):
        return web.go(".opinion_paper_who", topic_id=topic.id)
    facts: dict[str, Any] = {"topic": topic, "person": person, "closed": opinion_paper.why_closed(topic)}
    return web.page("deliberation/worker/opinion_paper_entry.html", form=form, status=form.status, **facts)


def _begun(topic: Topic, person: Person | None, form: PaperForm) -> OpinionSheet:
    made = opinion_sheets.begin(topic, person, form.read(), by=current_actor())
    flash(
        _(
            "第一遍录好了，编号 %(number)d。请把编号写在纸上，交给另一位同事录第二遍；两遍一样才算数。",
            number=made.number,
        ),
        "ok",
    )
    return made
