"""Worker pages of points: who has how many, a person's ledger, adjusting with a second look, the rules."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.identity.permissions import Permission
from portal.points.service import ledger, rules
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.forms.points import AdjustForm, EndRuleForm, RuleForm
from portal.volunteers.worker.blueprint import bp

KEEP, RULES = Permission.VOLUNTEERS_KEEP, Permission.VOLUNTEERS_RULES


@bp.route("/points")
@requires(KEEP)
def points_people() -> Response:
    words = request.args.get("q", "").strip()[:20]
    return web.page("volunteers/worker/points_people.html", purses=ledger.purses(scopes(KEEP), words), words=words)


@bp.route("/points/people/<public_id>")
@requires(KEEP)
def points_person(public_id: str) -> Response:
    person = register.person_in(scopes(KEEP), public_id)
    facts: dict[str, Any] = {"standing": ledger.balance(person), "entries": ledger.entries(person)}
    return web.page("volunteers/worker/points_person.html", person=person, **facts)


@bp.route("/points/people/<public_id>/adjust", methods=["GET", "POST"])
@requires(KEEP)
def points_adjust(public_id: str) -> Response:
    """Twice: what was typed is shown with what it leads to, and entered when the same is sent again."""
    person, form = register.person_in(scopes(KEEP), public_id), AdjustForm()
    standing, second = ledger.balance(person), False
    if form.validate_on_submit() and not form.is_confirmed():
        form.seen.data, second = form.mark, True
    elif form.carries_out(lambda: _adjust(person, form)):
        flash(_("已调整，本人会收到通知。"), "ok")
        return web.go(".points_person", public_id=public_id)
    facts: dict[str, Any] = {"person": person, "standing": standing, "second": second}
    return web.page("volunteers/worker/points_adjust.html", form=form, status=form.status, **facts)


def _adjust(person: Person, form: AdjustForm) -> None:
    key = f"adjust:{form.text('idem')[:40]}:{form.signed}"
    ledger.adjust_told(person, form.signed, key=key, reason=form.text("reason"), by=current_actor())


@bp.route("/points/rules")
@requires(RULES)
def points_rules() -> Response:
    facts: dict[str, Any] = {"default": rules.DEFAULT_PER_HOUR, "months": rules.DEFAULT_MONTHS, "today": today()}
    return web.page("volunteers/worker/points_rules.html", rules=rules.rules(), **facts)


@bp.route("/points/rules/new", methods=["GET", "POST"])
@requires(RULES)
def points_rule_new() -> Response:
    form = RuleForm.new()
    if form.carries_out(lambda: rules.add_rule(form.facts(), by=current_actor())):
        flash(_("已保存，从生效那天的服务开始按新规则计分。"), "ok")
        return web.go(".points_rules")
    return web.page("volunteers/worker/points_rule_new.html", form=form, status=form.status)


@bp.route("/points/rules/<int:rule_id>/end", methods=["GET", "POST"])
@requires(RULES)
def points_rule_end(rule_id: int) -> Response:
    rule = rules.rule(rule_id)
    form = EndRuleForm.of(rule)
    if form.carries_out(lambda: _ended(rule_id, form)):
        flash(_("已停用。"), "ok")
        return web.go(".points_rules")
    return web.page("volunteers/worker/points_rule_end.html", rule=rule, form=form, status=form.status)


def _ended(rule_id: int, form: EndRuleForm) -> None:
    last_day = form.last_day.data or today()
    rules.end_rule(rules.rule(rule_id), last_day, reason=form.text("reason"), by=current_actor())
