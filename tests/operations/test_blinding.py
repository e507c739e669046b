"""Rotating the blind-index key: everybody is still found, also half-way, and nobody is entered twice."""

import base64
import json

import pytest
import sqlalchemy as sa

from portal.core import blinding, sealing, verifying
from portal.core.db import Base, db, transaction, unique_or
from portal.core.errors import Refused
from portal.core.sealing import BlindIndex, blind
from portal.identity import service as identity
from portal.registry.models import Claim, Person
from portal.registry.service import people
from tests.registry.test_claims import waiting

EVERYWHERE = (people.Scope("all", ""),)


@pytest.fixture(autouse=True)
def no_rotation_is_left(app, config):
    """What a test broke off is not the next one's: its rows are gone, so are the keys they stood under."""
    yield
    sealing.drop_index_keys(config.keys_file)


def _stored(config):
    return json.loads(config.keys_file.read_text())


def _versions():
    found = set()
    for column in blinding.index_columns():
        values = db.session.scalars(sa.select(column.stored).where(column.stored.is_not(None)))
        found |= {bytes(value)[0] for value in values}
    db.session.rollback()
    return found


def _found(person, account):
    """Everything by which a person is looked up."""
    number, phone = person.id_number, person.phone
    return (
        [one.id for one in people.find(number, EVERYWHERE)] == [person.id]
        and person.id in [one.id for one in people.find(phone, EVERYWHERE)]
        and person.id in [one.id for one in people.find(phone[-4:], EVERYWHERE)]
        and identity.account_of_phone(account.phone).id == account.id
    )


def _break_off(monkeypatch, config, after):
    batch, calls = blinding._recompute_batch, []

    def breaks_down(*arguments):
        calls.append(1)
        if len(calls) > after:
            raise OSError("no space left")
        return batch(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(blinding, "_recompute_batch", breaks_down)
        with pytest.raises(OSError, match="no space"):
            blinding.rotate(config.keys_file)


def test_everybody_is_found_after_a_rotation_and_the_old_key_is_gone(make, config, monkeypatch):
    monkeypatch.setattr(blinding, "BATCH", 3)
    known = [make.person() for _person in range(8)]
    accounts = [make.resident(person) for person in known]
    before = _stored(config)
    indexes = [person.id_index for person in known]

    done = blinding.rotate(config.keys_file)

    after = _stored(config)
    assert done.key == after["index_version"] == before.get("index_version", 1) + 1
    assert after["index"] != before["index"]
    assert after["older_indexes"] == {}
    assert after["sealing"] == before["sealing"]
    assert done.values == 8 * 3 + 8 * 2  # number, phone and tail of a person; phone of an account, number of a claim
    assert _versions() == {done.key}
    db.session.expire_all()
    assert not {make.read(person).id_index for person in known} & set(indexes)
    assert all(_found(person, account) for person, account in zip(known, accounts, strict=True))


def test_a_rotation_that_broke_down_goes_on_and_everybody_is_found_meanwhile(make, config, monkeypatch):
    monkeypatch.setattr(blinding, "BATCH", 2)
    known = [make.person() for _person in range(6)]
    accounts = [make.resident(person) for person in known]
    _break_off(monkeypatch, config, after=4)
    assert len(_versions()) == 2
    meanwhile = sealing.keys().index_version
    db.session.expire_all()
    assert all(_found(make.read(person), account) for person, account in zip(known, accounts, strict=True))
    late = make.person()
    assert late.id_index[0] == meanwhile

    done = blinding.rotate(config.keys_file)

    assert done.key == meanwhile
    assert _stored(config)["older_indexes"] == {}
    assert _versions() == {done.key}
    assert all(_found(make.read(person), account) for person, account in zip(known, accounts, strict=True))
    assert [one.id for one in people.find(late.id_number, EVERYWHERE)] == [late.id]


def test_a_number_under_the_older_key_is_not_entered_a_second_time_meanwhile(make, config, monkeypatch):
    person, empty = make.person(), make.person(id_number="")
    _break_off(monkeypatch, config, after=0)
    with pytest.raises(Refused, match="taken"), transaction() as session:
        other = session.get_one(Person, empty.id)
        with unique_or(Refused("taken")):
            other.id_index = blind("person.id_number", person.id_number)
    with pytest.raises(sa.exc.IntegrityError):
        make.person(id_number=person.id_number)
    with pytest.raises(Refused), transaction():
        account = make.resident()
        sealing.use(sealing.keys())
        identity.open_resident_account(phone=account.phone, name="x", password_hash="!")


def test_without_the_watch_the_constraint_alone_lets_a_second_one_in(make, config, monkeypatch):
    """The negative control: equal values under two keys are not equal bytes."""
    person = make.person()
    _break_off(monkeypatch, config, after=0)
    sa.event.remove(Base, "before_insert", blinding._refuse_twins)
    try:
        make.person(id_number=person.id_number)
    finally:
        blinding.guard()
    with pytest.raises(RuntimeError, match="two rows are of one value"):
        blinding.rotate(config.keys_file)
    with transaction() as session:
        session.execute(sa.delete(Person).where(Person.id != person.id))
    blinding.rotate(config.keys_file)


def test_a_person_keeps_her_own_number_when_it_is_written_again_meanwhile(make, config, monkeypatch):
    person = make.person()
    _break_off(monkeypatch, config, after=0)
    with transaction() as session:
        session.get_one(Person, person.id).id_index = blind("person.id_number", person.id_number)
    assert make.read(person).id_index[0] == sealing.keys().index_version


def test_what_changed_during_the_rotation_is_not_put_back(make, config, monkeypatch):
    person = make.person(phone="13800001234")
    batch = blinding._recompute_batch

    def slowly(column, keys, rows):
        if (column.table.name, column.name) == ("person", "phone_index"):
            with transaction() as session:
                changed = session.get_one(Person, person.id)
                changed.phone, changed.phone_index = "13900005678", blind("person.phone", "13900005678")
        return batch(column, keys, rows)

    monkeypatch.setattr(blinding, "_recompute_batch", slowly)
    blinding.rotate(config.keys_file)
    assert people.find("13800001234", EVERYWHERE) == []
    assert [one.id for one in people.find("13900005678", EVERYWHERE)] == [person.id]


def test_an_index_of_what_is_no_longer_kept_goes(make, config):
    person = make.person()
    with transaction() as session:
        session.execute(sa.update(Person).values(phone=None))
    blinding.rotate(config.keys_file)
    assert make.read(person).phone_index is None


def test_claims_and_accounts_are_walked_too(make, config):
    claim = waiting(make)
    blinding.rotate(config.keys_file)
    assert make.read(claim).id_index == blind("person.id_number", claim.id_number)
    walked = {(column.table.name, column.name) for column in blinding.index_columns()}
    assert {("person", "id_index"), ("claim", "id_index"), ("account", "phone_index")} <= walked
    assert all(column.table.c[column.kind.of] is not None for column in blinding.index_columns())


def test_an_index_column_that_is_not_declared_as_one_fails_here():
    """A column of that name and length which a rotation would not find."""
    undeclared = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_index") and isinstance(column.type, sa.LargeBinary)
    } - {(column.table.name, column.name) for column in blinding.index_columns()}
    assert undeclared == set()


def test_verify_tells_an_index_that_is_not_its_values(make, config):
    person = make.person()
    assert verifying.verify().flaws == []
    with transaction() as session:
        session.execute(sa.update(Person).values(id_index=blind("person.id_number", "other")))
    assert verifying.verify().flaws == [f"person.id_index of row {person.id} is not the index of its value"]


def test_a_stored_index_fits_its_value_under_either_key(make, config, monkeypatch):
    person = make.person()
    _break_off(monkeypatch, config, after=0)
    index = blind("person.id_number", person.id_number)
    assert isinstance(index, BlindIndex)
    assert index != person.id_index
    assert index.fits(person.id_index)
    assert not index.fits(None)
    assert base64.b64encode(index) != base64.b64encode(person.id_index)
    assert db.session.scalar(sa.select(Person.id).where(Person.id_index.in_([index]))) == person.id
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Claim)) == 0


def test_the_command_rotates_the_index_key(new_site):
    site = new_site().migrated()
    site.python("from tests.make import Make\nMake().person()")
    done = site.run("rotate-keys", "--index")
    assert done.returncode == 0, done.stderr
    assert "3 values indexed again; key 2 is the only one now" in done.stdout
    assert site.run("verify").returncode == 0
