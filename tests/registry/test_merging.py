"""Merging two records of one human being, and taking it back: what follows, what is refused, exactly as before."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import (
    AgentState,
    Claim,
    EmergencyContact,
    FamilyAgent,
    Happening,
    Household,
    Person,
    PersonChange,
    PersonState,
    PersonTag,
    RestrictedTag,
    Source,
    TagKind,
)
from portal.registry.service import changes, merging, people
from portal.registry.service.merging import fields, snapshots
from tests.make import Make


def _merge(kept: Person, merged: Person, **more) -> Happening:
    with transaction():
        return merging.merge(kept, merged, **more)


def _undo(happening: Happening) -> None:
    with transaction():
        merging.undo(happening, reason="合错了")


def _everything() -> dict[str, list[object]]:
    """Every row that a merge may touch, as stored in plain."""
    db.session.rollback()
    db.session.expire_all()
    found: dict[str, list[object]] = {
        name: [snapshots.values_of(row) for row in db.session.scalars(sa.select(model).order_by(model.id))]
        for name, model in snapshots.MODELS.items()
    }
    indexes = sa.select(Person.id_index, Person.phone_index, Person.phone_tail_index).order_by(Person.id)
    return found | {"indexes": [tuple(row) for row in db.session.execute(indexes)]}


def test_the_merged_one_becomes_an_alias_and_the_kept_one_takes_the_chosen_values(make: Make):
    kept, other = make.person("王秀英", phone="13800000001"), make.person("王秀瑛", phone="13900000009")
    _merge(kept, other, taking={"phone", "name"})
    kept, other = make.read(kept), make.read(other)
    assert (kept.name, kept.phone, kept.pinyin) == ("王秀瑛", "13900000009", "wang xiu ying")
    assert (other.merged_into_id, other.household_id) == (kept.id, None)
    assert people.resolved(other).id == kept.id


def test_numbers_change_places_so_that_neither_is_free_for_another(make: Make):
    kept, other = make.person(), make.person()
    mine, theirs = kept.id_number, other.id_number
    _merge(kept, other, taking={"id_number"})
    assert (make.read(kept).id_number, make.read(other).id_number) == (theirs, mine)


def test_empty_fields_are_taken_over_unless_told_otherwise(make: Make):
    kept, other = make.person(phone=""), make.person(phone="13900000009", diet="soft")
    assert merging.chosen({}, kept, other) == {"phone", "diet"}
    assert merging.chosen({"diet": "kept", "id_number": "other"}, kept, other) == {"phone", "id_number"}
    assert merging.chosen({"diet": "anything", "no_such_field": "other"}, kept, other) == {"phone"}


def test_tags_contacts_and_restricted_tags_are_copied_and_notes_put_together(make: Make):
    kept = make.person(tags=[TagKind.LIVING_ALONE], note="爱听戏")
    other = make.person(tags=[TagKind.LIVING_ALONE, TagKind.LOW_INCOME], note="住院三天")
    make.add(EmergencyContact(person_id=kept.id, name="李敏", relation="女儿", phone="13700000001"))
    make.add(EmergencyContact(person_id=other.id, name="李敏", relation="女儿", phone="13700000001"))
    make.add(EmergencyContact(person_id=other.id, name="李强", relation="儿子", phone="13700000002"))
    make.add(RestrictedTag(person_id=other.id, kind="youth_at_risk", since=today(), source="走访"))
    _merge(kept, other)
    kept = make.read(kept)
    told = {change.field: change.after for change in changes.history(kept)}
    assert (told["tags"], told["contacts"]) == ("低保", "李强")
    assert kept.tag_kinds(today()) == {TagKind.LIVING_ALONE, TagKind.LOW_INCOME}
    assert [(each.name, each.rank) for each in kept.contacts] == [("李敏", 1), ("李强", 2)]
    assert kept.note == "爱听戏\n住院三天"
    assert len(db.session.scalars(sa.select(RestrictedTag).where(RestrictedTag.person_id == kept.id)).all()) == 1


def test_the_account_and_the_agents_follow_but_nobody_is_their_own_agent(make: Make):
    kept, other = make.person("王秀英"), make.person("王秀英")
    mine, daughter, double = (
        make.resident(other),
        make.resident(make.person("李敏")),
        make.resident(make.person("李强")),
    )
    for person, account in ((other, daughter), (kept, double), (other, double), (kept, mine)):
        make.add(
            FamilyAgent(
                account_id=account.id,
                person_id=person.id,
                principal_name=person.name,
                relation="女儿",
                state=AgentState.ACCEPTED,
                until=today() + timedelta(days=30),
                requested_at=now(),
            )
        )
    _merge(kept, other)
    db.session.expire_all()
    assert db.session.scalar(sa.select(Claim.person_id).where(Claim.account_id == mine.id)) == kept.id
    agents = db.session.execute(
        sa.select(FamilyAgent.account_id, FamilyAgent.person_id, FamilyAgent.state).order_by(FamilyAgent.id)
    ).all()
    assert agents[0] == (daughter.id, kept.id, AgentState.ACCEPTED)
    assert agents[2] == (double.id, other.id, AgentState.ENDED)


def test_a_household_that_nobody_is_left_in_is_closed_until_the_merge_is_undone(make: Make):
    home = make.household()
    kept, other = make.person(), make.person(household_id=home.id)
    happening = _merge(kept, other)
    assert make.read(home).closed_on == today()
    _undo(happening)
    assert make.read(home).closed_on is None
    assert make.read(other).household_id == home.id


def test_a_merge_stands_in_the_history_of_both_and_is_told_to_the_others(make: Make, app):
    told = []
    app.extensions["portal.events"]["person_merged"].append(lambda kept, merged: told.append((kept.id, merged.id)))
    kept, other = make.person(phone=""), make.person(phone="13900000009")
    happening = _merge(kept, other, taking={"phone"}, reason="同一个人")
    app.extensions["portal.events"]["person_merged"].pop()
    assert told == [(kept.id, other.id)]
    rows = db.session.scalars(sa.select(PersonChange).order_by(PersonChange.person_id)).all()
    assert {(row.person_id, row.source, row.ref) for row in rows} == {
        (kept.id, Source.MERGE, happening.public_id),
        (other.id, Source.MERGE, happening.public_id),
    }
    assert {change.field for change in changes.history(make.read(kept))} == {"phone"}
    assert {part.person_id for part in happening.parts} == {kept.id, other.id}


def test_a_person_cannot_be_merged_with_themselves(make: Make):
    one = make.person()
    with pytest.raises(Refused, match="不能和自己合并"):
        _merge(one, one)


def test_a_person_cannot_be_merged_with_an_alias_of_themselves_either_way(make: Make):
    kept, other = make.person(), make.person()
    _merge(kept, other)
    for one, two in ((kept, other), (other, kept)):
        with pytest.raises(Refused, match="已经合并过了"):
            _merge(one, two)


def test_an_alias_of_somebody_else_is_not_merged_again(make: Make):
    kept, other, third = make.person(), make.person(), make.person()
    _merge(kept, other)
    for one, two in ((third, other), (other, third)):
        with pytest.raises(Refused, match="已经合并到别人名下"):
            _merge(one, two)


@pytest.mark.parametrize("dead", [0, 1])
def test_the_dead_are_not_merged_with_the_living(make: Make, dead: int):
    two = [make.person(state=PersonState.DEAD if order == dead else PersonState.PRESENT) for order in (0, 1)]
    with pytest.raises(Refused, match="另一份在世"):
        _merge(*two)


def test_people_of_two_communities_are_not_merged(make: Make):
    with pytest.raises(Refused, match="不同的社区"):
        _merge(make.person(), make.person(community=make.community("秋水社区")))


def test_two_people_with_an_account_each_are_not_merged(make: Make):
    kept, other = make.person(), make.person()
    make.resident(kept)
    make.resident(other)
    with pytest.raises(Refused, match="各有一个居民账号"):
        _merge(kept, other)


def test_a_child_and_the_guardian_are_not_one_person(make: Make):
    guardian = make.person()
    with pytest.raises(Refused, match="监护人"):
        _merge(make.person(guardian_id=guardian.id), guardian)


def test_a_merge_is_undone_once(make: Make):
    happening = _merge(make.person(), make.person())
    _undo(happening)
    with pytest.raises(Refused, match="已经撤销过"):
        _undo(happening)


def test_a_merge_is_not_undone_once_the_record_was_changed(make: Make):
    kept, other = make.person(phone=""), make.person(phone="13900000009")
    happening = _merge(kept, other, taking={"phone"})
    with transaction():
        kept = db.session.get_one(Person, kept.id)
        with changes.changing(kept, Source.WORKER):
            kept.phone = "13600000006"
    with pytest.raises(Refused, match="又改动过：联系电话"):
        _undo(happening)
    assert make.read(kept).phone == "13600000006"


def test_a_merge_is_not_undone_once_a_copied_tag_was_ended(make: Make):
    kept, other = make.person(), make.person(tags=[TagKind.LOW_INCOME])
    happening = _merge(kept, other)
    with transaction() as session:
        session.execute(sa.update(PersonTag).where(PersonTag.person_id == kept.id).values(until=today()))
    with pytest.raises(Refused, match="标签"):
        _undo(happening)


def test_a_merge_is_not_undone_once_the_kept_one_was_merged_away_herself(make: Make):
    first, second, third = make.person(), make.person(), make.person()
    happening = _merge(second, third)
    later = _merge(first, second)
    with pytest.raises(Refused, match="先撤销后一次"):
        _undo(happening)
    _undo(later)
    _undo(happening)
    assert make.read(third).merged_into_id is None


PHONES = st.sampled_from(["", "13800000001", "13900000002"])
TAGS = st.sets(st.sampled_from([TagKind.LIVING_ALONE, TagKind.LOW_INCOME, TagKind.BEREAVED]))
RECORD = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["王秀英", "王秀瑛", "王英"]),
        "phone": PHONES,
        "born": st.sampled_from([date(1950, 5, 5), date(1951, 1, 1), None]),
        "diet": st.sampled_from(["", "soft", "low_salt"]),
        "note": st.sampled_from([None, "爱听戏", "爱听戏\n住院"]),
        "tags": TAGS,
        "home": st.booleans(),
        "account": st.booleans(),
        "contact": st.booleans(),
        "agent": st.booleans(),
    }
)


def _stored(make: Make, said: dict, home: Household, agent) -> Person:
    person = make.person(
        said["name"],
        phone=said["phone"],
        born=said["born"],
        diet=said["diet"],
        note=said["note"],
        tags=sorted(said["tags"]),
        household_id=home.id if said["home"] else None,
    )
    if said["contact"]:
        make.add(EmergencyContact(person_id=person.id, name="李敏", relation="女儿", phone="13700000001"))
    if said["agent"]:
        make.add(
            FamilyAgent(
                account_id=agent.id,
                person_id=person.id,
                principal_name=person.name,
                relation="女儿",
                state=AgentState.ACCEPTED,
                until=today(),
                requested_at=now(),
            )
        )
    return person


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=RECORD, two=RECORD, same_home=st.booleans(), taking=st.sets(st.sampled_from(sorted(fields.GROUPS))))
def test_merging_and_undoing_is_the_identity(make: Make, one, two, same_home, taking):
    homes = [make.household(), make.household()]
    agent = make.resident(make.person("李敏"))
    kept = _stored(make, one, homes[0], agent)
    other = _stored(make, two, homes[0] if same_home else homes[1], agent)
    if one["account"] or two["account"]:
        make.resident(kept if one["account"] else other)
    before = _everything()
    happening = _merge(db.session.get_one(Person, kept.id), db.session.get_one(Person, other.id), taking=taking)
    assert _everything() != before
    _undo(happening)
    assert _everything() == before
