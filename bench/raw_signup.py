"""The limit for a signup: the ORM's inserts of it and of its time and the guarded UPDATE. Arguments: post, count.

Plain SQLAlchemy on an engine of its own with the portal's durability, and none of the portal's code round it.
"""

import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from bench.measuring import CROWD, together
from portal.app import create_app
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.places.models import Capacity
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service.held import pieces

POST, SIGNUPS = int(sys.argv[1]), int(sys.argv[2])
app = create_app()


def plain_engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=CROWD)
    engine = sa.create_engine(url, pool_size=CROWD, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


ENGINE = plain_engine(app.extensions["portal.config"].database_url)


def join(volunteer: int) -> None:
    with Session(ENGINE) as session, session.begin():
        signup = Signup(
            post_id=POST,
            shift_id=SHIFT,
            volunteer_id=volunteer,
            starts_at=STARTS,
            ends_at=ENDS,
            state=SignupState.JOINED,
            way=Way.SELF,
            agreed_at=now(),
            placed_by="bench",
            placed_by_name="bench",
        )
        session.add(signup)
        session.flush()
        held = [{"volunteer_id": volunteer, "at": at, "signup_id": signup.id} for at in pieces(STARTS, ENDS)]
        session.execute(sa.insert(HeldTime), held)
        session.execute(
            sa.update(Capacity)
            .where(Capacity.id == CAPACITY, Capacity.taken < Capacity.total)
            .values(taken=Capacity.taken + 1)
        )


with app.app_context():
    with transaction() as opened:
        volunteers = list(opened.scalars(sa.select(Volunteer.id).order_by(Volunteer.id).limit(SIGNUPS)))
        post, capacity = opened.get_one(Post, POST), Capacity(total=10**9, taken=0)
        opened.add(capacity)
        opened.flush()
        SHIFT, STARTS, ENDS = post.shift_id, post.shift.starts_at, post.shift.ends_at
        CAPACITY = capacity.id
    _answers, rate = together(join, volunteers)
    with transaction() as opened:
        mine = sa.select(Signup.id).where(Signup.placed_by == "bench")
        opened.execute(sa.delete(HeldTime).where(HeldTime.signup_id.in_(mine)))
        opened.execute(sa.delete(Signup).where(Signup.placed_by == "bench"))
        opened.execute(sa.delete(Capacity).where(Capacity.id == CAPACITY))
    ENGINE.dispose()
    db.engine.dispose()
sys.stdout.write(f"{rate}\n")
