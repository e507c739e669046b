"""Rosters of people who died or left, and rosters that went elsewhere while they were handed over."""

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import Export, ExportPerson, PersonState, Roster
from portal.registry.service import rosters
from tests.client import Client
from tests.make import Make

SAVE = {"name": "高温走访"}


@pytest.fixture
def address(make: Make, client: Client) -> str:
    """A roster of four: two live here, one died since, one moved out."""
    known = [make.person(name) for name in ("王秀英", "陈建国", "李国强", "赵玉兰")]
    client.sign_in(make.worker())
    ticked = [one.public_id for one in known]
    client.post("/desk/people/rosters/pick", data={"person": ticked, "roster": "", **SAVE})
    with transaction() as session:
        for one, state in zip(known[2:], (PersonState.DEAD, PersonState.MOVED_OUT), strict=True):
            session.merge(one).state = state
    return f"/desk/people/rosters/{db.session.scalar(sa.select(Roster.public_id))}"


def test_a_roster_counts_the_living_and_says_how_many_died_or_left(client: Client, address: str) -> None:
    listed = client.get("/desk/people/rosters").text
    assert 'class="num">2</td>' in listed.replace("\n", "")
    shown = client.get(address).text
    assert "共 2 人" in shown
    for html in (listed, shown):
        assert "另有 1 人已去世、1 人已迁出" in html


def test_a_printed_roster_holds_the_living_and_says_who_is_missing(client: Client, address: str) -> None:
    html = client.post(f"{address}/print").text
    assert "王秀英" in html
    assert "李国强" not in html
    assert "赵玉兰" not in html
    assert "共 2 人" in html
    assert "另有 1 人已去世、1 人已迁出" in html


def test_an_exported_roster_holds_the_living_and_says_who_is_missing(client: Client, address: str) -> None:
    query = f"/desk/people/exports/new?roster={address.rsplit('/', 1)[1]}"
    assert "另有 1 人已去世、1 人已迁出" in client.get(query).text
    said = {"columns": ["name"], "way": "masked", "reason": "高温走访"}
    assert client.post(query, data=said).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ExportPerson)) == 2
    assert "另有" in (db.session.scalar(sa.select(Export.title)) or "")


def test_a_roster_given_elsewhere_meanwhile_is_not_moved_by_a_stale_hand_over(
    make: Make, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.person("王秀英")
    giver, taker, other = make.worker(), make.worker(name="李娜"), make.worker(name="赵敏")
    client.sign_in(giver)
    client.post("/desk/people/rosters/new", data=SAVE)
    grid = make.grid()
    with pytest.raises(Refused, match="已经转给别人"), transaction() as session:
        stale = list(session.scalars(sa.select(Roster)))
        elsewhere = sa.update(Roster).values(owner=other.public_id)
        session.execute(elsewhere, execution_options={"synchronize_session": False})
        monkeypatch.setattr(rosters, "_given", lambda *_asked: stale)
        rosters.hand_over(giver.public_id, taker.public_id, grid)
