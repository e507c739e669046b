"""Pairs in the line: either answers what is kept for both, a family waits for both, the community places three."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.places.models import Capacity, Waiting, WaitingState
from portal.registry.models import FamilyAgent
from portal.registry.models.accounts import AgentState
from portal.volunteers.models.codes import HOLDS, SignupState, Way
from portal.volunteers.models.people import Pair
from portal.volunteers.models.signups import PairAsk, Signup
from portal.volunteers.service import joining
from tests.acting import actor_of
from tests.helping import Helping, soon

pytestmark = pytest.mark.both_databases


class Two:
    """王秀英 and 赵建国, who always come together, and a post of two places that others hold."""

    def __init__(self, make, client):
        self.make, self.client, self.helping = make, client, Helping(make)
        self.worker = actor_of(make.worker())
        self.me, self.friend = (self.helping.volunteer(make.person(name)) for name in ("王秀英", "赵建国"))
        self.pairs(self.me, self.friend)
        self.accounts = {"me": make.resident(self.me.person), "friend": make.resident(self.friend.person)}

    def pairs(self, one, other):
        self.make.add(Pair(one_id=min(one.id, other.id), other_id=max(one.id, other.id), always=True))

    def begins(self, starts_at, turns=2):
        self.post = self.helping.post(self.helping.shift(starts_at=starts_at))
        facts = {"way": Way.SELF, "by": self.worker, "state": SignupState.JOINED}
        more = [self.helping.volunteer() for _turn in range(turns)]
        with transaction():
            made = [joining.put_on(self.post, one, **facts) for one in more]
            self.others = [one.id for one in made]

    def asks(self):
        said = {"agree": "y", "other": self.friend.public_id}
        return self.sign_in("me").post(f"/volunteers/posts/{self.post.id}/pair", data=said)

    def wait(self):
        """One asked, the other agreed; both are in the line."""
        assert self.asks().status_code == 303
        self.ask = db.session.scalars(sa.select(PairAsk)).one()
        self.sign_in("friend").post(f"/volunteers/pairs/{self.ask.public_id}", data={"agree": "y"})

    def sign_in(self, who):
        return self.client.sign_in(self.accounts[who])

    def places_free(self):
        with transaction() as session:
            for number in self.others:
                one = session.get_one(Signup, number)
                joining.take_off(one, SignupState.REMOVED, by=self.worker, reason="换人")

    def on(self):
        db.session.rollback()
        query = sa.select(Signup.volunteer_id).where(Signup.post_id == self.post.id, Signup.state.in_(HOLDS))
        return set(db.session.scalars(query))

    def are_family(self):
        """王秀英 acts for 赵建国."""
        facts = {"relation": "spouse", "actions": "meals.order", "state": AgentState.ACCEPTED}
        days = {"until": today() + timedelta(days=90), "requested_at": now(), "decided_at": now()}
        whose = {"person_id": self.friend.person_id, "principal_name": "赵建国"}
        self.make.add(FamilyAgent(account_id=self.accounts["me"].id, **whose | facts | days))

    def act(self, what):
        return self.client.post(f"/volunteers/pairs/{self.ask.public_id}/{what}")


@pytest.fixture
def two(make, client):
    return Two(make, client)


@pytest.fixture
def offered(two):
    """Two places are kept for both, shortly before the shift."""
    two.begins(soon(0, hours=6))
    two.wait()
    two.places_free()
    return two


@pytest.mark.parametrize("who", ["me", "friend"])
def test_either_of_two_who_wait_reads_that_two_places_are_kept_and_takes_them(offered, who):
    page = offered.sign_in(who).get(f"/volunteers/pairs/{offered.ask.public_id}").text
    assert "给王秀英和赵建国保留到" in page
    assert offered.act("take").status_code == 303
    assert offered.on() == {offered.me.id, offered.friend.id}
    offered.act("take")
    assert "没有给两位留着的名额了" in offered.client.get("/volunteers/mine").text


def test_the_other_of_two_who_wait_gives_the_kept_places_to_the_next(offered):
    offered.sign_in("friend")
    offered.act("withdraw")
    assert db.session.scalar(sa.select(Waiting.state)) is WaitingState.LEFT
    assert db.session.scalar(sa.select(Capacity.taken).where(Capacity.id == offered.post.capacity_id)) == 0


def test_nobody_else_takes_what_is_kept_for_two(offered):
    offered.client.sign_in(offered.make.resident(offered.make.person("外人")))
    assert offered.act("take").status_code == 404
    assert offered.on() == set()


@pytest.mark.parametrize("turns", [1, 2])
def test_who_acts_for_her_partner_waits_for_both_where_two_places_are_not_left(two, turns):
    two.begins(soon(3), turns)
    two.are_family()
    assert "两个人一起候补" in two.sign_in("me").get(f"/volunteers/posts/{two.post.id}/join").text
    where = f"/volunteers/posts/{two.post.id}/wait"
    answers = [two.client.post(where, data=said).status_code for said in ({}, {"agree": "y"}, {"agree": "y"})]
    assert answers == [422, 303, 422], "without a yes, with it, and twice"
    assert "和赵建国一起候补" in two.client.get("/volunteers/mine").text
    two.places_free()
    assert two.on() == {two.me.id, two.friend.id}


def test_who_always_comes_with_two_others_reads_that_the_community_places_them(two):
    two.pairs(two.me, two.helping.volunteer(two.make.person("孙福来")))
    two.begins(soon(3), 0)
    for where in ("join", "pair"):
        page = two.sign_in("me").get(f"/volunteers/posts/{two.post.id}/{where}").text
        assert "和赵建国、孙福来都结对同来，要由社区把几个人一起安排" in page
        assert 'name="agree"' not in page
    assert two.asks().status_code == 422
    assert two.on() == set()


def test_who_joins_with_her_family_reads_the_names_of_all_who_are_on_it(two):
    two.begins(soon(3), 0)
    two.are_family()
    said = {"agree": "y", "me": "y", "others": [two.friend.public_id]}
    answer = two.sign_in("me").post(f"/volunteers/posts/{two.post.id}/join", data=said)
    assert "王秀英、赵建国一起报上名了" in two.client.get(answer.location).text
