"""The demonstration's canteens, their dishes, and a fortnight of menus from Monday of this week."""

import random
from datetime import date, time, timedelta

from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import calendar, clock
from portal.meals.models import Canteen, Dish, Meal, MealTime, Menu, MenuDish, MenuState, SetClass, Way
from portal.places.models import Capacity

# name, price in fen, class, diets it suits, allergens
DISHES = (
    ("红烧带鱼套餐", 1500, SetClass.BASIC, ("low_sugar",), ("鱼",)),
    ("番茄炒蛋套餐", 1000, SetClass.BASIC, ("soft", "low_fat"), ("鸡蛋",)),
    ("香菇滑鸡套餐", 1300, SetClass.BASIC, ("halal",), ()),
    ("肉末豆腐套餐", 1100, SetClass.BASIC, ("soft", "low_sugar"), ("大豆",)),
    ("糖尿病专属餐：杂粮饭配清蒸鲈鱼", 1600, SetClass.DIETARY, ("low_sugar", "low_salt", "low_fat"), ("鱼",)),
    ("高血压专属餐：低盐冬瓜鸡", 1600, SetClass.DIETARY, ("low_salt", "low_fat", "soft"), ()),
    ("素什锦套餐", 900, SetClass.BASIC, ("vegetarian", "low_fat", "halal"), ("大豆", "花生")),
    ("土豆炖牛肉套餐", 1500, SetClass.BASIC, ("halal",), ()),
    ("鲜虾馄饨", 1000, SetClass.BASIC, ("soft",), ("虾", "小麦")),
    ("青菜瘦肉粥", 600, SetClass.BASIC, ("soft", "semi_liquid", "low_fat"), ()),
)
ALL_WAYS = [Way.DINE_IN.value, Way.TAKE_AWAY.value, Way.DELIVERY.value]


def build_canteens(session: Session, areas: dict[str, Area]) -> list[Canteen]:
    plans = (
        ("999901001001", "春风里助餐点", "春风里东苑 1 号楼一层", "0571-88880001", 0, time(9), 200),
        ("999901001002", "荷塘长者食堂", "荷塘月色 3 号楼一层", "0571-88880002", 0, time(9, 30), 200),
        ("999901001203", "芷溪村老年食堂", "下芷溪 12 号", "0571-88880003", 1, time(18), 0),
    )
    made = []
    for code, name, address, phone, days, cutoff, fee in plans:
        canteen = Canteen(
            community_id=areas[code].id, name=name, address=address, phone=phone, ways=ALL_WAYS, delivery_fee_fen=fee
        )
        canteen.times = [
            MealTime(meal=Meal.LUNCH, opens=time(11), closes=time(12, 30), cutoff_days=days, cutoff=cutoff),
            MealTime(meal=Meal.DINNER, opens=time(16, 30), closes=time(18), cutoff_days=days, cutoff=time(14, 30)),
        ]
        session.add(canteen)
        made.append(canteen)
    session.flush()
    return made


def build_menus(session: Session, canteen: Canteen, monday: date) -> None:
    """Lunch on every day of two weeks but holidays, dinner on working days."""
    source = random.Random(canteen.id)
    dishes = [
        Dish(
            canteen_id=canteen.id,
            name=name,
            price_fen=price,
            set_class=kind,
            diets=list(diets),
            allergens=list(allergens),
        )
        for name, price, kind, diets, allergens in DISHES
    ]
    session.add_all(dishes)
    session.flush()
    for offset in range(14):
        day = monday + timedelta(days=offset)
        if canteen.closed_on_holidays and calendar.holiday_name(day):
            continue
        for times in canteen.times:
            if times.meal is Meal.DINNER and not calendar.is_working_day(day):
                continue
            session.add(_menu(canteen, times, day, source.sample(dishes, 4)))
    session.flush()


def _menu(canteen: Canteen, times: MealTime, day: date, dishes: list[Dish]) -> Menu:
    menu = Menu(
        canteen_id=canteen.id,
        day=day,
        meal=times.meal,
        state=MenuState.PUBLISHED,
        cutoff_at=times.cutoff_at(day),
        opens_at=clock.at(day, times.opens),
        closes_at=clock.at(day, times.closes),
        ways=list(canteen.ways),
    )
    menu.dishes = [
        MenuDish(dish=dish, capacity=Capacity(total=60, taken=0), price_fen=dish.price_fen) for dish in dishes
    ]
    return menu
