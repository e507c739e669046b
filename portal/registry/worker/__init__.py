"""The worker platform of registry: one module a task, all on one blueprint."""

from portal.registry.worker import claims, imports, people
from portal.registry.worker.blueprint import bp

__all__ = ["bp", "claims", "imports", "people"]
