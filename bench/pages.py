"""The week's menus and the order page, signed in, against a bare page of the same bytes and as many queries."""

import http.client
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.measuring import CROWD, machine, ratio, verdict
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


def _compare(made: Site, name: str, path: str, buyer: Buyer) -> str:
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
        made.serve()
        buyer.look()
        lines = [_compare(made, "menus", "/meals/", buyer), _compare(made, "order page", buyer.path, buyer)]
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
