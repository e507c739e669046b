"""Rotating the sealing key: every value stays readable, and the old key is gone."""

import json

import pytest
import sqlalchemy as sa

from portal.core import rotation, sealing
from portal.core.db import Base, db
from portal.core.sealing import Sealed
from portal.registry.models import Person


def _key_ids(config) -> set[str]:
    return set(json.loads(config.keys_file.read_text())["sealing"])


def _ids_in_use() -> set[int]:
    found = set()
    for column in rotation.sealed_columns():
        values = db.session.scalars(sa.select(column.raw).where(column.raw.is_not(None)))
        found |= {int.from_bytes(bytes(value)[1:3], "big") for value in values}
    db.session.rollback()
    return found


def test_every_value_stays_readable_and_the_old_key_is_gone(make, config, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 3)
    people = [make.person(diet="低盐", health="高血压") for _person in range(8)]
    before = [(person.id_number, person.phone, person.diet, person.health) for person in people]
    first = sealing.keys().current

    done = rotation.rotate(config.keys_file)

    db.session.expire_all()
    after = db.session.scalars(sa.select(Person).order_by(Person.id)).all()
    assert [(person.id_number, person.phone, person.diet, person.health) for person in after] == before
    assert done.values == 8 * 4
    assert done.key != first
    assert _key_ids(config) == {str(done.key)}
    assert _ids_in_use() == {done.key}


def test_a_rotation_that_broke_down_goes_on_with_the_same_key(make, config, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    for _person in range(6):
        make.person()
    batch, calls = rotation._reseal_batch, []

    def breaks_down(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no space left")
        return batch(*arguments)

    monkeypatch.setattr(rotation, "_reseal_batch", breaks_down)
    with pytest.raises(OSError, match="no space"):
        rotation.rotate(config.keys_file)
    assert len(_ids_in_use()) == 2
    meanwhile = sealing.keys().current

    done = rotation.rotate(config.keys_file)
    assert done.key == meanwhile
    assert _key_ids(config) == {str(done.key)}
    assert _ids_in_use() == {done.key}


def test_a_value_changed_during_the_rotation_is_not_put_back(make, config, monkeypatch):
    person = make.person(diet="低盐")
    batch = rotation._reseal_batch

    def slowly(column, keys, rows):
        if (column.table.name, column.name) == ("person", "diet"):
            make.read(person).diet = "无糖"
            db.session.commit()
        return batch(column, keys, rows)

    monkeypatch.setattr(rotation, "_reseal_batch", slowly)
    rotation.rotate(config.keys_file)
    db.session.expire_all()
    assert db.session.get(Person, person.id).diet == "无糖"


def test_a_running_process_notices_the_new_key(make, config):
    person = make.person()
    old = sealing.keys()
    rotation.rotate(config.keys_file)
    # As in a process that loaded the keys before the rotation.
    sealing._Holder.keys, sealing._Holder.seen = old, (0, 0)
    assert make.read(person).id_number.startswith("999901")


def test_a_value_that_cannot_be_opened_stops_the_rotation_and_keeps_every_key(make, config):
    person = make.person()
    db.session.execute(sa.text("UPDATE person SET phone = id_number"))
    db.session.commit()
    keys = _key_ids(config)
    with pytest.raises(RuntimeError, match=f"person.phone of row {person.id} cannot be opened"):
        rotation.rotate(config.keys_file)
    assert keys < _key_ids(config)


def test_every_sealed_column_is_walked():
    columns = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Sealed)
    }
    assert {(column.table.name, column.name) for column in rotation.sealed_columns()} == columns
    assert ("person", "id_number") in columns


def test_the_command_says_how_much_it_did(new_site):
    site = new_site().migrated()
    site.python("from tests.make import Make\nMake().person()")
    done = site.run("rotate-keys")
    assert done.returncode == 0, done.stderr
    assert "2 values sealed again; key 2 is the only one now" in done.stdout
    assert site.run("verify").returncode == 0
