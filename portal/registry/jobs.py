"""Background work of registry: checking imported registers, taking up checks that fell silent, forgetting old ones."""

from datetime import timedelta
from pathlib import Path

from flask import current_app

from portal.config import Config
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.registry.service import claims, imports

KEEP_IMPORTS = timedelta(days=7)
# What the notice on sensitive data promises: a refused claim goes, with the number it said.
KEEP_REFUSED_CLAIMS = timedelta(days=180)


def _config() -> Config:
    config: Config = current_app.extensions["portal.config"]
    return config


def _uploads() -> Path:
    return _config().instance / "uploads"


def check_batch(batch_id: int) -> None:
    imports.check_batch(batch_id, folder=_uploads(), allow_test_region=_config().allow_test_region)


def resume_imports() -> None:
    for batch_id in imports.silent_batches():
        check_batch(batch_id)


def purge_imports() -> None:
    imports.purge(now() - KEEP_IMPORTS, folder=_uploads())


def purge_claims() -> None:
    with transaction():
        claims.purge(now() - KEEP_REFUSED_CLAIMS)


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("registry.check_batch", check_batch)
    jobs.add("registry.resume_imports", resume_imports, Scheduled(minute="*", hour="*"))
    jobs.add("registry.purge_imports", purge_imports, Scheduled(minute="40", hour="3"))
    jobs.add("registry.purge_claims", purge_claims, Scheduled(minute="45", hour="3"))
