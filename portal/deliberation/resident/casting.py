"""Resident pages of votes: read the question, vote in three taps, the receipt and its check, the result and its file.

The receipt and the choice are never part of an address: no log of addresses holds them.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from portal.core import tokens, web
from portal.core.access import Actor, actor_or_none, current_actor, public, requires
from portal.core.clock import now
from portal.core.db import reading
from portal.core.errors import Missing, Refused
from portal.core.forms import status_of
from portal.deliberation import recount
from portal.deliberation.forms.casting import BallotForm, OwnPasswordForm, ReceiptForm
from portal.deliberation.models.codes import Channel
from portal.deliberation.models.votes import Vote
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import (
    casting,
    counting,
    elections,
    own_votes,
    proxies,
    reach,
    rule_words,
    sureness,
    vote_words,
    votes,
)
from portal.deliberation.service.own_votes import Own
from portal.identity import credentials
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

USE = Permission.DELIBERATION_USE
RECOUNT = Path(recount.__file__)
bp.add_app_template_filter(vote_words.vote_said, "vote_said")
bp.add_app_template_filter(vote_words.vote_tint, "vote_tint")
bp.add_app_template_filter(vote_words.kind_words, "vote_kind")
bp.add_app_template_filter(vote_words.time_words, "vote_times")
bp.add_app_template_filter(casting.shown, "receipt_shown")
bp.add_app_template_filter(vote_words.option_words, "vote_option")


@bp.route("/votes/<int:vote_id>")
@public
def vote_page(vote_id: int) -> Response:
    actor, at, vote = actor_or_none(), now(), votes.shown(vote_id)
    me = reach.person_of(actor)
    lines = own_votes.own(vote, me, at)
    open_now = [line for line in lines if line.open]
    asks = bool(open_now) and sureness.asks_password(current_actor(), at)
    line = open_now[0] if len(open_now) == 1 and not open_now[0].channel and not asks else None
    form = BallotForm.of(vote, line) if line else None
    facts: dict[str, Any] = {"lines": lines, "line": line, "form": form, "asks_password": asks, "me": me}
    facts |= {"why_not": own_votes.why_not(vote, lines, at) if me else "", "takes": vote.takes_votes(at)}
    facts["proxies"] = proxies.unused(vote, me) if me and vote.is_named and facts["takes"] else []
    return web.page("deliberation/resident/vote_page.html", vote=vote, **facts, **_standing(vote))


def _standing(vote: Vote) -> dict[str, Any]:
    """What everybody reads of a vote: its rule, how many have voted, and after counting what it came to."""
    said = [rule_words.quorum_words(vote.rule), rule_words.passes_words(vote.rule)] if vote.rule else []
    facts: dict[str, Any] = {"rule": said, "election": vote.body in elections.ELECTIONS}
    return facts | {"figures": votes.figures(vote), "result": counting.result_of(vote)}


@bp.route("/votes/<int:vote_id>/cast", methods=["GET", "POST"])
@requires(USE)
def vote_cast(vote_id: int) -> Response:
    actor, at = current_actor(), now()
    with reading():
        if sureness.asks_password(actor, at):
            return web.go(".vote_password", vote_id=vote_id)
        vote, me, line = _asked(vote_id, actor, at)
        form = BallotForm.of(vote, line)
        facts: dict[str, Any] = {"vote": vote, "line": line, "form": form, "slip": casting.new_slip()}
        if not form.validate_on_submit():
            return web.page("deliberation/resident/vote_cast.html", status=form.status, **facts)
        if not form.sure.data:
            return web.page("deliberation/resident/vote_sure.html", chosen=_chosen(form, vote), **facts)
        receipt = _receipt_page(vote, line, form)
    return _cast(vote, me, line, form, receipt)


def _asked(vote_id: int, actor: Actor, at: datetime) -> tuple[Vote, Person, Own]:
    """The vote, who asks, and the line of the roll she asks for; Missing for a line that is not hers."""
    vote, me = own_votes.ballot_of(vote_id), reach.person_of(actor) or people.person_of(actor)
    number = web.number_asked("entry", said=request.form if request.method == "POST" else request.args)
    return vote, me, own_votes.chosen(own_votes.own(vote, me, at), number)


def _chosen(form: BallotForm, vote: Vote) -> str:
    return vote_words.option_words(vote, form.choice.data)


def _receipt_page(vote: Vote, line: Own, form: BallotForm) -> Response:
    """Made before the vote is cast, for the receipt follows from the form: no page is drawn while others wait."""
    code = casting.receipt_for(vote, form.text("slip"))
    changes = line.ballot is not None and line.ballot.receipt != code
    return web.page("deliberation/resident/vote_done.html", vote=vote, line=line, code=code, changes=changes)


def _cast(vote: Vote, me: Person, line: Own, form: BallotForm, receipt: Response) -> Response:
    actor, slip = current_actor(), form.text("slip")
    said: dict[str, Any] = {"slip": slip, "channel": Channel.PHONE, "by": actor, "seen": form.version_seen}
    try:
        casting.cast(vote, line.entry, me, form.choice.data, **said)
        return receipt
    except Refused as refused:
        # Only what is refused is counted: a vote that counts is one transaction.
        tokens.throttle("deliberation.vote", actor.public_id, limit=5, per=timedelta(minutes=1))
        form.refuse(refused)
        again = own_votes.chosen(own_votes.own(vote, me, now()), line.number)
        facts: dict[str, Any] = {"vote": vote, "line": again, "form": form, "slip": casting.new_slip()}
        return web.page("deliberation/resident/vote_cast.html", status=status_of(refused), refused=True, **facts)


@bp.route("/votes/<int:vote_id>/password", methods=["GET", "POST"])
@requires(USE)
def vote_password(vote_id: int) -> Response:
    """On a new device, or long after signing in: the password again."""
    vote, form = votes.shown(vote_id), OwnPasswordForm()
    if form.carries_out(lambda: credentials.confirm(current_actor(), form.text("password"))):
        return web.go(".vote_page", vote_id=vote_id)
    return web.page("deliberation/resident/vote_password.html", vote=vote, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/receipt", methods=["GET", "POST"])
@public
def vote_receipt(vote_id: int) -> Response:
    """Whether a ballot is in the box, by its receipt; after counting, what stands beside it in the file."""
    with reading():
        vote, form = votes.shown(vote_id), ReceiptForm()
        asked = form.validate_on_submit()
        found = own_votes.look_up(vote, form.text("receipt")) if asked else None
        facts: dict[str, Any] = {"found": found, "asked": asked, "status": form.status}
        facts["option"] = vote_words.option_words(vote, found.choice) if found and found.number else ""
        return web.page("deliberation/resident/vote_receipt.html", vote=vote, form=form, **facts)


@bp.route("/votes/<int:vote_id>/file")
@public
def vote_file(vote_id: int) -> Response:
    file = counting.file_of(votes.shown(vote_id))
    if file is None:
        raise Missing
    name = _("投票文件-%(number)d.txt", number=vote_id)
    return web.download(file.content.encode(), name, "text/plain")


@bp.route("/votes/recount.py")
@public
def vote_recount() -> Response:
    """The command that recounts, as one file to be run anywhere."""
    return web.download(RECOUNT.read_bytes(), "recount.py", "text/x-python")
