"""A grid's page, and handing a grid's work over."""

import pytest

from portal.core.db import transaction
from portal.core.errors import Refused
from portal.home.service import handover
from portal.home.service.handover import Signing
from portal.identity import staff
from portal.identity.permissions import Role
from portal.registry.models import TagKind
from tests.meals.stand import acting


def grids_workers(make):
    """A grid with the one who gives and the one who takes."""
    grid = make.grid()
    giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
    return grid, giver, make.worker(Role.GRID_WORKER, grid, name="李接手")


def test_a_grids_page_shows_its_people_in_figures_and_its_workers(make, client):
    grid, giver, _taker = grids_workers(make)
    make.person(grid=grid, tags=[TagKind.LIVING_ALONE])
    page = client.sign_in(giver).get(f"/desk/grids/{grid.code}").text
    assert "独居" in page
    assert "王建国" in page
    assert "王秀英" not in page


def test_another_grid_does_not_exist(make, client):
    _grid, giver, _taker = grids_workers(make)
    other = make.grid(name="第二网格")
    signed = client.sign_in(giver)
    assert signed.get(f"/desk/grids/{other.code}").status_code == 404
    assert signed.get(f"/desk/grids/{make.community().code}").status_code == 404
    assert other.name not in signed.get("/desk/grids").text


def test_work_is_handed_over_in_one_step_and_signed_by_who_takes_it(make, client):
    grid, giver, taker = grids_workers(make)
    decides = make.worker(Role.COMMUNITY_WORKER)
    signed = client.sign_in(decides)
    form = {
        "giver": giver.public_id,
        "taker": taker.public_id,
        "reason": "岗位调整",
        "note": "钥匙在抽屉里",
        "idem": "k",
    }
    unsigned = signed.post(f"/desk/hand-overs/new/{grid.code}", data=form)
    assert unsigned.status_code == 422
    assert "相当于签字" in unsigned.text
    done = signed.post(f"/desk/hand-overs/new/{grid.code}", data={**form, "signed": "y"})
    paper = done.headers["Location"]
    assert "钥匙在抽屉里" in signed.get(paper).text
    assert signed.post(paper).status_code == 404
    takes = client.sign_in(taker)
    assert "请签收王建国交给您的工作" in takes.get("/desk/").text
    assert takes.post(paper).status_code == 303
    assert "签收：李接手" in takes.get(paper).text
    assert "请签收" not in takes.get("/desk/").text


def test_a_hand_over_is_nobody_elses_business(make, client):
    grid, giver, taker = grids_workers(make)
    with transaction():
        signed = handover.hand_over(grid, Signing(giver.public_id, taker.public_id, "休假"), by=acting(make.worker()))
        paper = f"/desk/hand-overs/{signed.public_id}"
    elsewhere = client.sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("荷塘社区")))
    assert elsewhere.get(paper).status_code == 404
    assert client.sign_in(giver).get(paper).status_code == 200


def test_nobody_takes_her_own_work_or_a_grid_she_does_not_reach(make):
    grid, giver, _taker = grids_workers(make)
    stranger = make.worker(Role.GRID_WORKER, make.grid(name="第二网格"))
    for taker in (giver, stranger):
        with pytest.raises(Refused, match="另一个人接手"), transaction():
            handover.hand_over(grid, Signing(giver.public_id, taker.public_id, "休假"), by=acting(make.worker()))


def test_a_worker_who_left_takes_nothing(make):
    grid, _giver, taker = grids_workers(make)
    with transaction() as session:
        session.get_one(type(taker), taker.id).disabled_at = taker.created_at
    assert taker.public_id not in {account.public_id for account in handover.takers(grid)}


def test_an_account_as_an_actor_holds_what_it_holds_now(make):
    _grid, giver, _taker = grids_workers(make)
    actor = staff.as_actor(make.read(giver))
    assert [(grant.role, grant.scope.kind) for grant in actor.grants] == [("grid_worker", "grid")]
