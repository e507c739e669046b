"""Extra rounds in heat, cold and before festivals: one form makes a visit for everybody of some tags or levels."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, PersonState, PersonTag, TagKind
from portal.visits.models import (
    OPEN,
    CareRound,
    CareSubject,
    Level,
    Method,
    RoundKind,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import planning, spreading, workers

LONGEST = timedelta(days=60)


@dataclass(frozen=True)
class Asked:
    """What the form says: everybody with one of the tags, or at one of the levels."""

    kind: RoundKind
    title: str
    tags: frozenset[TagKind]
    levels: frozenset[Level]
    first_day: date
    last_day: date
    method: Method = Method.HOME


@dataclass(frozen=True)
class Progress:
    """A round with how many of its visits are done and still open."""

    round: CareRound
    done: int
    open: int


def make_round(community: Area, asked: Asked, *, by: Actor) -> CareRound:
    """Make a round and its visits, spread over its days; who does not wish a visit at home gets a signal instead."""
    _check(asked)
    made = CareRound(
        kind=asked.kind,
        title=asked.title.strip(),
        community_id=community.id,
        tags=sorted(tag.value for tag in asked.tags),
        levels=sorted(level.value for level in asked.levels),
        method=asked.method,
        first_day=asked.first_day,
        last_day=asked.last_day,
        made_at=now(),
        made_by=by.name,
        count=0,
    )
    db.session.add(made)
    db.session.flush()
    made.count = _make_visits(made, _meant(community, asked))
    if not made.count:
        raise Refused(_("没有符合条件的人，请换一换标签或等级。"), field="tags")
    audit.record("visits.round_made", made, kind=asked.kind.value, count=made.count)
    return made


def _check(asked: Asked) -> None:
    wrong = [
        (not asked.tags and not asked.levels, "levels", _("请至少选一个等级或标签。")),
        (asked.first_day < today(), "first_day", _("开始日期最早是今天。")),
        (asked.last_day < asked.first_day, "last_day", _("结束日期不能早于开始日期。")),
        (asked.last_day - asked.first_day > LONGEST, "last_day", _("一次专项探访最长 60 天。")),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def _meant(community: Area, asked: Asked) -> list[CareSubject]:
    """The people meant, each with a row, made for who has none yet."""
    day = today()
    tagged = sa.select(PersonTag.person_id).where(
        PersonTag.kind.in_(asked.tags),
        PersonTag.since <= day,
        sa.or_(PersonTag.until.is_(None), PersonTag.until >= day),
    )
    at_level = sa.select(CareSubject.person_id).where(CareSubject.level.in_(asked.levels))
    here = (
        Person.community_id == community.id,
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
        sa.or_(Person.id.in_(tagged), Person.id.in_(at_level)),
    )
    by_grid = workers.grid_workers(community)
    strangers = (
        sa.select(Person.id, Person.grid_id)
        .outerjoin(CareSubject, CareSubject.person_id == Person.id)
        .where(*here, CareSubject.id.is_(None))
        .order_by(Person.id)
    )
    for person_id, grid_id in db.session.execute(strangers).all():
        db.session.add(CareSubject(person_id=person_id, worker=by_grid.get(grid_id or 0, "")))
    db.session.flush()
    query = (
        sa.select(CareSubject)
        .join(CareSubject.person)
        .where(*here)
        .options(sa.orm.contains_eager(CareSubject.person).load_only(Person.household_id))
        .order_by(CareSubject.id)
    )
    return list(db.session.scalars(query))


def _make_visits(made: CareRound, subjects: list[CareSubject]) -> int:
    away = planning.excluded([subject.id for subject in subjects], made.first_day)
    rows: list[dict[str, Any]] = [
        {
            "subject_id": subject.id,
            "person_id": subject.person_id,
            "kind": VisitKind.ROUND,
            "period": f"R{made.id}",
            "level": subject.level,
            "rank": subject.level.rank if subject.level else 2,
            "from_on": made.first_day,
            "planned_on": made.first_day,
            "due_on": made.last_day,
            "planned_at": made.made_at,
            "round_id": made.id,
            "worker": subject.worker,
            "method": made.method if subject.may_be_visited_at_home() else planning.way_to(subject),
        }
        for subject in subjects
        if subject.id not in away
    ]
    rows = spreading.spread(rows, subjects, made.community, made.first_day)
    if rows:
        db.session.execute(sa.insert(Visit), rows)
    return len(rows)


def rounds(within: Collection[Scope], limit: int = 30) -> list[Progress]:
    """The rounds of the communities in scope, newest first, with how far they are."""
    here = [area.id for area in areas.whole_communities(within)]
    done = sa.func.count(Visit.id).filter(Visit.state == VisitState.DONE)
    left = sa.func.count(Visit.id).filter(Visit.state.in_(OPEN))
    sums = sa.select(CareRound.id, done.label("done"), left.label("open")).outerjoin(
        Visit, Visit.round_id == CareRound.id
    )
    counted = {
        row.id: (row.done, row.open)
        for row in db.session.execute(sums.where(CareRound.community_id.in_(here)).group_by(CareRound.id))
    }
    found = (
        sa.select(CareRound)
        .where(CareRound.community_id.in_(here))
        .options(sa.orm.joinedload(CareRound.community))
        .order_by(CareRound.id.desc())
        .limit(limit)
    )
    return [Progress(one, *counted.get(one.id, (0, 0))) for one in db.session.scalars(found)]


def cancel_round(within: Collection[Scope], round_id: int) -> int:
    """Call a round off: what nobody has begun goes; return how many visits that were."""
    here = [area.id for area in areas.whole_communities(within)]
    made = db.session.scalar(sa.select(CareRound).where(CareRound.id == round_id, CareRound.community_id.in_(here)))
    if made is None:
        raise Missing
    made.cancelled_at = made.cancelled_at or now()
    gone = db.session.execute(
        sa.update(Visit)
        .where(Visit.round_id == made.id, Visit.state == VisitState.PLANNED)
        .values(state=VisitState.CANCELLED, state_why="round"),
        execution_options={"synchronize_session": False},
    )
    count = int(getattr(gone, "rowcount", 0))
    audit.record("visits.round_cancelled", made, count=count)
    return count
