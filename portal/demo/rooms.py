"""The demonstration's rooms with their rules and bookings."""

from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from portal.areas.models import Area
from portal.catalogue.models.rooms import BookedBy, Booker, RoomRule
from portal.catalogue.service.rooms import blocks, booking, rules, series
from portal.catalogue.service.rooms.booking import Wish
from portal.catalogue.service.rooms.rules import RuleFacts
from portal.catalogue.service.rooms.series import Weekly
from portal.core import clock
from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.models import Account
from portal.registry.models import Facility, Organisation, Person, PersonState, Room

BOTH = (Booker.RESIDENT, Booker.ORGANISATION)
DAILY = "每天 8:00-21:00"
RULES = {
    "多功能室": RuleFacts(
        BOTH,
        DAILY,
        needs_confirmation=True,
        longest=180,
        buffer=30,
        equipment="投影、音响、折叠桌椅",
        cost="免费，用电自理",
    ),
    "康复室": RuleFacts(
        BOTH, "周一至周六 8:00-17:30", longest=90, equipment="康复器材、血压计", access="有扶手和防滑垫"
    ),
    "休息室": RuleFacts(BOTH, "每天 9:00-20:00", most_held=3, equipment="沙发、茶水、棋牌"),
    "调解室": RuleFacts((), "周一至周五 8:30-17:30", buffer=0, note="人民调解专用，由工作人员安排"),
}
USES = (
    ("家庭聚会", 12, "休息室"),
    ("棋牌活动", 8, "休息室"),
    ("太极拳练习", 10, "康复室"),
    ("生日会", 20, "多功能室"),
    ("读书会", 15, "多功能室"),
    ("老战友聚会", 10, "休息室"),
)


def build_rooms(session: Session, community: Area) -> None:
    """Rules, bookings, a weekly series and a blocking."""
    worker = actor(session, "worker")
    people = _residents(session, community)
    held = {rule.room.name: rule for rule in _rules(session, community, worker)}
    _book(held, people, worker)
    _weekly(session, held["多功能室"], community, worker)
    blocks.block(held["康复室"], _at(9, days=12), _at(17, days=12), "器材检修", by=worker)
    session.flush()


def actor(session: Session, username: str) -> Actor:
    account = session.scalars(sa.select(Account).where(Account.username == username)).one()
    grants = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in account.grants)
    return Actor(account.id, account.public_id, account.name, Platform.DESK, grants, 0, now())


def _residents(session: Session, community: Area) -> list[Person]:
    """Older residents, first the one whose account is printed."""
    query = sa.select(Person).where(
        Person.community_id == community.id,
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
        Person.birth_date < today() - timedelta(days=365 * 60),
    )
    first = sa.case((Person.name == "王秀英", 0), else_=1)
    return list(session.scalars(query.order_by(first, Person.id).limit(40)))


def _rules(session: Session, community: Area, worker: Actor) -> list[RoomRule]:
    query = (
        sa.select(Room)
        .join(Room.facility)
        .where(Facility.community_id == community.id, Room.name.in_(RULES))
        .options(selectinload(Room.uses))
        .order_by(Room.id)
    )
    made = [rules.set_rule(room, RULES[room.name], by=worker) for room in session.scalars(query)]
    for rule in made:
        rule.room = session.get_one(Room, rule.room_id)
    return made


def _at(hour: int, *, days: int) -> datetime:
    return clock.at(today() + timedelta(days=days), time(hour))


def _book(held: dict[str, RoomRule], people: list[Person], worker: Actor) -> None:
    """Two weeks ahead, as far as the rules of each room allow; what they refuse is left out."""
    resident = [(turn, person) for turn, person in enumerate(people)]
    for turn, person in resident[:24]:
        purpose, count, room = USES[turn % len(USES)]
        begins = _at((9, 14, 16, 18)[turn % 4], days=1 + turn % 12)
        through = BookedBy.COUNTER if turn % 3 == 0 else BookedBy.SELF
        consent = "电话里本人同意" if through is BookedBy.COUNTER else ""
        wish = Wish(purpose, count, begins, begins + timedelta(hours=1), through, person, None, consent)
        try:
            made = booking.book(held[room], wish, by=worker)
        except Refused:
            continue
        if through is BookedBy.SELF:
            made.placed_by_name = made.changed_by_name = person.name


def _weekly(session: Session, rule: RoomRule, community: Area, worker: Actor) -> None:
    body = session.scalars(
        sa.select(Organisation).where(Organisation.community_id == community.id).order_by(Organisation.id).limit(1)
    ).first()
    first = today() + timedelta(days=1 + (5 - today().weekday() - 1) % 7)
    weekly = Weekly("志愿服务例会", 20, first, first + timedelta(weeks=7), time(9, 30), time(11), organisation=body)
    series.make(rule, weekly, by=worker, skip=True)
