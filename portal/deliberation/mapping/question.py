"""What the map is made of: statements, and a row of signs for each person, who is nobody here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

AGREE, DISAGREE, PASS, UNSEEN = "+", "-", "0", "."
# No group of fewer people is shown, and no figure of fewer answers.
LEAST = 5
MOST_GROUPS = 5
# Who took a stand on fewer statements (or on all, where there are fewer) cannot be placed.
LEAST_STANDS = 7


@dataclass(frozen=True)
class Question:
    """`opinions` are the statements' ids; a row has a sign for each of them, in their order."""

    opinions: tuple[int, ...]
    rows: tuple[str, ...]

    @property
    def placed(self) -> tuple[str, ...]:
        """The rows of those who can be placed, sorted: the map is the same in whatever order people come."""
        needed = min(LEAST_STANDS, len(self.opinions))
        return tuple(sorted(row for row in self.rows if len(row) - row.count(UNSEEN) >= needed))


def of_stands(opinions: Iterable[int], stands: Iterable[tuple[int, int, str]]) -> Question:
    """A question from stands: who (any number), on which statement, which sign; of two the later counts."""
    order = tuple(sorted(set(opinions)))
    column = {opinion: number for number, opinion in enumerate(order)}
    people: dict[int, dict[int, str]] = {}
    for who, opinion, sign in stands:
        people.setdefault(who, {})[column[opinion]] = sign
    rows = ("".join(signs.get(number, UNSEEN) for number in range(len(order))) for signs in people.values())
    return Question(order, tuple(rows))


def to_json(question: Question) -> dict[str, Any]:
    return {"opinions": question.opinions, "rows": question.rows}


def from_json(data: Mapping[str, Any]) -> Question:
    return Question(tuple(data["opinions"]), tuple(data["rows"]))
