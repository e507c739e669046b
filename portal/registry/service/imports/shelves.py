"""Registers of material stock: a thing and its unit, how much there is, where. What differs is entered as a count."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.core.db import db
from portal.registry.models import ImportBatch, ImportRow, Outcome, StockEntry, StockItem
from portal.registry.service.imports import cells, things
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.things import Handler, Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field
from portal.registry.service.resources import stock

# What a new thing holds of which its row says nothing; the unit is part of its name.
BLANK: Values = {"quantity": 0, "place": "", "low_below": 0, "closed_on": None}
LONGEST_UNIT = 10


def understand(one: Thing, said: Mapping[Field, str], _rules: Rules) -> None:
    cells.title(one, said, 60)
    cells.texts(one, said, (Field.PLACE,))
    unit = said.get(Field.MEASURE, "")
    for where, name in ((Field.QUANTITY, "quantity"), (Field.LOW_BELOW, "low_below")):
        if where in said:
            found = cells.counted(said[where])
            if cells.NEGATIVE.match(said[where]):
                one.refuse(where, "negative")
            elif found is None or found[0] > stock.MOST_AT_ONCE:
                one.refuse(where, "whole_number")
            else:
                one.values[name], unit = found[0], unit or found[1]
    if not unit:
        one.refuse(Field.MEASURE, "no_unit")
    elif len(unit) > LONGEST_UNIT:
        one.refuse(Field.MEASURE, "too_long", count=LONGEST_UNIT)
    # What the office lists is kept, also what had been given up.
    one.values |= {"_name": one.label, "measure": unit, "closed_on": None}
    one.key = (one.label, unit)
    one.label = _("%(name)s（%(unit)s）", name=one.label, unit=unit) if unit else one.label


def known(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    names = [one.values["_name"] for one in rows]
    query = sa.select(StockItem).where(StockItem.community_id == community_id, StockItem.name.in_(names))
    return {
        (item.name, item.unit): Stored(item.id, _said(item)) for item in session.scalars(query.order_by(StockItem.id))
    }


def _said(item: StockItem) -> Values:
    return {
        "measure": item.unit,
        "quantity": item.quantity,
        "place": item.place,
        "low_below": item.low_below,
        "closed_on": item.closed_on.isoformat() if item.closed_on else None,
    }


def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    items = things.known_things(StockItem, rows)
    for row in rows:
        said, was = things.said(row), things.was(row)
        item = items.get(said["id"] or 0)
        if row.outcome is Outcome.CHANGED and (item is None or not _stands(item, was)):
            raise things.moved_on(row)
        if item is None:
            facts = {"name": said["_name"], "unit": said["measure"], "quantity": 0, "place": "", "low_below": 0}
            item = StockItem(community_id=batch.community_id, batch_id=batch.id, **facts)
            db.session.add(item)
        _put(item, said)
        row.before = things.text({**was, "_of": item.id, "_entry": _last_entry(item)})


def _put(item: StockItem, said: Values) -> None:
    item.place, item.low_below = said.get("place", item.place), said.get("low_below", item.low_below)
    if "closed_on" in said:
        item.closed_on = date.fromisoformat(said["closed_on"]) if said["closed_on"] else None
    db.session.flush()
    if "quantity" in said:
        stock.count(item, said["quantity"], note=_("登记表导入"))


def _last_entry(item: StockItem) -> int:
    return db.session.scalar(sa.select(sa.func.max(StockEntry.id)).where(StockEntry.item_id == item.id)) or 0


def _stands(item: StockItem, values: Values) -> bool:
    now_so = _said(item)
    return all(now_so[name] == value for name, value in values.items() if name in now_so)


def undo(_batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    """What was counted is counted back by an entry of its own: nobody rewrites the movements. A new thing that was
    ever moved is given up with nothing left of it; one that was not goes.
    """
    numbers = {things.was(row)["_of"] for row in rows}
    items = {item.id: item for item in things.held(StockItem, StockItem.id.in_(numbers))}
    things.refuse_edited(_held(row, items) for row in rows if not _still(row, items.get(things.was(row)["_of"])))
    for row in rows:
        was = things.was(row)
        item = items[was["_of"]]
        new = row.outcome is Outcome.NEW
        if new or "quantity" in was:
            stock.count(item, 0 if new else was["quantity"], note=_("撤销登记表导入"))
        _put(item, {name: was[name] for name in ("place", "low_below", "closed_on") if name in was})
        if new and was["_entry"]:
            stock.close_item(item)
    db.session.flush()


def _held(row: ImportRow, items: Mapping[int, StockItem]) -> things.Held:
    number = things.was(row)["_of"]
    return things.Held("stock_item", number if number in items else None, row.name)


def _still(row: ImportRow, item: StockItem | None) -> bool:
    """Whether a thing holds what its row wrote, and nothing was brought or taken since."""
    said, was = things.said(row), things.was(row)
    if item is None or _last_entry(item) != was["_entry"]:
        return False
    if row.outcome is Outcome.CHANGED:
        return _stands(item, {name: said[name] for name in was if name in said})
    named = (item.name, item.unit) == (said["_name"], said["measure"])
    return named and _stands(item, {name: said.get(name, blank) for name, blank in BLANK.items()})


STOCK = Handler(understand, known, store, undo)
