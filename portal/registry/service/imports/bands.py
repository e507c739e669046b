"""Registers of volunteer teams: a name, what it does, its leader and members, as far as they are of the register."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.clock import today
from portal.core.db import db
from portal.core.sealing import blind
from portal.registry.models import (
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonState,
    TeamMember,
    VolunteerTeam,
)
from portal.registry.service.imports import cells, things
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.things import Handler, Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field, words_of

# What a new team holds of which its row says nothing.
BLANK: Values = {
    "sort": "",
    "headcount": None,
    "purpose": "",
    "founded_on": None,
    "disbanded_on": None,
    "leader": "",
    "members": "",
}
PLAIN = ("sort", "headcount", "purpose", "founded_on", "disbanded_on")
COLUMNS = {"sort": "sort", "headcount": "said_to_be", "purpose": "purpose"}
MOST_PEOPLE = 100_000


def understand(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    cells.title(one, said, 60)
    cells.texts(one, said, (Field.PURPOSE, Field.SORT))
    if Field.HEADCOUNT in said:
        found = cells.counted(said[Field.HEADCOUNT])
        if found is None or found[0] > MOST_PEOPLE:
            one.refuse(Field.HEADCOUNT, "headcount")
        else:
            one.values["headcount"] = found[0]
    cells.day(one, said, Field.FOUNDED_ON, rules, past=True)
    leader = said.get(Field.LEADER, "").replace(" ", "")
    if leader:
        one.values["leader"] = leader
    members = [name for name in words_of(said.get(Field.MEMBERS, "")) if not name.isdigit()]
    if members:
        one.values["members"] = members
    # Only to tell people of one name apart; a team has no telephone of its own.
    one.values["asked"] = said.get(Field.PHONE, "")
    one.values["disbanded_on"] = None


def known(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    names = [one.label for one in rows]
    query = sa.select(VolunteerTeam).where(VolunteerTeam.community_id == community_id, VolunteerTeam.name.in_(names))
    teams = {team.name: team for team in session.scalars(query.options(*_loaded()).order_by(VolunteerTeam.id))}
    people = _people(session, rows, community_id)
    for one in rows:
        _resolve(one, people, teams.get(one.label))
    return {(name,): Stored(team.id, _said(team)) for name, team in teams.items()}


def _loaded() -> tuple[Any, ...]:
    return (
        joinedload(VolunteerTeam.leader),
        selectinload(VolunteerTeam.members).joinedload(TeamMember.person),
    )


def _people(session: Session, rows: Sequence[Thing], community_id: int) -> dict[str, list[Person]]:
    """Who of the community is called as rows call leaders and members."""
    names = {one.values["leader"] for one in rows if "leader" in one.values}
    names.update(name for one in rows for name in one.values.get("members", ()))
    return _by_name(session, names, community_id)


def _by_name(session: Session, names: Collection[str], community_id: int) -> dict[str, list[Person]]:
    query = sa.select(Person).where(
        Person.community_id == community_id,
        Person.name.in_(names),
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
    )
    found: dict[str, list[Person]] = {}
    for person in session.scalars(query.order_by(Person.id)):
        found.setdefault(person.name, []).append(person)
    return found


def _resolve(one: Thing, people: Mapping[str, list[Person]], team: VolunteerTeam | None) -> None:
    """Names become people of the register; who is nobody, or several, is left out, and the row says so. Who is in the
    team already stays: a register adds members and removes none.
    """
    phone, name = one.values.pop("asked"), one.values.pop("leader", "")
    leader = _only(people, name, phone)
    found = [_only(people, member, "") for member in one.values.pop("members", [])]
    if name and leader is None:
        one.flags.append("leader_unknown")
    if None in found:
        one.flags.append("member_unknown")
    joining = {person.id: person for person in [leader, *found] if person is not None}
    have = {} if team is None else {member.person_id: member.person for member in _present(team)}
    if joining:
        one.values["members"] = _names([*have.values(), *(joining[number] for number in joining.keys() - have.keys())])
        one.values["_joining"] = sorted(joining.keys() - have.keys())
    if leader is not None:
        one.values |= {"leader": leader.name, "_leader": leader.id}


def _only(people: Mapping[str, list[Person]], name: str, phone: str) -> Person | None:
    same = people.get(name, [])
    if len(same) > 1 and phone:
        index = blind("person.phone", phone)
        same = [person for person in same if person.phone_index in (index, *index.older)]
    return same[0] if len(same) == 1 else None


def _present(team: VolunteerTeam) -> list[TeamMember]:
    return [member for member in team.members if member.holds(today())]


def _names(people: Collection[Person]) -> str:
    return _("、").join(person.name for person in sorted(people, key=lambda person: (person.pinyin, person.id)))


def _said(team: VolunteerTeam) -> Values:
    return {
        "sort": team.sort,
        "headcount": team.said_to_be,
        "purpose": team.purpose,
        "founded_on": _day(team.founded_on),
        "disbanded_on": _day(team.disbanded_on),
        "leader": team.leader.name if team.leader else "",
        "members": _names([member.person for member in _present(team)]),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    """Each row is written with what undoing needs: which team, who led it, and whose membership it began."""
    teams = _held(things.said(row)["id"] for row in rows if row.outcome is Outcome.CHANGED)
    for row in rows:
        said, was = things.said(row), things.was(row)
        team = teams.get(said["id"] or 0)
        if row.outcome is Outcome.CHANGED and (team is None or not _stands(team, was)):
            raise things.moved_on(row)
        if team is None:
            team = VolunteerTeam(community_id=batch.community_id, name=row.name, batch_id=batch.id, purpose="")
            db.session.add(team)
        was["_leader"] = team.leader_id
        _put(team, said)
        was |= {"_of": team.id, "_joined": _join(team, said.get("_joining", ()))}
        row.before = things.text(was)
    db.session.flush()


def _held(numbers: Iterator[int]) -> dict[int, VolunteerTeam]:
    """The teams with their members as they stand now, held until the end."""
    found = {team.id: team for team in things.held(VolunteerTeam, VolunteerTeam.id.in_(set(numbers)))}
    for team in found.values():
        db.session.expire(team, ["members", "leader"])
    return found


def _put(team: VolunteerTeam, said: Values) -> None:
    for name in COLUMNS.keys() & said.keys():
        setattr(team, COLUMNS[name], said[name])
    for name in ("founded_on", "disbanded_on"):
        if name in said:
            setattr(team, name, date.fromisoformat(said[name]) if said[name] else None)
    if "_leader" in said:
        team.leader_id = said["_leader"]
    db.session.flush()


def _join(team: VolunteerTeam, people: Collection[int]) -> list[int]:
    """Memberships from today on. Who left today and comes back the same day keeps hers, which no undoing ends."""
    today_left = {member.person_id: member for member in team.members if member.since == today()}
    joined = []
    for number in people:
        if number in today_left:
            today_left[number].until = None
        else:
            joined.append(TeamMember(team_id=team.id, person_id=number, since=today()))
    db.session.add_all(joined)
    db.session.flush()
    return [member.id for member in joined]


def _stands(team: VolunteerTeam, values: Values) -> bool:
    """Whether what was read, or written, once still stands."""
    now_so = _said(team)
    return all(now_so[name] == value for name, value in values.items() if name in now_so)


def undo(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    """Refused, with their names, where somebody edited a team or its people since. Who leads it otherwise than by the
    register goes on leading it.
    """
    teams = _held(things.was(row)["_of"] for row in rows)
    of = [(row, things.was(row)["_of"]) for row in rows]
    things.refuse_edited(
        things.Held("volunteer_team", number if number in teams else None, row.name)
        for row, number in of
        if not _still(batch, row, teams.get(number))
    )
    for row in rows:
        was = things.was(row)
        team = teams[was["_of"]]
        said = things.said(row)
        if "_leader" in said and team.leader_id == said["_leader"]:
            team.leader_id = was["_leader"]
        for member in [one for one in team.members if one.id in was["_joined"]]:
            db.session.delete(member)
        if row.outcome is Outcome.CHANGED:
            _put(team, {name: was[name] for name in PLAIN if name in was})
        db.session.flush()
        db.session.expire(team, ["members", "leader"])


def _still(batch: ImportBatch, row: ImportRow, team: VolunteerTeam | None) -> bool:
    said, was = things.said(row), things.was(row)
    if team is None:
        return False
    if row.outcome is Outcome.CHANGED:
        joined = {member.person_id for member in team.members if member.id in was["_joined"]}
        leads = team.leader_id in joined and team.leader_id != said.get("_leader")
        return not leads and _stands(team, {name: said[name] for name in was if name in said})
    mine = {name: said.get(name, blank) for name, blank in BLANK.items()}
    return (
        team.batch_id == batch.id
        and team.name == row.name
        and len(team.members) == len(was["_joined"])
        and (_stands(team, mine))
    )


TEAMS = Handler(understand, known, store, undo)
