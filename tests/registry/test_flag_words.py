"""What stands above a record: what is missing is to be completed, what contradicts itself is to be looked at."""

import pytest

from portal.core.db import transaction
from portal.registry.models import Person
from portal.registry.service import words
from tests.client import Client
from tests.make import Make


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], []),
        (["no_number"], ["请补充：缺身份证号码"]),
        (["sex_contradicts", "birth_contradicts"], ["请核对：性别与身份证号码不一致、出生日期与身份证号码不一致"]),
        (["phone_doubtful", "no_number"], ["请补充：缺身份证号码", "请核对：电话待核对"]),
    ],
)
def test_a_flag_says_what_to_do(client: Client, flags: list[str], said: list[str]) -> None:
    with client.application.test_request_context():
        assert words.flag_sentences(flags) == said


@pytest.mark.parametrize("page", ["/desk/people/{}/record", "/desk/person/{}"])
def test_the_pages_about_a_person_say_so(make: Make, client: Client, page: str) -> None:
    person = make.person()
    with transaction() as session:
        session.get_one(Person, person.id).flags = ["no_number", "sex_contradicts"]
    client.sign_in(make.worker())
    shown = client.get(page.format(person.public_id)).text
    assert "请补充：缺身份证号码" in shown
    assert "请核对：性别与身份证号码不一致" in shown
