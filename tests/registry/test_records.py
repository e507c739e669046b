"""A record by its sections: what each saves, two workers at once, the history, and registering by hand."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import ids, settings
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.ids import InvalidNumber, Sex
from portal.identity.permissions import Role
from portal.registry.models import Diet, IdKind, Marriage, Person, Presence, Relation, Schooling, Source
from portal.registry.service import beyond, changes, documents, finding, telling
from portal.registry.service.people import Scope
from tests.client import Client
from tests.make import Make


def rows(action: str) -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def said(person: Person, part: str) -> dict[str, object]:
    """What a form opened on the person holds, field by field."""
    plain: dict[str, dict[str, object]] = {
        "identity": {
            "name": person.name,
            "sex": person.sex.value,
            "birth_date": person.birth_date.isoformat() if person.birth_date else "",
            "id_kind": person.id_kind.value,
            "ethnicity": person.ethnicity,
            "marriage": person.marriage.value,
            "schooling": person.schooling.value,
            "politics": person.politics.value,
            "work": person.work.value,
        },
        "residence": {
            "registration": person.registration.value,
            "registration_code": person.registration_code,
            "presence": person.presence.value,
            "tenure": person.tenure.value,
            "grid": "",
        },
        "family": {"relation": person.relation.value, "guardian": ""},
        "contact": {},
        "care": {"diets": sorted(person.diets())},
    }
    return {"version": str(person.version), **plain[part]}


def save(client: Client, person: Person, part: str, **typed: object) -> TestResponse:
    return client.post(f"/desk/people/{person.public_id}/edit/{part}", data={**said(person, part), **typed})


def without_number(make: Make) -> Person:
    person = make.person("王秀英", born=date(1950, 1, 1), sex=Sex.UNKNOWN)
    with transaction():
        person = db.session.merge(person)
        person.id_number, person.id_index, person.birth_date, person.flags = None, None, None, ["no_number"]
    return person


def test_a_record_shows_every_section_masked_and_a_grid_worker_may_only_read(make: Make, client: Client) -> None:
    grid = make.grid()
    person = make.person("王秀英", phone="13800005678", grid=grid, household_id=make.household().id, note="住一楼")
    client.sign_in(make.worker())
    html = client.get(f"/desk/people/{person.public_id}/record").get_data(as_text=True)
    for words in ("王秀英", "138****5678", "第一网格", "修改身份", "修改居住", "去世", "管理标签"):
        assert words in html
    assert "住一楼" not in html
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    html = client.get(f"/desk/people/{person.public_id}/record").get_data(as_text=True)
    assert "王秀英" in html
    assert "修改身份" not in html
    assert save(client, person, "contact", phone="13900001234").status_code == 403


@pytest.mark.parametrize("part", ["identity", "residence", "family", "contact", "care"])
def test_every_section_opens_and_an_empty_edit_changes_nothing(make: Make, client: Client, part: str) -> None:
    person = make.person(phone="13800005678", note="住一楼", diet="halal", household_id=make.household().id)
    before = person.version
    client.sign_in(make.worker())
    assert client.get(f"/desk/people/{person.public_id}/edit/{part}").status_code == 200
    assert save(client, person, part).status_code == 303
    person = make.read(person)
    assert (person.phone, person.note, person.diet, person.version) == ("13800005678", "住一楼", "halal", before)
    assert rows("registry.person_edited") == []


def test_a_section_that_is_not_one_is_not_there(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    assert client.get(f"/desk/people/{make.person().public_id}/edit/everything").status_code == 404


def test_identity_and_residence_are_saved_each_by_itself(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    client.sign_in(make.worker())
    assert save(client, person, "identity", marriage="widowed", ethnicity="03", schooling="primary").status_code == 303
    person = make.read(person)
    assert save(client, person, "residence", presence="only_living", living_since="2020-01-02").status_code == 303
    person = make.read(person)
    assert (person.marriage, person.ethnicity, person.schooling) == (Marriage.WIDOWED, "03", Schooling.PRIMARY)
    assert (person.presence, person.living_since) == (Presence.ONLY_LIVING, date(2020, 1, 2))
    assert [row.facts["fields"] for row in rows("registry.person_edited")] == [
        ["ethnicity", "marriage", "schooling"],
        ["presence", "living_since"],
    ]


def test_a_new_phone_is_found_by_its_figures_and_a_wrong_one_is_refused_with_what_was_typed(
    make: Make, client: Client
) -> None:
    person = make.person("王秀英", phone="13800005678")
    client.sign_in(make.worker())
    assert save(client, person, "contact", phone="139 0000 1234").status_code == 303
    scope = (Scope("community", make.community().code),)
    assert make.read(person).phone == "13900001234"
    assert [line.public_id for line in finding.found_lines("1234", scope, 5)] == [person.public_id]
    answer = save(client, make.read(person), "contact", phone="1234")
    assert answer.status_code == 422
    assert 'value="1234"' in answer.get_data(as_text=True)


def test_a_missing_number_is_completed_and_its_flag_cleared(make: Make, client: Client) -> None:
    person, number = without_number(make), make.id_number(date(1948, 3, 2), Sex.FEMALE)
    client.sign_in(make.worker())
    assert "缺身份证号码" in client.get(f"/desk/people/{person.public_id}/record").get_data(as_text=True)
    assert save(client, person, "identity", id_number=f" {number[:6]} {number[6:]}").status_code == 303
    person = make.read(person)
    assert (person.id_number, person.birth_date, person.sex) == (number, date(1948, 3, 2), Sex.FEMALE)
    assert person.flags == []


def test_somebody_elses_number_is_refused(make: Make, client: Client) -> None:
    person, other = without_number(make), make.person("陈建国")
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = save(client, person, "identity", id_number=other.id_number)
    assert answer.status_code == 422
    assert "已登记在别人名下" in answer.get_data(as_text=True)
    assert len(rows("registry.number_elsewhere")) == 1, "that a number is held is on the record"
    with transaction():
        settings.put(beyond.HOURLY, 1, valid_from=today(), by="test")
    assert save(client, person, "identity", id_number=other.id_number).status_code == 429
    assert make.read(person).id_number is None


def test_a_number_that_stands_is_replaced_only_with_a_reason(make: Make, client: Client) -> None:
    person, number = make.person(), make.id_number(date(1950, 5, 5))
    before = person.id_number
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = save(client, person, "identity", id_number=number)
    assert answer.status_code == 422
    assert "请写明原因" in answer.get_data(as_text=True)
    assert make.read(person).id_number == before
    assert save(client, person, "identity", id_number=number, reason="录错一位").status_code == 303
    assert make.read(person).id_number == number


def test_nobody_out_of_scope_can_be_mended_or_read(make: Make, client: Client) -> None:
    person = make.person(community=make.community("秋月社区"))
    client.sign_in(make.worker())
    assert save(client, person, "contact", phone="13900001234").status_code == 404
    for page in ("record", "history", "tags", "contacts", "death", "move-out"):
        assert client.get(f"/desk/people/{person.public_id}/{page}").status_code == 404


# ---- Two workers at once ----


def test_the_second_of_two_workers_is_told_what_changed_keeps_what_she_typed_and_may_save_again(
    make: Make, app: Flask
) -> None:
    person = make.person("王秀英")
    first: Client = app.test_client().sign_in(make.worker(name="周洁"))  # type: ignore[attr-defined]
    second: Client = app.test_client().sign_in(make.worker(name="吴敏"))  # type: ignore[attr-defined]
    opened_by_second = said(person, "identity")
    assert save(first, person, "identity", marriage="widowed", schooling="primary").status_code == 303
    typed = {**opened_by_second, "work": "retired", "schooling": "college"}
    answer = second.post(f"/desk/people/{person.public_id}/edit/identity", data=typed)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "周洁改过这份登记（婚姻状况：丧偶；学历：小学）" in html
    assert '<option selected value="retired">' in html, "what she typed stands"
    assert '<option selected value="college">' in html, "what she typed stands even where the other changed it too"
    assert '<option selected value="widowed">' in html, "what she did not touch shows what stands now"
    assert make.read(person).work.value == "unknown"
    (version,) = re.findall(r'<input[^>]*name="version"[^>]*>', html)
    assert 'value="2"' in version
    again = {**typed, "version": "2", "marriage": "widowed"}
    assert second.post(f"/desk/people/{person.public_id}/edit/identity", data=again).status_code == 303
    person = make.read(person)
    assert (person.marriage, person.schooling, person.work.value) == (Marriage.WIDOWED, Schooling.COLLEGE, "retired")


def test_a_version_that_is_no_number_counts_as_an_old_one(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    answer = client.post(
        f"/desk/people/{person.public_id}/edit/contact", data={"version": "九", "phone": "13900001234"}
    )
    assert answer.status_code == 422
    assert "请核对后再保存一次" in answer.get_data(as_text=True)


# ---- History ----


def test_the_history_says_who_when_from_where_and_never_a_sealed_value(make: Make, client: Client) -> None:
    person, number = without_number(make), make.id_number(date(1948, 3, 2))
    guardian = make.person("陈建国")
    client.sign_in(make.worker(name="周洁"))
    save(client, person, "identity", id_number=number, marriage="widowed")
    save(client, make.read(person), "contact", phone="13900001234")
    save(client, make.read(person), "care", note="住一楼", health="高血压", diets=["low_salt"])
    save(client, make.read(person), "residence", registered_address="某省某市某街道")
    assert make.read(person).guardian_id is None
    save(client, make.read(person), "family", guardian_number=guardian.id_number)
    html = client.get(f"/desk/people/{person.public_id}/history").get_data(as_text=True)
    for words in ("周洁", "工作人员修改", "婚姻状况", "丧偶", "139****1234", "已登记，未显示", "低盐", "陈建国"):
        assert words in html
    for words in (number, "13900001234", "住一楼", "高血压", "某省某市"):
        assert words not in html
    one = client.get(f"/desk/people/{person.public_id}/history?field=marriage").get_data(as_text=True)
    assert "丧偶" in one
    assert "139****1234" not in one
    assert {line.field for line in telling.history(make.read(person), field="marriage")} == {"marriage"}


def test_an_untouched_record_says_that_it_has_no_history(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    assert "没有修改记录" in client.get(f"/desk/people/{make.person().public_id}/history").get_data(as_text=True)


# ---- Guardians ----


def test_nobody_is_her_own_guardian_or_her_guardians_guardian(make: Make, client: Client) -> None:
    home = make.household()
    person = make.person("王秀英", household_id=home.id, relation=Relation.HEAD)
    other = make.person("陈建国", household_id=home.id)
    child = make.person("陈小明", household_id=home.id, born=today() - timedelta(days=3000))
    client.sign_in(make.worker())
    client.shows_numbers = True
    answer = save(client, person, "family", relation="head", guardian_number=person.id_number)
    assert answer.status_code == 422
    answer = save(client, person, "family", relation="head", guardian_number=child.id_number)
    assert "监护人要年满 18 周岁" in answer.get_data(as_text=True)
    assert save(client, person, "family", relation="head", guardian=other.public_id).status_code == 303
    answer = save(client, other, "family", guardian=person.public_id)
    assert answer.status_code == 422
    assert "不能互为监护人" in answer.get_data(as_text=True)


# ---- Documents ----


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        (IdKind.ID_CARD, "11010519491231002x", "11010519491231002X"),
        (IdKind.RESIDENCE_PERMIT, "810000199408230021", "810000199408230021"),
        (IdKind.RESIDENCE_PERMIT, "830000199201300022", "830000199201300022"),
        (IdKind.PASSPORT, "e 1234-5678", "E12345678"),
        (IdKind.TRAVEL_PERMIT, "h12345678", "H12345678"),
        (IdKind.TRAVEL_PERMIT, "M1234567890", "M1234567890"),
        (IdKind.TRAVEL_PERMIT, "12345678", "12345678"),
        (IdKind.FOREIGNER_PERMIT, "CAN310080010101", "CAN310080010101"),
        (IdKind.FOREIGNER_PERMIT, "911036198001010024", None),
        (IdKind.OTHER, "军字第1234567号", None),
    ],
)
def test_each_kind_of_document_has_its_own_check(kind: IdKind, text: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(InvalidNumber):
            documents.read(kind, text)
        return
    assert documents.read(kind, text).number == number


def test_a_foreigners_new_number_ends_with_the_check_of_the_card(bare_app: Flask) -> None:
    first = "91103619800101002"
    number = first + ids.check_digit(first)
    assert documents.read(IdKind.FOREIGNER_PERMIT, number).number == number
    assert ids.check_temporary_number(ids.temporary_number("999901001001", 12)) is not None
    assert ids.check_temporary_number("L99990100100100122") is None
    assert Diet.SOFT.value == "soft"


def test_a_conflict_names_no_sealed_value_and_no_mark_of_the_register(make: Make, app: Flask) -> None:
    person = make.person("王秀英")
    first: Client = app.test_client().sign_in(make.worker(name="周洁"))  # type: ignore[attr-defined]
    second: Client = app.test_client().sign_in(make.worker(name="吴敏"))  # type: ignore[attr-defined]
    typed = said(person, "contact")
    save(first, person, "contact", phone="13900001234")
    with transaction():
        mine = db.session.get_one(Person, person.id)
        changes.note(mine, {"flags": [None, '["no_number"]']}, Source.WORKER)
    html = second.post(f"/desk/people/{person.public_id}/edit/contact", data={**typed, "phone": "13900005678"}).text
    assert "改过这份登记（联系电话）" in html
    assert "13900001234" not in html
    assert "待补充" not in html
    assert "待补充" not in first.get(f"/desk/people/{person.public_id}/history").text
