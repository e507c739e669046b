"""Background work of rolls and rules: the law's rows are there before anybody asks for them."""

from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.deliberation.service import rules


def load_rules() -> None:
    with transaction():
        rules.load_law()


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.load_rules", load_rules, Scheduled(minute="5", hour="*"))
