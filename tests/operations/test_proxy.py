"""The production pair: granian behind nginx, in the configuration that stands in deploy/."""

import re
import signal

import pytest
import requests

from tests.sites import ROOT, Trickle, free_port, until

pytestmark = pytest.mark.slow

HIDDEN = re.compile(r'name="csrf_token"[^>]*value="([^"]*)"')


@pytest.fixture
def pair(new_site):
    """A site served by nginx and granian; `site.port` is nginx's."""
    site = new_site().migrated()
    site.port = free_port()
    # Two workers: the first answer comes while the other still loads, and both must hear the end.
    process = site.spawn(["bash", str(ROOT / "deploy/try_nginx.sh"), str(site.port)])
    until(lambda: not process.running or _answers(site), "nginx and granian")
    assert process.running, process.said
    yield site
    assert process.end(signal.SIGTERM) == 0


def _answers(site) -> bool:
    try:
        return site.get("/healthz").status_code == 200
    except requests.ConnectionError:
        return False


def test_pages_and_files_come_through_compressed(pair):
    page = pair.get("/account/sign-in")
    assert page.status_code == 200
    assert page.headers["Content-Encoding"] == "gzip"
    address = re.search(r'/static/[^"]+\.css', page.text).group()
    style = pair.get(address)
    assert style.headers["Content-Encoding"] == "gzip"
    assert "immutable" in style.headers["Cache-Control"]
    assert "via" not in style.headers
    # nginx itself served it: granian's answers carry the portal's headers.
    assert "Content-Security-Policy" not in style.headers


def test_only_nginx_says_where_a_request_comes_from(pair):
    with requests.Session() as browser:
        page = browser.get(f"{pair.address}/account/sign-in", timeout=20)
        facts = {"csrf_token": HIDDEN.search(page.text).group(1), "phone": "13800009999", "password": "wrong password"}
        claimed = {"X-Forwarded-For": "203.0.113.77"}
        refused = browser.post(f"{pair.address}/account/sign-in", data=facts, headers=claimed, timeout=20)
    assert refused.status_code == 422
    assert pair.scalar("SELECT address FROM audit_row WHERE action = 'identity.sign_in_failed'") == "127.0.0.0"


def test_60_clients_that_trickle_their_posts_are_nginxs_to_wait_for(pair):
    slow = Trickle(pair.port, 60)
    try:
        for _round in range(20):
            slow.drip()
            assert pair.get("/account/sign-in").status_code == 200
    finally:
        slow.close()


def test_a_body_too_large_is_refused_before_it_reaches_the_portal(pair):
    answer = requests.post(f"{pair.address}/account/sign-in", data=b"x" * (33 * 1024 * 1024), timeout=60)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "文件太大，最多 20 MB" in answer.content.decode()
