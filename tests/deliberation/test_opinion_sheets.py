"""Papers of opinions: two people enter them, the second unseen; what is alike counts, what differs is settled."""

import pytest
import sqlalchemy as sa

from portal.core.access import scopes_of
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState, SheetState, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionSheet, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, opinion_doors, opinion_sheets
from portal.deliberation.service.opinion_sheets import Read
from portal.identity.permissions import Permission, Role
from tests.acting import actor_of
from tests.deliberating import Deliberating

pytestmark = pytest.mark.both_databases
NORTH = "北面装电梯好"


class Table:
    """A topic with two statements, 李小红's paper, and the two who enter it."""

    def __init__(self, app, make):
        self.app, self.make, self.deliberating = app, make, Deliberating(make)
        self.topic, self.hong = self.deliberating.topic(), make.person("李小红", phone="13800009999")
        self.one, self.other = (self.deliberating.opinion(self.topic) for _turn in range(2))
        self.first, self.second = make.worker(), make.worker(Role.COMMITTEE_MEMBER)
        self.base = f"/desk/deliberation/topics/{self.topic.id}/opinions/paper"

    def desk(self, account):
        return self.app.test_client().sign_in(account)

    def data(self, one="agree", other="disagree", words=NORTH):
        return {f"stand_{self.one.id}": one, f"stand_{self.other.id}": other, "words": words, "idem": f"{one}{words}"}

    def begun(self, **said):
        answer = self.desk(self.first).post(f"{self.base}/of/{self.hong.public_id}", data=self.data(**said))
        assert answer.status_code == 303
        return self.sheet()

    def unsigned(self, words=NORTH):
        assert self.desk(self.first).post(f"{self.base}/unsigned", data={"words": words}).status_code == 303
        return self.sheet()

    def sheet(self):
        db.session.rollback()
        return db.session.scalars(sa.select(OpinionSheet).order_by(OpinionSheet.id.desc())).first()

    def again(self, sheet, **said):
        return self.desk(self.second).post(f"{self.base}/sheets/{sheet.public_id}", data=self.data(**said))

    def stands(self):
        db.session.rollback()
        query = sa.select(OpinionVote.opinion_id, OpinionVote.stand).where(OpinionVote.person_id == self.hong.id)
        return {row.opinion_id: row.stand for row in db.session.execute(query)}

    def written(self):
        db.session.rollback()
        return db.session.scalar(sa.select(sa.func.count(Opinion.id)).where(Opinion.words == NORTH))


@pytest.fixture
def table(app, make):
    return Table(app, make)


def test_nothing_counts_until_a_second_person_has_read_the_same(table):
    sheet = table.begun()
    assert (table.stands(), table.written()) == ({}, 0)
    page = table.desk(table.second).get(f"{table.base}/sheets/{sheet.public_id}").text
    assert f'value="{Stand.AGREE.value}" checked' not in page, "the second sees nothing of the first"
    assert NORTH not in page
    answer = table.again(sheet)
    assert answer.location.endswith("/opinions/paper")
    stands = table.stands()
    assert (stands[table.one.id], stands[table.other.id]) == (Stand.AGREE, Stand.DISAGREE)
    assert table.written() == 1
    sheet = table.sheet()
    assert (sheet.state, sheet.first, sheet.second, sheet.person_id) == (SheetState.BOOKED, None, None, None)


def test_the_second_is_not_the_first(table):
    sheet = table.begun()
    desk = table.desk(table.first)
    assert "请另一位同事录" in desk.get(table.base).text
    answer = desk.post(f"{table.base}/sheets/{sheet.public_id}", data=table.data())
    assert answer.status_code == 422
    assert "另一位同事" in answer.text
    assert table.stands() == {}


def test_what_differs_is_shown_and_settled_by_what_the_paper_says(table):
    sheet = table.begun()
    answer = table.again(sheet, one="pass", words="北面装电梯 不好")
    assert answer.location.endswith("/settle")
    desk = table.desk(table.second)
    assert "两遍不一样" in desk.get(table.base).text
    page = desk.get(answer.location).text
    assert NORTH in page
    assert "北面装电梯 不好" in page
    assert f"at_{table.other.id}" not in page, "what both read alike is not asked"
    refused = desk.post(answer.location, data={"at_words": "first"})
    assert refused.status_code == 422
    assert table.stands() == {}
    desk.post(answer.location, data={"at_words": "first", f"at_{table.one.id}": "second"})
    stands = table.stands()
    assert (stands[table.one.id], stands[table.other.id]) == (Stand.PASS, Stand.DISAGREE)
    assert table.written() == 1


def test_spaces_are_no_difference(table):
    table.again(table.begun(), words="北面 装电梯好")
    assert table.sheet().state is SheetState.BOOKED


def test_a_stand_that_one_of_them_missed_is_a_difference(table):
    table.again(table.begun(), other="")
    sheet = table.sheet()
    assert [(one.first, one.second) for one in opinion_sheets.differences(sheet)] == [("disagree", "")]


def test_a_statement_hidden_meanwhile_is_asked_of_nobody(table):
    sheet = table.begun()
    with transaction() as session:
        session.get_one(Opinion, table.other.id).state = OpinionState.HIDDEN
    table.again(sheet)
    assert table.sheet().state is SheetState.BOOKED
    assert set(table.stands()) >= {table.one.id}
    assert table.other.id not in table.stands()


def test_an_unsigned_paper_is_told_by_its_number(table):
    first, second = table.unsigned(), table.unsigned("没有署名的意见")
    assert (first.number, second.number) == (1, 2)
    page = table.desk(table.second).get(table.base).text
    assert "没有署名" in page
    answer = table.desk(table.second).post(f"{table.base}/sheets/{first.public_id}", data={"words": NORTH})
    assert answer.status_code == 303
    assert table.written() == 1


def test_one_paper_of_a_person_at_a_time(table):
    sheet = table.begun()
    answer = table.desk(table.second).post(f"{table.base}/of/{table.hong.public_id}", data=table.data(one="pass"))
    assert answer.status_code == 422
    assert f"编号 {sheet.number}" in answer.text


def test_a_form_sent_twice_is_one_paper_and_one_entry(table):
    data, desk = table.data(), table.desk(table.first)
    for _turn in range(2):
        assert desk.post(f"{table.base}/of/{table.hong.public_id}", data=data).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(OpinionSheet.id))) == 1
    sheet = table.sheet()
    assert [table.again(sheet).status_code for _turn in range(2)] == [303, 303]
    assert table.written() == 1
    answer = table.again(sheet, one="pass")
    assert answer.status_code == 422
    assert "录过第二遍" in answer.text


def test_a_dropped_paper_counts_nothing_and_is_entered_anew(table):
    sheet = table.begun()
    desk, address = table.desk(table.second), f"{table.base}/sheets/{sheet.public_id}/drop"
    assert desk.post(address, data={"why": " "}).status_code == 422
    assert desk.post(address, data={"why": "录到了别人名下"}).status_code == 303
    assert table.sheet().state is SheetState.DROPPED
    assert desk.post(address, data={"why": "再来一次"}).status_code == 422
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.sheet_dropped")).one()
    assert row.reason == "录到了别人名下"
    assert table.begun(one="pass").number == sheet.number + 1


def test_a_topic_does_not_leave_its_collecting_while_a_paper_waits(table):
    table.begun()
    topic = db.session.get_one(Topic, table.topic.id)
    assert any("1 份纸质意见没有录完" in flaw.words for flaw in guards.flaws(topic, Stage.MEETING))
    table.again(table.sheet())
    assert not any("纸质意见" in flaw.words for flaw in guards.flaws(topic, Stage.MEETING))


def test_papers_that_came_too_late_are_no_more_entered(table):
    sheet = table.begun()
    with transaction() as session:
        session.get_one(Topic, table.topic.id).stage = Stage.MEETING
    assert "不能再录入" in table.again(sheet).text
    assert table.stands() == {}


def test_the_desk_names_papers_to_whoever_may_enter_them(table):
    table.begun()
    mine, hers = (opinion_doors.todo_of(actor_of(one)) for one in (table.first, table.second))
    assert mine == []
    assert [(one.count, one.values) for one in hers] == [(1, {"topic_id": table.topic.id})]
    table.again(table.sheet(), one="pass")
    assert [one.count for one in opinion_doors.todo_of(actor_of(table.first))] == [1], "either may settle it"


def test_a_paper_under_way_is_in_her_copy_and_purged_with_its_topic(table):
    table.begun()
    assert any("还没有录完" in str(row) for row in opinion_doors.export(table.hong))
    with transaction() as session:
        session.get_one(Topic, table.topic.id).archived_at = table.topic.made_at
        opinion_doors.purge(today().replace(year=today().year + 1))
    assert table.sheet() is None


def test_out_of_reach_there_is_no_paper(table, make):
    sheet = table.begun()
    away = table.desk(make.worker(scope=make.community("秋实社区")))
    for path in ("", "/settle", "/drop"):
        assert away.get(f"{table.base}/sheets/{sheet.public_id}{path}").status_code == 404
    with pytest.raises(Missing):
        opinion_sheets.sheet(
            table.topic.id, "nothing", within=scopes_of(actor_of(table.first), Permission.DELIBERATION_KEEP)
        )


def test_settling_what_is_not_to_be_settled_is_refused(table):
    sheet = table.begun()
    assert "没有要核对的地方" in table.desk(table.second).get(f"{table.base}/sheets/{sheet.public_id}/settle").text
    with pytest.raises(Refused, match="没有要核对"), transaction():
        opinion_sheets.settle(db.session.merge(sheet), [], by=actor_of(table.second))
    with pytest.raises(Refused, match="至少录入"), transaction():
        opinion_sheets.begin(table.topic, table.hong, Read("", {}), by=actor_of(table.first))
