"""A form about people says all that is wrong at once, and offers what it can know: a number, the only household."""

import re

import pytest
import sqlalchemy as sa

from portal.core.db import db
from portal.registry.models import Household
from portal.registry.service import households
from tests.client import Client
from tests.days import day_sent
from tests.make import Make
from tests.registry.family import Family, text
from tests.registry.test_registering import new


@pytest.fixture
def family(make: Make, client: Client) -> Family:
    return Family(make, client)


def test_a_newcomers_mistakes_are_told_together(make: Make, client: Client) -> None:
    make.community()
    client.sign_in(make.worker())
    said = {
        "id_number": "99990119500505",
        "birth_date": day_sent(1),
        "day": day_sent(1),
        "home": "existing",
        "name": "",
    }
    page = text(new(client, **said))
    for words in (
        "应为 18 位",
        "出生日期还没有到",
        "日期还没有到，请填今天",
        "请填写户号，或者查找并选一户",
        "请填写姓名",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"home": "existing", "household_number": "没有"}, "没有户号是“没有”的户"),
        ({"home": "existing", "relation": "head"}, "户主是张伟"),
        ({"home": "new"}, "已经有户号"),
    ],
)
def test_a_newcomers_home_is_looked_at_with_the_rest(family: Family, said: dict[str, str], words: str) -> None:
    page = text(new(family.client, **{"household_number": family.home.number, **said, "name": ""}))
    assert words in page
    assert "请填写姓名" in page


def test_the_mistakes_of_a_split_are_told_together(family: Family) -> None:
    answer = family.at_home("split", number="", lives="other", day=day_sent(1))
    assert answer.status_code == 422
    for words in ("请选择分出去的人", "请选择新户的户主", "请填写户号", "请选择楼栋", "日期还没有到"):
        assert words in text(answer), words


def test_a_split_offers_the_next_number_and_leads_to_both_households_and_the_undo(family: Family, make: Make) -> None:
    for number in ("H0099", "H0100", "H-旧", "X900"):
        make.add(Household(community_id=make.community().id, number=number))
    offered = households.next_number(make.community().id)
    assert offered == f"H{int(family.home.number[1:]) + 1:06d}"
    assert f'value="{offered}"' in text(family.client.get(f"/desk/people/households/{family.home.id}/split"))
    said = {"who": [family.son.public_id], "head": family.son.public_id, "number": offered, "lives": "same"}
    answer = family.at_home("split", building="", **said)
    assert answer.status_code == 303, text(answer)
    page = text(family.client.get(answer.location))
    made = db.session.scalars(sa.select(Household).where(Household.number == offered)).one()
    for link in (f"/households/{family.home.id}", f"/households/{made.id}", "/undo"):
        assert link in page


def test_the_only_household_that_was_found_is_chosen(family: Family) -> None:
    said = {"household_words": family.home.number, "household_look": "1", "home": "existing", "day": day_sent()}
    page = text(family.client.post("/desk/people/new", data=said))
    said = rf'name="household_id"\s+type="radio"\s+value="{family.home.id}" checked'
    assert re.search(said, page)
