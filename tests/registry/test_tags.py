"""Tags with their days, source and grade; restricted ones behind a reason; whom to call in need."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import EmergencyContact, Person, PersonTag, RestrictedKind, RestrictedTag, TagKind
from portal.registry.service import changes
from tests.client import Client
from tests.days import as_of_now, day_sent, later
from tests.make import Make


def rows(action: str) -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def tag(client: Client, person: Person, kind: str = "low_income", **typed: Any) -> TestResponse:
    said = {"kind": kind, "since": "2024-01-01", "source": "民政名单", "disability": "0", "grade": "0"}
    return client.post(f"/desk/people/{person.public_id}/tags", data={**said, **typed})


def test_a_tag_is_added_with_its_source_and_ended_from_today(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker(name="周洁"))
    assert tag(client, person).status_code == 303
    person = make.read(person)
    (held,) = person.tags
    assert person.tag_kinds(today()) == {TagKind.LOW_INCOME}
    assert held.noted_by == "周洁"
    assert client.post(f"/desk/people/{person.public_id}/tags/{held.id}/end").status_code == 303
    db.session.refresh(held)
    assert not held.holds(today())
    assert held.holds(today() - timedelta(days=1))
    assert len(rows("registry.tag_added")) == len(rows("registry.tag_ended")) == 1
    assert [change.field for change in changes.history(make.read(person))] == ["tags", "tags"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"since": later(day_sent, 1)}, "今天或更早"),
        ({"source": ""}, "请写明依据"),
        ({"until": "2023-12-31"}, "结束日期早于开始日期"),
        ({"kind": "disabled"}, "要选残疾类别和等级"),
        ({"kind": "disabled", "disability": "4"}, "要选残疾类别和等级"),
        ({"disability": "4", "grade": "2"}, "只有残疾人标签"),
        ({"kind": "disabled", "disability": "8", "grade": "2"}, "不是有效的选择"),
    ],
)
def test_a_tag_is_refused_in_words(make: Make, client: Client, typed: dict[str, str], words: str) -> None:
    person = make.person()
    client.sign_in(make.worker())
    answer = tag(client, person, **as_of_now(typed))
    assert answer.status_code == 422
    assert words in text(answer)
    assert make.read(person).tags == []


def test_the_same_tag_does_not_hold_twice_on_one_day(make: Make, client: Client) -> None:
    person = make.person(tags=[TagKind.LOW_INCOME])
    client.sign_in(make.worker())
    assert "不用再加" in text(tag(client, person))
    assert "不用再加" in text(tag(client, person, since="2019-01-01"))
    assert tag(client, person, since="2019-01-01", until="2019-12-31").status_code == 303


def test_a_disability_has_class_and_grade_and_a_change_says_why(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    assert tag(client, person, "disabled", disability="4", grade="2", source="残疾人证").status_code == 303
    (held,) = make.read(person).tags
    assert held.detail == "4-2"
    page = f"/desk/people/{person.public_id}/tags/{held.id}"
    assert "肢体 二级" in text(client.get(f"/desk/people/{person.public_id}/record"))
    assert '<option selected value="4">肢体</option>' in text(client.get(page))
    said = {"since": "2024-01-01", "source": "残疾人证", "disability": "4", "grade": "1"}
    assert client.post(page, data=said).status_code == 422, "a change says why"
    assert client.post(page, data={**said, "reason": "重新评定"}).status_code == 303
    assert make.read(held).detail == "4-1"
    history = text(client.get(f"/desk/people/{person.public_id}/history"))
    for words in ("肢体 二级", "肢体 一级", "重新评定"):
        assert words in history
    assert "结束日期早于" in text(client.post(page, data={**said, "until": "2020-01-01", "reason": "录错"}))


def test_a_tag_that_never_was_true_is_removed_with_a_reason(make: Make, client: Client) -> None:
    person = make.person(tags=[TagKind.LOW_INCOME])
    client.sign_in(make.worker())
    page = f"/desk/people/{person.public_id}/tags/{person.tags[0].id}/remove"
    assert client.get(page).status_code == 200
    assert client.post(page, data={"reason": ""}).status_code == 422
    assert client.post(page, data={"reason": "登记到了别人名下"}).status_code == 303
    assert make.read(person).tags == []
    assert "登记到了别人名下" in text(client.get(f"/desk/people/{person.public_id}/history"))


def test_a_tag_that_began_today_and_ends_today_never_held(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    tag(client, person, since=today().isoformat())
    (held,) = make.read(person).tags
    client.post(f"/desk/people/{person.public_id}/tags/{held.id}/end")
    assert list(db.session.scalars(sa.select(PersonTag))) == []


def test_somebody_elses_tag_is_not_reached_by_its_number(make: Make, client: Client) -> None:
    mine, other = make.person(), make.person(tags=[TagKind.LOW_INCOME], community=make.community("秋月社区"))
    number = other.tags[0].id
    client.sign_in(make.worker())
    assert client.post(f"/desk/people/{mine.public_id}/tags/{number}/end").status_code == 404
    assert client.get(f"/desk/people/{mine.public_id}/tags/{number}").status_code == 404
    assert client.get(f"/desk/people/{mine.public_id}/tags/{number}/remove").status_code == 404


# ---- Restricted tags ----


def restricted(make: Make, person: Person) -> RestrictedTag:
    return make.add(
        RestrictedTag(
            person_id=person.id,
            kind=RestrictedKind.COMMUNITY_CORRECTION.value,
            since=today() - timedelta(days=30),
            source="司法所通知",
        )
    )


def test_restricted_tags_open_with_a_reason_that_is_recorded_and_seen_by_the_resident(
    make: Make, client: Client
) -> None:
    person = make.person()
    restricted(make, person)
    page = f"/desk/people/{person.public_id}/restricted"
    client.sign_in(make.worker(Role.CASE_WORKER, make.community(), name="何静"))
    assert "社区矫正" not in text(client.get(page))
    answer = client.post(page, data={"reason": ""})
    assert answer.status_code == 422
    assert "社区矫正" not in text(answer)
    assert rows("registry.restricted_opened") == []
    html = text(client.post(page, data={"reason": "个案会议前核对"}))
    assert "社区矫正人员" in html
    (row,) = rows("registry.restricted_opened")
    assert (row.reason, row.object_id, row.facts) == ("个案会议前核对", person.public_id, {})
    client.sign_in(make.resident(person))
    assert "何静" in text(client.get("/me/looked"))


def test_restricted_tags_are_shown_on_no_other_page_and_to_no_other_role(make: Make, client: Client) -> None:
    grid = make.grid()
    person = make.person(grid=grid)
    restricted(make, person)
    held = (
        (Role.COMMUNITY_WORKER, make.community()),
        (Role.GRID_WORKER, grid),
        (Role.STREET_ADMINISTRATOR, make.street()),
    )
    for role, scope in held:
        client.sign_in(make.worker(role, scope))
        for page in ("restricted", "restricted/new"):
            assert client.get(f"/desk/people/{person.public_id}/{page}").status_code == 403
        assert client.post(f"/desk/people/{person.public_id}/restricted", data={"reason": "看看"}).status_code == 403
    client.sign_in(make.worker(Role.CASE_WORKER, make.community()))
    for page in (
        f"people/{person.public_id}/record",
        f"people/{person.public_id}/history",
        f"person/{person.public_id}",
    ):
        assert "社区矫正" not in text(client.get(f"/desk/{page}"))
    client.sign_in(make.worker(Role.CASE_WORKER, make.community("秋月社区")))
    assert client.post(f"/desk/people/{person.public_id}/restricted", data={"reason": "看看"}).status_code == 404


def test_a_restricted_tag_is_added_ended_and_removed_without_its_kind_in_the_audit(make: Make, client: Client) -> None:
    person = make.person()
    page = f"/desk/people/{person.public_id}/restricted"
    client.sign_in(make.worker(Role.CASE_WORKER, make.community(), name="何静"))
    assert client.get(f"{page}/new").status_code == 200
    said = {"kind": "severe_mental_illness", "since": "2024-01-01", "source": "卫健部门名单"}
    assert "结束日期早于" in text(client.post(f"{page}/new", data={**said, "until": "2023-01-01"}))
    assert client.post(f"{page}/new", data=said).status_code == 303
    held = db.session.scalars(sa.select(RestrictedTag)).one()
    assert (held.means, held.noted_by) == (RestrictedKind.SEVERE_MENTAL_ILLNESS, "何静")
    end = f"{page}/{held.public_id}/end"
    assert client.get(end).status_code == 200
    assert "结束日期早于" in text(client.post(end, data={"until": "2023-01-01", "reason": "名单撤销"}))
    assert client.post(end, data={"until": "2024-06-01", "reason": "名单撤销"}).status_code == 303
    assert not make.read(held).holds(today())
    remove = f"{page}/{held.public_id}/remove"
    assert client.get(remove).status_code == 200
    assert client.post(remove, data={"reason": "登记错人"}).status_code == 303
    assert list(db.session.scalars(sa.select(RestrictedTag))) == []
    kept = " ".join(row.canonical() for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id)))
    assert "severe_mental" not in kept
    assert "精神障碍" not in kept


# ---- Emergency contacts ----


def call(client: Client, person: Person, **typed: Any) -> TestResponse:
    said = {"name": "张明", "relation": "儿子", "phone": "13900001234"}
    return client.post(f"/desk/people/{person.public_id}/contacts", data={**said, **typed})


def contacts(make: Make, person: Person) -> list[EmergencyContact]:
    return list(make.read(person).contacts)


def test_contacts_are_added_masked_changed_and_ordered(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    assert "还没有紧急联系人" in text(client.get(f"/desk/people/{person.public_id}/contacts"))
    assert call(client, person).status_code == 303
    assert call(client, person, name="李红", relation="邻居", phone="0571-88880000").status_code == 303
    html = text(client.get(f"/desk/people/{person.public_id}/contacts"))
    assert "139****1234" in html
    assert "13900001234" not in html
    son, neighbour = contacts(make, person)
    assert client.post(f"/desk/people/{person.public_id}/contacts/{neighbour.id}/up").status_code == 303
    assert [one.name for one in contacts(make, person)] == ["李红", "张明"]
    page = f"/desk/people/{person.public_id}/contacts/{son.id}"
    assert client.get(page).status_code == 200
    assert client.post(page, data={"name": "张明", "relation": "长子", "phone": ""}).status_code == 303
    assert (make.read(son).relation, son.phone) == ("长子", "13900001234")
    assert client.post(f"{page}/remove").status_code == 303
    assert [one.name for one in contacts(make, person)] == ["李红"]
    history = text(client.get(f"/desk/people/{person.public_id}/history"))
    assert "139****1234" in history
    assert "13900001234" not in history


@pytest.mark.parametrize(
    ("typed", "words"), [({"phone": "12"}, "手机号码"), ({"name": ""}, "请填写姓名"), ({"relation": ""}, "请填写关系")]
)
def test_a_contact_is_refused_in_words(make: Make, client: Client, typed: dict[str, str], words: str) -> None:
    person = make.person()
    client.sign_in(make.worker())
    answer = call(client, person, **typed)
    assert answer.status_code == 422
    assert words in text(answer)
    assert contacts(make, person) == []


def test_one_telephone_stands_once_and_five_contacts_are_enough(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker())
    call(client, person)
    assert "已经登记为紧急联系人" in text(call(client, person, name="又一位"))
    for number in range(4):
        assert call(client, person, phone=f"1390000999{number}").status_code == 303
    assert "最多登记 5 位" in text(call(client, person, phone="13900008888"))


def test_a_contacts_telephone_is_shown_with_a_reason_and_on_the_record(make: Make, client: Client) -> None:
    grid = make.grid()
    person = make.person(grid=grid)
    client.sign_in(make.worker())
    call(client, person)
    (son,) = contacts(make, person)
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    page = f"/desk/people/{person.public_id}/contacts/{son.id}/reveal"
    assert "13900001234" not in text(client.get(page))
    assert client.post(page, data={"reason": ""}).status_code == 422
    assert "13900001234" in text(client.post(page, data={"reason": "敲门无人应答"}))
    (row,) = rows("registry.revealed")
    assert (row.facts, row.reason) == ({"field": "emergency_contact"}, "敲门无人应答")
    assert client.get(f"/desk/people/{person.public_id}/contacts").status_code == 403
    client.sign_in(make.worker(Role.GRID_WORKER, make.grid(name="第二网格")))
    assert client.get(page).status_code == 404


def test_a_reason_that_the_program_gives_is_kept_as_a_code_and_said_when_read(make: Make, client: Client) -> None:
    person = make.person()
    client.sign_in(make.worker()).post("/preferences", data={"locale": "en", "next": "/"})
    tag(client, person, since=today().isoformat())
    (made,) = make.read(person).tags
    client.post(f"/desk/people/{person.public_id}/tags/{made.id}/end")
    (removed,) = rows("registry.tag_removed")
    assert removed.reason == "registry.tag_ended_same_day"
    assert changes.history(make.read(person))[0].row.reason == removed.reason
    assert "当天添加" not in text(client.get(f"/desk/people/{person.public_id}/history"))
    client.post("/preferences", data={"locale": "zh", "next": "/"})
    assert "当天添加，当天结束" in text(client.get(f"/desk/people/{person.public_id}/history"))
