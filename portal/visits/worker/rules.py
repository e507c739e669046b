"""Worker pages: the street's tables of care visits."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.visits.forms.people import EndForm
from portal.visits.forms.rules import FrequencyForm, LadderForm, RouteForm, RuleForm
from portal.visits.models import FindingKind, Frequency, Level, StepKind
from portal.visits.service import tables
from portal.visits.worker.blueprint import bp


@bp.route("/rules")
@requires(Permission.VISITS_RULES)
def rules() -> Response:
    within = scopes(Permission.VISITS_RULES)
    names = {area.code: area.name for area in tables.places(within)}
    return web.page("visits/worker/rules.html", tables=tables.tables(within), names=names, today=today())


@bp.route("/rules/seed", methods=["POST"])
@requires(Permission.VISITS_RULES)
def rules_seed() -> Response:
    """The defaults of the national document, for a street that has set nothing yet."""
    streets = [scope.ref for scope in scopes(Permission.VISITS_RULES) if scope.kind == "street"]
    count = sum(tables.seed(code, by=current_actor().name) for code in streets)
    flash(_("按国家文件填好了 %(count)d 条，可以逐条改。", count=count), "ok")
    return web.go(".rules")


@bp.route("/rules/new", methods=["GET", "POST"])
@requires(Permission.VISITS_RULES)
def rule_new() -> Response:
    within = scopes(Permission.VISITS_RULES)
    form = RuleForm(tables.places(within))
    if form.validate_on_submit():
        try:
            tables.add_rule(form.facts(), within=within, by=current_actor().name)
            flash(_("规则加上了，探访名单今晚更新；也可以在探访率页面马上更新。"), "ok")
            return web.go(".rules")
        except Refused as refused:
            form.refuse(Refused(refused.message, field=form.refused_field(refused.field)))
    return web.page("visits/worker/rule_new.html", form=form, status=form.status)


@bp.route("/rules/<int:rule_id>/end", methods=["GET", "POST"])
@requires(Permission.VISITS_RULES)
def rule_end(rule_id: int) -> Response:
    rule, form = tables.rule_in(scopes(Permission.VISITS_RULES), rule_id), EndForm()
    if form.validate_on_submit() and form.last_day.data:
        try:
            tables.end_rule(rule, form.last_day.data)
            flash(_("「%(name)s」有效到 %(day)s 为止。", name=rule.name, day=web.full_day(form.last_day.data)), "ok")
            return web.go(".rules")
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/rule_end.html", rule=rule, form=form, status=form.status)


@bp.route("/rules/frequency", methods=["GET", "POST"])
@requires(Permission.VISITS_RULES)
def rule_frequency() -> Response:
    within = scopes(Permission.VISITS_RULES)
    form = FrequencyForm(tables.places(within))
    if form.validate_on_submit():
        try:
            level, frequency, day = (
                Level(form.level.data),
                Frequency(form.frequency.data),
                form.valid_from.data or today(),
            )
            tables.set_frequency(form.area.data, level, frequency, day, within=within, by=current_actor().name)
            return _set()
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/rule_frequency.html", form=form, status=form.status)


def _set() -> Response:
    flash(_("设好了。"), "ok")
    return web.go(".rules")


@bp.route("/rules/ladder", methods=["GET", "POST"])
@requires(Permission.VISITS_RULES)
def rule_ladder() -> Response:
    within = scopes(Permission.VISITS_RULES)
    form = LadderForm(tables.places(within))
    if form.validate_on_submit():
        try:
            kind, minutes, day = StepKind(form.kind.data), form.minutes.data or 1, form.valid_from.data or today()
            tables.set_rung(form.area.data, kind, minutes, day, within=within, by=current_actor().name)
            return _set()
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/rule_ladder.html", form=form, status=form.status)


@bp.route("/rules/route", methods=["GET", "POST"])
@requires(Permission.VISITS_RULES)
def rule_route() -> Response:
    within = scopes(Permission.VISITS_RULES)
    form = RouteForm(tables.places(within))
    if form.validate_on_submit():
        try:
            kind, day = FindingKind(form.kind.data), form.valid_from.data or today()
            party, days = form.text("party"), form.days.data or 0
            tables.set_route(form.area.data, kind, party, days, day, within=within, by=current_actor().name)
            return _set()
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/rule_route.html", form=form, status=form.status)
