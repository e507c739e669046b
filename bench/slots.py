"""Appointments a second through HTTP against the raw transaction; 500 people for 50 places, 20 rounds; hand-overs.

Each database with the server it is meant for, as in bench/booking.py. A hand-over is an offer that ran out and passes
to the next in the line, committed, with its notices and audit rows.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.booking import _served, _timed
from bench.measuring import CROWD, machine, percentile, ratio, together, verdict
from tests.bookers import Booker, bookers
from tests.sites import ROOT, Site, site

ROUNDS, BOOKINGS = 9, 100
PEOPLE, PLACES, SLOTS = 500, 50, 20
LINE = 300
TARGET, BEYOND = 0.35, 0.5
HANDED = """
import sys, time
import sqlalchemy as sa
from datetime import timedelta
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import waiting
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.places import service as places
from portal.places.models import Capacity
from portal.registry.models import Person
from tests.acting import actor_of
from tests.buyers import Many
slot_id = {slot}
with transaction() as session:
    slot, item = session.get_one(Slot, slot_id), session.scalars(sa.select(Item).order_by(Item.id)).first()
    session.execute(sa.update(Capacity).where(Capacity.id == slot.capacity_id).values(taken=Capacity.total))
    db.session.expire_all()
    by = actor_of(Many().worker(Role.SYSTEM_ADMINISTRATOR))
    for person in session.scalars(sa.select(Person).order_by(Person.id).limit({line})).all():
        waiting.join(slot, item, person, by=by)
    places.give_back(slot.capacity_id, 1)
started, handed = time.perf_counter(), 0
while due := places.due(moment := now() + timedelta(hours=13)):
    db.session.rollback()
    with transaction():
        handed += sum(places.lapse(number, moment) for number in due)
sys.stdout.write(str(handed / (time.perf_counter() - started)))
"""


def _raw(made: Site, slot: int) -> float:
    command = [sys.executable, "-m", "bench.raw_slot", str(slot), str(BOOKINGS)]
    done = subprocess.run(command, env=made.env, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _through_http(crowd: Sequence[Booker]) -> float:
    """The pages are looked at before: what is measured is booking."""
    together(Booker.look, crowd)
    answers, rate = together(_timed, crowd)
    if {status for status, _seconds in answers} != {303}:
        raise RuntimeError(f"not every booking was taken: {answers}")
    return rate


def _compare(made: Site, database: str) -> str:
    # The raw transactions have a slot of their own, which nobody else books.
    crowd, slots = bookers(made, BOOKINGS * ROUNDS, places=BOOKINGS * ROUNDS, slots=2)
    ours, theirs = [], []
    with _served(made, database):
        for number in range(ROUNDS):
            theirs.append(_raw(made, slots[1]))
            ours.append(_through_http(crowd[number * BOOKINGS : (number + 1) * BOOKINGS]))
        for booker in crowd:
            booker.close()
    print(f"{database}: {max(ours):.0f} appointments/s through HTTP, {max(theirs):.0f}/s raw, {CROWD} at a time")
    return verdict(f"appointments on {database}", ratio(ours, theirs), TARGET, BEYOND)


def _rush(made: Site, database: str) -> str:
    people, slots = bookers(made, PEOPLE * 2, places=PLACES, slots=SLOTS)
    booked, waits, bad = [], [], 0
    with _served(made, database):
        for number, slot in enumerate(slots):
            # Two crowds in turn: nobody may press more than ten times in a minute.
            crowd = people[number % 2 :: 2]
            for booker in crowd:
                booker.dish = slot
            together(Booker.look, crowd)
            answers, _rate = together(_timed, crowd, crowd=64)
            statuses = [status for status, _seconds in answers]
            booked.append(statuses.count(303))
            bad += sum(status >= 500 for status in statuses)
            waits += [seconds for _status, seconds in answers]
            for booker in crowd:
                booker.close()
    held = made.scalar("SELECT count(*) FROM appointment WHERE state = 'booked'")
    exact = set(booked) == {PLACES} and held == PLACES * SLOTS
    waited = percentile(waits, 0.99)
    verdict_of = "target" if exact and not bad else "BELOW"
    given = f"{min(booked)} to {max(booked)} each, {held} held, {bad} answers 5xx, p99 {waited:.2f} s"
    return f"{SLOTS} x {PEOPLE} people for {PLACES} places on {database}: {given}  (exact, 0)  {verdict_of}"


def _hand_over(made: Site, database: str) -> str:
    _crowd, slots = bookers(made, LINE, places=1)
    rate = float(made.python(HANDED.format(slot=slots[0], line=LINE)))
    return f"waiting list on {database}: {rate:.0f} hand-overs/s, one runner"


def main() -> None:
    print(machine())
    os.environ["TEST_DURABLE"] = "1"
    lines = []
    for database in ("sqlite", "postgresql"):
        for act in (_compare, _hand_over, _rush):
            with tempfile.TemporaryDirectory() as folder, site(database, Path(folder) / "site") as made:
                lines.append(act(made.migrated(), database))
                print(lines[-1], flush=True)


if __name__ == "__main__":
    main()
