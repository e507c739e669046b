"""The leader's own roster: her shifts of a week alone, her own people put on them, moved, changed and taken off."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import local, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.registry.models import TeamMember, VolunteerTeam
from portal.volunteers.models.activities import Activity
from portal.volunteers.models.codes import HOLDS, ActivityState, SignupState, Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import held as times
from tests.counting import count_queries
from tests.helping import Helping, soon

ROSTER = "/volunteers/lead/roster"
pytestmark = pytest.mark.both_databases


class Team:
    """周队长's team with two members, and two shifts of it on one day next week: 王芳 is on the first."""

    def __init__(self, make, app):
        self.make, self.helping = make, Helping(make)
        self.head = self.helping.volunteer(make.person("周队长"))
        team = VolunteerTeam(community_id=make.community().id, name="红马甲", leader_id=self.head.person_id)
        self.team = make.add(team)
        self.fang, self.qiang = self.member("王芳"), self.member("李强")
        self.activity = self.helping.activity("红马甲送餐", team_id=self.team.id)
        monday = today() - timedelta(days=today().weekday())
        self.days = 7 - (today() - monday).days
        self.first, self.second = (self.shift(self.activity, hour) for hour in (1, 6))
        self.on = self.put(self.first, self.fang)
        self.week = f"?week={local(self.first.starts_at).date().isoformat()}"
        self.client = app.test_client().sign_in(make.resident(self.head.person))

    def member(self, name):
        volunteer = self.helping.volunteer(self.make.person(name))
        since = today() - timedelta(days=30)
        self.make.add(TeamMember(team_id=self.team.id, person_id=volunteer.person_id, since=since))
        return volunteer

    def shift(self, activity, hour):
        noon = soon(self.days).replace(hour=hour)
        return self.helping.shift(activity, starts_at=noon)

    def put(self, shift, volunteer):
        signup = self.helping.signup(self.helping.post(shift), volunteer)
        with transaction():
            times.hold(db.session.get_one(Signup, signup.id))
        return signup

    def sees(self):
        return self.client.get(ROSTER + self.week).text

    def does(self, act, **facts):
        return self.client.post(ROSTER + self.week, data={"act": act, **facts})


def who_is_on(shift):
    db.session.rollback()
    query = sa.select(Signup.volunteer_id).where(Signup.shift_id == shift.id, Signup.state.in_(HOLDS))
    return set(db.session.scalars(query))


@pytest.fixture
def team(make, app):
    return Team(make, app)


def test_a_leader_sees_a_week_of_her_own_shifts_and_of_nobody_elses(team):
    other = team.helping.activity("别队巡防")
    team.put(team.shift(other, 2), team.helping.volunteer(team.make.person("赵别人")))
    page = team.sees()
    assert "红马甲送餐" in page
    assert "王芳" in page
    assert "李强" in page, "a member without a shift"
    assert "别队巡防" not in page
    assert "赵别人" not in page


def test_what_a_member_does_elsewhere_counts_in_her_hours_without_saying_what_it_is(team):
    other = team.helping.activity("保密的探访")
    team.put(team.shift(other, 12), team.fang)
    page = team.sees()
    assert "<small>4</small>" in page
    assert "保密的探访" not in page


def test_a_draft_stands_on_no_leaders_roster(team):
    with transaction():
        db.session.get_one(Activity, team.activity.id).state = ActivityState.DRAFT
    assert "红马甲送餐" not in team.sees()
    assert team.client.get(f"{ROSTER}/posts/{team.second.posts[0].id}").status_code == 404


def test_one_of_her_people_is_put_on_a_post_and_told(team):
    post = team.second.posts[0]
    page = team.client.get(f"{ROSTER}/posts/{post.id}").text
    assert "李强" in page
    assert team.does("assign", post=post.id, volunteer=team.qiang.public_id).status_code == 303
    assert who_is_on(team.second) == {team.qiang.id}
    made = db.session.scalars(sa.select(Signup).where(Signup.volunteer_id == team.qiang.id)).one()
    assert made.way is Way.LEADER
    told = sa.select(OutboxRow.id).where(OutboxRow.topic == "volunteers.signup_joined")
    assert db.session.scalars(told).all()
    assert db.session.scalars(sa.select(AuditRow.id).where(AuditRow.action == "volunteers.signup_made")).all()


def test_who_is_in_no_team_of_hers_is_put_nowhere(team):
    outsider = team.helping.volunteer(team.make.person("赵别人"))
    assert "赵别人" not in team.client.get(f"{ROSTER}/posts/{team.second.posts[0].id}").text
    assert team.does("assign", post=team.second.posts[0].id, volunteer=outsider.public_id).status_code == 404
    assert who_is_on(team.second) == set()


def test_a_member_is_hers_no_more_once_she_has_left_the_team(team):
    with transaction() as session:
        member = session.scalars(sa.select(TeamMember).where(TeamMember.person_id == team.qiang.person_id)).one()
        member.until = today() - timedelta(days=1)
    assert team.does("assign", post=team.second.posts[0].id, volunteer=team.qiang.public_id).status_code == 404


def test_somebody_is_moved_changed_and_taken_off_by_plain_forms(team):
    other = team.put(team.second, team.qiang)
    page = team.client.get(f"{ROSTER}/places/{team.on.public_id}").text
    assert 'value="move"' in page
    team.does("swap", signup=team.on.public_id, other=other.public_id)
    assert (who_is_on(team.first), who_is_on(team.second)) == ({team.qiang.id}, {team.fang.id})
    query = sa.select(Signup).where(Signup.volunteer_id == team.fang.id, Signup.state.in_(HOLDS))
    fang = db.session.scalars(query).one()
    team.does("move", signup=fang.public_id, post=team.first.posts[0].id)
    assert who_is_on(team.first) == {team.qiang.id, team.fang.id}
    fang = db.session.scalars(query).one()
    assert team.does("remove", signup=fang.public_id, reason="").status_code == 422
    team.does("remove", signup=fang.public_id, reason="改期了")
    assert who_is_on(team.first) == {team.qiang.id}
    assert db.session.get_one(Signup, fang.id).reason == "改期了"


def test_what_a_leader_did_is_taken_back_by_its_button(team):
    answer = team.does("move", signup=team.on.public_id, post=team.second.posts[0].id)
    page = team.client.get(answer.location).text
    assert "撤销" in page
    made = page.split('name="signup" value="')[1].split('"')[0]
    team.does("move", signup=made, post=team.first.posts[0].id, reason="撤销刚才的安排")
    assert who_is_on(team.first) == {team.fang.id}


def test_who_is_not_her_own_is_taken_off_without_a_way_back_by_her(team):
    helper = team.put(team.first, team.helping.volunteer(team.make.person("赵别人")))
    answer = team.does("remove", signup=helper.public_id, reason="改期了")
    assert "撤销" not in team.client.get(answer.location).text
    assert team.make.read(helper).state is SignupState.REMOVED


def test_a_shift_is_given_to_one_of_her_people_and_back(team):
    page = team.client.get(f"{ROSTER}/places/{team.on.public_id}").text
    taker = page.split('value="give"')[1]
    assert "李强" in taker
    answer = team.does("give", signup=team.on.public_id, volunteer=team.qiang.public_id)
    assert who_is_on(team.first) == {team.qiang.id}
    made = team.client.get(answer.location).text.split('name="signup" value="')[1].split('"')[0]
    team.does("give", signup=made, volunteer=team.fang.public_id, reason="撤销刚才的安排")
    assert who_is_on(team.first) == {team.fang.id}


def test_whoever_takes_a_shift_is_named_with_the_hours_of_its_own_week(team):
    team.put(team.helping.shift(team.first.activity, team.first.starts_at + timedelta(days=14)), team.qiang)
    later = local(team.first.starts_at).date() + timedelta(days=14)
    own = team.client.get(f"{ROSTER}/places/{team.on.public_id}").text.split('value="give"')[1]
    shown = team.client.get(f"{ROSTER}/places/{team.on.public_id}?week={later}").text.split('value="give"')[1]
    words = "李强（这一周"
    assert own.split(words)[1][:8] == shown.split(words)[1][:8]
    desk = team.client.sign_in(team.make.worker())
    own, shown = (
        desk.get(f"/desk/volunteers/roster/places/{team.on.public_id}{which}").text.split('value="give"')[1]
        for which in ("", f"?week={later}")
    )
    assert own.split(words)[1][:8] == shown.split(words)[1][:8]


def test_a_shift_is_given_to_nobody_who_is_not_hers_and_a_helpers_without_a_way_back(team):
    helper = team.helping.volunteer(team.make.person("赵别人"))
    on = team.put(team.first, helper)
    assert "赵别人" not in team.client.get(f"{ROSTER}/places/{team.on.public_id}").text.split('value="give"')[1]
    assert team.does("give", signup=team.on.public_id, volunteer=helper.public_id).status_code == 404
    answer = team.does("give", signup=on.public_id, volunteer=team.qiang.public_id)
    assert "撤销" not in team.client.get(answer.location).text
    assert who_is_on(team.first) == {team.fang.id, team.qiang.id}


def test_advice_against_it_refuses_a_leader_whatever_reason_she_gives(team):
    close = team.shift(team.helping.activity("红马甲巡防", team_id=team.team.id), 3)
    answer = team.does("assign", post=close.posts[0].id, volunteer=team.fang.public_id, reason="就要这样")
    assert answer.status_code == 422
    assert "请打社区电话" in answer.text
    assert who_is_on(close) == set()


@pytest.mark.parametrize("act", ["assign", "move", "swap", "give", "remove"])
def test_nothing_of_anybody_elses_roster_exists(team, app, act):
    stranger = team.helping.volunteer(team.make.person("孙队长"))
    mine = team.make.add(
        VolunteerTeam(community_id=team.make.community().id, name="绿马甲", leader_id=stranger.person_id)
    )
    team.shift(team.helping.activity("绿马甲", team_id=mine.id), 2)
    client = app.test_client().sign_in(team.make.resident(stranger.person))
    facts = {"signup": team.on.public_id, "other": team.on.public_id, "post": team.second.posts[0].id}
    facts |= {"volunteer": team.qiang.public_id, "reason": "改期了"}
    assert client.post(ROSTER, data={"act": act, **facts}).status_code == 404
    for page in (f"/places/{team.on.public_id}", f"/posts/{team.first.posts[0].id}"):
        assert client.get(ROSTER + page).status_code == 404
    assert "红马甲" not in client.get(ROSTER + team.week).text
    assert who_is_on(team.first) == {team.fang.id}


def test_who_leads_nothing_finds_an_empty_week_that_says_what_to_do(client, make):
    client.sign_in(make.resident(make.person()))
    page = client.get(ROSTER).text
    assert "这一周没有您负责的班次" in page
    assert client.post(ROSTER, data={"act": "nonsense"}).status_code == 422


def test_a_leader_of_a_disbanded_team_keeps_no_roster(team):
    with transaction():
        db.session.get_one(VolunteerTeam, team.team.id).disbanded_on = today()
    assert "红马甲送餐" not in team.sees()
    assert team.does("remove", signup=team.on.public_id, reason="改期了").status_code == 404


def test_a_leaders_week_takes_few_questions_however_much_is_in_it(team):
    for hour in (9, 12):
        shift = team.shift(team.activity, hour)
        for _one in range(4):
            team.put(shift, team.helping.volunteer())
    with count_queries() as asked:
        team.sees()
    assert len(asked) <= 14, asked
