"""One head: whoever was entered as an owner from elsewhere and is somebody of the register is linked to her record.

So is a company that was entered by its name or code and is registered among the organisations later.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, search
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.sealing import blind
from portal.registry.models import Organisation, Person, PersonState
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
    if _stands_beside(owner, Owner.person_id.in_(people.ids_of(whole))):
        raise Refused(_("这位居民已经登记在同一套房上了。请把重复的这一条结束。"), field="person_words")
    _put(owner, whole, by_name=by.name)
    audit.record("registry.owner_linked", owner, person=whole.public_id)


def unlink(owner: Owner, *, why: str) -> None:
    """Taken back: an owner from elsewhere again, and nobody links the two by their number any more."""
    _lock(owner)
    if owner.linked_at is None:
        raise Refused(_("这位业主没有和居民对上，不用撤销。"))
    if owner.organisation_id is not None:
        owner.not_organisation_id, owner.organisation_id = owner.organisation_id, None
    else:
        owner.not_person_id, owner.person_id = owner.person_id, None
    owner.linked_at, owner.linked_by_name = None, ""
    db.session.flush()
    audit.record("registry.owner_unlinked", owner, reason=why)


def _lock(owner: Owner) -> None:
    db.session.refresh(owner, with_for_update={"of": Owner})


def _refuse_known(owner: Owner) -> None:
    if owner.person_id is not None:
        raise Refused(_("这位业主已经和居民登记对上了，请刷新页面再看。"))
    if owner.organisation_id is not None:
        raise Refused(_("单位不能和居民对上。"))


def _stands_beside(owner: Owner, other: sa.ColumnElement[bool]) -> bool:
    """Whether both own the same home now: linked, one head would stand on it twice."""
    mine = sa.select(Title.dwelling_id).where(Title.owner_id == owner.id, Title.until.is_(None))
    theirs = (
        sa.select(Title.id)
        .join(Owner, Title.owner_id == Owner.id)
        .where(other, Title.until.is_(None), Title.dwelling_id.in_(mine))
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
    """The same for everybody, by the night: names are mended and rows decided in many places. Companies too."""
    return _link(sa.true()) + _link_companies()


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


def link_company(organisation: Organisation, *, by: Actor) -> list[Owner]:
    """A worker enters a registered company as an owner: whoever stands in its community by its code, or by its name
    without another code, is that company.
    """
    code = blind("person.id_number", organisation.uscc) if organisation.uscc else None
    linked = []
    for owner in db.session.scalars(_unlinked(organisation).with_for_update(of=Owner)):
        by_code = code is not None and code.fits(owner.id_index)
        named = search.normalise(owner.name) == search.normalise(organisation.name)
        if (by_code or (named and (owner.id_index is None or code is None))) and _put_company(
            owner, organisation, by_name=by.name
        ):
            linked.append(owner)
            audit.record("registry.owner_linked", owner, organisation=organisation.id)
    return linked


def _unlinked(organisation: Organisation) -> sa.Select[Owner]:
    """Owners of the organisation's community who are nobody yet, but for whom a worker said that she is not it."""
    return (
        sa.select(Owner)
        .where(Owner.community_id == organisation.community_id)
        .where(Owner.person_id.is_(None), Owner.organisation_id.is_(None))
        .where(sa.or_(Owner.not_organisation_id.is_(None), Owner.not_organisation_id != organisation.id))
        .order_by(Owner.id)
    )


def _link_companies() -> int:
    """Companies by their code and name; by the name alone only a worker says so."""
    linked = 0
    bears = sa.exists().where(Owner.community_id == Organisation.community_id, Owner.id_index.is_not(None))
    bears = bears.where(Owner.person_id.is_(None), Owner.organisation_id.is_(None))
    query = sa.select(Organisation).where(Organisation.uscc.is_not(None), Organisation.closed_on.is_(None), bears)
    for organisation in db.session.scalars(query.order_by(Organisation.id)).all():
        code = blind("person.id_number", organisation.uscc or "")
        for owner in db.session.scalars(_unlinked(organisation).where(Owner.id_index.in_((code, *code.older)))).all():
            named = search.normalise(owner.name) == search.normalise(organisation.name)
            if named and _put_company(owner, organisation, by_name=BY_NUMBER):
                audit.record("registry.owner_linked", owner, organisation=organisation.id, by_number=True)
                linked += 1
    return linked


def _put_company(owner: Owner, organisation: Organisation, *, by_name: str) -> bool:
    """Whether it was linked; not where it stands on the same home already."""
    if _stands_beside(owner, Owner.organisation_id == organisation.id):
        return False
    owner.organisation_id, owner.linked_at, owner.linked_by_name = organisation.id, now(), by_name
    owner.not_organisation_id = None
    db.session.flush()
    return True


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
