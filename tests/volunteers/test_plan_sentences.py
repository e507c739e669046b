"""What a plan says of the others beside somebody: true of who comes too, of who cannot and of who could."""

import pytest

from portal.core.db import db, transaction
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.plans import Plan
from portal.volunteers.service import plan_editing, plan_words, planning
from tests.helping import Helping, soon
from tests.visitor import words_shown
from tests.volunteers.planned import clock_at, planned


@pytest.fixture
def helping(make):
    return Helping(make)


def _said(plan):
    lines = planning.lines_of(plan)
    names = plan_words.names_of(lines, ())
    return ["；".join(plan_words.why(line, names)) for line in lines]


def test_of_those_who_come_to_the_same_shift_nobody_is_said_to_be_unable_to_come(make, helping):
    helping.shift(helping.activity(positions=[helping.position(needs=2)]), clock_at(9))
    helping.volunteer(), helping.volunteer()
    assert all("能排的 2 人都排在这一班" in one for one in _said(planned(make)))


def test_what_keeps_the_others_away_is_named_and_nothing_else(make, helping):
    for _number in range(2):
        helping.shift(helping.activity(positions=[helping.position(needs=1)]), clock_at(9))
    helping.volunteer(), helping.volunteer()
    assert all(
        one.endswith("能排的 2 人里，其余按方案都来不了这一班（同时有别的班次）") for one in _said(planned(make))
    )


def test_who_comes_too_and_who_cannot_are_told_apart(make, helping):
    helping.shift(helping.activity(positions=[helping.position(needs=2)]), clock_at(9))
    helping.shift(helping.activity(positions=[helping.position(needs=1)]), clock_at(9))
    for _number in range(3):
        helping.volunteer()
    ends = "能排的 3 人里，还有 1 人也排在这一班，其余按方案来不了（同时有别的班次）"
    assert sum(one.endswith(ends) for one in _said(planned(make))) == 2


def test_who_could_come_instead_is_not_said_to_have_offered_the_time(make, helping):
    helping.shift(helping.activity(positions=[helping.position(needs=1)]), clock_at(9))
    helping.volunteer(), helping.volunteer()
    assert _said(planned(make))[0].endswith("其余还能排的 1 人里有 1 人更少，但来了这一班就不比这少了")


def test_who_is_not_proposed_is_offered_by_hand_with_the_reason(make, helping):
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), clock_at(9)))
    missing = helping.volunteer()
    for days in (3, 4, 5):
        helping.signup(helping.post(helping.shift(starts_at=soon(-days))), missing, state=SignupState.NO_SHOW)
    helping.volunteer()
    plan = planned(make)
    assert "能排的只有这一位" in _said(plan)[0]
    with transaction():
        asked = db.session.get_one(Plan, plan.id)
        (choice,) = plan_editing.choices(asked, db.session.get_one(Post, post.id))
        line = plan_editing.add(
            asked, db.session.get_one(Post, post.id), missing.id, replacing=planning.lines_of(asked)[0]
        )
        standing = plan_editing.check(asked, [line])[line.id]
    assert choice.volunteer_id == missing.id
    assert choice.standing.doubts == standing.doubts
    assert [plan_words.stands_against(code) for code in standing.doubts] == ["近来缺席多，不自动安排"]


def test_of_a_plan_that_was_edited_nothing_is_said_to_be_proven(make, helping, client):
    helping.shift(helping.activity(positions=[helping.position(needs=1)]), clock_at(9))
    helping.volunteer()
    plan = planned(make)
    page = f"/desk/volunteers/plans/{plan.public_id}"
    client.sign_in(make.worker())
    assert "已证明排不了更多" in client.get(page).text
    with transaction():
        asked = db.session.get_one(Plan, plan.id)
        plan_editing.strike(asked, planning.lines_of(asked)[0])
    after = words_shown(client.get(page).text)
    assert "算好以后手工改过" in after
    assert "已证明排不了更多" not in after
