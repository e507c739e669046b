"""The tables of elderly meals: canteens and menus, orders and their subsidies."""

from portal.meals.models.menus import Canteen, Dish, Meal, MealTime, Menu, MenuDish, MenuState, SetClass, Way
from portal.meals.models.orders import (
    MOVES,
    MealOrder,
    OrderItem,
    OrderState,
    Payment,
    Redemption,
    RedemptionMeans,
)
from portal.meals.models.subsidies import (
    Days,
    PayerLevel,
    Period,
    RegionLevel,
    SubsidyCounter,
    SubsidyKind,
    SubsidyLine,
    SubsidyRule,
)

__all__ = [
    "MOVES",
    "Canteen",
    "Days",
    "Dish",
    "Meal",
    "MealOrder",
    "MealTime",
    "Menu",
    "MenuDish",
    "MenuState",
    "OrderItem",
    "OrderState",
    "PayerLevel",
    "Payment",
    "Period",
    "Redemption",
    "RedemptionMeans",
    "RegionLevel",
    "SetClass",
    "SubsidyCounter",
    "SubsidyKind",
    "SubsidyLine",
    "SubsidyRule",
    "Way",
]
