"""Worker pages of the documents into which minutes are filled: a community's own, brought, looked at, removed."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.deliberation.forms.meetings import TemplateForm, WhyForm
from portal.deliberation.service import meeting_minutes, minutes_templates
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.meeting_running import DOCX
from portal.deliberation.worker.meetings import KEEP


@bp.route("/minutes-templates")
@requires(KEEP)
def minutes_template_list() -> Response:
    found = minutes_templates.listed(scopes(KEEP))
    return web.page("deliberation/worker/minutes_template_list.html", found=found, names=minutes_templates.names())


@bp.route("/minutes-templates/<code>", methods=["GET", "POST"])
@requires(KEEP)
def minutes_template_put(code: str) -> Response:
    """What is brought is checked, and tried with a made-up meeting, before anything is asked of the database."""
    form = TemplateForm()
    content = form.content() if form.validate_on_submit() else None
    area = minutes_templates.area_in(scopes(KEEP), code)
    if content is not None:
        name = form.file.data.filename or ""
        if form.carries_out(lambda: minutes_templates.keep(area, content, name=name, by=current_actor())):
            flash(_("换好了。以后下载的纪要都填进这个文件。"), "ok")
            return web.go(".minutes_template_list")
    facts = {"area": area, "names": minutes_templates.names(), "form": form}
    return web.page("deliberation/worker/minutes_template_put.html", status=form.status, **facts)


@bp.route("/minutes-templates/<code>/file")
@requires(KEEP)
def minutes_template_file(code: str) -> Response:
    """The document as it is, with its names to be filled in; ours where the area has none."""
    area = minutes_templates.area_in(scopes(KEEP), code)
    content = minutes_templates.content_of(area) or meeting_minutes.blank()
    return web.download(content, _("纪要模板.docx"), DOCX)


@bp.route("/minutes-templates/<code>/remove", methods=["GET", "POST"])
@requires(KEEP)
def minutes_template_remove(code: str) -> Response:
    area, form = minutes_templates.area_in(scopes(KEEP), code), WhyForm()
    if form.carries_out(lambda: minutes_templates.remove(area, why=form.text("why"))):
        flash(_("已移除，以后用默认的样式。"), "ok")
        return web.go(".minutes_template_list")
    return web.page("deliberation/worker/minutes_template_remove.html", area=area, form=form, status=form.status)
