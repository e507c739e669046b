"""The doors of the volunteers; portal/core/doors.py says what they hand over."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from collections.abc import Collection
from datetime import date
from typing import Any

from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import settings
from portal.core.access import Actor
from portal.core.doors import Line, Load, Passed, Todo
from portal.registry.models import Person
from portal.volunteers.service import (
    activity_doors,
    attendance_doors,
    people_doors,
    plan_doors,
    point_doors,
    record_doors,
    signup_doors,
)

KEPT = "volunteers.kept_days"
settings.declare(KEPT, default=730, label=lambda: _("志愿报名和签到保存"), unit=lambda: _("天"), least=180, most=3650)


def todo_of(worker: Actor) -> list[Todo]:
    return [
        *people_doors.todo_of(worker),
        *activity_doors.todo_of(worker),
        *attendance_doors.todo_of(worker),
        *signup_doors.todo_of(worker),
        *plan_doors.todo_of(worker),
        *point_doors.todo_of(worker),
        *record_doors.todo_of(worker),
    ]


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    return {}


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    lines = [
        *people_doors.timeline(person, limit=limit),
        *attendance_doors.timeline(person, limit=limit),
        *signup_doors.timeline(person, limit=limit),
        *point_doors.timeline(person, limit=limit),
        *record_doors.timeline(person, limit=limit),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:
    return []


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    return []


def take_back(giver: str, taker: str, passed: Collection[Passed], since: Any) -> None:
    """Nothing of the volunteers stands in one worker's name."""


def passed_words(kind: str) -> str:
    return ""


def passed_names(kind: str, ids: Collection[int]) -> list[str]:
    return []


def export(person: Person) -> list[dict[str, Any]]:
    return [
        *people_doors.export(person),
        *activity_doors.export(person),
        *attendance_doors.export(person),
        *signup_doors.export(person),
        *point_doors.export(person),
        *record_doors.export(person),
    ]


def purge(before: date) -> int:
    return sum(
        [
            people_doors.purge(before),
            attendance_doors.purge(before),
            signup_doors.purge(before),
            plan_doors.purge(before),
            activity_doors.purge(before),
            point_doors.purge(before),
        ]
    )
