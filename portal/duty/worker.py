"""The duty pages of the desk: the week, who answers now, swaps; for who plans, shifts and required hours."""

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import local, now, today
from portal.core.errors import Missing, Refused
from portal.duty.forms import CoverForm, DayRuleForm, FallbackForm, PhoneForm, ShiftForm, SwapForm
from portal.duty.models import Shift, Swap
from portal.duty.service import answering, board, cover, dayrules, people, rota, swaps, words
from portal.identity.permissions import Permission
from portal.registry.service.resources import hours

bp = Blueprint("worker", __name__)
bp.add_app_template_filter(words.word, "duty_word")
bp.add_app_template_filter(words.shift_words, "shift_words")
bp.add_app_template_filter(words.told, "shifts_told")
bp.add_app_template_filter(words.day_rule_words, "day_rule_words")


@bp.app_template_filter("shift_span")
def shift_span(shift: Shift) -> str:
    return words.span(shift.starts_at, shift.ends_at)


@bp.app_template_filter("local_day")
def local_day(moment: datetime) -> str:
    return local(moment).date().isoformat()


@bp.app_template_filter("gap_end")
def gap_end(ends: datetime, starts: datetime) -> str:
    """When a gap ends: the time of the same day, or day and time."""
    same = local(ends).date() == local(starts).date()
    return f"{local(ends):%H:%M}" if same else web.moment_words(ends)


@bp.app_template_filter("gap_times")
def gap_times(gap: cover.Gap) -> dict[str, str]:
    """The day and the hours of the shift that would fill a gap, or its first day of it."""
    starts, ends = local(gap.starts), local(min(gap.ends, gap.starts + rota.LONGEST))
    return {"day": starts.date().isoformat(), "opens": f"{starts:%H:%M}", "closes": f"{ends:%H:%M}"}


def _asked_week() -> date:
    try:
        asked = date.fromisoformat(request.args.get("week") or request.form.get("week", ""))
    except ValueError:
        asked = today()
    if abs(asked - today()) > timedelta(days=3660):
        raise Missing
    return rota.monday_of(asked)


def _asked_code() -> str:
    return request.args.get("community") or request.form.get("community", "")


def _managed() -> Area:
    return people.community_in(scopes(Permission.DUTY_MANAGE), _asked_code())


@bp.route("/")
@requires(Permission.DESK)
def index() -> Response:
    reached = people.communities(people.reach(current_actor()))
    if not reached:
        return web.page("duty/worker/index.html", board=None)
    shown = board.board(people.one_of(reached, _asked_code()), _asked_week())
    facts: dict[str, Any] = {
        "communities": reached,
        "manages": _manages(shown.community),
        "today": today(),
        "step": rota.WEEK,
    }
    me, asked = current_actor().account_id, swaps.asked_of(current_actor())
    return web.page("duty/worker/index.html", board=shown, me=me, asked=asked, moment=now(), **facts)


def _manages(community: Area) -> bool:
    """Whether the reader plans this community's rota: her scope on it is the one she sees it by."""
    held = scopes(Permission.DUTY_MANAGE)
    return bool(held) and community in people.communities(held)


@bp.route("/now")
@requires(Permission.DESK)
def now_answering() -> Response:
    """Who answers now in every community of the reader: a page, or the panel of another page."""
    reached = people.communities(people.reach(current_actor()))
    answers = answering.by_community(reached, now())
    return web.page("duty/worker/now_answering.html", found=[(one, answers[one.id]) for one in reached])


@bp.route("/print")
@requires(Permission.DESK)
def print_week() -> Response:
    reached = people.communities(people.reach(current_actor()))
    shown = board.board(people.one_of(reached, _asked_code()), _asked_week())
    return web.page("duty/worker/print_week.html", board=shown, printed_at=now())


@bp.route("/shifts/new", methods=["GET", "POST"])
@requires(Permission.DUTY_MANAGE)
def shift_new() -> Response:
    community = _managed()
    form = ShiftForm(desk=people.desk_of(community), **_prefill())
    if form.validate_on_submit():
        try:
            shift = rota.add_shift(community, form.facts(people.chosen(community, form.people.data or [])))
            _say_staffed(shift, _("班次已排上。"))
            return _back(community, shift)
        except Refused as refused:
            form.refuse(refused)
    return web.page("duty/worker/shift_new.html", form=form, community=community, shift=None, status=form.status)


def _say_staffed(shift: Shift, words: str) -> None:
    """A shift is saved; one with nobody in it covers nothing yet."""
    flash(
        words if shift.turns else _("班次保存了，但还没有人，这段时间仍算没人值班。请尽快选人。"),
        "ok" if shift.turns else "warn",
    )


def _prefill() -> dict[str, Any]:
    """The day that a gap or a cell of the grid names, and the hours of a gap."""
    try:
        found: dict[str, Any] = {"day": date.fromisoformat(request.args.get("day", ""))}
    except ValueError:
        return {"data": {"day": today()}}
    for name in ("opens", "closes"):
        with suppress(ValueError):
            found[name] = time.fromisoformat(request.args.get(name, ""))
    return {"data": found}


def _back(community: Area, shift: Shift) -> Response:
    week = rota.monday_of(local(shift.starts_at).date()).isoformat()
    return web.go(".index", community=community.code, week=week)


@bp.route("/shifts/<int:shift_id>", methods=["GET", "POST"])
@requires(Permission.DUTY_MANAGE)
def shift(shift_id: int) -> Response:
    found = rota.shift_in(scopes(Permission.DUTY_MANAGE), shift_id)
    community = found.community
    form = ShiftForm(desk=people.desk_of(community), shift=found)
    if form.validate_on_submit():
        try:
            rota.change_shift(found, form.facts(people.chosen(community, form.people.data or [])))
            _say_staffed(found, _("班次已保存。"))
            return _back(community, found)
        except Refused as refused:
            form.refuse(refused)
    return web.page("duty/worker/shift.html", form=form, community=community, shift=found, status=form.status)


@bp.route("/shifts/<int:shift_id>/drop", methods=["POST"])
@requires(Permission.DUTY_MANAGE)
def shift_drop(shift_id: int) -> Response:
    found = rota.shift_in(scopes(Permission.DUTY_MANAGE), shift_id)
    try:
        rota.drop_shift(found)
        flash(_("班次已取消。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return _back(found.community, found)


@bp.route("/copy-week", methods=["POST"])
@requires(Permission.DUTY_MANAGE)
def week_copy() -> Response:
    community, monday = _managed(), _asked_week()
    result = rota.copy_week(community, monday, people.desk_of(community))
    if result.made:
        flash(_("从上一周复制了 %(count)d 个班次。", count=result.made), "ok")
    if result.stood:
        flash(_("%(count)d 个班次已经有了或已过时间，没有再排。", count=result.stood), "info")
    if result.left_out:
        flash(_("这些人已离岗或另有班次，请补人：%(names)s。", names=_("、").join(result.left_out)), "warn")
    if not result.made and not result.stood:
        flash(_("上一周没有班次可以复制，请先排一周。"), "info")
    return web.go(".index", community=community.code, week=monday.isoformat())


@bp.route("/cover", methods=["GET", "POST"])
@requires(Permission.DUTY_MANAGE)
def cover_hours() -> Response:
    community = _managed()
    form = CoverForm(data={"hours": hours.said(cover.required(community))})
    if form.validate_on_submit():
        try:
            cover.set_required(community, form.text("hours"))
            flash(_("必须有人值班的时段已保存。"), "ok")
            return web.go(".index", community=community.code)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"community": community, "rules": dayrules.standing()}
    return web.page("duty/worker/cover_hours.html", form=form, status=form.status, today=today(), **facts)


@bp.route("/day-rules", methods=["GET", "POST"])
@requires(Permission.SETTINGS_EDIT)
def day_rules() -> Response:
    """Which hours must be covered on holidays: an administrator's, for all communities."""
    form = DayRuleForm(data={"valid_from": today()})
    if form.validate_on_submit():
        try:
            dayrules.set_rule(form.wanted(), by=current_actor().name)
            flash(_("已保存，%(day)s 起按新规定。", day=web.day_words(form.wanted().valid_from)), "ok")
            return web.go(".day_rules")
        except Refused as refused:
            form.refuse(refused)
    return web.page("duty/worker/day_rules.html", form=form, rules=dayrules.rules(), today=today(), status=form.status)


@bp.route("/day-rules/<int:rule_id>/undo", methods=["POST"])
@requires(Permission.SETTINGS_EDIT)
def day_rule_undo(rule_id: int) -> Response:
    try:
        rule = dayrules.take_back(rule_id, by=current_actor().name)
        flash(_("已撤销，从今天起不再按“%(plan)s”。", plan=words.day_rule_words(rule)), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".day_rules")


@bp.route("/fallback", methods=["GET", "POST"])
@requires(Permission.DUTY_MANAGE)
def fallback() -> Response:
    community = _managed()
    desk, standing = people.desk_of(community), cover.fallback_of(community)
    data = {"person": standing.account.public_id, "phone": standing.phone} if standing else {}
    form = FallbackForm(data=data)
    form.person.choices = [(account.public_id, account.name) for account in desk]
    if form.validate_on_submit():
        account = people.chosen(community, [form.person.data])[0]
        cover.set_fallback(community, account, form.text("phone"))
        flash(_("兜底值班人已保存。"), "ok")
        return web.go(".index", community=community.code)
    return web.page("duty/worker/fallback.html", form=form, community=community, status=form.status)


@bp.route("/phones")
@requires(Permission.DUTY_MANAGE)
def phones() -> Response:
    community = _managed()
    desk = people.desk_of(community)
    return web.page("duty/worker/phones.html", community=community, desk=desk, phones=people.phones(desk))


@bp.route("/phones/<public_id>", methods=["GET", "POST"])
@requires(Permission.DUTY_MANAGE)
def phone(public_id: str) -> Response:
    community = _managed()
    account = next((one for one in people.desk_of(community) if one.public_id == public_id), None)
    if account is None:
        raise Missing
    form = PhoneForm(data={"phone": people.phones([account]).get(account.id, "")})
    if form.validate_on_submit():
        answering.set_phone(account, form.text("phone"))
        flash(_("%(name)s的值班电话已保存。", name=account.name), "ok")
        return web.go(".phones", community=community.code)
    return web.page("duty/worker/phone.html", form=form, community=community, account=account, status=form.status)


@bp.route("/swaps")
@requires(Permission.DESK)
def swaps_page() -> Response:
    managed = scopes(Permission.DUTY_MANAGE)
    facts: dict[str, Any] = {"mine": swaps.mine(current_actor()), "turns": swaps.turns_of([current_actor().account_id])}
    others = swaps.swaps_in(managed) if managed else []
    return web.page("duty/worker/swaps_page.html", others=others, me=current_actor().account_id, **facts)


@bp.route("/turns/<int:turn_id>/swap", methods=["GET", "POST"])
@requires(Permission.DESK)
def swap_ask(turn_id: int) -> Response:
    turn, form = swaps.turn_of(current_actor(), turn_id), SwapForm()
    form.offer(swaps.options(turn))
    if form.validate_on_submit():
        try:
            swaps.ask(turn, by=current_actor(), **form.said())
            flash(_("已经问了对方，对方同意后就换好。"), "ok")
            return web.go(".swaps_page")
        except Refused as refused:
            form.refuse(refused)
    return web.page("duty/worker/swap_ask.html", form=form, turn=turn, status=form.status)


def _swap(swap_id: int) -> Swap:
    return swaps.swap_of(current_actor(), swap_id)


@bp.route("/swaps/<int:swap_id>/agree", methods=["POST"])
@requires(Permission.DESK)
def swap_agree(swap_id: int) -> Response:
    swap = _swap(swap_id)
    try:
        tired = swaps.agree(swap, current_actor())
        flash(_("换好了。"), "ok")
        if tired:
            flash(swaps.tired_words(tired), "warn")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".swaps_page")


@bp.route("/swaps/<int:swap_id>/decline", methods=["POST"])
@requires(Permission.DESK)
def swap_decline(swap_id: int) -> Response:
    swap = _swap(swap_id)
    try:
        swaps.decline(swap, current_actor())
        flash(_("已告诉对方不换。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".swaps_page")


@bp.route("/swaps/<int:swap_id>/withdraw", methods=["POST"])
@requires(Permission.DESK)
def swap_withdraw(swap_id: int) -> Response:
    swap = _swap(swap_id)
    try:
        swaps.withdraw(swap, current_actor())
        flash(_("已撤回。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".swaps_page")
