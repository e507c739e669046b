"""What of the resources waits for a worker: certificates that end, material that runs low, grades that lapsed."""

from flask_babel import gettext as _

from portal.core.access import Actor, scopes_of
from portal.core.clock import at, today
from portal.core.doors import Todo
from portal.identity.permissions import Permission
from portal.registry.service.resources import organisations, staff, stock
from portal.registry.service.resources.listing import Wanted


def todo_of(worker: Actor) -> list[Todo]:
    """Only for who may mend it."""
    within = scopes_of(worker, Permission.RESOURCES_EDIT)
    if not within:
        return []
    found = []
    papers = staff.expiring(within)
    if papers:
        first = papers[0].expires_on or today()
        words = _("证书到期或快到期")
        moment = at(first, staff.END_OF_DAY)
        late = first < today()
        found.append(
            Todo(words, "registry.worker.staff", {"state": "expiring"}, count=len(papers), due=moment, late=late)
        )
    if count := stock.low(within):
        found.append(Todo(_("物资低于预警线"), "registry.worker.stock", {"state": "low"}, count=count))
    if count := organisations.organisations(within, Wanted(state="lapsed", size=1)).total:
        found.append(Todo(_("组织的评估等级已到期"), "registry.worker.organisations", {"state": "lapsed"}, count=count))
    return found
