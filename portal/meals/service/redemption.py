"""At the counter: finding an order, handing the meal over once, and taking a mistake back."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from portal.core import audit, clock, events, ids, outbox, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.sealing import blind
from portal.meals.models import (
    MOVES,
    Canteen,
    MealOrder,
    Menu,
    MenuDish,
    MenuState,
    OrderItem,
    OrderState,
    Payment,
    Redemption,
    RedemptionMeans,
)
from portal.meals.service import kitchen, orders, paying
from portal.meals.service.canteens import within
from portal.meals.service.menus import menu_words
from portal.meals.service.words import near_day
from portal.registry.models import Person

settings.declare(
    "meals.redeem_early_minutes",
    default=30,
    label=lambda: _("开餐前多久可以核销"),
    unit=lambda: _("分钟"),
    least=0,
    most=240,
)
settings.declare(
    "meals.outage_entry_days",
    default=3,
    label=lambda: _("断网名单最迟几天内补录"),
    unit=lambda: _("天"),
    least=0,
    most=14,
)

LOOK_AROUND = timedelta(days=7)
RECENT = 12
CODE_HINT = _l("取餐码是 6 位，没有数字 0、1，也没有字母 I、L、O。")
# The states from which a meal can be handed over: booked, and a no-show that came late.
OPEN = tuple(state for state, following in MOVES.items() if OrderState.COLLECTED in following)


@dataclass(frozen=True)
class Handover:
    """How a meal was paid for and how its order was found.

    `payer` is whose points pay, by public id, and `points` how many (none: as many as can be); the rest is `payment`.
    """

    means: RedemptionMeans
    payment: Payment
    reason: str = ""
    payer: str = ""
    points: int | None = None
    key: str = ""
    body: str = ""


@dataclass(frozen=True)
class Counter:
    """A counter's day so far: orders by state for one menu."""

    menu: Menu
    ordered: int
    collected: int
    no_show: int

    @property
    def waiting(self) -> int:
        return self.ordered - self.collected - self.no_show


def _with_all() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(MealOrder.person),
        joinedload(MealOrder.menu).joinedload(Menu.canteen),
        joinedload(MealOrder.redemption),
        selectinload(MealOrder.items).joinedload(OrderItem.menu_dish).joinedload(MenuDish.dish),
    )


def order_in(scopes: Collection[Scope], public_id: str) -> MealOrder:
    """An order of a canteen in scope, by public id."""
    query = (
        sa.select(MealOrder)
        .join(Menu, MealOrder.menu_id == Menu.id)
        .join(Canteen, Menu.canteen_id == Canteen.id)
        .where(MealOrder.public_id == public_id, within(scopes))
        .options(*_with_all())
    )
    order = db.session.scalar(query)
    if order is None:
        raise Missing
    return order


def is_typed(text: str) -> bool:
    """Whether this is short enough for a code that somebody typed: a QR code says far more."""
    return len(ids.normalise_id(text)) <= 8


def by_code(canteen: Canteen, text: str) -> tuple[list[MealOrder], RedemptionMeans]:
    """The orders that a typed code or a scanned QR text means at this counter, and which of the two it was."""
    typed = ids.check_short_code(text)
    if typed:
        return _by_typed(canteen, typed), RedemptionMeans.CODE
    if is_typed(text):
        raise Refused(_("取餐码不对，请再看一遍。%(hint)s", hint=CODE_HINT), field="code")
    order = orders.order_of_token(text)
    if order is None:
        raise Refused(_("这不是取餐二维码，或者已经失效。请居民刷新订单页面，或改输取餐码。"), field="code")
    if order.menu.canteen_id != canteen.id:
        words = _("这份餐是在「%(canteen)s」订的，请居民到那里取餐。", canteen=order.menu.canteen.name)
        raise Refused(words, field="code")
    return [order], RedemptionMeans.QR


def _by_typed(canteen: Canteen, code: str) -> list[MealOrder]:
    found = _orders(canteen, MealOrder.pickup_code == code, around=LOOK_AROUND)
    if not found:
        words = _("没有找到这个取餐码。请核对后重输；也可以用姓名和手机号后四位查。")
        raise Refused(words, field="code")
    due = [order for order in found if order.day == clock.today()]
    if not due:
        raise Refused(_another_day(found[0]), field="code")
    return due


def _another_day(order: MealOrder) -> str:
    """What the code of another day's order means: what became of the order first, then what to do."""
    if order.state is OrderState.CANCELLED:
        return _(
            "已取消：这是 %(menu)s 的订餐，不能取餐。还要用餐，请重新订一份，也可以订别的日子。", menu=_menu_of(order)
        )
    if order.state is OrderState.COLLECTED:
        return _("已取餐：%(menu)s 的这份餐当天已经取走。还要用餐，请重新订一份。", menu=_menu_of(order))
    if order.state is OrderState.NO_SHOW:
        return _("未取餐：%(menu)s 的这份餐当天没有来取，不能再取。还要用餐，请重新订一份。", menu=_menu_of(order))
    if order.day < clock.today():
        return _(
            "这是 %(menu)s 的订餐，当天已过，不能在窗口核销。断网那天的纸质名单请到备餐单里补录。", menu=_menu_of(order)
        )
    return _("这是 %(menu)s 的取餐码，不是今天的。请居民那一天再来。", menu=_menu_of(order))


def by_name(canteen: Canteen, name: str, tail: str) -> list[MealOrder]:
    """Today's orders of people of this name (or these pinyin initials) and these last four figures."""
    wanted = name.replace(" ", "")
    named = sa.or_(Person.name == wanted, Person.initials == wanted.lower())
    found = _orders(canteen, named, Person.phone_tail_index == blind("person.phone_tail", tail))
    if not found:
        words = _("今天在这个助餐点没有这个人的订餐。请核对姓名和手机号后四位；没有订餐的请联系社区。")
        raise Refused(words, field="name")
    return found


def _orders(canteen: Canteen, *where: sa.ColumnElement[bool], around: timedelta = timedelta(0)) -> list[MealOrder]:
    """The orders of a counter today (or some days around), those still to be collected first."""
    first, last = clock.today() - around, clock.today() + around
    query = (
        sa.select(MealOrder)
        .join(Menu, MealOrder.menu_id == Menu.id)
        .join(Person, MealOrder.person_id == Person.id)
        .where(Menu.canteen_id == canteen.id, MealOrder.day.between(first, last), *where)
        .options(*_with_all())
        .order_by(sa.case((MealOrder.state == OrderState.BOOKED, 0), else_=1), Menu.opens_at, MealOrder.id)
    )
    return list(db.session.scalars(query))


def _menu_of(order: MealOrder) -> str:
    return menu_words(order.day, order.meal)


def trouble(order: MealOrder, at: datetime) -> str:
    """Why an order cannot be handed over at a moment, and what to do instead; nothing when it can."""
    if order.state is OrderState.CANCELLED:
        return _("这份订餐已经取消，不能取餐。还要用餐，请重新订；居民若不知情，请联系社区核对。")
    if order.day != clock.local(at).date() and order.state is not OrderState.BOOKED:
        return _another_day(order)
    if order.state is OrderState.COLLECTED:
        return _already(order)
    opens = order.menu.opens_at - timedelta(minutes=settings.get("meals.redeem_early_minutes"))
    if at < opens:
        when = menu_words(order.day, order.meal)
        return _("还没到时间：这是 %(menu)s，%(time)s 起可以核销。", menu=when, time=f"{clock.local(opens):%H:%M}")
    if clock.local(at).date() != order.day:
        return _another_day(order)
    return ""


def _already(order: MealOrder) -> str:
    redeemed = order.redemption
    if redeemed is None:
        return _("这份餐已经核销过，不能再取。")
    when = clock.local(redeemed.at)
    day = near_day(when.date(), clock.today())
    return _(
        "这份餐已在 %(day)s %(time)s 由%(name)s核销，不能再取。如果是误操作，请先撤销那次核销。",
        day=day,
        time=f"{when:%H:%M}",
        name=redeemed.by_name,
    )


def redeem(order: MealOrder, handover: Handover, *, by: Actor) -> Redemption:
    """Take the payment and hand the meal over: once, whoever presses at the same moment."""
    if tokens.same_request(by.public_id, "meals.redeem", handover.key, handover.body) and order.redemption:
        return order.redemption
    why_not = trouble(order, clock.now())
    if why_not:
        raise Refused(why_not)
    with wholly(order):
        redeemed = hand_over(order, handover, by=by)
    tokens.remember_request(by.public_id, "meals.redeem", handover.key, handover.body, order.public_id)
    return redeemed


@contextmanager
def wholly(*handed: MealOrder) -> Iterator[None]:
    """All of it or nothing; the page of a refusal, too, finds these orders as they were before."""
    try:
        with db.session.begin_nested():
            yield
    except Refused:
        for order in handed:
            db.session.expire(order, ["state", "changed_at", "redemption"])
        raise


def hand_over(order: MealOrder, handover: Handover, *, by: Actor) -> Redemption:
    """Record a handover: the state moves by a guarded UPDATE, the row is unique in the database."""
    if handover.payment is Payment.WAIVED and not handover.reason:
        raise Refused(_("免收请写明原因，例如：低保对象、社区垫付。"), field="reason")
    late = _state_held(order) is OrderState.NO_SHOW
    moved = guarded(
        sa.update(MealOrder)
        .where(MealOrder.id == order.id, MealOrder.state.in_(OPEN))
        .values(state=OrderState.COLLECTED, changed_at=clock.now())
    )
    db.session.expire(order, ["state", "redemption"])
    if not moved:
        raise Refused(trouble(order, clock.now()) or _("这份订餐的状态刚才变了，请重新查找。"))
    drawn = paying.drawn(order, handover.payer, handover.points, handover.payment)
    redeemed = _row(order, handover, drawn, by)
    with unique_or(Refused(_("同一个人同一餐只能享受一次补贴，另一份已经核销。请核对是否领重，或联系社区处理。"))):
        db.session.add(redeemed)
    paying.take(order, redeemed, drawn, by=by)
    audit.record(
        "meals.redeemed",
        order,
        reason=handover.reason,
        means=handover.means.value,
        payment=redeemed.payment.value,
        paid_fen=redeemed.paid_fen,
        points=redeemed.points,
    )
    outbox.enqueue("meals.redeemed", to=order.person.ref, **message_facts(order))
    if late:
        events.publish("meals.collected_late", **event_facts(order))
    return redeemed


def _state_held(order: MealOrder) -> OrderState | None:
    """The order's state now, held until this transaction ends: it may have been settled since the page was read."""
    return db.session.scalar(sa.select(MealOrder.state).where(MealOrder.id == order.id).with_for_update())


def _row(order: MealOrder, handover: Handover, drawn: paying.Drawn, by: Actor) -> Redemption:
    left = order.pay_fen - drawn.fen
    return Redemption(
        order_id=order.id,
        person_id=order.person_id,
        day=order.day,
        meal=order.meal,
        subsidised=order.subsidised,
        means=handover.means,
        payment=Payment.POINTS if drawn.fen and not left else handover.payment,
        paid_fen=0 if handover.payment is Payment.WAIVED else left,
        points=drawn.points,
        points_fen=drawn.fen,
        points_payer_id=drawn.payer.id if drawn.payer else None,
        reason=handover.reason,
        at=clock.now(),
        by=by.public_id,
        by_name=by.name,
    )


def message_facts(order: MealOrder) -> dict[str, str]:
    """What a notice about an order says; plain text, because it waits in the outbox."""
    return {
        "person": order.person.name,
        "order": order.public_id,
        "day": order.day.isoformat(),
        "meal": order.meal.value,
        "canteen": order.menu.canteen.name,
        "phone": order.menu.canteen.phone,
        "dishes": kitchen.dish_words(order),
    }


def event_facts(order: MealOrder) -> dict[str, object]:
    """What siblings are told of an order that was, or was not, collected."""
    return {
        "person": order.person.ref,
        "order": order.public_id,
        "day": order.day,
        "meal": order.meal.value,
        "way": order.way.value,
    }


def undo(order: MealOrder, reason: str, *, by: Actor) -> None:
    """Take a mistaken redemption back on its own day; the meal can be handed over again."""
    redeemed = order.redemption
    if redeemed is None:
        raise Refused(_("这份餐没有核销记录，不需要撤销。"))
    if clock.local(redeemed.at).date() != clock.today():
        raise Refused(_("只能在核销当天撤销。过后发现的差错请联系社区登记处理。"))
    undone = guarded(
        sa.update(Redemption)
        .where(Redemption.id == redeemed.id, Redemption.undone_at.is_(None))
        .values(undone_at=clock.now(), undone_by=by.public_id, undone_reason=reason)
    )
    moved = undone and guarded(
        sa.update(MealOrder)
        .where(MealOrder.id == order.id, MealOrder.state == OrderState.COLLECTED)
        .values(state=OrderState.BOOKED, changed_at=clock.now())
    )
    if not moved:
        raise Refused(_("这次核销刚才已经被撤销，请重新查找这份订餐。"))
    # A settled menu has an open order again: let the next settlement look at it.
    db.session.execute(sa.update(Menu).where(Menu.id == order.menu_id).values(settled_at=None))
    db.session.expire(order, ["state", "redemption"])
    db.session.expire(order.menu, ["settled_at"])
    paying.give_back(redeemed, reason, by=by)
    audit.record("meals.redemption_undone", order, reason=reason, points=redeemed.points)


def recent(canteen: Canteen) -> list[Redemption]:
    """The counter's last handovers today, newest first."""
    start, end = clock.day_bounds(clock.today())
    query = (
        sa.select(Redemption)
        .join(MealOrder, Redemption.order_id == MealOrder.id)
        .join(Menu, MealOrder.menu_id == Menu.id)
        .where(Menu.canteen_id == canteen.id, Redemption.at >= start, Redemption.at < end)
        .where(Redemption.undone_at.is_(None))
        .options(
            joinedload(Redemption.order).joinedload(MealOrder.person),
            joinedload(Redemption.order)
            .selectinload(MealOrder.items)
            .joinedload(OrderItem.menu_dish)
            .joinedload(MenuDish.dish),
        )
        .order_by(Redemption.at.desc(), Redemption.id.desc())
        .limit(RECENT)
    )
    return list(db.session.scalars(query))


def counters(canteen: Canteen, day: date) -> list[Counter]:
    """Collected and not collected, for each published menu of a counter's day."""
    live = sa.func.count(MealOrder.id).filter(MealOrder.state != OrderState.CANCELLED)
    collected = sa.func.count(MealOrder.id).filter(MealOrder.state == OrderState.COLLECTED)
    no_show = sa.func.count(MealOrder.id).filter(MealOrder.state == OrderState.NO_SHOW)
    query = (
        sa.select(Menu, live, collected, no_show)
        .outerjoin(MealOrder, MealOrder.menu_id == Menu.id)
        .where(Menu.canteen_id == canteen.id, Menu.day == day, Menu.state == MenuState.PUBLISHED)
        .group_by(Menu.id)
        .order_by(Menu.opens_at, Menu.id)
    )
    return [Counter(*row) for row in db.session.execute(query)]
