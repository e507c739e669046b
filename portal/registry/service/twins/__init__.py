"""Twins: people of the register who may be one human being, found by likeness, and the queue a worker decides."""

from portal.registry.service.twins.queue import (
    PAGE,
    apart,
    between,
    later,
    pairs,
    people_of,
    todo_of,
    waiting,
    waiting_pairs,
    waiting_rows,
)
from portal.registry.service.twins.scoring import reason_words
from portal.registry.service.twins.seeking import ask, seek

__all__ = [
    "PAGE",
    "apart",
    "ask",
    "between",
    "later",
    "pairs",
    "people_of",
    "reason_words",
    "seek",
    "todo_of",
    "waiting",
    "waiting_pairs",
    "waiting_rows",
]
