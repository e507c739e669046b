"""The worker platform of care visits: one module a task, all on one blueprint."""

from portal.visits.worker import checks, people, rates, referrals, rounds, rules, visits
from portal.visits.worker.blueprint import bp

__all__ = ["bp", "checks", "people", "rates", "referrals", "rounds", "rules", "visits"]
