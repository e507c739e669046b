"""Menus, the order page, the services and the board of requests (of the demonstration street), signed in, against a
bare page of the same bytes and as many queries.
"""

import http.client
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import CROWD, machine, ratio, verdict
from portal.demo import accounts
from tests.buyers import Buyer, buyers
from tests.sites import ROOT, Site, free_port, site

ROUNDS, SECONDS = 5, 3.0
TARGET, BEYOND = 0.6, 0.75

# Each request in a context of its own, as in the server: inside this one it would find the last one's answers.
COUNT = """
import contextvars
from portal.core.db import db
from sqlalchemy import event
asked = []
event.listen(db.engine, "before_cursor_execute", lambda *facts: asked.append(facts[2]))
client = app.test_client()
client.set_cookie("sid", "{sid}")
contextvars.Context().run(client.get, "{path}")
asked.clear()
answer = contextvars.Context().run(client.get, "{path}")
import json, sys
assert answer.status_code == 200, answer.status
queries = [words for words in asked if words.lstrip().upper().startswith(("SELECT", "WITH"))]
sys.stdout.write(json.dumps(dict(queries=len(queries), size=len(answer.data))))
"""

OFFERS = """
import sqlalchemy as sa
from portal.areas.models import Area
from portal.core.db import transaction
from portal.demo import services
with transaction() as session:
    areas = {area.code: area for area in session.scalars(sa.select(Area))}
    services.build_services(session, areas, min(areas, key=len))
"""

READER = """
import secrets, sys
import sqlalchemy as sa
from portal.core.clock import now
from portal.core.db import transaction
from portal.identity.models import Account, SignedSession
from portal.identity.service import phone_index
from portal.identity.sessions import _hash
sid = secrets.token_urlsafe(32)
with transaction() as session:
    account = session.scalars(sa.select(Account).where(Account.phone_index == phone_index("{phone}"))).one()
    facts = dict(account_id=account.id, platform=account.platform, epoch=account.epoch, sid_hash=_hash(sid))
    session.add(SignedSession(**facts, created_at=now(), seen_at=now(), authenticated_at=now()))
sys.stdout.write(sid)
"""


def _rate(port: int, path: str, cookie: str) -> float:
    """Answers a second, 16 connections kept open, with the cookies that a browser sends on its second page."""
    done, ends = [0] * CROWD, time.perf_counter() + SECONDS

    def ask_on(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() < ends:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
            done[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask_on, args=(number,)) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / SECONDS


@dataclass
class Reader:
    """A resident of the demonstration street with a session."""

    sid: str
    cookie: str


def _reader(made: Site) -> Reader:
    sid = made.python(READER.format(phone=accounts.DAUGHTER_PHONE))
    return Reader(sid, f"sid={sid}")


def _compare(made: Site, name: str, path: str, buyer: Buyer | Reader) -> str:
    facts = json.loads(made.python(COUNT.format(sid=buyer.sid, path=path)))
    port = free_port()
    arguments = [str(port), made.database_url, str(facts["queries"]), str(facts["size"])]
    bare = made.spawn([sys.executable, "-m", "bench.bare", *arguments], PYTHONPATH=str(ROOT))
    bare.says("serving at")
    ours, theirs = [], []
    for _round in range(ROUNDS):
        theirs.append(_rate(port, "/", ""))
        ours.append(_rate(made.port, path, buyer.cookie))
    bare.end()
    facts_said = f"{facts['size']} bytes, {facts['queries']} queries"
    print(f"{name}  {facts_said}  {max(ours):.0f}/s, bare {max(theirs):.0f}/s")
    return verdict(name, ratio(ours, theirs), TARGET, BEYOND)


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder, site("sqlite", Path(folder) / "site") as made:
        (buyer,) = buyers(made.migrated(), 1, portions=20)
        made.python(OFFERS)
        made.serve()
        buyer.look()
        pages = {
            "menus": "/meals/",
            "order page": buyer.path,
            "services": "/services/",
            "all services": "/services/list",
        }
        lines = [_compare(made, name, path, buyer) for name, path in pages.items()]
    with tempfile.TemporaryDirectory() as folder, site("sqlite", Path(folder) / "site") as made:
        if made.migrated().run("demo").returncode:
            raise RuntimeError("no demonstration street")
        reader = _reader(made)
        made.serve()
        lines.append(_compare(made, "board", "/cases/board", reader))
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
