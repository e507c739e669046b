"""The auditor's pages: reading is on record, and the chain can be checked."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import portal
from portal.audit import deeds, labels, service
from portal.audit.service import Wanted
from portal.core import audit
from portal.core.audit import AuditBatch, AuditRow
from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.identity.permissions import Role

PAGE = "/desk/audit/"


@pytest.fixture
def auditor(make, client):
    return client.sign_in(make.worker(Role.AUDITOR, name="郑审"))


@pytest.fixture
def questions(make):
    """Every statement sent to the database, in order."""
    asked = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine, "before_cursor_execute", note)


def write(count=1, action="settings.parameter_set", **columns):
    moment = columns.pop("at", now())
    with transaction() as session:
        for _number in range(count):
            known = {"actor": "x", "actor_name": "周洁", "roles": "", "facts": {}, **columns}
            session.add(AuditRow(at=moment, action=action, **known))


def seal():
    with transaction():
        audit.seal(until=now() + timedelta(minutes=5))


def readings():
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "audit.read").order_by(AuditRow.id)))


def found(**wanted):
    return [row.id for row in service.rows(Wanted(**wanted))[0]]


def test_rows_come_newest_first_and_page_by_page_without_gap_or_repeat(make):
    write(7)
    seen, before = [], None
    while True:
        rows, before = service.rows(Wanted(), before=before, limit=3)
        seen += [row.id for row in rows]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7


def test_a_page_that_is_just_full_has_no_next_page(make):
    write(3)
    assert service.rows(Wanted(), limit=3)[1] is None


def test_rows_are_found_by_action_actor_thing_and_day(make):
    write(action="calendar.filled")
    write(actor_name="吴_格")
    write(object_type="Person", object_id="abc")
    write(at=at(today() - timedelta(days=3), now().time()))
    everything = found()
    assert found(action="calendar.filled") == everything[3:4]
    assert found(actor="_") == everything[2:3]
    assert found(actor="%") == []
    assert found(thing="Person", ref="abc") == everything[1:2]
    assert found(last=today() - timedelta(days=1)) == everything[:1]
    assert found(first=today()) == everything[1:]


def test_a_day_begins_and_ends_at_midnight_here_not_in_greenwich(make):
    day = today() - timedelta(days=5)
    first, next_day = at(day, now().time().min), at(day + timedelta(days=1), now().time().min)
    write(at=first - timedelta(seconds=1))
    write(at=first)
    write(at=next_day - timedelta(seconds=1))
    write(at=next_day)
    assert len(found(first=day, last=day)) == 2


def test_the_page_speaks_chinese_and_keeps_the_code_of_what_has_no_word(auditor):
    write(action="settings.parameter_set", object_type="Person")
    write(action="strange.deed", object_type="Strange")
    words = auditor.get(PAGE).get_data(as_text=True)
    assert "修改参数" in words
    assert "strange.deed" in words
    assert "审计员" in words


def test_reading_is_on_record_with_what_was_asked(auditor):
    auditor.get(PAGE)
    auditor.get(PAGE, query_string={"actor": "周洁", "first": "2026-01-01"})
    first, second = readings()
    assert first.actor_name == "郑审"
    assert first.facts == {"asked": [], "before": 0}
    assert second.facts["asked"] == ["actor=周洁", "first=2026-01-01"]


def test_opening_one_row_is_on_record_too(auditor):
    write(reason="家属来电", facts={"fields": ["phone", "diet"], "works": True})
    row_id = found()[0]
    words = auditor.get(f"{PAGE}{row_id}").get_data(as_text=True)
    assert "家属来电" in words
    assert "phone、diet" in words
    assert "等待封存" in words
    assert readings()[-1].facts["asked"] == [f"row={row_id}"]


def test_a_row_that_is_not_there_is_not_found_and_the_attempt_stays_on_record(auditor):
    assert auditor.get(f"{PAGE}999").status_code == 404
    assert readings()[-1].facts["asked"] == ["row=999"]
    with pytest.raises(Missing):
        service.row(999)


def test_the_next_page_keeps_the_filters(auditor, monkeypatch):
    monkeypatch.setattr(service.rows, "__kwdefaults__", {"before": None, "limit": 2})
    write(5)
    words = auditor.get(PAGE, query_string={"actor": "周洁"}).get_data(as_text=True)
    address = re.search(r'rel="next"\s+href="([^"]+)"', words).group(1).replace("&amp;", "&")
    assert "actor=%E5%91%A8%E6%B4%81" in address
    assert auditor.get(address).status_code == 200
    assert readings()[-1].facts["before"] == 4


def test_nothing_found_says_what_to_do(auditor):
    assert "没有符合条件的记录" in auditor.get(f"{PAGE}?actor=nobody").get_data(as_text=True)


@pytest.mark.parametrize("asked", ["first=yesterday", "action=nothing.known&last=x"])
def test_a_filter_that_cannot_be_read_is_said_so(auditor, asked):
    answer = auditor.get(f"{PAGE}?{asked}")
    assert answer.status_code == 422
    assert "请填日期" in answer.get_data(as_text=True)


def test_a_link_may_ask_for_an_action_that_has_no_word_yet(auditor):
    write(action="strange.deed")
    assert "strange.deed" in auditor.get(f"{PAGE}?action=strange.deed").get_data(as_text=True)


def test_the_list_asks_the_same_few_questions_however_long_it_is(auditor, questions):
    write(40)
    questions.clear()
    auditor.get(PAGE)
    assert len([words for words in questions if words.startswith("SELECT")]) <= 8


def test_the_chain_page_shows_its_head_and_what_waits(auditor):
    assert "还没有封存" in auditor.get(f"{PAGE}chain").get_data(as_text=True)
    write(3)
    seal()
    head = audit.head_batch().hash
    words = auditor.get(f"{PAGE}chain").get_data(as_text=True)
    assert f"{head[:8]} {head[8:16]}" in words
    assert "已封存的批" in words


def test_a_sound_chain_is_said_to_be_sound_and_the_check_is_on_record(auditor):
    write(3)
    seal()
    words = auditor.post(f"{PAGE}chain").get_data(as_text=True)
    assert "1 批、3 条记录都没有被改动" in words
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "audit.verified")).one()
    assert row.facts == {"batches": 1, "rows": 3, "flaws": 0}


def test_a_broken_chain_is_said_to_be_broken_and_where(auditor):
    write(3)
    with transaction() as session:
        stranger = {"first_row": 1, "last_row": 3, "rows": 3, "previous": audit.GENESIS, "hash": "2" * 64}
        session.add(AuditBatch(**stranger, at=now()))
    words = auditor.post(f"{PAGE}chain").get_data(as_text=True)
    assert "核对没有通过" in words
    assert "第 1 批（第 1 至 3 条）的内容被改动过" in words


def test_a_noted_head_is_looked_for_in_the_chain(auditor):
    write(3)
    seal()
    head = service.chain().head_words
    write(2)
    seal()
    assert "第 1 批的，仍在链上" in auditor.post(f"{PAGE}chain", data={"noted": head.upper()}).get_data(as_text=True)
    words = auditor.post(f"{PAGE}chain", data={"noted": "f" * 64}).get_data(as_text=True)
    assert "链上找不到抄存的链首值" in words
    assert "核对没有通过" in words
    assert auditor.post(f"{PAGE}chain", data={"noted": "不是"}).status_code == 422


def test_checking_the_chain_holds_no_writer_up(auditor, monkeypatch):
    seen = []
    verify = audit.verify
    monkeypatch.setattr(audit, "verify", lambda session: (seen.append(db.session.in_transaction()), verify(session))[1])
    auditor.post(f"{PAGE}chain")
    assert seen == [False]


def test_the_head_is_printed_with_its_day(auditor):
    write(3)
    seal()
    words = auditor.get(f"{PAGE}chain/head").get_data(as_text=True)
    assert service.chain().head_words in words
    assert f"{today():%Y-%m-%d}" in words
    assert "签名" in words


def test_a_row_knows_the_batch_that_holds_it(make):
    write(2)
    seal()
    write(1)
    seal()
    write(1)
    newest, third, second, first = service.rows(Wanted())[0]
    assert [service.batch_of(row) and service.batch_of(row).id for row in (first, second, third, newest)] == [
        1,
        1,
        2,
        None,
    ]


def recorded_actions():
    """Every action that the portal's own source records by a literal name."""
    for path in Path(portal.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                yield from (one.value for one in node.args[:1] if isinstance(one, ast.Constant))


def test_every_action_the_portal_records_has_a_word(app):
    with app.test_request_context():
        assert set(recorded_actions()) - set(deeds.deeds()) == set()


def test_values_are_told_in_words(app):
    with app.test_request_context():
        assert labels.told(True) == "是"
        assert labels.told(["a", False]) == "a、否"
        assert labels.roles("auditor,strange") == "审计员、strange"
        assert labels.actor("system", "system") == "系统"
