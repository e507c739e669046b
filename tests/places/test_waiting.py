"""The line before a capacity: who waits, what is offered for how long, and that a place is never sold twice."""

from datetime import timedelta

import pytest
import time_machine

from portal.core import settings
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.places import service as places
from portal.places.models import MOVES, Capacity, Waiting, WaitingState
from tests.acting import actor_of
from tests.meals.stand import heard

FULL = Refused("full")


@pytest.fixture
def capacity(make):
    """Two places, both taken."""
    return make.add(Capacity(total=2, taken=2))


@pytest.fixture
def join(make, capacity):
    """Put somebody new, or a given person, at the end of the line, which closes in four days."""
    by = actor_of(make.resident())

    def joining(person=None, *, closes=timedelta(days=4), units=1):
        person = person or make.person(f"李{make.number()}")
        facts = {"kind": "test", "ref": "1", "closes_at": now() + closes, "by": by, "units": units}
        with transaction():
            return places.join(capacity.id, person, **facts)

    return joining


def give_back(capacity, units=1):
    with transaction():
        places.give_back(capacity.id, units)


def lapse_all(moment=None):
    moment = moment or now()
    due = places.due(moment)
    db.session.rollback()
    done = 0
    for number in due:
        with transaction():
            done += places.lapse(number, moment)
    return done


def test_who_joins_is_told_how_many_stand_before_her(make, join):
    first, second, third = join(), join(), join()
    assert [places.place_in_line(one) for one in (first, second, third)] == [1, 2, 3]
    with transaction():
        places.leave(db.session.merge(first))
    assert [places.place_in_line(make.read(one)) for one in (second, third)] == [1, 2]


def test_nobody_waits_for_what_is_still_to_be_had(make, join, capacity):
    with transaction():
        db.session.merge(capacity).taken = 1
    with pytest.raises(Refused, match="直接预约"):
        join()


def test_nobody_stands_in_a_line_twice_nor_under_another_name(make, join):
    person = make.person()
    join(person)
    with pytest.raises(Refused, match="不用再排"):
        join(person)
    kept = make.person("王秀瑛")
    with transaction():
        db.session.merge(person).merged_into_id = kept.id
    with pytest.raises(Refused, match="不用再排"):
        join(kept)


def test_a_place_that_comes_back_is_offered_to_the_first_and_stays_taken(app, make, join, capacity):
    offers = heard(app, places.OFFERED)
    first, second = join(), join()
    give_back(capacity)
    assert make.read(first).state is WaitingState.OFFERED
    assert make.read(second).state is WaitingState.WAITING
    assert make.read(capacity).left == 0
    with pytest.raises(Refused), transaction():
        places.take(capacity.id, 1, refusal=FULL)
    assert [facts["waiting"].id for facts in offers] == [first.id]


def test_an_offer_stands_as_long_as_is_set_and_less_when_it_is_near(make, join, capacity):
    far, near = join(closes=timedelta(days=4)), join(closes=timedelta(hours=3))
    give_back(capacity, 2)
    far, near = make.read(far), make.read(near)
    assert far.offer_until - far.offered_at == timedelta(hours=12)
    assert timedelta(hours=1, minutes=29) < near.offer_until - near.offered_at <= timedelta(hours=1, minutes=30)
    with transaction():
        settings.put(places.OFFER_HOURS, 2, valid_from=today(), by="test")
    third = join(closes=timedelta(days=4))
    with transaction():
        places.leave(db.session.merge(far))
    third = make.read(third)
    assert third.offer_until - third.offered_at == timedelta(hours=2)


def test_what_comes_back_just_before_the_beginning_is_free_for_everybody(make, join, capacity):
    waits = join(closes=timedelta(minutes=15))
    give_back(capacity)
    assert make.read(waits).state is WaitingState.WAITING
    assert make.read(capacity).left == 1


def test_an_offer_that_is_taken_needs_no_further_place(make, join, capacity):
    waits = join()
    give_back(capacity)
    with transaction():
        places.accept(make.read(waits))
    assert make.read(waits).state is WaitingState.TAKEN
    assert make.read(capacity).taken == 2


def test_an_offer_is_taken_once(make, join, capacity):
    waits = join()
    give_back(capacity)
    with transaction():
        places.accept(make.read(waits))
    with pytest.raises(Refused, match="保留时间"), transaction():
        places.accept(make.read(waits))


def test_an_offer_that_ran_out_is_not_taken_even_before_the_job_saw_it(make, join, capacity):
    waits = join()
    give_back(capacity)
    with time_machine.travel(now() + timedelta(hours=13)), pytest.raises(Refused, match="保留时间"), transaction():
        places.accept(make.read(waits))


def test_a_declined_offer_goes_to_the_next(make, join, capacity):
    first, second = join(), join()
    give_back(capacity)
    with transaction():
        places.leave(make.read(first))
    assert make.read(first).state is WaitingState.LEFT
    assert make.read(second).state is WaitingState.OFFERED
    assert make.read(capacity).taken == 2


def test_an_offer_that_nobody_answers_passes_on_once_and_the_last_frees_the_place(app, make, join, capacity):
    lapsed = heard(app, places.LAPSED)
    first, second = join(), join()
    give_back(capacity)
    with time_machine.travel(now() + timedelta(hours=13)):
        assert lapse_all() == 1
        assert lapse_all() == 0
        assert make.read(second).state is WaitingState.OFFERED
    with time_machine.travel(now() + timedelta(hours=26)):
        assert lapse_all() == 1
    assert [make.read(one).state for one in (first, second)] == [WaitingState.LAPSED, WaitingState.LAPSED]
    assert make.read(capacity).taken == 1
    assert len(lapsed) == 2


def test_a_line_whose_time_has_come_is_closed_and_its_people_told(app, make, join):
    closed = heard(app, places.CLOSED)
    waits = join(closes=timedelta(hours=1))
    with time_machine.travel(now() + timedelta(hours=2)):
        assert lapse_all() == 1
    assert make.read(waits).state is WaitingState.CLOSED
    assert len(closed) == 1


def test_a_line_that_is_closed_frees_what_was_offered(app, make, join, capacity):
    closed = heard(app, places.CLOSED)
    join(), join()
    give_back(capacity)
    with transaction():
        assert places.close_line(capacity.id, reason="停办") == 2
    assert make.read(capacity).taken == 1
    assert len(closed) == 2
    assert places.line(capacity.id) == []


def test_who_is_taken_out_of_every_line_gives_up_what_was_offered(make, join, capacity):
    person = make.person()
    first, second = join(person), join()
    give_back(capacity)
    with transaction():
        assert places.end_for(person, reason="test") == 1
    assert make.read(first).state is WaitingState.CLOSED
    assert make.read(second).state is WaitingState.OFFERED
    assert make.read(capacity).taken == 2


def test_more_places_are_offered_to_who_waits(make, join, capacity):
    first, second, third = join(), join(), join()
    with transaction():
        places.resize(capacity.id, 4)
    states = [make.read(one).state for one in (first, second, third)]
    assert states == [WaitingState.OFFERED, WaitingState.OFFERED, WaitingState.WAITING]
    assert make.read(capacity).left == 0


def test_who_needs_two_places_is_passed_over_while_one_is_free_and_keeps_her_place(make, join, capacity):
    couple, single = join(units=2), join()
    give_back(capacity)
    assert make.read(couple).state is WaitingState.WAITING
    assert make.read(single).state is WaitingState.OFFERED
    with transaction():
        places.leave(make.read(single))
        places.give_back(capacity.id, 1)
    assert make.read(couple).state is WaitingState.OFFERED


def test_the_database_itself_refuses_a_second_live_row(make, join, capacity):
    waits = join()
    with pytest.raises(Exception, match=r"(?i)unique"), transaction() as session:
        session.add(
            Waiting(
                capacity_id=capacity.id,
                person_id=waits.person_id,
                kind="test",
                ref="1",
                state=WaitingState.OFFERED,
                queued_at=now(),
                closes_at=now(),
                placed_by="x",
                placed_by_name="x",
            )
        )


def test_somebody_elses_row_is_missing(make, join):
    waits, other = join(), make.person("张三")
    with pytest.raises(Missing):
        places.line_of("test", [other], waits.public_id)
    with pytest.raises(Missing):
        places.line_of("another", [waits.person], waits.public_id)


def test_every_state_that_is_no_end_has_a_way_out():
    ends = {state for state, following in MOVES.items() if not following}
    assert ends == {WaitingState.TAKEN, WaitingState.LAPSED, WaitingState.LEFT, WaitingState.CLOSED}


def test_what_ended_long_ago_is_forgotten_and_what_lives_stays(make, join):
    ended, lives = join(), join()
    with transaction():
        places.leave(make.read(ended))
    with transaction():
        assert places.purge("other", now() + timedelta(days=1)) == 0
        assert places.purge("test", now() + timedelta(days=1)) == 1
    assert make.read(lives).state is WaitingState.WAITING
