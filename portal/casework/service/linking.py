"""Requests that belong together: linked both ways, or one merged into the other."""

from collections.abc import Collection
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Estate
from portal.casework.models.cases import Case, CaseLink
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseState as S
from portal.casework.models.codes import Deed, LinkKind
from portal.casework.service import following, moves, queue, similar
from portal.core import audit, clock
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, insert_once
from portal.core.errors import Missing, Refused

# Into these no duplicate is merged: nobody will answer them any more.
DEAD_ENDS = frozenset({S.MERGED, S.WITHDRAWN, S.DECLINED, S.ARCHIVED, S.DRAFT})
# What a search shows at most, on how many words it looks, and how far from the day named.
FOUND, WORDS, AROUND = 20, 5, timedelta(days=3)
ANSWERABLE = frozenset({S.SUBMITTED, S.ACCEPTED, S.ASSIGNED, S.SIGNED, S.WORKING, S.REDO})


def linked(case: Case) -> list[tuple[LinkKind, Case]]:
    """What a request is linked with, from whichever side it was linked; those merged into it too."""
    query = (
        sa.select(CaseLink.kind, Case)
        .join(Case, sa.or_(Case.id == CaseLink.low_id, Case.id == CaseLink.high_id))
        .where(sa.or_(CaseLink.low_id == case.id, CaseLink.high_id == case.id), Case.id != case.id)
        .options(sa.orm.joinedload(Case.category), sa.orm.joinedload(Case.community))
        .order_by(CaseLink.id)
    )
    return [(kind, other) for kind, other in db.session.execute(query)]


def answerable(case: Case) -> list[Case]:
    """The linked duplicates that can be answered with it: open, and not in another's hands than this one's."""
    return [
        other
        for kind, other in linked(case)
        if kind is LinkKind.DUPLICATE and other.state in ANSWERABLE and other.holder in {"", case.holder}
    ]


def proposed(case: Case, by: Actor) -> list[Case]:
    """Likely duplicates that are not linked yet; never what is said against the worker herself."""
    known = {other.id for _kind, other in linked(case)}
    return [
        other
        for other in similar.nearby(case, private=True)
        if other.id not in known and other.against_worker != by.public_id
    ]


def search(within: Collection[Scope], case: Case, words: str, day: date | None, by: Actor) -> list[Case]:
    """What another request may be, by words, place and about a day, where nobody knows its number; the newest first."""
    spoken = words.split()[:WORDS]
    if not spoken and day is None:
        return []
    known = [case.id, *(other.id for _kind, other in linked(case))]
    query = (
        sa.select(Case)
        .outerjoin(Case.category)
        .outerjoin(Case.building)
        .outerjoin(Case.estate)
        .where(queue.visible(within, by), Case.community_id == case.community_id, Case.id.not_in(known))
        .where(*map(_says, spoken), *_around(day))
        .options(sa.orm.joinedload(Case.building).joinedload(Building.estate), sa.orm.joinedload(Case.estate))
        .order_by(Case.submitted_at.desc(), Case.id.desc())
    )
    return list(db.session.scalars(query.limit(FOUND)))


def _says(word: str) -> sa.ColumnElement[bool]:
    """What is told is sealed: its title and the words of its place and category are what can be asked for."""
    columns = (Case.title, Case.number, Case.place, Category.name, Building.name, Estate.name)
    return sa.or_(*(column.icontains(word, autoescape=True) for column in columns))


def _around(day: date | None) -> list[sa.ColumnElement[bool]]:
    if day is None:
        return []
    first, last = clock.day_bounds(day - AROUND)[0], clock.day_bounds(day + AROUND)[1]
    return [Case.submitted_at >= first, Case.submitted_at < last]


def by_number(within: Collection[Scope], number: str, by: Actor) -> Case:
    """A request in scope by the number one reads aloud."""
    wanted = Case.number == number.strip().upper().replace(" ", "")
    case = db.session.scalar(sa.select(Case).where(wanted, queue.visible(within, by)))
    if case is None:
        raise Refused(_("找不到这个编号，请核对后再填。"), field="number")
    return case


def link(case: Case, other: Case, kind: LinkKind, *, by: Actor) -> None:
    """Link two requests; both say so."""
    if case.id == other.id:
        raise Refused(_("不能和自己关联，请填另一件的编号。"), field="number")
    if case.community_id != other.community_id:
        raise Refused(_("两件诉求不在同一个社区，不能关联。"), field="number")
    low, high = sorted((case.id, other.id))
    row = {"low_id": low, "high_id": high, "kind": kind, "at": now(), "by_name": by.name}
    if not insert_once(CaseLink, row):
        raise Refused(_("这两件已经关联过了。"), field="number")
    for one, its in ((case, other), (other, case)):
        moves.step(one, Deed.LINKED, by=moves.worker(by), inside=its.number or "")


def unlink(case: Case, other_id: str, *, by: Actor) -> None:
    """Apart again: they were not the same matter."""
    found = next((other for _kind, other in linked(case) if other.public_id == other_id), None)
    if found is None or S.MERGED in {case.state, found.state}:
        raise Missing
    low, high = sorted((case.id, found.id))
    db.session.execute(sa.delete(CaseLink).where(CaseLink.low_id == low, CaseLink.high_id == high))
    audit.record("cases.unlinked", case, other=found.number)
    for one, its in ((case, found), (found, case)):
        moves.step(one, Deed.NOTED, by=moves.worker(by), inside=_("取消和 %(number)s 的关联", number=its.number))


def merge(case: Case, main: Case, why: str, *, by: Actor) -> None:
    """并件: the duplicate ends, its reporter and followers follow the main request."""
    if not why.strip():
        raise Refused(_("请写明为什么并件，居民会看到。"), field="why")
    if main.state in DEAD_ENDS or main.main_id is not None:
        raise Refused(_("那一件已经结束，不能并进去。"), field="number")
    if main.id not in {other.id for _kind, other in linked(case)}:
        link(case, main, LinkKind.DUPLICATE, by=by)
    moves.move(case, S.MERGED, by=moves.worker(by), words=why.strip(), main_id=main.id)
    following.of_merged(case, main)
