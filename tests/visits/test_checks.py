"""Not met: the ladder step by step; findings and their referrals; and nothing of another grid."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import clock
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.web import full_day
from portal.identity.permissions import Role
from portal.registry.models import EmergencyContact
from portal.registry.service.rights import looking
from portal.visits.models import (
    Attempt,
    CheckCause,
    CheckState,
    FindingRoute,
    Referral,
    SafetyCheck,
    SafetyStep,
    VisitKind,
    VisitState,
)
from portal.visits.service import checks, listing, planning, wishes
from tests.client import Client
from tests.make import Make
from tests.visits import stand


def test_not_met_opens_the_ladder_and_a_second_failure_is_its_first_step(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    client.sign_in(worker)
    address = f"/desk/visits/{visit.public_id}/record"
    first = client.post(address, data=stand.filled(met="no"))
    check = db.session.scalars(sa.select(SafetyCheck)).one()
    assert first.location.endswith(f"/desk/visits/checks/{check.public_id}")
    assert (check.state, check.taken_by_name) == (CheckState.TAKEN, "王建国")
    client.post(address, data=stand.filled(met="no"))
    check = make.read(check)
    assert [step.done_by_name for step in check.steps] == ["王建国", "", "", "", ""]
    assert db.session.scalar(sa.select(sa.func.count(Attempt.id))) == 2
    assert make.read(visit).state is VisitState.NOT_MET
    assert make.read(stand.subject(person)).last_met_on is None
    client.post(address, data=stand.filled())
    assert make.read(check).state is CheckState.CLOSED
    assert make.read(visit).state is VisitState.DONE


def test_the_second_try_is_due_the_same_day_however_late_the_first_was(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    with time_machine.travel(clock.at(today(), time(22, 13)), tick=False):
        client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
        check = db.session.scalars(sa.select(SafetyCheck)).one()
        again, contact = check.steps[:2]
        assert clock.local(again.due_at) == clock.at(today(), time(23, 59))
        assert clock.local(contact.due_at).date() == today() + timedelta(days=1)


def test_a_step_says_what_it_needs_and_where_a_contact_is_registered(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    check = db.session.scalars(sa.select(SafetyCheck)).one()
    address = f"/desk/visits/checks/{check.public_id}"
    page = client.get(address).text
    assert f'value="{worker.public_id}"' not in page
    assert "没有登记紧急联系人" not in page
    itself = client.post(f"{address}/colleague", data={"colleague": worker.public_id})
    assert itself.status_code == 422
    client.post(f"{address}/step", data={"step": str(check.steps[0].id), "result": "not_reached"})
    page = client.get(address).text
    assert "没有登记紧急联系人" in page
    assert 'name="to_name"' in page
    assert "联系的是谁<span" not in page
    assert f"/desk/people/{person.public_id}/contacts" in client.sign_in(make.worker()).get(address).text


def test_a_check_that_somebody_works_on_is_hers(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    other = make.worker(name="林敏")
    with transaction():
        opened = checks.open_check(db.session.merge(visit), CheckCause.MEAL, now())
    assert opened.state is CheckState.OPEN
    client.sign_in(worker).post(
        f"/desk/visits/checks/{opened.public_id}/colleague", data={"colleague": other.public_id}
    )
    assert make.read(opened).taken_by_name == "王建国"
    assert "还没有人接手" not in client.get(f"/desk/visits/checks/{opened.public_id}").text


def test_a_second_failure_takes_a_check_that_nobody_had(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    with transaction():
        opened = checks.open_check(db.session.merge(visit), CheckCause.MEAL, now())
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    assert make.read(opened).taken_by_name == "王建国"


def test_what_was_found_is_explained_on_the_visit(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    said = stand.filled(findings=["other"], finding_note="煤气灶漏气", urgency="normal")
    answer = client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=said)
    assert answer.status_code == 303
    page = client.get(f"/desk/visits/{visit.public_id}").text
    assert "问题说明" in page
    assert "煤气灶漏气" in page
    referral = db.session.scalars(sa.select(Referral)).one()
    page = client.get(f"/desk/visits/referrals/{referral.public_id}").text
    assert "结果或原因<span" not in page


def test_each_step_has_a_name_and_a_time_and_the_check_ends_with_an_answer(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    make.add(EmergencyContact(person_id=person.id, name="王丽", relation="女儿", phone="13800000099"))
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    check = db.session.scalars(sa.select(SafetyCheck)).one()
    address = f"/desk/visits/checks/{check.public_id}"
    client.post(f"{address}/step", data={"step": str(check.steps[0].id), "result": "not_reached"})
    unnamed = client.post(f"{address}/step", data={"step": str(check.steps[1].id), "result": "reached"})
    assert unnamed.status_code == 422
    assert "请写明联系的是谁" in unnamed.text
    client.post(f"{address}/step", data={"step": str(check.steps[1].id), "result": "reached", "to_name": "王丽"})
    step = make.read(check.steps[1])
    assert (step.to_name, step.done_by_name, step.done_at is not None) == ("王丽", "王建国", True)
    assert client.post(f"{address}/close", data={"outcome": "safe", "how": ""}).status_code == 422
    assert client.post(f"{address}/close", data={"outcome": "hospital", "how": "女儿说住院了"}).status_code == 303
    assert make.read(check).state is CheckState.CLOSED
    assert wishes.is_paused(stand.subject(person), today())


def test_a_colleague_is_told_and_named(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    colleague = make.worker(name="林敏")
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    check = db.session.scalars(sa.select(SafetyCheck)).one()
    address = f"/desk/visits/checks/{check.public_id}/colleague"
    assert client.post(address, data={"colleague": "nobody"}).status_code == 422
    assert client.post(address, data={"colleague": colleague.public_id}).status_code == 303
    assert "林敏" in client.get(f"/desk/visits/checks/{check.public_id}").text


def test_a_late_step_is_shown_to_the_community_and_told_once(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    leader = make.worker()
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    with transaction() as session:
        for step in session.scalars(sa.select(SafetyStep)):
            step.due_at = now() - timedelta(minutes=5)
    with transaction():
        assert checks.tell_late() == 1
    with transaction():
        assert checks.tell_late() == 0
    assert "超时" in client.sign_in(leader).get("/desk/visits/checks").text


def test_two_who_take_a_check_at_once_are_told_of_each_other(make: Make, client: Client):
    stand.tables_set(make)
    person = stand.alone(make)
    one, two = make.worker(name="周洁"), make.worker(name="林敏")
    with transaction():
        visit = planning.promise(listing.subject_of(person), today(), VisitKind.SAFETY)
        check = checks.open_check(visit, CheckCause.MEAL, now())
    client.sign_in(one).post(f"/desk/visits/checks/{check.public_id}/take")
    page = client.sign_in(two).post(f"/desk/visits/checks/{check.public_id}/take", follow_redirects=True).text
    assert "周洁已经接手了" in page


def test_findings_become_referrals_with_a_day_and_a_state(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker)
    address = f"/desk/visits/{visit.public_id}/record"
    without = client.post(address, data=stand.filled(findings=["health"]))
    assert "请选紧急程度" in without.text
    client.post(address, data=stand.filled(findings=["health", "abuse"], urgency="normal", finding_note="血压高"))
    health, abuse = db.session.scalars(sa.select(Referral).order_by(Referral.id))
    assert (health.party, health.due_on) == ("家庭医生、社区卫生服务站", today() + timedelta(days=3))
    assert abuse.due_on == today()
    assert "家庭医生" in client.get("/desk/visits/referrals").text
    page = f"/desk/visits/referrals/{health.public_id}"
    assert "请写明结果" in client.post(page, data={"state": "done"}).text
    assert client.post(page, data={"state": "done", "note": "已换药"}).status_code == 303
    assert "已换药" in client.get(page).text
    later = {"party": "街道卫生院", "due_on": f"{today() + timedelta(days=1)}"}
    assert client.post(f"/desk/visits/referrals/{abuse.public_id}/party", data=later).status_code == 303
    assert make.read(abuse).party == "街道卫生院"
    page = client.get(f"/desk/visits/referrals/{abuse.public_id}").text
    assert f"转给街道卫生院，期限 {full_day(today() + timedelta(days=1))}" in page


def test_a_visit_and_a_referral_keep_no_words_of_one_language(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    with transaction() as session:
        session.execute(sa.delete(FindingRoute))
    client.sign_in(worker).post("/preferences", data={"locale": "en", "next": "/"})
    findings = stand.filled(findings=["health"], urgency="normal", finding_note="血压高")
    assert client.post(f"/desk/visits/{visit.public_id}/record", data=findings).status_code == 303
    (referral,) = db.session.scalars(sa.select(Referral))
    page = f"/desk/visits/referrals/{referral.public_id}"
    client.post(f"{page}/party", data={"party": "街道卫生院", "due_on": f"{today() + timedelta(days=1)}"})
    (move,) = make.read(referral).moves
    assert (make.read(visit).done_as, move.note, move.party) == ("grid_worker", None, "街道卫生院")
    client.post("/preferences", data={"locale": "zh", "next": "/"})
    assert "转给街道卫生院，期限" in client.get(page).text
    assert "王建国（网格员）" in client.get(f"/desk/visits/{visit.public_id}").text


def test_a_referral_to_nobody_named_goes_to_the_community(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    with transaction() as session:
        session.execute(sa.delete(FindingRoute))
    client.sign_in(worker)
    client.post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(findings=["health"], urgency="normal"))
    (referral,) = db.session.scalars(sa.select(Referral))
    assert referral.party == ""
    for page in ("/desk/visits/referrals", f"/desk/visits/referrals/{referral.public_id}"):
        assert "社区" in client.get(page).text
    assert 'value="社区"' in client.get(f"/desk/visits/referrals/{referral.public_id}/party").text


def test_nothing_of_another_grid_opens(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(met="no"))
    extra = stand.promised(person)
    client.post(f"/desk/visits/{extra.public_id}/record", data=stand.filled(findings=["health"], urgency="normal"))
    check = db.session.scalars(sa.select(SafetyCheck)).one()
    referral = db.session.scalars(sa.select(Referral)).one()
    stranger = make.worker(Role.GRID_WORKER, make.grid(name="第九网格"))
    client.sign_in(stranger)
    gets = [
        f"{visit.public_id}", f"{visit.public_id}/record", f"people/{person.public_id}",
        f"people/{person.public_id}/wish", f"people/{person.public_id}/exclusion", f"checks/{check.public_id}",
        f"referrals/{referral.public_id}", f"referrals/{referral.public_id}/party",
    ]  # fmt: skip
    posts = [
        f"{visit.public_id}/record", f"{visit.public_id}/draft", f"begin/{person.public_id}",
        f"call/{person.public_id}", f"checks/{check.public_id}/take", f"checks/{check.public_id}/step",
        f"checks/{check.public_id}/close", f"checks/{check.public_id}/colleague", f"people/{person.public_id}/hint",
    ]  # fmt: skip
    assert {tail: client.get(f"/desk/visits/{tail}").status_code for tail in gets} == dict.fromkeys(gets, 404)
    assert {tail: client.post(f"/desk/visits/{tail}").status_code for tail in posts} == dict.fromkeys(posts, 404)


def test_a_number_is_shown_by_a_post_that_leaves_a_trace(make: Make, client: Client):
    worker, person, _visit = stand.mine(make)
    contact = make.add(EmergencyContact(person_id=person.id, name="王丽", relation="女儿", phone="13800000099"))
    client.sign_in(worker)
    assert str(person.phone) in client.post(f"/desk/visits/call/{person.public_id}").text
    shown = client.post(f"/desk/visits/call/{person.public_id}", data={"contact": contact.id}).text
    assert "13800000099" in shown
    rows = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.revealed").order_by(AuditRow.id))
    assert [row.facts["field"] for row in rows] == ["phone", "emergency_contact"]
    assert any("紧急联系人电话" in look.what for look in looking.looks(person).looks)


@pytest.mark.parametrize("step", ["abc", "-1", "²", "99999999999999999999"])
def test_a_step_that_is_no_number_does_not_exist(make: Make, client: Client, step: str):
    worker, _person, visit = stand.mine(make)
    with transaction():
        check = checks.open_check(db.session.merge(visit), CheckCause.NOT_MET, now())
    form = {"step": step, "result": "not_reached"}
    assert client.sign_in(worker).post(f"/desk/visits/checks/{check.public_id}/step", data=form).status_code == 404
