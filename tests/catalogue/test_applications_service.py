"""Applications: what each step asks, working days, the first receiver, papers, rating; the states as a model."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue.jobs import remind_papers
from portal.catalogue.models.applications import (
    Application,
    ApplicationChannel,
    ApplicationState,
    PaperPicture,
    PaperState,
    Score,
    StepKind,
)
from portal.catalogue.service.applications import asking_again, deciding, filing, looking, receiving
from portal.catalogue.service.applications.filing import Begun, Brought
from portal.core import calendar, clock
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from tests.acting import actor_of
from tests.catalogue import applying
from tests.catalogue.applying import act, read
from tests.make import Make

S = ApplicationState


@pytest.fixture
def stand(make: Make):
    person = make.person()
    return person, make.resident(person), make.worker(name="周洁"), applying.item(make)


def test_a_draft_keeps_what_is_typed_and_begins_once(make, stand):
    person, account, _worker, item = stand
    first = applying.draft(item, person, account)
    act(filing.keep, first, "刚写了一半")
    assert applying.draft(item, person, account).id == first.id
    assert read(first).said == "刚写了一半"
    papers = [(paper.name, paper.state) for paper in read(first).papers]
    assert papers[0] == ("身份信息", PaperState.KNOWN)
    assert papers[1] == ("困难说明", PaperState.TO_BRING)


def test_nothing_said_is_not_submitted_and_a_second_one_beside_is_refused(make, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    with pytest.raises(Refused) as refused:
        act(filing.submit, made, "  ", by=actor_of(account))
    assert refused.value.field == "said"
    act(filing.submit, made, "漏水", by=actor_of(account))
    with pytest.raises(Refused, match="已经有一件在办"):
        applying.draft(item, person, account)
    with pytest.raises(Refused, match="不能再改"):
        act(filing.keep, made, "改")


def test_an_item_of_another_community_is_refused(make, stand):
    _person, _account, _worker, item = stand
    far = make.person("赵远", community=make.community("远山社区"))
    with pytest.raises(Refused, match="不归"):
        applying.draft(item, far, make.resident(far))


def test_an_item_of_the_street_is_open_to_each_of_its_communities(make):
    item = applying.item(make, area=make.street())
    far = make.person("赵远", community=make.community("远山社区"))
    assert applying.draft(item, far, make.resident(far)).state is S.DRAFT


def test_the_counter_needs_a_consent_and_makes_the_worker_responsible(make, stand):
    person, _account, worker, item = stand
    with pytest.raises(Refused) as refused, transaction():
        filing.begin(item, Begun(person, ApplicationChannel.COUNTER, " "), by=actor_of(worker))
    assert refused.value.field == "consent"
    made = applying.filed(item, person, worker, consent="当面同意")
    assert (made.owner, made.doer, made.consent) == (worker.public_id, worker.public_id, "当面同意")


def test_who_takes_it_first_stays_responsible_while_others_help(make, stand):
    person, account, worker, item = stand
    colleague = make.worker(name="何立新")
    made = applying.taken(item, person, account, worker)
    with pytest.raises(Refused, match="周洁已经接手"):
        act(receiving.take, made, by=actor_of(colleague))
    act(receiving.take, made, by=actor_of(worker))
    act(receiving.pass_on, made, colleague.public_id, "请核实住房", by=actor_of(worker))
    assert (read(made).owner, read(made).doer) == (worker.public_id, colleague.public_id)
    act(deciding.accept, made, by=actor_of(colleague))
    stranger = make.worker(name="路人")
    with pytest.raises(Refused, match="周洁首接负责、何立新在办"):
        act(deciding.begin_work, made, "", by=actor_of(stranger))
    with pytest.raises(Refused, match="请选一位"):
        act(receiving.pass_on, made, make.worker(scope=make.community("远山社区")).public_id, "", by=actor_of(worker))


def test_nobody_acts_before_somebody_has_taken_it(make, stand):
    person, account, worker, item = stand
    made = applying.filed(item, person, account)
    with pytest.raises(Refused, match="接手"):
        act(deciding.accept, made, by=actor_of(worker))


def test_who_serves_is_told_of_a_new_one_and_the_applicant_of_each_step(make, stand):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    act(deciding.grant, made, "救助 800 元，已打到卡上", by=actor_of(worker))
    rows = [(row.topic, row.recipient_id) for row in db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))]
    assert rows == [
        ("catalogue.application_came", worker.public_id),
        ("catalogue.application_submitted", person.public_id),
        ("catalogue.application_accepted", person.public_id),
        ("catalogue.application_decided", person.public_id),
    ]


# The Spring Festival of 2026: 15 to 23 February are free, Saturdays 14 and 28 February are worked for it.
@pytest.mark.parametrize(
    ("accepted", "days", "due"),
    [
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 2, 27), 1, date(2026, 2, 28)),
        (date(2026, 2, 27), 2, date(2026, 3, 2)),
    ],
)
def test_a_term_counts_working_days_over_weekends_holidays_and_worked_saturdays(make, stand, accepted, days, due):
    person, account, worker, _item = stand
    with transaction():
        calendar.fill(2026)
    item = applying.item(make, "另一件", limit_days=days)
    moment = datetime.combine(accepted, datetime.min.time().replace(hour=10), clock.SHANGHAI)
    with time_machine.travel(moment, tick=False):
        made = applying.taken(item, person, account, worker)
        act(deciding.accept, made, by=actor_of(worker))
        assert read(made).due_on == due
    with time_machine.travel(datetime.combine(due, datetime.max.time(), clock.SHANGHAI), tick=False):
        assert not read(made).is_late(clock.today())
    with time_machine.travel(clock.day_bounds(due)[1], tick=False):
        assert read(made).is_late(clock.today())


def test_asked_for_once_and_only_once(make, stand):
    person, account, worker, item = stand
    by = actor_of(worker)
    made = applying.taken(item, person, account, worker)
    second = read(made).papers[1].id
    with pytest.raises(Refused):
        act(deciding.ask, made, [second], " ", by=by)
    act(deciding.ask, made, [second], "请补困难说明，写清原因", by=by)
    assert read(made).state is S.ASKED
    assert read(made).papers[1].state is PaperState.ASKED
    with pytest.raises(Refused, match="困难说明"):
        act(filing.complete, made, "", by=actor_of(account))
    with pytest.raises(Refused, match="困难说明"):
        act(filing.complete, made, "已经送到窗口", by=actor_of(account))
    act(filing.add, made, "", Brought(window=[second]), by=actor_of(account))
    assert read(made).papers[1].state is PaperState.WINDOW
    assert read(made).state is S.COMPLETED
    act(deciding.accept, made, by=by)
    act(deciding.begin_work, made, "", by=by)
    with pytest.raises(Refused, match="已经一次告知过了"):
        act(deciding.ask, made, [second], "还要一份", by=by)


def test_who_was_asked_for_papers_is_reminded_once_before_the_last_day(make, stand):
    person, account, worker, item = stand
    told = sa.select(sa.func.count(OutboxRow.id)).where(OutboxRow.topic == "catalogue.application_asked_again")
    with time_machine.travel(applying.MONDAY, tick=False):
        made = applying.taken(item, person, account, worker)
        act(deciding.ask, made, [read(made).papers[1].id], "请补困难说明", by=actor_of(worker))
        remind_papers()
        assert db.session.scalar(told) == 0
    with time_machine.travel(applying.later(days=13), tick=False):
        remind_papers()
        remind_papers()
        assert db.session.scalar(told) == 1
    other = make.person()
    other_account = make.resident(other)
    came = applying.taken(item, other, other_account, worker)
    act(deciding.ask, came, [], "请补困难说明", by=actor_of(worker))
    with time_machine.travel(now() + timedelta(days=20)):
        assert asking_again.due(now()) == [came.id]
        act(filing.complete, came, "已经寄出", by=actor_of(other_account))
        assert not asking_again.remind(came.id, now())


def test_the_term_stands_still_while_papers_are_awaited(make, stand):
    person, account, worker, item = stand
    by = actor_of(worker)
    with time_machine.travel(applying.MONDAY, tick=False):
        made = applying.in_hand(item, person, account, worker)
        assert read(made).due_on == date(2026, 3, 9)
    with time_machine.travel(applying.later(days=2), tick=False):
        act(deciding.ask, made, [], "请补票据", by=by)
        assert (read(made).state, read(made).due_on, read(made).days_left) == (S.PAUSED, None, 3)
    with time_machine.travel(applying.later(days=30), tick=False):
        assert not read(made).is_late(clock.today())
        act(filing.complete, made, "寄来了", by=actor_of(account))
        # 1 April 2026 is a Wednesday: three working days later, the weekend left out.
        assert (read(made).state, read(made).due_on) == (S.IN_HAND, date(2026, 4, 6))


def test_what_is_not_accepted_says_why_and_where_to_go(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    with pytest.raises(Refused) as refused:
        act(deciding.refuse_to_accept, made, "不归社区办", " ", by=actor_of(worker))
    assert refused.value.field == "where_to"
    act(deciding.refuse_to_accept, made, "不归社区办", "街道办事处二楼", by=actor_of(worker))
    assert read(made).state is S.NOT_ACCEPTED
    assert "街道办事处二楼" in (read(made).result or "")


def test_a_refusal_says_why_and_how_to_appeal_and_every_result_has_its_number(make, stand):
    person, account, worker, item = stand
    by = actor_of(worker)
    made = applying.in_hand(item, person, account, worker)
    with pytest.raises(Refused) as refused:
        act(deciding.refuse, made, "收入超过标准", " ", by=by)
    assert refused.value.field == "appeal"
    act(deciding.refuse, made, "收入超过标准", "六十日内向街道申请复核", by=by)
    found = read(made)
    assert (found.state, found.due_on) == (S.REFUSED, None)
    assert found.result_number == f"{make.community().code}-{clock.today().year}-{found.id:05d}"
    act(deciding.close, made, "本人签收", by=by)
    assert read(made).state is S.CLOSED


def test_the_applicant_withdraws_until_it_is_decided(make, stand):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    act(deciding.grant, made, "办成", by=actor_of(worker))
    with pytest.raises(Refused, match="结果已经出来"):
        act(filing.withdraw, made, "", by=actor_of(account))
    other = applying.item(make, "另一件")
    second = applying.filed(other, person, account)
    act(filing.withdraw, second, "不需要了", by=actor_of(account))
    assert read(second).state is S.WITHDRAWN


def test_a_result_is_rated_once(make, stand):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    with pytest.raises(Refused, match="有了结果"):
        act(filing.rate, made, Score.SATISFIED, "")
    act(deciding.grant, made, "办成", by=actor_of(worker))
    with pytest.raises(Refused, match="哪里不满意"):
        act(filing.rate, made, Score.DISSATISFIED, "")
    act(filing.rate, made, Score.DISSATISFIED, "太慢")
    with pytest.raises(Refused, match="评一次"):
        act(filing.rate, made, Score.SATISFIED, "")
    assert (read(made).score, read(made).score_words) == (Score.DISSATISFIED, "太慢")


def test_a_near_relative_of_staff_is_noted_with_the_words(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    with pytest.raises(Refused):
        act(deciding.note_relative, made, " ", by=actor_of(worker))
    act(deciding.note_relative, made, "网格员王建国的母亲", by=actor_of(worker))
    assert read(made).relative_of_staff
    assert [step.kind for step in read(made).steps][-1] is StepKind.RELATIVE


def hang(made: Application, data: bytes, by) -> None:
    with transaction() as session:
        found = session.get_one(Application, made.id)
        filing.add_picture(found.papers[1], data, by=by)
    db.session.rollback()


def test_a_picture_is_sealed_and_every_look_of_who_is_in_charge_is_recorded(make, stand):
    person, account, worker, item = stand
    made = applying.draft(item, person, account)
    other = actor_of(make.worker(name="同事"))
    hang(made, b"picture bytes", actor_of(account))
    act(filing.submit, made, "漏水", by=actor_of(account))
    act(receiving.take, made, by=actor_of(worker))
    raw = db.session.execute(sa.text("SELECT picture FROM application_picture")).scalar_one()
    assert b"picture" not in bytes(raw)
    assert read(made).papers[1].state is PaperState.GIVEN
    with transaction():
        paper = read(made).papers[1]
        number = db.session.scalars(sa.select(PaperPicture.id)).one()
        assert filing.look_at(paper, number, by=actor_of(worker)) == b"picture bytes"
        with pytest.raises(Missing):
            filing.look_at(paper, number, by=other)
    seen = sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == "applications.picture_seen")
    assert db.session.scalar(seen) == 1


def test_pictures_are_added_until_there_is_a_result(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    hang(made, b"x", actor_of(account))
    for _turn in range(filing.PICTURES - 1):
        hang(made, b"x", actor_of(worker))
    with pytest.raises(Refused, match="最多传 6 张"):
        hang(made, b"x", actor_of(worker))
    act(deciding.refuse_to_accept, made, "不归社区办", "街道", by=actor_of(worker))
    with pytest.raises(Refused, match="现在不用再交"):
        hang(made, b"x", actor_of(account))


def test_drafts_are_the_applicants_alone_and_another_scope_sees_nothing(make, stand):
    person, account, worker, item = stand
    made = applying.draft(item, person, account)
    here = actor_of(worker).grants[0].scope
    with pytest.raises(Missing):
        looking.application_in([here], made.public_id)
    act(filing.submit, made, "漏水", by=actor_of(account))
    assert looking.application_in([here], made.public_id).id == made.id
    away = actor_of(make.worker(Role.COMMUNITY_WORKER, make.community("远山社区"))).grants[0].scope
    with pytest.raises(Missing):
        looking.application_in([away], made.public_id)
    assert looking.counts([away])[looking.Tab.NEW] == 0


def test_the_counts_agree_with_the_lists(make, stand):
    person, account, worker, item = stand
    with time_machine.travel(applying.MONDAY, tick=False):
        applying.in_hand(item, person, account, worker)
        other = make.person("李四")
        applying.filed(applying.item(make, "另一件"), other, make.resident(other))
    scope = [actor_of(worker).grants[0].scope]
    for days in (0, 3, 30):
        with time_machine.travel(applying.later(days=days), tick=False):
            counts = looking.counts(scope)
            for tab in looking.Tab:
                assert len(looking.applications_in(scope, tab)) == counts[tab]
            assert counts[looking.Tab.LATE] == {0: 0, 3: 1, 30: 2}[days]
