"""The limit for a page: bare Flask, ORM and Jinja, as much of each. Arguments: port, database, queries, bytes."""

import sys

import sqlalchemy as sa
from flask import Flask, render_template_string
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import serving

PORT, URL, QUERIES, SIZE = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
TEMPLATE = "<!doctype html><title>{{ title }}</title>{% for row in rows %}<p>{{ row }} {{ loop.index }}</p>{% endfor %}"
ROW = "一" * 60

app = Flask(__name__)
engine = sa.create_engine(URL, pool_size=20)


@app.get("/")
def page() -> str:
    """One row a query, each mapped to an object: the least that the ORM can do."""
    with Session(engine) as session:
        found = [
            session.scalars(sa.select(Area).where(Area.id == number).order_by(Area.id)).first()
            for number in range(1, QUERIES + 1)
        ]
    return render_template_string(TEMPLATE, title=len(found), rows=[ROW] * (SIZE // 195))


web = serving.server(app, host="127.0.0.1", port=PORT, threads=8)
serving.stop_when_asked(web)
sys.stdout.write("serving at\n")
sys.stdout.flush()
web.run_and_drain()
