"""Background work of the maps of opinion: drawn when asked, drawn by themselves, taken up again."""

from portal.core.clock import now
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.deliberation.service import maps


def refresh_maps() -> None:
    """Topics on which enough people took a stand since their map was drawn."""
    each(maps.due(now()), maps.refresh)


def register(jobs: Jobs) -> None:
    jobs.add(maps.JOB, maps.compute)
    jobs.add("deliberation.resume_maps", maps.resume, EVERY_MINUTE)
    jobs.add("deliberation.refresh_maps", refresh_maps, Scheduled(minute="35", hour="*"))
