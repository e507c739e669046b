"""The rota's pages: what a worker of the area sees, and what only who plans may do."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.duty.models import Shift, Swap, Turn
from portal.duty.service import cover
from portal.identity.permissions import Role

TOMORROW = timedelta(days=1)


@pytest.fixture
def planner(make):
    return make.worker(name="周洁")


@pytest.fixture
def desk(client, planner):
    return client.sign_in(planner)


def _said(make, *accounts, day=None) -> dict[str, object]:
    day = day or today() + TOMORROW
    people = [account.public_id for account in accounts]
    said = {"day": day.isoformat(), "opens": "08:30", "closes": "17:30", "place": "服务大厅", "role": "counter"}
    return said | {"people": people, "community": make.community().code}


def test_a_community_without_a_rota_is_told_how_to_begin(desk):
    page = desk.get("/desk/duty/").get_data(as_text=True)
    assert "这一周还没有排班" in page
    assert "现在没有人应答" in page


def test_a_shift_is_planned_and_stands_in_the_week_and_on_the_wall(make, desk, planner):
    assert desk.post("/desk/duty/shifts/new", data=_said(make, planner)).status_code == 303
    week = (today() + TOMORROW).isoformat()
    for address in (f"/desk/duty/?week={week}", f"/desk/duty/print?week={week}"):
        page = desk.get(address).get_data(as_text=True)
        assert "周洁" in page
        assert "08:30-17:30" in page


def test_a_clash_is_said_and_what_was_typed_stays(make, desk, planner):
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    answer = desk.post("/desk/duty/shifts/new", data=_said(make, planner) | {"place": "门岗"})
    assert answer.status_code == 422
    assert "已经排了班" in answer.get_data(as_text=True)
    assert "门岗" in answer.get_data(as_text=True)


def test_a_shift_is_changed_and_dropped(make, desk, planner):
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    shift = db.session.scalars(sa.select(Shift)).one()
    assert desk.get(f"/desk/duty/shifts/{shift.id}").status_code == 200
    desk.post(f"/desk/duty/shifts/{shift.id}", data=_said(make) | {"closes": "12:00"})
    assert make.read(shift).turns == []
    desk.post(f"/desk/duty/shifts/{shift.id}/drop")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Shift)) == 0


def test_a_grid_worker_sees_the_rota_and_cannot_plan(make, client, planner):
    client.sign_in(make.worker(Role.GRID_WORKER))
    assert "现在谁应答" in client.get("/desk/duty/").get_data(as_text=True)
    assert client.get("/desk/duty/shifts/new").status_code == 403


def test_a_shift_of_another_community_answers_404(make, client, desk, planner):
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    shift = db.session.scalars(sa.select(Shift)).one()
    client.sign_in(make.worker(scope=make.community("荷塘社区"), name="林敏"))
    assert client.get(f"/desk/duty/shifts/{shift.id}").status_code == 404
    assert client.get(f"/desk/duty/?community={make.community().code}").status_code == 404
    assert "周洁" not in client.get(f"/desk/duty/?week={(today() + TOMORROW).isoformat()}").get_data(as_text=True)


def test_an_administrator_has_no_rota_and_is_told_so(make, client):
    client.sign_in(make.worker(Role.AUDITOR))
    assert "不在任何社区值班" in client.get("/desk/duty/").get_data(as_text=True)


def test_a_swap_is_asked_and_agreed_on_pages(make, client, desk, planner):
    other = make.worker(Role.GRID_WORKER, name="王建国")
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    turn = db.session.scalars(sa.select(Turn)).one()
    week = desk.get(f"/desk/duty/?week={(today() + TOMORROW).isoformat()}").get_data(as_text=True)
    assert re.search(r"</strong>\s+<a [^>]*/turns/\d+/swap", week), "the link stands apart from the name"
    assert "王建国" in desk.get(f"/desk/duty/turns/{turn.id}/swap").get_data(as_text=True)
    asked = desk.post(
        f"/desk/duty/turns/{turn.id}/swap", data={"taker": other.public_id, "back": "0", "reason": "看病"}
    )
    assert asked.status_code == 303
    swap = db.session.scalars(sa.select(Swap)).one()
    client.sign_in(other)
    assert "想和您换班" in client.get("/desk/duty/").get_data(as_text=True)
    client.post(f"/desk/duty/swaps/{swap.id}/agree")
    assert make.read(turn).account_id == other.id
    client.sign_in(planner)
    assert "已换好" in client.get("/desk/duty/swaps").get_data(as_text=True)


def test_somebody_elses_turn_cannot_be_offered(make, client, desk, planner):
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    turn = db.session.scalars(sa.select(Turn)).one()
    client.sign_in(make.worker(Role.GRID_WORKER))
    assert client.get(f"/desk/duty/turns/{turn.id}/swap").status_code == 404


def test_required_hours_who_stands_in_and_telephones_are_set_on_pages(make, desk, planner):
    code = make.community().code
    assert desk.post("/desk/duty/cover", data={"community": code, "hours": "每天 全天"}).status_code == 303
    assert desk.post("/desk/duty/cover", data={"community": code, "hours": "有空就来"}).status_code == 422
    desk.post("/preferences", data={"locale": "en", "next": "/"})
    assert "Every day All day" in desk.get(f"/desk/duty/cover?community={code}").text
    assert desk.post("/desk/duty/cover", data={"community": code, "hours": "Every day All day"}).status_code == 303
    desk.post("/preferences", data={"locale": "zh", "next": "/"})
    page = desk.get("/desk/duty/").get_data(as_text=True)
    assert "没人" in page
    desk.post("/desk/duty/fallback", data={"community": code, "person": planner.public_id, "phone": "13800001111"})
    assert "13800001111" in desk.get("/desk/duty/now").get_data(as_text=True)
    address = f"/desk/duty/phones/{planner.public_id}"
    assert desk.post(address, data={"community": code, "phone": "12"}).status_code == 422
    assert desk.post(address, data={"community": code, "phone": "0571-88886666"}).status_code == 303
    assert "0571-88886666" in desk.get("/desk/duty/phones").get_data(as_text=True)


def test_a_week_is_copied_with_one_button(make, desk, planner):
    desk.post("/desk/duty/shifts/new", data=_said(make, planner))
    week = (today() + TOMORROW + timedelta(days=7)).isoformat()
    answer = desk.post("/desk/duty/copy-week", data={"community": make.community().code, "week": week})
    assert answer.status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Shift)) == 2
    assert "复制了 1 个班次" in desk.get(answer.location).get_data(as_text=True)


def test_a_gap_opens_a_shift_with_its_day_and_hours(make, desk):
    with transaction():
        cover.set_required(make.community(), "每天 9:00-12:00")
    day = (today() + TOMORROW).isoformat()
    link = f"day={day}&amp;opens=09:00&amp;closes=12:00"
    page = desk.get("/desk/duty/").text.replace("%3A", ":")
    assert link in page
    community = make.community().code
    form = desk.get(f"/desk/duty/shifts/new?community={community}&day={day}&opens=09:00&closes=12:00").text
    assert f'value="{day}"' in form
    assert 'value="09:00"' in form
    assert 'value="12:00"' in form
    assert desk.get(f"/desk/duty/shifts/new?community={community}&day={day}&opens=x&closes=").status_code == 200


def test_a_shift_with_nobody_is_saved_with_a_warning(make, desk):
    page = desk.post("/desk/duty/shifts/new", data=_said(make), follow_redirects=True).text
    assert "但还没有人" in page
