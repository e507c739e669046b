"""How to take part in a topic today: what each part of deliberation offers on the topic's page, in words."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# Views of the desk that open for who keeps the topic alone.
KEEPERS = frozenset({"meeting_new", "meeting_run", "topic_move", "vote_new", "vote_notice", "vote_rule", "vote_times"})


@dataclass(frozen=True)
class Step:
    """Something to do or to read: what, a line about it, the endpoint with its values, until when.

    `now` marks what can be done today; the rest is there to be read.
    """

    title: str
    words: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    now: bool = False

    @property
    def is_read(self) -> bool:
        """Whether who only reads a topic at the desk may open it too."""
        return self.endpoint.rpartition(".")[2] not in KEEPERS
