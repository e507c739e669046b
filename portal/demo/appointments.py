"""Appointments of the demonstration: the timetables of one community, a week behind them and the days ahead."""

import random
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel, Rating
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Of, Slot, Timetable
from portal.catalogue.service import booking, counter, opening, timetables
from portal.catalogue.service.timetables import Facts
from portal.core import clock, ids
from portal.core.access import Actor, Platform
from portal.core.calendar import special_days
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.identity.models import Account
from portal.places.models import Capacity
from portal.registry.models import Person, PersonState, Staff

SEED = 20261122
WEEKDAYS, DAYS_BACK = range(5), 9
MISSED = ("电话联系过，本人忘了", "临时去了医院", "家人说不来了")

# What people say afterwards, or say nothing.
RATED: dict[Rating, tuple[str | None, ...]] = {
    Rating.SATISFIED: (None, None, "讲得明白，不着急", "一去就办好了", "师傅手艺好，还帮我扫了地"),
    Rating.MOSTLY: (None, "人有点多，等了一会儿"),
    Rating.DISSATISFIED: ("说好九点，等到九点半才轮到", "材料没有一次讲清，跑了两趟"),
}


@dataclass(frozen=True)
class Plan:
    """A timetable to be: whose, what for, when; `full` is the share of its places that get booked."""

    name: str
    titles: tuple[str, ...]
    days: tuple[int, ...]
    opens: time
    closes: time
    staff: str = ""
    place: str = "党群服务中心一层服务大厅"
    full: float = 0.6
    more: tuple[tuple[str, Any], ...] = ()


LUNCH = tuple((day, time(11, 30), time(13, 30)) for day in WEEKDAYS)
PLANS: tuple[Plan, ...] = (
    Plan(
        "综合窗口",
        ("就业登记和招聘", "全程代办", "加装电梯咨询"),
        tuple(WEEKDAYS),
        time(8, 30),
        time(17),
        more=(("breaks", LUNCH), ("slot_minutes", 20), ("buffer_minutes", 10), ("people", 2)),
        full=0.3,
    ),
    Plan(
        "全科门诊（陆家明）",
        ("家庭医生签约", "老年人免费体检"),
        (0, 2, 4),
        time(8),
        time(10, 30),
        "陆家明",
        "社区卫生服务站",
        0.8,
        (("slot_minutes", 15),),
    ),
    Plan("心理咨询（方晓岚）", ("心理咨询",), (1, 5), time(14), time(17), "方晓岚", "党群服务中心调解室", 0.7),
    Plan("法律咨询（汪律师）", ("法律咨询",), (4,), time(14), time(17), "汪律师", "党群服务中心多功能室", 1.0),
    Plan("人民调解（孟庆华）", ("人民调解",), (1, 3), time(9), time(11, 30), "孟庆华", "党群服务中心调解室", 0.3),
    Plan(
        "理发日",
        ("便民理发日",),
        (2,),
        time(8, 30),
        time(11),
        place="日间照料中心",
        full=0.9,
        more=(("people", 3), ("slot_minutes", 25), ("buffer_minutes", 5)),
    ),
    Plan(
        "老人手机课",
        ("老人手机课",),
        (2,),
        time(9),
        time(11),
        place="党群服务中心多功能室",
        full=0.5,
        more=(("people", 12), ("minimum", 5), ("slot_minutes", 120), ("decide_hours", 18)),
    ),
)
HOME, CARE, CLINIC, HALL = "上门到家", "日间照料中心", "社区卫生服务站", "党群服务中心多功能室"
# What else may be booked: what for, the days, from when to when, the minutes of a slot, how many people, where.
QUIET = (
    ("上门理发", (1, 4), time(9), time(11, 30), 30, 1, HOME),
    ("采耳修脚", (3,), time(14), time(17), 30, 2, CARE),
    ("助浴服务", tuple(WEEKDAYS), time(13, 30), time(16, 30), 60, 1, CARE),
    ("陪同就医", tuple(WEEKDAYS), time(8), time(12), 240, 2, "家里接，医院陪"),
    ("家政保洁", tuple(range(7)), time(8), time(18), 120, 2, HOME),
    ("困难老人家庭清洁", tuple(WEEKDAYS), time(9), time(11), 120, 1, HOME),
    ("水电小修", tuple(range(7)), time(8), time(20), 240, 3, HOME),
    ("家电维修", tuple(range(7)), time(9), time(18), 180, 2, HOME),
    ("代购代取", tuple(range(7)), time(9), time(17), 240, 4, HOME),
    ("大件垃圾清运", (5,), time(8), time(12), 120, 4, HOME),
    ("预防接种", (1, 3, 5), time(8), time(11), 30, 4, CLINIC),
    ("中医理疗", tuple(range(6)), time(8, 30), time(16, 30), 60, 1, CLINIC),
    ("亲子绘本活动", (5,), time(9, 30), time(11), 90, 12, "图书阅览室"),
    ("书法国画班", (0,), time(14), time(16), 120, 15, HALL),
)
PLANS += tuple(
    Plan(title, (title,), days, opens, closes, "", place, 0.0, (("slot_minutes", minutes), ("people", people)))
    for title, days, opens, closes, minutes, people, place in QUIET
)


def build_appointments(session: Session, community_code: str) -> None:
    community = session.scalars(sa.select(Area).where(Area.code == community_code)).one()
    by, source = _worker(session), random.Random(SEED)
    people = _people(session, community)
    for plan in PLANS:
        table = _timetable(session, community, plan, by)
        if table is None:
            continue
        if plan.full:
            _past(session, table, people, plan, source)
            _ahead(session, table, people, plan, source, by)
        session.flush()


def _worker(session: Session) -> Actor:
    account = session.scalars(sa.select(Account).where(Account.username == "worker")).one()
    return Actor(account.id, account.public_id, account.name, Platform.DESK, (), 0, now())


def _people(session: Session, community: Area) -> list[Person]:
    born = date(clock.today().year - 55, 1, 1)
    query = sa.select(Person).where(
        Person.community_id == community.id, Person.birth_date < born, Person.state == PersonState.PRESENT
    )
    return list(session.scalars(query.order_by(Person.id).limit(160)))


def _timetable(session: Session, community: Area, plan: Plan, by: Actor) -> Timetable | None:
    """None where the catalogue has none of its items."""
    known = {item.title: item.id for item in timetables.items_for(community)}
    items = tuple(known[title] for title in plan.titles if title in known)
    if not items:
        return None
    where = (Staff.community_id == community.id, Staff.name == plan.staff)
    staff = session.scalar(sa.select(Staff.id).where(*where)) if plan.staff else None
    facts: dict[str, Any] = {
        "name": plan.name,
        "of": Of.STAFF if staff else Of.DESK,
        "items": items,
        "hours": tuple((day, plan.opens, plan.closes) for day in plan.days),
        "valid_from": clock.today() - timedelta(days=90),
        "staff_id": staff,
        "place": plan.place,
    }
    made, _opened = timetables.add(community, Facts(**(facts | dict(plan.more))), by=by)
    session.flush()
    return made


def _past(session: Session, table: Timetable, people: list[Person], plan: Plan, source: random.Random) -> None:
    """The days behind and what is over of today, of which nearly everybody was served."""
    first, moment = clock.today() - timedelta(days=DAYS_BACK), now()
    special = {row.day: row for row in special_days(first, clock.today())}
    for offset in range(DAYS_BACK + 1):
        day = first + timedelta(days=offset)
        for span in opening.slots_of(table, day, special.get(day)):
            if span.ends_at > moment:
                continue
            chosen = source.sample(people, sum(source.random() < plan.full for _place in range(table.people)))
            slot = Slot(timetable_id=table.id, day=day, starts_at=span.starts_at, ends_at=span.ends_at)
            slot.capacity = Capacity(total=table.people, taken=len(chosen))
            session.add(slot)
            session.flush()
            session.add_all(_over(slot, table.items, person, source) for person in chosen)


def _over(slot: Slot, items: list[Item], person: Person, source: random.Random) -> Appointment:
    missed, rated = source.random() < 0.1, source.random() < 0.5
    placed = slot.starts_at - timedelta(days=source.randint(1, 5), hours=source.randint(0, 6))
    return Appointment(
        code=ids.short_code(6),
        person_id=person.id,
        item_id=source.choice(items).id,
        slot_id=slot.id,
        day=slot.day,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        state=AppointmentState.NO_SHOW if missed else AppointmentState.SERVED,
        channel=source.choice((Channel.SELF, Channel.SELF, Channel.AGENT, Channel.PHONE)),
        placed_at=placed,
        placed_by="demo",
        placed_by_name=person.name,
        changed_at=slot.ends_at,
        arrived_at=None if missed else slot.starts_at - timedelta(minutes=source.randint(0, 15)),
        reason=source.choice(MISSED) if missed else "",
        **(_rated(slot, source) if rated and not missed else {}),
    )


def _rated(slot: Slot, source: random.Random) -> dict[str, Any]:
    rating = source.choices(tuple(RATED), (16, 3, 1))[0]
    rated_at = min(slot.ends_at + timedelta(minutes=source.randint(5, 60)), now())
    return {"rating": rating, "rating_words": source.choice(RATED[rating]), "rated_at": rated_at}


def _ahead(
    session: Session, table: Timetable, people: list[Person], plan: Plan, source: random.Random, by: Actor
) -> None:
    """Today's and those of the days ahead, booked as a worker books; who is refused is left out."""
    until = clock.today() + timedelta(days=7)
    query = sa.select(Slot).where(Slot.timetable_id == table.id, Slot.day <= until, Slot.starts_at > now())
    for slot in session.scalars(query.order_by(Slot.starts_at, Slot.id)).all():
        wanted = sum(source.random() < plan.full for _place in range(table.people))
        for person in source.sample(people, wanted):
            _book(slot, source.choice(table.items), person, by, source)


def _book(slot: Slot, item: Item, person: Person, by: Actor, source: random.Random) -> None:
    channel = source.choice((Channel.COUNTER, Channel.PHONE))
    said = "本人在场，当面同意" if channel is Channel.COUNTER else "本人电话里同意"
    consent = f"{said}（{clock.local(now()):%Y-%m-%d}）"
    try:
        with db.session.begin_nested():
            made = booking.book(slot, item, person, by=by, channel=channel, consent=consent)
    except Refused:
        return
    if made.can_be_marked(now()) and source.random() < 0.5:
        counter.arrive(made, by=by)
