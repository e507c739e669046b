"""Owners of a register as they are stored and taken back: owners once, their titles, the areas that were missing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.areas.models import Dwelling
from portal.core import search
from portal.core.access import actor_or_none
from portal.core.clock import now
from portal.core.db import db
from portal.core.ids import new_public_id
from portal.core.sealing import blind
from portal.registry.models import ImportBatch, ImportRow, Outcome
from portal.registry.models.owners import Owner, Title
from portal.registry.service.imports import keeping, things, titles
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.keeping import Kept
from portal.registry.service.imports.things import Handler, Thing, Values

# The source of a title that a file brought: a text of the register, like one that a worker writes.
BY_IMPORT = "登记表导入"
CHUNK = 5_000
LOOKED_UP = frozenset({"id", "_home", "_person", "_organisation", "_owner"})
COLUMNS = {"share": "share", "owned_since": "since"}


@dataclass(frozen=True)
class Said:
    """A staged row, opened once: what it says, and what its changed fields were."""

    row: ImportRow
    said: Values
    was: Values

    @property
    def new(self) -> bool:
        return self.row.outcome is Outcome.NEW


def _opened(rows: Iterable[ImportRow]) -> list[Said]:
    return [Said(row, things.said(row), things.was(row)) for row in rows]


def _parts(numbers: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(numbers)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    found = _opened(rows)
    _refuse_what_moved_on(batch, found)
    owners = _owners(batch, found)
    actor = actor_or_none()
    facts = {"source": BY_IMPORT, "entered_at": now(), "entered_by_name": actor.name if actor else ""}
    made = [
        {"dwelling_id": one.said["_home"], "owner_id": owners[titles.identity(one.said)], "batch_id": batch.id}
        | {"since": _day(one.said.get("owned_since")), "share": one.said.get("share", ""), **facts}
        for one in found
        if one.new
    ]
    if made:
        db.session.execute(sa.insert(Title), made)
    _put_changes([one for one in found if not one.new], owners)
    _put_areas({one.said["_home"]: one.said["area_m2"] for one in reversed(found) if "area_m2" in one.said})
    db.session.expire_all()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _refuse_what_moved_on(batch: ImportBatch, found: Sequence[Said]) -> None:
    """What was compared must still be so: each row is looked up again as the check did it."""
    for start in range(0, len(found), CHUNK):
        part = found[start : start + CHUNK]
        again = [_thing(one, place) for place, one in enumerate(part)]
        stand = titles.known(db.session, again, batch.community_id)
        for one, thing in zip(part, again, strict=True):
            stored = stand.get(thing.key)
            values = stored.values if stored else thing.before
            same = (stored.id if stored else None) == one.said["id"] and not thing.reasons
            if not same or any(values.get(name) != value for name, value in one.was.items()):
                raise things.moved_on(one.row)


def _thing(one: Said, place: int) -> Thing:
    """The row as it was understood, before it was looked up."""
    row = one.row
    address = Address(row.estate, row.building, row.unit, row.room)
    values = {name: value for name, value in one.said.items() if name not in LOOKED_UP}
    return Thing(place, (), label=row.name, key=(str(place),), address=address, values=values)


def _owners(batch: ImportBatch, found: Sequence[Said]) -> dict[Any, int]:
    """The owner of each identity that a row needs, those of the register first, the others made at once."""
    wanted = {titles.identity(one.said): one.said for one in found if one.new or "id_number" in one.was}
    stands = _standing(batch.community_id, wanted)
    missing = {key: said for key, said in wanted.items() if key not in stands}
    rows = {key: _owner(batch, said) for key, said in missing.items()}
    if not rows:
        return stands
    db.session.execute(sa.insert(Owner), list(rows.values()))
    query = sa.select(Owner.public_id, Owner.id).where(Owner.batch_id == batch.id).order_by(Owner.id)
    by_public = {row.public_id: row.id for row in db.session.execute(query)}
    return stands | {key: by_public[row["public_id"]] for key, row in rows.items()}


def _owner(batch: ImportBatch, said: Values) -> dict[str, Any]:
    number, person = said.get("id_number"), said.get("_person")
    return {
        "public_id": new_public_id(),
        "community_id": batch.community_id,
        "name": said["_name"],
        "person_id": person,
        "organisation_id": said.get("_organisation"),
        "id_number": number if person is None else None,
        "id_index": blind("person.id_number", number) if number and person is None else None,
        "phone": said.get("phone"),
        "batch_id": batch.id,
    }


def _standing(community_id: int, wanted: Mapping[Any, Values]) -> dict[Any, int]:
    """The owners of the community that are somebody of the file already, the earliest first."""
    found: dict[Any, int] = {}
    keys = list(wanted)
    for start in range(0, len(keys), CHUNK):
        found |= _standing_of(community_id, {key: wanted[key] for key in keys[start : start + CHUNK]})
    return found


def _standing_of(community_id: int, wanted: Mapping[Any, Values]) -> dict[Any, int]:
    indexes = {blind("person.id_number", said["id_number"]): key for key, said in wanted.items() if "id_number" in said}
    by_name = {search.normalise(said["_name"]): said["_name"] for said in wanted.values()}
    persons = [key[1] for key in wanted if key[0] == "person"]
    companies = [key[1] for key in wanted if key[0] == "organisation"]
    query = (
        sa.select(Owner)
        .where(
            Owner.community_id == community_id,
            sa.or_(
                Owner.person_id.in_(persons),
                Owner.organisation_id.in_(companies),
                Owner.id_index.in_(list(indexes)),
                sa.and_(titles.bare(), Owner.name.in_(list(by_name.values()))),
            ),
        )
        .order_by(Owner.id)
    )
    numbers = {bytes(at): key for index, key in indexes.items() for at in (index, *index.older)}
    found: dict[Any, int] = {}
    for owner in db.session.scalars(query):
        for key in _keys_of(owner, numbers):
            found.setdefault(key, owner.id)
    return {key: number for key, number in found.items() if key in wanted}


def _keys_of(owner: Owner, numbers: Mapping[bytes, Any]) -> list[Any]:
    if owner.person_id is not None:
        return [("person", owner.person_id)]
    if owner.organisation_id is not None:
        return [("organisation", owner.organisation_id)]
    if owner.id_index is not None:
        key = numbers.get(bytes(owner.id_index))
        return [key] if key else []
    name = search.normalise(owner.name)
    return [("company", name), *([("phone", name, owner.phone)] if owner.phone else [])]


def _put_changes(changed: Sequence[Said], owners: Mapping[Any, int]) -> None:
    standing = _titles(changed)
    for one in changed:
        title = standing[one.said["id"]]
        for name in COLUMNS.keys() & one.was.keys():
            setattr(title, COLUMNS[name], _as_stored(name, one.said[name]))
        if "id_number" in one.was:
            title.owner_id = owners[titles.identity(one.said)]
        elif "phone" in one.was:
            title.owner.phone = one.said["phone"] or None
    db.session.flush()


def _as_stored(name: str, value: Any) -> Any:
    return _day(value) if name == "owned_since" else value or ""


def _titles(found: Iterable[Said]) -> dict[int, Title]:
    """The titles that changed rows are about, held until the end."""
    stand: dict[int, Title] = {}
    for part in _parts({one.said["id"] for one in found if one.said["id"]}):
        query = sa.select(Title).where(Title.id.in_(part)).order_by(Title.id).options(joinedload(Title.owner))
        held = query.with_for_update(of=Title).execution_options(populate_existing=True)
        stand.update({title.id: title for title in db.session.scalars(held)})
    return stand


def _put_areas(areas: Mapping[int, str | None]) -> None:
    rows = [{"of": home, "area": None if area is None else Decimal(area)} for home, area in sorted(areas.items())]
    if rows:
        put = sa.update(Dwelling.__table__).where(Dwelling.id == sa.bindparam("of"))  # type: ignore[arg-type]
        db.session.connection().execute(put.values(area_m2=sa.bindparam("area")), rows)


def undo(batch: ImportBatch, rows: Collection[ImportRow]) -> things.Left:
    """Titles that the batch entered go, and with them the owners that it made; what it changed is as before. A title
    that was ended since, and whatever was changed again, stays and is named.
    """
    found = _opened(rows)
    kept = [*_changes_back([one for one in found if not one.new]), *_areas_back(found), *_ended(batch)]
    standing = sa.and_(Title.batch_id == batch.id, Title.until.is_(None))
    db.session.execute(sa.delete(Title).where(standing), execution_options={"synchronize_session": False})
    keeping.delete_unused(Owner, Owner.batch_id == batch.id)
    db.session.expire_all()
    return kept, ()


def _ended(batch: ImportBatch) -> Iterator[Kept]:
    query = sa.select(Title).where(Title.batch_id == batch.id, Title.until.is_not(None))
    for title in db.session.scalars(query.options(joinedload(Title.owner)).order_by(Title.id)):
        yield Kept("dwelling_title", title.owner.name, "edited")


def _changes_back(changed: Sequence[Said]) -> Iterator[Kept]:
    standing = _titles(changed)
    for one in changed:
        title = standing.get(one.said["id"])
        for name in [name for name in one.was if name != "area_m2"]:
            if title is None or not _back(title, one, name):
                yield Kept("dwelling_title", one.row.name, "edited", name)
    db.session.flush()


def _back(title: Title, one: Said, name: str) -> bool:
    """One field as it was, where it is still what the batch wrote."""
    was = one.was[name]
    if name == "id_number":
        title.owner_id = one.said["_owner"]
        return True
    if name == "phone":
        if "id_number" in one.was:
            return True
        same = (title.owner.phone or "") == one.said[name]
        title.owner.phone = (was or None) if same else title.owner.phone
        return same
    column = COLUMNS[name]
    if getattr(title, column) != _as_stored(name, one.said[name]):
        return False
    setattr(title, column, _as_stored(name, was))
    return True


def _areas_back(found: Sequence[Said]) -> list[Kept]:
    said = {one.said["_home"]: one for one in reversed(found) if "area_m2" in one.said and _wrote_area(one)}
    kept, back = [], {}
    for part in _parts(said.keys()):
        query = sa.select(Dwelling.id, Dwelling.area_m2).where(Dwelling.id.in_(part)).order_by(Dwelling.id)
        for number, area in db.session.execute(query):
            one = said[number]
            if (None if area is None else f"{area:.2f}") == one.said["area_m2"]:
                back[number] = one.was.get("area_m2")
            else:
                kept.append(Kept("dwelling", one.row.name, "edited", "area_m2"))
    _put_areas(back)
    return kept


def _wrote_area(one: Said) -> bool:
    """A new title says an area only where its home had none or another one."""
    return one.new or "area_m2" in one.was


OWNERS = Handler(titles.understand, titles.compared, store, undo, only_reads=True)
