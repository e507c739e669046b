"""The map of opinion in a process of its own, which is heavy; portal/core/children.py feeds, hears and stops it."""

from typing import Any

from portal.core import children
from portal.deliberation.mapping.question import Question, to_json

# Ten times what 5,000 people and 200 statements take on a slow machine.
SECONDS = 120
MODULE = "portal.deliberation.mapping"


def mapped(question: Question, goes_on: children.GoesOn) -> dict[str, Any]:
    """The map's figures. Every second `goes_on` is told how far it is, and says whether to go on."""
    return children.ask(MODULE, to_json(question), seconds=SECONDS, goes_on=goes_on)
