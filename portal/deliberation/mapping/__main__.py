"""The map in a process of its own: a question on standard input, lines of JSON on standard output."""

import json
import sys
import time
from typing import Any

from portal.deliberation.mapping import drawing, grouping, holding
from portal.deliberation.mapping.question import Question, from_json


def _tell(step: str) -> None:
    sys.stdout.write(json.dumps({"step": step}) + "\n")
    sys.stdout.flush()


def mapped(question: Question) -> dict[str, Any]:
    """The map: groups with what they hold and where they are drawn, and the counts of each statement."""
    began = time.monotonic()
    rows = question.placed
    _tell("groups")
    found = grouping.groups(grouping.matrix(rows))
    _tell("holds")
    sizes = [int((found.labels == group).sum()) for group in range(found.count)]
    lines = holding.lines(question.opinions, rows, found.labels.tolist(), found.count)
    drawn = drawing.circles(found.middles, sizes)
    return {
        "groups": [
            {"people": size, "circle": circle, "holds": holding.held_by(group, lines)}
            for group, (size, circle) in enumerate(zip(sizes, drawn, strict=True))
        ],
        "lines": [
            {
                "opinion": line.opinion,
                "all": line.whole.counts,
                "groups": [cell.counts if cell else None for cell in line.groups],
            }
            for line in lines
        ],
        "common": holding.held_by_all(lines),
        "undecided": holding.undecided(lines),
        "people": len(rows),
        "left_out": len(question.rows) - len(rows),
        "merged": found.merged,
        "silhouette": round(found.silhouette, 3),
        "seconds": round(time.monotonic() - began, 2),
    }


def main() -> None:
    question = from_json(json.load(sys.stdin))
    sys.stdout.write(json.dumps({"found": mapped(question)}) + "\n")


if __name__ == "__main__":
    main()
