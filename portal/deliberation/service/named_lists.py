"""Named votes once they are counted: what each line of the roll chose, every version, for those who keep the record."""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.core.db import db
from portal.deliberation.models.votes import NamedBallot, RollEntry, Vote

A_PAGE = 100


@dataclass(frozen=True)
class NamedLine:
    """A line of the roll with its versions, the one that counts last; none where it did not vote."""

    entry: RollEntry
    versions: tuple[NamedBallot, ...]

    @property
    def counts(self) -> NamedBallot | None:
        return self.versions[-1] if self.versions else None


def lines(vote: Vote, *, page: int = 1) -> tuple[list[NamedLine], bool]:
    """A page of the roll by number; and whether there is more."""
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id).order_by(RollEntry.number)
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    shown = found[:A_PAGE]
    kept = sa.select(NamedBallot).where(NamedBallot.entry_id.in_([entry.id for entry in shown]))
    by_entry: dict[int, list[NamedBallot]] = {}
    for ballot in db.session.scalars(kept.order_by(NamedBallot.entry_id, NamedBallot.version)):
        by_entry.setdefault(ballot.entry_id, []).append(ballot)
    return [NamedLine(entry, tuple(by_entry.get(entry.id, ()))) for entry in shown], len(found) > A_PAGE
