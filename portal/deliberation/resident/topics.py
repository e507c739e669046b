"""Resident pages of topics: the first page, the list, one topic with its road, its log, its papers, following."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import actor_or_none, current_actor, may, may_enter, public, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.deliberation.models.codes import Category
from portal.deliberation.models.topics import Topic
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import following, paper_files, public_log, reach, road, topic_words, topics
from portal.deliberation.service.topics import GROUPS, Seeking
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

USE = Permission.DELIBERATION_USE
# What the first page leads to, as far as it is there: label, endpoint, icon, whether only for who is signed in.
ENTRIES: tuple[tuple[Callable[[], str], str, str, bool], ...] = (
    (lambda: _("全部议题"), "topic_list", "list-check", False),
    (lambda: _("居民建议"), "idea_list", "message", False),
    (lambda: _("我要提建议"), "idea_new", "edit", True),
    (lambda: _("我参与的"), "topic_mine", "user", True),
    (lambda: _("协商会"), "meeting_list", "calendar-event", False),
    (lambda: _("表决"), "votes_public", "checkbox", False),
    (lambda: _("结果公示"), "outcome_list", "speakerphone", False),
    (lambda: _("议事规则"), "rule_public", "clipboard-list", False),
)


def _entries(*, signed_in: bool) -> list[tuple[str, str, str]]:
    return [
        (label(), f"deliberation.resident.{view}", icon) for label, view, icon, own in ENTRIES if signed_in or not own
    ]


@bp.route("/")
@public
def index() -> Response:
    me = reach.person_of(actor_or_none())
    seeking = Seeking(community_id=me.community_id if me else None)
    found, _more = topics.listed(seeking, page=1)
    running = [one for one in found if one.stage in topics.RUNNING][:8]
    entries = _entries(signed_in=may(USE))
    return web.page("deliberation/resident/index.html", topics=running, entries=entries, me=me)


@bp.route("/topics")
@public
def topic_list() -> Response:
    return _listed(None)


@bp.route("/topics/mine")
@requires(USE)
def topic_mine() -> Response:
    """What she follows, has taken part in, or may vote on; nothing where her account is nobody's yet."""
    return _listed(reach.person_of(current_actor()), own=True)


def _listed(mine: Person | None, *, own: bool = False) -> Response:
    places, page = topics.communities(), min(max(web.number_asked("page", 1), 1), 500)
    here = next((one for one in places if one.code == request.args.get("community")), None)
    category = next((one for one in Category if one == request.args.get("category")), None)
    words = request.args.get("q", "").strip()[:60]
    seeking = Seeking("", category, here.id if here else None, mine, words)
    counts = topics.group_counts(seeking)
    group = request.args.get("group", "") if request.args.get("group", "") in GROUPS else ""
    wanted = Seeking(group, category, seeking.community_id, mine, words)
    found, more = topics.listed(wanted, page=page) if mine or not own else ([], False)
    asked = {
        "community": here.code if here else None,
        "category": category.value if category else None,
        "q": words or None,
    }
    facts: dict[str, Any] = {"counts": counts if mine or not own else dict.fromkeys(counts, 0), "places": places}
    facts |= {"here": here, "categories": [(one.value, topic_words.category_said(one)) for one in Category]}
    facts |= {"asked": asked, "group": group, "page": page, "more": more, "own": own, "mine": mine}
    return web.page("deliberation/resident/topic_list.html", topics=found, **facts)


@bp.route("/topics/<int:topic_id>")
@public
def topic_page(topic_id: int) -> Response:
    found, at = topics.fill(reach.shown(topic_id)), now()
    me = reach.person_of(actor_or_none())
    todo, reading = road.steps(found, me, at)
    facts: dict[str, Any] = {"todo": _open(todo), "reading": _open(reading), "papers": topics.papers(found)}
    facts |= {"me": me, "follows": following.follows(found, me), "near": reach.lives_in(me, found)}
    return web.page("deliberation/resident/topic_page.html", topic=found, at=at, **facts)


def _open(steps: list[Any]) -> list[Any]:
    """A signed-in worker is not led to what only residents do; who is not signed in is asked to."""
    return [one for one in steps if actor_or_none() is None or may_enter(one.endpoint)]


@bp.route("/topics/<int:topic_id>/log")
@public
def topic_log(topic_id: int) -> Response:
    found, page = reach.shown(topic_id), min(max(web.number_asked("page", 1), 1), 500)
    entries, more = public_log.entries(found, page=page)
    return web.page("deliberation/resident/topic_log.html", topic=found, entries=entries, page=page, more=more)


@bp.route("/topics/<int:topic_id>/papers/<public_id>")
@public
def topic_paper(topic_id: int, public_id: str) -> Response:
    """A picture as it is; a document as an attachment, which no browser opens within the portal."""
    paper = topics.paper(reach.shown(topic_id), public_id)
    if paper.media == paper_files.PDF:
        return web.download(paper.content, f"{paper.name}.pdf", paper.media)
    return Response(paper.content, mimetype=paper.media)


@bp.route("/topics/<int:topic_id>/follow", methods=["POST"])
@requires(USE)
def topic_follow(topic_id: int) -> Response:
    found = reach.shown(topic_id)
    return _follow(found, following.follow_asked, _("已关注。有进展会通知您。"))


@bp.route("/topics/<int:topic_id>/unfollow", methods=["POST"])
@requires(USE)
def topic_unfollow(topic_id: int) -> Response:
    found = reach.shown(topic_id)
    return _follow(found, following.unfollow_asked, _("已取消关注。"))


def _follow(found: Topic, act: Callable[[Topic, Person], None], words: str) -> Response:
    try:
        act(found, people.person_of(current_actor()))
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".topic_page", topic_id=found.id)
