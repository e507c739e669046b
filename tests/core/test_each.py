"""Work by rows: what fails is logged with its traceback and left for the next run, and holds up no other."""

import pytest

from portal.core import each
from tests.make import Make


def test_one_that_fails_is_logged_and_the_others_are_done(make: Make, monkeypatch: pytest.MonkeyPatch):
    done: list[int] = []
    said: list[str] = []
    monkeypatch.setattr(each.log, "exception", lambda words, *facts: said.append(words % facts))

    def act(number: int) -> None:
        if number == 2:
            raise ValueError(number)
        done.append(number)

    each.each([1, 2, 3], act)
    assert done == [1, 3]
    assert [words.endswith("could not be done for 2") for words in said] == [True]


def test_what_the_failed_one_had_written_is_taken_back(make: Make):
    person = make.person("王秀英")

    def act(_number: int) -> None:
        each.db.session.get_one(type(person), person.id).name = "李红"
        each.db.session.flush()
        raise ValueError

    each.each([1], act)
    assert make.read(person).name == "王秀英"
