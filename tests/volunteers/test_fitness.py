"""Why somebody may or may not join: each reason in words, and the same answer when she joins all the same."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import settings
from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.registry.models import TeamMember, VolunteerTeam
from portal.volunteers.models.codes import (
    ActivityState,
    ConsentWay,
    Joining,
    ServiceKind,
    ShiftState,
    SignupState,
    VolunteerState,
    Way,
)
from portal.volunteers.models.people import Absence, GuardianConsent, VolunteerSkill
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import accompanying, fitness, joining
from tests.acting import actor_of
from tests.counting import count_queries
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def verdict(post, one, **more):
    db.session.rollback()
    return fitness.verdicts([post], one, now(), **more)[post.id]


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def refused(post, one, worker, code, words, **more):
    """The page says it, and the act says the same."""
    said = verdict(post, one)
    assert (said.fits, said.code) == (False, code)
    assert words in said.words
    with pytest.raises(joining.Unfit) as found:
        put(post, one, worker, **more)
    assert found.value.code == code


def served(make, one, minutes):
    begins = now() - timedelta(days=30)
    return make.add(
        ServiceRecord(
            volunteer_id=one.id,
            community_id=one.community_id,
            organiser="春风里社区",
            leader_name="周洁",
            activity="送餐",
            kind=ServiceKind.MEALS,
            content="送餐",
            place="助餐点",
            starts_at=begins,
            ends_at=begins + timedelta(minutes=minutes),
            minutes=minutes,
            due_on=today(),
            recorded_by="worker",
            recorded_by_name="周洁",
        )
    )


def test_a_free_post_says_how_many_places_there_are(helping):
    said = verdict(helping.post(), helping.volunteer())
    assert (said.fits, said.code) == (True, "free")
    assert "2 个名额" in said.words


def test_who_is_no_volunteer_is_told_to_become_one(helping):
    said = verdict(helping.post(), None)
    assert (said.fits, said.code) == (False, "not_volunteer")
    assert "登记" in said.words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (VolunteerState.APPLIED, "等社区确认"),
        (VolunteerState.PAUSED, "暂停"),
        (VolunteerState.BARRED, "联系社区"),
        (VolunteerState.REFUSED, "没有通过"),
        (VolunteerState.LEFT, "重新登记"),
    ],
)
def test_only_who_was_taken_up_may_join(helping, worker, state, words):
    refused(helping.post(), helping.volunteer(state=state), worker, "not_volunteer", words)
    with pytest.raises(joining.Unfit):
        put(helping.post(), helping.volunteer(state=state), worker, way=Way.WORKER, checked=False)


def test_who_was_barred_until_a_day_may_join_after_it(helping, worker):
    one = helping.volunteer(state=VolunteerState.BARRED, barred_until=today() + timedelta(days=5))
    refused(helping.post(), one, worker, "not_volunteer", "以前")
    put(helping.post(helping.shift(starts_at=soon(7))), one, worker)


def test_joined_and_requested_are_said_so(helping, worker):
    post, one, other = helping.post(), helping.volunteer(), helping.volunteer()
    put(post, one, worker)
    put(post, other, worker, state=SignupState.REQUESTED)
    assert verdict(post, one).code == "joined"
    assert "等待确认" in verdict(post, other).words


def test_a_full_post_may_be_waited_for(helping, worker):
    post = helping.post()
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    refused(post, helping.volunteer(), worker, "full", "候补")


def test_a_collision_names_what_it_collides_with(helping, worker):
    shift, one = helping.shift(), helping.volunteer()
    put(helping.post(shift), one, worker)
    other = helping.post(helping.shift(starts_at=shift.starts_at + timedelta(hours=1)))
    refused(other, one, worker, "collides", shift.activity.title)
    put(helping.post(helping.shift(starts_at=shift.ends_at + timedelta(hours=1))), one, worker)


def test_a_skill_that_is_lacking_is_named(helping, worker):
    skill = helping.skill("急救")
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(skills=[skill])])))
    refused(post, helping.volunteer(), worker, "skill", "急救")
    assert verdict(post, helping.volunteer(skills=[skill])).fits


@pytest.mark.parametrize("lapsed", [False, True])
def test_a_skill_without_valid_proof_asks_for_training(make, helping, worker, lapsed):
    skill = helping.skill("急救", needs_proof=True)
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(skills=[skill])])))
    one = helping.volunteer()
    facts = {"proven_at": now(), "valid_to": today()} if lapsed else {}
    make.add(VolunteerSkill(volunteer_id=one.id, skill_id=skill.id, **facts))
    refused(post, one, worker, "training", "培训")


def test_experience_is_counted_from_records(make, helping, worker):
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(least_minutes=600)])))
    one = helping.volunteer()
    served(make, one, 594)
    refused(post, one, worker, "experience", "9 小时 54 分钟")
    served(make, one, 6)
    assert verdict(post, one).fits


def test_before_signing_up_begins_it_says_from_when(helping, worker):
    post = helping.post(helping.shift(starts_at=soon(10), activity=helping.activity(opens_days=5)))
    refused(post, helping.volunteer(), worker, "too_early", "起可以报")
    put(post, helping.volunteer(), worker, way=Way.WORKER)


def test_after_the_beginning_it_is_too_late_but_for_the_minutes_allowed(helping, worker):
    begun = soon(0) - timedelta(hours=1)
    refused(helping.post(helping.shift(starts_at=begun)), helping.volunteer(), worker, "too_late", "后面的班次")
    activity = helping.activity(late_minutes=180)
    put(helping.post(helping.shift(activity, starts_at=begun, hours=6)), helping.volunteer(), worker)


def test_a_days_hours_are_counted_over_all_shifts_and_midnight(helping, worker):
    one, day = helping.volunteer(), today() + timedelta(days=3)
    night = helping.shift(starts_at=at(day, date_time(22)), hours=6)
    put(helping.post(night), one, worker)
    # Four hours of the night lie on the next day: with five more that makes nine.
    early = helping.shift(starts_at=at(day + timedelta(days=1), date_time(8)), hours=5)
    refused(helping.post(early), one, worker, "over_day", "9 小时")
    put(helping.post(helping.shift(starts_at=at(day + timedelta(days=1), date_time(8)), hours=4)), one, worker)


def date_time(hour):
    return now().replace(hour=hour).time().replace(minute=0, second=0, microsecond=0)


def test_an_activity_may_have_its_own_limit_of_a_day(helping, worker):
    one, starts = helping.volunteer(), at(today() + timedelta(days=3), date_time(9))
    activity = helping.activity(day_minutes=120)
    refused(helping.post(helping.shift(activity, starts_at=starts, hours=3)), one, worker, "over_day", "2 小时")


def test_between_two_shifts_there_is_rest_but_staying_on_is_one_stretch(helping, worker):
    one, shift = helping.volunteer(), helping.shift(starts_at=at(today() + timedelta(days=3), date_time(9)))
    put(helping.post(shift), one, worker)
    refused(helping.post(helping.shift(starts_at=shift.ends_at)), one, worker, "rest", "来不及")
    put(helping.post(helping.shift(shift.activity, starts_at=shift.ends_at)), one, worker)


def test_rest_is_a_setting(helping, worker):
    with transaction():
        settings.put("volunteers.rest_minutes", 0, valid_from=today(), by="周洁")
    one, shift = helping.volunteer(), helping.shift()
    put(helping.post(shift), one, worker)
    put(helping.post(helping.shift(starts_at=shift.ends_at)), one, worker)


def test_who_did_not_come_three_times_is_put_on_by_a_worker_only(helping, worker):
    one = helping.volunteer()
    for days in (3, 4, 5):
        helping.signup(helping.post(helping.shift(starts_at=soon(-days))), one, state=SignupState.NO_SHOW)
    refused(helping.post(), one, worker, "no_shows", "3 次")
    put(helping.post(), one, worker, way=Way.WORKER)


def test_age_is_that_of_the_day(make, helping, worker):
    day = today() + timedelta(days=2)
    young = make.person("小明", born=date(day.year - 18, day.month, day.day) + timedelta(days=1))
    refused(helping.post(), helping.volunteer(young), worker, "age", "18 周岁")
    old = make.person("老李", born=date(day.year - 71, day.month, 1))
    post = helping.post(helping.shift(helping.activity(most_age=70)))
    refused(post, helping.volunteer(old), worker, "age", "70")


@pytest.fixture
def minor(make, helping):
    return helping.volunteer(make.person("小明", born=date(today().year - 15, 1, 1)))


@pytest.fixture
def for_the_young(helping):
    return helping.post(helping.shift(helping.activity(least_age=12)))


def consent(make, minor, guardian, **more):
    facts = {"guardian_name": "王芳", "relation": "mother", "way": ConsentWay.PAPER, "given_at": now(), "given_by": "x"}
    return make.add(
        GuardianConsent(volunteer_id=minor.id, guardian_id=guardian.id if guardian else None, **facts | more)
    )


def test_a_minor_needs_a_guardians_yes(make, worker, minor, for_the_young):
    refused(for_the_young, minor, worker, "guardian", "监护人同意")
    with pytest.raises(joining.Unfit):
        put(for_the_young, minor, worker, way=Way.WORKER, checked=False)
    given = consent(make, minor, make.person("王芳"))
    assert verdict(for_the_young, minor).fits
    with transaction() as session:
        session.get_one(GuardianConsent, given.id).withdrawn_at = now()
    refused(for_the_young, minor, worker, "guardian", "监护人同意")


def test_a_guardian_who_comes_along_joins_with_the_minor_or_is_there(make, helping, worker, minor, for_the_young):
    mother = helping.volunteer(make.person("王芳"))
    consent(make, minor, mother.person, comes_along=True)
    refused(for_the_young, minor, worker, "guardian", "一起报名")
    assert verdict(for_the_young, minor, together=[mother]).fits
    put(for_the_young, mother, worker)
    put(for_the_young, minor, worker)


def test_of_a_guardian_who_comes_along_only_the_shifts_of_these_days_are_read(make, helping, minor):
    mother = helping.volunteer(make.person("王芳"))
    consent(make, minor, mother.person, comes_along=True)
    near = helping.shift(starts_at=soon(2))
    for shift in (near, helping.shift(starts_at=soon(-300)), helping.shift(starts_at=soon(90))):
        helping.signup(helping.post(shift), mother)
    found = fitness.standings([minor], near.starts_at, near.ends_at, now())
    assert found[minor.id].beside == {near.id}


@pytest.mark.parametrize("stays", [False, True])
def test_who_was_accompanied_leaves_the_shift_with_her_guardian(make, helping, worker, minor, stays):
    mother, father = helping.volunteer(make.person("王芳")), helping.volunteer(make.person("李强"))
    for guardian in (mother, father):
        consent(make, minor, guardian.person, comes_along=True)
    post = helping.post(helping.shift(helping.activity(least_age=12, positions=[helping.position(needs=3)])))
    put(post, mother, worker)
    put(post, minor, worker)
    if stays:
        put(post, father, worker)
    with transaction() as session:
        on_it = {signup.volunteer_id: signup for signup in session.scalars(sa.select(Signup))}
        joining.take_off(on_it[mother.id], SignupState.LEFT, by=worker)
        session.refresh(on_it[minor.id])
        assert on_it[minor.id].state is (SignupState.JOINED if stays else SignupState.REMOVED)
        assert on_it[minor.id].reason == ("" if stays else accompanying.ALONE)


def test_members_only_lets_members_in(make, helping, worker):
    team = make.add(VolunteerTeam(community_id=make.community().id, name="银龄互助队"))
    post = helping.post(helping.shift(helping.activity(team_id=team.id, members_only=True)))
    one, other = helping.volunteer(), helping.volunteer()
    refused(post, other, worker, "members", "队员")
    make.add(TeamMember(team_id=team.id, person_id=one.person_id, since=today()))
    put(post, one, worker)


def test_who_is_away_may_not_join(make, helping, worker):
    one, day = helping.volunteer(), today() + timedelta(days=2)
    make.add(Absence(volunteer_id=one.id, first_day=day - timedelta(days=1), last_day=day + timedelta(days=1)))
    refused(helping.post(), one, worker, "away", "外出")
    put(helping.post(), one, worker, way=Way.WORKER, checked=False)


@pytest.mark.parametrize("state", [ShiftState.CLOSED, ShiftState.CALLED_OFF])
def test_a_closed_shift_takes_nobody(helping, worker, state):
    refused(helping.post(helping.shift(state=state)), helping.volunteer(), worker, "closed", "别的班次")


@pytest.mark.parametrize("state", [ActivityState.DRAFT, ActivityState.CALLED_OFF, ActivityState.ENDED])
def test_an_activity_that_is_not_published_takes_nobody(helping, worker, state):
    refused(helping.post(helping.shift(helping.activity(state=state))), helping.volunteer(), worker, "closed", "")


def test_where_the_community_assigns_nobody_signs_up_alone(helping, worker):
    post = helping.post(helping.shift(helping.activity(joining=Joining.ASSIGNED)))
    refused(post, helping.volunteer(), worker, "assigned", "联系社区")
    put(post, helping.volunteer(), worker, way=Way.LEADER)


def test_newcomers_take_no_more_than_their_share(make, helping, worker):
    activity = helping.activity(positions=[helping.position(needs=4, newcomers=50)])
    post = helping.post(helping.shift(activity))
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    refused(post, helping.volunteer(), worker, "newcomers", "10 小时")
    old_hand = helping.volunteer()
    served(make, old_hand, 600)
    put(post, old_hand, worker)


def test_without_insurance_a_risky_activity_takes_nobody_not_even_by_a_worker(helping, worker):
    for facts in ({"is_risky": True}, {"is_risky": True, "insured_until": soon(1)}):
        post = helping.post(helping.shift(helping.activity(**facts)))
        refused(post, helping.volunteer(), worker, "uninsured", "保险")
        with pytest.raises(joining.Unfit):
            put(post, helping.volunteer(), worker, way=Way.WORKER, checked=False)
    put(
        helping.post(helping.shift(helping.activity(is_risky=True, insured_until=soon(9)))), helping.volunteer(), worker
    )


def test_the_last_insured_day_is_named_and_only_what_is_risky_must_be_insured(helping, worker):
    until = at(today() + timedelta(days=1), time(0))
    post = helping.post(helping.shift(helping.activity(is_risky=True, insured_until=until)))
    assert f"保到 {today().year}年{today().month}月{today().day}日" in verdict(post, helping.volunteer()).words
    put(helping.post(helping.shift(helping.activity(insured_until=until))), helping.volunteer(), worker)


def test_a_page_of_verdicts_asks_a_fixed_number_of_questions(make, helping):
    one = helping.volunteer()
    posts = [helping.post(helping.shift(starts_at=soon(2 + number))) for number in range(6)]
    for few in (posts[:1], posts):
        fitness.verdicts(few, one, now())
        with count_queries() as asked:
            assert all(said.fits for said in fitness.verdicts(few, one, now()).values())
        assert len(asked) == 1
