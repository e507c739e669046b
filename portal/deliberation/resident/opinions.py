"""Resident pages of opinions: one statement at a time, all of them, one's own; writing one; the rules for speaking."""

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from portal.core import settings, web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.core.once import made_once
from portal.core.sheets import MIME
from portal.deliberation.forms.opinions import OpinionForm
from portal.deliberation.models.codes import Stand
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import comments, moderating, opinion_export, opinion_words, opinions, reach, stands
from portal.identity.permissions import Permission
from portal.registry.models import Person

USE = Permission.DELIBERATION_USE
bp.add_app_template_filter(opinion_words.opinion_said, "opinion_said")
bp.add_app_template_filter(opinion_words.opinion_tint, "opinion_tint")
bp.add_app_template_filter(opinion_words.opinion_by, "opinion_by")
bp.add_app_template_filter(opinion_words.opinion_source, "opinion_source")
bp.add_app_template_filter(opinion_words.comment_by, "comment_by")
bp.add_app_template_filter(moderating.hidden_said, "hidden_said")


@bp.route("/topics/<int:topic_id>/opinions")
@public
def opinion_next(topic_id: int) -> Response:
    """One statement after another, with three large buttons; to who may not answer, how to go on."""
    topic = reach.shown(topic_id)
    return _next(topic, *opinions.taking_part(topic, actor_or_none()))


def _next(topic: Topic, me: Person | None, how_on: str, refused: str = "") -> Response:
    facts: dict[str, Any] = {"topic": topic, "me": me, "how_on": how_on, "refused": refused, "stands": list(Stand)}
    facts |= {"closed": opinions.why_closed(topic, today()), "next": opinions.next_for(topic, me)}
    return web.page("deliberation/resident/opinion_next.html", **facts)


@bp.route("/topics/<int:topic_id>/opinions/<int:opinion_id>/stand", methods=["POST"])
@requires(USE)
def opinion_stand(topic_id: int, opinion_id: int) -> Response:
    """Agree, disagree or neither; from the page of one after another, or changed on her own page."""
    stands.slow_down(current_actor())
    topic = reach.shown(topic_id)
    try:
        me = reach.person_in(topic, current_actor())
        if request.form.get("back") == "mine":
            _taken(topic, opinion_id, me)
            flash(_("改好了。"), "ok")
            return web.go(".opinion_mine", topic_id=topic_id)
        stands.refuse_haste(topic, me)
        _taken(topic, opinion_id, me)
    except Refused as refused:
        return _not_taken(topic, refused)
    return web.settle(url_for(".opinion_next", topic_id=topic_id), lambda: _next(topic, me, ""))


def _taken(topic: Topic, opinion_id: int, me: Person) -> None:
    said = request.form.get("stand", "")
    if said not in set(Stand):
        raise Missing
    stands.take(topic, opinions.opinion_of(topic, opinion_id), me, Stand(said))


def _not_taken(topic: Topic, refused: Refused) -> Response:
    me, how_on = opinions.taking_part(topic, current_actor())
    if request.headers.get("HX-Target"):
        return _next(topic, me, how_on, refused.message)
    web.turn_down(refused)
    return web.go(".opinion_next", topic_id=topic.id)


@bp.route("/topics/<int:topic_id>/opinions/write", methods=["GET", "POST"])
@requires(USE)
def opinion_write(topic_id: int) -> Response:
    form = OpinionForm()
    if form.is_submitted():
        opinions.slow_down(current_actor())
    topic = reach.shown(topic_id)
    me, how_on = opinions.taking_part(topic, current_actor())
    if form.carries_out(lambda: made_once(f"deliberation.opinion.{topic_id}", form, lambda: _written(topic, form))):
        return web.go(".opinion_mine", topic_id=topic_id)
    facts: dict[str, Any] = {"topic": topic, "me": me, "how_on": how_on, "most": settings.get(opinions.A_DAY)}
    facts |= {"closed": opinions.why_closed(topic, today()), "form": form, "status": form.status}
    return web.page("deliberation/resident/opinion_write.html", **facts)


def _written(topic: Topic, form: OpinionForm) -> Opinion:
    made, veiled = opinions.write(topic, reach.person_in(topic, current_actor()), form.text("words"))
    flash(_("收到了，社区看过就公开。") if topic.looks_first else _("发出去了，邻居们可以对它表态。"), "ok")
    if veiled.masked:
        flash(veiled.said(), "warn")
    return made


@bp.route("/topics/<int:topic_id>/opinions/all")
@public
def opinion_list(topic_id: int) -> Response:
    """Everything that was said, with figures where enough people took a stand, and why something was hidden."""
    topic, page = reach.shown(topic_id), min(max(web.number_asked("page", 1), 1), 1000)
    found, more = opinions.read(topic, page=page)
    facts: dict[str, Any] = {"counted": opinions.counted(found), "page": page, "more": more, "few": opinions.FEW}
    facts |= {"closed": opinions.why_closed(topic, today()), "topic": topic, "found": found}
    return web.page("deliberation/resident/opinion_list.html", **facts)


@bp.route("/topics/<int:topic_id>/opinions/table")
@public
def opinion_table(topic_id: int) -> Response:
    """The same as a table to take along: words and totals, nobody in it."""
    body = opinion_export.workbook(reach.shown(topic_id))
    return web.download(body, _("看法汇总-%(number)d.xlsx", number=topic_id), MIME)


@bp.route("/topics/<int:topic_id>/opinions/mine")
@requires(USE)
def opinion_mine(topic_id: int) -> Response:
    """What she wrote, which she may take back, and where she stands, which she may change."""
    topic = reach.shown(topic_id)
    me = reach.person_of(current_actor())
    facts: dict[str, Any] = {"topic": topic, "me": me, "stands": list(Stand), "own": opinions.OWN}
    facts |= {"written": opinions.written_by(topic, me) if me else [], "closed": opinions.why_closed(topic, today())}
    facts["taken"] = stands.stands_of(topic, me) if me else []
    return web.page("deliberation/resident/opinion_mine.html", **facts)


@bp.route("/topics/<int:topic_id>/opinions/<int:opinion_id>/withdraw", methods=["POST"])
@requires(USE)
def opinion_withdraw(topic_id: int, opinion_id: int) -> Response:
    topic, me = reach.shown(topic_id), reach.person_of(current_actor())
    try:
        opinions.withdraw(opinions.own(topic, me, opinion_id))
        flash(_("撤回了，别人看不到了。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".opinion_mine", topic_id=topic_id)


@bp.route("/speaking")
@public
def opinion_rules() -> Response:
    """发言公约: what is taken out, what is hidden and by which reasons, how to object."""
    facts: dict[str, Any] = {"whys": list(moderating.Why), "few": opinions.FEW, "most": opinions.MOST}
    facts |= {"a_day": settings.get(opinions.A_DAY), "comments_a_day": settings.get(comments.A_DAY)}
    return web.page("deliberation/resident/opinion_rules.html", **facts)
