"""The tables of the one database: people, their accounts' claims and family agents, imports."""

from portal.registry.models.accounts import AgentState, Claim, ClaimState, FamilyAgent
from portal.registry.models.codes import (
    Diet,
    IdKind,
    Marriage,
    PersonState,
    Politics,
    Presence,
    Registration,
    Relation,
    RestrictedKind,
    Schooling,
    TagKind,
    Tenure,
    Work,
)
from portal.registry.models.history import Happening, HappeningKind, HappeningPart, PersonChange, Source
from portal.registry.models.imports import BatchState, ImportBatch, ImportMapping, ImportRow, Outcome
from portal.registry.models.people import EmergencyContact, Household, Person, PersonTag, RestrictedTag

__all__ = [
    "AgentState",
    "BatchState",
    "Claim",
    "ClaimState",
    "Diet",
    "EmergencyContact",
    "FamilyAgent",
    "Happening",
    "HappeningKind",
    "HappeningPart",
    "Household",
    "IdKind",
    "ImportBatch",
    "ImportMapping",
    "ImportRow",
    "Marriage",
    "Outcome",
    "Person",
    "PersonChange",
    "PersonState",
    "PersonTag",
    "Politics",
    "Presence",
    "Registration",
    "Relation",
    "RestrictedKind",
    "RestrictedTag",
    "Schooling",
    "Source",
    "TagKind",
    "Tenure",
    "Work",
]
