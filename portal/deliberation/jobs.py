"""Background work of deliberation."""

from flask import Flask

from portal.core.jobs import Jobs
from portal.deliberation import idea_jobs, map_jobs, meeting_jobs, opening_jobs, roll_jobs, vote_jobs


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    meeting_jobs.register(jobs)
    idea_jobs.register(jobs)
    map_jobs.register(jobs)
    opening_jobs.register(jobs)
    vote_jobs.register(jobs)
    roll_jobs.register(jobs)


def listen(app: Flask) -> None:
    """Hear what the register, places and the requests tell."""
    meeting_jobs.listen(app)
    idea_jobs.listen(app)
