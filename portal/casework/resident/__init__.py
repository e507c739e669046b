"""The resident platform of casework: one module a task, all on one blueprint."""

from portal.casework.resident import board, cases, quarters, reporting
from portal.casework.resident.blueprint import bp

__all__ = ["board", "bp", "cases", "quarters", "reporting"]
