"""The one way of an application from state to state, written down as a step and told to who applied."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.applications import (
    APPLICATION_MOVES,
    Application,
    ApplicationChannel,
    ApplicationState,
    ApplicationStep,
    StepKind,
)
from portal.catalogue.service import reach
from portal.catalogue.service.applications import words
from portal.core import audit, outbox
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.outbox import Recipient


def move(
    application: Application, state: ApplicationState, *, by: Actor | None, note: str = "", **changed: Any
) -> None:
    """Move by a guarded UPDATE, with whatever columns change along; of two who act at once one wins. By nobody where
    time alone moves it.
    """
    before = [old for old, following in APPLICATION_MOVES.items() if state in following]
    standing = application.state
    where = sa.and_(Application.id == application.id, Application.state == standing, Application.state.in_(before))
    values = {name: value for name, value in changed.items() if name not in SEALED}
    if not guarded(sa.update(Application).where(where).values(state=state, **values)):
        db.session.refresh(application, ["state"])
        raise Refused(_("这件申请现在是“%(state)s”，不能这样办理。请刷新后再看。", state=words.said(application.state)))
    db.session.refresh(application, ["state", *values])
    for name in SEALED & changed.keys():
        setattr(application, name, changed[name])
    step(application, StepKind.MOVED, by=by, note=note)
    audit.record(f"applications.{state.value}", application, on_behalf_of=_behalf(application, by))


# Sealed columns are written through the object, which seals them.
SEALED = frozenset({"result", "asked_for", "said"})


def _behalf(application: Application, by: Actor | None) -> str:
    if by is None:
        return ""
    at_counter = application.channel is not ApplicationChannel.SELF and application.placed_by == by.public_id
    return application.person.public_id if at_counter else ""


def step(application: Application, kind: StepKind, *, by: Actor | None, note: str = "") -> None:
    who, name = (by.public_id, by.name) if by else ("", _("系统"))
    application.steps.append(
        ApplicationStep(kind=kind, state=application.state, at=now(), by=who, by_name=name, note=note.strip() or None)
    )
    db.session.flush()


def need(text: str, message: str, field: str) -> str:
    """What must be said, trimmed; Refused beside its field where it is not."""
    if not text.strip():
        raise Refused(message, field=field)
    return text.strip()


def tell(application: Application, event: str, **facts: Any) -> None:
    """Who applied hears of it: the person, and her family agent where he did."""
    said = {"item": application.item.title, "code": application.code, **facts}
    outbox.enqueue(f"catalogue.{event}", to=application.person.ref, **said)
    agent = application.channel is ApplicationChannel.AGENT
    if agent and reach.still_acts(application.placed_by, application.person, "catalogue.book"):
        outbox.enqueue(f"catalogue.{event}", to=Recipient("account", application.placed_by), **said)


def day_text(day: date | None) -> str:
    return day.isoformat() if day else ""
