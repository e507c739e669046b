"""What can be done next with an application, and which items can be applied for."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.applications import DECIDED, OPEN, WAITING, Application, ApplicationState
from portal.catalogue.models.codes import ItemKind
from portal.catalogue.models.items import Item
from portal.catalogue.service import grounds, items
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import Person

S = ApplicationState


@dataclass(frozen=True)
class Act:
    """An act that the state allows: its code in the address, its words, how its button looks."""

    code: str
    words: str
    kind: str = "plain"


def acts(application: Application, worker: str) -> list[Act]:
    """What somebody in charge may do now; nothing for who is not."""
    if not application.is_in_charge(worker):
        return []
    may = application.may_become
    known = [
        (application.state is S.ASKED, Act("resume", _("材料已在窗口补齐"), "primary")),
        (may(S.ACCEPTED), Act("accept", _("受理"), "primary")),
        (may(S.ASKED) and application.asked_at is None, Act("ask", _("一次告知补材料"))),
        (may(S.NOT_ACCEPTED), Act("not-accept", _("不予受理"), "danger")),
        (application.state is S.ACCEPTED, Act("work", _("开始办理"), "primary")),
        (may(S.GRANTED), Act("grant", _("办成了"), "primary")),
        (may(S.PAUSED) and application.asked_at is None, Act("ask", _("一次告知补材料"))),
        (may(S.REFUSED), Act("refuse", _("不予通过"), "danger")),
        (application.state is S.PAUSED, Act("resume", _("材料到了，接着办"), "primary")),
        (may(S.CLOSED), Act("close", _("结果已送达，办结"), "primary")),
        (application.state in (*OPEN, *WAITING, *DECIDED), Act("pass", _("请同事办"))),
        (not application.relative_of_staff, Act("relative", _("近亲属备案"))),
    ]
    return [act for holds, act in known if holds]


def items_for(person: Person) -> list[Item]:
    """The items a person can apply for: of her community and of its street, by title."""
    query = (
        sa.select(Item)
        .where(Item.area_id.in_(grounds.around(person.community)), Item.kind == ItemKind.APPLICATION)
        .where(items.showing(today()))
        .order_by(Item.title, Item.id)
    )
    return list(db.session.scalars(query.options(sa.orm.selectinload(Item.materials))))
