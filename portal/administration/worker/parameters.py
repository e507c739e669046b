"""Worker pages: parameters."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.administration.forms import ParameterForm
from portal.administration.service import parameters
from portal.administration.worker.blueprint import bp
from portal.core import settings as declared
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.web import day_words, go, page
from portal.identity.permissions import Permission


@bp.route("/settings")
@requires(Permission.SETTINGS_EDIT)
def settings() -> Response:
    return page("administration/worker/settings.html", groups=parameters.groups(today()), today=today())


@bp.route("/settings/<key>", methods=["GET", "POST"])
@requires(Permission.SETTINGS_EDIT)
def parameter(key: str) -> Response:
    setting = parameters.setting(key, today())
    form = ParameterForm(value=setting.value)
    if form.validate_on_submit():
        try:
            parameters.change(key, **form.wanted(), by=current_actor().name)
            flash(_("已保存，%(day)s 起按新数值执行", day=day_words(form.wanted()["valid_from"])), "ok")
            return go(".parameter", key=key)
        except Refused as refused:
            form.refuse(refused)
    facts = {"setting": setting, "history": declared.history(key), "today": today(), "form": form}
    return page("administration/worker/parameter.html", status=form.status, **facts)
