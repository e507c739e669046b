"""A resident's own requests: the list, the timeline of one, and what she may do with it."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.casework.forms.resident import AddForm, AnswerForm, WhyForm
from portal.casework.models.cases import Case
from portal.casework.models.codes import CallBackWay, CaseState, PhotoStage, Side
from portal.casework.resident.blueprint import bp
from portal.casework.resident.reporting import picture_response
from portal.casework.service import asking, calling_back, following, moves, photos, reporting, seen, words
from portal.casework.service.moves import Mover
from portal.core import web
from portal.core.access import current_actor, public, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.service import people

for _name in ("case_word", "case_tint", "step_word", "told_due", "no_due", "place_words", "public_place"):
    bp.add_app_template_filter(getattr(words, _name), _name)


@bp.route("/")
@requires(Permission.CASES_REPORT)
def index() -> Response:
    page = min(max(web.number_asked("page", 1), 1), 1000)
    actor = current_actor()
    me = people.person_of_or_none(actor, lean=True)
    found = seen.mine(actor, me, page=page)
    facts: dict[str, Any] = {"drafts": seen.drafts(actor), "followed": seen.followed(me)}
    more = len(found) > seen.A_PAGE
    return web.page("casework/resident/index.html", found=found[: seen.A_PAGE], page=page, more=more, at=now(), **facts)


@bp.route("/<public_id>", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def case(public_id: str) -> Response:
    found, form = seen.case_of(current_actor(), public_id), AnswerForm()
    if form.carries_out(lambda: _answer(found, form, CallBackWay.PORTAL, moves.resident(current_actor()))):
        flash(_("记下了，会重新办理。") if found.is_open() else _("记下了，谢谢您。"), "ok")
        return web.go(".case", public_id=public_id)
    facts = {
        "answers": reporting.answers_of(found),
        "urge_on": asking.next_urge(found),
        "can_urge": asking.can_urge(found),
        "can_withdraw": asking.can_withdraw(found),
        "reopen_until": asking.reopen_until(found),
        "used_up": found.state is CaseState.CLOSED and asking.is_used_up(found),
        "may_ask": found.state is CaseState.CLOSED and not asking.waits_for_approval(found),
        "goes_on": seen.goes_on(current_actor(), found),
        "asks": calling_back.can_answer(found),
        "shots": {stage: [one for one in found.photos if one.stage is stage] for stage in PhotoStage},
    }
    return web.page("casework/resident/case.html", case=found, form=form, at=now(), status=form.status, **facts)


def _answer(found: Case, form: AnswerForm, way: CallBackWay, by: Mover) -> None:
    said = form.text("words").strip()
    solved, how = form.solved(), form.satisfaction()
    calling_back.record(found, solved=solved, satisfaction=how, way=way, by=by, words=said)


@bp.route("/reply/<token>", methods=["GET", "POST"])
@public
def reply(token: str) -> Response:
    found, form = calling_back.case_of_token(token), AnswerForm()
    by = Mover(Side.RESIDENT)
    if found and form.carries_out(lambda: _answer(found, form, CallBackWay.LINK, by)):
        return web.go(".replied")
    status = form.status if found else 410
    return web.page("casework/resident/reply.html", case=found, form=form, status=status)


@bp.route("/replied")
@public
def replied() -> Response:
    return web.page("casework/resident/replied.html")


@bp.route("/<public_id>/urge", methods=["POST"])
@requires(Permission.CASES_REPORT)
def urge(public_id: str) -> Response:
    found = seen.case_of(current_actor(), public_id)
    try:
        asking.urge(found, by=moves.resident(current_actor()))
        flash(_("已催办，办理人马上会看到。") if found.holder else _("已催办，派单人马上会看到。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".case", public_id=public_id)


@bp.route("/<public_id>/add", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def add(public_id: str) -> Response:
    form = AddForm()
    pictures = form.pictures() if form.is_submitted() else []
    found, by = seen.case_of(current_actor(), public_id), moves.resident(current_actor())
    said = form.text("words").strip()
    picture = pictures[0] if pictures else None
    if not form.errors and form.carries_out(lambda: asking.add(found, by=by, words=said, picture=picture)):
        flash(_("补充好了，办理人会看到。"), "ok")
        return web.go(".case", public_id=public_id)
    return web.page("casework/resident/add.html", case=found, form=form, status=form.status)


@bp.route("/<public_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def withdraw(public_id: str) -> Response:
    found, form = seen.case_of(current_actor(), public_id), WhyForm()
    by = moves.resident(current_actor())
    if form.carries_out(lambda: asking.withdraw(found, by=by, why=form.text("why"))):
        flash(_("已撤回。"), "ok")
        return web.go(".case", public_id=public_id)
    can = asking.can_withdraw(found)
    return web.page("casework/resident/withdraw.html", case=found, form=form, can=can, status=form.status)


@bp.route("/<public_id>/reopen", methods=["GET", "POST"])
@requires(Permission.CASES_REPORT)
def reopen(public_id: str) -> Response:
    found, form = seen.case_of(current_actor(), public_id), WhyForm()
    by, until = moves.resident(current_actor()), asking.reopen_until(found)
    act = asking.reopen if until else asking.ask_to_reopen
    if form.carries_out(lambda: act(found, by=by, why=form.text("why"))):
        flash(_("已请原来的办理人重新办理。") if until else _("已请社区批准，有结果会通知您。"), "ok")
        return web.go(".case", public_id=public_id)
    waits = asking.waits_for_approval(found)
    return web.page(
        "casework/resident/reopen.html", case=found, form=form, until=until, waits=waits, status=form.status
    )


@bp.route("/<public_id>/photos/<photo_id>")
@requires(Permission.CASES_REPORT)
def photo(public_id: str, photo_id: str) -> Response:
    return picture_response(photos.picture(seen.case_of(current_actor(), public_id), photo_id))


@bp.route("/<public_id>/followed")
@requires(Permission.CASES_REPORT)
def followed(public_id: str) -> Response:
    return web.page("casework/resident/followed.html", case=seen.followed_one(current_actor(), public_id), at=now())


@bp.route("/<public_id>/unfollow", methods=["POST"])
@requires(Permission.CASES_REPORT)
def unfollow(public_id: str) -> Response:
    following.unfollow(seen.followed_one(current_actor(), public_id), people.person_of(current_actor()))
    flash(_("不再关注。"), "ok")
    return web.go(".index")
