"""The resident platform of registry: one module a task, all on one blueprint."""

from portal.registry.resident import accounts, agents, consents, corrections, mine, nearby
from portal.registry.resident.blueprint import bp

__all__ = ["accounts", "agents", "bp", "consents", "corrections", "mine", "nearby"]
