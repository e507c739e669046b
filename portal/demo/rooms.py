"""The demonstration's rooms with their rules and bookings, and applications in every state."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from portal.areas.models import Area
from portal.catalogue.models.applications import Application, ApplicationChannel, Score
from portal.catalogue.models.codes import ItemKind
from portal.catalogue.models.items import Item
from portal.catalogue.models.rooms import BookedBy, Booker, RoomRule
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.catalogue.service.applications.filing import Begun
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


@dataclass(frozen=True)
class Told:
    """An application of the demonstration: what for, what was said, and how far it has come."""

    title: str
    said: str
    until: str


TOLD = (
    Told("高龄津贴", "刚满八十岁，想申请高龄津贴。", "submitted"),
    Told("临时救助", "上个月摔断了腿，住院花了三万多，家里只有退休金。", "late"),
    Told("医疗救助申请", "透析一年多，自付部分负担不起。", "asked"),
    Told("残疾人两项补贴", "今年换了新证，想接着领补贴。", "accepted"),
    Told("公租房申请", "租的房子要拆，收入低。", "in_hand"),
    Told("无障碍改造", "门口有三级台阶，轮椅出不去。", "granted"),
    Told("慈善助学", "孩子今年考上大学，学费还差一些。", "refused"),
    Told("老年优待证", "满六十岁，办老年证。", "closed"),
    Told("法律援助申请", "借出去的钱要不回来。", "not_accepted"),
    Told("居住证办理", "住满半年了。", "withdrawn"),
)


def build_rooms(session: Session, community: Area) -> None:
    """Rules, bookings, a weekly series and a blocking; then applications in each state, one of them late."""
    worker = _actor(session, "worker")
    people = _residents(session, community)
    held = {rule.room.name: rule for rule in _rules(session, community, worker)}
    _book(held, people, worker)
    _weekly(session, held["多功能室"], community, worker)
    blocks.block(held["康复室"], _at(9, days=12), _at(17, days=12), "器材检修", by=worker)
    for turn, told in enumerate(TOLD):
        whose = people[0] if told.until in {"asked", "granted"} else people[turn + 10]
        _apply(session, community, told, whose, worker)
    session.flush()


def _actor(session: Session, username: str) -> Actor:
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


def _apply(session: Session, community: Area, told: Told, person: Person, worker: Actor) -> None:
    areas = (community.id, community.parent_id)
    item = session.scalars(
        sa.select(Item).where(Item.title == told.title, Item.kind == ItemKind.APPLICATION, Item.area_id.in_(areas))
    ).first()
    if item is None:
        return
    made = filing.begin(item, Begun(person, ApplicationChannel.COUNTER, "当面同意"), by=worker)
    filing.submit(made, told.said, by=worker)
    _bring_to(made, told.until, worker)


def _bring_to(made: Application, until: str, worker: Actor) -> None:
    """As far as it has come, by the acts themselves."""
    if until == "late":
        made.due_on = today() - timedelta(days=2)
    elif until == "asked":
        paper = [paper.id for paper in made.papers if "票据" in paper.name]
        deciding.ask(made, paper, "请补最近三个月的医疗费票据，复印件就行。", by=worker)
    elif until == "not_accepted":
        where = "区法律援助中心，电话 12348"
        deciding.refuse_to_accept(made, "民间借贷不在社区受理范围。", where, by=worker)
    elif until == "withdrawn":
        filing.withdraw(made, "已经在派出所办好了", by=worker)
    elif until != "submitted":
        deciding.accept(made, by=worker)
        _work(made, until, worker)


def _work(made: Application, until: str, worker: Actor) -> None:
    if until == "accepted":
        return
    deciding.begin_work(made, "已联系本人核实情况", by=worker)
    if until == "in_hand":
        others = [one.public_id for one in receiving.servers(made) if one.public_id != worker.public_id]
        if others:
            receiving.pass_on(made, others[0], "请上门看一下住房情况", by=worker)
    elif until == "refused":
        deciding.refuse(made, "家庭人均收入超过今年的标准。", "六十日内可以向街道申请复核。", by=worker)
    else:
        deciding.grant(made, "已经办好，材料原件已退回。", by=worker)
    if until == "closed":
        deciding.close(made, "本人到窗口领取", by=worker)
        filing.rate(made, Score.SATISFIED, "办得快，谢谢。")
