"""The worker platform of registry: one module a task, all on one blueprint."""

from portal.registry.worker import (
    buildings,
    claims,
    exports,
    happenings,
    homes,
    households,
    imports,
    owners,
    people,
    resources,
    rights,
    rosters,
    search,
    tags,
    twins,
)
from portal.registry.worker.blueprint import bp

__all__ = [
    "bp",
    "buildings",
    "claims",
    "exports",
    "happenings",
    "homes",
    "households",
    "imports",
    "owners",
    "people",
    "resources",
    "rights",
    "rosters",
    "search",
    "tags",
    "twins",
]
