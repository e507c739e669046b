"""Background work of registry: checking imported registers, taking up checks that fell silent, forgetting old ones."""

from datetime import timedelta
from pathlib import Path

from flask import Flask, current_app

from portal.config import Config
from portal.core import events
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.registry.service import claims, export_files, exports, imports, owner_links, twins
from portal.registry.service.rights import closing, copies, requests

KEEP_IMPORTS = timedelta(days=7)
# What the notice on sensitive data promises: a refused claim goes, with the number it said.
KEEP_REFUSED_CLAIMS = timedelta(days=180)


def _config() -> Config:
    config: Config = current_app.extensions["portal.config"]
    return config


def _uploads() -> Path:
    return _config().instance / "uploads"


def _exports() -> Path:
    return _config().instance / "exports"


def check_batch(batch_id: int) -> None:
    imports.check_batch(batch_id, folder=_uploads(), allow_test_region=_config().allow_test_region)


def resume_imports() -> None:
    for batch_id in imports.silent_batches():
        check_batch(batch_id)


def purge_imports() -> None:
    imports.purge(now() - KEEP_IMPORTS, folder=_uploads())


def find_twins(community_id: int) -> None:
    twins.seek(community_id)


def purge_claims() -> None:
    with transaction():
        claims.purge(now() - KEEP_REFUSED_CLAIMS)


def write_export(export_id: int) -> None:
    export_files.write(export_id, folder=_exports())


def resume_exports() -> None:
    for export_id in export_files.unfinished():
        write_export(export_id)


def purge_exports() -> None:
    export_files.purge(folder=_exports())
    for export_id in exports.overdue():
        with transaction():
            exports.expire(export_id)


def close_accounts() -> None:
    """Each in a transaction of its own, so that one that fails holds up no other."""
    for request_id in closing.due():
        with transaction():
            closing.finish(request_id)


def purge_copies() -> None:
    with transaction():
        copies.purge(now())


def purge_requests() -> None:
    with transaction():
        requests.purge()


def link_owners() -> None:
    with transaction():
        owner_links.link_all()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("registry.check_batch", check_batch)
    jobs.add("registry.find_twins", find_twins)
    jobs.add("registry.resume_imports", resume_imports, Scheduled(minute="*", hour="*"))
    jobs.add("registry.purge_imports", purge_imports, Scheduled(minute="40", hour="3"))
    jobs.add("registry.purge_claims", purge_claims, Scheduled(minute="45", hour="3"))
    jobs.add("registry.write_export", write_export)
    jobs.add("registry.resume_exports", resume_exports, Scheduled(minute="*", hour="*"))
    jobs.add("registry.purge_exports", purge_exports, Scheduled(minute="*/10", hour="*"))
    jobs.add("registry.close_accounts", close_accounts, Scheduled(minute="10", hour="4"))
    jobs.add("registry.purge_copies", purge_copies, Scheduled(minute="17", hour="*"))
    jobs.add("registry.purge_requests", purge_requests, Scheduled(minute="55", hour="3"))
    jobs.add("registry.link_owners", link_owners, Scheduled(minute="20", hour="2"))


def listen(app: Flask) -> None:
    """Owners from elsewhere are linked with people who come, and let go with those who go."""
    events.subscribe(app, "people_imported", owner_links.on_people_imported)
    events.subscribe(app, "people_leaving", owner_links.on_people_leaving)
