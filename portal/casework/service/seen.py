"""Which requests a resident sees: her own, those for her, those of whom she acts for; and which she follows."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Building
from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import CaseState
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import people

REPORT = "cases.report"
# Nobody has so many: what is not sent is thrown away after some days.
DRAFTS = 100
A_PAGE = 20


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What a line about a case shows, loaded with it."""
    return (
        joinedload(Case.category),
        joinedload(Case.community),
        joinedload(Case.estate),
        joinedload(Case.building).joinedload(Building.estate),
    )


def _mine(actor: Actor, me: Person | None = None) -> sa.ColumnElement[bool]:
    known = people.people_for(actor, REPORT, me=me)
    ids = people.ids_of(*known) if known else sa.select(sa.literal(0))
    return sa.or_(Case.entered_by == actor.public_id, Case.reporter_id.in_(ids), Case.behalf_id.in_(ids))


def mine(actor: Actor, me: Person | None, *, page: int = 1) -> list[Case]:
    """Sent requests, the newest first, one more than a page; `me` where she was read already."""
    query = sa.select(Case).where(_mine(actor, me), Case.state != CaseState.DRAFT).options(_line())
    query = query.order_by(Case.submitted_at.desc(), Case.id.desc())
    return list(db.session.scalars(query.offset((page - 1) * A_PAGE).limit(A_PAGE + 1)))


def _line() -> sa.orm.interfaces.ORMOption:
    """What a line of a list shows of a request: nothing that is sealed."""
    due = (Case.accept_due, Case.sign_due, Case.finish_due, Case.callback_due)
    return sa.orm.load_only(Case.public_id, Case.number, Case.title, Case.state, Case.created_at, *due)


def drafts(actor: Actor) -> list[Case]:
    """What the actor has begun and not sent, the newest first."""
    query = sa.select(Case).where(Case.entered_by == actor.public_id, Case.state == CaseState.DRAFT)
    return list(db.session.scalars(query.options(_line()).order_by(Case.id.desc()).limit(DRAFTS)))


def case_of(actor: Actor, public_id: str) -> Case:
    """A sent request that the actor may read; Missing for a neighbour's."""
    query = sa.select(Case).where(Case.public_id == public_id, Case.state != CaseState.DRAFT, _mine(actor))
    query = query.options(*whole(), selectinload(Case.steps), selectinload(Case.photos), joinedload(Case.behalf))
    return _found(query)


def draft_of(actor: Actor, public_id: str) -> Case:
    """A request that the actor has begun and not sent."""
    query = sa.select(Case).where(Case.public_id == public_id, Case.entered_by == actor.public_id)
    return _found(query.where(Case.state == CaseState.DRAFT).options(*whole(), selectinload(Case.photos)))


def begun_by(actor: Actor, public_id: str) -> Case:
    """The same, sent meanwhile or not: a second press of a button finds where the first one led."""
    query = sa.select(Case).where(Case.public_id == public_id, Case.entered_by == actor.public_id)
    return _found(query.options(*whole(), selectinload(Case.photos)))


def followed(me: Person | None) -> list[Case]:
    """What somebody follows, the newest first."""
    query = sa.select(Case).join(CaseFollower, CaseFollower.case_id == Case.id)
    query = query.where(CaseFollower.person_id.in_(_ids(me))).options(*whole())
    return list(db.session.scalars(query.order_by(CaseFollower.id.desc()).limit(A_PAGE)))


def followed_one(actor: Actor, public_id: str) -> Case:
    """A case that the actor follows: of it only what is public is shown."""
    query = sa.select(Case).join(CaseFollower, CaseFollower.case_id == Case.id).where(Case.public_id == public_id)
    return _found(query.where(CaseFollower.person_id.in_(_own_ids(actor))).options(*whole(), selectinload(Case.photos)))


def goes_on(actor: Actor, case: Case) -> Case | None:
    """The request into which hers was merged, where the actor follows it."""
    if case.main_id is None:
        return None
    query = sa.select(Case).join(CaseFollower, CaseFollower.case_id == Case.id).where(Case.id == case.main_id)
    return db.session.scalar(query.where(CaseFollower.person_id.in_(_own_ids(actor))))


def _own_ids(actor: Actor) -> sa.Select[int]:
    return _ids(people.person_of_or_none(actor, lean=True))


def _ids(me: Person | None) -> sa.Select[int]:
    return people.ids_of(me) if me else sa.select(sa.literal(0))


def _found(query: sa.Select[Case]) -> Case:
    case = db.session.scalar(query)
    if case is None:
        raise Missing
    return case
