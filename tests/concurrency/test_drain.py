"""Stopping the web server: what has arrived is answered, nothing new is let in, and slow clients stop nobody."""

import http.client
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from tests.sites import ROOT, Site, Trickle, site, until

pytestmark = pytest.mark.slow


@contextmanager
def _gated(tmp_path):
    """A server whose answers wait until the gate is there."""
    held = Site(tmp_path, "sqlite://")
    gate = tmp_path / "gate"
    script = str(ROOT / "tests/concurrency/gated.py")
    process = held.spawn([sys.executable, script, str(held.port), str(gate)], PYTHONPATH=str(ROOT))
    try:
        process.says("serving")
        yield held, process, gate
    finally:
        held.stop()


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_all_20_requests_in_flight_are_answered_after_sigterm(tmp_path):
    with _gated(tmp_path) as (held, process, gate):
        asked = [http.client.HTTPConnection("127.0.0.1", held.port, timeout=30) for _request in range(20)]
        for number, connection in enumerate(asked):
            connection.request("POST", "/held", f"order {number}")
        # Four threads hold four requests; the sixteen others wait in the server's queue.
        until(lambda: process.said.count("held") == 4, "four held requests")
        process.signal(signal.SIGTERM)
        until(lambda: _refused(held.port), "the closed door")
        assert process.running
        gate.touch()
        answers = [connection.getresponse() for connection in asked]
        assert [answer.status for answer in answers] == [200] * 20
        assert [answer.read().decode() for answer in answers] == [f"answered whole order {n}" for n in range(20)]
        assert process.popen.wait(25) == 0
        for connection in asked:
            connection.close()


def test_an_answer_given_while_stopping_closes_its_connection(tmp_path):
    with _gated(tmp_path) as (held, process, gate), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(requests.get, f"{held.address}/held", timeout=30)
        until(lambda: "held" in process.said, "the held request")
        process.signal(signal.SIGTERM)
        until(lambda: _refused(held.port), "the closed door")
        gate.touch()
        assert asked.result().headers["Connection"] == "close"


def test_idle_connections_do_not_keep_the_server_alive(tmp_path):
    with _gated(tmp_path) as (held, process, _gate), requests.Session() as session:
        assert session.get(held.address, timeout=30).status_code == 200
        assert process.end(signal.SIGTERM) == 0


def test_60_clients_that_trickle_their_posts_stop_nobody(database, tmp_path):
    with site(database, tmp_path / "site", THREADS="4") as made:
        made.migrated().serve()
        slow = Trickle(made.port, 60)
        try:
            for _round in range(20):
                slow.drip()
                assert made.get("/healthz").status_code == 200
                assert made.get("/account/sign-in").status_code == 200
        finally:
            slow.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_portal_itself_ends_cleanly(database, tmp_path, number):
    with site(database, tmp_path / "site") as made:
        process = made.migrated().serve()
        assert made.get("/healthz").status_code == 200
        assert process.end(number) == 0
        assert "Traceback" not in process.said
