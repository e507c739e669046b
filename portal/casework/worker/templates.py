"""Worker pages: the words ready to answer with."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.casework.forms.worker import TemplateForm, category_words
from portal.casework.models.answers import AnswerTemplate
from portal.casework.service import answers, choosing
from portal.casework.worker.blueprint import bp
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.identity.permissions import Permission


@bp.route("/templates")
@requires(Permission.CASES_DISPATCH)
def templates() -> Response:
    found = answers.templates(scopes(Permission.CASES_DISPATCH))
    places = areas.whole_communities(scopes(Permission.CASES_DISPATCH))
    names = {one.code: one.name for one in choosing.in_force(places[0].code)} if places else {}
    return web.page("casework/worker/templates.html", found=found, names=names)


@bp.route("/templates/new", methods=["GET", "POST"])
@requires(Permission.CASES_DISPATCH)
def template_new() -> Response:
    return _edit(None)


@bp.route("/templates/<int:template_id>", methods=["GET", "POST"])
@requires(Permission.CASES_DISPATCH)
def template(template_id: int) -> Response:
    return _edit(answers.template_in(scopes(Permission.CASES_DISPATCH), template_id))


def _edit(found: AnswerTemplate | None) -> Response:
    places = {one.id: one for one in areas.whole_communities(scopes(Permission.CASES_DISPATCH))}
    form = _form(found, places)
    if form.validate_on_submit():
        community = found.community if found else places[form.community.data]
        facts = {"name": form.text("name"), "category_code": form.text("category"), "words": form.text("words")}
        answers.keep(found, community, by=current_actor(), **facts)
        flash(_("模板已保存。"), "ok")
        return web.go(".templates")
    return web.page("casework/worker/template.html", form=form, found=found, status=form.status)


def _form(found: AnswerTemplate | None, places: dict[int, Area]) -> TemplateForm:
    known = {"name": found.name, "category": found.category_code, "words": found.words} if found else {}
    form = TemplateForm(data=known | {"community": found.community_id if found else next(iter(places), 0)})
    form.community.choices = [(one.id, one.name) for one in places.values()]
    leaves = choosing.leaves(next(iter(places.values())).code) if places else []
    form.category.choices = [("", _("任何类别")), *((one.code, category_words(one)) for one in leaves)]
    if found or len(places) == 1:
        form.community.validators = ()
    return form


@bp.route("/templates/<int:template_id>/end", methods=["POST"])
@requires(Permission.CASES_DISPATCH)
def template_end(template_id: int) -> Response:
    answers.end(answers.template_in(scopes(Permission.CASES_DISPATCH), template_id))
    return web.go(".templates")
