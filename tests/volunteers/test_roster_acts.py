"""What is done on the roster: assigned, moved, changed, taken off and taken back; a refusal changes nothing."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.places.models import Capacity
from portal.volunteers.models.codes import HOLDS, SignupState, Way
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service import joining, lines, rearranging, roster
from portal.volunteers.service.rearranging import Soft
from tests.acting import actor_of
from tests.helping import Helping, soon

ROSTER = "/desk/volunteers/roster"


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def desk(make, app):
    return app.test_client().sign_in(make.worker())


def put(post, volunteer, worker):
    """Somebody on a post as anybody comes there, with the time she holds."""
    with transaction():
        asked = roster.post_in([post.shift.community_id], post.id)
        return joining.put_on(asked, volunteer, way=Way.WORKER, by=worker)


def live():
    """Who is on which post; what is taken of each post; whose time is held, in five minutes."""
    db.session.rollback()
    on = sa.select(Signup.volunteer_id, Signup.post_id).where(Signup.state.in_(HOLDS))
    held = sa.select(HeldTime.volunteer_id, sa.func.count()).group_by(HeldTime.volunteer_id)
    taken = sa.select(Capacity.id, Capacity.taken)
    rows = [[tuple(row) for row in db.session.execute(query)] for query in (on, taken, held)]
    return set(rows[0]), dict(rows[1]), dict(rows[2])


def signup_of(volunteer):
    db.session.rollback()
    query = sa.select(Signup).where(Signup.volunteer_id == volunteer.id, Signup.state.in_(HOLDS))
    return db.session.scalars(query.order_by(Signup.id.desc())).first()


def told(topic):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}")))


def deeds():
    db.session.rollback()
    return set(db.session.scalars(sa.select(AuditRow.action)))


def test_an_assigned_volunteer_is_on_the_post_told_and_taken_back_by_one_button(helping, desk):
    post, volunteer = helping.post(), helping.volunteer()
    answer = desk.post(ROSTER, data={"act": "assign", "post": post.id, "volunteer": volunteer.public_id})
    assert answer.status_code == 303
    assert live()[0] == {(volunteer.id, post.id)}
    assert signup_of(volunteer).way is Way.WORKER
    assert len(told("signup_joined")) == 1
    page = desk.get(answer.location)
    assert "已安排" in page.text
    undo = re.search(r'name="signup" value="(\w+)">\s*<input type="hidden" name="reason" value="([^"]+)"', page.text)
    assert undo is not None
    sent = {"act": "remove", "signup": undo[1], "reason": undo[2]}
    assert desk.post(ROSTER, data=sent).status_code == 303
    assert live()[0] == set()


def test_the_same_form_sent_twice_acts_once(helping, desk):
    post, volunteer = helping.post(), helping.volunteer()
    sent = {"act": "assign", "post": post.id, "volunteer": volunteer.public_id, "idem": "key"}
    assert [desk.post(ROSTER, data=sent).status_code for _turn in range(2)] == [303, 303]
    assert live()[1] == {post.capacity_id: 1}


def test_a_move_takes_the_new_place_frees_the_old_and_holds_the_new_time(helping, worker, desk):
    first, second = helping.post(helping.shift(hours=2)), helping.post(helping.shift(starts_at=soon(4), hours=3))
    signup = put(first, helping.volunteer(), worker)
    answer = desk.post(ROSTER, data={"act": "move", "signup": signup.public_id, "post": second.id})
    assert answer.status_code == 303
    assert live() == (
        {(signup.volunteer_id, second.id)},
        {first.capacity_id: 0, second.capacity_id: 1},
        {signup.volunteer_id: 36},
    )
    (row,) = told("signup_moved")
    assert row.facts["activity"] == second.shift.activity.title
    assert told("signup_removed") == []
    assert "volunteers.signup_moved" in deeds()


def test_a_move_within_a_shift_to_an_overlapping_time_is_no_collision(helping, worker, desk):
    activity = helping.activity(positions=[helping.position(needs=1), helping.position(needs=1)])
    shift = helping.shift(activity)
    signup = put(shift.posts[0], helping.volunteer(), worker)
    desk.post(ROSTER, data={"act": "move", "signup": signup.public_id, "post": shift.posts[1].id})
    assert live()[0] == {(signup.volunteer_id, shift.posts[1].id)}


def test_a_move_to_a_full_post_is_refused_in_words_and_changes_nothing(helping, worker, desk):
    full = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), soon(4)))
    put(full, helping.volunteer(), worker)
    signup = put(helping.post(), helping.volunteer(), worker)
    before = live()
    answer = desk.post(ROSTER, data={"act": "move", "signup": signup.public_id, "post": full.id, "reason": "急"})
    assert answer.status_code == 422
    assert "这个岗位已经满了" in answer.text
    assert "排班没有变" in answer.text
    assert "仍然这样安排" not in answer.text
    assert live() == before
    assert told("signup_moved") == []


def test_a_move_into_another_shift_of_hers_is_refused_whatever_the_reason(helping, worker, desk):
    volunteer = helping.volunteer()
    here = put(helping.post(helping.shift(starts_at=soon(5))), volunteer, worker)
    put(helping.post(), volunteer, worker)
    other = helping.post(helping.shift(starts_at=soon(2, hours=1)))
    before = live()
    answer = desk.post(ROSTER, data={"act": "move", "signup": here.public_id, "post": other.id, "reason": "急"})
    assert answer.status_code == 422
    assert "时间冲突" in answer.text
    assert live() == before


def test_two_who_change_take_each_others_full_places_at_overlapping_times(helping, worker, desk):
    positions = [helping.position(needs=1)]
    one = put(helping.post(helping.shift(helping.activity(positions=positions))), helping.volunteer(), worker)
    later = helping.shift(helping.activity(positions=[helping.position(needs=1)]), soon(2, hours=1))
    other = put(helping.post(later), helping.volunteer(), worker)
    answer = desk.post(ROSTER, data={"act": "swap", "signup": one.public_id, "other": other.public_id})
    assert answer.status_code == 303
    on, taken, held = live()
    assert on == {(one.volunteer_id, other.post_id), (other.volunteer_id, one.post_id)}
    assert set(taken.values()) == {1}
    assert held == {one.volunteer_id: 24, other.volunteer_id: 24}
    assert len(told("signup_moved")) == 2


def test_a_swap_in_which_one_lacks_the_skill_changes_neither_even_with_a_reason(helping, worker, desk):
    skill = helping.skill("急救", needs_proof=True)
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(skills=[skill])]), soon(4)))
    able = put(post, helping.volunteer(skills=[skill]), worker)
    unable = put(helping.post(), helping.volunteer(), worker)
    before = live()
    answer = desk.post(
        ROSTER, data={"act": "swap", "signup": able.public_id, "other": unable.public_id, "reason": "人手不够"}
    )
    assert answer.status_code == 422
    assert "急救" in answer.text
    assert live() == before


def test_a_skill_is_not_put_past_by_way_of_a_softer_rule_of_the_other(helping, worker):
    """The reason given for one's short rest must not carry the other past a proof."""
    skill = helping.skill("急救", needs_proof=True)
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(skills=[skill])]), soon(4)))
    able = put(post, helping.volunteer(skills=[skill]), worker)
    shift = helping.shift()
    unable = put(shift.posts[0], helping.volunteer(), worker)
    put(helping.post(helping.shift(starts_at=shift.ends_at)), able.volunteer, worker)
    before = live()
    with pytest.raises(Refused, match="急救"), transaction():
        one, other = (roster.signup_in([shift.community_id], row.public_id) for row in (able, unable))
        rearranging.swap(one, other, by=worker, reason="人手不够")
    assert live() == before


def test_too_little_rest_is_refused_without_a_reason_and_goes_with_one_that_is_kept(helping, worker, desk):
    shift, volunteer = helping.shift(), helping.volunteer()
    put(shift.posts[0], volunteer, worker)
    post = helping.post(helping.shift(starts_at=shift.ends_at))
    sent = {"act": "assign", "post": post.id, "volunteer": volunteer.public_id}
    before = live()
    answer = desk.post(ROSTER, data=sent)
    assert answer.status_code == 422
    assert "仍然这样安排" in answer.text
    assert live() == before
    assert desk.post(ROSTER, data=sent | {"reason": "她说可以"}).status_code == 303
    assert (volunteer.id, post.id) in live()[0]
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "volunteers.rule_put_past")).one()
    assert (row.reason, row.facts["rule"]) == ("她说可以", "rest")


def test_more_than_she_wishes_in_a_week_wants_a_reason(helping, worker):
    shift, volunteer = helping.shift(hours=3), helping.volunteer(week_hours=2)
    with transaction():
        post = roster.post_in([shift.community_id], shift.posts[0].id)
        with pytest.raises(Soft, match="希望"):
            rearranging.assign(post, volunteer, by=worker)
        assert rearranging.assign(post, volunteer, by=worker, reason="她答应了").undo["act"] == "remove"


def test_removing_wants_a_reason_that_the_volunteer_reads(helping, worker, desk):
    signup = put(helping.post(), helping.volunteer(), worker)
    assert desk.post(ROSTER, data={"act": "remove", "signup": signup.public_id}).status_code == 422
    assert desk.post(ROSTER, data={"act": "remove", "signup": signup.public_id, "reason": "改期"}).status_code == 303
    assert live()[0] == set()
    (row,) = told("signup_removed")
    assert row.facts["reason"] == "改期"


def test_who_has_been_there_and_what_is_over_are_left_alone(helping, worker):
    present = helping.signup(helping.post(), state=SignupState.PRESENT)
    over = helping.signup(helping.post(helping.shift(starts_at=now() - timedelta(days=1))))
    for signup in (present, over):
        with transaction(), pytest.raises(Refused, match="不能再调整"):
            rearranging.remove(roster.signup_in([signup.shift.community_id], signup.public_id), by=worker, reason="x")
    with transaction(), pytest.raises(Refused, match="已经结束"):
        post = roster.post_in([over.shift.community_id], over.post_id)
        rearranging.assign(post, helping.volunteer(), by=worker)


def test_htmx_gets_the_grid_anew_with_what_was_done_and_a_button_that_takes_it_back(helping, desk):
    post, volunteer = helping.post(), helping.volunteer()
    sent = {"act": "assign", "post": post.id, "volunteer": volunteer.public_id}
    headers = {"HX-Request": "true", "HX-Target": "roster-grid"}
    answer = desk.post(ROSTER, data=sent, headers=headers)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="roster-grid"')
    assert "撤销" in answer.text
    again = desk.post(ROSTER, data=sent, headers=headers)
    assert again.status_code == 422
    assert "排班没有变" in again.text


def test_an_invitation_asks_and_says_when_it_was_asked_already(helping, desk):
    post, volunteer = helping.post(), helping.volunteer()
    for words in ("已邀请", "已经被邀请过"):
        answer = desk.post(
            f"{ROSTER}/posts/{post.id}/invite", data={"volunteer": volunteer.public_id}, follow_redirects=True
        )
        assert words in answer.text


def test_nobody_is_invited_to_a_full_post(helping, worker, desk):
    post, volunteer = helping.post(), helping.volunteer()
    for _place in range(2):
        put(post, helping.volunteer(), worker)
    assert "/invite" not in desk.get(f"{ROSTER}/posts/{post.id}").text
    sent = {"volunteer": volunteer.public_id}
    answer = desk.post(f"{ROSTER}/posts/{post.id}/invite", data=sent, follow_redirects=True)
    assert "这个岗位已经排满，有人调出或退出后才能再邀请" in answer.text


def test_a_moved_place_goes_to_who_waits_and_a_swapped_one_does_not(make, helping, worker):
    """Between the two of a swap nobody slips in: no place is ever free."""
    one_post = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)])))
    two_post = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), soon(4)))
    one, two = put(one_post, helping.volunteer(), worker), put(two_post, helping.volunteer(), worker)
    waits = helping.volunteer()
    with transaction():
        lines.join_line(roster.post_in([one_post.shift.community_id], one_post.id), waits, by=worker)
    with transaction():
        signups = [roster.signup_in([one_post.shift.community_id], row.public_id) for row in (one, two)]
        rearranging.swap(*signups, by=worker)
    assert (waits.id, one_post.id) not in live()[0]
    free = helping.post(helping.shift(starts_at=soon(6)))
    with transaction():
        moved = signup_of(two.volunteer)
        moved = roster.signup_in([one_post.shift.community_id], moved.public_id)
        rearranging.move(moved, roster.post_in([one_post.shift.community_id], free.id), by=worker)
    assert (waits.id, one_post.id) in live()[0]


def test_a_move_with_too_little_rest_goes_with_a_reason_and_she_is_on_the_new_post(helping, worker, desk):
    shift, volunteer = helping.shift(), helping.volunteer()
    put(shift.posts[0], volunteer, worker)
    far = put(helping.post(helping.shift(starts_at=soon(6))), volunteer, worker)
    post = helping.post(helping.shift(starts_at=shift.ends_at))
    sent = {"act": "move", "signup": far.public_id, "post": post.id}
    assert desk.post(ROSTER, data=sent).status_code == 422
    assert desk.post(ROSTER, data=sent | {"reason": "她说可以"}).status_code == 303
    assert live()[0] == {(volunteer.id, shift.posts[0].id), (volunteer.id, post.id)}
    assert live()[1][post.capacity_id] == 1


def test_a_shift_given_to_somebody_else_is_hers_both_are_told_and_it_is_taken_back(helping, worker, desk):
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)])))
    signup, other = put(post, helping.volunteer(), worker), helping.volunteer()
    sent = {"act": "give", "signup": signup.public_id, "volunteer": other.public_id}
    answer = desk.post(ROSTER, data=sent)
    assert answer.status_code == 303
    assert live() == ({(other.id, post.id)}, {post.capacity_id: 1}, {other.id: 24})
    assert signup_of(other).way is Way.WORKER
    assert [row.recipient_id for row in told("signup_removed")] == [signup.volunteer.person.public_id]
    assert told("signup_joined")[-1].recipient_id == other.person.public_id
    page = desk.get(answer.location)
    assert f"{signup.volunteer.person.name}的班交给{other.person.name}" in page.text
    undo = {"act": "give", "signup": signup_of(other).public_id, "volunteer": signup.volunteer.public_id}
    assert all(f'name="{name}" value="{value}"' in page.text for name, value in undo.items())
    assert desk.post(ROSTER, data=undo).status_code == 303
    assert live()[0] == {(signup.volunteer_id, post.id)}


def test_a_shift_is_not_given_to_who_is_elsewhere_at_the_time_nor_to_herself(helping, worker, desk):
    shift, busy = helping.shift(), helping.volunteer()
    signup = put(shift.posts[0], helping.volunteer(), worker)
    put(helping.post(helping.shift(starts_at=shift.starts_at)), busy, worker)
    before = live()
    for whom, words in ((busy, busy.person.name), (signup.volunteer, "本来就是")):
        sent = {"act": "give", "signup": signup.public_id, "volunteer": whom.public_id, "reason": "人手不够"}
        answer = desk.post(ROSTER, data=sent)
        assert answer.status_code == 422
        assert words in answer.text
        assert live() == before
    assert told("signup_removed") == []


def test_a_shift_given_to_who_rests_too_little_wants_a_reason_and_goes_with_it(helping, worker, desk):
    shift, other = helping.shift(), helping.volunteer()
    put(shift.posts[0], other, worker)
    signup = put(helping.post(helping.shift(starts_at=shift.ends_at)), helping.volunteer(), worker)
    sent = {"act": "give", "signup": signup.public_id, "volunteer": other.public_id}
    before = live()
    answer = desk.post(ROSTER, data=sent)
    assert answer.status_code == 422
    assert "仍然这样安排" in answer.text
    assert live() == before
    assert desk.post(ROSTER, data=sent | {"reason": "她说可以"}).status_code == 303
    assert live()[0] == {(other.id, shift.posts[0].id), (other.id, signup.post_id)}
    assert told("signup_removed")[-1].facts["reason"] == "她说可以"


def test_the_page_of_a_place_gives_it_to_somebody_without_scripts(helping, worker, desk):
    signup, other = put(helping.post(), helping.volunteer(), worker), helping.volunteer()
    page = desk.get(f"{ROSTER}/places/{signup.public_id}").text
    assert "交给别人" in page
    assert f'<option value="{other.public_id}">' in page
    assert f'<option value="{signup.volunteer.public_id}">' not in page
