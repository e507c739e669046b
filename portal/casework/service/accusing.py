"""Of whom a request complains, as a dispatcher finds out: a worker, the committee, an organisation."""

from flask_babel import gettext as _

from portal.areas import service as areas
from portal.casework.models.cases import Case
from portal.casework.models.codes import Against
from portal.casework.service import dispatching, naming, reporting
from portal.core import audit
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Refused
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission


def workers(case: Case) -> list[Account]:
    """Who handles requests in its community and its grids, or did: one of them can be complained of."""
    codes = [case.community.code, *(grid.code for grid in areas.grids(case.community))]
    return staff.ever_on(Permission.CASES_HANDLE, codes, [case.against_worker] if case.against_worker else [])


def worker_name(case: Case) -> str:
    """The name of the worker whom it is about, where one is known."""
    found = staff.ever_on(Permission.CASES_HANDLE, (), [case.against_worker]) if case.against_worker else []
    return found[0].name if found else ""


def set_party(case: Case, against: Against, worker: str, organisation_id: int | None, *, by: Actor) -> None:
    """Say whom it is about; neither whoever says so, nor who has it in hand."""
    if case.hide_name and naming.is_named(case, by):
        raise Refused(_("这件诉求里写到了您的名字，反映的是谁要由别的派单人填写。"), field="against")
    if against is Against.WORKER:
        _check_worker(case, worker, by)
    hidden = case.hide_name
    reporting.accuse(case, against, organisation_id, hide_name=hidden)
    case.against_worker = worker if against is Against.WORKER else ""
    db.session.flush()
    # Without the worker's name: the audit of a request is read by others too.
    audit.record("cases.party_set", case, against=against.value)


def _check_worker(case: Case, worker: str, by: Actor) -> None:
    if worker not in {one.public_id for one in workers(case)}:
        raise Refused(_("请选反映的是哪位工作人员；还不清楚的，先不填。"), field="worker")
    if worker == by.public_id:
        raise Refused(_("反映的是您本人，请交给别的派单人处理。"), field="worker")
    if worker == case.holder and case.state in dispatching.GIVABLE:
        raise Refused(_("这件诉求正在他手上，请先改派给别人，再来填写。"), field="worker")
