"""Volunteer teams: their leader and members are people of the register."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, PersonState, TeamMember, VolunteerTeam
from portal.registry.service import people
from portal.registry.service.resources.listing import Paged, Wanted, in_reach, one_in, paged


@dataclass(frozen=True)
class TeamFacts:
    name: str
    purpose: str = ""
    founded_on: date | None = None
    sort: str = ""
    said_to_be: int | None = None


@dataclass(frozen=True)
class Listed:
    """One member as a reader may see her: by name in full only where she is in the reader's own scope."""

    member: TeamMember
    person: Person
    known: bool
    leads: bool
    serves: bool


def teams(within: Collection[Scope], wanted: Wanted) -> Paged[VolunteerTeam]:
    """The teams in scope by community and name."""
    query = sa.select(VolunteerTeam).options(
        joinedload(VolunteerTeam.community), joinedload(VolunteerTeam.leader), _who()
    )
    closed = VolunteerTeam.disbanded_on
    query = query.where(
        in_reach(VolunteerTeam.community_id, within, wanted.community),
        closed.is_not(None) if wanted.state == "closed" else closed.is_(None),
    )
    if wanted.q:
        either = (VolunteerTeam.name, VolunteerTeam.purpose)
        query = query.where(sa.or_(*(column.icontains(wanted.q, autoescape=True) for column in either)))
    return paged(query.order_by(VolunteerTeam.community_id, VolunteerTeam.name, VolunteerTeam.id), wanted)


def _who() -> sa.orm.interfaces.ORMOption:
    """The members as far as counting them needs."""
    return (
        selectinload(VolunteerTeam.members).joinedload(TeamMember.person).load_only(Person.state, Person.merged_into_id)
    )


def team_in(within: Collection[Scope], team_id: int) -> VolunteerTeam:
    query = sa.select(VolunteerTeam).options(
        joinedload(VolunteerTeam.community),
        joinedload(VolunteerTeam.leader),
        selectinload(VolunteerTeam.members).joinedload(TeamMember.person),
    )
    return one_in(query.where(in_reach(VolunteerTeam.community_id, within), VolunteerTeam.id == team_id))


def headcount(team: VolunteerTeam) -> int:
    """How many are in the team today; who died or moved away is named still, and counted no more."""
    return sum(member.holds(today()) and serves(member.person) for member in team.members)


def serves(person: Person) -> bool:
    """Whether somebody may be counted on; a record that was merged answers as the person it stands for."""
    return people.resolved(person).state is PersonState.PRESENT


def members_of(team: VolunteerTeam, knowing: Collection[Scope]) -> list[Listed]:
    """Who is in the team today, the leader first and who is gone last; `knowing` is where names may be known."""
    now_in = [member for member in team.members if member.holds(today())]
    ids = [member.person_id for member in now_in]
    known = set(db.session.scalars(sa.select(Person.id).where(Person.id.in_(ids), people.within(knowing))))
    listed = [_listed(one, team, known) for one in now_in]
    return sorted(listed, key=lambda one: (not one.serves, not one.leads, one.person.pinyin, one.person.id))


def _listed(member: TeamMember, team: VolunteerTeam, known: Collection[int]) -> Listed:
    """A leader who died or moved away leads no more, until that is undone."""
    person = people.resolved(member.person)
    still = person.state is PersonState.PRESENT
    return Listed(member, person, member.person_id in known, still and member.person_id == team.leader_id, still)


def leader_of(team: VolunteerTeam) -> Person | None:
    """Who leads the team today; nobody once the one who did has died or moved away."""
    return team.leader if team.leader and serves(team.leader) else None


def add_team(community: Area, facts: TeamFacts) -> VolunteerTeam:
    team = VolunteerTeam(community_id=community.id)
    with unique_or(_name_taken()):
        _say(team, facts)
        db.session.add(team)
    audit.record("resources.team_added", team, name=facts.name)
    return team


def change_team(team: VolunteerTeam, facts: TeamFacts) -> None:
    with unique_or(_name_taken()):
        _say(team, facts)
    audit.record("resources.team_changed", team, name=facts.name)


def _name_taken() -> Refused:
    return Refused(_("这个社区已经有同名的志愿队（也可能已解散），请换个名字。"), field="name")


def _say(team: VolunteerTeam, facts: TeamFacts) -> None:
    if facts.founded_on and facts.founded_on > today():
        raise Refused(_("成立日期还没有到，请核对。"), field="founded_on")
    team.name, team.purpose, team.founded_on = facts.name, facts.purpose, facts.founded_on
    team.sort, team.said_to_be = facts.sort, facts.said_to_be


def join(team: VolunteerTeam, person: Person) -> TeamMember:
    """Take somebody of the register into a team, from today on."""
    if person.state is not PersonState.PRESENT:
        raise Refused(_("这位居民已不在册，不能加入志愿队。"))
    _refuse_disbanded(team)
    if any(member.person_id == person.id and member.holds(today()) for member in team.members):
        raise Refused(_("%(name)s已经在这支志愿队里。", name=person.name))
    member = TeamMember(team_id=team.id, person_id=person.id, since=today())
    # Who left today and comes back the same day keeps the row.
    left_today = next((one for one in team.members if (one.person_id, one.since) == (person.id, today())), None)
    if left_today is not None:
        left_today.until = None
        return left_today
    with unique_or(Refused(_("%(name)s已经在这支志愿队里。", name=person.name))):
        db.session.add(member)
    audit.record("resources.member_joined", team, person=person.public_id)
    return member


def leave(team: VolunteerTeam, member_id: int) -> None:
    """Yesterday was her last day; the leader lays that down with it."""
    member = next((one for one in team.members if one.id == member_id and one.holds(today())), None)
    if member is None:
        raise Missing
    member.until = date.fromordinal(today().toordinal() - 1)
    if team.leader_id == member.person_id:
        team.leader_id = None
    audit.record("resources.member_left", team, person=member.person.public_id)


def lead(team: VolunteerTeam, member_id: int) -> None:
    _refuse_disbanded(team)
    member = next((one for one in team.members if one.id == member_id and one.holds(today())), None)
    if member is None:
        raise Missing
    if not serves(member.person):
        raise Refused(_("这位居民已不在册，不能当队长。"))
    team.leader_id = member.person_id
    audit.record("resources.team_led", team, person=member.person.public_id)


def _refuse_disbanded(team: VolunteerTeam) -> None:
    if team.disbanded_on is not None:
        raise Refused(_("这支志愿队已经解散，请先恢复。"))


def disband(team: VolunteerTeam) -> None:
    team.disbanded_on = team.disbanded_on or today()
    audit.record("resources.team_disbanded", team, name=team.name)


def revive(team: VolunteerTeam) -> None:
    team.disbanded_on = None
    audit.record("resources.team_revived", team, name=team.name)
