"""What a log may hold of people: nothing."""

import traceback

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.core import logs
from portal.core.db import db
from portal.registry.models import Person


@pytest.mark.parametrize("number", ["13812345678", "99990119500505002X", "999901195005050021"])
def test_a_telephone_and_an_id_number_are_masked(number):
    line = logs.masked(f"about {number}.")
    assert number not in line
    assert line.startswith(f"about {number[:3]}****")


def test_a_row_that_the_database_refuses_is_logged_without_its_values(make):
    person = make.person("王秀英")
    with pytest.raises(IntegrityError) as broken:
        db.session.execute(sa.update(Person).where(Person.id == person.id).values(public_id=None))
    line = logs.masked("".join(traceback.format_exception(broken.value)))
    assert "王秀英" not in line
    assert "public_id" in line
