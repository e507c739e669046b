"""What the roster says to whoever arranges it: not what is said to those who sign up by themselves."""

import pytest

from portal.core.db import transaction
from portal.core.errors import Refused
from portal.volunteers.models.codes import Way
from portal.volunteers.service import joining, rearranging, roster
from tests.acting import actor_of
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def _full_post(helping, worker):
    post = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), soon()))
    with transaction():
        joining.put_on(post, helping.volunteer(), way=Way.WORKER, by=worker)
    return post


def test_a_worker_who_drops_somebody_on_a_full_post_is_not_told_to_wait_in_line(helping, worker):
    post, other = _full_post(helping, worker), helping.volunteer()
    with pytest.raises(Refused) as refused, transaction():
        rearranging.assign(roster.post_in([post.shift.community_id], post.id), other, by=worker)
    assert refused.value.message == "这个岗位已经满了。请先调出一位，或者和岗位上的人对调。"


def test_who_signs_up_by_herself_is_still_offered_the_line(helping, worker):
    post, other = _full_post(helping, worker), helping.volunteer()
    with pytest.raises(Refused) as refused, transaction():
        joining.put_on(post, other, way=Way.SELF, by=worker)
    assert refused.value.message == "刚刚报满了。可以候补：有人退出时按次序递补。"


def test_what_a_post_asks_for_is_said_to_nobody_in_particular(helping, worker):
    position = helping.position(skills=[helping.skill("医护资格")])
    post = helping.post(helping.shift(helping.activity(positions=[position]), soon()))
    with pytest.raises(Refused) as refused, transaction():
        joining.put_on(post, helping.volunteer(), way=Way.WORKER, by=worker)
    assert refused.value.message.endswith("：这个岗位需要医护资格；有的话，请先在志愿者资料里添加")
