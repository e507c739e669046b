"""Rosters: a worker's named lists. Whom she may see of them is asked anew at each look."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm.attributes import set_committed_value

from portal.areas.models import Area
from portal.core import audit, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.doors import Passed
from portal.core.errors import Missing, Refused
from portal.registry.models import Person, PersonState, Roster, RosterEntry
from portal.registry.service import lists, people
from portal.registry.service.finding import Inside, inside
from portal.registry.service.lines import Line, lines_of

MOST_PEOPLE = 5000
MOST_ROSTERS = 100


@dataclass(frozen=True)
class Counted:
    """How many of a roster's people one may see: who lives here, who died, who moved away."""

    living: int = 0
    dead: int = 0
    left: int = 0

    @property
    def words(self) -> str:
        """Who is on the roster and not counted; empty where that is nobody."""
        if self.dead and self.left:
            return _("另有 %(dead)d 人已去世、%(left)d 人已迁出，不计入", dead=self.dead, left=self.left)
        if self.dead:
            return _("另有 %(dead)d 人已去世，不计入", dead=self.dead)
        return _("另有 %(left)d 人已迁出，不计入", left=self.left) if self.left else ""


def _counted(who: sa.FromClause) -> list[sa.ColumnElement[int]]:
    states = (PersonState.PRESENT, PersonState.DEAD, PersonState.MOVED_OUT)
    return [sa.func.count(sa.distinct(sa.case((Person.state == state, who.c.id)))) for state in states]


def rosters(owner: Actor, within: Collection[Scope]) -> list[tuple[Roster, Counted]]:
    """Her rosters, the latest changed first, with how many people of each she may see now."""
    query = sa.select(Roster).where(Roster.owner == owner.public_id).order_by(Roster.changed_at.desc(), Roster.id)
    found = list(db.session.scalars(query.limit(MOST_ROSTERS)))
    entry = people.stood_for(Person.id.in_(sa.select(RosterEntry.person_id).join(Roster).where(_hers(owner))))
    counts = (
        sa.select(RosterEntry.roster_id, *_counted(entry))
        .join(entry, entry.c.origin == RosterEntry.person_id)
        .join(Person, Person.id == entry.c.id)
        .where(RosterEntry.roster_id.in_([roster.id for roster in found]), inside(within).holds())
        .group_by(RosterEntry.roster_id)
    )
    known = {number: Counted(*numbers) for number, *numbers in db.session.execute(counts)}
    return [(roster, known.get(roster.id, Counted())) for roster in found]


def _hers(owner: Actor) -> sa.ColumnElement[bool]:
    return Roster.owner == owner.public_id


def roster_of(owner: Actor, public_id: str) -> Roster:
    """A roster of hers by public id; anybody else's is not there."""
    roster = db.session.scalar(sa.select(Roster).where(Roster.public_id == public_id, _hers(owner)))
    if roster is None:
        raise Missing
    return roster


def everyone(roster: Roster, area: Inside) -> sa.Select[int]:
    """The ids of the roster's people inside an area; who was merged stands there as who she is now."""
    entries = sa.select(RosterEntry.person_id).where(RosterEntry.roster_id == roster.id)
    who = people.stood_for(Person.id.in_(entries))
    return sa.select(Person.id).where(Person.id.in_(sa.select(who.c.id)), area.holds())


def living(roster: Roster, area: Inside) -> sa.Select[int]:
    """Those of them who live here: who is printed, and exported."""
    return everyone(roster, area).where(Person.state == PersonState.PRESENT)


def counted(roster: Roster, within: Collection[Scope]) -> Counted:
    """How many of a roster's people the asker may see, by whether they still live here."""
    who = everyone(roster, inside(within)).add_columns(Person.state).subquery()
    found = db.session.execute(sa.select(who.c.state, sa.func.count().label("people")).group_by(who.c.state)).all()
    numbers = {one.state: one.people for one in found}
    states = (PersonState.PRESENT, PersonState.DEAD, PersonState.MOVED_OUT)
    return Counted(*(numbers.get(state, 0) for state in states))


def page_of(roster: Roster, within: Collection[Scope], *, after: str = "", limit: int = lists.PAGE) -> lists.Page:
    """One page by the sound of names. Who left the asker's area is neither shown nor counted."""
    area = inside(within)
    query = everyone(roster, area)
    cursor = sa.select(Person.pinyin, Person.id).where(Person.public_id == after, area.holds())
    row = db.session.execute(cursor).first() if after else None
    beyond = [sa.tuple_(Person.pinyin, Person.id) > sa.tuple_(row[0], row[1])] if row else []
    ordered = query.where(*beyond).order_by(Person.pinyin, Person.id).limit(limit + 1)
    found = list(db.session.scalars(ordered))
    lines, count = lines_of(found[:limit]), lists.counted(query)
    following = lines[-1].public_id if len(found) > limit and lines else ""
    return lists.Page(lines, following, min(count, lists.MOST_COUNTED), count > lists.MOST_COUNTED)


def all_lines(roster: Roster, within: Collection[Scope], *, limit: int) -> list[Line]:
    """Who lives here, by the sound of names: nobody is sent to the door of the dead."""
    query = living(roster, inside(within)).order_by(Person.pinyin, Person.id).limit(limit)
    return lines_of(list(db.session.scalars(query)))


def make(owner: Actor, *, name: str, note: str = "", chosen: sa.Select[int], key: str = "") -> Roster:
    """A new roster of these people. The same form sent twice makes one."""
    earlier = tokens.same_request(owner.public_id, "registry.roster_made", key, name)
    if earlier:
        return roster_of(owner, earlier)
    roster = Roster(owner=owner.public_id, name=name, note=note, made_at=now(), changed_at=now())
    with unique_or(_taken(name)):
        db.session.add(roster)
    count = _add(roster, chosen)
    audit.record("registry.roster_made", roster, count=count)
    tokens.remember_request(owner.public_id, "registry.roster_made", key, name, roster.public_id)
    return roster


def _taken(name: str) -> Refused:
    return Refused(_("您已经有一个名单叫“%(name)s”，请换一个名字。", name=name), field="name")


def chosen_in(within: Collection[Scope], public_ids: Collection[str]) -> sa.Select[int]:
    """The ids of people who were ticked, as far as they are in scope."""
    ticked = sa.select(Person.id).where(Person.public_id.in_(list(public_ids)[:MOST_PEOPLE]))
    return ticked.where(inside(within).holds(), Person.merged_into_id.is_(None))


def add(roster: Roster, chosen: sa.Select[int]) -> int:
    """Put people on a roster; who is on it already stays once. Returns how many are new."""
    count = _add(roster, chosen)
    roster.changed_at = now()
    audit.record("registry.roster_changed", roster, count=count)
    return count


def _add(roster: Roster, chosen: sa.Select[int]) -> int:
    before = _size(roster)
    held = sa.select(RosterEntry.person_id).where(RosterEntry.roster_id == roster.id)
    fresh = chosen.where(Person.id.not_in(held)).limit(MOST_PEOPLE + 1)
    if lists.counted(fresh, MOST_PEOPLE) + before > MOST_PEOPLE:
        raise Refused(_("一个名单最多 %(most)d 人，请缩小范围，或分成几个名单。", most=MOST_PEOPLE))
    wanted = fresh.add_columns(sa.literal(roster.id), sa.literal(now(), type_=RosterEntry.added_at.type))
    db.session.execute(sa.insert(RosterEntry).from_select(["person_id", "roster_id", "added_at"], wanted))
    return _size(roster) - before


def _size(roster: Roster) -> int:
    query = sa.select(sa.func.count()).select_from(RosterEntry).where(RosterEntry.roster_id == roster.id)
    return int(db.session.scalar(query) or 0)


def remove(roster: Roster, public_ids: Collection[str], within: Collection[Scope]) -> int:
    """Take people off a roster, under whichever of their records they stand on it; returns how many."""
    area = inside(within)
    who = people.stood_for(Person.id.in_(sa.select(RosterEntry.person_id).where(RosterEntry.roster_id == roster.id)))
    named = sa.select(Person.id).where(Person.public_id.in_(list(public_ids)[:MOST_PEOPLE]), area.holds())
    origins = list(db.session.scalars(sa.select(who.c.origin).where(who.c.id.in_(named)).order_by(who.c.origin)))
    gone = sa.delete(RosterEntry).where(RosterEntry.roster_id == roster.id, RosterEntry.person_id.in_(origins))
    db.session.execute(gone, execution_options={"synchronize_session": False})
    roster.changed_at = now()
    audit.record("registry.roster_changed", roster, removed=len(origins))
    return len(origins)


def rename(roster: Roster, *, name: str, note: str) -> None:
    with unique_or(_taken(name)):
        roster.name, roster.note, roster.changed_at = name, note, now()
    audit.record("registry.roster_changed", roster, fields=["name", "note"])


def delete(roster: Roster) -> None:
    """The list goes; the people on it stay as they are."""
    audit.record("registry.roster_deleted", roster, count=_size(roster))
    for table, column in ((RosterEntry, RosterEntry.roster_id), (Roster, Roster.id)):
        gone = sa.delete(table).where(column == roster.id)
        db.session.execute(gone, execution_options={"synchronize_session": False})
    db.session.expunge(roster)


def to_pass(giver: str, area: Area) -> list[Passed]:
    """A leaver's rosters, but for those with people of other communities than the grid's."""
    return [_passed(roster, roster.name) for roster in _given(giver, area)]


def names_of(ids: Collection[int]) -> list[str]:
    return list(db.session.scalars(sa.select(Roster.name).where(Roster.id.in_(ids)).order_by(Roster.name, Roster.id)))


def _given(giver: str, area: Area) -> list[Roster]:
    community = area.parent_id or area.id
    elsewhere = sa.select(RosterEntry.roster_id).join(Person, Person.id == RosterEntry.person_id)
    elsewhere = elsewhere.where(Person.community_id != community)
    hers = sa.select(Roster).where(Roster.owner == giver, Roster.id.not_in(elsewhere))
    return list(db.session.scalars(hers.order_by(Roster.id)))


def _passed(roster: Roster, name: str) -> Passed:
    """How it was called before, and when it was last changed."""
    return Passed("rosters", roster.id, {"name": name}, [roster.changed_at.isoformat()])


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    """They become her successor's; a name that the successor has already gets a mark."""
    given = [(roster, roster.name) for roster in _given(giver, area)]
    _rename([roster for roster, _name in given], giver, taker)
    return [_passed(roster, name) for roster, name in given]


def _rename(rosters: Collection[Roster], giver: str, owner: str) -> None:
    """One by one, as long as they are the giver's: a roster that went elsewhere meanwhile is not moved."""
    names = set(db.session.scalars(sa.select(Roster.name).where(Roster.owner == owner)))
    for roster in rosters:
        name = was = roster.name
        while name in names:
            name = f"{name}（移交）" if len(name) < 36 else roster.public_id
        names.add(name)
        take = sa.update(Roster).where(Roster.id == roster.id, Roster.owner == giver)
        with unique_or(_moved(was)):
            if not guarded(take.values(owner=owner, name=name, changed_at=now())):
                raise _moved(was)
        db.session.refresh(roster)


def _moved(name: str) -> Refused:
    return Refused(_("名单“%(name)s”刚才已经转给别人或者改过，这次没有办成。请返回重新查看，再交接一次。", name=name))


def take_back(giver: str, taker: str, passed: Collection[Passed]) -> None:
    """They are the giver's again, under their names of then. Raise Refused where one was changed or dropped since."""
    before = {one.id: one for one in passed}
    query = sa.select(Roster).where(Roster.id.in_(before), Roster.owner == taker).order_by(Roster.id)
    standing = list(db.session.scalars(query))
    if [[roster.changed_at.isoformat()] for roster in standing] != [before[key].mark for key in sorted(before)]:
        raise Refused(_("交接的名单已经有人改过或删掉，不能整体收回。请再办一次交接，把没办的转回去。"))
    with db.session.no_autoflush:
        for roster in standing:
            set_committed_value(roster, "name", before[roster.id].was["name"])
        _rename(standing, taker, giver)
