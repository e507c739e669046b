"""A family behind one door, the worker who enters its events, and what siblings hear of them."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.db import db
from portal.registry.models import Happening, Household, Person, Relation
from portal.registry.service import households
from tests.client import Client
from tests.days import day_sent
from tests.make import Make


class Family:
    """A head, a wife, a son and a mother behind one door, and a worker who is signed in."""

    def __init__(self, make: Make, client: Client) -> None:
        self.home = make.household()
        at_home = {"household_id": self.home.id, "grid": make.grid()}
        self.head = make.person("张伟", relation=Relation.HEAD, **at_home)
        self.wife = make.person("李芳", relation=Relation.SPOUSE, born=date(1955, 1, 1), **at_home)
        self.son = make.person("张明", relation=Relation.SON, born=date(1980, 1, 1), **at_home)
        self.mother = make.person("王秀英", relation=Relation.PARENT, born=date(1930, 1, 1), **at_home)
        self.make, self.client = make, client
        client.sign_in(make.worker())

    def post(self, person: Person, event: str, **typed: Any) -> TestResponse:
        return self.client.post(f"/desk/people/{person.public_id}/{event}", data={"day": day_sent(), **typed})

    def at_home(self, event: str, **typed: Any) -> TestResponse:
        return self.client.post(f"/desk/people/households/{self.home.id}/{event}", data={"day": day_sent(), **typed})

    def relations(self, home: Household | None = None) -> dict[str, str]:
        db.session.rollback()
        return {person.name: person.relation.value for person in households.living(home or self.home)}


def newest() -> Happening:
    db.session.rollback()
    return db.session.scalars(sa.select(Happening).order_by(Happening.id.desc()).limit(1)).one()


def undo(client: Client, happening: Happening, reason: str = "登记错了") -> TestResponse:
    return client.post(f"/desk/people/happenings/{happening.public_id}/undo", data={"reason": reason})


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)
