"""The doors of requests, which home calls."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Building
from portal.casework.models.cases import (
    Case,
    CaseCallBack,
    CaseFollower,
    CaseHelp,
    CaseLink,
    CasePause,
    CasePhoto,
    CaseStep,
)
from portal.casework.models.codes import CaseState
from portal.casework.models.recurring import MatterCase
from portal.casework.service import loads, passing, queue, reporting
from portal.casework.service.queue import Tab
from portal.casework.service.words import case_word, place_words, step_word
from portal.core import audit, clock, settings
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

KEPT = "casework.kept_days"
settings.declare(
    KEPT,
    default=1826,
    label=lambda: _("诉求办结后保存多少天"),
    unit=lambda: _("天"),
    least=365,
    most=3660,
)
_OVER = (CaseState.ARCHIVED, CaseState.WITHDRAWN, CaseState.DECLINED, CaseState.MERGED)
_PURGED_AT_ONCE = 2000


def todo_of(worker: Actor) -> list[Todo]:
    """What waits for a worker: what is late first, what has nobody, what is supervised, hers, call-backs."""
    within = scopes_of(worker, Permission.CASES_HANDLE)
    if not within:
        return _to_decide(worker)
    counts = queue.counts(within, worker)
    found = [
        Todo(_("督办的诉求"), _LIST, {"tab": Tab.SUPERVISED.value}, counts[Tab.SUPERVISED]),
        Todo(_("我办理的诉求"), _LIST, {"tab": Tab.MINE.value}, counts[Tab.MINE]),
    ]
    if scopes_of(worker, Permission.CASES_DISPATCH):
        found = [
            Todo(_("超期的诉求"), _LIST, {"tab": Tab.LATE.value}, counts[Tab.LATE], late=True),
            Todo(_("等受理、分派的诉求"), _LIST, {"tab": Tab.UNASSIGNED.value}, counts[Tab.UNASSIGNED]),
            *found,
            Todo(_("等审批的延期申请"), _LIST, {"tab": Tab.EXTENSION.value}, counts[Tab.EXTENSION]),
            Todo(_("等批准重办的诉求"), _LIST, {"tab": Tab.REOPEN.value}, counts[Tab.REOPEN]),
            Todo(_("等回访的诉求"), _LIST, {"tab": Tab.CALL_BACK.value}, counts[Tab.CALL_BACK]),
        ]
    return [todo for todo in found if todo.count]


def _to_decide(worker: Actor) -> list[Todo]:
    """What waits for who supervises and does not handle: what is yellow or red, the extensions asked for."""
    within = scopes_of(worker, Permission.CASES_SUPERVISE)
    if not within:
        return []
    counts, where = queue.counts(within, worker), "casework.worker.supervised"
    waiting = [(_("督办的诉求"), Tab.SUPERVISED), (_("等审批的延期申请"), Tab.EXTENSION)]
    return [Todo(words, where, {"tab": tab.value}, counts[tab]) for words, tab in waiting if counts[tab]]


_LIST = "casework.worker.index"
open_of = loads.open_of
to_pass, hand_over, take_back = passing.to_pass, passing.hand_over, passing.take_back
passed_words, passed_names = passing.passed_words, passing.passed_names


def _of(person: Person) -> sa.ColumnElement[bool]:
    ids = people.ids_of(person)
    mine = sa.or_(Case.reporter_id.in_(ids), Case.behalf_id.in_(ids))
    return sa.and_(mine, Case.state != CaseState.DRAFT)


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """Requests of a person and her aliases, the newest first; none under which she hides her name."""
    query = (
        sa.select(Case)
        .where(_of(person), Case.hide_name.is_(False))
        .options(joinedload(Case.category))
        .order_by(Case.submitted_at.desc(), Case.id.desc())
        .limit(limit)
    )
    return [
        Line(
            case.submitted_at or case.created_at,
            _("诉求：%(what)s", what=case.category.name if case.category else case.title),
            _("%(number)s，%(state)s", number=case.number, state=case_word(case.state)),
            "casework.worker.case",
            {"public_id": case.public_id},
        )
        for case in db.session.scalars(query)
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """What is held about a person here, for her own copy."""
    query = (
        sa.select(Case)
        .where(_of(person))
        .options(joinedload(Case.category), joinedload(Case.estate), selectinload(Case.steps))
        .options(joinedload(Case.building).joinedload(Building.estate))
        .order_by(Case.submitted_at, Case.id)
    )
    return [
        {
            _("编号"): case.number,
            _("时间"): f"{clock.local(case.submitted_at or case.created_at):%Y-%m-%d %H:%M}",
            _("类别"): case.category.name if case.category else "",
            _("什么事"): case.what or "",
            _("补充回答"): dict(reporting.answers_of(case)),
            _("在哪里"): place_words(case),
            _("状态"): case_word(case.state),
            _("答复"): case.answer or "",
            _("经过"): [
                f"{clock.local(step.at):%Y-%m-%d %H:%M} {step_word(step)} {step.words or ''}".strip()
                for step in case.steps
            ],
        }
        for case in db.session.scalars(query)
    ]


def purge(before: date) -> int:
    """Forget requests that were over before a day, with everything that hangs on them; what runs stays."""
    moment = clock.day_bounds(before)[0]
    old = sa.select(Case.id).where(Case.state.in_(_OVER), Case.state_at < moment)
    ids = list(db.session.scalars(old.order_by(Case.id).limit(_PURGED_AT_ONCE)))
    hanging = (CaseStep, CaseHelp, CasePause, CaseCallBack, CaseFollower, CasePhoto, MatterCase)
    statements: list[Any] = [sa.delete(table).where(table.case_id.in_(ids)) for table in hanging]
    statements += [
        sa.delete(CaseLink).where(sa.or_(CaseLink.low_id.in_(ids), CaseLink.high_id.in_(ids))),
        sa.update(Case).where(Case.main_id.in_(ids)).values(main_id=None),
        sa.delete(Case).where(Case.id.in_(ids)),
    ]
    for statement in statements:
        db.session.execute(statement, execution_options={"synchronize_session": False})
    if ids:
        audit.record("cases.purged", None, count=len(ids), before=before.isoformat())
    return len(ids)
