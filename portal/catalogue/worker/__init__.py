"""The worker platform of the catalogue: one module a task, all on one blueprint."""

from portal.catalogue.worker import application_acts as application_acts
from portal.catalogue.worker import applications as applications
from portal.catalogue.worker import counter as counter
from portal.catalogue.worker import days as days
from portal.catalogue.worker import figures as figures
from portal.catalogue.worker import items as items
from portal.catalogue.worker import lists as lists
from portal.catalogue.worker import on_behalf as on_behalf
from portal.catalogue.worker import providers as providers
from portal.catalogue.worker import room_rules as room_rules
from portal.catalogue.worker import rooms as rooms
from portal.catalogue.worker import synonyms as synonyms
from portal.catalogue.worker import timetables as timetables
from portal.catalogue.worker.blueprint import bp

__all__ = ["bp"]
