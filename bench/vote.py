"""Votes a second through HTTP against the raw transaction; 2,000 entitled vote in a rush, 64 at a time.

Each database with the server it is meant for, as in bench/booking.py. Every vote that was acknowledged is in the
published file, once. The arguments scale it down to try it: votes a round, people of the rush.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.booking import _served, _timed
from bench.measuring import CROWD, machine, percentile, ratio, together, verdict
from tests.balloters import Balloter, balloters
from tests.sites import ROOT, Site, site

SAID = [int(word) for word in sys.argv[1:3]]
ROUNDS = 3
VOTES = SAID[0] if SAID else 200
PEOPLE = SAID[1] if len(SAID) > 1 else 2000
TARGET, BEYOND = 0.35, 0.5
COUNT = """
from datetime import timedelta
from portal.core import clock
from portal.core.db import db, transaction
from portal.deliberation import recount
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import counting
with transaction():
    db.session.get_one(Vote, {vote}).closes_at = clock.now() - timedelta(seconds=1)
for act in (counting.close, counting.count):
    with transaction():
        act(counting.one({vote}))
found = recount.recount(counting.file_of(counting.one({vote})).content)
print(sum(found.heads.values()) if not found.flaws else -1)
"""


def _raw(made: Site, vote: int) -> float:
    command = [sys.executable, "-m", "bench.raw_vote", str(vote), str(VOTES)]
    done = subprocess.run(command, env=made.env, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _through_http(crowd: Sequence[Balloter]) -> float:
    """The pages are looked at before: what is measured is voting."""
    together(Balloter.look, crowd)
    answers, rate = together(_timed, crowd)
    if {status for status, _seconds in answers} != {200}:
        raise RuntimeError(f"not every vote was taken: {answers}")
    return rate


def _compare(made: Site, database: str) -> str:
    crowd = balloters(made, VOTES * ROUNDS)
    ours, theirs = [], []
    with _served(made, database):
        for number in range(ROUNDS):
            theirs.append(_raw(made, crowd[0].menu))
            ours.append(_through_http(crowd[number * VOTES : (number + 1) * VOTES]))
        for voter in crowd:
            voter.close()
    print(f"{database}: {max(ours):.0f} votes/s through HTTP, {max(theirs):.0f}/s raw, {CROWD} at a time")
    return verdict(f"votes on {database}", ratio(ours, theirs), TARGET, BEYOND)


def _looked(voter: Balloter) -> None:
    """Each telephone has a connection of its own, and keeps it no longer than a page takes."""
    voter.look()
    voter.close()


def _voted(voter: Balloter) -> tuple[int, float]:
    answer = _timed(voter)
    voter.close()
    return answer


def _rush(made: Site, database: str) -> str:
    """Everybody votes at once, and half of them twice: an impatient second press."""
    crowd = balloters(made, PEOPLE)
    with _served(made, database):
        together(_looked, crowd)
        answers, rate = together(_voted, crowd, crowd=64)
        again, _rate = together(_voted, crowd[: PEOPLE // 2], crowd=64)
    statuses = [status for status, _seconds in answers]
    waited = percentile([seconds for _status, seconds in answers], 0.99)
    counted = int(made.python(COUNT.format(vote=crowd[0].menu)).split()[-1])
    exact = statuses.count(200) == counted == PEOPLE and {status for status, _seconds in again} == {200}
    bad = sum(status >= 500 for status in statuses)
    good = exact and not bad and rate * 60 >= PEOPLE
    return (
        f"rush on {database}: {statuses.count(200)} of {PEOPLE} acknowledged, {counted} counted once, {bad} answers "
        f"5xx, p99 {waited:.2f} s, {rate:.0f}/s, 64 at a time  (exact, 0, within a minute)  "
        f"{'target' if good else 'BELOW'}"
    )


def main() -> None:
    print(machine())
    os.environ["TEST_DURABLE"] = "1"
    for database in ("sqlite", "postgresql"):
        for act in (_compare, _rush):
            with tempfile.TemporaryDirectory() as folder, site(database, Path(folder) / "site") as made:
                print(act(made.migrated(), database), flush=True)


if __name__ == "__main__":
    main()
