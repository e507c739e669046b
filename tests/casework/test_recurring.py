"""What recurs: found by category, place and words, taken up once, set aside until more come; how well it is found."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import CaseState
from portal.casework.models.recurring import MATTER_MOVES, Matter, MatterState
from portal.casework.service import recurring
from portal.core import events
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from tests.casework import marks
from tests.casework.desk import actor, case, category

S = CaseState
WORDS = ("垃圾桶满了没人收，味道很大", "垃圾桶又满了，味道大得不敢开窗", "垃圾桶没人收，苍蝇乱飞", "垃圾桶又满了两天")


@pytest.fixture
def rubbish(make):
    return category(make, "垃圾清运", "rubbish")


def asked(make, rubbish, count, building=None, *, back=1, **more):
    state = more.pop("state", S.ACCEPTED)
    return [
        case(
            make,
            state,
            at=now() - timedelta(days=back),
            what=WORDS[turn % len(WORDS)],
            title=WORDS[turn % len(WORDS)],
            category_id=rubbish.id,
            building_id=building.id if building else None,
            **more,
        )
        for turn in range(count)
    ]


def find():
    with transaction():
        return recurring.find()


def matter():
    db.session.rollback()
    return db.session.scalars(sa.select(Matter).execution_options(populate_existing=True)).one()


def decide(act, *args, by):
    with transaction():
        return act(matter(), *args, by=by)


def test_three_of_one_category_at_one_place_are_proposed_once(make, rubbish):
    home = make.dwelling().building
    asked(make, rubbish, 3, home)
    assert (find(), find()) == (1, 0)
    assert (matter().count, matter().place_key) == (3, f"b{home.id}")


def test_two_are_not_enough_and_other_places_and_categories_are_apart(make, rubbish):
    asked(make, rubbish, 2, make.dwelling().building)
    asked(make, rubbish, 2, make.dwelling().building)
    asked(make, category(make, "养犬", "dogs"), 2, make.dwelling().building)
    assert find() == 0


@pytest.mark.parametrize("more", [{"back": 200}, {"state": S.WITHDRAWN}, {"state": S.DECLINED}])
def test_old_and_withdrawn_and_declined_ones_do_not_count(make, rubbish, more):
    asked(make, rubbish, 4, make.dwelling().building, **more)
    assert find() == 0


def test_private_matters_are_nobodys_topic(make):
    asked(make, category(make, "邻里纠纷", "dispute", private=True), 5, make.dwelling().building)
    assert find() == 0


def test_without_a_building_the_grid_is_the_place(make, rubbish):
    grid = make.grid()
    asked(make, rubbish, 3, grid_id=grid.id)
    find()
    assert matter().place_key == f"g{grid.id}"


def test_quite_other_words_are_another_matter(make, rubbish):
    home = make.dwelling().building
    asked(make, rubbish, 2, home)
    case(make, what="清运车太早", title="清运车太早", category_id=rubbish.id, building_id=home.id)
    assert find() == 0


def test_taken_up_it_is_published_and_reporters_and_followers_are_told_once(make, app, rubbish, monkeypatch):
    found = asked(make, rubbish, 3, make.dwelling().building)
    follower = make.person("钱大妈")
    make.add(CaseFollower(case_id=found[0].id, person_id=follower.id))
    make.add(CaseFollower(case_id=found[1].id, person_id=follower.id))
    find()
    heard = []
    monkeypatch.setattr(events, "publish", lambda name, **facts: heard.append((name, facts)))
    assert decide(recurring.take, by=actor(make.worker())) == 4
    name, facts = heard[0]
    assert name == "matters_recur"
    assert facts["matter"] == matter().public_id
    assert facts["community"] == make.community().code
    assert sorted(facts["cases"]) == sorted(one.public_id for one in found)
    topics = db.session.scalars(sa.select(OutboxRow.topic)).all()
    assert topics == ["casework.matter_taken"] * 4


def test_the_second_who_decides_is_told_by_whom(make, rubbish):
    asked(make, rubbish, 3, make.dwelling().building)
    find()
    decide(recurring.take, by=actor(make.worker(name="甲")))
    with pytest.raises(Refused, match="甲"):
        decide(recurring.take, by=actor(make.worker(name="乙")))


def test_set_aside_it_asks_a_reason_and_returns_only_when_more_have_come(make, rubbish):
    home, by = make.dwelling().building, actor(make.worker())
    asked(make, rubbish, 3, home)
    find()
    with pytest.raises(Refused, match="为什么"):
        decide(recurring.dismiss, " ", by=by)
    decide(recurring.dismiss, "已经加桶", by=by)
    asked(make, rubbish, 2, home)
    assert find() == 0
    assert matter().state is MatterState.DISMISSED
    asked(make, rubbish, 1, home)
    assert find() == 1
    assert (matter().state, matter().count) == (MatterState.PROPOSED, 6)


def test_every_state_of_a_matter_but_the_last_has_an_exit():
    assert {state for state, exits in MATTER_MOVES.items() if not exits} == {MatterState.TAKEN}


def test_a_matter_of_another_community_does_not_exist(make, client, rubbish):
    asked(make, rubbish, 3, make.dwelling().building)
    find()
    by = actor(make.worker(scope=make.community("别的社区")))
    with pytest.raises(Missing):
        recurring.matter_in(tuple(grant.scope for grant in by.grants), matter().public_id)


def test_a_worker_decides_on_the_pages(make, client, rubbish):
    asked(make, rubbish, 3, make.dwelling().building)
    find()
    client.sign_in(make.worker())
    assert "垃圾清运" in client.get("/desk/cases/matters").text
    base = f"/desk/cases/matters/{matter().public_id}"
    assert client.get(base).status_code == 200
    assert client.post(f"{base}/dismiss", data={"why": ""}).status_code == 422
    assert client.post(f"{base}/take").status_code == 303
    assert matter().state is MatterState.TAKEN
    assert "垃圾清运" in client.get("/desk/cases/matters?state=taken").text


def test_there_are_two_hundred_labelled_requests():
    assert len(marks.ROWS) == len({row["text"] for row in marks.ROWS}) == 200
    assert {row["category"] for row in marks.ROWS} <= {one.code for one in marks.leaves()}


@pytest.mark.parametrize(
    ("measure", "precision", "recall"),
    [(marks.category, 0.97, 0.91), (marks.duplicates, 0.75, 0.95), (marks.recurrence, 0.95, 0.95)],
)
def test_understanding_does_not_fall_below_what_was_measured(measure, precision, recall):
    found = measure()
    assert found.precision >= precision, found.wrong
    assert found.recall >= recall, found.wrong


# Split.


def split(make, cases, why="一件是楼道灯，不是垃圾桶", by=None):
    by = by or actor(make.worker())
    with transaction():
        return recurring.take_out(matter(), {one.public_id for one in cases}, why, by=by)


def test_what_was_taken_out_is_never_found_with_the_rest_again(make, rubbish):
    cases = asked(make, rubbish, 4, make.dwelling().building)
    find()
    assert split(make, cases[:1]) == 1
    assert (find(), matter().count) == (0, 3)
    assert [row.case_id for row in matter().taken_out] == [cases[0].id]


def test_what_was_taken_out_counts_again_under_another_category(make, rubbish):
    """It speaks of something else: of that it may recur with others."""
    home, other = make.dwelling().building, category(make, "绿化", "green")
    cases = asked(make, rubbish, 4, home)
    find()
    split(make, cases[:1])
    with transaction():
        db.session.get_one(Case, cases[0].id).category_id = other.id
    asked(make, other, 2, home)
    assert find() == 1
    found = db.session.scalars(sa.select(Matter).order_by(Matter.id)).all()
    assert [(one.category_id, one.count) for one in found] == [(rubbish.id, 3), (other.id, 3)]


def test_who_reported_what_was_taken_out_is_told_of_no_topic(make, rubbish):
    cases = asked(make, rubbish, 4, make.dwelling().building)
    find()
    split(make, cases[:1])
    assert decide(recurring.take, by=actor(make.worker())) == 3


@pytest.mark.parametrize(
    ("which", "why", "words"), [(4, "别的事", "至少要留下"), (0, "别的事", "请勾选"), (1, " ", "原因|为什么")]
)
def test_a_matter_is_never_split_to_nothing_nor_without_a_reason(make, rubbish, which, why, words):
    cases = asked(make, rubbish, 4, make.dwelling().building)
    find()
    with pytest.raises(Refused, match=words):
        split(make, cases[:which], why)
    assert matter().count == 4


def test_what_was_taken_out_by_mistake_goes_back(make, rubbish):
    cases = asked(make, rubbish, 4, make.dwelling().building)
    find()
    split(make, cases[:2])
    with transaction():
        recurring.put_back(matter(), cases[0].public_id, by=actor(make.worker()))
    assert (matter().count, [row.case_id for row in matter().taken_out]) == (3, [cases[1].id])


def test_a_topic_that_was_taken_up_is_not_split_any_more(make, rubbish):
    cases = asked(make, rubbish, 3, make.dwelling().building)
    find()
    decide(recurring.take, by=actor(make.worker()))
    with pytest.raises(Refused, match="已经处理过"):
        split(make, cases[:1])


def test_a_worker_splits_a_matter_on_its_page(make, app, rubbish):
    cases = asked(make, rubbish, 4, make.dwelling().building)
    find()
    client = app.test_client().sign_in(make.worker())
    address = f"/desk/cases/matters/{matter().public_id}"
    assert client.post(address, data={"why": "不是一回事"}).status_code == 422
    assert client.post(address, data={"why": "不是一回事", "cases": [cases[0].public_id]}).status_code == 303
    assert "移出去的诉求" in client.get(address).text
    assert client.post(f"{address}/back/{cases[0].public_id}").status_code == 303
    assert matter().count == 4
