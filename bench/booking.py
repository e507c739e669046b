"""Orders a second through HTTP against the raw transaction; then 500 buyers for 200 portions.

Each database with the server it is meant for, both as durable as in production: SQLite behind waitress in one process,
PostgreSQL behind granian's two workers.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.measuring import CROWD, machine, percentile, ratio, together, verdict
from tests.buyers import Buyer, buyers
from tests.sites import ROOT, Process, Site, site, until

# Many short rounds: the machine is another one from second to second, and the median is to stand on more than three.
ROUNDS, ORDERS = 9, 100
BUYERS, PORTIONS = 500, 200
TARGET, BEYOND = 0.35, 0.5


def _timed(buyer: Buyer) -> tuple[int, float]:
    started = time.perf_counter()
    status = buyer.order()
    return status, time.perf_counter() - started


@contextmanager
def _served(made: Site, database: str) -> Iterator[None]:
    """Ended by asking: granian's workers would outlive a parent that is killed."""
    process = made.serve() if database == "sqlite" else _granian(made)
    try:
        yield
    finally:
        process.end()


def _granian(made: Site) -> Process:
    facts = ["--host", "127.0.0.1", "--port", str(made.port), "--workers", "2", "--blocking-threads", "8"]
    command = ["granian", "--interface", "wsgi", *facts, "--no-ws", "--log-level", "warning", "portal.wsgi:application"]
    process = made.spawn([sys.executable, "-m", *command])
    until(lambda: _answers(made), "granian")
    return process


def _answers(made: Site) -> bool:
    try:
        return made.get("/healthz").status_code == 200
    except requests.ConnectionError:
        return False


def _raw(made: Site, menu: int) -> float:
    command = [sys.executable, "-m", "bench.raw", str(menu), str(ORDERS)]
    done = subprocess.run(command, env=made.env, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _through_http(crowd: Sequence[Buyer]) -> float:
    """The pages are looked at before: what is measured is ordering."""
    together(Buyer.look, crowd)
    answers, rate = together(_timed, crowd)
    if {status for status, _seconds in answers} != {303}:
        raise RuntimeError(f"not every order was taken: {answers}")
    return rate


def _compare(made: Site, database: str) -> str:
    crowd = buyers(made, ORDERS * ROUNDS, portions=ORDERS * ROUNDS)
    ours, theirs = [], []
    with _served(made, database):
        for number in range(ROUNDS):
            theirs.append(_raw(made, crowd[0].menu))
            ours.append(_through_http(crowd[number * ORDERS : (number + 1) * ORDERS]))
        for buyer in crowd:
            buyer.close()
    print(f"{database}: {max(ours):.0f} orders/s through HTTP, {max(theirs):.0f}/s raw, {CROWD} at a time")
    return verdict(f"orders on {database}", ratio(ours, theirs), TARGET, BEYOND)


def _rush(made: Site, database: str) -> str:
    crowd = buyers(made, BUYERS, portions=PORTIONS)
    with _served(made, database):
        together(Buyer.look, crowd)
        answers, rate = together(_timed, crowd, crowd=64)
        for buyer in crowd:
            buyer.close()
    statuses = [status for status, _seconds in answers]
    waited = percentile([seconds for _status, seconds in answers], 0.99)
    taken = made.scalar("SELECT max(taken) FROM capacity")
    good = statuses.count(303) == taken == PORTIONS and max(statuses) < 500 and waited < 3
    return (
        f"rush on {database}: {statuses.count(303)} of {PORTIONS} sold to {BUYERS}, {sum(s >= 500 for s in statuses)} "
        f"answers 5xx, p99 {waited:.2f} s, {rate:.0f}/s  (exact, 0, under 3 s)  {'target' if good else 'BELOW'}"
    )


def main() -> None:
    print(machine())
    os.environ["TEST_DURABLE"] = "1"
    lines = []
    for database in ("sqlite", "postgresql"):
        for act in (_compare, _rush):
            with tempfile.TemporaryDirectory() as folder, site(database, Path(folder) / "site") as made:
                lines.append(act(made.migrated(), database))
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
