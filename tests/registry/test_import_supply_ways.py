"""What registers of teams keep, and the way from a refused undo to the pages where it is settled."""

import pytest

from portal.core.db import transaction
from portal.registry.models import Staff, StockItem, VolunteerTeam
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, confirm, count, undo
from tests.registry.test_import_supply import TEAMS
from tests.registry.test_import_supply import _all as everything
from tests.registry.test_import_supply import _check as read
from tests.registry.test_import_supply import _take_in as take


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


SIZED = ["名称", "队伍类型", "队员人数", "宗旨"]


def test_teams_keep_their_type_and_the_number_of_people_they_say(worker):
    batch = read(worker, "teams", SIZED, ["银龄互助队", "助老服务", "35人", "陪诊"], ["晨练队", "文体", "很多", ""])
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 1)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/new").text
    assert "类型：助老服务" in page
    assert "自报人数：35" in page
    assert "应填整数" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/refused").text
    assert confirm(worker, batch).status_code == 303
    (team,) = everything(VolunteerTeam)
    assert (team.sort, team.said_to_be) == ("助老服务", 35)
    assert "35 人" in worker.get(f"/desk/people/resources/teams/{team.id}").text
    changed = take(worker, "teams", SIZED, ["银龄互助队", "平安巡逻", "40", "陪诊"])
    assert undo(worker, changed).status_code == 303
    assert (everything(VolunteerTeam)[0].sort, everything(VolunteerTeam)[0].said_to_be) == ("助老服务", 35)
    assert undo(worker, batch).status_code == 303
    assert count(VolunteerTeam) == 0


@pytest.mark.parametrize(("kind", "model", "lines", "column", "address"), [
    ("teams", VolunteerTeam, TEAMS, "purpose", "teams"),
    ("stock", StockItem, (["名称", "单位", "数量"], ["大米", "袋", "20"]), "place", "stock"),
    ("staff", Staff, (["姓名", "岗位"], ["周敏", "社工"]), "note", "staff"),
])  # fmt: skip
def test_a_refused_undo_leads_to_the_page_of_what_holds_it(worker, make, kind, model, lines, column, address):
    make.person("王秀英")
    batch = take(worker, kind, *lines)
    with transaction() as session:
        thing = session.merge(everything(model)[0])
        setattr(thing, column, "后来写的")
    answer = undo(worker, batch)
    assert answer.status_code == 422
    key = getattr(thing, "public_id", None) or thing.id
    assert f'href="/desk/people/resources/{address}/{key}"' in answer.text
    assert worker.get(f"/desk/people/resources/{address}/{key}").status_code == 200
