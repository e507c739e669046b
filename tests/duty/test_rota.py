"""The rota: shifts, required hours, who answers, copying a week, and the doors."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask_babel import force_locale

from portal.core import web
from portal.core.access import Scope
from portal.core.clock import SHANGHAI, at, now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.duty.models import Shift, ShiftRole, Swap, Turn
from portal.duty.service import answering, cover, doors, people, rota, swaps, words
from portal.duty.service.rota import ShiftFacts
from portal.duty.service.swaps import SwapState
from portal.identity.permissions import Role
from portal.notifications import wording
from tests.acting import actor_of

MONDAY = date(2026, 11, 30)
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def _on_a_monday_at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def _shift(
    make, *accounts, day=MONDAY, opens=time(8, 30), closes=time(17, 30), role=ShiftRole.COUNTER, **more
) -> Shift:
    facts = ShiftFacts("服务大厅", role, day, opens, closes, people=accounts, **more)
    with transaction():
        return rota.add_shift(make.community(), facts)


def _gaps(make) -> list[tuple[str, str]]:
    return [
        (f"{g.starts.astimezone(SHANGHAI):%d %H:%M}", f"{g.ends.astimezone(SHANGHAI):%d %H:%M}")
        for g in cover.gaps([make.community()])
    ]


def _needs(make, text: str) -> None:
    with transaction():
        cover.set_required(make.community(), text)


def test_a_night_shift_ends_on_the_next_day(make):
    shift = _shift(make, make.worker(), opens=time(17, 30), closes=time(8, 30))
    assert (shift.starts_at, shift.ends_at) == (at(MONDAY, time(17, 30)), at(MONDAY + timedelta(1), time(8, 30)))


def test_nobody_is_on_two_shifts_at_once(make):
    worker = make.worker()
    _shift(make, worker)
    with pytest.raises(Refused, match="已经排了班") as refused:
        _shift(make, worker, opens=time(17, 0), closes=time(20), role=ShiftRole.PATROL)
    assert refused.value.field == "people"
    _shift(make, worker, opens=time(17, 30), closes=time(20), role=ShiftRole.PATROL)


def test_a_shift_of_a_past_day_is_refused(make):
    with pytest.raises(Refused, match="已经过去"):
        _shift(make, make.worker(), day=MONDAY - timedelta(1))


def test_the_same_shift_twice_is_refused(make):
    _shift(make)
    with pytest.raises(Refused, match="已经有同样的班次"):
        _shift(make, make.worker())


def test_an_uncovered_hour_is_noticed_two_weeks_ahead_and_a_covered_one_is_not(make):
    _needs(make, "周一 8:30-17:30")
    assert _gaps(make) == [("30 12:00", "30 17:30"), ("07 08:30", "07 17:30"), ("14 08:30", "14 12:00")]
    _shift(make, make.worker())
    _shift(make, make.worker(), day=MONDAY + timedelta(7), opens=time(8, 30), closes=time(12))
    assert _gaps(make) == [("07 12:00", "07 17:30"), ("14 08:30", "14 12:00")]


def test_a_shift_without_people_covers_nothing(make):
    _needs(make, "周一 12:00-14:00")
    _shift(make)
    assert _gaps(make)[0] == ("30 12:00", "30 14:00")


def test_a_closed_account_covers_nothing(make):
    _needs(make, "周一 12:00-14:00")
    worker = make.worker()
    _shift(make, worker)
    with transaction():
        make_closed = db.session.merge(worker)
        make_closed.disabled_at = now()
    assert _gaps(make)[0] == ("30 12:00", "30 14:00")


def test_round_the_clock_is_one_gap_and_a_night_shift_covers_across_midnight(make):
    _needs(make, "每天 全天")
    assert _gaps(make) == [("30 12:00", "14 12:00")]
    _shift(make, make.worker(), opens=time(20), closes=time(8), role=ShiftRole.NIGHT)
    assert _gaps(make)[:2] == [("30 12:00", "30 20:00"), ("01 08:00", "14 12:00")]


def test_who_is_on_duty_answers_with_a_telephone_and_otherwise_who_stands_in(make):
    worker, other, community = make.worker(name="周洁"), make.worker(name="林敏"), make.community()
    with transaction():
        cover.set_fallback(community, other, "13800001111")
    assert [(one.name, one.phone, one.stands_in) for one in answering.on_duty(community, now())] == [
        ("林敏", "13800001111", True)
    ]
    _shift(make, worker, phone="0571-88880000")
    assert [(one.name, one.phone, one.stands_in) for one in answering.on_duty(community, now())] == [
        ("周洁", "0571-88880000", False)
    ]
    with transaction():
        answering.set_phone(worker, "13900002222")
    assert answering.on_duty(make.grid(), now())[0].phone == "13900002222"


def test_a_shift_answers_from_its_first_moment_and_not_at_its_last(make):
    worker, community = make.worker(), make.community()
    _shift(make, worker)
    moments = [
        at(MONDAY, time(8, 29, 59)),
        at(MONDAY, time(8, 30)),
        at(MONDAY, time(17, 29, 59)),
        at(MONDAY, time(17, 30)),
    ]
    assert [len(answering.on_duty(community, moment)) for moment in moments] == [0, 1, 1, 0]


def test_the_telephone_still_rings_when_who_stands_in_has_left(make):
    worker, community = make.worker(), make.community()
    with transaction():
        cover.set_fallback(community, worker, "13800001111")
        db.session.merge(worker).disabled_at = now()
    assert [(one.name, one.phone) for one in answering.on_duty(community, now())] == [("", "13800001111")]


def test_a_week_is_copied_without_what_stands_and_without_who_left(make):
    stays, leaves, community = make.worker(name="周洁"), make.worker(name="林敏"), make.community()
    _shift(make, stays, leaves, day=MONDAY + timedelta(1))
    _shift(make, stays, day=MONDAY + timedelta(2))
    with transaction():
        db.session.merge(leaves).disabled_at = now()
    with transaction():
        result = rota.copy_week(community, MONDAY + rota.WEEK, people.desk_of(community))
    assert (result.made, result.stood, result.left_out) == (2, 0, ["林敏"])
    with transaction():
        again = rota.copy_week(community, MONDAY + rota.WEEK, people.desk_of(community))
    assert (again.made, again.stood) == (0, 2)
    copied = rota.week(community, MONDAY + rota.WEEK)
    assert [[turn.account.name for turn in shift.turns] for shift in copied] == [["周洁"], ["周洁"]]


def test_the_desk_of_a_community_is_its_own_its_grids_and_its_streets(make):
    make.worker(name="外社区", scope=make.community("荷塘社区"))
    make.worker(Role.GRID_WORKER, name="网格员")
    make.worker(Role.STREET_ADMINISTRATOR, name="街道")
    make.worker(name="社工")
    make.worker(Role.AUDITOR, name="审计")
    assert {account.name for account in people.desk_of(make.community())} == {"网格员", "街道", "社工"}


def _swap(make, back_day: date | None = None) -> tuple[Swap, Turn, Turn | None]:
    """周洁 asks 林敏 to take Tuesday, perhaps for one of hers."""
    asker, taker = make.worker(name="周洁"), make.worker(name="林敏")
    turn = _shift(make, asker, day=MONDAY + timedelta(1)).turns[0]
    back = _shift(make, taker, day=back_day).turns[0] if back_day else None
    with transaction():
        mine = swaps.turn_of(actor_of(asker), turn.id)
        swap = swaps.ask(mine, taker=taker.public_id, back=back.id if back else None, reason="看病", by=actor_of(asker))
    return swap, turn, back


def _actors(swap: Swap):
    return actor_of(swap.asker), actor_of(swap.taker)


def _agree(swap: Swap, by) -> None:
    with transaction():
        swaps.agree(swaps.swap_of(by, swap.id), by)


def test_a_swap_needs_both_and_then_the_turns_change_hands(make):
    swap, turn, back = _swap(make, MONDAY + timedelta(2))
    asker, taker = _actors(make.read(swap))
    assert [line.words for line in doors.todo_of(taker) if "换班" in line.words]
    with pytest.raises(Missing):
        _agree(swap, asker)
    assert make.read(turn).account_id == asker.account_id
    _agree(swap, taker)
    assert (make.read(turn).account_id, make.read(back).account_id) == (taker.account_id, asker.account_id)
    with pytest.raises(Refused, match="已经有了结果"):
        _agree(swap, taker)


def test_a_swap_that_makes_a_long_day_warns_both(make):
    swap, turn, _back = _swap(make)
    asker, taker = _actors(make.read(swap))
    turn = make.read(turn)
    ends = turn.shift.ends_at.astimezone(SHANGHAI)
    with transaction():
        late = ShiftFacts(
            "服务大厅", ShiftRole.NIGHT, ends.date(), ends.time(), time(23), people=[make.read(swap).taker]
        )
        rota.add_shift(make.community(), late)
    with transaction():
        tired = swaps.agree(swaps.swap_of(taker, swap.id), taker)
        words_ = swaps.tired_words(tired)
    assert tired == [taker.name]
    assert "连续值班超过 12 小时" in words_
    told = db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id.desc()).limit(1)).one()
    assert told.recipient_id == asker.public_id
    assert told.facts["tired"] == [taker.name]


def test_a_shift_with_nobody_covers_nothing(make):
    _needs(make, "每天 9:00-12:00")
    before = _gaps(make)
    _shift(make, day=MONDAY + timedelta(1), opens=time(9), closes=time(12))
    assert _gaps(make) == before
    _shift(make, make.worker(), day=MONDAY + timedelta(1), opens=time(9), closes=time(12), role=ShiftRole.NIGHT)
    assert _gaps(make) == before[1:]


def test_a_stranger_to_a_swap_cannot_answer_it(make):
    swap, turn, _back = _swap(make)
    with pytest.raises(Missing):
        _agree(swap, actor_of(make.worker(name="别人")))
    assert make.read(turn).account.name == "周洁"


def test_a_taker_who_is_busy_by_then_cannot_take(make):
    swap, turn, _back = _swap(make)
    _asker, taker = _actors(make.read(swap))
    _shift(make, swap.taker, day=MONDAY + timedelta(1), role=ShiftRole.PATROL)
    with pytest.raises(Refused, match="已经排了班"):
        _agree(swap, taker)
    assert make.read(turn).account.name == "周洁"


def test_a_turn_that_was_given_away_meanwhile_cannot_be_swapped(make):
    swap, turn, _back = _swap(make)
    _asker, taker = _actors(make.read(swap))
    other = make.worker(name="第三人")
    with transaction():
        db.session.get_one(Turn, turn.id).account_id = other.id
    with pytest.raises(Refused, match="变动"):
        _agree(swap, taker)


def test_a_shift_that_has_begun_is_swapped_no_more(make):
    swap, _turn, _back = _swap(make)
    _asker, taker = _actors(make.read(swap))
    with time_machine.travel(NOON + timedelta(days=1), tick=False), pytest.raises(Refused, match="已经开始"):
        _agree(swap, taker)


def test_dropping_a_shift_ends_what_was_asked_about_it(make):
    swap, turn, _back = _swap(make)
    with transaction():
        rota.drop_shift(rota.shift_in((Scope("community", make.community().code),), turn.shift_id))
    assert make.read(swap).state is SwapState.WITHDRAWN
    assert swap.turn is None


def test_a_shift_of_another_community_does_not_exist(make):
    shift = _shift(make, make.worker())
    with pytest.raises(Missing):
        rota.shift_in((Scope("community", make.community("荷塘社区").code),), shift.id)


def test_the_desk_is_told_of_uncovered_hours_and_of_nobody_standing_in(make):
    _needs(make, "周一 8:30-17:30")
    lines = doors.todo_of(actor_of(make.worker()))
    assert [line.count for line in lines if "没人值班" in line.words] == [3]
    assert any("兜底" in line.words for line in lines)
    assert doors.todo_of(actor_of(make.worker(Role.GRID_WORKER))) == []


def test_handing_over_passes_what_is_to_come_and_leaves_what_was(make):
    giver, taker = make.worker(name="周洁"), make.worker(name="林敏")
    past = _shift(make, giver, opens=time(8), closes=time(11))
    coming, clash = _shift(make, giver, day=MONDAY + timedelta(1)), _shift(make, giver, day=MONDAY + timedelta(2))
    _shift(make, taker, day=MONDAY + timedelta(2), role=ShiftRole.PATROL)
    with transaction():
        cover.set_fallback(make.community(), giver, "13800001111")
    with transaction():
        assert len(doors.hand_over(giver.public_id, taker.public_id, make.grid())) == 2
    names = [make.read(shift).turns[0].account.name for shift in (past, coming, clash)]
    assert names == ["周洁", "林敏", "周洁"]
    assert cover.fallback_of(make.community()).account.name == "林敏"


def test_a_turn_of_another_community_or_of_who_may_not_take_it_stays(make):
    giver, taker = make.worker(name="周洁"), make.worker(name="林敏")
    stranger = make.worker(scope=make.community("荷塘社区"), name="陈远")
    shift = _shift(make, giver)
    there = make.grid(make.community("荷塘社区"))
    with transaction():
        assert doors.hand_over(giver.public_id, taker.public_id, there) == []
        assert doors.hand_over(giver.public_id, stranger.public_id, make.grid()) == []
    assert [turn.account.name for turn in make.read(shift).turns] == ["周洁"]


def test_a_shift_early_on_monday_leads_to_its_own_week(make):
    worker = make.worker()
    _shift(make, worker, day=MONDAY + timedelta(7), opens=time(7), closes=time(9))
    with time_machine.travel(NOON + timedelta(6), tick=False):
        (line,) = [todo for todo in doors.todo_of(actor_of(worker)) if "您值班" in todo.words]
    assert line.values == {"week": "2026-12-07"}


def test_of_two_of_one_name_the_free_one_is_copied(make):
    busy, free = make.worker(name="王伟"), make.worker(name="王伟")
    _shift(make, busy, free, day=MONDAY)
    _shift(make, busy, day=MONDAY + timedelta(7), role=ShiftRole.PATROL)
    with transaction():
        rota.copy_week(make.community(), MONDAY + timedelta(7), people.desk_of(make.community()))
    (copy,) = [one for one in rota.week(make.community(), MONDAY + timedelta(7)) if one.role is ShiftRole.COUNTER]
    assert [turn.account_id for turn in copy.turns] == [free.id]


def test_old_rotas_are_forgotten_and_newer_ones_stay(make):
    _shift(make, make.worker())
    with transaction():
        assert doors.purge(MONDAY) == 0
        assert doors.purge(MONDAY + timedelta(1)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Turn)) == 0


def test_a_swap_and_a_plan_are_told_to_who_is_concerned_in_words(make):
    swap, _turn, _back = _swap(make)
    _asker, taker = _actors(make.read(swap))
    _agree(swap, taker)
    told = list(db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id)))
    assert [(row.topic, row.recipient_id) for row in told] == [
        ("duty.assigned", swap.asker.public_id),
        ("duty.swap_asked", swap.taker.public_id),
        ("duty.swap_agreed", swap.asker.public_id),
    ]
    lines = [wording.words_for(row.topic, row.facts).line for row in told]
    assert ["排了一个班" in lines[0], "看病" in lines[1], "同意换班" in lines[2]] == [True, True, True]


def test_a_copied_week_is_told_with_its_day_in_words(make):
    _shift(make, make.worker(name="周洁"), day=MONDAY + timedelta(1))
    with transaction():
        rota.copy_week(make.community(), MONDAY + rota.WEEK, people.desk_of(make.community()))
    row = db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id.desc())).first()
    monday = MONDAY + rota.WEEK
    assert f"{monday:%-m月%-d日} 周一 这一周您有 1 个班" in wording.words_for(row.topic, row.facts).line


def test_who_is_left_off_a_dropped_shift_is_told(make):
    shift = _shift(make, make.worker(), day=MONDAY + timedelta(1))
    with transaction():
        rota.drop_shift(rota.shift_in((Scope("community", make.community().code),), shift.id))
    row = db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id.desc())).first()
    assert "不用来了" in wording.words_for(row.topic, row.facts).line


@contextmanager
def in_english(app):
    """As somebody reads it who has chosen English."""
    with app.test_request_context(), force_locale("en"):
        before = web.current_view()
        web.show_as(replace(before, locale="en"))
        yield
        web.show_as(before)


def test_a_swap_and_its_notices_are_said_in_the_language_of_who_reads(app, make):
    swap, _turn, _back = _swap(make, MONDAY + timedelta(2))
    with transaction():
        rota.drop_shift(swap.turn.shift)
    for topic in ("duty.assigned", "duty.swap_asked", "duty.cancelled"):
        row = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)).first()
        with in_english(app):
            read = wording.words_for(row.topic, row.facts).body
        assert "窗口接待" not in read
        assert "12月" not in read
        assert "12月1日 周二 08:30-17:30 服务大厅 窗口接待" in wording.words_for(row.topic, row.facts).body
    (kept,) = swaps.mine(actor_of(swap.asker))
    with in_english(app):
        assert "窗口接待" not in words.told(kept.subject)
    assert words.told(kept.subject) == (
        "12月1日 周二 08:30-17:30 服务大厅 窗口接待 换 12月2日 周三 08:30-17:30 服务大厅 窗口接待"
    )
