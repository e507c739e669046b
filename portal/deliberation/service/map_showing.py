"""What a map of opinion shows: statements that are still shown, in shares, each with the groups' shares beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.core.db import db
from portal.deliberation.models.codes import OpinionState
from portal.deliberation.models.opinions import Opinion, OpinionMap
from portal.deliberation.service import map_words

Percents = tuple[int, int, int]
"""Of a hundred answers: agree, disagree, neither."""


@dataclass(frozen=True)
class Said:
    """A statement with everybody's shares and each group's, None where not told; a code says what of it counts."""

    words: str
    whole: Percents
    groups: tuple[Percents | None, ...]
    code: str = ""

    def share(self, number: int) -> int:
        """Of a group, the share of those who take the stand that counts here."""
        cell = self.groups[number]
        return cell[0 if self.code == "agree" else 1] if cell else 0


@dataclass(frozen=True)
class Held(Said):
    """What marks a group: its own share, and that of everybody else."""

    mine: int = 0
    others: int = 0


@dataclass(frozen=True)
class Group:
    name: str
    people: int
    share: int
    circle: tuple[float, float, float]
    holds: tuple[Held, ...]


@dataclass(frozen=True)
class Shown:
    """A map as pages show it."""

    run: OpinionMap
    groups: tuple[Group, ...]
    common: tuple[Said, ...]
    undecided: tuple[Said, ...]
    left_out: int

    @property
    def divided(self) -> bool:
        return len(self.groups) > 1


def shown(run: OpinionMap) -> Shown:
    """A map that is done, with the words of its statements; what was hidden since is left out."""
    words, lines = _words(run), {line["opinion"]: line for line in run.figures["lines"]}
    figures = run.figures

    def known(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [one for one in found if one["opinion"] in words]

    def said(one: Mapping[str, Any]) -> Said:
        code = str(one.get("stand") or one.get("why"))
        return _said(words[one["opinion"]], lines[one["opinion"]], code)

    groups = tuple(
        Group(
            name=map_words.group(number),
            people=group["people"],
            share=_percent(group["people"], run.people),
            circle=tuple(group["circle"]),
            holds=tuple(
                _held(number, words[one["opinion"]], lines[one["opinion"]], one) for one in known(group["holds"])
            ),
        )
        for number, group in enumerate(figures["groups"])
    )
    common, undecided = (tuple(said(one) for one in known(figures[key])) for key in ("common", "undecided"))
    return Shown(run, groups, common, undecided, figures["left_out"])


def lines(run: OpinionMap, *, page: int = 1, limit: int = 50) -> tuple[list[Said], bool]:
    """A page of all statements, those that most agree with first; and whether there is more."""
    words = _words(run)
    rows = [_said(words[line["opinion"]], line, "") for line in run.figures["lines"] if line["opinion"] in words]
    rows.sort(key=lambda row: (-row.whole[0], row.whole[1], row.words))
    begin = (page - 1) * limit
    return rows[begin : begin + limit], len(rows) > begin + limit


def _words(run: OpinionMap) -> dict[int, str]:
    query = sa.select(Opinion.id, Opinion.words).where(
        Opinion.topic_id == run.topic_id, Opinion.state == OpinionState.SHOWN
    )
    return {row.id: row.words for row in db.session.execute(query.order_by(Opinion.id))}


def _said(words: str, line: Mapping[str, Any], code: str) -> Said:
    groups = tuple(_percents(cell) if cell else None for cell in line["groups"])
    return Said(words, _percents(line["all"]), groups, code)


def _held(number: int, words: str, line: Mapping[str, Any], one: Mapping[str, Any]) -> Held:
    """`one` names the statement, and the stand that marks the group."""
    place = 0 if one["stand"] == "agree" else 1
    cell, whole = line["groups"][number], line["all"]
    rest = [whole[index] - cell[index] for index in range(3)]
    plain = _said(words, line, one["stand"])
    return Held(
        words,
        plain.whole,
        plain.groups,
        plain.code,
        mine=_percent(cell[place], sum(cell)),
        others=_percent(rest[place], sum(rest)),
    )


def _percents(counts: Sequence[int]) -> Percents:
    agree, disagree, _passes = (_percent(count, sum(counts)) for count in counts)
    return agree, disagree, max(100 - agree - disagree, 0)


def _percent(part: int, whole: int) -> int:
    return (200 * part + whole) // (2 * whole) if whole else 0
