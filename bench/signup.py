"""Signups a second through HTTP against the raw transaction; 300 people for 40 places in 8 shifts at once.

Each database with the server it is meant for, as in bench/booking.py. The arguments scale it down to try it: signups a
round, people of the rush.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.booking import _served, _timed
from bench.measuring import CROWD, machine, percentile, ratio, together, verdict
from tests.joiners import Joiner, joiners
from tests.sites import ROOT, Site, site

SAID = [int(word) for word in sys.argv[1:3]]
ROUNDS = 9
SIGNUPS = SAID[0] if SAID else 100
PEOPLE = SAID[1] if len(SAID) > 1 else 300
SHIFTS, PLACES = 8, 5
TARGET, BEYOND = 0.35, 0.5


def _raw(made: Site, post: int) -> float:
    command = [sys.executable, "-m", "bench.raw_signup", str(post), str(SIGNUPS)]
    done = subprocess.run(command, env=made.env, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _through_http(crowd: Sequence[Joiner]) -> float:
    """The pages are looked at before: what is measured is joining."""
    together(Joiner.look, crowd)
    answers, rate = together(_timed, crowd)
    if {status for status, _seconds in answers} != {303}:
        raise RuntimeError(f"not every signup was taken: {answers}")
    return rate


def _compare(made: Site, database: str) -> str:
    # The raw transactions have a post of their own, which nobody else joins.
    crowd, posts = joiners(made, SIGNUPS * ROUNDS, places=SIGNUPS * ROUNDS, shifts=2)
    ours, theirs = [], []
    with _served(made, database):
        for number in range(ROUNDS):
            theirs.append(_raw(made, posts[1]))
            ours.append(_through_http(crowd[number * SIGNUPS : (number + 1) * SIGNUPS]))
        for joiner in crowd:
            joiner.close()
    print(f"{database}: {max(ours):.0f} signups/s through HTTP, {max(theirs):.0f}/s raw, {CROWD} at a time")
    return verdict(f"signups on {database}", ratio(ours, theirs), TARGET, BEYOND)


def _rush(made: Site, database: str) -> str:
    """Everybody wants one of the shifts; each is wanted by more than it has places."""
    crowd, posts = joiners(made, PEOPLE, places=PLACES, shifts=SHIFTS)
    for number, joiner in enumerate(crowd):
        joiner.dish = posts[number % SHIFTS]
    with _served(made, database):
        together(Joiner.look, crowd)
        answers, _rate = together(_timed, crowd, crowd=64)
        for joiner in crowd:
            joiner.close()
    statuses = [status for status, _seconds in answers]
    waited = percentile([seconds for _status, seconds in answers], 0.99)
    held = made.scalar("SELECT count(*) FROM volunteer_signup WHERE state = 'joined'")
    taken = made.scalar("SELECT sum(taken) FROM capacity")
    pieces = made.scalar("SELECT count(*) FROM volunteer_held_time")
    bad = sum(status >= 500 for status in statuses)
    exact = statuses.count(303) == held == taken == SHIFTS * PLACES and pieces == held * 18
    given = f"{statuses.count(303)} joined, {held} held, {bad} answers 5xx, p99 {waited:.2f} s"
    reached = "target" if exact and not bad else "BELOW"
    return (
        f"{PEOPLE} people for {SHIFTS * PLACES} places in {SHIFTS} shifts on {database}: {given}  (exact, 0)  {reached}"
    )


def main() -> None:
    print(machine())
    os.environ["TEST_DURABLE"] = "1"
    lines = []
    for database in ("sqlite", "postgresql"):
        for act in (_compare, _rush):
            with tempfile.TemporaryDirectory() as folder, site(database, Path(folder) / "site") as made:
                lines.append(act(made.migrated(), database))
                print(lines[-1], flush=True)


if __name__ == "__main__":
    main()
