"""What the benchmarks share: a crowd of threads, paired rounds, and the machine in a line."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from portal.core.clock import today

Item = TypeVar("Item")
Answer = TypeVar("Answer")
CROWD = 16


def machine() -> str:
    """Where and when, without which no figure means anything."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return f"{today()}  {os.cpu_count()} x {model}  Python {sys.version.split()[0]}"


def together(act: Callable[[Item], Answer], items: Iterable[Item], *, crowd: int = CROWD) -> tuple[list[Answer], float]:
    """Do something to each item, `crowd` at a time; the answers, and how many were done in a second."""
    waiting = list(items)
    with ThreadPoolExecutor(crowd) as pool:
        started = time.perf_counter()
        answers = list(pool.map(act, waiting))
        seconds = time.perf_counter() - started
    return answers, len(waiting) / seconds


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: only figures of one round are compared."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def verdict(name: str, value: float, target: float, beyond: float) -> str:
    reached = "beyond" if value >= beyond else "target" if value >= target else "BELOW"
    return f"{name}: ratio {value:.2f}  (target {target}, beyond {beyond})  {reached}"
