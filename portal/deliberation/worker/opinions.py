"""Worker pages of opinions: what waits to be read, hiding and showing with reasons, the committee's own statements."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.core.forms import Form
from portal.core.once import made_once
from portal.deliberation.forms.opinions import CommentForm, HideForm, RestoreForm, SeedForm
from portal.deliberation.models.codes import OpinionState
from portal.deliberation.models.opinions import Comment, Opinion
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import comments, moderating, opinions, reach, seeding
from portal.deliberation.service.moderating import Kind, Said
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


def _page() -> int:
    return min(max(web.number_asked("page", 1), 1), 1000)


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        raise Missing
    return Kind(text)


@bp.route("/opinions")
@requires(KEEP)
def opinion_queue() -> Response:
    """What waits to be read in all the topics she keeps; what is shown and what is hidden."""
    within, page, state = scopes(KEEP), _page(), request.args.get("state", "")
    kind = _kind(request.args.get("kind", Kind.OPINIONS))
    shown = OpinionState(state) if state in set(OpinionState) else OpinionState.PENDING
    found, more = moderating.queue(within, kind, shown, page=page)
    facts: dict[str, Any] = {"found": found, "more": more, "page": page, "state": shown, "kind": kind}
    return web.page("deliberation/worker/opinion_queue.html", waiting=moderating.waiting(within), **facts)


@bp.route("/topics/<int:topic_id>/opinions")
@requires(KEEP)
def opinion_topic(topic_id: int) -> Response:
    """A topic's statements with how people stand on them; the community's desk reads those of a street's topic."""
    topic, page = reach.topic(topic_id, within=scopes(KEEP)), _page()
    found, more = moderating.all_of(topic, page=page)
    facts: dict[str, Any] = {"topic": topic, "found": found, "more": more, "page": page, "few": opinions.FEW}
    facts |= {"keeps": reach.keeps(topic, scopes(KEEP)), "counted": opinions.counted(found)}
    facts |= {"closed": opinions.why_closed(topic, today()), "seeds": topic.stage in seeding.OPEN}
    return web.page("deliberation/worker/opinion_topic.html", **facts)


@bp.route("/opinions/<int:number>/pass", methods=["POST"], defaults={"kind": "opinions"})
@bp.route("/comments/<int:number>/pass", methods=["POST"], defaults={"kind": "comments"})
@requires(KEEP)
def opinion_pass(kind: str, number: int) -> Response:
    said = moderating.said_in(scopes(KEEP), _kind(kind), number)
    try:
        moderating.let_pass(said, by=current_actor())
        flash(_("已公开。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".opinion_queue", kind=kind)


@bp.route("/opinions/<int:number>/hide", methods=["GET", "POST"], defaults={"kind": "opinions"})
@bp.route("/comments/<int:number>/hide", methods=["GET", "POST"], defaults={"kind": "comments"})
@requires(KEEP)
def opinion_hide(kind: str, number: int) -> Response:
    said, form = moderating.said_in(scopes(KEEP), _kind(kind), number), HideForm.new()
    act = lambda: moderating.hide(said, form.reason(), form.text("words"), by=current_actor())  # noqa: E731
    return _acted("deliberation/worker/opinion_hide.html", said, form, act, _("已隐去，原因在公开记录里。"))


@bp.route("/opinions/<int:number>/restore", methods=["GET", "POST"], defaults={"kind": "opinions"})
@bp.route("/comments/<int:number>/restore", methods=["GET", "POST"], defaults={"kind": "comments"})
@requires(KEEP)
def opinion_restore(kind: str, number: int) -> Response:
    said, form = moderating.said_in(scopes(KEEP), _kind(kind), number), RestoreForm()
    act = lambda: moderating.restore(said, form.text("why"), by=current_actor())  # noqa: E731
    return _acted("deliberation/worker/opinion_restore.html", said, form, act, _("已恢复，原因在公开记录里。"))


def _acted(template: str, said: Said, form: Form, act: Callable[[], object], done: str) -> Response:
    if form.carries_out(act):
        flash(done, "ok")
        return web.go_to(_home(said))
    return web.page(template, said=said, kind=_kind_of(said), home=_home(said), form=form, status=form.status)


def _kind_of(said: Said) -> Kind:
    return Kind.OPINIONS if isinstance(said, Opinion) else Kind.COMMENTS


def _home(said: Said) -> str:
    """Where its topic's statements or comments are."""
    endpoint = ".opinion_topic" if isinstance(said, Opinion) else ".opinion_desk_comments"
    return url_for(endpoint, topic_id=said.topic_id)


@bp.route("/topics/<int:topic_id>/opinions/new", methods=["GET", "POST"])
@requires(KEEP)
def opinion_seed(topic_id: int) -> Response:
    topic, form = reach.kept(topic_id, within=scopes(KEEP)), SeedForm()
    if form.carries_out(lambda: made_once(f"deliberation.seed.{topic_id}", form, lambda: _seeded(topic, form))):
        return web.go(".opinion_topic", topic_id=topic_id)
    return web.page("deliberation/worker/opinion_seed.html", topic=topic, seed=None, form=form, status=form.status)


def _seeded(topic: Topic, form: SeedForm) -> Opinion:
    made, veiled = seeding.add(topic, form.text("words"), by=current_actor())
    flash(_("加好了，居民马上能对它表态。") + veiled.said(), "warn" if veiled.masked else "ok")
    return made


@bp.route("/opinions/<int:number>/edit", methods=["GET", "POST"])
@requires(KEEP)
def opinion_seed_edit(number: int) -> Response:
    seed = moderating.said_in(scopes(KEEP), Kind.OPINIONS, number)
    if not isinstance(seed, Opinion) or not seed.is_seed:
        raise Missing
    form = SeedForm(data={"words": seed.words})
    if form.carries_out(lambda: flash(_("改好了。") + seeding.change(seed, form.text("words")).said(), "ok")):
        return web.go(".opinion_topic", topic_id=seed.topic_id)
    facts: dict[str, Any] = {"topic": seed.topic, "seed": seed, "form": form, "status": form.status}
    return web.page("deliberation/worker/opinion_seed.html", **facts)


@bp.route("/topics/<int:topic_id>/comments")
@requires(KEEP)
def opinion_desk_comments(topic_id: int) -> Response:
    topic, page = reach.topic(topic_id, within=scopes(KEEP)), _page()
    threads, more = comments.threads(topic, page=page)
    facts: dict[str, Any] = {"topic": topic, "threads": threads, "more": more, "page": page}
    facts |= {"keeps": reach.keeps(topic, scopes(KEEP)), "closed": comments.why_closed(topic)}
    return web.page("deliberation/worker/opinion_desk_comments.html", **facts)


@bp.route("/topics/<int:topic_id>/comments/answer", methods=["GET", "POST"])
@bp.route("/topics/<int:topic_id>/comments/<int:comment_id>/answer", methods=["GET", "POST"])
@requires(KEEP)
def opinion_desk_answer(topic_id: int, comment_id: int = 0) -> Response:
    """The committee's own word: below a comment, or for everybody."""
    topic, form = reach.kept(topic_id, within=scopes(KEEP)), CommentForm()
    parent = comments.comment_of(topic, comment_id) if comment_id else None
    action = f"deliberation.answer.{topic_id}.{comment_id}"
    if form.carries_out(lambda: made_once(action, form, lambda: _answered(topic, form, parent))):
        return web.go(".opinion_desk_comments", topic_id=topic_id)
    facts: dict[str, Any] = {"topic": topic, "parent": parent, "form": form, "status": form.status}
    return web.page("deliberation/worker/opinion_desk_answer.html", **facts)


def _answered(topic: Topic, form: CommentForm, parent: Comment | None) -> Comment:
    made, veiled = comments.answer(topic, form.text("words"), by=current_actor(), parent=parent)
    flash(_("发出去了，居民可以看到您的名字。") + veiled.said(), "warn" if veiled.masked else "ok")
    return made
