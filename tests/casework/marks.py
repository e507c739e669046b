"""How well requests are understood, on 200 labelled ones: the category suggested, duplicates, what recurs."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.casework.models.categories import Category
from portal.casework.service import choosing, defaults, recurring, similar
from portal.casework.service.similar import Said

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "诉求样例.json").read_text("utf8"))
TODAY = 740_000
LEAST = 3
Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Mark:
    """Right among what was said, and right among what should have been."""

    precision: float
    recall: float
    wrong: list[str]


def leaves() -> list[Category]:
    """The categories that a street starts with, as they would stand in its table."""
    found = []
    for turn, (code, name, under) in enumerate(defaults.TREE):
        parent = Category(id=turn + 1000, code=code, name=name, position=turn)
        for place, leaf in enumerate(under):
            facts = {"code": leaf.code, "name": leaf.name, "keywords": leaf.keywords.split(), "position": place}
            found.append(Category(id=turn * 100 + place, parent=parent, **facts))
    return found


def category(first: int = 1) -> Mark:
    """The category: whether it is among the first few suggestions; a text without any is not said."""
    among, said, right, wrong = leaves(), 0, 0, list[str]()
    for row in ROWS:
        found = [one.code for one in choosing.suggested(row["text"], among)[:first]]
        said += bool(found)
        right += row["category"] in found
        if row["category"] not in found:
            wrong.append(f"{row['text']} -> {'、'.join(found) or '-'}, {row['category']}")
    return Mark(right / said, right / len(ROWS), wrong)


def _said(row: dict[str, Any]) -> Said:
    buildings = {name: turn + 1 for turn, name in enumerate(sorted({one["building"] for one in ROWS}))}
    where = {"building": buildings[row["building"]], "day": TODAY - row["days_ago"]}
    return similar.said(row["text"], row["category"], **where)


def duplicates() -> Mark:
    """Pairs that are told to be one matter; the same matter of weeks before is none."""
    said = [(row, _said(row)) for row in ROWS]
    found, truth = set[tuple[int, int]](), set[tuple[int, int]]()
    for turn, (row, words) in enumerate(said):
        for other, others in said[turn + 1 :]:
            pair = (row["n"], other["n"])
            if abs(row["days_ago"] - other["days_ago"]) <= 30 and similar.is_likely(words, others):
                found.add(pair)
            if row["group"] and row["group"] == other["group"] and not row["group"].endswith("旧"):
                truth.add(pair)
    return _of_pairs(found, truth)


def recurrence() -> Mark:
    """Pairs of one recurring matter: of one category and place, at least three."""
    places, groups = defaultdict(list), defaultdict(list)
    for row in ROWS:
        places[row["category"], row["building"]].append((row["n"], _said(row)))
        if row["group"]:
            groups[row["group"].rstrip("旧")].append(row["n"])
    largest = [max(recurring.alike(one), key=len) for one in places.values() if len(one) >= LEAST]
    return _of_pairs(_pairs(largest), _pairs(groups.values()))


def _pairs(groups: Iterable[list[int]]) -> Pairs:
    return {(one, other) for group in groups if len(group) >= LEAST for one in group for other in group if one < other}


def _of_pairs(found: Pairs, truth: Pairs) -> Mark:
    texts = {row["n"]: row["text"] for row in ROWS}
    wrong = [f"{texts[one]} | {texts[other]}" for one, other in sorted(found ^ truth)]
    return Mark(len(found & truth) / len(found), len(found & truth) / len(truth), wrong)
