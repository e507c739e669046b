"""What of a worker's requests passes to another in a grid, and how it returns while nobody has touched it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.casework.models.cases import Case, CaseHelp, CaseStep
from portal.casework.models.codes import RUNNING, Deed
from portal.casework.service import moves
from portal.casework.service.moves import SYSTEM
from portal.core import audit
from portal.core.db import db
from portal.core.doors import Passed
from portal.core.errors import Refused
from portal.identity.models import Account

CASES, HELPS = "cases", "helps"
_BULK = {"synchronize_session": False}


def passed_words(kind: str) -> str:
    return {CASES: _("在办的诉求"), HELPS: _("请求协助的诉求")}.get(kind, kind)


def passed_names(kind: str, ids: Collection[int]) -> list[str]:
    """Which ones, by number: never whose."""
    query = sa.select(Case.number).where(Case.id.in_(ids))
    if kind == HELPS:
        query = sa.select(Case.number).join(CaseHelp, CaseHelp.case_id == Case.id).where(CaseHelp.id.in_(ids))
    return [number or "" for number in db.session.scalars(query.order_by(Case.id))]


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:  # noqa: ARG001 a door has its shape
    """Requests of a grid that somebody holds or answers for first, and helps asked of her."""
    mine = sa.or_(Case.holder == giver, Case.first_holder == giver)
    found = _cases(Case.grid_id == area.id, Case.state.in_(RUNNING), mine)
    asked = sa.select(Case.id).where(Case.grid_id == area.id, Case.state.in_(RUNNING))
    return found + _helps(CaseHelp.asked_of == giver, CaseHelp.given_at.is_(None), CaseHelp.case_id.in_(asked))


def _cases(*where: sa.ColumnElement[bool]) -> list[Passed]:
    steps = sa.select(sa.func.count(CaseStep.id)).where(CaseStep.case_id == Case.id, CaseStep.deed != Deed.PASSED)
    columns = (Case.id, Case.state, Case.holder, Case.holder_name, Case.first_holder, Case.first_holder_name)
    query = sa.select(*columns, steps.scalar_subquery().label("steps")).where(*where).order_by(Case.id)
    names = ("holder", "holder_name", "first_holder", "first_holder_name")
    return [
        Passed(CASES, row.id, {name: getattr(row, name) for name in names}, [row.state.value, row.steps])
        for row in db.session.execute(query)
    ]


def _helps(*where: sa.ColumnElement[bool]) -> list[Passed]:
    query = sa.select(CaseHelp.id, CaseHelp.asked_of, CaseHelp.asked_of_name).where(*where).order_by(CaseHelp.id)
    return [
        Passed(HELPS, row.id, {"asked_of": row.asked_of, "asked_of_name": row.asked_of_name}, [])
        for row in db.session.execute(query)
    ]


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    """What one worker has of a grid's requests passes to another; each timeline says so."""
    found = to_pass(giver, taker, area)
    name = db.session.scalar(sa.select(Account.name).where(Account.public_id == taker)) or ""
    for column, named in ((Case.holder, Case.holder_name), (Case.first_holder, Case.first_holder_name)):
        where = (Case.id.in_(_ids(found, CASES)), column == giver)
        db.session.execute(sa.update(Case).where(*where).values({column: taker, named: name}), execution_options=_BULK)
    where = (CaseHelp.id.in_(_ids(found, HELPS)), CaseHelp.asked_of == giver)
    given = sa.update(CaseHelp).where(*where).values(asked_of=taker, asked_of_name=name)
    db.session.execute(given, execution_options=_BULK)
    _tell(_ids(found, CASES), name)
    audit.record("cases.handed_over", None, giver=giver, taker=taker, grid=area.code, count=len(found))
    return found


def _tell(ids: Sequence[int], name: str) -> None:
    db.session.expire_all()
    query = sa.select(Case).where(Case.id.in_(ids)).order_by(Case.id)
    for case in db.session.scalars(query):
        moves.step(case, Deed.PASSED, by=SYSTEM, to_name=name)


def _ids(found: Collection[Passed], kind: str) -> list[int]:
    return [one.id for one in found if one.kind == kind]


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:  # noqa: ARG001 its shape
    """Give everything back as it was. Raise Refused where somebody has worked on some of it since."""
    ids, helps = _ids(passed, CASES), _ids(passed, HELPS)
    stand = {one.id: one.mark for one in _cases(Case.id.in_(ids), _has(taker))}
    waiting = {
        one.id for one in _helps(CaseHelp.id.in_(helps), CaseHelp.asked_of == taker, CaseHelp.given_at.is_(None))
    }
    if any(stand.get(one.id) != one.mark for one in passed if one.kind == CASES) or waiting != set(helps):
        raise Refused(_("交接的诉求已经有人接着办了，不能整体收回。请再办一次交接，把没办的转回去。"))
    tables: dict[str, Any] = {CASES: Case, HELPS: CaseHelp}
    for one in passed:
        table = tables[one.kind]
        back = sa.update(table).where(table.id == one.id).values(**one.was)
        db.session.execute(back, execution_options=_BULK)
    name = db.session.scalar(sa.select(Account.name).where(Account.public_id == giver)) or ""
    _tell(ids, name)
    audit.record("cases.taken_back", None, giver=giver, taker=taker, count=len(passed))


def _has(worker: str) -> sa.ColumnElement[bool]:
    return sa.or_(Case.holder == worker, Case.first_holder == worker)
