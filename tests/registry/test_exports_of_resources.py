"""Lists of resources that name people leave masked, or in the clear when a second person lets them go."""

import io
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import (
    Export,
    ExportPerson,
    ExportState,
    Facility,
    FacilityKind,
    Organisation,
    OrganisationKind,
    Staff,
    StaffKind,
    TeamMember,
    VolunteerTeam,
)
from tests.client import Client
from tests.make import Make


def ask(client: Client, kind: str = "staff", query: str = "", **more: str) -> TestResponse:
    said = {"way": "plain", "reason": "编排班表", **more}
    return client.post(f"/desk/people/resources/export/{kind}?{query}", data=said)


def export() -> Export:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Export).order_by(Export.id.desc()).limit(1)).one()


def decide(client: Client, **said: str) -> TestResponse:
    return client.post(f"/desk/people/exports/{export().public_id}/decide", data=said)


def fetch(client: Client) -> TestResponse:
    return client.post(f"/desk/people/exports/{export().public_id}/file")


def cells(answer: TestResponse) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    return [str(cell.value or "") for row in book.active.iter_rows() for cell in row]


def nurse(make: Make, **more: object) -> Staff:
    said = {"name": "许医生", "kind": StaffKind.DOCTOR, "phone": "13812345678", **more}
    return make.add(Staff(community_id=make.community().id, **said))


def exports_made() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Export)) or 0


@pytest.fixture
def asker(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker(name="周洁"))


def test_a_masked_list_leaves_at_once_without_names_or_numbers(make: Make, asker: Client) -> None:
    nurse(make)
    leader = make.person("李大山")
    team = make.add(VolunteerTeam(community_id=make.community().id, name="春风队", leader_id=leader.id))
    make.add(TeamMember(team_id=team.id, person_id=leader.id, since=today()))
    kind = next(iter(OrganisationKind))
    named = {"contact_name": "秦红梅", "contact_phone": "13912345678", "phone": "0571-88880000"}
    make.add(Organisation(community_id=make.community().id, name="春风店", kind=kind, **named))
    for kind, plain, kept in (
        ("staff", ("许医生", "13812345678"), "138****5678"),
        ("teams", ("李大山",), "李*山"),
        ("organisations", ("秦红梅", "13912345678"), "0571-88880000"),
    ):
        found = cells(ask(asker, kind, way="masked"))
        assert not set(plain) & set(found), kind
        assert kept in found, kind
    assert exports_made() == 0


def test_the_clear_waits_for_another_and_is_fetched_with_a_watermark(make: Make, asker: Client, client: Client) -> None:
    linked = make.person("许静")
    nurse(make, person_id=linked.id)
    answer = ask(asker)
    assert answer.status_code == 303
    assert export().state is ExportState.WAITING
    page = asker.get(answer.location).get_data(as_text=True)
    assert "等待另一位同事批准" in page
    assert "服务队伍" in page
    assert "所在组织" in page
    other = client.application.test_client()
    other.sign_in(make.worker(name="秦明"))
    assert "编排班表" in other.get("/desk/people/exports").get_data(as_text=True)
    assert decide(other, decision="approve").status_code == 303
    found = cells(fetch(asker))
    assert "13812345678" in found
    assert "许医生" in found
    stamp = next(text for text in found if "申请号" in text)
    assert "周洁" in stamp
    assert "秦明" in stamp
    assert list(db.session.scalars(sa.select(ExportPerson.person_id))) == [linked.id]
    (row,) = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.export_asked"))
    assert (row.reason, row.facts["plain"], row.facts["asked"]) == ("编排班表", True, "春风里社区服务队伍")
    client.sign_in(make.resident(linked))
    assert "服务队伍" in client.get("/me/looked").get_data(as_text=True)


def test_nobody_lets_her_own_request_go_nor_fetches_it_before(make: Make, asker: Client) -> None:
    nurse(make)
    ask(asker)
    assert fetch(asker).status_code == 303
    assert decide(asker, decision="approve").status_code == 404
    assert export().state is ExportState.WAITING


def test_the_file_is_gone_after_its_hours_and_one_fetch(make: Make, asker: Client, instance: Path) -> None:
    nurse(make)
    ask(asker)
    other = asker.application.test_client()
    decide(other.sign_in(make.worker()), decision="approve")
    assert (export().ends_at - export().ready_at).total_seconds() == 24 * 3600
    assert fetch(asker).status_code == 200
    assert fetch(asker).status_code == 303
    sealed = (instance / "exports" / export().public_id).read_bytes()
    assert sealed[:2] != b"PK"


def test_what_a_sheet_would_count_as_a_formula_is_text(make: Make, asker: Client) -> None:
    nurse(make, name="=1+1")
    ask(asker)
    decide(asker.application.test_client().sign_in(make.worker()), decision="approve")
    book = openpyxl.load_workbook(io.BytesIO(fetch(asker).data))
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)


def test_a_refusal_is_told_and_nothing_is_written(make: Make, asker: Client, instance: Path) -> None:
    nurse(make)
    address = ask(asker).location
    other = asker.application.test_client()
    decide(other.sign_in(make.worker(name="秦明")), reason="用途不清楚")
    assert "用途不清楚" in asker.get(address).get_data(as_text=True)
    assert not (instance / "exports" / export().public_id).exists()


def test_only_who_answers_for_the_community_decides(make: Make, asker: Client) -> None:
    nurse(make)
    ask(asker)
    other = asker.application.test_client()
    other.sign_in(make.worker(scope=make.community("荷塘社区")))
    assert "编排班表" not in other.get("/desk/people/exports").get_data(as_text=True)
    assert decide(other, decision="approve").status_code == 404
    other.sign_in(make.worker(Role.GRID_WORKER, make.grid()))
    assert decide(other, decision="approve").status_code == 403


def test_a_list_is_as_it_was_narrowed_and_as_it_stands_when_written(make: Make, asker: Client) -> None:
    nurse(make)
    gone = nurse(make, name="赵医生")
    nurse(make, name="钱护工", kind=StaffKind.CARER)
    ask(asker, query=f"kind={StaffKind.DOCTOR.value}")
    assert export().total == 2
    db.session.execute(sa.update(Staff).where(Staff.id == gone.id).values(left_on=today()))
    db.session.commit()
    decide(asker.application.test_client().sign_in(make.worker()), decision="approve")
    found = cells(fetch(asker))
    assert "许医生" in found
    assert {"赵医生", "钱护工"}.isdisjoint(found)


def test_a_community_that_came_later_is_not_let_go_with_the_others(make: Make, client: Client) -> None:
    nurse(make)
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    ask(client)
    other = make.community("荷塘社区")
    make.add(Staff(community_id=other.id, name="荷医生", kind=StaffKind.DOCTOR, phone="13900001111"))
    decide(client.application.test_client().sign_in(make.worker()), decision="approve")
    found = cells(fetch(client))
    assert "许医生" in found
    assert "荷医生" not in found


@pytest.mark.parametrize("kind", ["facilities", "stock"])
def test_public_facts_need_nobody(make: Make, asker: Client, kind: str) -> None:
    make.add(Facility(community_id=make.community().id, name="活动室", kind=FacilityKind.OTHER, phone="0571-88880000"))
    page = asker.get(f"/desk/people/resources/export/{kind}").get_data(as_text=True)
    assert "明文" not in page
    assert ask(asker, kind).status_code == 422, "there is nothing in the clear to ask for"
    assert ask(asker, kind, way="masked").status_code == 200
    assert exports_made() == 0


def test_a_reason_is_asked_and_nothing_is_no_request(make: Make, asker: Client) -> None:
    assert ask(asker, reason="").status_code == 422
    answer = ask(asker)
    assert answer.status_code == 422
    assert "没有符合条件的内容" in answer.get_data(as_text=True)


def test_the_same_form_twice_is_one_request(make: Make, asker: Client) -> None:
    nurse(make)
    assert ask(asker, idem="the-same-page").location == ask(asker, idem="the-same-page").location
    assert exports_made() == 1
