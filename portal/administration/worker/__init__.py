"""The worker platform of administration: one module a task, all on one blueprint."""

from portal.administration.worker import accounts, holidays, parameters
from portal.administration.worker.blueprint import bp

__all__ = ["accounts", "bp", "holidays", "parameters"]
