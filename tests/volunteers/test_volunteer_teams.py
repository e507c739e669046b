"""Volunteer teams: wishes, leaders who keep only their own, invitations by a signed address."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.registry.models import Person, TeamMember, VolunteerTeam
from portal.volunteers.models.codes import VolunteerState, WishState
from portal.volunteers.models.people import TeamWish, Volunteer
from portal.volunteers.service import teams
from tests.acting import actor_of
from tests.client import Client
from tests.helping import Helping
from tests.make import Make


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


def a_team(make: Make, leader: Person | None = None, *, name: str = "", **more) -> VolunteerTeam:
    community = more.pop("community", None) or make.community()
    team = VolunteerTeam(community_id=community.id, name=name or f"志愿队{make.number()}", purpose="助老送餐", **more)
    team.leader_id = leader.id if leader else None
    make.add(team)
    if leader:
        make.add(TeamMember(team_id=team.id, person_id=leader.id, since=today() - timedelta(days=9)))
    return team


def in_it(team: VolunteerTeam) -> set[int]:
    db.session.rollback()
    query = sa.select(TeamMember).where(TeamMember.team_id == team.id)
    return {one.person_id for one in db.session.scalars(query) if one.holds(today())}


def told(event: str) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow.recipient_id).where(OutboxRow.topic == event)))


@pytest.fixture
def led(make):
    leader = make.person("钱队长")
    return leader, make.resident(leader), a_team(make, leader, name="银杏送餐队")


@pytest.fixture
def wisher(make, helping) -> Volunteer:
    return helping.volunteer(make.person("林小梅"))


def test_a_volunteer_asks_and_the_leader_takes_her_in(make, client: Client, led, wisher):
    leader, account, team = led
    client.sign_in(make.resident(wisher.person))
    assert "银杏送餐队" in client.get("/volunteers/teams").text
    assert client.get(f"/volunteers/teams/{team.id}/ask").status_code == 200
    assert client.post(f"/volunteers/teams/{team.id}/ask", data={"words": "会骑车"}).status_code == 303
    assert client.post(f"/volunteers/teams/{team.id}/ask", data={}).status_code == 422
    assert "等答复" in client.get("/volunteers/teams").text
    assert told("volunteers.team_asked") == [leader.public_id]
    client.sign_in(account)
    assert "1 人申请" in client.get("/volunteers/lead/teams").text
    page = client.get(f"/volunteers/lead/teams/{team.id}").text
    assert "会骑车" in page
    wish = db.session.scalars(sa.select(TeamWish)).one()
    for _twice in range(2):
        client.post(f"/volunteers/lead/teams/{team.id}/wishes/{wish.public_id}/accept")
    assert in_it(team) == {leader.id, wisher.person_id}
    assert told("volunteers.team_accepted") == [wisher.person.public_id]


def test_a_leader_declines_with_a_reason_and_she_may_ask_again(make, client, led, wisher):
    _leader, account, team = led
    with transaction():
        wish = teams.ask(teams.team(team.id), wisher, words="")
    client.sign_in(account)
    address = f"/volunteers/lead/teams/{team.id}/wishes/{wish.public_id}/refuse"
    assert client.get(address).status_code == 200
    assert client.post(address, data={}).status_code == 422
    assert client.post(address, data={"reason": "人数满了"}).status_code == 303
    assert make.read(wish).state is WishState.REFUSED
    assert told("volunteers.team_refused") == [wisher.person.public_id]
    with transaction():
        teams.ask(teams.team(team.id), wisher, words="")


def test_a_leader_reaches_nobody_elses_team(make, client, led, wisher):
    _leader, account, _team = led
    other = a_team(make, make.person("孙队长"), name="别的队")
    with transaction():
        wish = teams.ask(teams.team(other.id), wisher, words="")
    member = db.session.scalars(sa.select(TeamMember).where(TeamMember.team_id == other.id)).one()
    client.sign_in(account)
    lead = f"/volunteers/lead/teams/{other.id}"
    for path in ("", "/invite", f"/wishes/{wish.public_id}/refuse", f"/members/{member.id}/remove"):
        assert client.get(lead + path).status_code == 404, path
    assert client.post(f"{lead}/wishes/{wish.public_id}/accept").status_code == 404
    mine = f"/volunteers/lead/teams/{_team.id}"
    assert client.post(f"{mine}/wishes/{wish.public_id}/accept").status_code == 404
    assert client.get(f"{mine}/members/{member.id}/remove").status_code == 404


def test_who_leads_nothing_reads_what_to_do(make, client, wisher):
    client.sign_in(make.resident(wisher.person))
    assert "您没有带志愿队" in client.get("/volunteers/lead/teams").text


def test_a_leader_asks_a_member_out_with_a_reason_but_not_herself(make, client, led, wisher):
    leader, account, team = led
    member = make.add(TeamMember(team_id=team.id, person_id=wisher.person_id, since=today() - timedelta(days=3)))
    own = db.session.scalars(sa.select(TeamMember).where(TeamMember.person_id == leader.id)).one()
    client.sign_in(account)
    base = f"/volunteers/lead/teams/{team.id}/members"
    assert client.get(f"{base}/{member.id}/remove").status_code == 200
    assert client.post(f"{base}/{member.id}/remove", data={}).status_code == 422
    assert client.post(f"{base}/{own.id}/remove", data={"reason": "试试"}).status_code == 422
    assert client.post(f"{base}/{member.id}/remove", data={"reason": "半年没来"}).status_code == 303
    assert in_it(team) == {leader.id}
    assert told("volunteers.team_removed") == [wisher.person.public_id]


def test_an_invitation_lets_in_at_once_and_a_forged_or_old_one_does_not(make, client, led, wisher):
    leader, account, team = led
    client.sign_in(account)
    page = client.get(f"/volunteers/lead/teams/{team.id}/invite").text
    path = "/volunteers/teams/join/" + page.split("/volunteers/teams/join/")[1].split("<")[0].strip()
    client.sign_in(make.resident(wisher.person))
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 303
    assert in_it(team) == {leader.id, wisher.person_id}
    again = client.post(path)
    assert again.status_code == 422
    assert "已经在" in again.text
    assert client.get(path[:-2] + "xx", follow_redirects=True).text.count("过期或不对") == 1
    with transaction():
        db.session.get(VolunteerTeam, team.id).leader_id = None
    assert "过期或不对" in client.get(path, follow_redirects=True).text


def test_an_invited_neighbour_who_is_no_volunteer_is_sent_to_register(make, client, led):
    _leader, _account, team = led
    client.sign_in(make.resident(make.person("吴三")))
    found = client.get(f"/volunteers/teams/join/{teams.invitation(team)}").text
    assert "先登记成为志愿者" in found


def test_only_who_may_serve_joins(make, led, helping):
    _leader, _account, team = led
    resting = helping.volunteer(state=VolunteerState.PAUSED)
    for act in (lambda: teams.ask(teams.team(team.id), resting, words=""), lambda: teams.join_invited(team, resting)):
        with pytest.raises(Refused, match="现在不能加入"), transaction():
            act()


def test_a_member_leaves_and_a_wish_is_taken_back(make, client, led, wisher):
    leader, _account, team = led
    client.sign_in(make.resident(wisher.person))
    client.post(f"/volunteers/teams/{team.id}/ask", data={})
    client.post(f"/volunteers/teams/{team.id}/withdraw")
    assert db.session.scalars(sa.select(TeamWish)).one().state is WishState.WITHDRAWN
    make.add(TeamMember(team_id=team.id, person_id=wisher.person_id, since=today() - timedelta(days=3)))
    assert "离开这支队" in client.get("/volunteers/teams").text
    client.post(f"/volunteers/teams/{team.id}/leave")
    assert in_it(team) == {leader.id}


def test_a_worker_answers_where_nobody_leads_in_her_own_community(make, client, wisher):
    here, there = a_team(make, name="没人带的队"), a_team(make, name="远处队", community=make.community("别处社区"))
    with transaction():
        near, far = (teams.ask(teams.team(team.id), wisher, words="") for team in (here, there))
    client.sign_in(make.worker())
    page = client.get("/desk/volunteers/team-wishes").text
    assert "没人带的队" in page
    assert "远处队" not in page
    assert client.post(f"/desk/volunteers/team-wishes/{far.public_id}/accept").status_code == 404
    assert client.get(f"/desk/volunteers/team-wishes/{near.public_id}/refuse").status_code == 200
    assert client.post(f"/desk/volunteers/team-wishes/{near.public_id}/accept").status_code == 303
    assert in_it(here) == {wisher.person_id}
    assert "没有等待答复的申请" in client.get("/desk/volunteers/team-wishes").text


def test_a_disbanded_team_is_not_there(make, client, wisher):
    gone = a_team(make, name="散了的队", disbanded_on=date(2024, 1, 1))
    client.sign_in(make.resident(wisher.person))
    assert "散了的队" not in client.get("/volunteers/teams").text
    assert client.get(f"/volunteers/teams/{gone.id}/ask").status_code == 404


def test_a_leader_sees_members_who_are_no_volunteers_yet(make, led, helping):
    leader, account, team = led
    known = helping.volunteer(leader)
    other = make.person("陈新人")
    make.add(TeamMember(team_id=team.id, person_id=other.id, since=today()))
    found = teams.members(teams.team_led(actor_of(account), team.id))
    assert {(member.person_id, one.id if one else None) for member, one in found} == {
        (leader.id, known.id),
        (other.id, None),
    }
