"""网格交接: what will pass is shown before anybody signs, both are told, and all of it can be taken back."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import clock, outbox
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.duty.models import Shift, ShiftRole, Turn
from portal.duty.service import passing as duty
from portal.home.models import HandOver
from portal.home.service import handover
from portal.home.service.handover import Signing
from portal.identity.permissions import Role
from portal.notifications import wording
from portal.registry.models import Roster
from portal.visits.models import (
    CareSubject,
    FindingKind,
    Referral,
    ReferralState,
    Urgency,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import listing, planning, recording, referrals
from portal.visits.service import passing as visits
from tests.counting import count_queries
from tests.make import Make
from tests.visits import stand


@pytest.fixture
def work(make: Make):
    """A grid; who gives: a person with a visit, a draft, an open referral, a turn and a roster; who takes."""
    grid = make.grid()
    giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
    taker = make.worker(Role.GRID_WORKER, grid, name="李接手")
    stand.tables_set(make)
    person = stand.alone(make, grid=grid)
    stand.visited(person, giver, findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
    with transaction() as session:
        listing.refresh(make.community())
        subject = listing.subject_of(session.merge(person))
        planning.promise(subject, today() + timedelta(days=1), VisitKind.PROMISED)
        begun = planning.promise(subject, today(), VisitKind.EXTRA, "E1")
        recording.save_draft(begun, {"note": ["说膝盖疼"]}, by=stand.actor(giver))
        starts = now() + timedelta(days=3)
        shift = Shift(community_id=make.community().id, place="服务大厅", role=ShiftRole.COUNTER)
        shift.starts_at, shift.ends_at = starts, starts + timedelta(hours=4)
        shift.turns = [Turn(account_id=giver.id)]
        session.add(shift)
        session.add(Roster(owner=giver.public_id, name="高温走访", made_at=now(), changed_at=now()))
    return grid, giver, taker, person


COUNTS = {
    "visits.people": 1,
    "visits.visits": 1,
    "visits.drafts": 1,
    "visits.referrals": 1,
    "duty.turns": 1,
    "registry.rosters": 1,
}


def _handed(make: Make, grid, giver, taker, by=None) -> HandOver:
    with transaction():
        said = Signing(giver.public_id, taker.public_id, "岗位调整")
        return handover.hand_over(grid, said, by=stand.actor(by or make.worker(name="周洁")))


def _back(make: Make, signed: HandOver, by=None) -> None:
    with transaction():
        within = stand.here(make)
        found = handover.signed_in(within, signed.public_id)
        handover.take_back(found, "选错了人", by=stand.actor(by or make.worker(name="周洁")))
    db.session.rollback()


def _owners() -> dict[str, set[str]]:
    questions = {
        "people": sa.select(CareSubject.assigned_to, CareSubject.worker),
        "visits": sa.select(Visit.worker).where(Visit.state.in_(["planned", "draft"])),
        "referrals": sa.select(Referral.owner, Referral.owner_name),
        "turns": sa.select(Turn.account_id),
        "rosters": sa.select(Roster.owner, Roster.name),
    }
    return {name: {str(tuple(row)) for row in db.session.execute(query)} for name, query in questions.items()}


def test_what_will_pass_is_shown_by_kind_and_is_what_passes(make: Make, work):
    grid, giver, taker, _person = work
    before = _owners()
    shown = handover.preview(grid, giver.public_id, taker.public_id)
    assert shown is not None
    assert (shown.people, shown.counts) == (1, COUNTS)
    assert _owners() == before
    assert _handed(make, grid, giver, taker).counts == COUNTS
    assert handover.preview(grid, giver.public_id, giver.public_id) is None
    assert handover.preview(grid, giver.public_id, "nobody") is None


def test_nobody_signs_what_the_page_did_not_show(make: Make, work, client):
    grid, giver, taker, person = work
    signed = client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="周洁"))
    address = f"/desk/hand-overs/new/{grid.code}"
    page = signed.get(address, query_string={"giver": giver.public_id, "taker": taker.public_id}).text
    assert "约好的探访" in page
    assert "以后的班次" in page
    preview = handover.preview(grid, giver.public_id, taker.public_id)
    assert preview is not None
    assert preview.key in page
    form = {"giver": giver.public_id, "taker": taker.public_id, "reason": "岗位调整", "signed": "y", "idem": "k"}
    refused = signed.post(address, data=form)
    assert refused.status_code == 422
    assert "请先看清下面要转交的内容" in refused.text
    assert preview.key in refused.text
    stand.promised(person, today() + timedelta(days=3))
    assert signed.post(address, data={**form, "shown": preview.key}).status_code == 422
    seen = handover.preview(grid, giver.public_id, taker.public_id)
    assert seen is not None
    assert signed.post(address, data={**form, "shown": seen.key}).status_code == 303


def test_only_the_part_that_changed_is_sent_when_another_is_chosen(make: Make, work, client):
    grid, giver, taker, _person = work
    signed = client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="周洁"))
    asked = {"giver": giver.public_id, "taker": taker.public_id}
    headers = {"HX-Request": "true", "HX-Target": "to-pass"}
    part = signed.get(f"/desk/hand-overs/new/{grid.code}", query_string=asked, headers=headers).text
    assert "约好的探访" in part
    assert "为什么交接" not in part


def _told() -> list[tuple[str, str]]:
    query = sa.select(outbox.OutboxRow).where(outbox.OutboxRow.topic.like("home.%")).order_by(outbox.OutboxRow.id)
    return [(row.topic, row.recipient_id) for row in db.session.scalars(query)]


def test_both_are_told_but_who_signs_herself(make: Make, work, app):
    grid, giver, taker, _person = work
    _handed(make, grid, giver, taker)
    assert _told() == [("home.handed_over", taker.public_id), ("home.work_given", giver.public_id)]
    with app.test_request_context():
        for row in db.session.scalars(sa.select(outbox.OutboxRow).where(outbox.OutboxRow.topic.like("home.%"))):
            words = wording.words_for(row.topic, row.facts)
            assert "转给了" in words.title
            assert "6 件" in words.body


def test_who_gives_her_own_work_is_not_told_of_it(make: Make, work):
    grid, giver, taker, _person = work
    _handed(make, grid, giver, taker, by=giver)
    assert _told() == [("home.handed_over", taker.public_id)]


def test_a_hand_over_is_taken_back_as_a_whole(make: Make, work, client):
    grid, giver, taker, _person = work
    before = _owners()
    signed = _handed(make, grid, giver, taker)
    assert _owners() != before
    decides = client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="林敏"))
    paper = f"/desk/hand-overs/{signed.public_id}"
    assert f"{paper}/back" in decides.get(paper).text
    assert decides.post(f"{paper}/back", data={"why": ""}).status_code == 422
    assert decides.post(f"{paper}/back", data={"why": "选错了人"}).status_code == 303
    assert _owners() == before
    assert _told()[2:] == [
        ("home.hand_over_taken_back", giver.public_id),
        ("home.hand_over_taken_back", taker.public_id),
    ]
    page = decides.get(paper).text
    assert "已整体收回：林敏" in page
    assert f"{paper}/back" not in page
    again = decides.post(f"{paper}/back", data={"why": "再来一次"})
    assert again.status_code == 422
    assert "已经收回了" in again.text
    takes = client.sign_in(taker)
    assert "请签收" not in takes.get("/desk/").text
    takes.post(paper)
    assert make.read(signed).received_at is None
    history = client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="赵敏")).get("/desk/hand-overs").text
    assert "已收回" in history
    assert "约好的探访 1" in history
    assert "周洁" in history


def _change(table, **values) -> None:
    db.session.execute(sa.update(table).values(**values), execution_options={"synchronize_session": False})


CHANGES = {
    "reassigned": lambda _third: _change(CareSubject, assigned_to="x", worker="x"),
    "another's": lambda _third: _change(Visit, worker="x"),
    "closed": lambda _third: _change(Visit, state=VisitState.DONE),
    "sent on": lambda _third: _change(Referral, owner="x"),
    "settled": lambda _third: _change(Referral, state=ReferralState.DONE),
    "swapped": lambda third: _change(Turn, account_id=third.id),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_what_changed_between_look_and_step_is_not_overwritten(make: Make, work, monkeypatch, changed):
    grid, giver, taker, _person = work
    third = make.worker(Role.GRID_WORKER, grid, name="赵三")
    for side in (visits, duty):
        looked = side.to_pass(giver.public_id, taker.public_id, grid)
        monkeypatch.setattr(side, "to_pass", lambda *_asked, looked=looked: looked)
    with transaction():
        CHANGES[changed](third)
    before, said = _owners(), Signing(giver.public_id, taker.public_id, "岗位调整")
    with transaction():
        with pytest.raises(Refused, match="刚刚有变动"):
            handover.hand_over(grid, said, by=stand.actor(third))
        assert _owners() == before


@pytest.mark.parametrize("changed", CHANGES)
def test_what_changed_before_it_returns_is_not_overwritten(make: Make, work, monkeypatch, changed):
    grid, giver, taker, _person = work
    third = make.worker(Role.GRID_WORKER, grid, name="赵三")
    signed = _handed(make, grid, giver, taker)
    before = _owners()
    looks = (duty, "_fallback_touched") if changed == "swapped" else (visits, "_refuse_touched")
    monkeypatch.setattr(*looks, lambda *_asked: CHANGES[changed](third))
    with pytest.raises(Refused, match="刚刚有变动"):
        _back(make, signed)
    db.session.rollback()
    assert _owners() == before
    assert make.read(signed).taken_back_at is None


def test_who_signs_while_it_is_taken_back_reads_that_it_was(make: Make, work):
    grid, giver, taker, _person = work
    signed = _handed(make, grid, giver, taker)
    with transaction() as session:
        found = session.merge(signed)
        _change(HandOver, taken_back_at=now())
        with pytest.raises(Refused, match="已经收回"):
            handover.receive(found, by=stand.actor(taker))


@pytest.mark.parametrize("gone", ["stopped", "elsewhere"])
def test_nothing_returns_to_who_works_there_no_more(make: Make, work, gone):
    grid, giver, taker, _person = work
    signed = _handed(make, grid, giver, taker)
    other = make.grid(name="第二网格")
    with transaction() as session:
        left = session.merge(giver)
        if gone == "stopped":
            left.disabled_at = now()
        else:
            left.grants[0].scope_ref = other.code
    before = _owners()
    with pytest.raises(Refused, match="王建国已经不在这个网格"):
        _back(make, signed)
    db.session.rollback()
    assert _owners() == before


def test_one_thing_in_the_place_of_another_is_seen(make: Make, work):
    grid, giver, taker, person = work
    other = stand.promised(person, today() + timedelta(days=2))
    shown = handover.preview(grid, giver.public_id, taker.public_id)
    with transaction() as session:
        session.execute(sa.update(Visit).where(Visit.id == other.id).values(state=VisitState.CANCELLED))
    stand.promised(person, today() + timedelta(days=3))
    seen = handover.preview(grid, giver.public_id, taker.public_id)
    assert shown is not None
    assert seen is not None
    assert seen.counts == shown.counts
    assert seen.key != shown.key


def test_who_neither_decides_nor_reaches_the_grid_takes_nothing_back(make: Make, work, client):
    grid, giver, taker, _person = work
    signed = _handed(make, grid, giver, taker)
    paper = f"/desk/hand-overs/{signed.public_id}"
    assert client.sign_in(taker).post(f"{paper}/back", data={"why": "不想接"}).status_code == 403
    elsewhere = client.sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("荷塘社区")))
    assert elsewhere.post(f"{paper}/back", data={"why": "看错了"}).status_code == 404


def _visit(taker, person):
    stand.visited(person, taker)


def _draft(taker, _person):
    with transaction():
        visit = db.session.scalars(sa.select(Visit).where(Visit.kind == VisitKind.PROMISED)).one()
        recording.save_draft(visit, {"note": ["又去了"]}, by=stand.actor(taker))


def _referral(taker, _person):
    with transaction():
        found = db.session.scalars(sa.select(Referral)).one()
        referrals.move(found, referrals.ReferralState.TAKEN, "", by=stand.actor(taker))


def _turn(_taker, _person):
    with transaction():
        shift = db.session.scalars(sa.select(Shift)).one()
        shift.starts_at = now() - timedelta(minutes=1)


def _roster(_taker, _person):
    with transaction():
        roster = db.session.scalars(sa.select(Roster)).one()
        roster.changed_at = now() + timedelta(seconds=1)


@pytest.mark.parametrize("touch", [_visit, _draft, _referral, _turn, _roster])
def test_what_somebody_has_touched_keeps_all_of_it(make: Make, work, touch):
    grid, giver, taker, person = work
    signed = _handed(make, grid, giver, taker)
    touch(taker, person)
    db.session.rollback()
    before = _owners()
    with pytest.raises(Refused, match="不能整体收回"):
        _back(make, signed)
    db.session.rollback()
    assert _owners() == before
    assert make.read(signed).taken_back_at is None


def test_a_plan_made_meanwhile_is_no_touch_and_follows_the_giver(make: Make, work):
    grid, giver, taker, _person = work
    signed = _handed(make, grid, giver, taker)
    stand.planned(make.community())
    _back(make, signed)
    assert _owners()["visits"] == {str((giver.public_id,))}


@pytest.fixture(params=[date(2026, 11, 2), date(2026, 11, 30)], ids=["next one stands", "next one comes later"])
def begun(make: Make, request):
    """A week's visit that the giver had begun to write down passed to somebody; then the week went by."""
    monday = clock.at(request.param, time(9))
    stand.tables_set(make)
    with time_machine.travel(monday, tick=False):
        grid = make.grid()
        giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
        taker = make.worker(Role.GRID_WORKER, grid, name="李接手")
        stand.on_list(stand.alone(make, grid=grid))
        with transaction() as session:
            session.execute(sa.update(CareSubject).values(assigned_to=giver.public_id))
        first = stand.planned(make.community())[0]
        with transaction() as session:
            recording.save_draft(session.merge(first), {"note": ["说膝盖疼"]}, by=stand.actor(giver))
        signed = _handed(make, grid, giver, taker)
    return monday, signed, giver, taker, first


def test_a_draft_that_time_took_to_the_next_visit_is_no_touch(make: Make, begun):
    monday, signed, giver, _taker, _first = begun
    with time_machine.travel(monday + timedelta(days=7), tick=False):
        moved = [visit for visit in stand.planned(make.community()) if visit.draft]
        assert [visit.state for visit in moved] == [VisitState.DRAFT]
        _back(make, signed)
    assert _owners()["visits"] == {str((giver.public_id,))}


def test_what_the_taker_wrote_into_it_meanwhile_is_one(make: Make, begun):
    monday, signed, _giver, taker, first = begun
    with time_machine.travel(monday + timedelta(days=1), tick=False), transaction() as session:
        recording.save_draft(session.merge(first), {"note": ["好些了"]}, by=stand.actor(taker))
    with time_machine.travel(monday + timedelta(days=7), tick=False):
        stand.planned(make.community())
        with pytest.raises(Refused, match="不能整体收回"):
            _back(make, signed)


def test_a_hand_over_of_before_its_things_were_kept_is_not_taken_back(make: Make, work):
    grid, giver, taker, _person = work
    signed = _handed(make, grid, giver, taker)
    with transaction() as session:
        session.execute(sa.update(HandOver).values(passed=sa.null(), counts={"visits": 3}))
    with pytest.raises(Refused, match="没有留下明细"):
        _back(make, signed)
    assert handover.passed_words("visits") == ("探访和转介", "")


def test_the_list_of_hand_overs_asks_the_same_few_questions(make: Make, work, client):
    grid, giver, taker, _person = work
    decides = client.sign_in(make.worker(Role.COMMUNITY_WORKER, name="林敏"))
    _handed(make, grid, giver, taker)
    decides.get("/desk/hand-overs")
    with count_queries() as few:
        decides.get("/desk/hand-overs")
    for turn in range(4):
        make.grid(name=f"第{turn}网格")
        _handed(make, grid, *((taker, giver) if turn % 2 == 0 else (giver, taker)))
    with count_queries() as many:
        decides.get("/desk/hand-overs")
    assert len(many) == len(few)
