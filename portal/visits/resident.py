"""The resident platform of care visits: who comes next and when, who came, what I prefer."""

from flask import Blueprint, Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.errors import Missing
from portal.identity.permissions import Permission
from portal.registry.service import people
from portal.visits.forms.resident import PreferForm
from portal.visits.models import TimeOfDay
from portal.visits.service import listing, visiting, wishes, workers

bp = Blueprint("resident", __name__)


@bp.route("/", methods=["GET", "POST"])
@requires(Permission.SELF)
def index() -> Response:
    person = people.person_of_or_none(current_actor())
    subject = listing.known(person) if person else None
    form = PreferForm.of(subject)
    if form.validate_on_submit():
        if subject is None:
            raise Missing
        wishes.prefer(subject, TimeOfDay(form.time_of_day.data), not_needed=bool(form.not_needed.data))
        flash(_("记下了，谢谢您告诉我们。"), "ok")
        return web.go(".index")
    coming = visiting.coming(person)[:1] if person and subject else []
    names = workers.names(visit.worker for visit in coming)
    facts = {"coming": coming, "done": visiting.history(person, limit=5) if person and subject else [], "names": names}
    return web.page("visits/resident/index.html", subject=subject, form=form, status=form.status, **facts)
