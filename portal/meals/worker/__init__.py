"""The worker platform of meals: one module a task, all on one blueprint."""

from portal.meals.worker import closing, kitchen, menus, orders, redeem, rules
from portal.meals.worker.blueprint import bp

__all__ = ["bp", "closing", "kitchen", "menus", "orders", "redeem", "rules"]
