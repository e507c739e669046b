"""Exports: masked at once, in the clear by a second person, watermarked, counted, and gone when their time is."""

import io
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
import time_machine
from werkzeug.test import TestResponse

from portal.areas.models import Area
from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.models import SignedSession
from portal.identity.permissions import Role
from portal.registry import jobs
from portal.registry.models import Export, ExportPerson, ExportState, Person
from portal.registry.service import export_files, exports
from tests.client import Client
from tests.make import Make

COLUMNS = ["name", "id_number", "phone", "address"]


@pytest.fixture
def folder(instance: Path) -> Path:
    return instance / "exports"


def ask(client: Client, query: str = "", **more: object) -> TestResponse:
    said = {"columns": COLUMNS, "way": "masked", "reason": "核对高龄津贴", **more}
    return client.post(f"/desk/people/exports/new?{query}", data=said)


def export() -> Export:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Export).order_by(Export.id.desc())).first()  # type: ignore[return-value]


def fetch(client: Client) -> TestResponse:
    return client.post(f"/desk/people/exports/{export().public_id}/file")


def decide(client: Client, **said: str) -> TestResponse:
    return client.post(f"/desk/people/exports/{export().public_id}/decide", data=said)


def rows(answer: TestResponse) -> list[list[str]]:
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    return [[cell or "" for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]


def acts(action: str) -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def wang(make: Make, **more: object) -> Person:
    return make.person("王秀英", phone="13800005678", household_id=make.household().id, **more)  # type: ignore[arg-type]


def test_a_masked_export_is_made_at_once_and_holds_no_number(make: Make, client: Client) -> None:
    person = wang(make)
    client.sign_in(make.worker(name="周洁"))
    assert ask(client).status_code == 303
    page = client.get(f"/desk/people/exports/{export().public_id}").get_data(as_text=True)
    assert "下载文件" in page
    answer = fetch(client)
    assert "attachment" in answer.headers["Content-Disposition"]
    header, row = rows(answer)
    assert header == ["姓名", "身份证号码", "联系电话", "住址", "水印"]
    assert row[0] == "王*英"
    assert row[1].startswith("999901****")
    assert row[2] == "138****5678"
    assert "301" not in row[3]
    assert "周洁" in row[4]
    assert export().number in row[4]
    assert str(person.id_number) not in answer.get_data().decode("latin-1")


def test_the_printed_sheet_carries_who_when_and_the_number(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker(name="周洁"))
    ask(client)
    sheet = openpyxl.load_workbook(io.BytesIO(fetch(client).data)).worksheets[0]
    assert "周洁" in sheet.oddHeader.left.text
    assert export().number in sheet.oddHeader.left.text


def test_a_name_that_would_calculate_stays_text(make: Make, client: Client) -> None:
    make.person('=HYPERLINK("http://x","y")')
    worker, second = make.worker(), make.worker(name="李娜")
    client.sign_in(worker)
    ask(client, way="plain", columns=["name"])
    client.sign_in(second)
    decide(client, decision="approve")
    client.sign_in(worker)
    book = openpyxl.load_workbook(io.BytesIO(fetch(client).data))
    assert book.worksheets[0]["A2"].data_type == "s"


def test_the_clear_waits_for_a_second_person_and_is_then_whole(make: Make, client: Client) -> None:
    person = wang(make)
    worker, second = make.worker(name="周洁"), make.worker(name="李娜")
    client.sign_in(worker)
    ask(client, way="plain")
    assert export().state is ExportState.WAITING
    assert fetch(client).status_code == 303
    assert decide(client, decision="approve").status_code == 404
    client.sign_in(second)
    listed = client.get("/desk/people/exports").get_data(as_text=True)
    assert "核对高龄津贴" in listed
    assert decide(client, decision="approve").status_code == 303
    client.sign_in(worker)
    _header, row = rows(fetch(client))
    assert row[:3] == ["王秀英", str(person.id_number), "13800005678"]
    assert "李娜" in row[4]
    (told,) = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "registry.export_approved"))
    assert told.recipient_id == worker.public_id
    (approved,) = acts("registry.export_approved")
    assert (approved.actor, approved.on_behalf_of) == (second.public_id, worker.public_id)


def test_a_refusal_needs_a_reason_and_ends_it(make: Make, client: Client) -> None:
    wang(make)
    worker = make.worker()
    client.sign_in(worker)
    ask(client, way="plain")
    client.sign_in(make.worker(name="李娜"))
    assert decide(client).status_code == 422
    assert decide(client, reason="栏目太多，请去掉身份证号码").status_code == 303
    late = decide(client, decision="approve")
    assert late.status_code == 422
    assert "已经处理过" in late.get_data(as_text=True)
    client.sign_in(worker)
    page = client.get(f"/desk/people/exports/{export().public_id}").get_data(as_text=True)
    assert "栏目太多" in page
    assert fetch(client).status_code == 303


def test_who_answers_for_only_a_part_may_not_let_it_go(make: Make, client: Client) -> None:
    here, there = make.community(), make.community("秋月社区")
    wang(make)
    make.person("陈建国", community=there)
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    ask(client, way="plain")
    address = f"/desk/people/exports/{export().public_id}/decide"
    for place in (here, there):
        client.sign_in(make.worker(Role.COMMUNITY_WORKER, place))
        assert client.get(address).status_code == 404
        assert client.post(address, data={"decision": "approve"}).status_code == 404
        assert export().number not in client.get("/desk/people/exports").get_data(as_text=True)
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR, name="陈局"))
    assert client.get(address).status_code == 200


def test_a_grid_worker_exports_her_grid_and_may_not_approve(make: Make, client: Client) -> None:
    grid = make.grid()
    wang(make, grid=grid)
    make.person("陈建国", grid=make.grid(name="第二网格"))
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    ask(client)
    assert len(rows(fetch(client))) == 2
    assert decide(client, decision="approve").status_code == 403


def test_an_export_is_nobody_elses(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    ask(client)
    client.sign_in(make.worker(name="李娜"))
    assert client.get(f"/desk/people/exports/{export().public_id}").status_code == 404
    assert fetch(client).status_code == 404
    assert client.post(f"/desk/people/exports/{export().public_id}/withdraw").status_code == 404


def test_who_left_the_area_before_the_file_is_written_is_not_in_it(make: Make, client: Client, folder: Path) -> None:
    person, grid = wang(make), make.grid()
    make.person("陈建国", grid=grid)
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == person.id).values(grid_id=grid.id))
    worker, second = make.worker(Role.GRID_WORKER, grid), make.worker()
    client.sign_in(worker)
    ask(client, way="plain")
    _move(person, make.grid(name="第二网格"))
    client.sign_in(second)
    decide(client, decision="approve")
    client.sign_in(worker)
    assert [row[0] for row in rows(fetch(client))[1:]] == ["陈建国"]
    assert exports.looks_of(make.read(person)) == []


def _move(person: Person, grid: Area) -> None:
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == person.id).values(grid_id=grid.id))


def test_a_roster_is_exported(make: Make, client: Client) -> None:
    wang(make)
    make.person("陈建国")
    client.sign_in(make.worker())
    client.post("/desk/people/rosters/new?age_to=120", data={"name": "高温走访"})
    address = client.get("/desk/people/rosters").get_data(as_text=True).split("/desk/people/rosters/")
    public_id = next(part.split('"')[0] for part in address if len(part.split('"')[0]) == 26)
    assert ask(client, f"roster={public_id}").status_code == 303
    assert "高温走访" in export().title
    assert len(rows(fetch(client))) == 3
    client.sign_in(make.worker(name="李娜"))
    assert ask(client, f"roster={public_id}").status_code == 404


def test_every_person_of_an_export_reads_of_it(make: Make, client: Client) -> None:
    person, other = wang(make), make.person("陈建国", community=make.community("秋月社区"))
    alias = make.person("王秀瑛")
    client.sign_in(make.worker(name="周洁"))
    ask(client)
    (look,) = exports.looks_of(make.read(person))
    assert (look.who, look.reason) == ("周洁", "核对高龄津贴")
    assert "身份证号码" in look.what
    assert exports.looks_of(other) == []
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == alias.id).values(merged_into_id=person.id))
        held = ExportPerson.person_id == person.id
        session.execute(sa.delete(ExportPerson).where(held), execution_options={"synchronize_session": False})
    assert len(exports.looks_of(make.read(person))) == 1


def test_the_sixth_request_of_a_day_is_refused_and_a_new_day_begins_anew(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    assert [ask(client).status_code for _turn in range(6)] == [303] * 5 + [422]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Export)) == 5
    with transaction() as session:
        session.execute(sa.update(Export).values(day=today() - timedelta(days=1)))
    assert ask(client).status_code == 303


def test_the_same_form_sent_twice_asks_once(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    first, second = ask(client, idem="k" * 20), ask(client, idem="k" * 20)
    assert first.location == second.location
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Export)) == 1


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "看看"}, {"columns": []}, {"columns": ["health"]}, {"way": "x"}]
)
def test_a_request_without_columns_or_a_reason_is_refused(make: Make, client: Client, wrong: dict[str, object]) -> None:
    wang(make)
    client.sign_in(make.worker())
    assert ask(client, **wrong).status_code == 422
    assert export() is None


def test_nobody_and_too_many_are_said(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    assert "没有可以导出的内容" in ask(client, "sex=male").get_data(as_text=True)
    with transaction():
        settings.put(exports.MOST_PEOPLE, 10, valid_from=today(), by="test")
    for _number in range(10):
        make.person()
    assert "一次最多导出 10 人" in ask(client).get_data(as_text=True)


def test_a_file_is_fetched_once_and_each_time_is_recorded(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    ask(client)
    assert [fetch(client).status_code for _time in range(2)] == [200, 303]
    (row,) = acts("registry.export_downloaded")
    assert row.reason == "核对高龄津贴"
    assert row.facts["count"] == 1


@pytest.mark.parametrize("address", ["exports/new", "exports/{}/file", "exports/{}/decide"])
def test_the_password_is_asked_again_after_five_minutes(make: Make, client: Client, address: str) -> None:
    wang(make)
    client.sign_in(make.worker())
    ask(client)
    with transaction() as session:
        session.execute(sa.update(SignedSession).values(authenticated_at=now() - timedelta(minutes=6)))
    answer = client.post(f"/desk/people/{address.format(export().public_id)}")
    assert answer.status_code == 303
    assert "/confirm" in answer.location


def test_a_file_is_sealed_and_gone_when_its_time_is_over(make: Make, client: Client, folder: Path) -> None:
    wang(make)
    worker = make.worker()
    client.sign_in(worker)
    ask(client)
    path = folder / export().public_id
    assert not path.read_bytes().startswith(b"PK")
    assert path.stat().st_mode & 0o077 == 0
    assert export_files.purge(folder=folder) == 0
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        client.sign_in(worker)
        assert fetch(client).status_code == 303
        assert export_files.purge(folder=folder) == 1
    assert not path.exists()
    assert export().state is ExportState.GONE
    assert len(acts("registry.export_deleted")) == 1


def test_an_export_that_fell_silent_is_taken_up_and_given_up_at_last(make: Make, client: Client, folder: Path) -> None:
    wang(make)
    client.sign_in(make.worker())
    ask(client)
    for tries, state in ((1, ExportState.QUEUED), (3, ExportState.FAILED)):
        with transaction() as session:
            silent = {"state": ExportState.WRITING, "beat_at": now() - timedelta(minutes=4), "tries": tries}
            session.execute(sa.update(Export).values(**silent))
        waiting = export_files.unfinished()
        assert export().state is state
        assert waiting == ([export().id] if state is ExportState.QUEUED else [])
    (folder / export().public_id).unlink()


def test_a_request_is_withdrawn_before_it_is_decided(make: Make, client: Client) -> None:
    wang(make)
    client.sign_in(make.worker())
    ask(client, way="plain")
    address = f"/desk/people/exports/{export().public_id}/withdraw"
    assert client.post(address).status_code == 303
    assert export().state is ExportState.WITHDRAWN
    client.post(address)
    assert len(acts("registry.export_withdrawn")) == 1


def test_a_case_worker_exports_nothing(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.CASE_WORKER, make.community()))
    assert client.get("/desk/people/exports").status_code == 403
    assert ask(client).status_code == 403


def test_no_sealed_value_stands_in_the_audit_of_an_export(make: Make, client: Client) -> None:
    person = wang(make)
    client.sign_in(make.worker())
    ask(client, way="plain")
    held = " ".join(row.canonical() for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id)))
    assert str(person.id_number) not in held
    assert "13800005678" not in held


def test_a_resident_reads_of_the_export_where_she_reads_who_looked(make: Make, client: Client) -> None:
    person = wang(make)
    client.sign_in(make.worker(name="周洁"))
    ask(client)
    client.sign_in(make.resident(person))
    html = client.get("/me/looked").get_data(as_text=True)
    for words in ("周洁", "社区工作者", "导出了姓名", "核对高龄津贴"):
        assert words in html


def test_a_manager_is_shown_her_own_behind_many_of_others(make: Make, client: Client, monkeypatch) -> None:
    here, there = make.community(), make.community("秋月社区")
    wang(make)
    make.person("陈建国", community=there)
    monkeypatch.setattr(exports, "MOST_WAITING", 2)
    for _turn in range(3):
        client.sign_in(make.worker(Role.COMMUNITY_WORKER, there))
        ask(client, way="plain")
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, here))
    ask(client, way="plain")
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, here))
    assert export().public_id in client.get("/desk/people/exports").get_data(as_text=True)


def test_what_nobody_decides_ends_and_its_asker_is_told(make: Make, client: Client, folder: Path) -> None:
    wang(make)
    worker = make.worker()
    client.sign_in(worker)
    ask(client, way="plain")
    with time_machine.travel(now() + timedelta(days=6, hours=23), tick=False):
        jobs.purge_exports()
    assert export().state is ExportState.WAITING
    with time_machine.travel(now() + timedelta(days=7, minutes=1), tick=False):
        jobs.purge_exports()
    assert export().state is ExportState.EXPIRED
    (told,) = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "registry.export_expired"))
    assert told.recipient_id == worker.public_id
    assert len(acts("registry.export_expired")) == 1
    assert "没有人审批" in client.get(f"/desk/people/exports/{export().public_id}").get_data(as_text=True)
