"""What tests of care visits share: a street with its tables, a worker as an actor, a record."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Actor, Grant, Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import Person, TagKind
from portal.visits.models import CareRule, CareSpell, CareSubject, Level, Method, Visit, VisitKind
from portal.visits.service import listing, planning, recording, tables
from portal.visits.service.recording import Said
from tests.days import just_now
from tests.make import Make

BORN_85 = date(1941, 1, 1)


def tables_set(make: Make, since: date = date(2020, 1, 1)) -> None:
    with transaction():
        tables.seed(make.street().code, by="何立新", since=since)


def tag_rule(make: Make, level: Level, tag: TagKind) -> CareRule:
    code = make.street().code
    return CareRule(area_code=code, valid_from=date(2020, 1, 1), name="另一条", tags=[tag.value], level=level)


def actor(account: Account) -> Actor:
    grants = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in account.grants)
    return Actor(account.id, account.public_id, account.name, account.platform, grants, 0, now())


def here(make: Make) -> tuple[Scope, ...]:
    return (Scope("community", make.community().code),)


def alone(make: Make, name: str = "王秀英", born: date = BORN_85, **more: Any) -> Person:
    """Somebody of 85 who lives alone: high risk by the defaults."""
    return make.person(name, born=born, tags=[TagKind.LIVING_ALONE], **more)


def subject(person: Person) -> CareSubject:
    found = listing.known(person)
    assert found is not None
    return found


def spells(person: Person) -> list[CareSpell]:
    query = sa.select(CareSpell).where(CareSpell.subject_id == subject(person).id)
    return list(db.session.scalars(query.order_by(CareSpell.id)))


def on_list(person: Person, since: date | None = None, until: date | None = None) -> CareSubject:
    """On the list by hand, from a day: months of the past need it."""
    with transaction() as session:
        made = listing.subject_of(person)
        made.level = None if until else Level.HIGH
        session.add(CareSpell(subject_id=made.id, level=Level.HIGH, since=since or today(), until=until))
    return made


def planned(community: Area, day: date | None = None) -> list[Visit]:
    with transaction():
        planning.plan(community, day)
    db.session.rollback()
    return visits()


def visits() -> list[Visit]:
    return list(db.session.scalars(sa.select(Visit).order_by(Visit.due_on, Visit.id)))


def promised(person: Person, day: date | None = None) -> Visit:
    with transaction():
        return planning.promise(listing.subject_of(person), day or today(), VisitKind.EXTRA)


def said(*, met: bool = True, method: Method = Method.HOME, at: datetime | None = None, **more: Any) -> Said:
    return Said(method=method, met=met, at=at or just_now(), **more)


def visited(person: Person, by: Account, at: datetime | None = None, **more: Any) -> Visit:
    """A visit done and recorded, perhaps in a month that is over."""
    with transaction():
        moment = at or just_now()
        day = clock.local(moment).date()
        visit = planning.promise(listing.subject_of(person), day, VisitKind.EXTRA, period=f"T{moment:%Y%m%d%H%M%S%f}")
        recording.record(visit, said(at=moment, **more), by=actor(by))
    return visit


def filled(**more: Any) -> dict[str, str | list[str]]:
    local = clock.local(just_now())
    return {"method": "home", "met": "yes", "day": f"{local:%Y-%m-%d}", "at": f"{local:%H:%M}", **more}


def mine(make: Make) -> tuple[Account, Person, Visit]:
    tables_set(make)
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid, name="王建国")
    person = alone(make, grid=grid)
    planned(make.community(), today() - timedelta(days=today().weekday()))
    (first, *_rest) = visits()
    return worker, person, first
