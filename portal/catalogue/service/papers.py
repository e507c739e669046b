"""Papers taken for an errand (代办): what was handed in, where it is now, when it went back."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.counter import ErrandPaper, PaperMove
from portal.catalogue.service import reach
from portal.core import audit, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.core.ids import new_public_id

A_PAGE = 50


def _loaded(within: Collection[Scope]) -> sa.Select[ErrandPaper]:
    options = (joinedload(ErrandPaper.person), joinedload(ErrandPaper.appointment).joinedload(Appointment.item))
    return (
        sa.select(ErrandPaper)
        .where(reach.reached(within, ErrandPaper.community_id, ErrandPaper.person_id))
        .options(*options)
    )


def papers(within: Collection[Scope], *, returned: bool = False, page: int = 1) -> list[ErrandPaper]:
    """Those that are out, the longest first; or those that went back, the latest first. One more than a page."""
    query = _loaded(within)
    if returned:
        query = query.where(ErrandPaper.returned_at.is_not(None)).order_by(ErrandPaper.returned_at.desc())
    else:
        query = query.where(ErrandPaper.returned_at.is_(None)).order_by(ErrandPaper.taken_at)
    query = query.order_by(ErrandPaper.id).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)
    return list(db.session.scalars(query))


def paper_in(within: Collection[Scope], public_id: str) -> ErrandPaper:
    query = _loaded(within).where(ErrandPaper.public_id == public_id).options(selectinload(ErrandPaper.moves))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def papers_of(appointment: Appointment) -> list[ErrandPaper]:
    query = sa.select(ErrandPaper).where(ErrandPaper.appointment_id == appointment.id).order_by(ErrandPaper.id)
    return list(db.session.scalars(query))


def take(appointment: Appointment, what: str, place: str, *, by: Actor, idem: str = "") -> None:
    """Take a paper in: what it is, and where it is kept. The same `idem` again takes nothing more."""
    moment, public_id = now(), new_public_id()
    said = f"{appointment.public_id}|{what}|{place}"
    if tokens.first_request(by.public_id, "catalogue.paper", idem, said, public_id) is not None:
        return
    paper = ErrandPaper(
        public_id=public_id,
        community_id=appointment.slot.timetable.community_id,
        person_id=appointment.person_id,
        appointment_id=appointment.id,
        what=what,
        place=place,
        taken_at=moment,
        taken_by_name=by.name,
    )
    paper.moves = [PaperMove(place=place, at=moment, by_name=by.name)]
    db.session.add(paper)
    db.session.flush()
    audit.record("catalogue.paper_taken", paper, on_behalf_of=appointment.person.public_id)


def carry(paper: ErrandPaper, place: str, *, by: Actor) -> None:
    """The paper is somewhere else now."""
    changed = sa.update(ErrandPaper).where(ErrandPaper.id == paper.id, ErrandPaper.returned_at.is_(None))
    _only_if(guarded(changed.values(place=place)), paper)
    db.session.add(PaperMove(paper_id=paper.id, place=place, at=now(), by_name=by.name))
    db.session.flush()
    db.session.expire(paper, ["moves"])
    audit.record("catalogue.paper_moved", paper, on_behalf_of=paper.person.public_id)


def give_back(paper: ErrandPaper, to: str, *, by: Actor) -> None:
    """The paper is returned, to her or to whom she sent."""
    changed = sa.update(ErrandPaper).where(ErrandPaper.id == paper.id, ErrandPaper.returned_at.is_(None))
    _only_if(guarded(changed.values(returned_at=now(), returned_to=to)), paper)
    audit.record("catalogue.paper_returned", paper, on_behalf_of=paper.person.public_id, by=by.name)


def _only_if(changed: bool, paper: ErrandPaper) -> None:
    db.session.refresh(paper, ["place", "returned_at", "returned_to"])
    if not changed:
        raise Refused(_("这份材料已经交还，不用再登记。"))


def out_count(within: Collection[Scope]) -> int:
    query = sa.select(sa.func.count()).where(
        reach.reached(within, ErrandPaper.community_id, ErrandPaper.person_id), ErrandPaper.returned_at.is_(None)
    )
    return db.session.scalar(query) or 0
