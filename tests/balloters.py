"""Residents who vote through HTTP: made many at once with their sessions, each on the roll of one unnamed vote."""

import json
import re
import secrets
import sys
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from portal.core.clock import now
from portal.core.db import transaction
from portal.deliberation.models.codes import Stage
from portal.identity.models import SignedSession
from portal.identity.sessions import _hash
from tests.buyers import Buyer, Many
from tests.deliberating import Deliberating
from tests.sites import Site

FIELD = re.compile(r'<input[^>]*name="(entry|slip|seen|csrf_token)"[^>]*value="([^"]*)"')


def prepare(count: int) -> None:
    """Make a vote and its voters, and write out what they need; runs inside the site's application."""
    deliberating = Deliberating(Many())
    with transaction() as session:
        vote = deliberating.vote(deliberating.topic(stage=Stage.VOTING), named=False)
        sids = [secrets.token_urlsafe(32) for _voter in range(count)]
        for sid in sids:
            person, account = deliberating.person_with_account()
            deliberating.entry(vote, person)
            moment, facts = now(), {"account_id": account.id, "platform": account.platform, "epoch": account.epoch}
            times = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
            session.add(SignedSession(sid_hash=_hash(sid), **facts, **times))
        sys.stdout.write(json.dumps({"vote": vote.id, "sids": sids}))


@dataclass
class Balloter(Buyer):
    """One signed-in voter; `menu` is the vote and `dish` her choice. `order()` needs the page of `look()` before it."""

    @property
    def path(self) -> str:
        return f"/deliberation/votes/{self.menu}"

    def look(self) -> int:
        answer, body = self._ask("GET", self.path)
        cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        self.cookie = "; ".join([f"sid={self.sid}", *(f"{name}={one.value}" for name, one in cookies.items())])
        self.hidden = urlencode({**dict(FIELD.findall(body.decode())), "choice": self.dish, "sure": "1"})
        return answer.status

    def order(self) -> int:
        """The status of the answer; 200 is the page with the receipt."""
        answer, body = self._ask("POST", f"{self.path}/cast", self.hidden)
        return answer.status if b'id="vote-receipt"' in body else 0


def balloters(site: Site, count: int) -> list[Balloter]:
    facts: dict[str, Any] = json.loads(site.python(f"from tests.balloters import prepare\nprepare({count})"))
    return [Balloter(site.port, facts["vote"], number % 3 + 1, sid) for number, sid in enumerate(facts["sids"])]
