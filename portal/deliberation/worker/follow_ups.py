"""Worker pages of what becomes of an outcome: tasks, reports with money and photographs, the project's five steps."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Missing, Refused
from portal.core.once import made_once
from portal.deliberation.forms.outcomes import (
    DropForm,
    PlainForm,
    ProjectForm,
    ReportForm,
    TaskForm,
    VersionForm,
    step_form,
    step_said,
)
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.outcomes import FollowUp, Project
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import follow_ups, project_words, projects, ratings, reach
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


@bp.route("/follow-ups")
@requires(KEEP)
def follow_up_mine() -> Response:
    """The tasks in one's own name."""
    found = follow_ups.mine(current_actor().public_id, scopes(KEEP))
    return web.page("deliberation/worker/follow_up_mine.html", found=found)


@bp.route("/topics/<int:topic_id>/follow-up")
@requires(KEEP)
def follow_up_desk(topic_id: int) -> Response:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    found, me = follow_ups.tasks(topic), current_actor().public_id
    facts: dict[str, Any] = {"tasks": found, "sum": follow_ups.sum_of(found), "steps": follow_ups.steps(topic)}
    facts |= {"kept": reach.keeps(topic, scopes(KEEP)) and topic.stage is Stage.FOLLOW_UP, "me": me}
    facts |= {"project": projects.of(topic), "project_steps": project_words.STEPS}
    facts |= {"rates": ratings.of(topic), "said": ratings.said(topic)}
    return web.page("deliberation/worker/follow_up_desk.html", topic=topic, **facts)


@bp.route("/topics/<int:topic_id>/follow-up/new", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_new(topic_id: int) -> Response:
    topic = _kept(topic_id)
    form = TaskForm().offer(follow_ups.owners(topic))
    act = lambda: follow_ups.add(topic, form.task(), by=current_actor())  # noqa: E731
    if form.carries_out(lambda: made_once("deliberation.follow_up", form, act)):
        flash(_("安排好了，负责人会收到通知。"), "ok")
        return web.go(".follow_up_desk", topic_id=topic_id)
    return _task_page(topic, form)


@bp.route("/topics/<int:topic_id>/follow-up/<int:task_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_edit(topic_id: int, task_id: int) -> Response:
    topic = _kept(topic_id)
    task = follow_ups.task_in(topic, task_id)
    form = (TaskForm() if request.method == "POST" else TaskForm.of(task)).offer(follow_ups.owners(topic))
    if form.carries_out(lambda: follow_ups.edit(task, form.task(), seen=form.seen, by=current_actor())):
        flash(_("改好了。"), "ok")
        return web.go(".follow_up_desk", topic_id=topic_id)
    return _task_page(topic, form)


def _task_page(topic: Topic, form: TaskForm) -> Response:
    return web.page("deliberation/worker/follow_up_form.html", topic=topic, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/follow-up/<int:task_id>/report", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_report(topic_id: int, task_id: int) -> Response:
    """By who keeps the topic, or is responsible for the task."""
    form = ReportForm()
    picture = form.picture() if request.method == "POST" else None
    task = _own(topic_id, task_id)
    act = lambda: follow_ups.report(task, form.progress(picture), by=current_actor())  # noqa: E731
    if not form.errors and form.carries_out(lambda: made_once("deliberation.report", form, act)):
        flash(_("进度记下了，居民能看到。"), "ok")
        return web.go(".follow_up_desk", topic_id=topic_id)
    if request.method == "GET":
        form.percent.data = task.percent
    return web.page("deliberation/worker/follow_up_report.html", task=task, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/follow-up/<int:task_id>/drop", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_drop(topic_id: int, task_id: int) -> Response:
    task, form = follow_ups.task_in(_kept(topic_id), task_id), DropForm()
    if form.carries_out(lambda: follow_ups.drop(task, why=form.text("why"), by=current_actor())):
        flash(_("已记下不办的原因，会公布出来。"), "ok")
        return web.go(".follow_up_desk", topic_id=topic_id)
    return web.page("deliberation/worker/follow_up_drop.html", task=task, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/project/new", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_project_new(topic_id: int) -> Response:
    topic = _kept(topic_id)
    form = ProjectForm()
    act = lambda: projects.begin(topic, form.text("name"), by=current_actor())  # noqa: E731
    if form.carries_out(lambda: made_once("deliberation.project", form, act)):
        flash(_("项目开好了，从需求填起。"), "ok")
        return web.go(".follow_up_project", topic_id=topic_id)
    return web.page("deliberation/worker/follow_up_project_new.html", topic=topic, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/project", methods=["GET", "POST"])
@requires(KEEP)
def follow_up_project(topic_id: int) -> Response:
    """The present step is filled in; those before it are read."""
    project = _project(topic_id)
    form = step_form(project)
    if project.ended_at is None and form.carries_out(lambda: _filled(project, form)):
        flash(_("保存好了。"), "ok")
        return web.go(".follow_up_project", topic_id=topic_id)
    facts: dict[str, Any] = {"project": project, "missing": projects.missing(project), "plain": PlainForm()}
    facts["steps"] = project_words.STEPS
    return web.page("deliberation/worker/follow_up_project.html", form=form, status=form.status, **facts)


def _filled(project: Project, form: VersionForm) -> None:
    projects.write(project, step_said(form, project.step), seen=form.seen, by=current_actor())


@bp.route("/topics/<int:topic_id>/project/next", methods=["POST"])
@requires(KEEP)
def follow_up_project_next(topic_id: int) -> Response:
    project = _project(topic_id)
    try:
        projects.advance(project, seen=web.number_asked("version", said=request.form), by=current_actor())
        flash(_("进入下一步了。") if project.ended_at is None else _("项目评估完成。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".follow_up_project", topic_id=topic_id)


def _kept(topic_id: int) -> Topic:
    return reach.kept(topic_id, within=scopes(KEEP))


def _project(topic_id: int) -> Project:
    found = projects.of(_kept(topic_id))
    if found is None:
        raise Missing
    return found


def _own(topic_id: int, task_id: int) -> FollowUp:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    task = follow_ups.task_in(topic, task_id)
    if task.owner != current_actor().public_id and not reach.keeps(topic, scopes(KEEP)):
        raise Missing
    return task
