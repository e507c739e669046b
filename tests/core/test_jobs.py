"""Jobs asked for soon: one queues them for all, and none who asks is left out."""

import pytest
from flask import Flask

from portal.core import jobs
from portal.core.jobs import Jobs


class Queue:
    """What was queued, as moments at which it will run; refuses while it is `away`."""

    def __init__(self) -> None:
        self.runs: list[float] = []
        self.moment = 100.0
        self.away = False

    def monotonic(self) -> float:
        return self.moment

    def schedule(self, *, args: tuple[str, dict[str, str]], delay: float) -> None:
        assert args == ("deliver", {})
        if self.away:
            raise OSError("no queue")
        self.runs.append(self.moment + delay)


@pytest.fixture
def queue(monkeypatch) -> Queue:
    made = Queue()
    monkeypatch.setattr(jobs.time, "monotonic", made.monotonic)
    return made


@pytest.fixture
def known(app: Flask, queue, monkeypatch) -> Jobs:
    known = jobs.of(app)
    monkeypatch.setattr(known, "huey", type("Immediate", (), {"immediate": False}))
    monkeypatch.setattr(known, "run", queue)
    monkeypatch.setattr(known, "_queued", {})
    return known


def test_many_who_ask_within_a_second_queue_one_run(known, queue):
    for _asker in range(50):
        known.soon("deliver")
        queue.moment += 0.01
    assert queue.runs == [100.0 + jobs.SOON]


def test_whoever_asks_a_run_comes_after(known, queue):
    for _asker in range(40):
        known.soon("deliver")
        assert queue.runs[-1] >= queue.moment
        queue.moment += 0.13
    assert all(later - earlier >= jobs.SOON for earlier, later in zip(queue.runs, queue.runs[1:], strict=False))


def test_after_a_queue_that_was_away_the_next_who_asks_queues_again(known, queue):
    queue.away = True
    with pytest.raises(OSError, match="no queue"):
        known.soon("deliver")
    queue.away = False
    known.soon("deliver")
    assert len(queue.runs) == 1
