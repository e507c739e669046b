"""Worker pages: data quality."""

from flask import Response

from portal.core import web
from portal.core.access import requires, scopes
from portal.home.service import quality
from portal.home.worker.blueprint import bp
from portal.identity.permissions import Permission
from portal.registry.service.quality import PAGE, group_words

bp.add_app_template_filter(group_words, "group_words")


@bp.route("/quality")
@requires(Permission.PEOPLE_READ)
def quality_checks() -> Response:
    groups = quality.counted(scopes(Permission.PEOPLE_READ))
    return web.page("home/worker/quality_checks.html", groups=groups)


@bp.route("/quality/<code>")
@requires(Permission.PEOPLE_READ)
def quality_check(code: str) -> Response:
    check, after = quality.check_named(code), web.number_asked("after")
    found = check.page(scopes(Permission.PEOPLE_READ), after)
    more = len(found) > PAGE
    return web.page("home/worker/quality_check.html", check=check, found=found[:PAGE], more=more, after=after)
