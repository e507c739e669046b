"""What the five doors of a capability hand over: lines of a desk's list and of a person's timeline.

Every capability's service package has a module `doors` with
`todo_of(worker)`, `timeline(person)`, `hand_over(giver, taker)`, `export(person)` and `purge(before)`; home calls them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Todo:
    """Something a worker must do: words, the endpoint and its values where it is done, how many, until when."""

    words: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    due: datetime | None = None
    late: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a person's timeline: when, what happened, details, and where to read on."""

    at: datetime
    title: str
    text: str = ""
    endpoint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
