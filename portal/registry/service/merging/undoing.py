"""Taking a merge back: everything is as before, unless something leans on it by now."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas import service as areas
from portal.core import audit, events
from portal.core.access import Scope, actor_or_none
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import (
    Happening,
    HappeningKind,
    HappeningPart,
    Household,
    Person,
    Source,
    TwinPair,
    TwinState,
)
from portal.registry.service import changes, households
from portal.registry.service.merging import acts, snapshots

PAGE = 50


def merges(within: Collection[Scope], *, before: int = 0) -> list[Happening]:
    """The merges of whole communities in scope, newest first, one page and one more; `before` is an id."""
    query = _merges(within).order_by(Happening.id.desc()).limit(PAGE + 1)
    return list(db.session.scalars(query.where(Happening.id < before) if before else query))


def merge_in(within: Collection[Scope], public_id: str) -> Happening:
    happening: Happening | None = db.session.scalar(_merges(within).where(Happening.public_id == public_id))
    if happening is None:
        raise Missing
    return happening


def _merges(within: Collection[Scope]) -> sa.Select[Happening]:
    inside = areas.reach(within).communities
    query = sa.select(Happening).where(Happening.kind == HappeningKind.MERGE, Happening.community_id.in_(inside))
    return query.options(selectinload(Happening.parts).joinedload(HappeningPart.person).joinedload(Person.community))


def undo(happening: Happening, *, reason: str) -> None:
    """Part the two again. Raises Refused in words once either record says something else, or something else
    happened to them.
    """
    if happening.kind is not HappeningKind.MERGE or happening.undone_at:
        raise Refused(_("这次合并已经撤销过了。"))
    kept, merged = (db.session.get_one(Person, happening.made[side]) for side in ("kept", "merged"))
    touched, copied = snapshots.apart(snapshots.read(happening.after))
    refuse_what_leans(happening, kept, merged, touched)
    made = snapshots.stands(copied)
    if made is None:
        raise leans(_("合并过来的标签或联系人"))
    mark_undone(happening, reason)
    with unique_or(Refused(_("有别的登记已经用了其中的号码或账号，不能撤销合并。"))):
        for row in made:
            db.session.delete(row)
        with (
            changes.changing(kept, Source.MERGE, ref=happening.public_id, reason=reason),
            changes.changing(merged, Source.MERGE, ref=happening.public_id, reason=reason),
        ):
            snapshots.restore(snapshots.read(happening.before))
        if told := acts.hanging(copied):
            back: dict[str, list[str | None]] = {name: [text, None] for name, text in told.items()}
            changes.note(kept, back, Source.MERGE, ref=happening.public_id, reason=reason)
    first, second = sorted((kept.id, merged.id))
    pair = sa.update(TwinPair).where(TwinPair.person_id == first, TwinPair.other_id == second)
    db.session.execute(pair.values(state=TwinState.OPEN, decided_at=None, decided_by="", decided_name=""))
    db.session.expire(kept, ["tags", "contacts"])
    refuse_strange_homes(kept, merged)
    audit.record("registry.merge_undone", kept, reason=reason, person=merged.public_id)
    for person in (kept, merged):
        events.publish("person_moved", person=person)


def refuse_strange_homes(*two: Person) -> None:
    """Where the two live again everything must be as it must be in any household."""
    db.session.flush()
    for home_id in sorted({person.household_id for person in two if person.household_id}):
        households.refuse_inconsistent(db.session.get_one(Household, home_id, populate_existing=True))


def refuse_what_leans(happening: Happening, kept: Person, merged: Person, touched: snapshots.Rows) -> None:
    if kept.merged_into_id is not None:
        raise Refused(_("保留的那份登记后来又合并到别人名下。请先撤销后一次合并。"))
    later = (
        sa.select(Happening)
        .join(HappeningPart)
        .where(
            HappeningPart.person_id.in_([kept.id, merged.id]),
            Happening.id > happening.id,
            Happening.undone_at.is_(None),
        )
        .options(joinedload(Happening.parts))
    )
    if db.session.scalars(later.order_by(Happening.id)).first() is not None:
        raise Refused(_("合并以后，这个人又办理过别的登记事件。请先撤销后面的事件，再撤销合并。"))
    if snapshots.stands(touched) is None:
        since = [change for change in changes.history(kept, limit=20) if change.row.ref != happening.public_id]
        after = [change for change in since if change.row.at >= happening.recorded_at]
        what = _("、").join(dict.fromkeys(changes.field_words(change.field) for change in after))
        raise leans(what or _("账号、代办人或所在户"))


def leans(what: str) -> Refused:
    return Refused(_("合并以后又改动过：%(what)s。撤销会丢掉这些改动，所以不能撤销。请直接修改登记。", what=what))


def mark_undone(happening: Happening, reason: str) -> None:
    actor = actor_or_none()
    take = sa.update(Happening).where(Happening.id == happening.id, Happening.undone_at.is_(None))
    if not guarded(
        take.values(undone_at=now(), undone_by=actor.public_id if actor else "", undone_reason=reason[:200])
    ):
        raise Refused(_("这次合并已经撤销过了。"))
    db.session.refresh(happening)
