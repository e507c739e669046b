"""A grid's page, and handing a grid's work over."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.duty.models import Shift, ShiftRole, Turn
from portal.duty.service import swaps
from portal.home.service import grid as grid_service
from portal.home.service import handover
from portal.home.service.handover import Signing
from portal.identity import staff
from portal.identity.models import RoleGrant
from portal.identity.permissions import Role
from portal.registry.models import TagKind
from portal.registry.service import figures
from portal.visits.models import CareSubject, VisitKind
from portal.visits.service import listing, planning
from tests.counting import count_queries
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
    shown = handover.preview(grid, giver.public_id, taker.public_id)
    done = signed.post(f"/desk/hand-overs/new/{grid.code}", data={**form, "signed": "y", "shown": shown.key})
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


def test_what_is_left_open_by_a_stopped_account_can_still_be_handed_over(make, client):
    grid, giver, taker = grids_workers(make)
    with transaction() as session:
        session.get_one(type(giver), giver.id).disabled_at = giver.created_at
    page = client.sign_in(make.worker(Role.COMMUNITY_WORKER)).get(f"/desk/hand-overs/new/{grid.code}").text
    assert "王建国（已停用）" in page
    with transaction():
        signed = handover.hand_over(grid, Signing(giver.public_id, taker.public_id, "离职"), by=acting(make.worker()))
    assert signed.giver_name == "王建国"


def test_whoever_lost_her_grant_with_people_still_assigned_can_be_relieved(make):
    grid, _giver, _taker = grids_workers(make)
    left = make.worker(Role.GRID_WORKER, make.grid(name="第二网格"), name="赵离开")
    person = make.person(grid=grid)
    with transaction() as session:
        session.add(CareSubject(person_id=person.id, worker=left.public_id, assigned_to=left.public_id))
    assert left.public_id in {account.public_id for account in handover.givers(grid)}


def test_handing_one_grid_over_leaves_the_work_of_another_community(make):
    grid, giver, taker = grids_workers(make)
    elsewhere = make.person(grid=make.grid(make.community("荷塘社区")))
    here = make.person("李秀英", grid=grid)
    with transaction() as session:
        for person in (here, elsewhere):
            session.add(CareSubject(person_id=person.id, worker=giver.public_id, assigned_to=giver.public_id))
    with transaction():
        handover.hand_over(grid, Signing(giver.public_id, taker.public_id, "休假"), by=acting(make.worker()))
    query = sa.select(CareSubject.person_id, CareSubject.assigned_to).order_by(CareSubject.id)
    assert [tuple(row) for row in db.session.execute(query)] == [
        (here.id, taker.public_id),
        (elsewhere.id, giver.public_id),
    ]


def test_a_grids_page_says_how_much_is_open_there_and_not_what_waits_elsewhere(make, client):
    grid, giver, _taker = grids_workers(make)
    other = make.grid(make.community("荷塘社区"))
    with transaction() as session:
        grant = RoleGrant(role=Role.GRID_WORKER, scope_kind="grid", scope_ref=other.code)
        session.get_one(type(giver), giver.id).grants.append(grant)
        person = session.merge(make.person(grid=other))
        session.add(CareSubject(person_id=person.id, worker=giver.public_id, not_needed_at=now()))
    page = client.sign_in(make.worker(Role.COMMUNITY_WORKER)).get(f"/desk/grids/{grid.code}").text
    assert "王建国" in page
    assert "请回问" not in page
    assert "件要办" not in page


def test_areas_are_counted_in_one_question_each_kind(make):
    grid = make.grid()
    make.person(grid=grid)
    make.person("李秀英", community=make.community())
    areas = [make.community(), grid, make.grid(name="第二网格")]
    assert [figures.counts_of(areas)[area.id] for area in areas] == [2, 1, 0]


def test_a_grids_page_asks_the_same_few_questions_however_many_work_there(make, client):
    grid, _giver, _taker = grids_workers(make)
    signed = client.sign_in(make.worker(Role.STREET_ADMINISTRATOR, make.street()))
    signed.get(f"/desk/grids/{grid.code}")
    counts = []
    for turn in range(2):
        for path in (f"/desk/grids/{grid.code}", "/desk/grids", "/desk/"):
            with count_queries() as asked:
                assert signed.get(path).status_code == 200
            counts.append(len(asked))
        if turn == 0:
            for name in ("荷塘社区", "梅园社区", "竹苑社区"):
                other = make.grid(make.community(name))
                make.worker(Role.GRID_WORKER, other)
                make.worker(Role.GRID_WORKER, grid, name=f"赵{name}")
    assert all(later <= first for first, later in zip(counts[:3], counts[3:], strict=True)), counts


def test_what_is_open_and_late_counts_for_who_has_it_on_this_grid_only(make):
    grid, giver, _taker = grids_workers(make)
    other = make.grid(name="第二网格")
    of_hers = [make.person(name, grid=where) for name, where in (("王秀英", grid), ("李桂兰", grid), ("张小妹", other))]
    nobodys = make.person("陈无主", grid=grid)
    with transaction() as session:
        for turn, person in enumerate([*of_hers, nobodys]):
            subject = listing.subject_of(session.merge(person))
            subject.worker = giver.public_id if person is not nobodys else ""
            planning.promise(subject, today() - timedelta(days=2 if turn == 1 else 0), VisitKind.EXTRA, "E1")
    shown = grid_service.page_of([Scope("community", make.community().code)], grid.code)
    found = {account.name: (load.open, load.late) for account, load in shown.workers}
    assert found == {"王建国": (2, 1), "李接手": (0, 0)}
    assert (shown.nobodys.open, shown.nobodys.late) == (1, 0)


def test_a_grids_page_counts_what_waits_for_an_answer_or_a_signature(make):
    grid, giver, taker = grids_workers(make)
    with transaction() as session:
        handover.hand_over(grid, Signing(giver.public_id, taker.public_id, "休假"), by=acting(make.worker()))
        starts = now() + timedelta(days=2)
        shift = Shift(community_id=make.community().id, place="大厅", role=ShiftRole.COUNTER, starts_at=starts)
        shift.ends_at, shift.turns = starts + timedelta(hours=4), [Turn(account_id=giver.id)]
        session.add(shift)
        session.flush()
        swaps.ask(shift.turns[0], taker=taker.public_id, back=None, reason="", by=acting(giver))
    shown = grid_service.page_of([Scope("community", make.community().code)], grid.code)
    assert {account.name: load.open for account, load in shown.workers} == {"王建国": 0, "李接手": 2}
