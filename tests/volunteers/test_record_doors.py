"""What records hand to the doors: a desk's list, a timeline, a person's own copy; two rows of one person are one."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.registry.models import Person
from portal.volunteers.models.codes import HoursState
from portal.volunteers.service import certificates, corrections, doors, record_doors, records, stars
from tests.acting import actor_of
from tests.helping import Helping
from tests.volunteers.recorded import ago, attended, bulk, facts, given, worker_of


def everything(make):
    """Somebody with a record, a wish, a request for a certificate and an application for a star."""
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    made = given(make, volunteer)
    bulk(make, volunteer, 6000)
    with transaction() as session:
        who = session.merge(volunteer)
        longer = facts(ago(3), hours=2.5)
        corrections.ask(who, session.merge(made), longer, reason="做到十一点半")
        organiser = certificates.organisers_of(who)[0]
        certificates.ask(who, organiser, today() - timedelta(days=40), today(), use="求职", with_number=False)
        stars.seed(by="街道")
        stars.apply(who, 1)
    return person


def test_what_waits_for_a_worker_stands_on_her_list_with_what_is_late(make):
    everything(make)
    attended(make, state=HoursState.TO_CONFIRM, starts=ago(40))
    found = {todo.endpoint: (todo.count, todo.late) for todo in record_doors.todo_of(worker_of(make))}
    assert found == {
        "volunteers.worker.records_due": (1, True),
        "volunteers.worker.corrections_page": (1, False),
        "volunteers.worker.certificates_page": (1, False),
        "volunteers.worker.stars_page": (1, False),
    }


def test_within_its_term_nothing_is_late_and_nobody_else_is_asked(make):
    attended(make, state=HoursState.TO_CONFIRM)
    (todo,) = record_doors.todo_of(worker_of(make))
    assert (todo.count, todo.late) == (1, False)
    with time_machine.travel(now() + timedelta(days=30)):
        (todo,) = record_doors.todo_of(worker_of(make))
        assert todo.late
    assert record_doors.todo_of(worker_of(make, make.community("秋水社区"))) == []
    assert record_doors.todo_of(actor_of(make.worker(Role.GRID_WORKER))) == []


def test_the_desk_shows_them(make, client):
    everything(make)
    client.sign_in(make.worker())
    page = client.get("/desk/").get_data(as_text=True)
    assert "志愿服务更正申请" in page
    assert "要审定的志愿者星级" in page


def test_a_persons_timeline_tells_records_certificates_and_stars(make):
    person = everything(make)
    titles = [line.title for line in doors.timeline(person)]
    assert "志愿服务记录：老人送餐，2.0 小时，有效" in titles
    assert "志愿服务证明：等开具" in titles
    assert any("1 星级志愿者" in title for title in titles)


def test_her_own_copy_holds_every_field_of_the_law(make):
    person = everything(make)
    copy = record_doors.export(person)
    (first,) = [one for one in copy if one.get("志愿服务记录") == "老人送餐"]
    for name in (
        "服务类别",
        "服务内容",
        "服务地点",
        "开始时间",
        "服务时间（小时）",
        "活动组织单位",
        "活动负责人",
        "服务质量评价",
    ):
        assert first[name]
    assert {name for one in copy for name in one} >= {"志愿服务更正申请", "志愿服务证明", "志愿者星级"}


def test_two_rows_of_a_person_who_was_merged_are_added_up(make):
    one, other = make.person("王秀英"), make.person("王秀英")
    kept, gone = Helping(make).volunteer(one), Helping(make).volunteer(other)
    given(make, kept, facts(ago(3)))
    given(make, gone, facts(ago(4)))
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == other.id).values(merged_into_id=one.id))
    db.session.rollback()
    mine = db.session.merge(kept)
    assert records.total(mine) == 240
    assert len(records.records_of(mine)) == 2
    assert [found.minutes for found in certificates.organisers_of(mine)] == [240]
