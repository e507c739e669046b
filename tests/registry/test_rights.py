"""Seeing what is held, having it corrected, and the clock of the answers."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import calendar
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.notifications import wording
from portal.registry import jobs
from portal.registry.models import (
    EmergencyContact,
    Marriage,
    Person,
    PersonChange,
    RestrictedKind,
    RestrictedTag,
    RightField,
    RightKind,
    RightsCopy,
    RightsRequest,
    RightState,
    Source,
)
from portal.registry.service import doors
from portal.registry.service.rights import closing, copies, held, looking, requests
from tests.make import Make
from tests.registry.rights_stand import SELF, actor_of, granted, proposed


def test_a_correction_waits_and_changes_nothing_by_itself(make: Make):
    person = make.person()
    request = proposed(person, RightField.NAME, "王秀瑛")
    assert request.state is RightState.OPEN
    assert make.read(person).name == "王秀英"


def test_a_granted_name_is_put_into_the_record_with_the_resident_as_its_source(make: Make):
    person = granted(proposed(make.person(), RightField.NAME, "王秀瑛"), make)
    change = db.session.scalars(sa.select(PersonChange).where(PersonChange.person_id == person.id)).one()
    assert (person.name, person.initials) == ("王秀瑛", "wxy")
    assert change.source is Source.RESIDENT


def test_a_granted_phone_can_be_found_by_its_index(make: Make):
    person = granted(proposed(make.person(), RightField.PHONE, "13912345678"), make)
    assert person.phone == "13912345678"
    assert person.phone_tail_index is not None


@pytest.mark.parametrize(
    ("field", "value", "column", "stands"),
    [
        (RightField.REGISTERED_ADDRESS, "春风路1号", "registered_address", "春风路1号"),
        (RightField.MARRIAGE, "married", "marriage", Marriage.MARRIED),
        (RightField.SCHOOLING, "primary", "schooling", "primary"),
        (RightField.WORK, "retired", "work", "retired"),
        (RightField.DIET, ["low_salt", "low_sugar"], "diet", "low_sugar,low_salt"),
        (RightField.HEALTH, "花生过敏", "health", "花生过敏"),
    ],
)
def test_each_field_is_put_where_it_belongs(make: Make, field: RightField, value: object, column: str, stands: object):
    assert getattr(granted(proposed(make.person(), field, value), make), column) == stands


def test_what_stands_already_is_not_proposed(make: Make):
    with pytest.raises(Refused, match="不用改"):
        proposed(make.person(), RightField.NAME, "王秀英")


def test_one_field_waits_once(make: Make):
    person = make.person()
    proposed(person, RightField.NAME, "王秀瑛")
    with pytest.raises(Refused, match="已经提过"):
        proposed(person, RightField.NAME, "王秀影")


def test_a_contact_is_added_replaced_and_dropped(make: Make):
    person = make.person()
    add = {"act": "add", "which": "", "name": "李梅", "relation": "女儿", "phone": "13911112222"}
    contact = granted(proposed(person, RightField.CONTACTS, add), make).contacts[0]
    replace = {**add, "act": "replace", "which": str(contact.id), "name": "李明"}
    assert granted(proposed(person, RightField.CONTACTS, replace), make).contacts[0].name == "李明"
    drop = {**add, "act": "drop", "which": str(contact.id)}
    assert granted(proposed(person, RightField.CONTACTS, drop), make).contacts == []


def test_a_contact_that_is_nobodys_is_refused(make: Make):
    other = make.add(EmergencyContact(person_id=make.person().id, name="甲", relation="女儿", phone="13911112222"))
    said = {"act": "drop", "which": str(other.id), "name": "", "relation": "", "phone": ""}
    with pytest.raises(Refused, match="哪一位"):
        proposed(make.person("别人"), RightField.CONTACTS, said)


def test_a_refusal_needs_words_and_tells_the_person(make: Make):
    request = proposed(make.person(), RightField.NAME, "王秀瑛")
    by = actor_of(make.worker())
    with pytest.raises(Refused, match="为什么"), transaction():
        requests.refuse(db.session.get_one(RightsRequest, request.id), " ", by=by)
    with transaction():
        requests.refuse(db.session.get_one(RightsRequest, request.id), "户口簿上是原来的字", by=by)
    told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "registry.right_refused")).one()
    assert told.facts == {"kind": "correction", "field": "name", "answer": "户口簿上是原来的字"}
    assert wording.words_for(told.topic, told.facts).title == "更正姓名：社区没有同意"


def test_an_answered_request_is_not_answered_again(make: Make):
    request = proposed(make.person(), RightField.NAME, "王秀瑛")
    granted(request, make)
    with pytest.raises(Refused, match="已经有了结果"):
        granted(request, make)


def test_answers_are_due_in_thirty_days_and_closings_in_fifteen_working_days(make: Make):
    person = make.person()
    account = make.resident(person)
    with transaction():
        asked = requests.ask_other(person, "请说明", voice=SELF)
        closed = closing.ask_at_counter(person, voice=SELF)
    assert asked.due_on == today() + timedelta(days=30)
    assert closed.due_on == calendar.add_working_days(today(), 15)
    assert closed.account_id == account.id


def test_what_is_late_stands_first_in_the_to_do(make: Make):
    within = (Scope("community", make.community().code),)
    request = proposed(make.person(), RightField.NAME, "王秀瑛")
    assert [todo.late for todo in requests.todo(within)] == [False]
    with transaction():
        db.session.get_one(RightsRequest, request.id).due_on = today() - timedelta(days=1)
    (todo,) = requests.todo(within)
    assert todo.late
    assert todo.count == 1


def test_another_community_has_nothing_to_do(make: Make):
    proposed(make.person(), RightField.NAME, "王秀瑛")
    elsewhere = (Scope("community", make.community("别的社区").code),)
    assert requests.todo(elsewhere) == []
    assert requests.queue(elsewhere, waiting=True).requests == []


def test_the_queue_pages_by_key_in_the_order_of_due_days(make: Make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(requests, "PAGE", 2)
    asked = [proposed(make.person(f"王{n}"), RightField.NAME, f"李{n}") for n in range(5)]
    within = (Scope("community", make.community().code),)
    seen, key = [], ""
    for _page in range(3):
        listed = requests.queue(within, waiting=True, after=key)
        seen += [one.id for one in listed.requests]
        key = listed.next_key
    assert seen == [one.id for one in asked]
    assert key == ""


def test_a_request_of_a_merged_record_is_answered_on_the_one_that_stands(make: Make):
    kept, merged = make.person(), make.person()
    request = proposed(merged, RightField.MARRIAGE, "married")
    with transaction():
        db.session.get_one(Person, merged.id).merged_into_id = kept.id
    granted(request, make)
    assert make.read(kept).marriage is Marriage.MARRIED


# Seeing.


def test_a_person_sees_where_each_field_came_from(make: Make):
    person = granted(proposed(make.person(), RightField.NAME, "王秀瑛"), make)
    fields = {one.label: one for one in held.mine(person).fields}
    assert fields["姓名"].source.startswith("居民本人更正")
    assert fields["联系电话"].value == "138****" + (person.phone or "")[-4:]
    assert (person.id_number or "") not in json.dumps([one.value for one in held.mine(person).fields])


def test_looks_come_newest_first_by_key(make: Make, monkeypatch: pytest.MonkeyPatch):
    person = make.person()
    for number in range(5):
        make.add(
            AuditRow(
                at=now() - timedelta(hours=number),
                actor="a",
                actor_name="周洁",
                roles="community_worker",
                action="registry.revealed",
                object_type="Person",
                object_id=person.public_id,
                facts={"field": "phone"},
                reason=f"原因{number}",
            )
        )
    first = looking.looks(person, limit=3)
    second = looking.looks(person, before=first.next_key, limit=3)
    assert [look.reason for look in first.looks + second.looks] == [f"原因{n}" for n in range(5)]
    assert second.next_key == ""


def test_opening_and_answering_a_request_are_among_the_looks(make: Make):
    request = proposed(make.person(), RightField.PHONE, "13912345678")
    opener = actor_of(make.worker())
    with transaction():
        requests.opened(db.session.get_one(RightsRequest, request.id), by=opener)
    person = granted(request, make)
    assert {look.what for look in looking.looks(person).looks} == {"看了您的申请内容", "同意了您的申请"}


# Copies.


def test_a_copy_is_kept_for_a_day_and_then_deleted(make: Make):
    person = make.person()
    with transaction():
        made = copies.keep(person, {"内容": {}}, voice=SELF)
    assert [one.id for one in copies.copies_of(person)] == [made.id]
    with transaction():
        db.session.get_one(RightsCopy, made.id).ends_at = now() - timedelta(seconds=1)
    assert copies.copies_of(person) == []
    with pytest.raises(Refused, match="24 小时"):
        copies.take(person, made.public_id)
    jobs.purge_copies()
    assert db.session.scalars(sa.select(RightsCopy)).all() == []


def test_a_copy_counts_as_a_request_answered_at_once(make: Make):
    person = make.person()
    with transaction():
        copies.keep(person, {"内容": {}}, voice=SELF)
    (request,) = requests.requests_of(person)
    assert (request.kind, request.state) == (RightKind.COPY, RightState.GRANTED)


def test_the_registers_part_of_a_copy_is_complete_and_without_restricted_tags(make: Make):
    person = make.person(health="花生过敏")
    kind = RestrictedKind.COMMUNITY_CORRECTION
    make.add(RestrictedTag(person_id=person.id, kind=kind.value, since=today(), source="司法所"))
    body = json.dumps(held.export(person), ensure_ascii=False)
    for value in (person.id_number, person.phone, "花生过敏"):
        assert value
        assert value in body
    assert "矫正" not in body
    assert kind.value not in body


def test_the_to_do_of_the_register_names_the_requests(make: Make, app: Flask):
    worker, grid_worker = actor_of(make.worker()), actor_of(make.worker(Role.GRID_WORKER))
    proposed(make.person(), RightField.NAME, "王秀瑛")
    assert "registry.worker.rights" in [todo.endpoint for todo in doors.todo_of(worker)]
    assert "registry.worker.rights" not in [todo.endpoint for todo in doors.todo_of(grid_worker)]
