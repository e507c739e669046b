"""The demonstration's points: the street's rules, a shelf of six goods, what records earned, and what was spent."""

from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.identity.models import Account
from portal.points.models import Goods, PointRule
from portal.points.service import goods_orders, ledger
from portal.points.service.goods_orders import Wish
from portal.registry.models import Person, StockEntry, StockItem, StockReason
from portal.volunteers.models.codes import VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.service import earning

SOURCE = "春晖街道志愿服务积分办法（示例）"
# kind, points an hour, months after which they expire
RULES = (("", 10, 24), ("escort", 15, 24), ("emergency", 20, 24))
# name, unit, how many, points for one, the most in a month, words
SHELF = (
    ("抽纸", "包", 60, 8, 4, "三层 120 抽"),
    ("食盐", "袋", 80, 5, 2, "加碘盐 400 克"),
    ("洗衣液", "瓶", 24, 30, 2, "2 公斤装"),
    ("挂面", "把", 40, 12, 3, "1 公斤装"),
    ("大米", "袋", 20, 44, 1, "5 公斤装"),
    ("食用油", "桶", 3, 60, 1, "1.8 升，到货不多"),
)
ALWAYS = "李小红"
# Days: what was earned before the street had its rules stands in paper booklets, and comes over as one entry.
SINCE = 30


def build_points(session: Session, community: Area) -> None:
    """After the records: those since the rules hold earn points; a few of the volunteers ask for goods."""
    first = today() - timedelta(days=SINCE)
    for kind, per_hour, months in RULES:
        facts = {"per_hour": per_hour, "expires_months": months, "valid_from": first, "source": SOURCE}
        session.add(PointRule(kind=kind, updated_by_name="街道管理员", **facts))
    shelf = [_goods(session, community, facts) for facts in SHELF]
    session.flush()
    records = (
        sa.select(ServiceRecord.id, ServiceRecord.recorded_at)
        .where(ServiceRecord.recorded_at >= clock.at(first, time(0)))
        .order_by(ServiceRecord.recorded_at, ServiceRecord.id)
    )
    for record_id, at in session.execute(records).all():
        earning.book(record_id, at=at)
    _spend(session, community, shelf)


def _goods(session: Session, community: Area, facts: tuple[str, str, int, int, int, str]) -> Goods:
    name, unit, count, price, most, words = facts
    item = StockItem(community_id=community.id, name=name, unit=unit, place=f"{community.name}爱心超市", low_below=5)
    item.quantity = count
    session.add(item)
    session.flush()
    entry = StockEntry(item_id=item.id, delta=count, left_after=count, reason=StockReason.DONATED, note="爱心超市首批")
    entry.at, entry.by, entry.by_name = now() - timedelta(days=20), "demo", "周洁"
    session.add(entry)
    goods = Goods(community_id=community.id, stock_item_id=item.id, price=price, most_each_month=most, words=words)
    session.add(goods)
    return goods


def _spend(session: Session, community: Area, shelf: list[Goods]) -> None:
    """What was saved in paper booklets before the portal, and three orders: waiting, fetched, taken back."""
    by = _worker(session)
    first = sa.case((Person.name == ALWAYS, 0), else_=1)
    query = (
        sa.select(Person)
        .join(Volunteer, Volunteer.person_id == Person.id)
        .where(Volunteer.community_id == community.id, Volunteer.state == VolunteerState.ACTIVE)
        .order_by(first, Person.id)
        .limit(12)
    )
    people = list(session.scalars(query))
    for number, person in enumerate(people):
        key = f"adjust:booklet:{person.id}"
        until = date(today().year + 1, 12, 31)
        reason = "纸质积分本余额转入"
        ledger.adjust(person, 60 + number * 7 % 40, key=key, reason=reason, by=by, expires_on=until)
    for number, (person, goods) in enumerate(zip(people[:4], shelf, strict=False)):
        order = goods_orders.ask(Wish(goods, 1 + number % 2, person, person), by=by)
        if number == 2:
            goods_orders.hand_over(order, order.code, by=by)
        if number == 3:
            goods_orders.cancel(order, reason="家里还有，让给别人", by=by)


def _worker(session: Session) -> Actor:
    """The desk account in whose name the demonstration's worker acts."""
    account = session.scalars(sa.select(Account).where(Account.username == "worker")).one()
    return Actor(account.id, account.public_id, account.name, account.platform, (), 0, now())
