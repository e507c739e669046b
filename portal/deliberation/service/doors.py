"""The doors of deliberation; portal/core/doors.py says what they hand over."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from collections.abc import Collection
from datetime import date
from typing import Any

from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import settings
from portal.core.access import Actor
from portal.core.doors import Line, Load, Passed, Todo
from portal.deliberation.service import (
    idea_doors,
    map_doors,
    meeting_doors,
    opinion_doors,
    outcome_doors,
    roll_doors,
    topic_doors,
    vote_doors,
)
from portal.registry.models import Person

KEPT = "deliberation.kept_days"
settings.declare(KEPT, default=3650, label=lambda: _("议题归档后保存"), unit=lambda: _("天"), least=1095, most=36500)

PARTS = (idea_doors, topic_doors, opinion_doors, map_doors, meeting_doors, roll_doors, vote_doors, outcome_doors)


def todo_of(worker: Actor) -> list[Todo]:
    return [todo for part in PARTS for todo in part.todo_of(worker)]


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    return {}


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    lines = [line for part in PARTS for line in part.timeline(person, limit=limit)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:
    return []


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    return []


def take_back(giver: str, taker: str, passed: Collection[Passed], since: Any) -> None:
    """Nothing passed."""


def passed_words(kind: str) -> str:
    return ""


def passed_names(kind: str, ids: Collection[int]) -> list[str]:
    return []


def export(person: Person) -> list[dict[str, Any]]:
    return [row for part in PARTS for row in part.export(person)]


def purge(before: date) -> int:
    return sum(part.purge(before) for part in PARTS)
