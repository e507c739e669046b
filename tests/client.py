"""A test client that is a linter: it parses every HTML answer and refuses what no page of ours may hold."""

import contextvars
import re
import secrets
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.identity.models import Account, SignedSession
from portal.identity.sessions import _hash

# Not a run of digits within a fingerprint or a token.
NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
LABELLED = {"input", "select", "textarea"}
UNLABELLED_TYPES = {"hidden", "submit", "button", "image", "reset"}


class Client(FlaskClient):
    """Requests run in a context of their own; the test's session is rolled back around them, so it sees the result.

    `shows_numbers` is set by the few tests in which a worker has asked to see one.
    """

    shows_numbers = False

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        _look_again()
        response = contextvars.Context().run(super().open, *args, **kwargs)
        _look_again()
        if response.mimetype == "text/html" and response.data:
            lint(response.get_data(as_text=True), fragment="<html" not in response.get_data(as_text=True))
            if not self.shows_numbers:
                found = NUMBER.search(response.get_data(as_text=True))
                assert not found, f"an unmasked number on {response.request.path}: {found.group()[:6]}…"
        return response

    def sign_in(self, account: Account) -> "Client":
        """Carry a live session of this account, as if it had just signed in."""
        sid = secrets.token_urlsafe(32)
        moment = now()
        with transaction() as session:
            session.add(
                SignedSession(
                    sid_hash=_hash(sid),
                    account_id=account.id,
                    platform=account.platform,
                    epoch=account.epoch,
                    created_at=moment,
                    seen_at=moment,
                    authenticated_at=moment,
                )
            )
        self.set_cookie("sid", sid)
        return self


def _look_again() -> None:
    if has_app_context():
        db.session.rollback()
        db.session.expire_all()


def lint(html: str, *, fragment: bool = False) -> None:
    if fragment:
        root = html5lib.HTMLParser(namespaceHTMLElements=False).parseFragment(html)
    else:
        root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    _no_duplicate_ids(elements)
    _nothing_inline(elements)
    _labels(elements)
    if not fragment:
        titles = [element for element in elements if element.tag == "title" and (element.text or "").strip()]
        assert titles, "a page without a title"
        assert root.get("lang"), "a page without a language"
        assert len([element for element in elements if element.tag == "h1"]) == 1, "a page has exactly one h1"


def _no_duplicate_ids(elements: list[Element]) -> None:
    ids = [element.get("id") for element in elements if element.get("id")]
    doubled = {name for name in ids if ids.count(name) > 1}
    assert not doubled, f"duplicate ids: {doubled}"


def _nothing_inline(elements: list[Element]) -> None:
    for element in elements:
        assert not (element.tag == "script" and not element.get("src")), "an inline script"
        assert element.tag != "style", "an inline style element"
        bad = [name for name in element.attrib if name == "style" or name.startswith(("on", "hx-on"))]
        assert not bad, f"inline attributes on <{element.tag}>: {bad}"


def _labels(elements: list[Element]) -> None:
    labelled = {element.get("for") for element in elements if element.tag == "label"}
    wrapped = {id(inner) for element in elements if element.tag == "label" for inner in element.iter()}
    for element in elements:
        if element.tag not in LABELLED or element.get("type", "text") in UNLABELLED_TYPES:
            continue
        named = element.get("aria-label") or element.get("aria-labelledby") or element.get("id") in labelled
        assert named or id(element) in wrapped, f"<{element.tag} name={element.get('name')}> has no label"
