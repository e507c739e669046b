"""What the doors of a capability hand over: lines of a desk's list and of a person's timeline.

Every capability's service package has a module `doors`, and home calls them without knowing its tables:
`todo_of(worker)`: what waits for her, as Todo;
`open_of(workers, area)`: how much is open and late there in the name of each of some workers, as Load by public id,
"" for what is nobody's in particular; the same few questions however many they are;
`timeline(person)`: what happened to a person, as Line, the newest first;
`to_pass(giver, taker, area)`: what of one worker's would pass to another in an area, as Passed: changes nothing;
`hand_over(giver, taker, area)`: the same passes; answers what did;
`take_back(giver, taker, passed, since)`: what passed at a moment returns as it was, all of it or, with Refused, nothing
where somebody has touched some of it since. What time alone did to it (a week that went by) is no touch;
`passed_words(kind)`: what a kind of Passed is called;
`passed_names(kind, ids)`: whom or what some of a kind are about, by name;
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
class Load:
    """How much is open in somebody's name, and how much of that is late."""

    open: int = 0
    late: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.open + other.open, self.late + other.late)


@dataclass(frozen=True)
class Line:
    """One line of a person's timeline: when, what happened, details, and where to read on."""

    at: datetime
    title: str
    text: str = ""
    endpoint: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """One thing that a hand-over passes: its kind (a code of the capability) and id, whose it was, how it stood then.

    Codes, ids and moments only, never a sealed value: a hand-over keeps these to be able to take everything back.
    """

    kind: str
    id: int
    was: dict[str, Any] = field(default_factory=dict)
    mark: list[Any] = field(default_factory=list)
