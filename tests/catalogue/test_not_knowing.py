"""我能办吗 for who does not know an answer, or forgot one: told in words, with a way on."""

from portal.catalogue.models.codes import ConditionKind
from portal.catalogue.service import items
from tests.catalogue.offering import a_condition, an_item
from tests.client import Client
from tests.make import Make

K = ConditionKind


def _asked(make: Make) -> tuple[str, list[int]]:
    """The page of an item that asks two things, and the numbers of both."""
    both = [a_condition(K.QUESTION, position=place, question=f"第{place}问？") for place in (0, 1)]
    item = items.item(an_item(make, "最低生活保障申请", conditions=both).id)
    return f"/services/{item.id}/check", [one.id for one in item.conditions]


def test_who_does_not_know_is_told_whom_to_ask(client: Client, make: Make) -> None:
    page, (first, second) = _asked(make)
    said = client.post(page, data={f"answer-{first}": "yes", f"answer-{second}": "unsure"}).get_data(as_text=True)
    assert "还有 1 条您不清楚" in said
    assert "这一条您还不清楚" in said
    assert "工作人员帮您一起查" in said


def test_a_no_weighs_more_than_what_nobody_knows(client: Client, make: Make) -> None:
    page, (first, second) = _asked(make)
    said = client.post(page, data={f"answer-{first}": "no", f"answer-{second}": "unsure"}).get_data(as_text=True)
    assert "照现在的情况还不能办" in said
    assert "这一条您还不清楚" in said


def test_who_left_a_question_out_is_told_how_many_are_missing(client: Client, make: Make) -> None:
    page, (first, _second) = _asked(make)
    assert "没有回答" not in client.get(page).get_data(as_text=True)
    assert "还有 1 条没有回答" in client.post(page, data={f"answer-{first}": "yes"}).get_data(as_text=True)
