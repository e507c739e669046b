"""Every page that links lead to, in a real browser: axe is content, no script fails, nothing scrolls sideways."""

import re
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.db import db
from portal.demo.load import load_demo
from portal.identity.models import Account
from tests.browser.conftest import Open, Reader
from tests.client import Client

pytestmark = pytest.mark.browser
# One page of each kind is enough: people, menus and rows differ in words only.
ONE_OF_A_KIND = re.compile(r"/(\d{4}-\d{2}-\d{2}|\d+|[a-z2-7]{26}|[a-z_]+\.[a-z_]+)(?=/|$)")


@pytest.fixture
def demonstration(app: Flask) -> Flask:
    load_demo(app)
    return app


def _kind(address: str) -> str:
    return ONE_OF_A_KIND.sub("/*", urlsplit(address).path)


def _links(reader: Reader) -> list[str]:
    found = reader.page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
    return [str(link) for link in found if "#" not in str(link)]


def _walk(reader: Reader, start: str, share: int, shares: int) -> int:
    """Follow links from a page, one of each kind, and look at this share of the pages reached; how many there are."""
    waiting, seen, passed = [start], {_kind(start)}, 0
    while waiting:
        reader.page.goto(reader.address + waiting.pop(0))
        if passed % shares == share:
            reader.look()
        passed += 1
        for link in _links(reader):
            if _kind(link) not in seen:
                seen.add(_kind(link))
                waiting.append(link)
    return passed


# The desk has far more pages than one test has time: several share them out.
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("login", "start", "desk", "scale", "share", "shares"),
    [
        *(("worker2", "/desk/", True, "1", share, 4) for share in range(4)),
        *(("worker2", "/desk/", False, "1.3", share, 4) for share in range(4)),
        ("canteen2", "/desk/", True, "1", 0, 1),
        ("canteen2", "/desk/", False, "1.3", 0, 1),
        ("grid", "/desk/", True, "1", 0, 2),
        ("grid", "/desk/", False, "1", 1, 2),
        ("street", "/desk/", True, "1", 0, 4),
        ("system", "/desk/", True, "1", 0, 1),
        ("security", "/desk/", True, "1", 0, 1),
        ("auditor", "/desk/", True, "1", 0, 1),
        ("resident", "/", False, "1", 0, 1),
        ("resident", "/", False, "1.3", 0, 1),
        ("", "/", False, "1.8", 0, 1),
    ],
)
def test_every_page_keeps_the_promises_of_all_pages(
    demonstration: Flask, reader: Open, login: str, start: str, desk: bool, scale: str, share: int, shares: int
):
    visitor = reader(desk=desk, scale=scale)
    if login:
        with demonstration.app_context():
            where = Account.username == login if login != "resident" else Account.name == "李小红"
            account = db.session.scalars(sa.select(Account).where(where)).one()
            client: Client = demonstration.test_client().sign_in(account)  # type: ignore[attr-defined]
        visitor.carry(client)
    assert _walk(visitor, start, share, shares) > 2


def test_reloading_or_coming_back_to_a_form_with_mistakes_asks_for_it_and_sends_nothing_again(app: Flask, reader: Open):
    visitor = reader().go("/account/sign-in")
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.method))
    visitor.page.locator("form[method=post] .field input").first.fill("1")
    visitor.page.locator("form[method=post]:has(.field) [type=submit]").first.click()
    visitor.page.wait_for_selector(".error-summary")
    assert sent.count("POST") == 1
    visitor.page.reload()
    assert visitor.page.locator(".error-summary").count() == 0
    visitor.go("/")
    visitor.page.go_back()
    assert sent.count("POST") == 1
