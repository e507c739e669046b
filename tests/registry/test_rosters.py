"""Named rosters: a worker's own lists, whose people she sees only as long as they are hers to see."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.access import Actor
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import Person, Roster, RosterEntry, TagKind
from portal.registry.service import rosters
from tests.client import Client
from tests.make import Make


def save(client: Client, name: str = "高温走访", query: str = "", **more: str):
    return client.post(f"/desk/people/rosters/new?{query}", data={"name": name, **more})


def roster() -> Roster:
    db.session.rollback()
    return db.session.scalars(sa.select(Roster).order_by(Roster.id.desc())).first()  # type: ignore[return-value]


def page(client: Client, found: Roster) -> str:
    return client.get(f"/desk/people/rosters/{found.public_id}").get_data(as_text=True)


def pick(client: Client, *people: Person, **more: str):
    return client.post("/desk/people/rosters/pick", data={"person": [one.public_id for one in people], **more})


def test_a_filter_becomes_a_roster_and_later_comers_are_not_on_it(make: Make, client: Client) -> None:
    make.person("王秀英", tags=[TagKind.LIVING_ALONE])
    make.person("陈建国")
    client.sign_in(make.worker())
    asked = client.get("/desk/people/rosters/new?tag=living_alone").get_data(as_text=True)
    assert "独居" in asked
    assert "1 人" in asked
    assert save(client, query="tag=living_alone", note="七月").status_code == 303
    make.person("李小红", tags=[TagKind.LIVING_ALONE])
    html = page(client, roster())
    assert "王秀英" in html
    assert "七月" in html
    assert "陈建国" not in html
    assert "李小红" not in html
    (row,) = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.roster_made"))
    assert row.facts == {"count": 1}


def test_ticked_people_go_on_a_new_roster_then_on_it_again_once(make: Make, client: Client) -> None:
    first, second = make.person("王秀英"), make.person("陈建国")
    client.sign_in(make.worker())
    asked = pick(client, first).get_data(as_text=True)
    assert "已勾选 1 人" in asked
    assert pick(client, first, roster="", name="高温走访").status_code == 303
    assert pick(client, first, second, roster=roster().public_id).status_code == 303
    html = page(client, roster())
    assert "王秀英" in html
    assert "共 2 人" in html
    assert "高温走访" in client.get("/desk/people/rosters").get_data(as_text=True)


def test_nobody_ticked_and_no_name_are_said(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    client.sign_in(make.worker())
    assert pick(client).status_code == 303
    answer = pick(client, person, roster="", name="")
    assert answer.status_code == 422
    assert "请给新名单起个名字" in answer.get_data(as_text=True)


def test_people_out_of_scope_cannot_be_ticked(make: Make, client: Client) -> None:
    grid = make.grid()
    make.person("王秀英", grid=grid)
    stranger = make.person("陈建国", grid=make.grid(name="第二网格"))
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert pick(client, stranger, roster="", name="别的网格").status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RosterEntry)) == 0


def move(person: Person, grid: Area) -> None:
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == person.id).values(grid_id=grid.id))


def test_who_left_the_grid_disappears_and_the_count_with_her(make: Make, client: Client) -> None:
    grid, other = make.grid(), make.grid(name="第二网格")
    person = make.person("王秀英", grid=grid)
    make.person("陈建国", grid=grid)
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    save(client)
    assert "共 2 人" in page(client, roster())
    move(person, other)
    html = page(client, roster())
    assert "共 1 人" in html
    assert "王秀英" not in html
    listed = client.get("/desk/people/rosters").get_data(as_text=True)
    assert '<td data-label="人数" class="num">1</td>' in listed
    printed = client.post(f"/desk/people/rosters/{roster().public_id}/print").get_data(as_text=True)
    assert "陈建国" in printed
    assert "王秀英" not in printed


def test_a_merged_person_stands_there_once_as_who_she_is_now(make: Make, client: Client) -> None:
    kept, alias = make.person("王秀英"), make.person("王秀瑛")
    client.sign_in(make.worker())
    save(client)
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == alias.id).values(merged_into_id=kept.id))
    html = page(client, roster())
    assert "王秀英" in html
    assert "王秀瑛" not in html
    assert "共 1 人" in html
    client.post(f"/desk/people/rosters/{roster().public_id}/remove", data={"person": [kept.public_id]})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RosterEntry)) == 0


def test_a_roster_is_nobody_elses(make: Make, client: Client) -> None:
    make.person("王秀英")
    client.sign_in(make.worker())
    save(client)
    address = f"/desk/people/rosters/{roster().public_id}"
    client.sign_in(make.worker(name="李娜"))
    assert client.get(address).status_code == 404
    assert client.get(f"{address}/edit").status_code == 404
    for act in ("remove", "delete", "print"):
        assert client.post(f"{address}/{act}").status_code == 404
    assert "高温走访" not in client.get("/desk/people/rosters").get_data(as_text=True)
    assert pick(client, make.person("陈建国"), roster=roster().public_id).status_code == 422


def test_a_roster_is_renamed_noted_and_deleted_and_its_people_stay(make: Make, client: Client) -> None:
    person = make.person("王秀英")
    client.sign_in(make.worker())
    save(client)
    save(client, "第二份")
    address = f"/desk/people/rosters/{roster().public_id}"
    taken = client.post(f"{address}/edit", data={"name": "高温走访", "note": ""})
    assert taken.status_code == 422
    assert "请换一个名字" in taken.get_data(as_text=True)
    assert client.post(f"{address}/edit", data={"name": "寒潮走访", "note": "十二月"}).status_code == 303
    assert "十二月" in page(client, roster())
    assert client.post(f"{address}/delete").status_code == 303
    assert client.get(address).status_code == 404
    assert make.read(person).name == "王秀英"


def test_the_same_form_sent_twice_makes_one_roster(make: Make, client: Client) -> None:
    make.person("王秀英")
    client.sign_in(make.worker())
    first, second = save(client, idem="k" * 20), save(client, idem="k" * 20)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location


def test_a_roster_pages_by_name(make: Make, client: Client) -> None:
    for _number in range(51):
        make.person("王秀英")
    make.person("张三")
    client.sign_in(make.worker())
    save(client)
    html = page(client, roster())
    assert "张三" not in html
    after = html.split("after=")[1].split('"')[0].split("&")[0]
    following = client.get(f"/desk/people/rosters/{roster().public_id}?after={after}").get_data(as_text=True)
    assert "张三" in following


def test_a_roster_is_bounded(make: Make, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "MOST_PEOPLE", 1)
    make.person("王秀英")
    make.person("陈建国")
    client.sign_in(make.worker())
    answer = save(client)
    assert answer.status_code == 422
    assert "最多 1 人" in answer.get_data(as_text=True)
    assert db.session.scalar(sa.select(Roster.id)) is None


def test_a_leavers_rosters_go_to_her_successor_under_names_of_their_own(make: Make, client: Client) -> None:
    make.person("王秀英")
    giver, taker = make.worker(), make.worker(name="李娜")
    for account in (giver, taker):
        client.sign_in(account)
        save(client)
    with transaction():
        assert len(rosters.hand_over(giver.public_id, taker.public_id, make.grid())) == 1
    html = client.get("/desk/people/rosters").get_data(as_text=True)
    assert "高温走访（移交）" in html
    with pytest.raises(Missing):
        rosters.roster_of(_actor(giver), roster().public_id)


def _actor(account: Account) -> Actor:
    return Actor(account.id, account.public_id, account.name, account.platform, (), 0, now())
