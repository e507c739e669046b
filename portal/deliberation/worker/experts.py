"""Worker pages of experts: who was asked, what stake each declared, the advice, published or taken down."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.meetings import ExpertForm, WhyForm
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import experts, reach
from portal.deliberation.service.experts import Facts
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


def _topic(topic_id: int) -> Topic:
    return reach.kept(topic_id, within=scopes(KEEP))


def _facts(form: ExpertForm) -> Facts:
    names = ("name", "field", "organisation", "phone", "asked", "stake", "advice")
    has = {"yes": True, "no": False}.get(form.text("has_stake"))
    return Facts(has_stake=has, **{name: form.text(name) for name in names})


@bp.route("/topics/<int:topic_id>/experts")
@requires(KEEP)
def expert_desk(topic_id: int) -> Response:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    facts: dict[str, Any] = {"found": experts.of_topic(topic, public=False), "keeps": reach.keeps(topic, scopes(KEEP))}
    return web.page("deliberation/worker/expert_desk.html", topic=topic, **facts)


@bp.route("/topics/<int:topic_id>/experts/new", methods=["GET", "POST"])
@requires(KEEP)
def expert_new(topic_id: int) -> Response:
    topic, form, by = _topic(topic_id), ExpertForm(), current_actor()
    if form.carries_out(
        lambda: made_once("deliberation.expert", form, lambda: experts.invite(topic, _facts(form), by=by))
    ):
        flash(_("已登记。意见写好、利害关系申报好之后再公布。"), "ok")
        return web.go(".expert_desk", topic_id=topic_id)
    return web.page("deliberation/worker/expert_new.html", topic=topic, one=None, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/experts/<int:expert_id>", methods=["GET", "POST"])
@requires(KEEP)
def expert_edit(topic_id: int, expert_id: int) -> Response:
    topic, by = _topic(topic_id), current_actor()
    one = experts.expert(topic, expert_id)
    stake = {None: "", "": "no"}.get(one.stake, "yes")
    form = ExpertForm(obj=one, data={"has_stake": stake})
    if form.carries_out(lambda: experts.change(one, _facts(form), by=by)):
        flash(_("已保存。改过的意见要重新公布。") if one.published_at is None else _("已保存。"), "ok")
        return web.go(".expert_desk", topic_id=topic_id)
    return web.page("deliberation/worker/expert_edit.html", topic=topic, one=one, form=form, status=form.status)


@bp.route("/topics/<int:topic_id>/experts/<int:expert_id>/publish", methods=["POST"])
@requires(KEEP)
def expert_publish(topic_id: int, expert_id: int) -> Response:
    one, by = experts.expert(_topic(topic_id), expert_id), current_actor()
    return _done(topic_id, lambda: experts.publish(one, by=by), _("已公布，居民看得到了。"))


def _done(topic_id: int, act: Callable[[], object], words: str) -> Response:
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".expert_desk", topic_id=topic_id)


@bp.route("/topics/<int:topic_id>/experts/<int:expert_id>/withdraw", methods=["GET", "POST"])
@requires(KEEP)
def expert_withdraw(topic_id: int, expert_id: int) -> Response:
    topic, form = _topic(topic_id), WhyForm()
    one = experts.expert(topic, expert_id)
    if form.carries_out(lambda: experts.withdraw(one, why=form.text("why"), by=current_actor())):
        flash(_("已撤下，原因写在公开记录里。"), "ok")
        return web.go(".expert_desk", topic_id=topic_id)
    return web.page("deliberation/worker/expert_withdraw.html", topic=topic, one=one, form=form, status=form.status)
