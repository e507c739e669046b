"""Worker pages: the street's limits of requests."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.casework.forms.limits import EndLimitForm, LimitForm
from portal.casework.models.categories import Category
from portal.casework.service import choosing, defaults, limitwords
from portal.casework.service import limits as keeping
from portal.casework.worker.blueprint import bp
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.identity.permissions import Permission

bp.add_app_template_filter(limitwords.step_name, "limit_step")
bp.add_app_template_filter(limitwords.limit_word, "limit_word")
bp.add_app_template_filter(limitwords.limit_for, "limit_for")


def _categories() -> list[Category]:
    places = keeping.places(scopes(Permission.CASES_RULES))
    return choosing.in_force(places[-1].code) if places else []


@bp.route("/limits")
@requires(Permission.CASES_RULES)
def limits() -> Response:
    within = scopes(Permission.CASES_RULES)
    names = {area.code: area.name for area in keeping.places(within)}
    categories = {one.code: one.name for one in _categories()}
    rows = keeping.table(within)
    return web.page("casework/worker/limits.html", rows=rows, names=names, categories=categories, today=today())


@bp.route("/limits/seed", methods=["POST"])
@requires(Permission.CASES_RULES)
def limits_seed() -> Response:
    """The suggested default set, for a street that has set nothing yet."""
    streets = [scope.ref for scope in scopes(Permission.CASES_RULES) if scope.kind == "street"]
    count = sum(keeping.seed(code, by=current_actor().name) for code in streets)
    for code in streets:
        # Without categories nobody can report anything.
        defaults.seed(code, by=current_actor().name)
    flash(_("填好了 %(count)d 条期限，可以逐条改。", count=count), "ok")
    return web.go(".limits")


@bp.route("/limits/new", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def limit_new() -> Response:
    within = scopes(Permission.CASES_RULES)
    of = web.number_asked("of")
    known = LimitForm.facts_of(keeping.limit_in(within, of)) if of else {}
    form = LimitForm(keeping.places(within), _categories(), data=known)
    if form.carries_out(lambda: keeping.set_limit(form.facts(), within=within, by=current_actor().name)):
        flash(_("期限设好了；以前提交的诉求仍按原来的期限。"), "ok")
        return web.go(".limits")
    return web.page("casework/worker/limit_new.html", form=form, status=form.status)


@bp.route("/limits/<int:limit_id>/end", methods=["GET", "POST"])
@requires(Permission.CASES_RULES)
def limit_end(limit_id: int) -> Response:
    row, form = keeping.limit_in(scopes(Permission.CASES_RULES), limit_id), EndLimitForm()
    if form.carries_out(lambda: keeping.end_limit(row, form.last_day.data or today())):
        flash(_("期限有效到 %(day)s 为止。", day=str(row.valid_to)), "ok")
        return web.go(".limits")
    return web.page("casework/worker/limit_end.html", row=row, form=form, status=form.status)
