"""主动治理: requests of one category that came again and again at one place in like words, proposed as a topic."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building
from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseState
from portal.casework.models.recurring import Matter, MatterCase, MatterState
from portal.casework.service import queue, similar
from portal.casework.service.similar import Said
from portal.core import audit, events, outbox, settings
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.registry.service import people

DAYS, LEAST, AGAIN = "casework.recur_days", "casework.recur_least", "casework.recur_again"
settings.declare(
    DAYS, default=90, label=lambda: _("反复发生：看最近多少天的诉求"), unit=lambda: _("天"), least=7, most=366
)
settings.declare(
    LEAST, default=3, label=lambda: _("反复发生：同类同地至少几件"), unit=lambda: _("件"), least=2, most=50
)
settings.declare(
    AGAIN,
    default=3,
    label=lambda: _("反复发生：暂不处理以后，再来几件又提出"),
    unit=lambda: _("件"),
    least=1,
    most=50,
)
# As much must two requests of one category and place share to speak of one matter (measured by bench/cases.py).
ALIKE = 0.06
S = CaseState
NEVER = frozenset({S.DRAFT, S.DECLINED, S.WITHDRAWN})
A_PAGE = 40
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Place:
    """Where a matter is: a building, or else a grid, or else only the community."""

    community_id: int
    grid_id: int | None
    building_id: int | None

    @property
    def key(self) -> str:
        if self.building_id:
            return f"b{self.building_id}"
        return f"g{self.grid_id}" if self.grid_id else f"c{self.community_id}"


def alike(things: Sequence[tuple[Thing, Said]]) -> list[list[Thing]]:
    """Things of one category and place in groups of like words: whoever is like one of a group belongs to it."""
    groups: list[list[tuple[Thing, Said]]] = []
    for thing in things:
        near = [group for group in groups if any(similar.likeness(thing[1], one[1]) >= ALIKE for one in group)]
        rest = [group for group in groups if group not in near]
        groups = [*rest, [thing, *(one for group in near for one in group)]]
    return [[one for one, _said in group] for group in groups]


def find() -> int:
    """Look through the requests of the last days and propose what recurs; return how many are new proposals."""
    since, least = now() - timedelta(days=settings.get(DAYS)), settings.get(LEAST)
    standing = {
        (one.community_id, one.category_id, one.place_key): one for one in db.session.scalars(sa.select(Matter))
    }
    proposed = 0
    for (category_id, place), cases in _grouped(since, least).items():
        largest = max(alike([(case, _said(case)) for case in cases]), key=len)
        if len(largest) >= least:
            known = standing.get((place.community_id, category_id, place.key))
            proposed += _keep(known, category_id, place, sorted(largest, key=_sent))
    return proposed


def _grouped(since: datetime, least: int) -> dict[tuple[int, Place], list[Case]]:
    """Requests by category and place, where there are enough; private ones are nobody's topic."""
    apart = sa.exists().where(
        MatterCase.case_id == Case.id,
        MatterCase.out_at.is_not(None),
        MatterCase.matter_id == Matter.id,
        Matter.category_id == Case.category_id,
        _same_place(),
    )
    query = (
        sa.select(Case)
        .join(Case.category)
        .where(Case.submitted_at >= since, Case.state.not_in(NEVER), Category.private.is_(False), ~apart)
        .options(sa.orm.contains_eager(Case.category))
        .order_by(Case.id)
    )
    found: dict[tuple[int, Place], list[Case]] = defaultdict(list)
    for case in db.session.scalars(query):
        if case.category_id is not None:
            place = Place(case.community_id, None if case.building_id else case.grid_id, case.building_id)
            found[case.category_id, place].append(case)
    return {key: cases for key, cases in found.items() if len(cases) >= least}


def _same_place() -> sa.ColumnElement[bool]:
    """Whether a matter is where a request is: what was taken out of it may recur elsewhere, or as something else."""
    by_grid = sa.or_(Case.building_id.is_not(None), Matter.grid_id.is_not_distinct_from(Case.grid_id))
    here = sa.and_(Matter.building_id.is_not_distinct_from(Case.building_id), by_grid)
    return sa.and_(Matter.community_id == Case.community_id, here)


def _sent(case: Case) -> tuple[datetime, int]:
    return case.submitted_at or case.created_at, case.id


def _said(case: Case) -> Said:
    return similar.said(f"{case.title} {case.what or ''}", case.category.code if case.category else "")


def _keep(known: Matter | None, category_id: int, place: Place, cases: list[Case]) -> bool:
    """Write down what was found; answers whether it is to be looked at anew."""
    matter = known or Matter(
        community_id=place.community_id,
        category_id=category_id,
        grid_id=place.grid_id,
        building_id=place.building_id,
        place_key=place.key,
        state=MatterState.PROPOSED,
        count=0,
    )
    _sum_up(matter, cases)
    again = matter.state is MatterState.DISMISSED and matter.count >= matter.seen + settings.get(AGAIN)
    if again:
        matter.state, matter.found_at = MatterState.PROPOSED, now()
    db.session.add(matter)
    db.session.flush()
    held = {row.case_id for row in matter.cases}
    db.session.add_all(MatterCase(matter_id=matter.id, case_id=case.id) for case in cases if case.id not in held)
    db.session.flush()
    db.session.expire(matter, ["cases"])
    if known is None or again:
        audit.record("cases.matter_found", matter, count=matter.count)
    return known is None or again


def _sum_up(matter: Matter, cases: Sequence[Case]) -> None:
    """How many there are, and the latest of them; the cases in the order in which they were sent."""
    matter.count, matter.words = len(cases), cases[-1].title
    matter.last_at = _sent(cases[-1])[0]


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return Matter.community_id.in_([area.id for area in queue.communities(within)])


def _loaded() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        sa.orm.joinedload(Matter.community),
        sa.orm.joinedload(Matter.category),
        sa.orm.joinedload(Matter.grid),
        sa.orm.joinedload(Matter.building).joinedload(Building.estate),
    )


def matters(within: Collection[Scope], state: MatterState, page: int = 1) -> list[Matter]:
    """The matters of a state in scope: the most frequent first; one more than a page."""
    query = (
        sa.select(Matter)
        .where(_inside(within), Matter.state == state)
        .options(*_loaded())
        .order_by(Matter.count.desc(), Matter.last_at.desc(), Matter.id)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    return list(db.session.scalars(query))


def matter_in(within: Collection[Scope], public_id: str) -> Matter:
    """A matter with its requests; Missing where it is not in scope."""
    case = sa.orm.selectinload(Matter.cases).joinedload(MatterCase.case)
    query = sa.select(Matter).where(Matter.public_id == public_id, _inside(within)).options(*_loaded())
    matter = db.session.scalar(query.options(case.joinedload(Case.community)))
    if matter is None:
        raise Missing
    return matter


def take(matter: Matter, *, by: Actor) -> int:
    """Make it a topic: whoever deliberates hears of it, reporters and followers are told; how many were."""
    _decide(matter, MatterState.TAKEN, "", by)
    cases = [row.case for row in matter.held]
    told = _people(cases)
    facts = {"category": matter.category.name, "place": place_of(matter)}
    for ref in told:
        outbox.enqueue("casework.matter_taken", to=ref, **facts)
    events.publish(
        "matters_recur",
        matter=matter.public_id,
        community=matter.community.code,
        title=_("%(place)s：%(category)s", **facts),
        cases=[case.public_id for case in cases],
        people=told,
    )
    audit.record("cases.matter_taken", matter, count=matter.count, told=len(told))
    return len(told)


def _people(cases: Iterable[Case]) -> list[outbox.Recipient]:
    """Everybody who reported or follows one of them, each once."""
    ids = [case.id for case in cases]
    reporters = sa.select(Case.reporter_id).where(Case.id.in_(ids), Case.reporter_id.is_not(None))
    followers = sa.select(CaseFollower.person_id).where(CaseFollower.case_id.in_(ids))
    query = sa.select(Person).where(sa.or_(Person.id.in_(reporters), Person.id.in_(followers))).order_by(Person.id)
    return list(dict.fromkeys(people.resolved(person).ref for person in db.session.scalars(query)))


def take_out(matter: Matter, cases: Collection[str], why: str, *, by: Actor) -> int:
    """These speak of something else: they leave the matter and are never found with it again; how many left."""
    if not why.strip():
        raise Refused(_("请写明为什么说的不是同一件事。"), field="why")
    _open_for_sorting(matter)
    leaving = [row for row in matter.held if row.case.public_id in cases]
    staying = [row.case for row in matter.held if row not in leaving]
    if not leaving:
        raise Refused(_("请勾选要移出去的诉求。"), field="cases")
    if not staying:
        raise Refused(_("至少要留下一件。都不是同一件事，请点“暂不处理”并写明原因。"), field="cases")
    for row in leaving:
        row.out_at, row.out_by, row.out_why = now(), by.name, why.strip()
    _sum_up(matter, sorted(staying, key=_sent))
    db.session.flush()
    audit.record("cases.matter_split", matter, reason=why.strip(), out=[row.case.public_id for row in leaving])
    return len(leaving)


def put_back(matter: Matter, case: str, *, by: Actor) -> None:
    """It was the same matter after all."""
    _open_for_sorting(matter)
    row = next((row for row in matter.taken_out if row.case.public_id == case), None)
    if row is None:
        raise Refused(_("这件已经放回去了，请刷新页面看看。"))
    row.out_at, row.out_by, row.out_why = None, "", ""
    _sum_up(matter, sorted((one.case for one in matter.held), key=_sent))
    db.session.flush()
    audit.record("cases.matter_joined", matter, case=case, by=by.name)


def _open_for_sorting(matter: Matter) -> None:
    """Hold the row, so that of two workers who sort or decide at once the second sees what the first did."""
    query = sa.select(Matter).where(Matter.id == matter.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    db.session.expire(matter, ["cases"])
    if matter.state is not MatterState.PROPOSED:
        raise Refused(_("%(name)s已经处理过这件事，请刷新页面看看。", name=matter.decided_by_name))


def dismiss(matter: Matter, why: str, *, by: Actor) -> None:
    """Not a topic: why, and not proposed again until some more came."""
    if not why.strip():
        raise Refused(_("请写明为什么暂不处理。"), field="why")
    _decide(matter, MatterState.DISMISSED, why.strip(), by)
    audit.record("cases.matter_dismissed", matter, reason=why.strip(), count=matter.count)


def _decide(matter: Matter, to: MatterState, why: str, by: Actor) -> None:
    """Of two who decide at once one wins."""
    values = {"state": to, "why": why, "seen": matter.count, "decided_at": now(), "decided_by_name": by.name}
    standing = sa.and_(Matter.id == matter.id, Matter.state == MatterState.PROPOSED)
    decided = guarded(sa.update(Matter).where(standing).values(values))
    db.session.refresh(matter, list(values))
    if not decided:
        raise Refused(_("%(name)s已经处理过这件事，请刷新页面看看。", name=matter.decided_by_name))


def place_of(matter: Matter) -> str:
    """Where it is, in words."""
    if matter.building:
        return f"{matter.building.estate.name} {matter.building.name}"
    return matter.grid.name if matter.grid else matter.community.name
