"""Background work of registry."""

from portal.core.jobs import Jobs


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
