"""Resident pages of comments: the threads below a topic, writing and answering, taking one's own back."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.opinions import CommentForm
from portal.deliberation.models.opinions import Comment
from portal.deliberation.models.topics import Topic
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import comments, opinions, reach
from portal.identity.permissions import Permission

USE = Permission.DELIBERATION_USE


@bp.route("/topics/<int:topic_id>/comments")
@public
def opinion_comments(topic_id: int) -> Response:
    topic, page = reach.shown(topic_id), min(max(web.number_asked("page", 1), 1), 1000)
    me, how_on = opinions.taking_part(topic, actor_or_none())
    mine = comments.mine(topic, me)
    threads, more = comments.threads(topic, page=page, also=mine)
    facts: dict[str, Any] = {"topic": topic, "me": me, "how_on": how_on, "mine": mine, "page": page, "more": more}
    facts["closed"] = comments.why_closed(topic)
    return web.page("deliberation/resident/opinion_comments.html", threads=threads, **facts)


@bp.route("/topics/<int:topic_id>/comments/write", methods=["GET", "POST"])
@requires(USE)
def opinion_comment_write(topic_id: int) -> Response:
    return _writing(topic_id, 0)


@bp.route("/topics/<int:topic_id>/comments/<int:comment_id>/answer", methods=["GET", "POST"])
@requires(USE)
def opinion_comment_answer(topic_id: int, comment_id: int) -> Response:
    return _writing(topic_id, comment_id)


def _writing(topic_id: int, comment_id: int) -> Response:
    form = CommentForm()
    if form.is_submitted():
        opinions.slow_down(current_actor())
    topic = reach.shown(topic_id)
    parent = comments.comment_of(topic, comment_id) if comment_id else None
    me, how_on = opinions.taking_part(topic, current_actor())
    action = f"deliberation.comment.{topic.id}.{parent.id if parent else 0}"
    if form.carries_out(lambda: made_once(action, form, lambda: _written(topic, form, parent))):
        return web.go(".opinion_comments", topic_id=topic.id)
    facts: dict[str, Any] = {"topic": topic, "parent": parent, "me": me, "how_on": how_on, "form": form}
    facts |= {"closed": comments.why_closed(topic), "status": form.status}
    return web.page("deliberation/resident/opinion_comment_write.html", **facts)


def _written(topic: Topic, form: CommentForm, parent: Comment | None) -> Comment:
    me = reach.person_in(topic, current_actor())
    made, veiled = comments.write(topic, me, form.text("words"), parent=parent)
    flash(_("收到了，社区看过就公开。") if topic.looks_first else _("留言发出去了。"), "ok")
    if veiled.masked:
        flash(veiled.said(), "warn")
    return made


@bp.route("/topics/<int:topic_id>/comments/<int:comment_id>/withdraw", methods=["POST"])
@requires(USE)
def opinion_comment_withdraw(topic_id: int, comment_id: int) -> Response:
    topic, me = reach.shown(topic_id), reach.person_of(current_actor())
    try:
        comments.withdraw(comments.own(topic, me, comment_id))
        flash(_("撤回了，别人看不到了。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".opinion_comments", topic_id=topic_id)
