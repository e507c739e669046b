"""Who is free and fit for a post: the fairest first, the reasons in words, in few questions."""

from datetime import time, timedelta

import pytest

from portal.core.clock import local, now
from portal.core.db import db
from portal.volunteers.models.codes import InvitationState, SignupState
from portal.volunteers.models.people import FreeTime
from portal.volunteers.models.signups import Invitation
from portal.volunteers.service import finding, roster
from tests.counting import count_queries
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


def found(post, *communities):
    db.session.rollback()
    asked = roster.post_in([post.shift.community_id], post.id)
    return finding.for_posts([asked], [*communities] or [asked.shift.community_id], now())[post.id]


def names(candidates):
    return [one.volunteer.id for one in candidates]


def test_who_gave_fewer_hours_lately_comes_first(helping):
    post = helping.post()
    busy, idle = helping.volunteer(), helping.volunteer()
    helping.signup(helping.post(helping.shift(starts_at=soon(-3), hours=3)), busy, state=SignupState.DONE)
    assert names(found(post)) == [idle.id, busy.id]
    assert any("0 小时" in words for words in found(post)[0].reasons)


def test_hours_of_long_ago_count_no_more(helping):
    post = helping.post()
    one, other = helping.volunteer(), helping.volunteer()
    helping.signup(helping.post(helping.shift(starts_at=soon(-60), hours=6)), one, state=SignupState.DONE)
    assert names(found(post)) == [one.id, other.id]


def test_who_did_not_come_gave_no_hours(helping):
    post = helping.post()
    one = helping.volunteer()
    helping.signup(helping.post(helping.shift(starts_at=soon(-3), hours=3)), one, state=SignupState.NO_SHOW)
    assert any("0 小时" in words for words in found(post)[0].reasons)


def test_who_lives_in_the_community_comes_before_others_of_the_street(make, helping):
    post = helping.post()
    far = helping.volunteer(make.person("外社区的人", community=make.community("荷塘社区")))
    near = helping.volunteer()
    assert names(found(post, post.shift.community_id, far.community_id)) == [near.id, far.id]
    assert names(found(post)) == [near.id]


def test_who_declined_lately_comes_later(make, helping):
    post = helping.post()
    one, other = helping.volunteer(), helping.volunteer()
    facts = {"answer_by": now(), "asked_by_name": "周洁", "ended_at": now()}
    make.add(Invitation(post_id=helping.post().id, volunteer_id=one.id, state=InvitationState.DECLINED, **facts))
    assert names(found(post)) == [other.id, one.id]
    assert "近来谢绝过 1 次" in found(post)[1].reasons


def test_who_stayed_away_often_comes_last_and_the_worker_reads_why(helping):
    post = helping.post()
    missing, other = helping.volunteer(), helping.volunteer()
    for days in (3, 4, 5):
        helping.signup(helping.post(helping.shift(starts_at=soon(-days))), missing, state=SignupState.NO_SHOW)
    assert names(found(post)) == [other.id, missing.id]
    assert found(post)[1].warnings == ("最近 90 天缺席了 3 次",)


def test_who_filled_in_no_hours_at_all_is_to_be_asked(helping):
    post = helping.post()
    helping.volunteer()
    assert "没有填空闲时间，要问一声" in found(post)[0].reasons


def test_who_filled_in_the_hours_as_free_comes_first_and_who_filled_in_others_last(helping):
    shift = helping.shift(starts_at=soon(3).replace(hour=2))
    day = local(shift.starts_at)
    unknown, other, free = helping.volunteer(), helping.volunteer(), helping.volunteer()
    for volunteer, weekday in ((free, day.weekday()), (other, (day.weekday() + 1) % 7)):
        helping.make.add(FreeTime(volunteer_id=volunteer.id, weekday=weekday, opens=time(8), closes=time(18)))
    assert names(found(shift.posts[0])) == [free.id, unknown.id, other.id]
    assert found(shift.posts[0])[2].warnings


def test_a_shift_over_midnight_wants_both_evenings_free(helping):
    shift = helping.shift(starts_at=soon(3).replace(hour=14), hours=4)
    volunteer, weekday = helping.volunteer(), local(shift.starts_at).weekday()
    helping.make.add(FreeTime(volunteer_id=volunteer.id, weekday=weekday, opens=time(20), closes=time(23, 59)))
    assert "这个时间有空" not in found(shift.posts[0])[0].reasons
    following = (weekday + 1) % 7
    helping.make.add(FreeTime(volunteer_id=volunteer.id, weekday=following, opens=time(0), closes=time(8)))
    assert "这个时间有空" in found(shift.posts[0])[0].reasons


def test_who_cannot_is_told_why_and_comes_last(helping):
    skill = helping.skill("急救", needs_proof=True)
    activity = helping.activity(positions=[helping.position("救护", skills=[skill])])
    post = helping.post(helping.shift(activity))
    without, able = helping.volunteer(), helping.volunteer(skills=[skill])
    first, last = found(post)
    assert (first.volunteer.id, first.fits) == (able.id, True)
    assert (last.volunteer.id, last.verdict.code, last.is_soft) == (without.id, "skill", False)
    assert [
        one.volunteer.id
        for one in finding.fit_and_free(
            roster.post_in([post.shift.community_id], post.id), [post.shift.community_id], now()
        )
    ] == [able.id]


def test_too_little_rest_may_be_put_past_with_a_reason(helping):
    shift = helping.shift(hours=2)
    volunteer = helping.volunteer()
    before = helping.shift(starts_at=shift.starts_at - timedelta(hours=2), hours=2)
    helping.signup(helping.post(before), volunteer)
    (one,) = found(shift.posts[0])
    assert (one.verdict.code, one.is_soft, one.fits) == ("rest", True, False)


@pytest.mark.parametrize("count", [2, 30])
def test_however_many_there_are_it_takes_eight_questions(helping, count):
    skill = helping.skill()
    activity = helping.activity(positions=[helping.position(newcomers=50, skills=[skill]), helping.position(needs=3)])
    shift = helping.shift(activity)
    for _turn in range(count):
        volunteer = helping.volunteer(skills=[skill])
        helping.signup(helping.post(helping.shift(starts_at=soon(-5))), volunteer)
    db.session.rollback()
    posts = [roster.post_in([shift.community_id], post.id) for post in shift.posts]
    with count_queries() as asked:
        everybody = finding.for_posts(posts, [shift.community_id], now())
    assert len(everybody[posts[0].id]) == count
    assert len(asked) <= 8, asked
