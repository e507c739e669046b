"""One head: whoever was entered as an owner from elsewhere and is somebody of the register is linked to her record."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, search
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Person, PersonState
from portal.registry.models.owners import Owner, Title
from portal.registry.service import people

# Who linked an owner, where it was the number and nobody's hand; shown as the name of who did it.
BY_NUMBER = "按证件号码自动对上"


def link(owner: Owner, person: Person, *, by: Actor) -> None:
    """A worker says that an owner from elsewhere is somebody of the register: their homes are one head's now."""
    _lock(owner)
    _refuse_known(owner)
    whole = people.resolved(person)
    if whole.state is PersonState.DEAD:
        raise Refused(_("这位居民已登记去世。请按继承登记新的业主。"), field="person_words")
    if _stands_beside(owner, whole):
        raise Refused(_("这位居民已经登记在同一套房上了。请把重复的这一条结束。"), field="person_words")
    _put(owner, whole, by_name=by.name)
    audit.record("registry.owner_linked", owner, person=whole.public_id)


def unlink(owner: Owner, *, why: str) -> None:
    """Taken back: an owner from elsewhere again, and nobody links the two by their number any more."""
    _lock(owner)
    if owner.linked_at is None or owner.person_id is None:
        raise Refused(_("这位业主没有和居民对上，不用撤销。"))
    was = owner.person_id
    owner.person_id, owner.linked_at, owner.linked_by_name, owner.not_person_id = None, None, "", was
    db.session.flush()
    audit.record("registry.owner_unlinked", owner, reason=why)


def _lock(owner: Owner) -> None:
    db.session.refresh(owner, with_for_update={"of": Owner})


def _refuse_known(owner: Owner) -> None:
    if owner.person_id is not None:
        raise Refused(_("这位业主已经和居民登记对上了，请刷新页面再看。"))
    if owner.organisation_id is not None:
        raise Refused(_("单位不能和居民对上。"))


def _stands_beside(owner: Owner, person: Person) -> bool:
    """Whether both own the same home now: linked, one head would stand on it twice."""
    mine = sa.select(Title.dwelling_id).where(Title.owner_id == owner.id, Title.until.is_(None))
    theirs = (
        sa.select(Title.id)
        .join(Owner, Title.owner_id == Owner.id)
        .where(Owner.person_id.in_(people.ids_of(person)), Title.until.is_(None), Title.dwelling_id.in_(mine))
    )
    return db.session.scalar(theirs.limit(1)) is not None


def _put(owner: Owner, person: Person, *, by_name: str) -> None:
    owner.person_id, owner.linked_at, owner.linked_by_name, owner.not_person_id = person.id, now(), by_name, None
    db.session.flush()


def on_person(person: Person) -> int:
    """Somebody has a number now: whichever owner from elsewhere bears it, and her name, is she."""
    return _link(Person.id == person.id) if person.id_number else 0


def on_people_imported(*, community_id: int, **_facts: Any) -> None:
    """A register of people was brought in."""
    _link(Person.community_id == community_id)


def link_all() -> int:
    """The same for everybody, by the night: names are mended and rows decided in many places."""
    return _link(sa.true())


def _link(of: sa.ColumnElement[bool]) -> int:
    query = (
        sa.select(Owner, Person)
        .join(Person, Owner.id_index == Person.id_index)
        .where(Owner.person_id.is_(None), Owner.organisation_id.is_(None), Person.merged_into_id.is_(None), of)
        .where(sa.or_(Owner.not_person_id.is_(None), Owner.not_person_id != Person.id))
        .order_by(Owner.id)
    )
    found = [
        (owner, person)
        for owner, person in db.session.execute(query)
        if search.normalise(owner.name) == search.normalise(person.name)
    ]
    for owner, person in found:
        _put(owner, person, by_name=BY_NUMBER)
        audit.record("registry.owner_linked", owner, person=person.public_id, by_number=True)
    return len(found)


def on_people_leaving(*, person_ids: Sequence[int], **_facts: Any) -> None:
    """Their import is undone: what was linked by itself goes back, what somebody entered or linked holds it."""
    by_itself = (Owner.person_id.in_(_some(person_ids)), Owner.linked_by_name == BY_NUMBER)
    values = {"person_id": None, "linked_at": None, "linked_by_name": ""}
    for where, back in ((by_itself, values), ((Owner.not_person_id.in_(_some(person_ids)),), {"not_person_id": None})):
        db.session.execute(sa.update(Owner).where(*where).values(**back).execution_options(synchronize_session="fetch"))


def _some(person_ids: Iterable[int]) -> Any:
    """Of many people those who own anything at all: a statement takes only so many numbers."""
    wanted = set(person_ids)
    columns = sa.select(Owner.person_id, Owner.not_person_id).where(
        sa.or_(Owner.person_id.is_not(None), Owner.not_person_id.is_not(None))
    )
    return [one for row in db.session.execute(columns) for one in row if one in wanted]
