"""What must survive merging: refusals, sealed values, a household's head, requests and visits of an alias's alias."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import (
    Channel,
    EmergencyContact,
    Happening,
    Household,
    Person,
    PersonChange,
    Purpose,
    Relation,
    RestrictedTag,
    RightField,
    TwinPair,
    TwinState,
)
from portal.registry.service import changes, consents, merging, people, twins
from portal.registry.service.consents import Voice
from portal.registry.service.rights import looking, requests
from portal.visits.models import CareExclusion, Consent, Exclusion, Level, Method
from portal.visits.service import listing, visiting, wishes
from tests.make import Make
from tests.registry import registers
from tests.registry.rights_stand import proposed
from tests.visits import stand

COUNTER = Voice(Channel.COUNTER, "worker", "王秀英", operator="何立新", identity="身份证")


def _merge(kept: Person, merged: Person, **more) -> Happening:
    with transaction():
        return merging.merge(db.session.get_one(Person, kept.id), db.session.get_one(Person, merged.id), **more)


def _undo(happening: Happening) -> None:
    with transaction():
        merging.undo(db.session.get_one(Happening, happening.id), reason="合错了")


def _withdraw(person: Person, purpose: Purpose) -> None:
    with transaction():
        consents.withdraw(db.session.get_one(Person, person.id), purpose, voice=COUNTER)


def _two_steps(make: Make) -> tuple[Person, Person, Person]:
    """A merged into B, and B into C."""
    first, second, third = make.person("王秀瑛"), make.person("王秀英"), make.person("王秀英")
    return first, second, third


# What is written down of a merge.


def test_a_merge_writes_no_restricted_tag_and_no_telephone_in_plain(make: Make):
    kept, other = make.person(), make.person()
    make.add(RestrictedTag(person_id=other.id, kind="severe_mental_illness", since=today(), source="走访"))
    make.add(EmergencyContact(person_id=other.id, name="李强", relation="儿子", phone="13700000002"))
    happening = _merge(kept, other)
    table = Happening.__table__
    plain = db.session.execute(sa.select(sa.cast(table.c.made, sa.Text)).where(table.c.id == happening.id)).scalar_one()
    assert not any(word in plain for word in ("severe", "13700000002", "李强", "儿子"))
    _undo(happening)
    for model in (RestrictedTag, EmergencyContact):
        assert db.session.scalars(sa.select(model.person_id)).all() == [other.id]


# An alias of an alias.


def test_what_an_alias_of_an_alias_refused_stays_refused(make: Make):
    first, second, third = _two_steps(make)
    _withdraw(first, Purpose.PHOTO)
    _merge(second, first)
    _merge(third, second)
    assert not consents.allows(make.read(third), Purpose.PHOTO)


def test_requests_looks_and_visits_of_an_alias_of_an_alias_are_hers(make: Make):
    first, second, third = _two_steps(make)
    proposed(first, RightField.MARRIAGE, "married")
    stand.visited(first, make.worker(), now() - timedelta(days=2))
    _merge(second, first)
    _merge(third, second)
    third = make.read(third)
    assert set(db.session.scalars(people.ids_of(third))) == {first.id, second.id, third.id}
    assert len(requests.requests_of(third)) == 1
    assert requests.open_fields(third) == {RightField.MARRIAGE}
    assert requests.queue(stand.here(make), waiting=True).count == 1
    assert visiting.ids_of(third) == [third.id, first.id, second.id]
    assert len(visiting.history(third)) == 1
    assert [look.what for look in looking.looks(third).looks].count("合并了两份登记") == 2


# Households.


def _home_of(make: Make, *more: Person) -> Household:
    home = make.household()
    for person in more:
        with transaction():
            db.session.get_one(Person, person.id).household_id = home.id
    return home


def test_the_head_of_another_household_is_not_merged_away_from_those_she_heads(make: Make):
    home = make.household()
    other = make.person(household_id=home.id, relation=Relation.HEAD)
    make.person("李强", household_id=home.id, relation=Relation.SON)
    with pytest.raises(Refused, match="变更户主，再合并"):
        _merge(make.person(), other)
    assert make.read(other).merged_into_id is None


def test_the_kept_one_heads_the_household_that_her_double_headed(make: Make):
    home = make.household()
    other = make.person(household_id=home.id, relation=Relation.HEAD)
    kept = make.person(household_id=home.id, relation=Relation.OTHER)
    make.person("李强", household_id=home.id, relation=Relation.SON)
    happening = _merge(kept, other)
    assert make.read(kept).relation is Relation.HEAD
    assert "relation" in {change.field for change in changes.history(make.read(kept))}
    _undo(happening)
    assert make.read(kept).relation is Relation.OTHER
    assert make.read(other).relation is Relation.HEAD


def test_a_merge_is_not_undone_into_a_household_that_was_closed(make: Make):
    home = make.household()
    kept, other = make.person(), make.person(household_id=home.id, relation=Relation.SPOUSE)
    third = make.person("李强", household_id=home.id, relation=Relation.HEAD)
    happening = _merge(kept, other)
    with transaction():
        db.session.get_one(Person, third.id).household_id = None
        db.session.get_one(Household, home.id).closed_on = today()
    with pytest.raises(Refused, match="已经注销"):
        _undo(happening)
    assert make.read(other).merged_into_id is not None


def test_undoing_a_merge_makes_no_second_head(make: Make):
    home = make.household()
    kept, other = make.person(), make.person(household_id=home.id, relation=Relation.HEAD)
    happening = _merge(kept, other)
    with transaction():
        db.session.get_one(Household, home.id).closed_on = None
    make.person("李强", household_id=home.id, relation=Relation.HEAD)
    with pytest.raises(Refused):
        _undo(happening)


def test_undoing_a_merge_is_told_of_both(make: Make, app):
    told = []
    kept, other = make.person(), make.person()
    happening = _merge(kept, other)
    app.extensions["portal.events"]["person_moved"].append(lambda person: told.append(person.id))
    _undo(happening)
    app.extensions["portal.events"]["person_moved"].pop()
    assert sorted(told) == [kept.id, other.id]


# Diet and health.


def _health(make: Make, **more) -> Person:
    return make.person(diet="low_salt", health="花生过敏", **more)


def test_what_the_kept_one_refused_is_not_brought_in_by_a_merge(make: Make):
    kept, other = make.person(), _health(make)
    _withdraw(kept, Purpose.HEALTH)
    _merge(kept, other, taking={"diet"})
    kept = make.read(kept)
    assert (kept.diet, kept.health) == (None, None)


def test_what_the_merged_one_refused_is_no_longer_kept_either(make: Make):
    kept, other = _health(make), make.person()
    _withdraw(other, Purpose.HEALTH)
    happening = _merge(kept, other)
    assert (make.read(kept).diet, make.read(kept).health) == (None, None)
    _undo(happening)
    assert (make.read(kept).diet, make.read(kept).health) == ("low_salt", "花生过敏")


def test_withdrawing_after_a_merge_erases_aliases_histories_and_snapshots(make: Make):
    kept, other = make.person(), _health(make)
    happening = _merge(kept, other, taking={"diet"})
    assert make.read(kept).health == "花生过敏"
    _withdraw(kept, Purpose.HEALTH)
    kept, other, happening = make.read(kept), make.read(other), make.read(happening)
    assert [(one.diet, one.health) for one in (kept, other)] == [(None, None)] * 2
    texts = [happening.before, happening.after, *db.session.scalars(sa.select(PersonChange.changes))]
    assert not any("花生" in text or "low_salt" in text for text in texts)
    _undo(happening)
    kept, other = make.read(kept), make.read(other)
    assert other.merged_into_id is None
    assert [(one.diet, one.health) for one in (kept, other)] == [(None, None)] * 2


def test_an_alias_that_refused_keeps_what_is_imported_away_with_its_history(make: Make):
    kept, other = make.person(), make.person()
    _withdraw(other, Purpose.HEALTH)
    _merge(kept, other)
    before = now()
    with transaction():
        one = db.session.get_one(Person, kept.id)
        with changes.changing(one, changes.Source.IMPORT):
            one.diet, one.health = "soft", "花生过敏"
        db.session.flush()
        consents.keep_refusals(before)
    kept = make.read(kept)
    assert (kept.diet, kept.health) == (None, None)
    assert not any("花生" in text or "soft" in text for text in db.session.scalars(sa.select(PersonChange.changes)))


# Others who hang on a person.


def test_a_guardian_keeps_her_wards_when_her_double_is_merged(make: Make):
    kept, other = make.person("李敏", born=date(1985, 1, 1)), make.person("李敏", born=date(1985, 1, 1))
    child = make.person("王小宝", born=today() - timedelta(days=365 * 6), guardian_id=other.id)
    _merge(kept, other)
    assert [one.id for one in consents.wards(make.read(kept))] == [child.id]


def test_a_written_refusal_and_an_override_follow_to_the_kept_one(make: Make):
    stand.tables_set(make)
    kept, other = stand.alone(make), stand.alone(make)
    worker = stand.actor(make.worker())
    with transaction():
        listing.refresh(make.community())
        hers = stand.subject(other)
        wishes.record_wish(hers, Consent.REFUSED, Method.PHONE, note="材料在柜子里", said_on=today(), by=worker)
        wishes.exclude(hers, Exclusion.HOSPITAL, today(), None, "住院", by=worker)
        wishes.override(hers, Level.GENERAL, "女儿同住", None, by=worker)
    _merge(kept, other)
    subject = stand.subject(make.read(kept))
    assert (subject.consent, subject.method) == (Consent.REFUSED, Method.PHONE)
    assert (subject.override_level, subject.level) == (Level.GENERAL, Level.GENERAL)
    assert {row.reason for row in wishes.exclusions(subject)} == {Exclusion.REFUSAL, Exclusion.HOSPITAL}
    rows = db.session.scalars(sa.select(CareExclusion).where(CareExclusion.subject_id == subject.id))
    assert all(row.until is None for row in rows)


def test_a_pair_of_whom_one_moved_to_another_community_no_longer_waits(make: Make):
    one, other = make.person(), make.person()
    facts = {"score": 90, "reasons": [], "found_at": now(), "state": TwinState.OPEN}
    make.add(TwinPair(community_id=make.community().id, person_id=one.id, other_id=other.id, **facts))
    assert twins.waiting_pairs(stand.here(make)) == 1
    elsewhere = make.community("秋水社区")
    with transaction():
        db.session.get_one(Person, other.id).community_id = elsewhere.id
    assert twins.waiting_pairs(stand.here(make)) == 0


def test_a_later_word_on_visits_of_the_kept_one_is_not_overruled_by_her_double(make: Make):
    stand.tables_set(make)
    kept, other = stand.alone(make), stand.alone(make)
    worker = stand.actor(make.worker())
    with transaction():
        listing.refresh(make.community())
        refused, said = stand.subject(other), stand.subject(kept)
        early = today() - timedelta(days=30)
        wishes.record_wish(refused, Consent.REFUSED, Method.PHONE, note="材料在柜子里", said_on=early, by=worker)
        wishes.record_wish(said, Consent.AGREED, Method.HOME, note="", said_on=today(), by=worker)
    _merge(kept, other)
    subject = stand.subject(make.read(kept))
    assert subject.consent is Consent.AGREED
    assert wishes.exclusions(subject) == []


@pytest.mark.parametrize("kept_first", [True, False])
def test_a_merge_of_two_in_one_household_leaves_one_head(make: Make, kept_first: bool):
    home = make.household()
    two = [make.person(household_id=home.id, relation=relation) for relation in (Relation.HEAD, Relation.SPOUSE)]
    make.person("李强", household_id=home.id, relation=Relation.SON)
    kept, other = two if kept_first else reversed(two)
    _merge(kept, other, taking={"household_id"})
    assert make.read(kept).relation is Relation.HEAD


def test_a_row_decided_late_brings_no_diet_in_that_was_refused(client, make: Make):
    make.community()
    worker = client.sign_in(make.worker())
    batch = registers.take_in(worker, registers.register(registers.row(), registers.row(饮食要求="低盐")))
    (person,) = registers.people()
    _withdraw(person, Purpose.HEALTH)
    page = f"{registers.ADDRESS}/{batch.public_id}/waiting/3"
    assert worker.post(page, data={"verdict": "same", "diet": "row"}).status_code == 303
    assert make.read(person).diet is None
    assert not any("low_salt" in text for text in db.session.scalars(sa.select(PersonChange.changes)))
