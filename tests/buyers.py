"""Residents who order lunch through HTTP: made many at once with their sessions, each good for one order."""

import http.client
import json
import re
import secrets
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from http.cookies import SimpleCookie
from typing import Any, TypeVar
from urllib.parse import urlencode

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.ids import Sex, check_digit
from portal.identity.models import SignedSession
from portal.identity.sessions import _hash
from tests.make import Make
from tests.sites import Site

Row = TypeVar("Row")
HIDDEN = re.compile(r'<input[^>]*name="(idem|csrf_token)"[^>]*value="([^"]*)"')


class Many(Make):
    """The builders inside one transaction, because a commit for each of a thousand rows takes its time."""

    def add(self, row: Row) -> Row:
        db.session.add(row)
        db.session.flush()
        return row

    def id_number(self, born: date = date(1950, 5, 5), sex: Sex = Sex.FEMALE) -> str:
        """Numbers for more people than one birthday has."""
        day, order = divmod(self.number(), 400)
        first = f"999901{born + timedelta(days=day):%Y%m%d}{order * 2 + (sex is Sex.MALE):03d}"
        return first + check_digit(first)


def prepare(count: int, portions: int) -> None:
    """Make a menu and the buyers, and write out what they need; runs inside the site's application."""
    make = Many()
    with transaction() as session:
        menu = make.menu(portions=portions)
        sids = [secrets.token_urlsafe(32) for _buyer in range(count)]
        for sid in sids:
            account, moment = make.resident(make.person()), now()
            facts = {"account_id": account.id, "platform": account.platform, "epoch": account.epoch}
            times = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
            session.add(SignedSession(sid_hash=_hash(sid), **facts, **times))
        sys.stdout.write(json.dumps({"menu": menu.id, "dish": menu.dishes[0].id, "sids": sids}))


@dataclass
class Buyer:
    """One signed-in resident. `order()` needs the page of `look()` before it, as in a browser."""

    port: int
    menu: int
    dish: int
    sid: str
    cookie: str = ""
    hidden: str = ""

    def __post_init__(self) -> None:
        self.cookie = f"sid={self.sid}"
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def _ask(self, method: str, path: str, body: str = "") -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Cookie": self.cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body=body or None, headers=headers)
        answer = self.connection.getresponse()
        return answer, answer.read()

    @property
    def path(self) -> str:
        return f"/meals/{self.menu}/order"

    def look(self) -> int:
        answer, body = self._ask("GET", self.path)
        cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        self.cookie = "; ".join([f"sid={self.sid}", *(f"{name}={morsel.value}" for name, morsel in cookies.items())])
        fields = dict(HIDDEN.findall(_switched(body.decode())))
        self.hidden = urlencode({**fields, f"dish_{self.dish}": "1", "way": "dine_in"})
        return answer.status

    def order(self) -> int:
        """The status of the answer; 303 is the acknowledgement."""
        answer, _body = self._ask("POST", self.path, self.hidden)
        return answer.status

    def close(self) -> None:
        self.connection.close()


def _switched(html: str) -> str:
    """Attributes in the order that HIDDEN reads: WTForms writes name, type, value."""
    return html[html.index('id="order-form"') :]


def buyers(site: Site, count: int, *, portions: int) -> list[Buyer]:
    facts: dict[str, Any] = json.loads(site.python(f"from tests.buyers import prepare\nprepare({count}, {portions})"))
    return [Buyer(site.port, facts["menu"], facts["dish"], sid) for sid in facts["sids"]]
