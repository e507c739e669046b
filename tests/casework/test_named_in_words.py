"""Who hides her name from a worker whom she names in her own words is hidden from that worker too."""

import pytest

from portal.casework.models.codes import Against
from portal.casework.service import accusing
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from tests.casework.asked import Street, page, street
from tests.casework.desk import actor
from tests.client import Client
from tests.make import Make
from tests.visitor import words_shown

NAME = "欧阳兰芝"
WORDS = "服务大厅周洁态度很差，问了三遍不回答"


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def test_a_dispatcher_named_in_the_words_reads_no_name_and_does_not_say_whom_it_is_about(
    place: Street, client: Client
) -> None:
    named, other = place.make.worker(name="周洁"), place.make.worker(name="孙梅")
    case = place.sent(place.resident(NAME), WORDS, "staff", hide_name=True, against=Against.WORKER)
    desk = f"/desk/cases/{case.public_id}"
    client.sign_in(named)
    assert NAME not in page(client, desk)
    client.post(f"{desk}/call")
    with pytest.raises(Refused, match="别的派单人"):
        accusing.set_party(case, Against.NOBODY, "", None, by=actor(named))
    client.sign_in(other)
    assert NAME in page(client, desk)
    with transaction():
        accusing.set_party(case, Against.WORKER, named.public_id, None, by=actor(other))
    client.sign_in(named)
    assert client.get(desk).status_code == 404


@pytest.mark.parametrize(
    ("against", "reads"),
    [(Against.WORKER, True), (Against.COMMITTEE, True), (Against.ORGANISATION, False), (Against.NOBODY, False)],
)
def test_the_street_reads_the_name_where_the_communitys_own_people_may_not(
    place: Street, client: Client, against: Against, reads: bool
) -> None:
    case = place.sent(place.resident(NAME), WORDS, "staff", hide_name=True, against=against)
    client.sign_in(place.make.worker(Role.STREET_ADMINISTRATOR, name="何立新"))
    assert (NAME in page(client, f"/desk/cases/{case.public_id}/watch")) is reads


def test_who_complains_of_a_worker_is_told_who_reads_her_name(place: Street, client: Client) -> None:
    who = place.resident(NAME)
    case = place.sent(who, WORDS, "staff", hide_name=True, against=Against.COMMITTEE)
    client.sign_in(who.account)
    assert "看得到的只有街道，和没有被反映到的分派人员、办理人" in words_shown(
        page(client, f"/cases/{case.public_id}/sent")
    )
