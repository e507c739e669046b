"""Undoing a register of teams: who leads a team since stays, whatever the register changed of it."""

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.sheets import write_workbook
from portal.registry.models import Person, VolunteerTeam
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, choices, confirm, latest, undo, upload


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    make.person("王秀英")
    make.person("李敏")
    return client.sign_in(make.worker())


def _take_in(worker: Client, headers: list[str], *cells: str):
    upload(worker, write_workbook(headers, [list(cells)]), kind="teams")
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    answer = confirm(worker, latest())
    assert answer.status_code == 303, answer.text
    return latest()


def _led_by(name: str) -> None:
    with transaction() as session:
        person = session.scalars(sa.select(Person).where(Person.name == name)).one_or_none()
        session.scalars(sa.select(VolunteerTeam)).one().leader_id = person.id if person else None


def _team() -> tuple[str, str]:
    db.session.expire_all()
    team = db.session.scalars(sa.select(VolunteerTeam)).one()
    return team.purpose, team.leader.name if team.leader else ""


@pytest.mark.parametrize("named", ["李敏", ""])
@pytest.mark.parametrize(
    "said", [(["名称", "宗旨"], "银龄队", "陪诊"), (["名称", "宗旨", "队长"], "银龄队", "陪诊", "王秀英")]
)
def test_a_leader_named_since_stays_when_only_the_purpose_is_put_back(worker, said, named):
    _take_in(worker, ["名称", "宗旨", "队长", "队员"], "银龄队", "陪伴", "王秀英", "李敏")
    batch = _take_in(worker, *said)
    _led_by(named)
    assert undo(worker, batch).status_code == 303
    assert _team() == ("陪伴", named)


def test_the_leader_that_the_register_named_goes_back(worker):
    _take_in(worker, ["名称", "宗旨", "队长", "队员"], "银龄队", "陪伴", "王秀英", "李敏")
    batch = _take_in(worker, ["名称", "宗旨", "队长"], "银龄队", "陪诊", "李敏")
    assert _team() == ("陪诊", "李敏")
    assert undo(worker, batch).status_code == 303
    assert _team() == ("陪伴", "王秀英")


def test_a_member_of_the_register_who_leads_since_is_not_taken_out_of_the_team(worker):
    _take_in(worker, ["名称", "宗旨", "队长"], "银龄队", "陪伴", "王秀英")
    batch = _take_in(worker, ["名称", "队员"], "银龄队", "李敏")
    _led_by("李敏")
    answer = undo(worker, batch)
    assert (answer.status_code, "银龄队" in answer.text) == (422, True)
    assert _team() == ("陪伴", "李敏")
