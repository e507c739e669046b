"""The processes of a site: the web server with its files, the jobs, and the command that runs both."""

import os
import re
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.sites import Process, Site, until

pytestmark = pytest.mark.slow

QUEUED = """
from datetime import timedelta
from portal.core import jobs
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.tokens import RequestKey
with transaction() as session:
    at = now() - timedelta(days=30)
    session.add(RequestKey(actor="a", action="b", key="c", body="d", answer="e", at=at))
    jobs.enqueue("core.purge")
"""
STREET = """
from portal.core.db import transaction
from portal.demo.street import build_areas
with transaction() as session:
    build_areas(session)
"""
STATIC = re.compile(r'/static/[^"]+\.css')
# Seconds for a demonstration street to load while other tests share the processor.
LOADING = 100.0


def test_static_files_are_compressed_and_kept_for_ever(new_site):
    site = new_site().migrated()
    site.serve()
    address = STATIC.search(site.get("/account/sign-in").text).group()
    answer = site.get(address, headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    assert site.get(address.replace(".css", ".scss")).status_code == 404


def test_ready_means_database_version_and_jobs(new_site):
    site = new_site().migrated()
    site.serve()
    assert site.get("/healthz").text == "ok\n"
    before = site.get("/readyz")
    assert before.status_code == 503
    assert before.json() == {"ready": False, "flaws": {"jobs": "silent"}}
    site.start("jobs")
    until(lambda: site.get("/readyz").status_code == 200, "the jobs' heartbeat")
    with site.connection() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    after = site.get("/readyz")
    assert after.status_code == 503
    assert "database at 0000" in after.json()["flaws"]["migrations"]


def test_jobs_on_another_queue_than_the_web_servers_say_so(new_site):
    site = new_site().migrated()
    site.serve()
    process = site.start("jobs", JOBS_URL=f"sqlite:///{site.instance / 'other.db'}")
    process.says("JOBS_URL differs between the two")


def test_jobs_that_no_web_server_ever_queued_for_say_so(new_site):
    process = new_site().migrated().start("jobs")
    process.says("no web process has ever started on this database")


def test_the_real_consumer_runs_what_a_transaction_queued_and_ends_gracefully(new_site):
    site = new_site().migrated()
    site.python(QUEUED)
    assert site.scalar("SELECT count(*) FROM request_key") == 1
    process = site.start("jobs")
    # By itself this job runs in the small hours only.
    until(lambda: site.scalar("SELECT count(*) FROM request_key") == 0, "the queued job")
    assert process.end(signal.SIGTERM) == 0
    assert "Traceback" not in process.said


def test_run_starts_everything_and_ctrl_c_ends_everything(new_site):
    site = new_site()
    process = site.start("run")
    process.says("Ctrl-C ends everything", longest=LOADING)
    assert site.get("/readyz").status_code in {200, 503}
    assert "居民" in process.said
    until(lambda: site.get("/readyz").status_code == 200, "the jobs")
    assert process.end(signal.SIGINT) == 0
    assert _left(site) == []


def test_nothing_outlives_a_run_that_is_killed(new_site):
    site, process = _run_again(new_site())
    until(lambda: len(_left(site)) == 2, "the web server and the jobs")
    process.signal(signal.SIGKILL)
    process.popen.wait()
    until(lambda: not _left(site), "the children's end")


def test_when_the_jobs_end_by_themselves_everything_ends_and_says_so_by_its_code(new_site):
    site, process = _run_again(new_site())
    (jobs,) = (one for one in _left(site) if one != process.popen.pid)
    os.kill(jobs, signal.SIGKILL)
    assert process.popen.wait(30) == 1
    until(lambda: not _left(site), "the end")


def _run_again(site: Site) -> tuple[Site, Process]:
    """A run where a street stands: that the first one loads it is asked above, and both end alike."""
    site.migrated().python(STREET)
    process = site.start("run")
    process.says("Ctrl-C ends everything", longest=LOADING)
    assert "loading the demonstration" not in process.said
    return site, process


def _left(site) -> list[int]:
    """The processes that work in this site's folder."""
    found = []
    mark = f"PORTAL_INSTANCE={site.instance}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
