"""Worker pages: the subsidy rules of a street, and a box to try them out."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import AreaKind
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.web import full_day, go, page
from portal.identity.permissions import Permission
from portal.meals.forms.rules import EndForm, RuleForm, rule_form, trial_form
from portal.meals.models import SubsidyRule
from portal.meals.service import entitlements
from portal.meals.service import rules as keeping
from portal.meals.worker.blueprint import bp


@bp.app_template_filter("short_yuan")
def short_yuan(fen: int) -> str:
    return entitlements.short(fen)


@bp.route("/rules")
@requires(Permission.MEALS_RULES)
def rules() -> Response:
    within = scopes(Permission.MEALS_RULES)
    communities = [area for area in keeping.places(within) if area.kind is AreaKind.COMMUNITY]
    form = trial_form(communities, request.args)
    tried = keeping.try_out(form.trial()) if "age" in request.args and form.validate() else None
    return page(
        "meals/worker/rules.html",
        schemes=keeping.schemes_in(within),
        keeps=lambda rule: keeping.may_keep(within, rule.area_code),
        names={area.code: area.name for area in keeping.places(within)},
        form=form,
        tried=tried,
        today=today(),
        status=form.status,
    )


@bp.route("/rules/new", methods=["GET", "POST"])
@requires(Permission.MEALS_RULES)
def rule_new() -> Response:
    within = scopes(Permission.MEALS_RULES)
    form = rule_form(keeping.places(within))
    if form.validate_on_submit() and _kept(form, None):
        return go(".rules")
    return page("meals/worker/rule_new.html", form=form, rule=None, used=False, status=form.status)


@bp.route("/rules/<int:rule_id>", methods=["GET", "POST"])
@requires(Permission.MEALS_RULES)
def rule_edit(rule_id: int) -> Response:
    within = scopes(Permission.MEALS_RULES)
    rule = keeping.rule_in(within, rule_id)
    form = rule_form(keeping.places(within), rule)
    if form.validate_on_submit() and _kept(form, rule):
        return go(".rules")
    return page("meals/worker/rule_edit.html", form=form, rule=rule, used=keeping.is_used(rule), status=form.status)


@bp.route("/rules/<int:rule_id>/end", methods=["GET", "POST"])
@requires(Permission.MEALS_RULES)
def rule_end(rule_id: int) -> Response:
    rule, form = keeping.rule_in(scopes(Permission.MEALS_RULES), rule_id), EndForm()
    if form.validate_on_submit() and form.last_day.data:
        try:
            keeping.end_rule(rule, form.last_day.data)
            flash(_("「%(name)s」有效到 %(day)s 为止。", name=rule.name, day=full_day(form.last_day.data)), "ok")
            return go(".rules")
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/rule_end.html", rule=rule, form=form, status=form.status)


def _kept(form: RuleForm, rule: SubsidyRule | None) -> bool:
    """Write the rule, or put the refusal beside its field."""
    within, by = scopes(Permission.MEALS_RULES), current_actor().name
    try:
        if rule is None:
            keeping.add_rule(form.facts(), within=within, by=by)
            flash(_("规则已加上。"), "ok")
        else:
            after = keeping.edit_rule(rule, form.facts(), within=within, by=by)
            flash(_("规则已改好。") if after is rule else _("原规则到前一天为止，新规则已接上。"), "ok")
    except Refused as refused:
        form.refuse(Refused(refused.message, field=form.refused_field(refused.field)))
        return False
    return True
