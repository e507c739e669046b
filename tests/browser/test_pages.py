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
MOST = 45


@pytest.fixture
def demonstration(app: Flask) -> Flask:
    load_demo(app)
    return app


def _kind(address: str) -> str:
    return ONE_OF_A_KIND.sub("/*", urlsplit(address).path)


def _links(reader: Reader) -> list[str]:
    found = reader.page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
    return [str(link) for link in found if "#" not in str(link)]


def _walk(reader: Reader, start: str) -> set[str]:
    """Follow links from a page, one of each kind, and look at each page reached."""
    waiting, seen = [start], {_kind(start)}
    while waiting and len(seen) < MOST:
        reader.go(waiting.pop(0))
        for link in _links(reader):
            if _kind(link) not in seen:
                seen.add(_kind(link))
                waiting.append(link)
    return seen


@pytest.mark.parametrize(
    ("login", "start", "desk", "scale"),
    [
        ("worker2", "/desk/", True, "1"),
        ("worker2", "/desk/", False, "1.3"),
        ("canteen2", "/desk/", True, "1"),
        ("canteen2", "/desk/", False, "1.3"),
        ("grid", "/desk/", True, "1"),
        ("street", "/desk/", True, "1"),
        ("system", "/desk/", True, "1"),
        ("security", "/desk/", True, "1"),
        ("auditor", "/desk/", True, "1"),
        ("resident", "/", False, "1"),
        ("resident", "/", False, "1.3"),
        ("", "/", False, "1.8"),
    ],
)
def test_every_page_keeps_the_promises_of_all_pages(
    demonstration: Flask, reader: Open, address: str, login: str, start: str, desk: bool, scale: str
):
    visitor = reader(desk=desk, scale=scale)
    if login:
        with demonstration.app_context():
            where = Account.username == login if login != "resident" else Account.name == "李小红"
            account = db.session.scalars(sa.select(Account).where(where)).one()
            client: Client = demonstration.test_client().sign_in(account)  # type: ignore[attr-defined]
        sid = client.get_cookie("sid")
        assert sid
        visitor.context.add_cookies([{"name": "sid", "value": sid.value, "url": address}])
    assert len(_walk(visitor, start)) > 2
