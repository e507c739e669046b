"""Thresholds: whether enough took part and whether an option carried, in exact fractions; knows no table and no page.

"以上" includes the number and "过半数" does not (Civil Code art. 1259): a share is reached, or it must be passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, Self


@dataclass(frozen=True)
class Share:
    """A fraction of a whole; `over`: it must be passed, reaching it is not enough."""

    of: Fraction
    over: bool

    def met(self, part: Fraction, whole: Fraction) -> bool:
        """Nothing is met where the whole is nothing, unless nothing is asked."""
        asked = self.of * whole
        if self.of and not whole:
            return False
        return part > asked if self.over else part >= asked

    def least(self, whole: int) -> int:
        """The smallest number of heads that meets it."""
        asked = self.of * whole
        return floor(asked) + 1 if self.over else ceil(asked)

    def least_area(self, whole: Decimal) -> Decimal:
        """The same of m², to the hundredth."""
        return (Decimal(self.least(int(whole * 100))) / 100).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Weight:
    """Heads and the area in m² that stands behind them; bodies that decide by heads have no area."""

    heads: int = 0
    area: Decimal = Decimal(0)

    def __add__(self, other: Self) -> "Weight":
        return Weight(self.heads + other.heads, self.area + other.area)

    @property
    def shares(self) -> tuple[Fraction, Fraction]:
        return Fraction(self.heads), Fraction(self.area)


NOTHING = Weight()


@dataclass(frozen=True)
class Threshold:
    """The quorum is of everybody entitled, `passes` of those who take part; `by_area` asks both of heads and area."""

    quorum: Share
    passes: Share
    by_area: bool = False

    def quorum_met(self, took_part: Weight, entitled: Weight) -> bool:
        return self._met(self.quorum, took_part, entitled)

    def passed(self, consent: Weight, took_part: Weight) -> bool:
        return self._met(self.passes, consent, took_part)

    def _met(self, share: Share, part: Weight, whole: Weight) -> bool:
        heads, area = part.shares
        all_heads, all_area = whole.shares
        return share.met(heads, all_heads) and (not self.by_area or share.met(area, all_area))


@dataclass(frozen=True)
class Decision:
    """`carried` are the options that carried, as they are numbered; none where the quorum was missed."""

    quorum_met: bool
    heads_enough: bool
    area_enough: bool
    carried: tuple[int, ...]


def threshold_of(rule: Mapping[str, Any]) -> Threshold:
    """Of a rule as it was written onto a vote (rules.snapshot)."""
    return Threshold(
        quorum=Share(Fraction(*rule["quorum"]), rule["quorum_over"]),
        passes=Share(Fraction(*rule["passes"]), rule["passes_over"]),
        by_area=rule["by_area"],
    )


def decide(
    threshold: Threshold,
    *,
    entitled: Weight,
    votes: Mapping[int, Weight],
    put: Sequence[int],
) -> Decision:
    """What a vote comes to. `votes` are the weights by option, invalid papers among them (they took part, and consent
    to nothing); `put` are the options that are held against the threshold.
    """
    took_part = sum(votes.values(), NOTHING)
    heads, area = took_part.shares
    all_heads, all_area = entitled.shares
    heads_enough = threshold.quorum.met(heads, all_heads)
    area_enough = not threshold.by_area or threshold.quorum.met(area, all_area)
    enough = heads_enough and area_enough
    carried = [one for one in put if enough and threshold.passed(votes.get(one, NOTHING), took_part)]
    return Decision(enough, heads_enough, area_enough, tuple(carried))
