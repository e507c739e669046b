"""Handling: only whoever has it; pauses, help, one extension decided by another, answers, duplicates, call-backs."""

from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseCallBack, CaseHelp, CaseStep
from portal.casework.models.codes import (
    CallBackWay,
    CaseState,
    Colour,
    Deed,
    Extension,
    LinkKind,
    Satisfaction,
    Urgency,
)
from portal.casework.service import answers, calling, handling, linking, supervising
from portal.core import clock, settings
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.core.working import WorkingTime
from portal.identity.permissions import Role
from tests.casework.desk import actor, case, holidays

S = CaseState


def read(one):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, one.id)


def topics():
    return sorted(db.session.scalars(sa.select(OutboxRow.topic)))


@pytest.fixture
def me(make):
    return make.worker(name="周洁")


@pytest.mark.parametrize("act", [handling.sign, handling.begin, handling.resume])
def test_only_whoever_has_it_may_go_on(make, me, act):
    found = case(make, S.ASSIGNED, holder=me)
    with pytest.raises(Refused, match="周洁"):
        act(found, by=actor(make.worker(name="别人")))


def test_the_first_contact_counts_and_later_ones_do_not_move_it(make, me):
    found = case(make, S.SIGNED, holder=me)
    with transaction():
        handling.contact(found, "电话说明了情况", by=actor(me))
    first = read(found).contacted_at
    with transaction():
        handling.contact(found, "又打了一次", by=actor(me))
    assert read(found).contacted_at == first


def test_a_pause_asks_a_reason_and_resuming_moves_the_end(make, me, monkeypatch):
    holidays()
    begun = clock.at(date(2026, 3, 4), time(9))
    found = case(make, S.WORKING, holder=me, at=begun, finish_due=clock.at(date(2026, 3, 9), time(17, 30)))
    with pytest.raises(Refused, match="暂缓"):
        handling.pause(found, "", by=actor(me))
    for moment, act in ((time(8, 30), "pause"), (time(17, 30), "resume")):
        at = clock.at(date(2026, 3, 5), moment)
        monkeypatch.setattr("portal.casework.service.moves.now", lambda at=at: at)
        with transaction():
            found = db.session.get_one(Case, found.id)
            handling.pause(found, "等配件", by=actor(me)) if act == "pause" else handling.resume(found, by=actor(me))
    assert read(found).finish_due == clock.at(date(2026, 3, 10), time(17, 30))


def test_help_is_asked_and_given_and_the_first_responsible_stays(make, me):
    helper = make.worker(name="王建国")
    found = case(make, S.WORKING, holder=me)
    with transaction():
        asked = handling.ask_help(found, helper.public_id, "", "去看看管道", by=actor(me))
    assert "casework.help_asked" in topics()
    with transaction():
        handling.give_help(read(found), asked.id, "管道老化，已联系物业", by=actor(helper))
    found = read(found)
    assert (found.holder, found.helps[0].given_at is not None) == (me.public_id, True)
    with pytest.raises(Refused, match="已经回复"):
        handling.give_help(found, asked.id, "再写一次", by=actor(helper))


def test_nobody_else_answers_for_a_helper(make, me):
    found = case(make, S.WORKING, holder=me)
    with transaction():
        asked = handling.ask_help(found, "", "物业公司", "换灯", by=actor(me))
    with pytest.raises(Missing):
        handling.give_help(read(found), asked.id, "换好了", by=actor(make.worker(name="别人")))
    with transaction():
        handling.give_help(read(found), asked.id, "物业说换好了", by=actor(me))
    assert db.session.scalars(sa.select(CaseHelp.answer)).all() == ["物业说换好了"]


def extension(make, me, **more):
    holidays()
    due = WorkingTime(today()).until(now(), 3)
    found = case(make, S.WORKING, holder=me, **({"finish_due": due} | more))
    return found, WorkingTime(today()).last_day(clock.local(found.finish_due).date(), 1)


def test_an_extension_is_asked_once_and_decided_by_another(make, me):
    found, until = extension(make, me)
    boss = make.worker(name="何立新")
    with transaction():
        handling.ask_extension(found, until, "等配件", by=actor(me))
    assert "casework.extension_asked" in topics()
    with pytest.raises(Refused, match="只能申请一次"):
        handling.ask_extension(found, until, "再等等", by=actor(me))
    with pytest.raises(Refused, match="自己申请"):
        supervising.decide_extension(found, grant=True, why="", by=actor(me))
    with transaction():
        supervising.decide_extension(read(found), grant=True, why="", by=actor(boss))
    found = read(found)
    assert found.extension is Extension.GRANTED
    assert clock.local(found.finish_due).date() == until
    assert "casework.extended" in topics()


def test_a_refused_extension_says_why_and_leaves_the_end(make, me):
    found, until = extension(make, me)
    was = found.finish_due
    with transaction():
        handling.ask_extension(found, until, "等配件", by=actor(me))
    with pytest.raises(Refused, match="不同意"):
        supervising.decide_extension(found, grant=False, why=" ", by=actor(make.worker(name="何立新")))
    with transaction():
        supervising.decide_extension(read(found), grant=False, why="不需要", by=actor(make.worker(name="何立新")))
    assert (read(found).extension, read(found).finish_due) == (Extension.REFUSED, was)


def test_an_extension_after_the_end_is_refused(make, me):
    found, until = extension(make, me, finish_due=now() - timedelta(minutes=1))
    with pytest.raises(Refused, match="已经到期"):
        handling.ask_extension(found, until, "等配件", by=actor(me))


def test_an_extension_is_neither_shorter_nor_longer_than_the_limits_let_it(make, me):
    found, until = extension(make, me)
    with pytest.raises(Refused, match="晚于"):
        handling.ask_extension(found, clock.local(found.finish_due).date(), "等", by=actor(me))
    with pytest.raises(Refused, match="最多延到"):
        handling.ask_extension(found, until + timedelta(days=40), "等", by=actor(me))
    with pytest.raises(Refused, match="为什么"):
        handling.ask_extension(found, until, "", by=actor(me))


def test_escalating_names_the_party_and_tells_the_street(make, me):
    boss = make.worker(Role.STREET_ADMINISTRATOR)
    found = case(make, S.WORKING, holder=me)
    with transaction():
        handling.escalate(found, "春晖街道办事处", "社区没有执法权", by=actor(me))
    found = read(found)
    assert (found.party, found.holder, found.escalated_at is not None) == ("春晖街道办事处", me.public_id, True)
    told = db.session.scalars(sa.select(OutboxRow.recipient_id).where(OutboxRow.topic == "casework.escalated")).all()
    assert told == [boss.public_id]


def test_answering_ends_the_work_and_starts_the_call_back(make, me):
    found = case(make, S.SIGNED, holder=me)
    with pytest.raises(Refused, match="写清楚"):
        answers.answer(found, "好了", (), by=actor(me))
    with transaction():
        answers.answer(found, "路灯已经修好，今晚会亮。", (), by=actor(me))
    found = read(found)
    assert (found.state, found.answer) == (S.ANSWERED, "路灯已经修好，今晚会亮。")
    assert found.callback_due is not None
    assert found.contacted_at is not None


def test_a_question_can_be_answered_at_once_by_whoever_is_at_the_desk(make, me):
    found = case(make, S.SUBMITTED)
    with transaction():
        answers.answer(found, "居委会周六上午有人值班。", (), by=actor(me))
    assert (read(found).state, read(found).first_holder) == (S.ANSWERED, me.public_id)


def test_somebody_elses_is_not_answered(make, me):
    found = case(make, S.WORKING, holder=make.worker(name="别人"))
    with pytest.raises(Refused, match="别人"):
        answers.answer(found, "路灯已经修好。", (), by=actor(me))


def test_duplicates_are_linked_both_ways_and_answered_together_when_asked(make, me):
    main, twin, other = case(make, S.WORKING, holder=me), case(make), case(make)
    with transaction():
        linking.link(main, twin, LinkKind.DUPLICATE, by=actor(me))
        linking.link(main, other, LinkKind.RELATED, by=actor(me))
    assert {one.id for _kind, one in linking.linked(twin)} == {main.id}
    assert [one.id for one in linking.answerable(main)] == [twin.id]
    with transaction():
        assert answers.answer(read(main), "路灯已经修好。", [twin.public_id], by=actor(me)) == 2
    assert (read(twin).state, read(other).state) == (S.ANSWERED, S.ACCEPTED)


def test_a_link_is_made_once_and_not_with_itself(make, me):
    main, twin = case(make), case(make)
    with transaction():
        linking.link(main, twin, LinkKind.DUPLICATE, by=actor(me))
    with pytest.raises(Refused, match="已经关联"):
        linking.link(twin, main, LinkKind.DUPLICATE, by=actor(me))
    with pytest.raises(Refused, match="自己"):
        linking.link(main, main, LinkKind.DUPLICATE, by=actor(me))


def test_a_merged_duplicate_ends_and_its_reporter_follows_the_main_one(make, me):
    main, twin = case(make), case(make)
    with transaction():
        linking.merge(twin, main, "同一盏灯", by=actor(me))
    assert (read(twin).state, read(twin).main_id) == (S.MERGED, main.id)
    with pytest.raises(Refused, match="已经结束"):
        linking.merge(read(main), read(twin), "反过来", by=actor(me))


@pytest.mark.parametrize(
    ("moment", "colour"),
    [
        (clock.at(date(2026, 3, 5), time(23)), Colour.NONE),
        (clock.at(date(2026, 3, 6), time(0)), Colour.YELLOW),
        (clock.at(date(2026, 3, 9), time(17, 30)), Colour.YELLOW),
        (clock.at(date(2026, 3, 9), time(17, 31)), Colour.RED),
    ],
)
def test_yellow_is_the_working_day_before_the_end_and_red_after_it(make, me, moment: datetime, colour: Colour):
    holidays()
    found = case(make, S.WORKING, holder=me, finish_due=clock.at(date(2026, 3, 9), time(17, 30)))
    assert supervising.colour_of(found, moment, WorkingTime(date(2026, 1, 1))) is colour


def test_what_stands_still_or_is_answered_has_no_colour(make, me):
    past = now() - timedelta(days=1)
    times = WorkingTime(today() - timedelta(days=60))
    for state in (S.PAUSED, S.ANSWERED, S.CLOSED):
        assert supervising.colour_of(case(make, state, holder=me, finish_due=past), now(), times) is Colour.NONE


def test_an_urgent_one_is_yellow_some_hours_before(make, me):
    times = WorkingTime(today() - timedelta(days=60))
    soon = case(make, S.WORKING, holder=me, urgency=Urgency.URGENT, finish_due=now() + timedelta(hours=5))
    later = case(make, S.WORKING, holder=me, urgency=Urgency.URGENT, finish_due=now() + timedelta(hours=20))
    assert supervising.colour_of(soon, now(), times) is Colour.YELLOW
    assert supervising.colour_of(later, now(), times) is Colour.NONE


def test_the_job_raises_each_once_and_tells(make, me):
    late = case(make, S.WORKING, holder=me, finish_due=now() - timedelta(hours=1))
    case(make, S.WORKING, holder=me, finish_due=now() + timedelta(days=30))
    with transaction():
        assert supervising.colour() == 1
    assert read(late).colour is Colour.RED
    assert topics().count("casework.supervised") == 1
    with transaction():
        assert supervising.colour() == 0


def test_pressing_by_hand_asks_a_reason_and_tells_the_holder(make, me):
    found, boss = case(make, S.WORKING, holder=me), make.worker(name="何立新")
    with pytest.raises(Refused, match="为什么督办"):
        supervising.press(found, Colour.RED, "", by=actor(boss))
    with transaction():
        supervising.press(found, Colour.RED, "居民反映强烈", by=actor(boss))
    assert read(found).colour is Colour.RED
    assert topics() == ["casework.supervised"]


def test_a_call_back_by_telephone_closes_or_begins_again(make, me):
    good, bad = case(make, S.ANSWERED, holder=me), case(make, S.ANSWERED, holder=me)
    with transaction():
        calling.record(good, solved=True, satisfaction=Satisfaction.GOOD, way=CallBackWay.PHONE, words="", by=actor(me))
        calling.record(bad, solved=False, satisfaction=None, way=CallBackWay.VISIT, words="还是黑", by=actor(me))
    assert (read(good).state, read(bad).state, read(bad).redos) == (S.CLOSED, S.REDO, 1)
    assert len(db.session.scalars(sa.select(CaseCallBack)).all()) == 2


def test_a_call_back_says_whether_she_is_satisfied(make, me):
    found = case(make, S.ANSWERED, holder=me)
    with pytest.raises(Refused, match="满意"):
        calling.record(found, solved=True, satisfaction=None, way=CallBackWay.PHONE, words="", by=actor(me))
    with pytest.raises(Refused, match="电话或上门"):
        calling.record(found, solved=True, satisfaction=Satisfaction.GOOD, way=CallBackWay.LINK, words="", by=actor(me))


def test_who_is_not_reached_on_three_days_can_be_closed(make, me, monkeypatch):
    found = case(make, S.ANSWERED, holder=me, answered_at=now() - timedelta(days=9))
    for back in (3, 2, 2):
        moment = now() - timedelta(days=back)
        monkeypatch.setattr("portal.casework.service.moves.now", lambda moment=moment: moment)
        with transaction():
            calling.tried(db.session.get_one(Case, found.id), "没人接", by=actor(me))
    with pytest.raises(Refused, match="现在试过 2 天"):
        calling.unreachable(read(found), "打了三次", by=actor(me))
    monkeypatch.undo()
    with transaction():
        calling.tried(db.session.get_one(Case, found.id), "没人接", by=actor(me))
        calling.unreachable(db.session.get_one(Case, found.id), "打了三天都没人接", by=actor(me))
    found = read(found)
    assert (found.state, found.called_back_at, found.solved) == (S.CLOSED, None, None)


def test_a_strangers_number_is_shown_once_with_a_trace(make, me):
    found = case(make, S.ANSWERED, holder=me, reporter_id=None, reporter_name="路人", reporter_phone="13800000099")
    with transaction():
        assert calling.number_of(found, by=actor(me)) == "13800000099"
    trace = sa.text("SELECT count(*) FROM audit_row WHERE action = 'cases.phone_revealed'")
    assert db.session.execute(trace).scalar() == 1


def test_every_step_says_who_did_it(make, me):
    found = case(make, S.ASSIGNED, holder=me)
    with transaction():
        handling.sign(found, by=actor(me))
        handling.begin(found, by=actor(me))
        handling.note(found, "联系了物业", shown=False, by=actor(me))
    steps = db.session.scalars(sa.select(CaseStep).order_by(CaseStep.id)).all()
    assert [(step.deed, step.by_name) for step in steps] == [
        (Deed.MOVED, "周洁"),
        (Deed.MOVED, "周洁"),
        (Deed.NOTED, "周洁"),
    ]
    assert (steps[2].inside, steps[2].words) == ("联系了物业", None)


def test_how_many_days_she_is_tried_is_the_streets_to_set(make):
    me = make.worker()
    found = case(make, S.ANSWERED, holder=me, answered_at=now() - timedelta(days=3))
    with transaction():
        settings.put(calling.TRIES, 1, valid_from=today(), by="何立新")
    with transaction():
        calling.tried(db.session.get_one(Case, found.id), "没人接", by=actor(me))
        calling.unreachable(db.session.get_one(Case, found.id), "打了一天都没人接", by=actor(me))
    assert read(found).state is S.CLOSED
