"""The list of volunteers as a workbook: a row for each with hours, skills, training and shifts, but no telephones."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, clock, sheets
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.people import Training
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import kinds, people_lists, people_words, roster_papers
from portal.volunteers.service.people_lists import Wanted

MOST, MOST_SHIFTS = 2000, 20_000
WIDTHS = (14.0, 10.0, 14.0, 8.0, 30.0, 24.0, 28.0, 10.0, 10.0, 8.0, 40.0, 60.0, 60.0)
_COMING = frozenset({SignupState.REQUESTED, SignupState.JOINED, SignupState.PRESENT})


def workbook(within: Collection[Scope], wanted: Wanted, *, reason: str, by: Actor) -> bytes:
    """Everybody whom the list as it is narrowed holds. Who exported them, and why, is kept."""
    found = people_lists.listed(within, wanted, limit=MOST)
    if not found.rows:
        raise Refused(_("名单里没有人，请先换个条件。"))
    if found.after is not None:
        raise Refused(_("一次最多导出 %(most)s 位，请先用条件缩小名单。", most=MOST))
    roster_papers.throttle("volunteers.people_export", by)
    ids = [one.volunteer.id for one in found.rows]
    shifts, training = _shifts(ids), _training(ids)
    rows = [_row(one, shifts.get(one.volunteer.id, []), training.get(one.volunteer.id, [])) for one in found.rows]
    audit.record("volunteers.exported", None, reason=reason, count=len(rows))
    return sheets.write_workbook(_headers(), rows, sheet=_("志愿者名单"), widths=WIDTHS, stamp=reason, numbers=True)


def _headers() -> list[str]:
    return [
        _("志愿者编号"),
        _("姓名"),
        _("社区"),
        _("状态"),
        _("技能"),
        _("愿意做"),
        _("空闲时间"),
        _("累计小时"),
        _("完成班次"),
        _("缺席"),
        _("培训"),
        _("后面的班次"),
        _("过去的班次"),
    ]


def _row(one: people_lists.Listed, shifts: Collection[Signup], training: Collection[Training]) -> list[Any]:
    who, pause = one.volunteer, _("、")
    return [
        who.number,
        who.person.name,
        who.community.name,
        people_words.state_words(who.state),
        pause.join(f"{held.skill.name}（{people_words.proof_words(held)}）" for held in who.skills),
        pause.join(kinds.kind_words(kind) for kind in who.kinds),
        people_words.times_words(who.times),
        round(one.minutes / 60, 1),
        sum(shift.state is SignupState.DONE for shift in shifts),
        sum(shift.state is SignupState.NO_SHOW for shift in shifts),
        pause.join(f"{made.name} {made.held_on.isoformat()}" for made in training),
        _told(shift for shift in shifts if shift.state in _COMING),
        _told(shift for shift in shifts if shift.state is SignupState.DONE),
    ]


def _told(shifts: Iterable[Signup]) -> str:
    said = (f"{clock.local(one.starts_at):%Y-%m-%d %H:%M} {one.shift.activity.title}" for one in shifts)
    return _("；").join(said)


def _shifts(ids: Collection[int]) -> dict[int, list[Signup]]:
    """What counts of their shifts, by volunteer, in order of time."""
    counts = {*_COMING, SignupState.DONE, SignupState.NO_SHOW}
    query = (
        sa.select(Signup)
        .where(Signup.volunteer_id.in_(ids), Signup.state.in_(counts))
        .options(selectinload(Signup.shift).joinedload(Shift.activity))
        .order_by(Signup.starts_at, Signup.id)
        .limit(MOST_SHIFTS)
    )
    held: dict[int, list[Signup]] = {}
    for one in db.session.scalars(query):
        held.setdefault(one.volunteer_id, []).append(one)
    return held


def _training(ids: Collection[int]) -> dict[int, list[Training]]:
    query = sa.select(Training).where(Training.volunteer_id.in_(ids)).order_by(Training.held_on, Training.id)
    held: dict[int, list[Training]] = {}
    for one in db.session.scalars(query):
        held.setdefault(one.volunteer_id, []).append(one)
    return held
