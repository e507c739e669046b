"""我能办吗: facts of the register and questions, their boundaries, and what an agent is not told."""

from datetime import date
from typing import Any

import pytest

from portal.catalogue.models.codes import ConditionKind
from portal.catalogue.models.items import Condition, Item
from portal.catalogue.service import conditions, deciding, items
from portal.catalogue.service.conditions import Outcome, Reader, Verdict
from portal.catalogue.service.deciding import ConditionFacts
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.core.ids import Sex
from portal.registry.models import Person, Registration, TagKind
from tests.catalogue.offering import a_condition, an_item
from tests.make import Make

K = ConditionKind
ON = date(2026, 11, 22)


def _judge(
    make: Make, condition: Condition, person: Person | None, *, agent: bool = False, said: bool | None = None
) -> Verdict:
    item = items.item(an_item(make, conditions=[condition]).id)
    answers = {} if said is None else {item.conditions[0].id: said}
    return conditions.judge(item, Reader(person, is_agent=agent), answers, ON)


@pytest.mark.parametrize(
    ("kind", "number", "born", "outcome"),
    [
        (K.AGE_AT_LEAST, 80, date(1946, 11, 22), Outcome.MET),
        (K.AGE_AT_LEAST, 80, date(1946, 11, 23), Outcome.UNMET),
        (K.AGE_AT_MOST, 64, date(1961, 11, 23), Outcome.MET),
        (K.AGE_AT_MOST, 64, date(1961, 11, 22), Outcome.UNMET),
        (K.AGE_AT_LEAST, 60, None, Outcome.OPEN),
    ],
)
def test_an_age_is_reached_on_the_birthday(
    make: Make, kind: ConditionKind, number: int, born: date | None, outcome: Outcome
) -> None:
    person = make.person(born=born)
    if born is None:
        person.birth_date = None
    assert _judge(make, a_condition(kind, number=number), person).outcome is outcome


@pytest.mark.parametrize(
    ("registration", "outcome"),
    [
        (Registration.LOCAL, Outcome.MET),
        (Registration.OUTSIDE, Outcome.UNMET),
        (Registration.UNKNOWN, Outcome.OPEN),
    ],
)
def test_registration_here_is_asked_where_the_register_does_not_say(
    make: Make, registration: Registration, outcome: Outcome
) -> None:
    person = make.person(registration=registration)
    assert _judge(make, a_condition(K.REGISTERED_HERE), person).outcome is outcome


@pytest.mark.parametrize(
    ("sex", "outcome"), [(Sex.FEMALE, Outcome.MET), (Sex.MALE, Outcome.UNMET), (Sex.UNKNOWN, Outcome.OPEN)]
)
def test_some_services_are_for_women(make: Make, sex: Sex, outcome: Outcome) -> None:
    assert _judge(make, a_condition(K.WOMAN), make.person(sex=sex)).outcome is outcome


def test_any_of_the_tags_is_enough_and_its_absence_may_be_wanted(make: Make) -> None:
    tagged, bare = make.person(tags=[TagKind.LIVING_ALONE]), make.person("赵国强")
    tags = [TagKind.LIVING_ALONE.value, TagKind.EMPTY_NEST.value]
    assert _judge(make, a_condition(K.TAG, tags=tags), tagged).outcome is Outcome.MET
    assert _judge(make, a_condition(K.TAG, tags=tags), bare).outcome is Outcome.UNMET
    assert _judge(make, a_condition(K.TAG, tags=tags, answer=False), bare).outcome is Outcome.MET


def test_living_here_means_in_the_area_of_the_item(make: Make) -> None:
    far = make.person("赵国强", community=make.community("荷塘社区"))
    assert _judge(make, a_condition(K.LIVES_HERE), make.person()).outcome is Outcome.MET
    assert _judge(make, a_condition(K.LIVES_HERE), far).outcome is Outcome.UNMET
    item = items.item(an_item(make, area=make.street(), conditions=[a_condition(K.LIVES_HERE)]).id)
    assert conditions.judge(item, Reader(far), {}, ON).outcome is Outcome.MET


def test_who_is_not_known_is_asked_everything(make: Make) -> None:
    verdict = _judge(make, a_condition(K.AGE_AT_LEAST, number=60), None)
    assert (verdict.outcome, len(verdict.asked)) == (Outcome.OPEN, 1)
    assert verdict.asked[0].title == "年满 60 周岁了吗？"
    assert _judge(make, a_condition(K.AGE_AT_LEAST, number=60), None, said=True).outcome is Outcome.MET


def test_a_question_may_want_the_answer_no(make: Make) -> None:
    question = {"question": "有传染病吗？", "answer": False}
    assert _judge(make, a_condition(K.QUESTION, **question), make.person(), said=False).outcome is Outcome.MET
    assert _judge(make, a_condition(K.QUESTION, **question), make.person(), said=True).outcome is Outcome.UNMET


def test_what_the_register_knows_no_answer_overrules(make: Make) -> None:
    young = make.person(born=date(2000, 1, 1))
    assert _judge(make, a_condition(K.AGE_AT_LEAST, number=60), young, said=True).outcome is Outcome.UNMET


def test_an_agent_is_asked_what_she_need_not_be_told(make: Make) -> None:
    mother = make.person(tags=[TagKind.LOW_INCOME, TagKind.LIVING_ALONE])
    poor, alone = [TagKind.LOW_INCOME.value], [TagKind.LIVING_ALONE.value]
    assert _judge(make, a_condition(K.TAG, tags=poor), mother).outcome is Outcome.MET
    assert _judge(make, a_condition(K.TAG, tags=poor), mother, agent=True).outcome is Outcome.OPEN
    assert _judge(make, a_condition(K.TAG, tags=[*poor, *alone]), mother, agent=True).outcome is Outcome.OPEN
    assert _judge(make, a_condition(K.TAG, tags=alone), mother, agent=True).outcome is Outcome.MET


def test_nobody_is_left_in_a_dead_end(make: Make) -> None:
    for kind, more in (
        (K.AGE_AT_LEAST, {"number": 120}),
        (K.REGISTERED_HERE, {}),
        (K.QUESTION, {"question": "是吗？"}),
        (K.WOMAN, {}),
    ):
        person = make.person("赵国强", sex=Sex.MALE, registration=Registration.OUTSIDE)
        step = _judge(make, a_condition(kind, remedy="", **more), person, said=False).steps[0]
        assert step.outcome is Outcome.UNMET
        assert step.remedy


def _facts(**more: object) -> ConditionFacts:
    facts: dict[str, Any] = {
        "kind": K.QUESTION, "number": None, "tags": [], "answer": True, "question": "住在一楼吗？",
        "met": "", "unmet": "不在一楼", "remedy": "请到窗口问", "next_item_id": None,
    }  # fmt: skip
    return ConditionFacts(**facts | more)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": K.AGE_AT_LEAST}, "number"),
        ({"kind": K.TAG}, "tags"),
        ({"question": ""}, "question"),
        ({"remedy": ""}, "remedy"),
        ({"next_item_id": 999}, "next_item"),
    ],
)
def test_a_condition_says_what_it_asks_and_what_to_do_then(make: Make, more: dict[str, object], field: str) -> None:
    item = items.item(an_item(make).id)
    with pytest.raises(Refused) as refused:
        deciding.add(item, _facts(**more))
    assert refused.value.field == field


def test_conditions_are_read_in_the_order_that_was_set(make: Make) -> None:
    number = an_item(make).id
    with transaction():
        item = items.item(number)
        deciding.add(item, _facts(question="第一"))
        deciding.add(item, _facts(question="第二"))
        deciding.lift(item, item.conditions[1])
    held: Item = items.item(number)
    assert [condition.question for condition in held.conditions] == ["第二", "第一"]
    with transaction():
        item = items.item(number)
        deciding.remove(item, item.conditions[0])
    assert [condition.question for condition in items.item(number).conditions] == ["第一"]
