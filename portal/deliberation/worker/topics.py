"""Worker pages of topics: the list, one topic, begun from a template, edited."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import tokens, web
from portal.core.access import Scope, current_actor, may_enter, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing
from portal.deliberation.forms.topics import TopicForm, stands, topic_form
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import (
    following,
    guards,
    moving,
    public_log,
    reach,
    road,
    topic_keeping,
    topic_templates,
    topics,
)
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP
for _name, _words in road.FILTERS.items():
    bp.add_app_template_filter(_words, _name)


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


def topic_kept(topic_id: int) -> Topic:
    return reach.kept(topic_id, within=_within())


def asked_page() -> int:
    return min(max(web.number_asked("page", 1), 1), 500)


@bp.route("/topics")
@requires(KEEP)
def topic_list() -> Response:
    within, page = _within(), asked_page()
    counts = topics.desk_counts(within)
    group = request.args.get("group", "") if request.args.get("group", "") in counts else ""
    words = request.args.get("q", "").strip()[:60]
    found, more = topics.at_desk(within, group=group, words=words, page=page)
    facts: dict[str, Any] = {"group": group, "words": words, "page": page, "more": more, "counts": counts}
    kept = {one.id for one in found if reach.keeps(one, within)}
    return web.page("deliberation/worker/topic_list.html", topics=found, kept=kept, **facts)


@bp.route("/topics/<int:topic_id>")
@requires(KEEP)
def topic_page(topic_id: int) -> Response:
    within, at = _within(), now()
    found = topics.fill(reach.topic(topic_id, within=within))
    entries, _more = public_log.entries(found, limit=5)
    nexts = moving.next_stages(found)
    facts: dict[str, Any] = {"kept": reach.keeps(found, within), "entries": entries, "nexts": nexts}
    facts["flaws"] = guards.flaws(found, nexts[0]) if nexts else []
    facts |= {"papers": topics.papers(found), "followers": following.count(found)}
    facts["steps"] = [
        one for one in road.desk_steps(found, at) if may_enter(one.endpoint) and (facts["kept"] or one.is_read)
    ]
    return web.page("deliberation/worker/topic_page.html", topic=found, at=at, **facts)


@bp.route("/topics/new")
@requires(KEEP)
def topic_pick() -> Response:
    """The first step: for which area, and what to begin from."""
    within = _within()
    leads = reach.lead_areas(within)
    here = _area(leads)
    offered = [one for one in topic_templates.offered(within) if one.area_id in (None, here.id)]
    return web.page("deliberation/worker/topic_pick.html", templates=offered, leads=leads, here=here)


def _area(leads: list[Area]) -> Area:
    """The one that the address names, else the first."""
    asked = request.args.get("area", "")
    found = next((area for area in leads if not asked or area.code == asked), None)
    if found is None:
        raise Missing
    return found


@bp.route("/topics/new/form", methods=["GET", "POST"])
@requires(KEEP)
def topic_new() -> Response:
    """The second step: the form, filled from a template where one was picked."""
    within, number = _within(), web.number_asked("template")
    here = _area(reach.lead_areas(within))
    chosen = topic_templates.template(within, number) if number else None
    filled = topic_templates.filled(chosen, here) if chosen else topic_templates.plain(here)
    form = topic_form(here, filled)
    seeds = tuple(filled.get("opinions", ()))
    if form.carries_out(lambda: _add(form, here, seeds)):
        flash(_("草稿已存好。核对一遍，再发布征集民意。"), "ok")
        return web.go(".topic_page", topic_id=form.made)
    return web.page(
        "deliberation/worker/topic_new.html", form=form, here=here, topic=None, seeds=seeds, status=form.status
    )


def _add(form: TopicForm, here: Area, seeds: tuple[str, ...]) -> None:
    """The same form sent twice makes one topic."""
    by, body = current_actor(), form.body()
    earlier = tokens.same_request(by.public_id, "deliberation.topic", form.text("idem"), body)
    if earlier is None:
        earlier = str(topic_keeping.create(here, form.facts(), by=by, opinions=seeds).id)
        tokens.remember_request(by.public_id, "deliberation.topic", form.text("idem"), body, earlier)
    form.made = earlier


@bp.route("/topics/<int:topic_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def topic_edit(topic_id: int) -> Response:
    found = topic_kept(topic_id)
    form = topic_form(found.area, stands(found))
    if form.carries_out(lambda: _change(found, form)):
        return web.go(".topic_page", topic_id=topic_id)
    page = "deliberation/worker/topic_edit.html"
    return web.page(page, form=form, here=found.area, topic=found, seeds=(), status=form.status)


def _change(found: Topic, form: TopicForm) -> None:
    changed = topic_keeping.save(found, form.facts(), version=form.seen(), by=current_actor())
    flash(_("已保存。") if changed else _("没有改动。"), "ok")
