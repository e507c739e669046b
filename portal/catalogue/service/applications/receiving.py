"""First receiver (首接负责): who is responsible from the first moment, who has the task, and passing the task."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.models.applications import RUNNING, Application, ApplicationChannel, StepKind
from portal.catalogue.service.applications import moving
from portal.core import audit, outbox
from portal.core.access import Actor
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.outbox import Recipient
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission


def receive(application: Application, *, by: Actor) -> None:
    """Somebody is responsible from the moment it comes: at the counter who took it, else whoever takes it up first.

    Until then everybody who serves the community is told.
    """
    if application.channel is ApplicationChannel.COUNTER:
        _own(application, by)
        return
    for account in servers(application):
        outbox.enqueue(
            "catalogue.application_came",
            to=Recipient("account", account.public_id),
            item=application.item.title,
            due=moving.day_text(application.due_on),
        )


def take(application: Application, *, by: Actor) -> None:
    """The first who opens it to work on it becomes responsible; the second is told who was first."""
    where = sa.and_(Application.id == application.id, Application.owner == "", Application.state.in_(RUNNING))
    facts = {"owner": by.public_id, "owner_name": by.name, "doer": by.public_id, "doer_name": by.name}
    if not guarded(sa.update(Application).where(where).values(**facts)):
        db.session.refresh(application, ["owner", "owner_name", "state"])
        if application.owner == by.public_id:
            return
        name = application.owner_name
        raise Refused(_("%(name)s已经接手，由其首接负责。", name=name) if name else _("这件申请已经结束，不用接手。"))
    db.session.refresh(application, list(facts))
    moving.step(application, StepKind.HANDED, by=by, note=_("首接负责：%(name)s", name=by.name))
    audit.record("applications.taken", application)


def _own(application: Application, by: Actor) -> None:
    application.owner = application.doer = by.public_id
    application.owner_name = application.doer_name = by.name
    db.session.flush()


def servers(application: Application) -> list[Account]:
    """Who may be given the task: everybody who serves the community, and the grid of the person."""
    community = db.session.get_one(Area, application.community_id)
    codes = [community.code]
    if application.person.grid_id is not None:
        codes.append(db.session.get_one(Area, application.person.grid_id).code)
    return staff.workers_on(Permission.CATALOGUE_SERVE, codes)


def pass_on(application: Application, worker: str, note: str, *, by: Actor) -> None:
    """Give the task to a colleague. The responsibility stays with the first receiver."""
    refuse_stranger(application, by)
    colleague = next((one for one in servers(application) if one.public_id == worker), None)
    if colleague is None:
        raise Refused(_("请选一位能办这件事的同事。"), field="worker")
    if colleague.public_id == application.doer:
        raise Refused(_("现在就是这位同事在办。"), field="worker")
    application.doer, application.doer_name = colleague.public_id, colleague.name
    words = _("由%(name)s办，%(owner)s仍然首接负责。", name=colleague.name, owner=application.owner_name)
    moving.step(application, StepKind.PASSED, by=by, note=_("%(words)s%(note)s", words=words, note=note))
    audit.record("applications.passed", application, to=colleague.public_id)
    tell_doer(application, "application_passed")


def refuse_stranger(application: Application, by: Actor) -> None:
    """Only who is in charge acts; who is not takes it up first, or asks who has it."""
    if not application.owner:
        raise Refused(_("还没有人接手，请先点“接手办理”。"))
    if not application.is_in_charge(by.public_id):
        raise Refused(
            _(
                "这件申请由%(owner)s首接负责、%(doer)s在办，请联系他们。",
                owner=application.owner_name,
                doer=application.doer_name,
            )
        )


def tell_doer(application: Application, event: str) -> None:
    if application.doer:
        to = Recipient("account", application.doer)
        outbox.enqueue(f"catalogue.{event}", to=to, item=application.item.title, code=application.code)
