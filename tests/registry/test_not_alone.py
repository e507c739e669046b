"""Who is tagged as living alone, and is not: asked where somebody moves in, ended with one press."""

from datetime import date, timedelta

import pytest

from portal.core.clock import today
from portal.identity.permissions import Role
from portal.registry.models import Person, Relation, TagKind
from portal.registry.service import buildings
from portal.registry.service.people import Scope
from tests.client import Client
from tests.days import day_sent
from tests.make import Make

ASKED = "标着“独居”，这一户现在还有别人"


@pytest.fixture
def alone(make: Make, client: Client) -> Person:
    home = make.household()
    client.sign_in(make.worker(role=Role.COMMUNITY_WORKER))
    return make.person("王秀英", household_id=home.id, relation=Relation.HEAD, tags=[TagKind.LIVING_ALONE])


def _in_with(make: Make, client: Client, alone: Person) -> str:
    typed = {"home": "existing", "household_id": str(alone.household_id), "building": "", "relation": "other"}
    comer = make.person("陈建国", phone="")
    answer = client.post(f"/desk/people/{comer.public_id}/move-in", data={"day": day_sent(), **typed})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def _holds(make: Make, person: Person, on: date) -> bool:
    return TagKind.LIVING_ALONE in make.read(person).tag_kinds(on)


def test_moving_in_with_somebody_who_lives_alone_asks_to_end_the_tag(make: Make, client: Client, alone: Person) -> None:
    page = client.get(_in_with(make, client, alone)).text
    assert ASKED in page
    tag = make.read(alone).tags[0].id
    ending = f"/desk/people/{alone.public_id}/tags/{tag}/end"
    assert ending in page
    day = today() - timedelta(days=3)
    answer = client.post(ending, data={"day": day.isoformat(), "home": "1"})
    assert answer.location.endswith(f"/households/{alone.household_id}")
    assert ASKED not in client.get(answer.location).text
    assert not _holds(make, alone, day)
    assert _holds(make, alone, day - timedelta(days=1))


@pytest.mark.parametrize("day", [1, "2019-12-31", "昨天"])
def test_a_tag_ends_neither_tomorrow_nor_before_it_began(
    make: Make, client: Client, alone: Person, day: str | int
) -> None:
    day = day_sent(day) if isinstance(day, int) else day
    page = _in_with(make, client, alone)
    client.post(
        f"/desk/people/{alone.public_id}/tags/{make.read(alone).tags[0].id}/end", data={"day": day, "home": "1"}
    )
    assert _holds(make, alone, today())
    assert ASKED in client.get(page).text


def test_who_lives_alone_indeed_is_not_asked(make: Make, client: Client, alone: Person) -> None:
    assert ASKED not in client.get(f"/desk/people/households/{alone.household_id}").text


def test_the_picture_names_the_head_first_else_the_oldest(make: Make) -> None:
    home = make.household()
    make.person("王老太", born=date(1930, 1, 1), household_id=home.id)
    make.person("无名氏", born=None, household_id=home.id)
    dwelling = make.read(home).dwelling

    def first() -> str:
        found = buildings.plan((Scope("all", ""),), dwelling.building_id)
        return found.units[0].floors[0].rooms[0].people[0].name

    assert first() == "王老太"
    make.person("张伟", born=date(1970, 1, 1), household_id=home.id, relation=Relation.HEAD)
    assert first() == "张伟"
