"""Worker pages: the street's categories of requests, and who else handles what."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.casework.forms.limits import EndLimitForm
from portal.casework.forms.rules import category_form, redirect_form
from portal.casework.models.categories import CaseRedirect, Category
from portal.casework.service import limits, rules
from portal.casework.worker.blueprint import bp
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.identity.permissions import Permission


@bp.route("/categories")
@requires(Permission.CASES_RULES)
def categories() -> Response:
    places = limits.places(scopes(Permission.CASES_RULES))
    names = {area.code: area.name for area in places}
    return web.page("casework/worker/categories.html", rows=rules.categories(places), names=names, today=today())


@bp.route("/categories/new", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def category_new() -> Response:
    return _category(None)


@bp.route("/categories/<int:category_id>", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def category(category_id: int) -> Response:
    return _category(rules.category_in(scopes(Permission.CASES_RULES), category_id))


def _category(row: Category | None) -> Response:
    within, by = scopes(Permission.CASES_RULES), current_actor().name
    places = limits.places(within)
    parents = rules.parents(rules.categories(places), row)
    others = [one for one in rules.redirects(places) if not rules.is_over(one)]
    form = category_form(row, places, parents, others)
    day = form.valid_from.data if row is None else None
    if form.carries_out(lambda: rules.set_category(row, form.facts(row), day or today(), within=within, by=by)):
        flash(_("类别已保存；已经提交的诉求不受影响。"), "ok")
        return web.go(".categories")
    return web.page("casework/worker/category.html", row=row, form=form, status=form.status)


@bp.route("/categories/<int:category_id>/end", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def category_end(category_id: int) -> Response:
    row, form = rules.category_in(scopes(Permission.CASES_RULES), category_id), EndLimitForm()
    if form.carries_out(lambda: rules.end_category(row, form.last_day.data or today())):
        flash(_("“%(name)s”用到 %(day)s 为止。", name=row.name, day=str(row.valid_to)), "ok")
        return web.go(".categories")
    return web.page("casework/worker/rule_end.html", row=row, form=form, back="categories", status=form.status)


@bp.route("/redirects")
@requires(Permission.CASES_RULES)
def redirects() -> Response:
    places = limits.places(scopes(Permission.CASES_RULES))
    names = {area.code: area.name for area in places}
    return web.page("casework/worker/redirects.html", rows=rules.redirects(places), names=names, today=today())


@bp.route("/redirects/new", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def redirect_new() -> Response:
    return _redirect(None)


@bp.route("/redirects/<int:redirect_id>", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def redirect(redirect_id: int) -> Response:
    return _redirect(rules.redirect_in(scopes(Permission.CASES_RULES), redirect_id))


def _redirect(row: CaseRedirect | None) -> Response:
    within, by = scopes(Permission.CASES_RULES), current_actor().name
    form = redirect_form(row, limits.places(within))
    day = form.valid_from.data if row is None else None
    if form.carries_out(lambda: rules.set_redirect(row, form.facts(row), day or today(), within=within, by=by)):
        flash(_("已保存，居民写到这些词时会看到。"), "ok")
        return web.go(".redirects")
    return web.page("casework/worker/redirect.html", row=row, form=form, status=form.status)


@bp.route("/redirects/<int:redirect_id>/end", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def redirect_end(redirect_id: int) -> Response:
    row, form = rules.redirect_in(scopes(Permission.CASES_RULES), redirect_id), EndLimitForm()
    if form.carries_out(lambda: rules.end_redirect(row, form.last_day.data or today())):
        flash(_("“%(name)s”用到 %(day)s 为止。", name=row.name, day=str(row.valid_to)), "ok")
        return web.go(".redirects")
    return web.page("casework/worker/rule_end.html", row=row, form=form, back="redirects", status=form.status)
