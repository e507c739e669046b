"""Twins of the register: which pairs are found and how alike, and what a worker says of them."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.registry.models import Happening, Person, PersonState, TwinPair, TwinState
from portal.registry.service import twins
from portal.registry.service.twins.scoring import similar
from tests.client import Client
from tests.make import Make

ADDRESS = "/desk/people/twins"


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _numberless(make: Make, name: str, **more) -> Person:
    """Somebody whose number the register does not know."""
    person = make.person(name, **more)
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == person.id).values(id_number=None, id_index=None))
    return person


def _found(make: Make) -> list[TwinPair]:
    twins.seek(make.community().id)
    return list(db.session.scalars(sa.select(TwinPair).order_by(TwinPair.id)))


@pytest.mark.parametrize(
    ("name", "more", "reasons"),
    [
        ("王秀英", {}, ["same_name", "same_birth_date"]),
        ("王秀瑛", {}, ["same_sound", "same_birth_date"]),
        ("王秀芳", {"phone": "13800000001"}, ["similar_name", "same_birth_date", "same_phone"]),
        ("王秀英", {"born": date(1950, 9, 9), "phone": "13800000001"}, ["same_name", "same_birth_year", "same_phone"]),
    ],
)
def test_likeness_is_found_with_its_reasons(make: Make, name, more, reasons):
    make.person("王秀英", phone="13800000001")
    _numberless(make, name, **{"phone": "", **more})
    (pair,) = _found(make)
    assert pair.reasons == reasons
    assert 60 <= pair.score <= 100


def test_two_numbers_speak_against_one_person(make: Make):
    make.person("王秀英")
    make.person("王秀英")
    assert _found(make) == []


def test_under_one_roof_only_those_named_alike_are_compared(make: Make):
    home = make.household()
    make.person("王秀英", household_id=home.id)
    _numberless(make, "王秀瑛", household_id=home.id)
    _numberless(make, "李建国", household_id=home.id, born=date(1948, 1, 1))
    (pair,) = _found(make)
    assert pair.reasons == ["same_sound", "same_birth_date", "same_address"]


def test_the_dead_the_merged_and_people_of_other_communities_are_left_out(make: Make):
    kept = make.person("王秀英")
    _numberless(make, "王秀英", state=PersonState.DEAD)
    _numberless(make, "王秀英", merged_into_id=kept.id)
    _numberless(make, "王秀英", community=make.community("秋水社区"))
    assert _found(make) == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("王秀英", "王秀芳", True),
        ("王秀英", "王英", True),
        ("王英", "李英", False),
        ("王英", "王芳", True),
        ("王秀英", "李建国", False),
        ("欧阳秀英", "欧阳英", True),
    ],
)
def test_names_are_alike_when_one_sign_differs(one, other, alike):
    assert similar(one, other) is similar(other, one) is alike


def test_a_second_search_changes_nothing_and_what_no_longer_is_alike_goes(make: Make):
    make.person("王秀英")
    other = _numberless(make, "王秀英")
    (first,) = _found(make)
    assert [pair.id for pair in _found(make)] == [first.id]
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == other.id).values(name="赵玉兰", pinyin="zhao yu lan"))
    assert _found(make) == []


def test_whoever_was_told_apart_is_never_asked_about_again(worker, make):
    one, other = make.person("王秀英"), _numberless(make, "王秀英")
    _found(make)
    answer = worker.post(f"{ADDRESS}/{one.public_id}/{other.public_id}/apart")
    assert answer.status_code == 303
    (pair,) = _found(make)
    assert (pair.state, pair.decided_name) == (TwinState.APART, "周洁")
    assert "没有相像的人" in worker.get(ADDRESS).text


def test_later_puts_a_pair_behind_the_others(worker, make):
    one, other = make.person("王秀英", phone="13800000001"), _numberless(make, "王秀英", phone="13800000001")
    make.person("李建国"), _numberless(make, "李建国", phone="")
    first, second = (pair.id for pair in sorted(_found(make), key=lambda pair: -pair.score))
    scope = [Scope("community", make.community().code)]
    assert [pair.id for pair in twins.pairs(scope)] == [first, second]
    worker.post(f"{ADDRESS}/{one.public_id}/{other.public_id}/later")
    assert [pair.id for pair in twins.pairs(scope)] == [second, first]
    assert twins.waiting(scope) == 2


def test_two_records_are_shown_side_by_side_merged_and_parted_again(worker, make):
    kept, other = make.person("王秀英", phone="13800000001"), _numberless(make, "王秀英", phone="13900000009")
    _found(make)
    queue = worker.get(ADDRESS).text
    assert "100 分" not in queue
    assert f"{ADDRESS}/{kept.public_id}/{other.public_id}" in queue
    page = worker.get(f"{ADDRESS}/{kept.public_id}/{other.public_id}").text
    assert "138****0001" in page
    assert "139****0009" in page
    merging = f"{ADDRESS}/{kept.public_id}/{other.public_id}/merge?phone=other"
    result = worker.get(merging).text
    assert "139****0009" in result
    assert "138****0001" not in result
    assert worker.post(merging, data={"idem": "k", "reason": "登记了两次"}).status_code == 303
    assert (make.read(kept).phone, make.read(other).merged_into_id) == ("13900000009", kept.id)
    happening = db.session.scalars(sa.select(Happening)).one()
    assert "已合并" in worker.get(f"{ADDRESS}/merges").text
    undoing = f"{ADDRESS}/merges/{happening.public_id}/undo"
    assert worker.post(undoing, data={"idem": "u", "reason": ""}).status_code == 422
    assert worker.post(undoing, data={"idem": "u", "reason": "合错了"}).status_code == 303
    assert (make.read(kept).phone, make.read(other).merged_into_id) == ("13800000001", None)
    assert "核实" in worker.get(ADDRESS).text
    actions = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"registry.people_merged", "registry.merge_undone"} <= actions


def test_a_refused_merge_says_why_on_the_page(worker, make):
    dead, living = make.person(state=PersonState.DEAD), make.person()
    answer = worker.post(f"{ADDRESS}/{living.public_id}/{dead.public_id}/merge", data={"idem": "k"})
    assert answer.status_code == 422
    assert "另一份在世" in answer.text
    alone = worker.post(f"{ADDRESS}/{living.public_id}/{living.public_id}/merge", data={"idem": "k"})
    assert (alone.status_code, "不能和自己合并" in alone.text) == (422, True)


def test_merging_asks_for_the_password_again_and_keeps_the_choices(worker, make):
    one, other = make.person(), make.person()
    with transaction() as session:
        session.execute(sa.text("update signed_session set authenticated_at = '2020-01-01 00:00:00+00'"))
    answer = worker.get(f"{ADDRESS}/{one.public_id}/{other.public_id}/merge?phone=other")
    assert answer.status_code == 303
    assert "phone%3Dother" in answer.headers["Location"]


def test_a_worker_of_another_community_sees_counts_and_opens_nothing(client, make):
    one, other = make.person("王秀英"), _numberless(make, "王秀英")
    _found(make)
    elsewhere = make.community("秋水社区")
    stranger = client.sign_in(make.worker(scope=elsewhere))
    assert "没有相像的人" in stranger.get(ADDRESS).text
    for ending in ("", "/merge"):
        assert stranger.get(f"{ADDRESS}/{one.public_id}/{other.public_id}{ending}").status_code == 404
    for ending in ("/apart", "/later", "/merge"):
        assert stranger.post(f"{ADDRESS}/{one.public_id}/{other.public_id}{ending}").status_code == 404
    assert stranger.post(f"{ADDRESS}/seek", data={"community": make.community().code}).status_code == 404
    assert twins.waiting([Scope("community", elsewhere.code)]) == 0
    assert twins.waiting([Scope("community", make.community().code)]) == 1


def test_a_grid_worker_neither_merges_nor_counts(client, make):
    _numberless(make, "王秀英"), make.person("王秀英")
    _found(make)
    grid = make.grid()
    assert client.sign_in(make.worker(Role.GRID_WORKER, grid)).get(ADDRESS).status_code == 403
    assert twins.waiting([Scope("grid", grid.code)]) == 0


def test_a_search_on_demand_finds_them_in_the_background(worker, make):
    make.person("王秀英"), _numberless(make, "王秀英")
    assert worker.post(f"{ADDRESS}/seek", data={"community": make.community().code}).status_code == 303
    assert "相像" in worker.get(ADDRESS).text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TwinPair)) == 1


def test_the_queue_asks_as_often_for_twenty_pairs_as_for_one(worker, make):
    def asked() -> int:
        seen = []
        listener = lambda *_arguments: seen.append(1)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", listener)
        worker.get(ADDRESS)
        sa.event.remove(db.engine, "before_cursor_execute", listener)
        return len(seen)

    make.person("王秀英"), _numberless(make, "王秀英")
    _found(make)
    few = asked()
    for order in range(20):
        home = make.household()
        make.person(f"李建{order}", household_id=home.id), _numberless(make, f"李建{order}", household_id=home.id)
    assert len(_found(make)) > 20
    assert asked() == few
