"""The tables of the one database: people, their accounts' claims and family agents, imports."""

from portal.registry.models.accounts import AgentState, Claim, ClaimState, FamilyAgent
from portal.registry.models.imports import BatchState, ImportBatch, ImportMapping, ImportRow, Outcome
from portal.registry.models.people import (
    Diet,
    Household,
    Person,
    PersonState,
    PersonTag,
    Registration,
    Relation,
    TagKind,
)

__all__ = [
    "AgentState",
    "BatchState",
    "Claim",
    "ClaimState",
    "Diet",
    "FamilyAgent",
    "Household",
    "ImportBatch",
    "ImportMapping",
    "ImportRow",
    "Outcome",
    "Person",
    "PersonState",
    "PersonTag",
    "Registration",
    "Relation",
    "TagKind",
]
