"""What the five doors of a capability hand over: lines of a desk's list and of a person's timeline.

Every capability's service package has a module `doors`, and home calls them without knowing its tables:
`todo_of(worker)`: what waits for her, as Todo;
`timeline(person)`: what happened to a person, as Line, the newest first;
`hand_over(giver, taker, area)`: what one worker has in an area passes to another; answers how much;
`export(person)`: what is held about a person, for her own copy: names and values in words, days in ISO, amounts in
yuan with the fen beside; no codes, so that home needs nobody's models;
`purge(before)`: forget what ended before a day; answers how much.
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
