"""Ordering meals: placing, changing and cancelling, each re-checked inside the transaction that writes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, ids, outbox, tokens
from portal.core.access import Actor
from portal.core.clock import day_bounds, now
from portal.core.db import db, guarded, insert, insert_new, together, undo, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.meals.models import MOVES, MealOrder, Menu, MenuDish, OrderItem, OrderState, Way
from portal.meals.service import holding, subsidies
from portal.meals.service.kitchen import dish_words
from portal.meals.service.pricing import (
    Chosen,
    Eater,
    bill_of,
    check_portions,
    check_way,
    choose,
    eater,
    only_once,
    same_person,
)
from portal.meals.service.words import said
from portal.places import service as places
from portal.registry.models import Person

CODE_TRIES = 5
PICKUP = "meals.pickup"
# A token lives a week from the moment its page was shown; what ends it is the meal's day.
PICKUP_LIVES = timedelta(days=21)


class AlreadyOrdered(Refused):
    """The person has a live order from this menu: `order` is where to change it."""

    def __init__(self, order: MealOrder) -> None:
        words = _("这一餐已经订过了，取餐码 %(code)s。要改份数，请打开那份订单修改。", code=order.pickup_code)
        super().__init__(words)
        self.order = order


def place_order(
    menu: Menu,
    person: Person,
    *,
    portions: Mapping[int, int],
    way: Way,
    by: Actor,
    note: str = "",
    idem: str = "",
    seen: Mapping[int, int] | None = None,
) -> MealOrder:
    """Order portions (by menu dish id) for a person; the same `idem` again gives the same order.

    `seen` are the prices that the page showed, by menu dish id: another price must be seen first.
    """
    said_so, public_id = _request(menu, person, portions, way, note), ids.new_public_id()
    holding.hold_person(person)
    earlier = tokens.first_request(by.public_id, "meals.place_order", idem, said_so, public_id)
    if earlier is not None:
        return order_by_public_id(earlier)
    holding.hold_menu(menu)
    prices = holding.prices(menu, person)
    who = eater(person, menu.day)
    _refuse_second(who, menu)
    items = _checked(menu, who, portions, way)
    holding.refuse_other_prices(items, prices, seen or {})
    _refuse_sold_out(items)
    order = _inserted(public_id, menu, person, items, way, by, note)
    _subsidise(order, who, items)
    with together():
        insert(OrderItem, *(_item(order, item) for item in items))
        _record("meals.order_placed", order, items)
        _tell("meals.order_placed", order, by, items)
    try:
        # Last: everybody who orders a dish waits for its row until the commit.
        _take(items)
    except Refused:
        # The page that says so knows nothing of an order, and the next one may get its number.
        db.session.expunge(order)
        undo()
        raise
    return order


def change_order(order: MealOrder, *, portions: Mapping[int, int], way: Way, by: Actor, note: str = "") -> MealOrder:
    """Change what an order holds until the cut-off; its code stays, its subsidies are worked out anew."""
    holding.hold_person(order.person)
    holding.hold_menu(order.menu)
    holding.hold_order(order)
    who = eater(order.person, order.day, but=order)
    items = _checked(order.menu, who, portions, way)
    if _unchanged(order, items, way, note):
        return order
    _swap_portions(order, items)
    subsidies.reverse(order)
    bill = bill_of(order.menu, items, way)
    order.way, order.note, order.changed_at = way, note or None, now()
    order.bill_fen, order.delivery_fen, order.subsidised, order.subsidy_fen = (
        bill.total_fen,
        bill.delivery_fen,
        False,
        0,
    )
    db.session.flush()
    _subsidise(order, who, items)
    _record("meals.order_changed", order, items)
    _tell("meals.order_changed", order, by, items)
    return order


def cancel_order(order: MealOrder, *, by: Actor, reason: str = "") -> None:
    """Cancel before the cut-off: portions and subsidies go back, the person is told."""
    holding.hold_menu(order.menu, still_offered=False)
    holding.hold_order(order)
    _undo(order, reason)
    _tell("meals.order_cancelled", order, by, order.items, reason=reason)


def void_order(order: MealOrder, *, reason: str) -> None:
    """The canteen takes an order back, its menu withdrawn: possible after the cut-off too."""
    holding.hold_order(order)
    _undo(order, reason)
    _tell("meals.order_cancelled", order, None, order.items, reason=reason)


def move(order: MealOrder, state: OrderState) -> None:
    """Move an order to another state by a guarded UPDATE; refuses a move that its present state does not know."""
    before = [old for old, following in MOVES.items() if state in following]
    where = sa.and_(MealOrder.id == order.id, MealOrder.state.in_(before))
    if not guarded(sa.update(MealOrder).where(where).values(state=state, changed_at=now())):
        db.session.refresh(order, ["state"])
        raise Refused(_("这份订餐现在是「%(state)s」，不能再这样办理。", state=said(order.state)))
    db.session.refresh(order, ["state", "changed_at"])


def live_orders(menu: Menu) -> list[MealOrder]:
    """The orders of a menu that are booked, in the order they were placed."""
    query = sa.select(MealOrder).where(MealOrder.menu_id == menu.id, MealOrder.state == OrderState.BOOKED)
    return list(db.session.scalars(query.order_by(MealOrder.id)))


def order_by_public_id(public_id: str) -> MealOrder:
    order = db.session.scalar(sa.select(MealOrder).where(MealOrder.public_id == public_id))
    if order is None:
        raise Missing
    return order


def pickup_token(order: MealOrder) -> str:
    """The signed words that the QR code of an order holds."""
    return tokens.sign(PICKUP, order.public_id)


def order_of_token(text: str) -> MealOrder | None:
    """The order of a scanned QR code (the whole address or the bare token), until the day after the meal."""
    text = text.strip()
    bare = parse_qs(urlsplit(text).query).get("code", [""])[0] if "?" in text else text
    public_id = tokens.unsign(PICKUP, bare, within=PICKUP_LIVES)
    if not isinstance(public_id, str):
        return None
    order = db.session.scalar(sa.select(MealOrder).where(MealOrder.public_id == public_id))
    if order is None or now() >= day_bounds(order.day + timedelta(days=1))[1]:
        return None
    return order


def _request(menu: Menu, person: Person, portions: Mapping[int, int], way: Way, note: str) -> str:
    """What a request asks for, in one fixed form: two requests under one key must agree on it."""
    wanted = sorted((dish_id, count) for dish_id, count in portions.items() if count)
    return json.dumps([menu.id, person.public_id, wanted, way.value, note], ensure_ascii=False)


def _refuse_second(who: Eater, menu: Menu) -> None:
    standing = who.order_from(menu)
    if standing:
        raise AlreadyOrdered(db.session.get_one(MealOrder, standing.order_id))


def _checked(menu: Menu, who: Eater, portions: Mapping[int, int], way: Way) -> tuple[Chosen, ...]:
    items = choose(menu, portions)
    check_way(menu, way)
    check_portions(items, who.portions_at(menu.meal))
    return items


def _take(items: Iterable[Chosen]) -> None:
    """Take portions in the order of their capacities, so that two orders never wait for each other in a circle."""
    for item in sorted(items, key=lambda item: item.menu_dish.capacity_id):
        if item.portions > 0:
            _take_one(item)


def _take_one(item: Chosen) -> None:
    row = item.menu_dish
    try:
        places.take(row.capacity_id, item.portions, refusal=Refused(""))
    except Refused:
        db.session.refresh(row.capacity)
        raise _sold_out(row) from None


def _sold_out(row: MenuDish) -> Refused:
    left, dish = max(row.capacity.left, 0), row.dish.name
    few = _("「%(dish)s」只剩 %(left)d 份，请减少份数或换一道菜。", dish=dish, left=left)
    return Refused(few if left else _("「%(dish)s」已经订完，请换一道菜。", dish=dish), field=f"dish_{row.id}")


def _refuse_sold_out(items: Iterable[Chosen]) -> None:
    """Who comes too late, as most do in a rush, is told before anything is written; taking them decides."""
    for item in items:
        row = item.menu_dish
        if item.portions > row.capacity.left:
            db.session.refresh(row.capacity)
            if item.portions > row.capacity.left:
                raise _sold_out(row)


def _inserted(
    public_id: str, menu: Menu, person: Person, items: Sequence[Chosen], way: Way, by: Actor, note: str
) -> MealOrder:
    """Insert the order with a pick-up code that is new to its menu."""
    bill, moment = bill_of(menu, items, way), now()
    row = {
        "public_id": public_id,
        "menu_id": menu.id,
        "person_id": person.id,
        "day": menu.day,
        "meal": menu.meal,
        "way": way,
        "state": OrderState.BOOKED,
        "bill_fen": bill.total_fen,
        "delivery_fen": bill.delivery_fen,
        "subsidy_fen": 0,
        "subsidised": False,
        "note": note or None,
        "placed_at": moment,
        "placed_by": by.public_id,
        "placed_by_name": by.name,
        "changed_at": moment,
    }
    for _try in range(CODE_TRIES):
        order = insert_new(MealOrder, {**row, "pickup_code": ids.short_code(6)})
        if order:
            return order
        _refuse_second(eater(person, menu.day), menu)
    raise Refused(_("系统正忙，订餐没有成功，请再试一次。"))


def _item(order: MealOrder, item: Chosen) -> dict[str, int]:
    facts = {"portions": item.portions, "price_fen": item.price_fen}
    return {"order_id": order.id, "menu_dish_id": item.menu_dish.id, **facts}


def _subsidise(order: MealOrder, who: Eater, items: Sequence[Chosen]) -> None:
    """Freeze the subsidies into the order, unless this person's meal is subsidised elsewhere."""
    menu = order.menu
    if who.subsidised_at(order.meal):
        return
    rules, facts, bill = who.rules_at(menu), who.facts_for(order.meal), bill_of(menu, items, order.way)
    if not who.decision(menu, bill).lines:
        return
    with unique_or(Refused(only_once(menu.canteen.name))):
        order.subsidised = True
    aliases = [known for known in db.session.scalars(same_person(who.person)) if known != order.person_id]
    decision = subsidies.grant(order, rules, facts, bill, aliases=aliases)
    order.subsidised, order.subsidy_fen = bool(decision.lines), decision.total_fen
    db.session.flush()
    db.session.expire(order, ["subsidies"])


def _unchanged(order: MealOrder, items: Iterable[Chosen], way: Way, note: str) -> bool:
    had = {item.menu_dish_id: item.portions for item in order.items}
    wanted = {item.menu_dish.id: item.portions for item in items}
    return had == wanted and order.way is way and (order.note or "") == note


def _swap_portions(order: MealOrder, items: Sequence[Chosen]) -> None:
    """Take what is more and give back what is less, capacity by capacity in their order."""
    had = {item.menu_dish_id: item for item in order.items}
    wanted = {item.menu_dish.id: item for item in items}
    rows = {item.menu_dish.id: item.menu_dish for item in items}
    rows |= {item.menu_dish_id: item.menu_dish for item in order.items}
    for row in sorted(rows.values(), key=lambda row: row.capacity_id):
        old = had[row.id].portions if row.id in had else 0
        new = wanted[row.id].portions if row.id in wanted else 0
        if new > old:
            _take_one(Chosen(row, new - old))
        elif old > new:
            places.give_back(row.capacity_id, old - new)
    for item in order.items:
        db.session.delete(item)
    db.session.flush()
    insert(OrderItem, *(_item(order, item) for item in items))
    db.session.expire(order, ["items"])


def _undo(order: MealOrder, reason: str) -> None:
    move(order, OrderState.CANCELLED)
    for item in sorted(order.items, key=lambda item: item.menu_dish.capacity_id):
        places.give_back(item.menu_dish.capacity_id, item.portions)
    freed = subsidies.reverse(order)
    audit.record(
        "meals.order_cancelled", order, reason=reason, on_behalf_of=order.person.public_id, subsidy_reversed=freed
    )
    db.session.expire(order, ["subsidies"])


def _record(event: str, order: MealOrder, items: Iterable[Chosen]) -> None:
    audit.record(
        event,
        order,
        on_behalf_of=order.person.public_id,
        menu=order.menu_id,
        portions=sum(item.portions for item in items),
        bill_fen=order.bill_fen,
        subsidy_fen=order.subsidy_fen,
    )


def _tell(
    event: str, order: MealOrder, by: Actor | None, items: Iterable[Chosen | OrderItem], *, reason: str = ""
) -> None:
    """Tell the person; and whoever placed it for the person, when the canteen or somebody else acts on it."""
    facts = {
        "person": order.person.name,
        "by": by.name if by and by.name != order.person.name else "",
        "canteen": order.menu.canteen.name,
        "day": order.day.isoformat(),
        "meal": order.meal.value,
        "dishes": dish_words(order, items),
        "way": order.way.value,
        "code": order.pickup_code,
        "pay_fen": order.pay_fen,
        "order": order.public_id,
        "reason": reason,
    }
    outbox.enqueue(event, to=order.person.ref, **facts)
    if by is None or by.public_id != order.placed_by:
        outbox.enqueue(event, to=Recipient("account", order.placed_by), **facts)
