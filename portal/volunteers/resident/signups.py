"""Resident pages: joining a post alone or with the family, my shifts, one signup and what may be done with it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import ids, tokens, web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.db import reading
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.places import service as places
from portal.volunteers.forms.signups import AbsentForm, JoinForm, LeaveForm, PlainForm
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import (
    fitness,
    inviting,
    joining,
    leaving,
    lines,
    pair_asking,
    pairs,
    people,
    signup_words,
    signups,
    swapping,
)

USE = Permission.VOLUNTEERS_USE
bp.add_app_template_filter(signup_words.signup_said, "signup_said")
bp.add_app_template_filter(signup_words.signup_tint, "signup_tint")
bp.add_app_template_filter(signup_words.came_words, "signup_came")
bp.add_app_template_filter(signup_words.span, "signup_span")
bp.add_app_template_filter(signup_words.span_said, "signup_when")
bp.add_app_template_filter(signup_words.moment_said, "signup_moment")
bp.add_app_template_filter(signup_words.last_day, "signup_last_day")
bp.add_app_template_filter(signup_words.length, "minutes_said")


@bp.route("/mine")
@requires(USE)
def my_shifts() -> Response:
    page = min(max(web.number_asked("page", 1), 1), 1000)
    me, whom = signups.circle(current_actor())
    return web.page(
        "volunteers/resident/my_shifts.html",
        whom=whom,
        found=signups.mine(whom, page=page),
        waits=lines.waits_of(whom),
        invitations=inviting.open_of(whom),
        together=pair_asking.open_of(whom) if whom and page == 1 else [],
        asked=swapping.open_for(me) if me else [],
        page=page,
        at=now(),
    )


@bp.route("/posts/<int:post_id>/join", methods=["GET", "POST"])
@requires(USE)
def signup_join(post_id: int) -> Response:
    with reading():
        post, me, others = _asked(post_id)
    form = JoinForm.of(me, others)
    if form.validate_on_submit():
        try:
            return web.go(".signup", public_id=_join(post, me, others, form))
        except Refused as refused:
            others = signups.companions(current_actor(), me)
            form = JoinForm.of(me, others)
            form.refuse(refused)
    return _post_page(post, me, others, form)


@bp.route("/posts/<int:post_id>/wait", methods=["POST"])
@requires(USE)
def line_join(post_id: int) -> Response:
    with reading():
        post, me, others = _asked(post_id, waits=True)
    form = JoinForm.of(me, others)
    if form.carries_out(lambda: _wait(post, people.me(current_actor()), others)):
        return web.go(".my_shifts")
    return _post_page(post, me, others, form)


@bp.route("/signups/<public_id>")
@requires(USE)
def signup(public_id: str) -> Response:
    whom, at = signups.whom(current_actor()), now()
    found = signups.signup_for(whom, public_id)
    return web.page(
        "volunteers/resident/signup.html",
        signup=found,
        at=at,
        mine=bool(whom) and found.volunteer_id == whom[0].id,
        beside=signups.beside(found),
        may=_allowed(found),
        deadline=leaving.deadline(found),
        swap=next((one for one in swapping.asked_by(found.volunteer) if one.signup_id == found.id), None),
    )


@bp.route("/signups/<public_id>/leave", methods=["GET", "POST"])
@requires(USE)
def signup_leave(public_id: str) -> Response:
    found, form = _mine(public_id), LeaveForm()
    if form.carries_out(lambda: leaving.leave(found, by=current_actor(), reason=form.text("reason"))):
        flash(_("已退出，名额会让给候补的人。"), "ok")
        return web.go(".signup", public_id=public_id)
    facts: dict[str, Any] = {"signup": found, "open": leaving.may_leave(found, now())}
    return web.page("volunteers/resident/signup_leave.html", status=form.status, form=form, **facts)


@bp.route("/signups/<public_id>/absent", methods=["GET", "POST"])
@requires(USE)
def signup_absent(public_id: str) -> Response:
    found, form = _mine(public_id), AbsentForm()
    if form.carries_out(lambda: leaving.ask_to_leave(found, by=current_actor(), reason=form.text("reason"))):
        flash(_("已告诉领队和社区，答复后会通知您。请留意消息。"), "ok")
        return web.go(".signup", public_id=public_id)
    facts: dict[str, Any] = {"signup": found, "open": leaving.may_ask_to_leave(found, now())}
    return web.page("volunteers/resident/signup_absent.html", status=form.status, form=form, **facts)


@bp.route("/signups/<public_id>/stay", methods=["POST"])
@requires(USE)
def signup_stay(public_id: str) -> Response:
    found = _mine(public_id)
    can = not found.can_stay
    words = _("谢谢您。下一班缺人时，领队会和您说。") if can else _("好的，做完这一班就可以回家。")
    return answer(lambda: leaving.say_can_stay(found, can=can), words, ".signup", public_id=public_id)


def answer(act: Callable[[], object], words: str, endpoint: str, **values: Any) -> Response:
    """An act of one button; what is refused is said on the page it came from."""
    form = PlainForm()
    try:
        if form.validate_on_submit():
            act()
            flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(endpoint, **values)


def _mine(public_id: str) -> Signup:
    return signups.signup_for(signups.whom(current_actor()), public_id)


def _allowed(found: Signup) -> dict[str, bool]:
    """What may be done with a signup at this moment."""
    at = now()
    return {
        "leave": leaving.may_leave(found, at),
        "absent": leaving.may_ask_to_leave(found, at) and not found.leave_asked_at,
        "swap": swapping.may_swap(found, at),
        "stay": leaving.may_say_stay(found, at),
    }


def _asked(post_id: int, *, waits: bool = False) -> tuple[Post, Volunteer | None, list[Volunteer]]:
    """The post, who asks, and who may come with her, who need not be looked for where she joins alone."""
    me = signups.me_or_none(current_actor())
    alone = me is not None and not waits and _says_alone()
    return signups.post(post_id), me, [] if alone else signups.companions(current_actor(), me)


def _says_alone() -> bool:
    """Whether a form to join is filled in and names her alone: the only one on the page, or ticked on it."""
    said = request.form
    return "agree" in said and "others" not in said and ("me" in said or "family" not in said)


def _join(post: Post, me: Volunteer | None, others: Sequence[Volunteer], form: JoinForm) -> str:
    """The public id of the first signup that this form makes, or made when it was sent before."""
    actor, key, body = current_actor(), form.text("idem"), f"{post.id} {form.body()}"
    tokens.throttle_done("volunteers.join", actor.public_id, limit=20, per=timedelta(minutes=1))
    chosen, public_id = form.chosen(me, others), ids.new_public_id()
    earlier = tokens.first_request(actor.public_id, "volunteers.join", key, body, public_id)
    if earlier:
        return earlier
    facts: dict[str, Any] = {"by": actor, "state": lines.entry_state(post), "agreed_at": now(), "public_id": public_id}
    if len(chosen) == 1:
        joining.put_on(post, chosen[0], way=Way.SELF if chosen[0] is me else Way.FAMILY, last=True, **facts)
    else:
        joining.put_on_all(post, chosen, way=Way.FAMILY, **facts)
    asks = facts["state"] == SignupState.REQUESTED
    flash(_joined_words(chosen, asks=asks), "ok")
    return public_id


def _joined_words(chosen: Sequence[Volunteer], *, asks: bool) -> str:
    """The page after it is of one of them: whoever joined with her is named."""
    if len(chosen) == 1:
        return _("申请已提交，等社区确认。") if asks else _("报上名了，到时候见。")
    names = _("、").join(one.person.name for one in chosen)
    if asks:
        return _("已为%(names)s一起提交申请，等社区确认。", names=names)
    return _("%(names)s一起报上名了，到时候见。", names=names)


def _wait(post: Post, me: Volunteer, others: Sequence[Volunteer]) -> None:
    """Alone, or with the one of her family without whom she does not come."""
    tokens.throttle_done("volunteers.join", current_actor().public_id, limit=20, per=timedelta(minutes=1))
    partner = _partner(pairs.others_of(me), others)
    if partner is not None:
        pair_asking.wait_for_both(post, me, partner, by=current_actor())
        flash(_("两个人一起排上了。空出两个名额时一起递补，并通知两位。"), "ok")
        return
    lines.join_line(post, me, by=current_actor())
    flash(_("排上了。有人退出时按次序递补，并通知您。"), "ok")


def _partner(known: list[tuple[Volunteer, bool]], others: Sequence[Volunteer]) -> Volunteer | None:
    """The one of her family with whom, and with nobody else, she always comes."""
    always = [one for one, always in known if always]
    return always[0] if len(always) == 1 and always[0] in others else None


def _post_page(post: Post, me: Volunteer | None, others: Sequence[Volunteer], form: JoinForm) -> Response:
    everybody, at = [*([me] if me else []), *others], now()
    words = fitness.verdicts_of([post], everybody, at, together=everybody)
    known = pairs.others_of(me) if me else []
    several = sum(always for _one, always in known) > 1
    return web.page(
        "volunteers/resident/signup_join.html",
        status=form.status,
        post=post,
        me=me,
        others=others,
        form=form,
        mine=signups.standing(me, post) if me and words[post.id, me.id].code == "joined" else None,
        verdict=words[post.id, me.id] if me else fitness.verdicts([post], None, at)[post.id],
        words={one.public_id: words[post.id, one.id] for one in everybody},
        partners=[] if several else [one for one, _always in known if one not in others],
        pair=_partner(known, others),
        waiting=places.waiting_count(post.capacity_id),
    )
