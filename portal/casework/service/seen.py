"""Which requests a resident sees: her own, those for her, those of whom she acts for; and which she follows."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Building
from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import CaseState
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.service import people

REPORT = "cases.report"
A_PAGE = 20


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What a line about a case shows, loaded with it."""
    return (
        joinedload(Case.category),
        joinedload(Case.community),
        joinedload(Case.estate),
        joinedload(Case.building).joinedload(Building.estate),
    )


def _mine(actor: Actor) -> sa.ColumnElement[bool]:
    known = people.people_for(actor, REPORT)
    ids = people.ids_of(*known) if known else sa.select(sa.literal(0))
    return sa.or_(Case.entered_by == actor.public_id, Case.reporter_id.in_(ids), Case.behalf_id.in_(ids))


def mine(actor: Actor, *, page: int = 1, drafts: bool = False) -> list[Case]:
    """Sent requests, the newest first, one more than a page; or the drafts."""
    draft = Case.state == CaseState.DRAFT
    query = sa.select(Case).where(_mine(actor), draft if drafts else sa.not_(draft)).options(*whole())
    if drafts:
        query = query.where(Case.entered_by == actor.public_id)
    newest = (Case.submitted_at.desc(), Case.id.desc()) if not drafts else (Case.id.desc(),)
    return list(db.session.scalars(query.order_by(*newest).offset((page - 1) * A_PAGE).limit(A_PAGE + 1)))


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


def followed(actor: Actor) -> list[Case]:
    """What the actor follows, the newest first."""
    query = sa.select(Case).join(CaseFollower, CaseFollower.case_id == Case.id)
    query = query.where(CaseFollower.person_id.in_(_own_ids(actor))).options(*whole())
    return list(db.session.scalars(query.order_by(CaseFollower.id.desc()).limit(A_PAGE)))


def followed_one(actor: Actor, public_id: str) -> Case:
    """A case that the actor follows: of it only what is public is shown."""
    query = sa.select(Case).join(CaseFollower, CaseFollower.case_id == Case.id).where(Case.public_id == public_id)
    return _found(query.where(CaseFollower.person_id.in_(_own_ids(actor))).options(*whole(), selectinload(Case.photos)))


def _own_ids(actor: Actor) -> sa.Select[int]:
    me = people.person_of_or_none(actor, lean=True)
    return people.ids_of(me) if me else sa.select(sa.literal(0))


def _found(query: sa.Select[Case]) -> Case:
    case = db.session.scalar(query)
    if case is None:
        raise Missing
    return case
