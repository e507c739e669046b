"""A solver in a process of its own: a problem on standard input, lines of JSON on standard output."""

import json
import sys
import time
from typing import Any

from portal.volunteers.solving import checker, explain, greedy, model
from portal.volunteers.solving.problem import Line, Problem, Rule, from_json

# Of the seconds given, what finding the reasons of gaps may take afterwards, at most.
REASONS = 0.5


def _tell(step: str) -> None:
    sys.stdout.write(json.dumps({"step": step}) + "\n")
    sys.stdout.flush()


def solved(problem: Problem) -> dict[str, Any]:
    """The proposal with its reasons, its gaps with theirs, and figures."""
    began = time.monotonic()
    _tell("plain")
    plain = greedy.fill(problem)
    found = model.solve(problem, plain, _tell)
    placed = greedy.fill(problem, found.lines)
    if checker.faults(problem, placed):
        # Never seen; a proposal that breaks a rule is worth less than the plain one.
        placed = plain
    _tell("why")

    def ask(lifted: tuple[int, Rule], seconds: float) -> bool | None:
        return model.could_fill(problem, placed, lifted, seconds)

    why = explain.lines(problem, placed)
    gaps = explain.gaps(problem, placed, ask, max(problem.options.seconds * REASONS, 1.0))
    return {
        "lines": [{"person": who, "post": where, "why": why[who, where]} for who, where in placed],
        "gaps": [{"post": post, "missing": _missing(problem, placed, post), "why": gaps[post]} for post in gaps],
        "figures": {
            "places": sum(post.places for post in problem.posts),
            "filled": len(placed),
            "plain": len(plain),
            "most_proven": found.most_proven,
            "best_proven": found.best_proven,
            "gap": round(found.gap, 4) if found.gap < 1e6 else None,
            "candidates": found.candidates,
            "rows": found.rows,
            "seconds": round(time.monotonic() - began, 2),
        },
    }


def _missing(problem: Problem, placed: tuple[Line, ...], post_id: int) -> int:
    return problem.post[post_id].places - sum(1 for _who, where in placed if where == post_id)


def main() -> None:
    problem = from_json(json.load(sys.stdin))
    sys.stdout.write(json.dumps({"found": solved(problem)}) + "\n")


if __name__ == "__main__":
    main()
