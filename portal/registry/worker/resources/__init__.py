"""Worker pages of what a community can serve with: one module a kind of resource."""

from portal.registry.worker.resources import facilities, lists, organisations, staff, stock, teams

__all__ = ["facilities", "lists", "organisations", "staff", "stock", "teams"]
