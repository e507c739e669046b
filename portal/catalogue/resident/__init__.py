"""The resident platform of the catalogue: one module a task, all on one blueprint."""

from portal.catalogue.resident import applications as applications
from portal.catalogue.resident import appointments
from portal.catalogue.resident import items as items
from portal.catalogue.resident import rooms as rooms
from portal.catalogue.resident.blueprint import bp

__all__ = ["appointments", "bp"]
