"""Worker pages of votes: made from a topic, checked, announced, opened, called off; who has voted, never how."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.votes import SeenRuleForm, TimesForm, VoteForm, VoteNoticeForm, VoteReasonForm
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import (
    counting,
    paper_waits,
    reach,
    reminding,
    roll_showing,
    rule_words,
    rules,
    vote_making,
    vote_notices,
    vote_opening,
    vote_rules,
    vote_words,
    votes,
)
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

VOTES = Permission.DELIBERATION_VOTES
for name, words in vote_words.WORDS.items():
    bp.add_app_template_filter(words, name)


def vote_read(vote_id: int) -> Vote:
    return votes.vote(vote_id, within=scopes(VOTES))


def vote_kept(vote_id: int) -> Vote:
    """A vote that she runs; Missing for one that she only reads."""
    return votes.kept(vote_id, within=scopes(VOTES))


def asked_page() -> int:
    return min(max(web.number_asked("page", 1), 1), 500)


@bp.route("/votes")
@requires(VOTES)
def votes_page() -> Response:
    within, page, tab = scopes(VOTES), asked_page(), request.args.get("tab", "going")
    tab = tab if tab in votes.TABS else "going"
    found, more = votes.votes_within(within, tab=tab, page=page)
    facts: dict[str, Any] = {
        "figures": votes.figures_of([one.id for one in found]),
        "counts": votes.counts_within(within),
    }
    return web.page("deliberation/worker/votes_page.html", votes=found, more=more, tab=tab, page=page, **facts)


@bp.route("/topics/<int:topic_id>/votes/new", methods=["GET", "POST"])
@requires(VOTES)
def vote_new(topic_id: int) -> Response:
    topic = reach.kept(topic_id, within=scopes(VOTES))
    form = _form(topic)
    if not form.is_submitted():
        form.begin()
    if form.carries_out(lambda: _make(form, topic)):
        flash(_("草稿已存好。接着核对规则、公示名册、发布通知，到时间会自动开始。"), "ok")
        return web.go(".vote_page", vote_id=form.made)
    return web.page("deliberation/worker/vote_new.html", form=form, topic=topic, vote=None, status=form.status)


def _form(topic: Topic) -> VoteForm:
    form = VoteForm()
    form.offer(topic, vote_making.estates_of(topic))
    return form


def _make(form: VoteForm, topic: Topic) -> None:
    """The same form sent twice makes one vote."""
    plan, by = form.plan(), current_actor()
    form.made = int(made_once("deliberation.vote", form, lambda: vote_making.make(topic, plan, by=by)))


@bp.route("/votes/<int:vote_id>/edit", methods=["GET", "POST"])
@requires(VOTES)
def vote_edit(vote_id: int) -> Response:
    vote = vote_kept(vote_id)
    form = _form(vote.topic)
    if not form.is_submitted():
        form.fill(vote)
    if form.carries_out(lambda: vote_making.change(vote, form.plan(), by=current_actor())):
        flash(_("已保存。"), "ok")
        return web.go(".vote_page", vote_id=vote.id)
    return web.page("deliberation/worker/vote_edit.html", form=form, topic=vote.topic, vote=vote, status=form.status)


@bp.route("/votes/<int:vote_id>")
@requires(VOTES)
def vote_page(vote_id: int) -> Response:
    vote = vote_read(vote_id)
    known = votes.figures(vote)
    facts: dict[str, Any] = {"figures": known, "kept": reach.keeps(vote.topic, scopes(VOTES)), "moment": now()}
    return web.page("deliberation/worker/vote_page.html", vote=vote, **facts, **_standing(vote, known))


def _standing(vote: Vote, known: votes.Figures) -> dict[str, Any]:
    """Where a vote stands: what is still to be done, whether enough have voted, what it came to."""
    return {
        "checks": vote_opening.checks(vote) if vote.state.value in {"draft", "roll"} else [],
        "quorum": votes.quorum_met(vote, known),
        "needed": votes.least_needed(vote, known),
        "needed_area": votes.least_area(vote, known),
        "waits": paper_waits.waiting(vote) if vote.state.value == "closed" else "",
        "result": counting.result_of(vote) if vote.state.value == "counted" else None,
        "rule": _rule_said(vote),
    }


def _rule_said(vote: Vote) -> dict[str, Any]:
    """The rule as it stands on the vote, or as it would."""
    if vote.rule:
        return {**vote.rule, "said": [rule_words.quorum_words(vote.rule), rule_words.passes_words(vote.rule)]}
    row = vote_rules.rule_of(vote)
    return {**rules.snapshot(row), "said": rule_words.words_of(row)} if row else {}


def done(
    vote: Vote, act: Callable[[], object], words: str | Callable[[], str], endpoint: str = ".vote_page"
) -> Response:
    """An act of one button: back to the vote, with what it did or why not."""
    try:
        act()
        flash(words if isinstance(words, str) else words(), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(endpoint, vote_id=vote.id)


@bp.route("/votes/<int:vote_id>/rule", methods=["GET", "POST"])
@requires(VOTES)
def vote_rule(vote_id: int) -> Response:
    """The rule in words; the committee confirms one that nobody has compared since the law changed."""
    vote, form = vote_kept(vote_id), SeenRuleForm()
    if form.validate_on_submit() and form.has_seen():
        return done(vote, lambda: vote_rules.confirm(vote, by=current_actor()), _("规则已确认，写进了公开记录。"))
    row = vote_rules.rule_of(vote)
    facts = {"row": row, "said": rule_words.words_of(row) if row else [], "sure": vote_rules.is_confirmed(vote, row)}
    return web.page("deliberation/worker/vote_rule.html", vote=vote, form=form, status=form.status, **facts)


@bp.route("/votes/<int:vote_id>/times", methods=["GET", "POST"])
@requires(VOTES)
def vote_times(vote_id: int) -> Response:
    vote, form = vote_kept(vote_id), TimesForm()
    if not form.is_submitted():
        form.fill_times(vote)
    if form.carries_out(lambda: vote_opening.put_off(vote, *form.times(), by=current_actor())):
        flash(_("投票时间已改。原来的通知已撤回，请重新发布。"), "ok")
        return web.go(".vote_page", vote_id=vote.id)
    return web.page("deliberation/worker/vote_times.html", vote=vote, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/notice", methods=["GET", "POST"])
@requires(VOTES)
def vote_notice(vote_id: int) -> Response:
    vote, form = vote_kept(vote_id), VoteNoticeForm()
    if form.carries_out(lambda: vote_notices.publish(vote, form.text("contact"), by=current_actor())):
        flash(_("通知已发布，关注这个议题的人都会收到。可以打印贴出来。"), "ok")
        return web.go(".vote_page", vote_id=vote.id)
    row = vote_rules.rule_of(vote)
    said = vote_notices.facts_of(vote, row, "") if row else {}
    facts = {"notice": vote_notices.notice_of(vote), "said": said}
    return web.page("deliberation/worker/vote_notice.html", vote=vote, form=form, status=form.status, **facts)


@bp.route("/votes/<int:vote_id>/open", methods=["POST"])
@requires(VOTES)
def vote_open(vote_id: int) -> Response:
    vote, by = vote_kept(vote_id), current_actor()
    return done(vote, lambda: vote_opening.open_vote(vote, by_name=by.name), _("投票已开始，名册从现在起不再变。"))


@bp.route("/votes/<int:vote_id>/cancel", methods=["GET", "POST"])
@requires(VOTES)
def vote_cancel(vote_id: int) -> Response:
    vote, form = vote_kept(vote_id), VoteReasonForm()
    if form.carries_out(lambda: vote_opening.cancel(vote, form.text("reason"), by=current_actor())):
        flash(_("表决已取消，原因写进了公开记录。"), "ok")
        return web.go(".vote_page", vote_id=vote.id)
    facts = {"figures": votes.figures(vote)}
    return web.page("deliberation/worker/vote_cancel.html", vote=vote, form=form, status=form.status, **facts)


@bp.route("/votes/<int:vote_id>/turnout")
@requires(VOTES)
def vote_turnout(vote_id: int) -> Response:
    """Who has voted and who has not, by roll number: that is no secret; what they chose stands nowhere here."""
    vote, page, voted = vote_read(vote_id), asked_page(), request.args.get("voted") == "1"
    named = roll_showing.reads_names(vote, scopes(VOTES))
    entries, more = votes.entry_page(vote, voted=voted, page=page) if named else ([], False)
    facts: dict[str, Any] = {"channels": votes.channels_of(vote, [one.id for one in entries]) if voted else {}}
    facts["named"] = named
    facts |= {"figures": votes.figures(vote), "kept": reach.keeps(vote.topic, scopes(VOTES)), "moment": now()}
    page_name = "deliberation/worker/vote_turnout.html"
    return web.page(page_name, vote=vote, entries=entries, more=more, page=page, voted=voted, **facts)


@bp.route("/votes/<int:vote_id>/remind", methods=["POST"])
@requires(VOTES)
def vote_remind(vote_id: int) -> Response:
    vote = vote_kept(vote_id)
    try:
        flash(_("已提醒 %(count)d 位还没有投票的人。", count=reminding.remind(vote)), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".vote_turnout", vote_id=vote.id)
