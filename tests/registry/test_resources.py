"""Facilities, organisations, staff, teams and stock: the rules their services keep."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError

from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from portal.registry.models import (
    Certificate,
    Facility,
    FacilityKind,
    Organisation,
    OrganisationKind,
    Person,
    PersonState,
    Room,
    Staff,
    StaffKind,
    StockEntry,
    StockItem,
    StockReason,
    VolunteerTeam,
)
from portal.registry.service.resources import facilities, held, hours, organisations, staff, stock, tables, teams, todo
from portal.registry.service.resources.facilities import FacilityFacts, RoomFacts
from portal.registry.service.resources.listing import Wanted
from portal.registry.service.resources.organisations import OrganisationFacts
from portal.registry.service.resources.tables import Kind
from tests.acting import actor_of

WRONG_CHECK = "91350203M0001QAY9B"
RIGHT = "52999901MJ00000180"


def _scope(area) -> tuple[Scope, ...]:
    return (Scope("community", area.code),)


def _facility(make, name="春风里活动中心", **more) -> Facility:
    return make.add(Facility(community_id=make.community().id, name=name, kind=FacilityKind.ACTIVITY, **more))


def _organisation(make, name="春风里老年协会", **more) -> Organisation:
    kind = OrganisationKind.COMMUNITY_GROUP
    return make.add(Organisation(community_id=make.community().id, name=name, kind=kind, **more))


def _item(make, quantity=0, **more) -> StockItem:
    return make.add(StockItem(community_id=make.community().id, name="大米", unit="袋", quantity=quantity, **more))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("周一至周五 8:30-11:30 14:00-17:30；周六 9:00-11:00", "周一至周五 08:30-11:30 14:00-17:30；周六 09:00-11:00"),
        ("每天 8:00-20:00", "每天 08:00-20:00"),
        ("8:00～20:00", "每天 08:00-20:00"),
        ("工作日 9：00—17：00\n周末休息", "周一至周五 09:00-17:00"),
        ("星期三、星期天 14:00 至 16:00", "周三 14:00-16:00；周日 14:00-16:00"),
        ("全天", "每天 全天"),
        ("周五至周日 18:00-21:00", "周五至周日 18:00-21:00"),
        ("", ""),
    ],
)
def test_opening_hours_are_read_from_the_words_people_write(app, words, said):
    with app.test_request_context():
        assert hours.said(hours.parse(words)) == said
        assert hours.parse(said) == hours.parse(words)


@pytest.mark.parametrize(
    "words",
    [
        "周一至周五 8:30-11:30 14:00-17:30；周六 9:00-11:00",
        "每天 8:00-20:00",
        "每天 全天",
        "周二 8:00-9:00；周四 全天；周日 9:00-10:00",
    ],
)
def test_opening_hours_said_in_english_are_read_back(app, words):
    with app.test_request_context(), force_locale("en"):
        said = hours.said(hours.parse(words))
        assert said.isascii()
        assert hours.parse(said) == hours.parse(words)


@pytest.mark.parametrize(
    "words", ["随时", "周一 8:00", "周一 17:00-8:00", "周八 8:00-9:00", "8:00-10:00 9:00-11:00", "25:00-26:00"]
)
def test_hours_that_make_no_sense_are_refused_in_words(app, words):
    with app.test_request_context(), pytest.raises(Refused) as refused:
        hours.parse(words)
    assert refused.value.field == "hours"


def test_a_facility_is_open_at_its_hours_only():
    monday, sunday = date(2026, 11, 23), date(2026, 11, 22)
    opening = {"0": [["08:30", "11:30"]]}
    from_to = [at(monday, when) for when in (hours_at(8, 29), hours_at(8, 30), hours_at(11, 29), hours_at(11, 30))]
    assert [hours.is_open(opening, moment) for moment in from_to] == [False, True, True, False]
    assert not hours.is_open(opening, at(sunday, hours_at(9, 0)))


def hours_at(hour: int, minute: int):
    return now().replace(hour=hour, minute=minute).time()


def test_a_facility_of_another_community_does_not_exist(make):
    facility, other = _facility(make), make.community("荷塘社区")
    assert facilities.facility_in(_scope(make.community()), facility.id) == facility
    with pytest.raises(Missing):
        facilities.facility_in(_scope(other), facility.id)
    assert facilities.facilities(_scope(other), Wanted()).total == 0


def test_a_grid_worker_sees_the_resources_of_the_whole_community(make):
    facility = _facility(make)
    grid = make.grid()
    assert facilities.facility_in((Scope("grid", grid.code),), facility.id) == facility


def test_two_facilities_of_one_name_are_refused_and_the_first_stays(make):
    _facility(make)
    facts = FacilityFacts(name="春风里活动中心", kind=FacilityKind.OTHER)
    with transaction(), pytest.raises(Refused, match="同名"):
        facilities.add_facility(make.community(), facts)
    assert facilities.facilities(_scope(make.community()), Wanted()).total == 1


def test_a_building_of_another_community_cannot_be_given_to_a_facility(make):
    elsewhere = make.dwelling(make.community("荷塘社区")).building
    with transaction(), pytest.raises(Missing):
        facts = FacilityFacts(name="活动室", kind=FacilityKind.OTHER, building_id=elsewhere.id)
        facilities.add_facility(make.community(), facts)


def test_a_facility_can_take_a_dwelling_that_is_registered_and_no_other(make):
    home = make.dwelling()
    facts = FacilityFacts("托老所", FacilityKind.ELDER_CARE, building_id=home.building_id, unit="2单元", room="301")
    with transaction():
        facility = facilities.add_facility(make.community(), facts)
    assert make.read(facility).dwelling_id == home.id
    with transaction(), pytest.raises(Refused, match="没有登记"):
        facilities.change_facility(
            facility, FacilityFacts("托老所", FacilityKind.ELDER_CARE, None, "", home.building_id, "", "999")
        )


def test_one_room_has_many_uses_that_never_overlap(make):
    room = make.add(Room(facility_id=_facility(make).id, name="多功能室", capacity=30))
    with transaction():
        facilities.add_use(room, name="书法班", weekday=0, opens=hours_at(9, 0), closes=hours_at(11, 0))
        facilities.add_use(room, name="议事会", weekday=0, opens=hours_at(11, 0), closes=hours_at(12, 0))
        facilities.add_use(room, name="合唱队", weekday=1, opens=hours_at(9, 0), closes=hours_at(11, 0))
    with transaction(), pytest.raises(Refused, match="书法班"):
        facilities.add_use(room, name="棋牌", weekday=0, opens=hours_at(10, 59), closes=hours_at(12, 0))
    assert [use.name for use in make.read(room).uses] == ["书法班", "议事会", "合唱队"]


def test_a_room_is_not_larger_than_its_facility(make):
    facility = _facility(make, area_m2=Decimal(40))
    with transaction(), pytest.raises(Refused, match="面积"):
        facilities.add_room(facility, RoomFacts("大厅", area_m2=Decimal(41)))


def test_a_credit_code_that_fails_its_check_is_taken_only_with_a_reason_on_record(make):
    facts = OrganisationFacts(name="某商行", kind=OrganisationKind.SHOP, uscc=WRONG_CHECK)
    with transaction(), pytest.raises(Refused, match="证照上确实如此") as refused:
        organisations.add_organisation(make.community(), facts)
    assert refused.value.field == "uscc"
    reasoned = OrganisationFacts(
        name="某商行", kind=OrganisationKind.SHOP, uscc=WRONG_CHECK.lower(), uscc_reason="营业执照原件如此"
    )
    with transaction():
        shop = organisations.add_organisation(make.community(), reasoned)
    assert make.read(shop).uscc == WRONG_CHECK
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "resources.organisation_added")).one()
    assert (row.reason, row.facts["uscc_overridden"]) == ("营业执照原件如此", True)


def test_a_right_credit_code_needs_no_reason_and_keeps_none(make):
    with transaction():
        made = organisations.add_organisation(
            make.community(),
            OrganisationFacts(name="社工站", kind=OrganisationKind.SOCIAL, uscc=RIGHT, uscc_reason="随手写的"),
        )
    assert (make.read(made).uscc, made.uscc_reason) == (RIGHT, "")


def test_a_credit_code_of_wrong_shape_cannot_be_overridden(make):
    facts = OrganisationFacts(name="某商行", kind=OrganisationKind.SHOP, uscc="9135", uscc_reason="就是这样")
    with transaction(), pytest.raises(Refused, match="18 位"):
        organisations.add_organisation(make.community(), facts)


def test_a_lapsed_grade_is_said_and_waits_for_somebody(make):
    _organisation(make, grade=3, grade_until=today() - timedelta(days=1))
    actor = actor_of(make.worker())
    assert "等级" in " ".join(line.words for line in todo.todo_of(actor))
    found = organisations.organisations(_scope(make.community()), Wanted(state="lapsed"))
    ended = today() - timedelta(days=1)
    assert tables.grade_words(found.rows[0]) == f"3A（{ended.year}年{ended.month}月{ended.day}日 已到期）"


def test_a_certificate_warns_sixty_days_before_it_ends_and_not_earlier(make):
    member = make.add(Staff(community_id=make.community().id, name="许医生", kind=StaffKind.DOCTOR))
    make.add(Certificate(staff_id=member.id, name="执业证", expires_on=today() + timedelta(days=61)))
    assert staff.expiring(_scope(make.community())) == []
    soon = make.add(Certificate(staff_id=member.id, name="急救证", expires_on=today() + timedelta(days=60)))
    assert staff.expiring(_scope(make.community())) == [soon]
    assert staff.standing(soon, staff.warn_until()) == "soon"
    lines = todo.todo_of(actor_of(make.worker()))
    assert [(line.count, line.late) for line in lines if "证书" in line.words] == [(1, False)]


def test_a_certificate_of_somebody_who_left_warns_nobody(make):
    member = make.add(Staff(community_id=make.community().id, name="许医生", kind=StaffKind.DOCTOR, left_on=today()))
    make.add(Certificate(staff_id=member.id, name="执业证", expires_on=today()))
    assert staff.expiring(_scope(make.community())) == []


def test_who_may_not_mend_resources_has_no_todo_of_them(make):
    _item(make, low_below=5)
    assert todo.todo_of(actor_of(make.worker(Role.GRID_WORKER))) == []
    assert [line.count for line in todo.todo_of(actor_of(make.worker()))] == [1]


def test_stock_moves_by_entries_and_never_below_nothing(make):
    item, by = _item(make), actor_of(make.worker())
    with transaction():
        assert stock.move(item, StockReason.DONATED, 10, by=by) == 10
        assert stock.move(item, StockReason.GIVEN, 4, by=by, note="重阳节") == 6
    with transaction(), pytest.raises(Refused, match="只有 6袋"):
        stock.move(item, StockReason.GIVEN, 7, by=by)
    assert make.read(item).quantity == 6
    assert [(entry.delta, entry.left_after) for entry in stock.entries_of(item)] == [(-4, 6), (10, 10)]


def test_the_database_itself_keeps_stock_from_falling_below_nothing(make):
    item = _item(make, quantity=1)
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.id == item.id).values(quantity=-1))


def test_an_entry_of_stock_cannot_be_changed_or_removed(make):
    item, by = _item(make), actor_of(make.worker())
    with transaction():
        stock.move(item, StockReason.BOUGHT, 3, by=by)
    for statement in (sa.update(StockEntry).values(delta=99), sa.delete(StockEntry)):
        with pytest.raises(DatabaseError), transaction() as session:
            session.execute(statement)


def test_sending_an_entry_twice_moves_once(make):
    item, by = _item(make), actor_of(make.worker())
    for _turn in range(2):
        with transaction():
            assert stock.move(item, StockReason.BOUGHT, 3, by=by, key="the-same-page") == 3
    assert make.read(item).quantity == 3


@pytest.mark.parametrize("count", [0, -1, 10**7])
def test_a_senseless_count_is_refused(make, count):
    with transaction(), pytest.raises(Refused):
        stock.move(_item(make), StockReason.BOUGHT, count, by=actor_of(make.worker()))


def test_the_unit_of_stock_that_has_moved_does_not_change(make):
    item = _item(make)
    with transaction():
        stock.move(item, StockReason.BOUGHT, 3, by=actor_of(make.worker()))
    with transaction(), pytest.raises(Refused, match="单位"):
        stock.change_item(item, stock.ItemFacts("大米", "斤"))


def _team(make) -> VolunteerTeam:
    return make.add(VolunteerTeam(community_id=make.community().id, name="夕阳红陪伴队"))


def test_the_members_of_a_team_come_from_the_register_and_the_leader_from_the_members(make):
    team, person = _team(make), make.person("单秀英")
    with transaction():
        member = teams.join(team, person)
        db.session.flush()
        db.session.refresh(team, ["members"])
        teams.lead(team, member.id)
    listed = teams.members_of(make.read(team), _scope(make.community()))
    assert [(one.person.name, one.leads, one.known) for one in listed] == [("单秀英", True, True)]
    with transaction():
        teams.leave(team, member.id)
    assert make.read(team).leader_id is None
    assert teams.members_of(team, _scope(make.community())) == []


def test_nobody_joins_twice_and_nobody_who_died_joins(make):
    team, person = _team(make), make.person()
    with transaction():
        teams.join(team, person)
    with transaction(), pytest.raises(Refused, match="已经在"):
        teams.join(make.read(team), person)
    gone = make.person("李大山", state=PersonState.DEAD)
    with transaction(), pytest.raises(Refused, match="不在册"):
        teams.join(team, gone)


def test_a_member_of_another_grid_is_named_by_her_surname_only(make):
    grid, team = make.grid(), _team(make)
    here, there = make.person("单秀英", grid=grid), make.person("仇大山")
    for person in (here, there):
        with transaction():
            teams.join(team, person)
    listed = teams.members_of(make.read(team), (Scope("grid", grid.code),))
    assert {one.person.name: one.known for one in listed} == {"单秀英": True, "仇大山": False}


def test_an_exported_list_masks_telephones_and_is_on_the_record(make):
    make.add(Staff(community_id=make.community().id, name="许医生", kind=StaffKind.DOCTOR, phone="13812345678"))
    by = actor_of(make.worker())
    with transaction():
        made = tables.table(Kind.STAFF, _scope(make.community()), Wanted())
        tables.export(Kind.STAFF, _scope(make.community()), Wanted(), reason="报街道备案", by=by)
    assert "138****5678" in made.rows[0]
    assert db.session.scalar(sa.select(AuditRow.facts).where(AuditRow.action == "resources.exported"))["count"] == 1


def test_a_person_is_still_the_one_table(make):
    """A member of staff points at the register; it copies nothing from it."""
    person = make.person()
    member = make.add(Staff(community_id=make.community().id, name=person.name, kind=StaffKind.OTHER))
    with transaction():
        staff.link_person(member, person)
    assert make.read(member).person_id == db.session.scalar(sa.select(Person.id))


def test_who_died_is_named_in_her_team_and_counted_no_more(make):
    team, person = _team(make), make.person("单秀英")
    with transaction() as session:
        teams.join(team, person)
        session.get_one(Person, person.id).state = PersonState.DEAD
    db.session.expire_all()
    (row,) = teams.teams(_scope(make.community()), Wanted()).rows
    assert teams.headcount(row) == 0
    assert len(teams.members_of(row, _scope(make.community()))) == 1


def test_a_persons_timeline_and_copy_tell_of_her_teams_and_her_work(make):
    team, person = _team(make), make.person("单秀英")
    with transaction():
        member = teams.join(team, person)
    make.add(Staff(community_id=make.community().id, name="单秀英", kind=StaffKind.CARER, person_id=person.id))
    assert [(line.title, line.text) for line in held.timeline(person)] == [("加入志愿队", "夕阳红陪伴队")]
    assert [next(iter(one.values())) for one in held.export(person)] == ["夕阳红陪伴队", "养老护理员"]
    with transaction():
        teams.leave(make.read(team), member.id)
    assert {line.title for line in held.timeline(person)} == {"加入志愿队", "退出志愿队"}
