"""The roster's week (60 shifts, 200 volunteers), by shifts and by people, through HTTP; against a bare page that asks
the same questions and writes the rows into a template of as many bytes. The solver is bench/solver.py.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, render_template_string

from bench.measuring import machine, ratio, verdict
from bench.pages import BEYOND, ROUNDS, TARGET, _rate
from portal.core import serving
from tests.sites import ROOT, Site, free_port, site

SHIFTS, VOLUNTEERS = 60, 200
PAGES = {"by shifts": "/desk/volunteers/roster", "by people": "/desk/volunteers/roster?view=people"}
SEED = f"from tests.rosters import prepare\nprepare({SHIFTS}, {VOLUNTEERS})"

# Each request in a context of its own, as in the server; what it asks is kept with its parameters for the bare page.
ASK = """
import contextvars, json, sys
from portal.core.db import db
from sqlalchemy import event
asked = []
event.listen(db.engine, "before_cursor_execute", lambda *facts: asked.append((facts[2], facts[3])))
client = app.test_client()
client.set_cookie("sid", "{sid}")
contextvars.Context().run(client.get, "{path}")
asked.clear()
answer = contextvars.Context().run(client.get, "{path}")
assert answer.status_code == 200, answer.status
questions = [(words, facts) for words, facts in asked if words.lstrip().upper().startswith(("SELECT", "WITH"))]
json.dump(dict(questions=questions, size=len(answer.data)), sys.stdout, default=str)
"""
TEMPLATE = (
    "<!doctype html><title>{{ rows|length }}</title>"
    "{% for row in rows %}<p>{% for cell in row %}<i>{{ cell }}</i>{% endfor %}{{ filler }}</p>{% endfor %}"
)


def bare(port: int, url: str, facts: dict[str, Any]) -> None:
    """Serve the limit: the same questions, their rows, and a template."""
    app, engine = Flask(__name__), sa.create_engine(url, pool_size=20)

    @app.get("/")
    def page() -> str:
        with engine.connect() as connection:
            found = [connection.exec_driver_sql(words, tuple(given)).all() for words, given in facts["questions"]]
        rows = [row for answer in found for row in answer]
        written = sum(len(str(cell).encode()) + 7 for row in rows for cell in row) + 7 * len(rows)
        filler = "x" * max(0, (facts["size"] - written) // len(rows))
        return render_template_string(TEMPLATE, rows=rows, filler=filler)

    web = serving.server(app, host="127.0.0.1", port=port, threads=8)
    serving.stop_when_asked(web)
    sys.stdout.write("serving at\n")
    sys.stdout.flush()
    web.run_and_drain()


def _compare(made: Site, name: str, path: str, sid: str, folder: Path) -> str:
    facts = json.loads(made.python(ASK.format(sid=sid, path=path)))
    asked, port = folder / "asked.json", free_port()
    asked.write_text(json.dumps(facts))
    arguments = ["-m", "bench.roster", str(port), made.database_url, str(asked)]
    limit = made.spawn([sys.executable, *arguments], PYTHONPATH=str(ROOT))
    limit.says("serving at")
    ours, theirs = [], []
    for _round in range(ROUNDS):
        theirs.append(_rate(port, "/", ""))
        ours.append(_rate(made.port, path, f"sid={sid}"))
    limit.end()
    print(
        f"{name}  {facts['size']} bytes, {len(facts['questions'])} queries  {max(ours):.0f}/s, bare {max(theirs):.0f}/s"
    )
    return verdict(f"roster {name}", ratio(ours, theirs), TARGET, BEYOND)


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder, site("sqlite", Path(folder) / "site") as made:
        sid = made.migrated().python(SEED)
        made.serve()
        lines = [_compare(made, name, path, sid, Path(folder)) for name, path in PAGES.items()]
    print(*lines, sep="\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        bare(int(sys.argv[1]), sys.argv[2], json.loads(Path(sys.argv[3]).read_text()))
    else:
        main()
