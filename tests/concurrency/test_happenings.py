"""One event told by several workers at the same moment happens once: what one saw is looked at again under the lock."""

import sqlalchemy as sa

from portal.areas.models import Area
from portal.areas.service import area_scope
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import Happening, Person, PersonState
from portal.registry.service import lives, registering
from tests.concurrency.test_portions import at_once

WORKERS = 8


def events() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Happening)) or 0


def test_of_simultaneous_deaths_of_one_person_one_is_recorded(app, make):
    person_id = make.person().id

    def die(_number: int) -> bool:
        try:
            with transaction():
                lives.death(db.session.get_one(Person, person_id), day=today())
            return True
        except Refused:
            return False

    assert at_once(app, WORKERS, die) == 1
    assert events() == 1


def test_somebody_who_moved_out_is_taken_in_by_one_of_many_communities(app, make):
    person_id = make.person(state=PersonState.MOVED_OUT).id
    takers = [make.community(f"社区{number}").id for number in range(WORKERS)]

    def take(number: int) -> bool:
        try:
            with transaction():
                community = db.session.get_one(Area, takers[number])
                person = db.session.get_one(Person, person_id)
                registering.take_in(person, community, within=[area_scope(community)], day=today())
            return True
        except Refused:
            return False

    assert at_once(app, WORKERS, take) == 1
    assert events() == 1
