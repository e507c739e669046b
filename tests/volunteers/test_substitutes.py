"""Who stands in: invited with one tap before the shift, put on it after it began, or staying on from the one before."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.db import db, transaction
from portal.volunteers.models.signups import Invitation, Signup
from tests.helping import Helping

STARTS = datetime(2026, 5, 6, 1, tzinfo=UTC)  # 9:00 of that day


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def traveller():
    """One in the afternoon of the day."""
    with time_machine.travel(STARTS + timedelta(hours=4), tick=False) as found:
        yield found


@pytest.fixture
def shift(helping, traveller):
    return helping.shift(starts_at=STARTS, hours=2)


@pytest.fixture
def signup(make, helping, shift):
    return helping.signup(helping.post(shift), helping.volunteer(make.person("李志愿")))


@pytest.fixture
def desk(client, make):
    return client.sign_in(make.worker())


def test_a_substitute_is_invited_with_one_tap(make, desk, helping, shift, signup, traveller):
    traveller.move_to(STARTS - timedelta(hours=6))
    free = helping.volunteer(make.person("钱有空"))
    assert "钱有空" in desk.get(f"/desk/volunteers/attendance/{shift.public_id}/substitutes").text
    data = {"post": str(shift.posts[0].id), "volunteer": free.public_id}
    for _twice in range(2):
        desk.post(f"/desk/volunteers/attendance/{shift.public_id}/substitutes", data=data)
    assert list(db.session.scalars(sa.select(Invitation.volunteer_id))) == [free.id]
    page = desk.get(f"/desk/volunteers/attendance/{shift.public_id}/substitutes").text
    assert "等对方答复" in page
    assert "等您答复" not in page


def test_who_was_invited_and_comes_without_an_answer_is_still_put_on(make, desk, helping, shift, signup, traveller):
    address = f"/desk/volunteers/attendance/{shift.public_id}/substitutes"
    free = helping.volunteer(make.person("钱有空"))
    data = {"post": str(shift.posts[0].id), "volunteer": free.public_id}
    traveller.move_to(STARTS - timedelta(hours=1))
    desk.post(address, data=data)
    assert "来了，登记顶班" not in desk.get(address).text
    traveller.move_to(STARTS + timedelta(minutes=5))
    assert "来了，登记顶班" in desk.get(address).text
    desk.post(address, data=data)
    query = sa.select(Signup.volunteer_id).where(Signup.shift_id == shift.id).order_by(Signup.id)
    assert list(db.session.scalars(query)) == [signup.volunteer_id, free.id]


def test_who_can_stay_on_is_put_on_the_next_shift(make, desk, helping, shift, signup, traveller):
    traveller.move_to(STARTS + timedelta(minutes=60))
    following = helping.shift(shift.activity, starts_at=shift.ends_at, hours=2)
    with transaction() as session:
        session.get_one(Signup, signup.id).can_stay = True
    address = f"/desk/volunteers/attendance/{following.public_id}"
    assert "李志愿" in desk.get(f"{address}/substitutes").text
    desk.post(f"{address}/stay/{signup.public_id}")
    query = sa.select(Signup.volunteer_id).where(Signup.shift_id == following.id)
    assert list(db.session.scalars(query)) == [signup.volunteer_id]
