"""Background work by rows: each in a transaction of its own, and one that fails holds up no other."""

import logging
from collections.abc import Callable, Iterable

from portal.core.db import db, transaction

log = logging.getLogger(__name__)


def each(due: Iterable[int], act: Callable[[int], object], *, own: bool = True) -> None:
    """What a crash or a fault left is found again by the next run. Without `own`, the act makes its transactions."""
    db.session.rollback()
    for number in due:
        try:
            _one(number, act, own)
        except Exception:
            db.session.rollback()
            log.exception("%s could not be done for %s", getattr(act, "__qualname__", act), number)


def _one(number: int, act: Callable[[int], object], own: bool) -> None:
    if not own:
        act(number)
        return
    with transaction():
        act(number)
