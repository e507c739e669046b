"""Announcements for an elder reach her family agents, who read as themselves; the bell counts what waits to be read."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.notifications.models import Announcement, AnnouncementRead, Notice
from portal.notifications.service import announcements as service
from portal.notifications.service.announcements import Words
from portal.registry.models import AgentState, FamilyAgent, Person, TagKind
from tests.acting import actor_of
from tests.client import Client
from tests.days import as_of_now, in_days, later
from tests.make import Make

BADGE = re.compile(r'class="badge">(\d+)')


def announce(make: Make, title: str, area: Area | None = None, *tags: TagKind) -> Announcement:
    area = area or make.community()
    spanned = {"from_at": now() - timedelta(hours=1), "until_at": now() + timedelta(days=3)}
    with transaction():
        words = Words(area=area.code, title=title, body="周六停水。", tags=tags, **spanned)
        made = service.write((Scope(area.kind.value, area.code),), words, by=actor_of(make.worker()))
        service.publish(made)
    return made


def acts_for(make: Make, account: Account, person: Person, **more: object) -> FamilyAgent:
    said = {"relation": "child", "state": AgentState.ACCEPTED, "until": today(), "requested_at": now(), **more}
    return make.add(FamilyAgent(account_id=account.id, person_id=person.id, principal_name=person.name, **said))


def bell(client: Client) -> int:
    found = BADGE.search(client.get("/me").get_data(as_text=True))
    return int(found[1]) if found else 0


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    return answer.get_data(as_text=True) if answer.status_code == 200 else str(answer.status_code)


def read(client: Client, made: Announcement) -> int:
    return client.post(f"/notices/announcements/{made.id}/read").status_code


@pytest.fixture
def mother(make: Make) -> Person:
    return make.person("李桂兰", tags=[TagKind.LIVING_ALONE])


@pytest.fixture
def daughter(make: Make) -> Account:
    """Registered, and of no person here: she lives elsewhere."""
    return make.resident()


def test_an_agent_reads_what_is_for_whom_she_acts_for_and_is_told_for_whom(
    make: Make, client: Client, mother: Person, daughter: Account
) -> None:
    acts_for(make, daughter, mother)
    made = announce(make, "独居老人体检", None, TagKind.LIVING_ALONE)
    client.sign_in(daughter)
    for address in ("/", "/notices/", "/notices/announcements"):
        html = page(client, address)
        assert "独居老人体检" in html, address
        assert "发给李桂兰" in html, address
    assert "发给李桂兰的公告" in page(client, f"/notices/announcements/{made.id}")


@pytest.mark.parametrize(
    "more", [{"state": AgentState.REQUESTED}, {"state": AgentState.ENDED}, {"until": later(in_days, -1)}]
)
def test_who_does_not_act_for_her_today_does_not_find_it(
    make: Make, client: Client, mother: Person, daughter: Account, more: dict[str, object]
) -> None:
    acts_for(make, daughter, mother, **as_of_now(more))
    made = announce(make, "独居老人体检", None, TagKind.LIVING_ALONE)
    client.sign_in(daughter)
    assert page(client, f"/notices/announcements/{made.id}") == "404"
    assert read(client, made) == 404
    assert bell(client) == 0


def test_an_agent_reads_as_herself_once_and_the_elder_still_has_to(
    make: Make, client: Client, mother: Person, daughter: Account
) -> None:
    father = make.person("王大山", tags=[TagKind.LIVING_ALONE])
    for person in (mother, father):
        acts_for(make, daughter, person)
    made = announce(make, "独居老人体检", None, TagKind.LIVING_ALONE)
    client.sign_in(daughter)
    assert bell(client) == 1, "meant for two of hers, it is one to read"
    for _turn in range(2):
        assert read(client, made) == 303
    assert bell(client) == 0
    counts = service.counts(make.read(made))
    assert (counts.meant, counts.read, counts.unread, counts.for_relatives) == (2, 0, 2, 1)
    assert counts.with_account == 2, "both are reached by her"
    assert service.read_counts([make.read(made)]).get(made.id, 0) == 0
    client.sign_in(make.resident(mother))
    assert bell(client) == 1
    read(client, made)
    counts = service.counts(make.read(made))
    assert (counts.read, counts.for_relatives) == (1, 1)
    assert service.read_counts([make.read(made)]) == {made.id: 1}
    client.sign_in(make.worker())
    assert "另有 1 位代办人看过" in page(client, f"/desk/notices/announcements/{made.id}")


def test_who_is_meant_herself_too_is_counted_as_that_and_reads_it_once(
    make: Make, client: Client, mother: Person
) -> None:
    account = make.resident(make.person("王芳"))
    acts_for(make, account, mother)
    made = announce(make, "停水通知")
    client.sign_in(account)
    assert bell(client) == 1
    assert "发给李桂兰" not in page(client, "/notices/announcements")
    read(client, made)
    counts = service.counts(make.read(made))
    assert (counts.meant, counts.read, counts.for_relatives) == (2, 1, 0)
    assert len(list(db.session.scalars(sa.select(AnnouncementRead.id)))) == 1


def test_the_bell_counts_messages_and_announcements_together(make: Make, client: Client) -> None:
    grid = make.grid()
    person = make.person("王芳", grid=grid)
    account = make.resident(person)
    make.add(Notice(account_id=account.id, topic="meals.order_placed", facts={}, at=now()))
    for area in (make.community(), make.street(), grid, make.community("荷塘社区")):
        announce(make, f"公告{area.name}", area)
    announce(make, "低保申报", None, TagKind.LOW_INCOME)
    client.sign_in(account)
    assert bell(client) == 1 + 3
    db.session.execute(sa.update(Person).where(Person.id == person.id).values(grid_id=None))
    db.session.commit()
    assert bell(client) == 1 + 2


def test_the_bell_and_the_list_agree_for_a_record_merged_into_another(make: Make, client: Client) -> None:
    other = make.community("荷塘社区")
    kept, alias = make.person("王芳", community=other), make.person("王芳")
    account = make.resident(alias)
    db.session.execute(sa.update(Person).where(Person.id == alias.id).values(merged_into_id=kept.id))
    db.session.commit()
    announce(make, "荷塘的公告", other)
    announce(make, "旧社区的公告")
    client.sign_in(account)
    assert bell(client) == 1
    html = page(client, "/notices/announcements")
    assert "荷塘的公告" in html
    assert "旧社区的公告" not in html


def test_the_bell_asks_one_more_question_however_many_there_are(
    make: Make, client: Client, mother: Person, daughter: Account
) -> None:
    acts_for(make, daughter, mother)
    client.sign_in(daughter)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, words: str, *_rest: object) -> None:
        asked.append(words)

    def questions() -> int:
        asked.clear()
        sa.event.listen(db.engine, "before_cursor_execute", note)
        client.get("/notices/announcements")
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len([words for words in asked if words.startswith(("SELECT", "WITH"))])

    announce(make, "一")
    few = questions()
    for turn in range(6):
        announce(make, f"又一条{turn}")
    assert questions() == few <= 10
