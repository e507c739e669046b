"""Worker pages: the rules by which bodies decide; the street confirms them, replaces them, adds a place's own."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.once import made_once
from portal.deliberation.forms.rules import ConfirmRuleForm, EndRuleForm, LocalRuleForm, RuleForm
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body
from portal.deliberation.service import rule_words, rules
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

RULES = Permission.DELIBERATION_RULES
for _name, _words in rule_words.WORDS.items():
    bp.add_app_template_filter(_words, _name)


@bp.route("/rules")
@requires(RULES)
def rule_list() -> Response:
    ended = request.args.get("ended") == "1"
    found = rules.rules(scopes(RULES), ended=ended)
    return web.page("deliberation/worker/rule_list.html", rules=found, ended=ended, today=today())


@bp.route("/rules/load", methods=["POST"])
@requires(RULES)
def rule_load() -> Response:
    count = rules.load_law_told()
    flash(_("装入了 %(count)d 条法律规则。", count=count) if count else _("法律规则都在了，不用再装。"), "ok")
    return web.go(".rule_list")


@bp.route("/rules/<int:rule_id>/confirm", methods=["GET", "POST"])
@requires(RULES)
def rule_confirm(rule_id: int) -> Response:
    rule, form = rules.rule_in(scopes(RULES), rule_id), ConfirmRuleForm()
    if form.carries_out(lambda: rules.confirm(rule, note=form.text("note"), by=current_actor())):
        flash(_("已核对。以后的表决可以直接用这一条。"), "ok")
        return web.go(".rule_list")
    return web.page("deliberation/worker/rule_confirm.html", rule=rule, form=form, status=form.status)


@bp.route("/rules/<int:rule_id>/replace", methods=["GET", "POST"])
@requires(RULES)
def rule_replace(rule_id: int) -> Response:
    rule = rules.rule_in(scopes(RULES), rule_id)
    form = RuleForm.of(rule)
    if form.carries_out(lambda: made_once("deliberation.rule", form, lambda: _replaced(rule, form))):
        flash(_("已保存。从生效那天起按新规则；已经生成名册的表决不变。"), "ok")
        return web.go(".rule_list")
    return web.page("deliberation/worker/rule_replace.html", rule=rule, form=form, status=form.status)


def _replaced(rule: BodyRule, form: RuleForm) -> BodyRule:
    return rules.replace(rule, form.facts(), valid_from=form.begins, by=current_actor())


@bp.route("/rules/new", methods=["GET", "POST"])
@requires(RULES)
def rule_new() -> Response:
    form = LocalRuleForm.among(rules.places(scopes(RULES)))
    if form.carries_out(lambda: made_once("deliberation.rule_local", form, lambda: _added(form))):
        flash(_("已保存。这里的会议从生效那天起按本地规则。"), "ok")
        return web.go(".rule_list")
    return web.page("deliberation/worker/rule_new.html", form=form, status=form.status)


def _added(form: LocalRuleForm) -> BodyRule:
    body, by = Body(form.text("body_kind")), current_actor()
    return rules.add_local(body, form.place(), form.facts(), valid_from=form.begins, by=by)


@bp.route("/rules/<int:rule_id>/end", methods=["GET", "POST"])
@requires(RULES)
def rule_end(rule_id: int) -> Response:
    rule, form = rules.rule_in(scopes(RULES), rule_id), EndRuleForm()
    if form.carries_out(lambda: _ended(rule, form)):
        flash(_("已停用，以后按法律的规则。"), "ok")
        return web.go(".rule_list")
    return web.page("deliberation/worker/rule_end.html", rule=rule, form=form, status=form.status)


def _ended(rule: BodyRule, form: EndRuleForm) -> None:
    rules.end_local(rule, last_day=form.last_day.data or today(), why=form.text("reason"))
