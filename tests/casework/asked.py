"""What tests of the resident's side build: a street with its categories, a reporter with a home, a sent request."""

import io
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from PIL import Image
from werkzeug.test import TestResponse

from portal.areas.models import Building, Dwelling
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseState
from portal.casework.service import defaults, moves, reporting
from portal.casework.service.reporting import Where
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.models import Account
from portal.registry.models import AgentState, FamilyAgent, Person
from tests.acting import actor_of
from tests.client import Client
from tests.make import Make

S = CaseState


@dataclass
class Neighbour:
    """A resident with a home and an account."""

    person: Person
    account: Account
    building: Building


@dataclass
class Street:
    make: Make
    building: Building | None = None

    def category(self, code: str) -> Category:
        return db.session.scalars(sa.select(Category).where(Category.code == code)).one()

    def resident(self, name: str = "王秀英", room: str = "", **more: Any) -> Neighbour:
        room = room or f"1{self.make.number()}"
        household = self.make.household()
        if self.building is None:
            self.building = db.session.get_one(Dwelling, household.dwelling_id or 0).building
        dwelling = self.make.add(Dwelling(building_id=self.building.id, unit="1单元", room=room, floor=int(room[0])))
        household.dwelling_id = dwelling.id
        self.make.add(household)
        person = self.make.person(name, household=household, **more)
        return Neighbour(person, self.make.resident(person), self.building)

    def sent(self, who: Neighbour, what: str = "单元门口的路灯不亮了", code: str = "light", **more: Any) -> Case:
        """A request that went through the three steps, by the services."""
        with transaction():
            by = actor_of(who.account)
            case = reporting.begin(who.person, who.person, what, category_id=self.category(code).id, by=by)
            reporting.put(case, Where(building_id=who.building.id, place="门口"))
            for name, value in more.items():
                setattr(case, name, value)
            reporting.send(case, by=by)
        return case

    def moved(self, case: Case, *states: CaseState, by: Account, **changes: Any) -> Case:
        """A case moved on by a worker who takes it."""
        with transaction():
            for state in states:
                held = {"holder": by.public_id, "holder_name": by.name} if state is S.ASSIGNED else {}
                first = {"first_holder": by.public_id, "first_holder_name": by.name} if held else {}
                words = "换了新灯" if state is S.ANSWERED else ""
                more = {"answer": words} if words else {}
                moves.move(case, state, by=moves.worker(actor_of(by)), words=words, **held, **first, **more, **changes)
        return case

    def answered(self, case: Case, by: Account) -> Case:
        return self.moved(case, S.ACCEPTED, S.ASSIGNED, S.SIGNED, S.WORKING, S.ANSWERED, by=by)

    def agent(self, account: Account, person: Person) -> FamilyAgent:

        return self.make.add(
            FamilyAgent(
                account_id=account.id,
                person_id=person.id,
                principal_name=person.name,
                relation="child",
                actions="meals.order,cases.report",
                state=AgentState.ACCEPTED,
                until=date(2099, 1, 1),
                requested_at=now(),
            )
        )


def street(make: Make) -> Street:
    with transaction():
        defaults.seed(make.street().code, by="何立新")
    return Street(make)


def told(topic: str) -> list[OutboxRow]:
    query = sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def jpeg(width: int = 40, height: int = 30, *, exif: bool = False) -> bytes:
    out = io.BytesIO()
    more: dict[str, Any] = {}
    if exif:
        facts = Image.Exif()
        facts[0x8825] = {1: "N", 2: (31.0, 30.0, 0.0), 3: "E", 4: (120.0, 30.0, 0.0)}
        more["exif"] = facts
    Image.new("RGB", (width, height), "green").save(out, "JPEG", **more)
    return out.getvalue()


def draft_id(response: TestResponse) -> str:
    found = re.search(r"/cases/new/(\w+)/", response.headers["Location"])
    assert found, response.headers["Location"]
    return found.group(1)


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.get_data(as_text=True)
