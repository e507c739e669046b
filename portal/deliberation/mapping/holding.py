"""What each group holds, what all of them hold and what is undecided, in counts of at least five answers.

A group's statements are those that it agrees with (or rejects) more than everybody else, tested as Polis does: the
share in the group against one half, and against the share of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod, sqrt
from typing import Any

from portal.deliberation.mapping.question import AGREE, DISAGREE, LEAST, PASS

# Nine in ten of such differences are none of chance (one-sided).
SURE = 1.2816
# From such a share of the answers on a group holds something; so many of each list are shown.
HOLDS, SHOWN = 0.6, 5
# Undecided: so many pass, or those who do not pass are as good as halved.
PASSES, APART = 0.3, 0.2


@dataclass(frozen=True)
class Cell:
    """How many agree, disagree and pass."""

    agree: int = 0
    disagree: int = 0
    passes: int = 0

    @property
    def answers(self) -> int:
        return self.agree + self.disagree + self.passes

    def of(self, stand: str) -> int:
        return self.agree if stand == "agree" else self.disagree

    def share(self, stand: str) -> float:
        """A share that is careful where few answered."""
        return (self.of(stand) + 1) / (self.answers + 2)

    def less(self, other: "Cell") -> "Cell":
        return Cell(self.agree - other.agree, self.disagree - other.disagree, self.passes - other.passes)

    @property
    def counts(self) -> list[int]:
        return [self.agree, self.disagree, self.passes]


@dataclass(frozen=True)
class Line:
    """A statement: how all stand on it, and each group, or None where so few answered that it is not told."""

    opinion: int
    whole: Cell
    groups: tuple[Cell | None, ...]


Found = dict[str, Any]
STANDS = ("agree", "disagree")


def lines(opinions: Sequence[int], rows: Sequence[str], labels: Sequence[int], count: int) -> list[Line]:
    """The statements that enough people answered, by id."""
    found = []
    for column, opinion in enumerate(opinions):
        signs: list[list[str]] = [[] for _group in range(count)]
        for row, label in zip(rows, labels, strict=True):
            signs[label].append(row[column])
        cells = [_cell(group) for group in signs]
        whole = Cell(*(sum(counts) for counts in zip(*(cell.counts for cell in cells), strict=True)))
        if whole.answers >= LEAST:
            found.append(Line(opinion, whole, _told(cells)))
    return found


def _cell(signs: Sequence[str]) -> Cell:
    return Cell(signs.count(AGREE), signs.count(DISAGREE), signs.count(PASS))


def _told(cells: Sequence[Cell]) -> tuple[Cell | None, ...]:
    """The cells without those of fewer than five; nor can such a one be reckoned from the whole and the others."""
    order = sorted(range(len(cells)), key=lambda group: (cells[group].answers, group))
    hidden = [group for group in order if cells[group].answers < LEAST]
    kept = [group for group in order if group not in hidden]
    while kept and 0 < sum(cells[group].answers for group in hidden) < LEAST:
        hidden.append(kept.pop(0))
    return tuple(None if group in hidden else cell for group, cell in enumerate(cells))


def held_by(group: int, known: Sequence[Line]) -> list[Found]:
    """What a group holds and the others do not, or less so: the most telling first."""
    found = []
    for line, stand in product(known, STANDS):
        cell = line.groups[group]
        if cell is not None:
            found.append((_telling(cell, line.whole.less(cell), stand), line.opinion, stand))
    ranked = sorted((one for one in found if one[0] > 0), key=lambda one: (-one[0], one[1]))
    return [{"opinion": opinion, "stand": stand} for _telling_value, opinion, stand in ranked[:SHOWN]]


def _telling(cell: Cell, others: Cell, stand: str) -> float:
    """How much a stand marks a group: 0 where it could be chance."""
    half, apart = _against_half(cell, stand), _against(cell, others, stand)
    if others.answers < LEAST or half < SURE or apart < SURE:
        return 0.0
    return cell.share(stand) / others.share(stand) * apart * cell.share(stand) * half


def _against_half(cell: Cell, stand: str) -> float:
    number = cell.answers + 1
    return 2 * sqrt(number) * ((cell.of(stand) + 1) / number - 0.5)


def _against(cell: Cell, others: Cell, stand: str) -> float:
    here, there = cell.answers + 1, others.answers + 1
    mine, theirs = cell.of(stand) + 1, others.of(stand) + 1
    together = (mine + theirs) / (here + there)
    if together >= 1:
        return 0.0
    return (mine / here - theirs / there) / sqrt(together * (1 - together) * (1 / here + 1 / there))


def held_by_all(known: Sequence[Line]) -> list[Found]:
    """What every group agrees with, or rejects: the least contested first."""
    found = []
    for line, stand in product(known, STANDS):
        shares = [cell.share(stand) for cell in line.groups if cell is not None]
        if len(shares) == len(line.groups) and min(shares) >= HOLDS:
            found.append((prod(shares), line.opinion, stand))
    ranked = sorted(found, key=lambda one: (-one[0], one[1]))
    return [{"opinion": opinion, "stand": stand} for _share, opinion, stand in ranked[:SHOWN]]


def undecided(known: Sequence[Line]) -> list[Found]:
    """What no group has made up its mind about, and why: many pass, or they are halved."""
    found = []
    for line in known:
        if any(cell is not None and max(cell.share(stand) for stand in STANDS) >= HOLDS for cell in line.groups):
            continue
        passes = line.whole.passes / line.whole.answers
        apart = abs(line.whole.agree - line.whole.disagree) / line.whole.answers
        if passes >= PASSES:
            found.append((-1 - passes, line.opinion, "pass"))
        elif apart <= APART:
            found.append((apart, line.opinion, "halved"))
    return [{"opinion": opinion, "why": why} for _rank, opinion, why in sorted(found)[:SHOWN]]
