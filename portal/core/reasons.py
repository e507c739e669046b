"""Reasons that the program gives by itself: kept as codes beside what people write, and said when they are read."""

from collections.abc import Callable

_LABELS: dict[str, Callable[[], str]] = {}


def declare(code: str, *, label: Callable[[], str]) -> str:
    """Register a code, `feature.why`, with its words; answers the code."""
    _LABELS[code] = label
    return code


def said(reason: str) -> str:
    """A kept reason in the reader's language: a code's words, or what somebody wrote, as it is."""
    label = _LABELS.get(reason)
    return label() if label else reason
