"""Applications of the demonstration: one in each state, some filed online, each as long ago as its state needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.catalogue.models.applications import Application, ApplicationChannel, ApplicationState, Score
from portal.catalogue.models.codes import ItemKind
from portal.catalogue.models.items import Item
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.catalogue.service.applications.filing import Begun
from portal.core import calendar, clock
from portal.core.access import Actor, Platform
from portal.core.clock import now, today
from portal.demo.rooms import actor
from portal.identity.models import Account
from portal.registry.models import Claim, Person, PersonState

S = ApplicationState
MOTHER, DAUGHTER = "王秀英", "李小红"
COUNTER, SELF, AGENT = ApplicationChannel.COUNTER, ApplicationChannel.SELF, ApplicationChannel.AGENT


@dataclass(frozen=True)
class Told:
    """What for, what was said, how far it has come, how many days ago it was handed in, and by whom: a name, or
    somebody of an age.
    """

    title: str
    said: str
    until: str
    days: int
    ages: tuple[int, int] = (0, 0)
    name: str = ""
    channel: ApplicationChannel = COUNTER


TOLD = (
    Told("高龄津贴", "刚满八十岁，想申请高龄津贴。", "submitted", 1, (80, 81)),
    Told("临时救助", "上个月摔断了腿，住院花了三万多，家里只有退休金。", "late", 9, (62, 75)),
    Told("医疗救助申请", "上半年换了膝关节，自付的部分负担不起。", "asked", 2, name=MOTHER, channel=SELF),
    Told("残疾人两项补贴", "今年换了新证，想接着领补贴。", "accepted", 3, (40, 70)),
    Told("公租房申请", "租的房子要拆，收入低。", "in_hand", 4, (30, 50)),
    Told("无障碍改造", "我妈家门口有三级台阶，上下不方便，想装扶手。", "granted", 16, name=MOTHER, channel=AGENT),
    Told("慈善助学", "孩子今年考上大学，学费还差一些。", "refused", 14, name=DAUGHTER, channel=SELF),
    Told("老年优待证", "满六十岁，办老年证。", "closed", 12, (60, 61)),
    Told("法律援助申请", "借出去的钱要不回来。", "not_accepted", 8, (40, 60)),
    Told("居住证办理", "住满半年了。", "withdrawn", 6, (25, 40)),
)
# The column that says when a state came.
WHEN = {
    S.SUBMITTED: "submitted_at",
    S.ASKED: "asked_at",
    S.ACCEPTED: "accepted_at",
    S.GRANTED: "decided_at",
    S.REFUSED: "decided_at",
    S.CLOSED: "ended_at",
    S.NOT_ACCEPTED: "ended_at",
    S.WITHDRAWN: "ended_at",
}


def build_applications(session: Session, community: Area) -> None:
    worker = actor(session, "worker")
    met: set[int] = set()
    for told in TOLD:
        person = _person(session, community, told, met)
        if person is not None:
            met.add(person.id)
            _apply(session, community, told, person, worker)
    session.flush()


def _person(session: Session, community: Area, told: Told, met: set[int]) -> Person | None:
    """By name, or somebody of the age who has not come yet."""
    query = sa.select(Person).where(
        Person.community_id == community.id, Person.state == PersonState.PRESENT, Person.merged_into_id.is_(None)
    )
    if told.name:
        # Of several of the name the one who has an account.
        return session.scalars(
            query.join(Claim, Claim.person_id == Person.id).where(Person.name == told.name).order_by(Person.id)
        ).first()
    youngest, oldest = (today() - timedelta(days=round(365.25 * age)) for age in told.ages)
    query = query.where(Person.birth_date.between(oldest, youngest), Person.id.not_in(met))
    return session.scalars(query.where(Person.name.not_in((MOTHER, DAUGHTER))).order_by(Person.id).limit(1)).first()


def _resident(session: Session, name: str) -> Actor:
    query = sa.select(Account).join(Claim, Claim.account_id == Account.id).where(Claim.name == name)
    account = session.scalars(query.order_by(Account.id)).first()
    if account is None:
        raise LookupError(name)
    return Actor(account.id, account.public_id, account.name or name, Platform.RESIDENT, (), 0, now())


def _apply(session: Session, community: Area, told: Told, person: Person, worker: Actor) -> None:
    areas = (community.id, community.parent_id)
    item = session.scalars(
        sa.select(Item).where(Item.title == told.title, Item.kind == ItemKind.APPLICATION, Item.area_id.in_(areas))
    ).first()
    if item is None:
        return
    online = told.channel is not COUNTER
    by = _resident(session, DAUGHTER if told.channel is AGENT else told.name) if online else worker
    made = filing.begin(item, Begun(person, told.channel, "" if online else "当面同意"), by=by)
    filing.submit(made, told.said, by=by)
    if online:
        receiving.take(made, by=worker)
    _bring_to(made, told.until, worker, by)
    session.flush()
    _date(made, told.days)


def _bring_to(made: Application, until: str, worker: Actor, by: Actor) -> None:
    """As far as it has come, by the acts themselves."""
    if until == "late":
        made.due_on = next(day for day in _back_from(today() - timedelta(days=2)) if calendar.is_working_day(day))
    elif until == "asked":
        paper = [paper.id for paper in made.papers if "票据" in paper.name]
        deciding.ask(made, paper, "请补最近三个月的医疗费票据，复印件就行。", by=worker)
    elif until == "not_accepted":
        where = "区法律援助中心，电话 12348"
        deciding.refuse_to_accept(made, "民间借贷不在社区受理范围。", where, by=worker)
    elif until == "withdrawn":
        filing.withdraw(made, "已经在派出所办好了", by=by)
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


def _back_from(day: date) -> Iterator[date]:
    """A day and those before it, as far back as no holidays reach."""
    return (day - timedelta(days=days) for days in range(30))


def _date(made: Application, days: int) -> None:
    """Its steps in office hours from the day it was handed in until yesterday, and its columns after them."""
    last = max(len(made.steps) - 1, 1)
    for turn, step in enumerate(made.steps):
        step.at = _moment(today() - timedelta(days=days - turn * (days - 1) // last), turn)
        name = WHEN.get(step.state)
        if name and (getattr(made, name) is None or step.kind.value == "moved"):
            setattr(made, name, step.at)
    made.placed_at = made.steps[0].at - timedelta(minutes=6)
    if made.rated_at is not None:
        made.rated_at = made.steps[-1].at + timedelta(hours=2)


def _moment(day: date, turn: int) -> datetime:
    """A working hour; a weekend's falls on the Friday before."""
    friday = day - timedelta(days=max(0, day.weekday() - 4))
    return clock.at(friday, time(9 + turn % 7, 10 + turn * 7 % 50))
