"""Worker pages of the templates of topics: loaded, saved from a topic, offered or taken off."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.errors import Missing, Refused
from portal.deliberation.forms.topics import SaveTemplateForm
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import topic_templates
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.topics import KEEP, topic_kept
from portal.identity.permissions import Permission

RULES = Permission.DELIBERATION_RULES


@bp.route("/topics/<int:topic_id>/template", methods=["GET", "POST"])
@requires(KEEP)
def topic_template_save(topic_id: int) -> Response:
    found, form = topic_kept(topic_id), SaveTemplateForm()
    form.offer(found.area, street=may(RULES))
    if form.name.data is None:
        form.name.data = found.title[:60]
    if form.carries_out(lambda: _save(found, form)):
        flash(_("已存为模板，下次可以从它开始。"), "ok")
        return web.go(".topic_template_list")
    return web.page("deliberation/worker/topic_template_save.html", topic=found, form=form, status=form.status)


def _save(found: Topic, form: SaveTemplateForm) -> None:
    area = None if form.where.data == "street" else found.area
    topic_templates.save(found, form.text("name"), area, by=current_actor())


@bp.route("/topics/templates")
@requires(KEEP)
def topic_template_list() -> Response:
    street = may(RULES)
    found = topic_templates.offered(scopes(KEEP), all_of_them=True)
    kept = {one.id for one in found if topic_templates.keeps(one, street=street)}
    return web.page("deliberation/worker/topic_template_list.html", templates=found, kept=kept, street=street)


@bp.route("/topics/templates/samples", methods=["POST"])
@requires(RULES)
def topic_templates_load() -> Response:
    try:
        count = topic_templates.load_samples(by=current_actor())
        flash(_("装好了 %(count)d 个常用模板。", count=count), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".topic_template_list")


@bp.route("/topics/templates/<int:template_id>/offer", methods=["POST"])
@requires(KEEP)
def topic_template_offer(template_id: int) -> Response:
    """Put a template on offer, or take it off: the button's `on` says which."""
    found = topic_templates.template(scopes(KEEP), template_id)
    if not topic_templates.keeps(found, street=may(RULES)):
        raise Missing
    topic_templates.offer(found, on=request.form.get("on") == "1", by=current_actor())
    flash(_("已更新。"), "ok")
    return web.go(".topic_template_list")
