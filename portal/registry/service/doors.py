"""What the one database itself has for the desk's list and for a person's timeline."""

from collections.abc import Callable, Collection
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core.access import Actor, Scope, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Passed, Todo
from portal.core.web import full_day
from portal.identity.permissions import Permission
from portal.registry.models import Happening, HappeningPart, Person
from portal.registry.service import agents, claims, exports, rosters, twins, words
from portal.registry.service.imports.batches import to_confirm
from portal.registry.service.resources import held as resources_held
from portal.registry.service.resources import todo as resources
from portal.registry.service.rights import requests as rights

Count = Callable[[tuple[Scope, ...]], int]


def todo_of(worker: Actor) -> list[Todo]:
    """The queues that wait for somebody, with how many stand in each."""
    queues: list[tuple[Permission, Count, str, str]] = [
        (Permission.CLAIMS_DECIDE, claims.waiting, _("账号认领等待核对"), "registry.worker.claims"),
        (Permission.CLAIMS_DECIDE, agents.waiting, _("代办申请等待答复"), "registry.worker.agents"),
        (Permission.PEOPLE_IMPORT, to_confirm, _("登记表等待确认导入"), "registry.worker.imports"),
    ]
    found = []
    for permission, count, said, endpoint in queues:
        scopes = scopes_of(worker, permission)
        waiting = count(scopes) if scopes else 0
        if waiting:
            found.append(Todo(said, endpoint, count=waiting))
    found += twins.todo_of(worker)
    found += rights.todo(scopes_of(worker, Permission.RIGHTS_ANSWER))
    found += exports.todo(worker, scopes_of(worker, Permission.EXPORTS_APPROVE))
    found += resources.todo_of(worker)
    return found


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """What happened to a person, newest first; an event that was undone says so."""
    query = (
        sa.select(Happening)
        .join(HappeningPart, HappeningPart.happening_id == Happening.id)
        .where(HappeningPart.person_id == person.id)
        .options(joinedload(Happening.parts))
        .order_by(Happening.recorded_at.desc(), Happening.id.desc())
        .limit(limit)
    )
    happenings = [
        Line(
            happened.recorded_at,
            words.happening(happened.kind),
            _("%(day)s发生，%(name)s登记", day=full_day(happened.day), name=happened.recorded_name)
            + (_("，已撤销") if happened.undone_at else ""),
        )
        for happened in db.session.scalars(query).unique()
    ]
    found = [*happenings, *resources_held.timeline(person)]
    return sorted(found, key=lambda line: line.at, reverse=True)[:limit]


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:  # noqa: ARG001 a door has its shape
    """The saved lists of people; what is promised to them stands with the capabilities."""
    return rosters.to_pass(giver, area)


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    return rosters.hand_over(giver, taker, area)


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:  # noqa: ARG001 its shape
    rosters.take_back(giver, taker, passed)


def passed_words(kind: str) -> str:
    return {"rosters": _("存下的名单")}.get(kind, kind)


def passed_names(kind: str, ids: Collection[int]) -> list[str]:  # noqa: ARG001 a door has its shape
    return rosters.names_of(ids)
