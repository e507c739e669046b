"""The solver in a process of its own, which is heavy; portal/core/children.py feeds it, listens and stops it."""

from typing import Any

from portal.core import children
from portal.volunteers.solving.problem import Problem, to_json

# Beside the seconds it may search: starting, gaps, and slow machines.
FACTOR, GRACE = 2, 30
MODULE = "portal.volunteers.solving"


def solve(problem: Problem, goes_on: children.GoesOn) -> dict[str, Any]:
    """The solver's answer. Every second `goes_on` is told how far it is, and says whether to go on."""
    seconds = problem.options.seconds * FACTOR + GRACE
    return children.ask(MODULE, to_json(problem), seconds=seconds, goes_on=goes_on)
