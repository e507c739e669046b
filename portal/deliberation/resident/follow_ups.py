"""Resident pages of what becomes of a topic: tasks, money, photographs, the project; rating it."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.errors import Refused
from portal.deliberation.forms.outcomes import RateForm
from portal.deliberation.models.codes import Score
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import follow_ups, outcome_words, project_words, projects, ratings, reach
from portal.identity.permissions import Permission

USE = Permission.DELIBERATION_USE
bp.add_app_template_filter(project_words.step_said, "project_step")
bp.add_app_template_filter(project_words.step_meaning, "project_meaning")
bp.add_app_template_filter(project_words.shown, "project_shown")
bp.add_app_template_filter(ratings.score_said, "score_said")
bp.add_app_template_filter(outcome_words.is_late, "task_late")


@bp.route("/topics/<int:topic_id>/follow-up")
@public
def follow_up_page(topic_id: int) -> Response:
    topic, me = reach.shown(topic_id), reach.person_of(actor_or_none())
    found = follow_ups.tasks(topic)
    facts: dict[str, Any] = {"tasks": found, "sum": follow_ups.sum_of(found), "steps": follow_ups.steps(topic)}
    facts |= {"project": projects.of(topic), "project_steps": project_words.STEPS}
    facts |= {"rates": ratings.of(topic), "mine": ratings.own(topic, me), "near": reach.lives_in(me, topic)}
    facts["ratable"] = topic.stage in ratings.RATED
    return web.page("deliberation/resident/follow_up_page.html", topic=topic, **facts)


@bp.route("/follow-ups/photos/<public_id>")
@public
def follow_up_photo(public_id: str) -> Response:
    data = follow_ups.photo(public_id)
    return Response(data, mimetype=files.image_type(data))


@bp.route("/topics/<int:topic_id>/rate", methods=["GET", "POST"])
@requires(USE)
def follow_up_rate(topic_id: int) -> Response:
    topic = reach.shown(topic_id)
    try:
        person = reach.person_in(topic, current_actor())
    except Refused as refused:
        web.turn_down(refused)
        return web.go(".follow_up_page", topic_id=topic_id)
    held = ratings.own(topic, person)
    form = RateForm(data={"score": held.score.value, "words": held.words or ""} if held else None)
    if form.carries_out(lambda: ratings.rate(topic, person, Score(form.text("score")), words=form.text("words"))):
        flash(_("评议已记下，谢谢您。"), "ok")
        return web.go(".follow_up_page", topic_id=topic_id)
    return web.page("deliberation/resident/follow_up_rate.html", topic=topic, form=form, status=form.status)
