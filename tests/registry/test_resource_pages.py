"""The pages of resources: a worker's lists and forms, and what residents see of them."""

import io
from contextlib import contextmanager
from datetime import timedelta

import openpyxl
import pytest
import sqlalchemy as sa
import time_machine

from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.engines import writing
from portal.identity.permissions import Role
from portal.registry.models import (
    Certificate,
    Facility,
    FacilityKind,
    Organisation,
    OrganisationKind,
    Room,
    RoomUse,
    Staff,
    StaffKind,
    StockItem,
    VolunteerTeam,
)
from portal.registry.service import exports
from portal.registry.service.resources import tables
from tests.visitor import words_shown

LISTS = ("facilities", "organisations", "staff", "teams", "stock")


@pytest.fixture
def desk(make, client):
    return client.sign_in(make.worker())


def _all_kinds(make, community=None):
    """One of each kind in a community."""
    where = {"community_id": (community or make.community()).id}
    shop = make.add(
        Organisation(
            **where, name="好邻居超市", kind=OrganisationKind.SHOP, contact_phone="13812345678", phone="0571-88881234"
        )
    )
    member = make.add(Staff(**where, name="许静", kind=StaffKind.SOCIAL_WORKER, phone="13987654321"))
    make.add(
        Certificate(staff_id=member.id, name="社工证", number=make.id_number(), expires_on=today() + timedelta(days=9))
    )
    hours = {str(day): [["00:00", "24:00"]] for day in range(7)}
    facility = make.add(
        Facility(
            **where,
            name="春风里活动中心",
            kind=FacilityKind.ACTIVITY,
            eases=["ramp"],
            phone="0571-88880001",
            hours=hours,
        )
    )
    room = make.add(Room(facility_id=facility.id, name="多功能室", capacity=30, is_accessible=True))
    start = now().replace(hour=9, minute=0, second=0, microsecond=0).time()
    make.add(RoomUse(room_id=room.id, name="书法班", weekday=2, opens=start, closes=start.replace(hour=11)))
    team = make.add(VolunteerTeam(**where, name="夕阳红陪伴队"))
    item = make.add(StockItem(**where, name="大米", unit="袋", quantity=3, low_below=5))
    return facility, room, shop, member, team, item


def _pages(facility, room, shop, member, team, item) -> list[str]:
    base = "/desk/people/resources"
    return [
        f"{base}/facilities/{facility.id}",
        f"{base}/facilities/{facility.id}/edit",
        f"{base}/facilities/{facility.id}/rooms/new",
        f"{base}/rooms/{room.id}",
        f"{base}/rooms/{room.id}/edit",
        f"{base}/organisations/{shop.id}",
        f"{base}/organisations/{shop.id}/edit",
        f"{base}/organisations/{shop.id}/reveal",
        f"{base}/staff/{member.public_id}",
        f"{base}/staff/{member.public_id}/edit",
        f"{base}/staff/{member.public_id}/person",
        f"{base}/staff/{member.public_id}/reveal",
        f"{base}/staff/{member.public_id}/certificates/new",
        f"{base}/teams/{team.id}",
        f"{base}/teams/{team.id}/edit",
        f"{base}/teams/{team.id}/people",
        f"{base}/stock/{item.id}",
        f"{base}/stock/{item.id}/edit",
        f"{base}/stock/{item.id}/move",
    ]


@pytest.mark.parametrize("kind", LISTS)
def test_an_empty_list_says_what_to_do(desk, kind):
    page = desk.get(f"/desk/people/resources/{kind}").get_data(as_text=True)
    assert "还没有登记" in page


def test_every_page_opens_and_shows_no_number_in_full(make, desk):
    made = _all_kinds(make)
    pages = _pages(*made)
    pages += [f"/desk/people/resources/{kind}" for kind in LISTS]
    pages += [f"/desk/people/resources/print/{kind}" for kind in LISTS]
    for address in pages:
        answer = desk.get(address)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200, address
        assert "13812345678" not in text, address
        assert "13987654321" not in text, address


def test_what_is_in_another_community_is_not_there(make, desk):
    elsewhere = _all_kinds(make, make.community("荷塘社区"))
    for address in _pages(*elsewhere):
        assert desk.get(address).status_code == 404, address
    for kind in LISTS:
        assert "还没有登记" in desk.get(f"/desk/people/resources/{kind}").get_data(as_text=True)


def test_a_grid_worker_reads_and_changes_nothing(make, client):
    facility, *_rest = _all_kinds(make)
    client.sign_in(make.worker(Role.GRID_WORKER))
    page = client.get(f"/desk/people/resources/facilities/{facility.id}")
    assert page.status_code == 200
    assert "登记房间" not in page.get_data(as_text=True)
    assert client.post(f"/desk/people/resources/facilities/{facility.id}/close").status_code == 403


def test_a_worker_registers_a_facility_its_room_and_two_uses(make, desk):
    said = {"community": make.community().code, "name": "日间照料中心", "kind": "elder_care", "area_m2": "120.5"}
    answer = desk.post(
        "/desk/people/resources/facilities/new", data=said | {"hours": "工作日 8:30-17:00", "is_public": "y"}
    )
    assert answer.status_code == 303
    desk.post(answer.location + "/rooms/new", data={"name": "棋牌室", "capacity": "20"})
    room = db.session.scalars(sa.select(Room)).one()
    use = {"name": "象棋", "weekday": "1", "opens": "09:00", "closes": "11:00"}
    assert desk.post(f"/desk/people/resources/rooms/{room.id}", data=use).status_code == 303
    clash = desk.post(f"/desk/people/resources/rooms/{room.id}", data=use | {"name": "健康讲座", "opens": "10:00"})
    assert clash.status_code == 422
    assert "象棋" in clash.get_data(as_text=True)
    page = desk.get(answer.location).get_data(as_text=True)
    assert "周二 09:00-11:00 象棋" in page
    assert "周一至周五 08:30-17:00" in page


def test_wrong_hours_are_said_at_the_field_and_what_was_typed_stays(make, desk):
    said = {"community": make.community().code, "name": "活动室", "kind": "other", "hours": "看心情"}
    answer = desk.post("/desk/people/resources/facilities/new", data=said)
    assert answer.status_code == 422
    assert "看心情" in answer.get_data(as_text=True)


def test_a_credit_code_with_a_wrong_check_asks_for_a_reason_on_the_same_page(make, desk):
    said = {
        "community": make.community().code,
        "name": "某商行",
        "kind": "shop",
        "standing": "registered",
        "grade": "0",
    }
    said |= {"uscc": "91350203M0001QAY9B"}
    first = desk.post("/desk/people/resources/organisations/new", data=said)
    assert first.status_code == 422
    assert 'name="uscc_reason"' in first.get_data(as_text=True)
    second = desk.post("/desk/people/resources/organisations/new", data=said | {"uscc_reason": "执照原件如此"})
    assert second.status_code == 303
    assert "执照原件如此" in desk.get(second.location).get_data(as_text=True)


def test_showing_a_telephone_asks_why_and_leaves_a_trace(make, desk):
    _facility, _room, _shop, member, *_rest = _all_kinds(make)
    address = f"/desk/people/resources/staff/{member.public_id}/reveal"
    assert desk.post(address, data={"reason": ""}).status_code == 422
    shown = desk.post(address, data={"reason": "联系排班"})
    assert "13987654321" in shown.get_data(as_text=True)


def test_a_certificate_number_is_masked_until_somebody_asks(make, desk):
    _facility, _room, _shop, member, *_rest = _all_kinds(make)
    paper = db.session.scalars(sa.select(Certificate)).one()
    number = paper.number
    assert number not in desk.get(f"/desk/people/resources/staff/{member.public_id}").get_data(as_text=True)
    desk.shows_numbers = True
    address = f"/desk/people/resources/staff/{member.public_id}/reveal-certificate?paper={paper.id}"
    assert number in desk.post(address, data={"reason": "核对证书"}).get_data(as_text=True)


def test_stock_goes_out_on_a_page_and_too_much_is_refused(make, desk):
    *_rest, item = _all_kinds(make)
    address = f"/desk/people/resources/stock/{item.id}/move"
    assert desk.post(address, data={"reason": "given", "count": "2", "idem": "k1"}).status_code == 303
    refused = desk.post(address, data={"reason": "given", "count": "2", "idem": "k2"})
    assert refused.status_code == 422
    assert "不够出库" in refused.get_data(as_text=True)
    assert make.read(item).quantity == 1


def test_a_team_takes_its_members_from_a_search_of_the_register(make, desk):
    *_rest, team, _item = _all_kinds(make)
    person, elsewhere = make.person("单秀英"), make.person("王大山", community=make.community("荷塘社区"))
    base = f"/desk/people/resources/teams/{team.id}"
    assert "单秀英" in desk.post(f"{base}/people", data={"q": "单秀英"}).get_data(as_text=True)
    assert desk.post(f"{base}/join", data={"person": person.public_id}).status_code == 303
    assert desk.post(f"{base}/join", data={"person": elsewhere.public_id}).status_code == 404
    assert "单秀英" in desk.get(base).get_data(as_text=True)


def test_a_list_is_exported_as_text_with_masked_telephones(make, desk):
    _all_kinds(make)
    answer = desk.post("/desk/people/resources/export/organisations", data={"reason": "报街道备案"})
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    cells = [cell.value for row in book.active.iter_rows() for cell in row]
    assert "138****5678" in cells
    assert "13812345678" not in cells


def test_an_exported_list_has_a_reason_a_watermark_and_a_daily_measure(make, client, monkeypatch):
    _all_kinds(make)
    by, seen, held = make.worker(name="周洁"), [], tables.write_workbook
    desk = client.sign_in(by)
    monkeypatch.setattr(
        tables, "write_workbook", lambda *told, **more: (seen.append(writing.get()), held(*told, **more))[1]
    )
    address = "/desk/people/resources/export/staff"
    assert desk.get(f"{address}?q=许静").status_code == 200
    assert desk.post(address).status_code == 422
    with transaction():
        settings.put(exports.A_DAY, 2, valid_from=today() - timedelta(days=1), by="test")
    with time_machine.travel(now().replace(hour=4, minute=5, second=0, microsecond=0), tick=False):
        desk.sign_in(by)
        answers = [desk.post(f"{address}?q=许静", data={"reason": "报街道备案"}) for _turn in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    sheet = openpyxl.load_workbook(io.BytesIO(answers[0].data)).active
    assert "周洁" in sheet.oddHeader.left.text
    assert "周洁" in [cell.value for cell in sheet[2]][-1]
    rows = list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "resources.exported")))
    assert [row.reason for row in rows] == ["报街道备案"] * 2
    assert seen == [False, False]


def test_numbers_of_resources_count_for_the_alarm(make, client):
    _facility, _room, _shop, member, *_rest = _all_kinds(make)
    by = make.worker()
    with transaction() as session:
        for _number in range(50):
            facts = {"actor_name": by.name, "roles": "community_worker", "facts": {"field": "phone"}}
            session.add(AuditRow(at=now(), actor=by.public_id, action="resources.revealed", **facts))
    address = f"/desk/people/resources/staff/{member.public_id}/reveal"
    client.sign_in(by).post(address, data={"reason": "联系排班"})
    assert db.session.scalar(sa.select(AuditRow.facts).where(AuditRow.action == "registry.reveal_alarm")) == {
        "count": 51
    }


def test_a_list_is_narrowed_and_says_so_when_nothing_fits(make, desk):
    _all_kinds(make)
    assert "大米" in desk.get("/desk/people/resources/stock?state=low").get_data(as_text=True)
    assert "没有符合条件" in desk.get("/desk/people/resources/facilities?q=篮球").get_data(as_text=True)
    assert "许静" in desk.get("/desk/people/resources/staff?state=expiring").get_data(as_text=True)


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_page_asks_the_database_few_questions(make, desk, kind):
    _all_kinds(make)
    for turn in range(5):
        make.add(Facility(community_id=make.community().id, name=f"活动室{turn}", kind=FacilityKind.OTHER))
    asked = []
    with _counting(asked):
        desk.get(f"/desk/people/resources/{kind}")
    of_the_list = [one for one in asked if one.startswith("SELECT") and "signed_session" not in one]
    assert len(of_the_list) <= 8, of_the_list


@contextmanager
def _counting(asked):
    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_residents_see_the_public_side_and_nothing_else(make, client):
    facility, _room, shop, *_rest = _all_kinds(make)
    page = client.get("/people/nearby").get_data(as_text=True)
    assert "春风里活动中心" in page
    assert "现在开放" in page
    assert "好邻居超市" in page
    details = client.get(f"/people/nearby/facilities/{facility.id}").get_data(as_text=True)
    assert all(words in details for words in ("0571-88880001", "轮椅坡道", "书法班"))
    shown = client.get(f"/people/nearby/organisations/{shop.id}").get_data(as_text=True)
    assert "0571-88881234" in shown
    assert "138" not in words_shown(shown)


def test_what_is_not_public_or_given_up_is_not_there_for_residents(make, client):
    hidden = make.add(Facility(community_id=make.community().id, name="仓库", kind=FacilityKind.OTHER, is_public=False))
    closed = make.add(
        Facility(community_id=make.community().id, name="老会议室", kind=FacilityKind.OTHER, closed_on=today())
    )
    page = client.get("/people/nearby").get_data(as_text=True)
    assert "还没有可以看的设施" in page
    for facility in (hidden, closed):
        assert client.get(f"/people/nearby/facilities/{facility.id}").status_code == 404


def test_a_resident_sees_her_own_community_first(make, client):
    _all_kinds(make)
    other = make.community("荷塘社区")
    make.add(Facility(community_id=other.id, name="荷塘图书室", kind=FacilityKind.READING))
    client.sign_in(make.resident(make.person(community=other)))
    page = client.get("/people/nearby").get_data(as_text=True)
    assert "荷塘图书室" in page
    assert "春风里活动中心" not in page


def test_sending_a_form_twice_enters_one(make, desk):
    said = {"community": make.community().code, "name": "许静", "kind": "doctor", "idem": "the-same-page"}
    first, second = (desk.post("/desk/people/resources/staff/new", data=said) for _turn in range(2))
    assert first.location == second.location
    paper = {"name": "执业证", "idem": "another-page"}
    for _turn in range(2):
        assert desk.post(f"{first.location}/certificates/new", data=paper).status_code == 303
    assert len(db.session.scalars(sa.select(Certificate.id)).all()) == 1
