"""Volunteer teams from the volunteers' side: wishing to be in one, a leader who keeps only her own, an invitation."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.core import audit, outbox, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, TeamMember, VolunteerTeam
from portal.registry.service import people as register
from portal.registry.service.resources import teams as registry
from portal.volunteers.models.codes import VolunteerState, WishState
from portal.volunteers.models.people import TeamWish, Volunteer
from portal.volunteers.service import people

# An invitation's link and code hold so long.
INVITED_FOR = timedelta(days=14)


@dataclass(frozen=True)
class Shown:
    """A team as a volunteer sees it: how many are in it, and how she stands to it."""

    team: VolunteerTeam
    count: int
    member: TeamMember | None
    wish: TeamWish | None


def _living() -> sa.Select[VolunteerTeam]:
    query = sa.select(VolunteerTeam).where(VolunteerTeam.disbanded_on.is_(None))
    return query.options(
        joinedload(VolunteerTeam.community),
        joinedload(VolunteerTeam.leader),
        selectinload(VolunteerTeam.members)
        .joinedload(TeamMember.person)
        .load_only(Person.public_id, Person.name, Person.pinyin, Person.state, Person.merged_into_id),
    )


def teams_for(volunteer: Volunteer | None) -> list[Shown]:
    """The teams there are, those of her own community first."""
    here = volunteer.community_id if volunteer else 0
    order = (VolunteerTeam.community_id != here, VolunteerTeam.community_id, VolunteerTeam.name, VolunteerTeam.id)
    mine = _ids(volunteer) if volunteer else set()
    wishes = _wishes(volunteer) if volunteer else {}
    return [_shown(team, mine, wishes) for team in db.session.scalars(_living().order_by(*order))]


def _ids(volunteer: Volunteer) -> set[int]:
    return set(db.session.scalars(register.ids_of(volunteer.person)))


def _wishes(volunteer: Volunteer) -> dict[int, TeamWish]:
    query = sa.select(TeamWish).where(TeamWish.volunteer_id == volunteer.id, TeamWish.state == WishState.ASKED)
    return {wish.team_id: wish for wish in db.session.scalars(query.order_by(TeamWish.id))}


def _shown(team: VolunteerTeam, mine: Collection[int], wishes: dict[int, TeamWish]) -> Shown:
    member = next((one for one in team.members if one.person_id in mine and one.holds(today())), None)
    return Shown(team, registry.headcount(team), member, wishes.get(team.id))


def team(number: int) -> VolunteerTeam:
    """A team that is not disbanded; Missing when there is none."""
    found = db.session.scalars(_living().where(VolunteerTeam.id == number)).unique().first()
    if found is None:
        raise Missing
    return found


def ask(team: VolunteerTeam, volunteer: Volunteer, *, words: str) -> TeamWish:
    """A wish to be in a team; its leader, else the community's workers, answers."""
    _refuse_idle(volunteer)
    if _member(team, volunteer) is not None:
        raise Refused(_("您已经在这支志愿队里了。"))
    made = TeamWish(team_id=team.id, volunteer_id=volunteer.id, words=words)
    with unique_or(Refused(_("已经申请过了，请等队长答复。"))):
        db.session.add(made)
    audit.record("volunteers.team_asked", made, name=team.name)
    leader = registry.leader_of(team)
    if leader is not None:
        outbox.enqueue("volunteers.team_asked", to=leader.ref, person=volunteer.person.name, team=team.name)
    return made


def _refuse_idle(volunteer: Volunteer) -> None:
    if volunteer.state is not VolunteerState.ACTIVE:
        raise Refused(_("您现在不能加入志愿队：登记还没有通过，或者正在暂停。请先看看“我的志愿者资料”。"))


def _member(team: VolunteerTeam, volunteer: Volunteer) -> TeamMember | None:
    mine = _ids(volunteer)
    return next((one for one in team.members if one.person_id in mine and one.holds(today())), None)


def withdraw(team: VolunteerTeam, volunteer: Volunteer) -> None:
    wish = _wishes(volunteer).get(team.id)
    if wish is None:
        raise Refused(_("没有等待答复的申请。"))
    _end(wish, WishState.WITHDRAWN, by=volunteer.person.name)


def _end(wish: TeamWish, state: WishState, *, by: str, reason: str = "") -> None:
    db.session.refresh(wish, ["state"], with_for_update=True)
    if wish.state is not WishState.ASKED:
        raise Refused(_("这个申请已经答复过了，请刷新看看。"))
    wish.state, wish.ended_at, wish.ended_by_name, wish.reason = state, now(), by, reason
    audit.record("volunteers.team_answered", wish, reason=reason, state=state.value)


def accept(wish: TeamWish, *, by: Actor) -> None:
    person = register.resolved(wish.volunteer.person)
    _end(wish, WishState.ACCEPTED, by=by.name)
    if _member(team(wish.team_id), wish.volunteer) is None:
        registry.join(team(wish.team_id), person)
    outbox.enqueue("volunteers.team_accepted", to=person.ref, person=person.name, team=wish.team.name)


def refuse(wish: TeamWish, *, by: Actor, reason: str) -> None:
    _end(wish, WishState.REFUSED, by=by.name, reason=reason)
    person = wish.volunteer.person
    outbox.enqueue("volunteers.team_refused", to=person.ref, person=person.name, team=wish.team.name, reason=reason)


def leave(team: VolunteerTeam, volunteer: Volunteer) -> None:
    member = _member(team, volunteer)
    if member is None:
        raise Refused(_("您不在这支志愿队里。"))
    registry.leave(team, member.id)
    audit.record("volunteers.team_left", volunteer, name=team.name)


def led_by(actor: Actor) -> list[VolunteerTeam]:
    """The teams whose leader an account is known to be."""
    me = register.person_of_or_none(actor)
    if me is None:
        return []
    query = _living().where(VolunteerTeam.leader_id.in_(register.ids_of(me)))
    return list(db.session.scalars(query.order_by(VolunteerTeam.name, VolunteerTeam.id)).unique())


def team_led(actor: Actor, number: int) -> VolunteerTeam:
    """One of them; anybody else's is Missing."""
    found = next((one for one in led_by(actor) if one.id == number), None)
    if found is None:
        raise Missing
    return found


def members(team: VolunteerTeam) -> list[tuple[TeamMember, Volunteer | None]]:
    """Who is in a team today, with what she is as a volunteer; by name."""
    held = sorted((one for one in team.members if one.holds(today())), key=lambda one: (one.person.pinyin, one.id))
    query = sa.select(Volunteer).where(Volunteer.person_id.in_([one.person_id for one in held]))
    known = {one.person_id: one for one in db.session.scalars(query.order_by(Volunteer.id))}
    return [(one, known.get(one.person_id)) for one in held]


def open_wishes(of: Collection[VolunteerTeam]) -> list[TeamWish]:
    return _asked(TeamWish.team_id.in_([one.id for one in of]))


def wishes_within(within: Collection[Scope]) -> list[TeamWish]:
    """What waits in the teams of the communities in scope."""
    return _asked(TeamWish.team.has(VolunteerTeam.community_id.in_(people.community_ids(within))))


def _asked(condition: sa.ColumnElement[bool]) -> list[TeamWish]:
    query = sa.select(TeamWish).where(condition, TeamWish.state == WishState.ASKED)
    loaded = query.options(
        joinedload(TeamWish.team).joinedload(VolunteerTeam.leader),
        joinedload(TeamWish.volunteer).joinedload(Volunteer.person),
    )
    return list(db.session.scalars(loaded.order_by(TeamWish.asked_at, TeamWish.id)))


def wish_of(wishes: Collection[TeamWish], public_id: str) -> TeamWish:
    """One of the wishes somebody may answer; Missing when it is none of them."""
    found = next((one for one in wishes if one.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def member_of(team: VolunteerTeam, member_id: int) -> TeamMember:
    found = next((one for one in team.members if one.id == member_id and one.holds(today())), None)
    if found is None:
        raise Missing
    return found


def remove(team: VolunteerTeam, member_id: int, *, reason: str) -> None:
    """A leader asks somebody out of her team; never herself."""
    member = member_of(team, member_id)
    if member.person_id == team.leader_id:
        raise Refused(_("队长不能请自己离开。要换队长请联系社区。"))
    registry.leave(team, member_id)
    audit.record("volunteers.team_member_removed", team, reason=reason, person=member.person.public_id)
    person = member.person
    outbox.enqueue("volunteers.team_removed", to=person.ref, person=person.name, team=team.name, reason=reason)


def invitation(team: VolunteerTeam) -> str:
    """What an invitation's address ends with: signed, for this team, for two weeks."""
    return tokens.sign("volunteers.team", [team.id, team.leader_id])


def invited_to(word: str) -> VolunteerTeam:
    """The team of an invitation; a forged or old one, or one by somebody who leads no more, is refused in words."""
    facts = tokens.unsign("volunteers.team", word, within=INVITED_FOR)
    number, leader = facts or (0, 0)
    found = db.session.scalars(_living().where(VolunteerTeam.id == number)).unique().first()
    if found is None or found.leader_id != leader:
        raise Refused(_("这个邀请已经过期或不对。请让队长重新发一个。"))
    return found


def join_invited(team: VolunteerTeam, volunteer: Volunteer) -> None:
    """Whoever the leader gave her code to is in at once."""
    _refuse_idle(volunteer)
    if _member(team, volunteer) is not None:
        raise Refused(_("您已经在这支志愿队里了。"))
    registry.join(team, register.resolved(volunteer.person))
    wish = _wishes(volunteer).get(team.id)
    if wish is not None:
        _end(wish, WishState.ACCEPTED, by=volunteer.person.name)
