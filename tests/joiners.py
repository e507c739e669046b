"""Volunteers who join a shift through HTTP: made many at once with their sessions, each good for a place on each."""

import json
import re
import secrets
import sys
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from portal.core.clock import now
from portal.core.db import transaction
from portal.identity.models import SignedSession
from portal.identity.sessions import _hash
from tests.buyers import HIDDEN, Buyer, Many
from tests.helping import Helping, soon
from tests.sites import Site

FORM = re.compile(r'<form[^>]*id="join-form".*?</form>', re.DOTALL)


def prepare(count: int, places: int, shifts: int) -> None:
    """Make volunteers and shifts two hours apart, and write out what they need; runs inside the site's application."""
    make = Many()
    helping = Helping(make)
    with transaction() as session:
        activity = helping.activity(positions=[helping.position(needs=places)], insurance="志愿者意外险")
        starts = [soon(2) + timedelta(hours=2 * number) for number in range(shifts)]
        posts = [helping.post(helping.shift(activity, starts_at=moment, hours=1.5)).id for moment in starts]
        sids = [secrets.token_urlsafe(32) for _joiner in range(count)]
        for sid in sids:
            volunteer, moment = helping.volunteer(), now()
            account = make.resident(volunteer.person)
            facts = {"account_id": account.id, "platform": account.platform, "epoch": account.epoch}
            times = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
            session.add(SignedSession(sid_hash=_hash(sid), **facts, **times))
        sys.stdout.write(json.dumps({"posts": posts, "sids": sids}))


@dataclass
class Joiner(Buyer):
    """One signed-in volunteer; `dish` is the post. `order()` needs the page of `look()` before it."""

    @property
    def path(self) -> str:
        return f"/volunteers/posts/{self.dish}/join"

    def look(self) -> int:
        answer, body = self._ask("GET", self.path)
        cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        if cookies:
            self.cookie = "; ".join([f"sid={self.sid}", *(f"{name}={one.value}" for name, one in cookies.items())])
        form = FORM.search(body.decode())
        self.hidden = urlencode({**dict(HIDDEN.findall(form.group(0))), "agree": "y"}) if form else "none=1"
        return answer.status


def joiners(site: Site, count: int, *, places: int, shifts: int = 1) -> tuple[list[Joiner], list[int]]:
    """The volunteers, all for the first shift, and the ids of the posts."""
    made = site.python(f"from tests.joiners import prepare\nprepare({count}, {places}, {shifts})")
    facts: dict[str, Any] = json.loads(made)
    crowd = [Joiner(site.port, 0, facts["posts"][0], sid) for sid in facts["sids"]]
    return crowd, facts["posts"]
