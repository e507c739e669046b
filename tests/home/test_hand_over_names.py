"""网格交接: what will pass is named before anybody signs, what changed meanwhile is said, the giver reads each kind."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import outbox
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.duty.models import Shift, ShiftRole, Turn
from portal.home.service import handover
from portal.home.service.handover import Signing
from portal.identity.permissions import Role
from portal.notifications import wording
from portal.registry.models import Roster
from tests.make import Make
from tests.visits import stand


@pytest.fixture
def work(make: Make):
    """A grid; who gives: a person with a visit, a turn and a roster; who takes."""
    grid = make.grid()
    giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
    taker = make.worker(Role.GRID_WORKER, grid, name="李接手")
    stand.tables_set(make)
    person = stand.alone(make, grid=grid)
    with transaction() as session:
        starts = now() + timedelta(days=3)
        shift = Shift(community_id=make.community().id, place="服务大厅", role=ShiftRole.COUNTER)
        shift.starts_at, shift.ends_at = starts, starts + timedelta(hours=4)
        shift.turns = [Turn(account_id=giver.id)]
        session.add(shift)
        session.add(Roster(owner=giver.public_id, name="高温走访", made_at=now(), changed_at=now()))
    stand.promised(person)
    return grid, giver, taker, person


def test_who_cannot_begin_a_hand_over_is_not_told_to_do_it_here(make: Make, work, client):
    _grid, giver, _taker, _person = work
    assert "在这里把手上的工作一次交给接手的人" in client.sign_in(make.worker()).get("/desk/hand-overs").text
    hers = client.sign_in(giver).get("/desk/hand-overs").text
    assert "在这里把手上的工作" not in hers
    assert "您交出或接手的会列在这里" in hers


def test_what_passes_is_named_before_anybody_signs(make: Make, work, client):
    grid, _giver, _taker, _person = work
    signed = client.sign_in(make.worker())
    for address in ("/desk/hand-overs", f"/desk/hand-overs/new/{grid.code}"):
        assert "没办完的探访、转介、诉求、办事申请和以后的班次" in signed.get(address).text


def test_each_kind_opens_as_a_list_of_names(make: Make, work, client):
    grid, giver, taker, _person = work
    asked = {"giver": giver.public_id, "taker": taker.public_id}
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="周洁"))
    page = client.get(f"/desk/hand-overs/new/{grid.code}", query_string=asked).text
    for name in ("王秀英", "服务大厅", "高温走访"):
        assert name in page
    shown = handover.preview(grid, giver.public_id, taker.public_id)
    assert shown is not None
    assert shown.names["visits.visits"] == ["王秀英"]


def test_a_long_list_names_the_first_and_says_how_many_there_are(make: Make, work, client, monkeypatch):
    grid, giver, taker, _person = work
    stand.promised(stand.alone(make, "赵阿婆", grid=grid))
    monkeypatch.setattr(handover, "NAMED", 1)
    asked = {"giver": giver.public_id, "taker": taker.public_id}
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="周洁"))
    assert "只列前 1 个，共 2 个" in client.get(f"/desk/hand-overs/new/{grid.code}", query_string=asked).text


def test_a_stale_tick_says_which_numbers_changed(make: Make, work, client):
    grid, giver, taker, person = work
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="周洁"))
    shown = handover.preview(grid, giver.public_id, taker.public_id)
    assert shown is not None
    form = {"giver": giver.public_id, "taker": taker.public_id, "reason": "岗位调整", "signed": "y", "idem": "k"}
    stand.promised(person, today() + timedelta(days=3))
    refused = client.post(f"/desk/hand-overs/new/{grid.code}", data={**form, "shown": shown.key})
    assert refused.status_code == 422
    assert "约好的探访从 1 变成 2" in refused.text
    assert "以后的班次从" not in refused.text


def test_the_giver_reads_the_kinds_with_their_numbers(make: Make, work, app):
    grid, giver, taker, _person = work
    with transaction():
        said = Signing(giver.public_id, taker.public_id, "岗位调整")
        handover.hand_over(grid, said, by=stand.actor(make.worker(name="周洁")))
    query = sa.select(outbox.OutboxRow).where(outbox.OutboxRow.topic == "home.work_given")
    told = db.session.scalars(query).one()
    with app.test_request_context():
        body = wording.words_for(told.topic, told.facts).body
        assert "约好的探访 1" in body
        assert "以后的班次 1" in body
        earlier = {name: fact for name, fact in told.facts.items() if name != "kinds"}
        assert "未完成的工作" in wording.words_for(told.topic, earlier).body
