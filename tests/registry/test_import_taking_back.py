"""Taking one decision of an import back: exactly what stood, from the list of merges too, unless anything leans."""

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Building, Dwelling, DwellingUse, Estate
from portal.core.access import Scope
from portal.core.db import db, transaction
from portal.registry.models import (
    EmergencyContact,
    Happening,
    Household,
    ImportRow,
    Outcome,
    Person,
    PersonTag,
    RowVerdict,
    Source,
)
from portal.registry.service import changes, imports, twins
from portal.registry.service.merging import snapshots
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    check,
    confirm,
    count,
    latest,
    number,
    people,
    register,
    row,
    staged,
    take_in,
    undo,
)

# The second is whoever the first is, in another home, with more to say.
TWICE = register(
    row(),
    row(联系电话="13900000009", 备注="耳背", 人员标签="独居、低保", 户号="H9", 房号="999", 网格="第二网格"),
)
TAKEN = {"phone": "row", "household_number": "row", "grid": "row"}


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _say(worker: Client, of, verdict: str, order: int = 3, **chosen: str):
    return worker.post(f"{ADDRESS}/{of.public_id}/waiting/{order}", data={"verdict": verdict, **chosen})


def _back(worker: Client, of, order: int = 3, key: str = "k"):
    data = {"reason": "看错了", "idem": key}
    return worker.post(f"{ADDRESS}/{of.public_id}/waiting/{order}/back", data=data)


def _stands() -> list:
    """The register and the batch's rows as they stand, all but what every change moves."""
    db.session.expire_all()
    kept = []
    for model in (Person, PersonTag, EmergencyContact, Household, Dwelling, ImportRow):
        kept += [snapshots.values_of(each) for each in db.session.scalars(sa.select(model).order_by(model.id))]
    return json.loads(json.dumps(kept, ensure_ascii=False, default=str))


@pytest.mark.parametrize("verdict", ["same", "different", "dropped", "later"])
@pytest.mark.parametrize("confirmed_first", [True, False])
def test_a_decision_is_taken_back_exactly(worker, make, verdict, confirmed_first):
    batch = check(worker, TWICE)
    if confirmed_first:
        confirm(worker, batch)
        before = _stands()
    _say(worker, batch, verdict, **TAKEN)
    if not confirmed_first:
        confirm(worker, batch)
    answer = _back(worker, batch)
    assert answer.status_code == 303, answer.text
    if confirmed_first:
        assert _stands() == before
    assert [each.outcome for each in staged(batch)] == [Outcome.NEW, Outcome.WAITING]
    assert (len(people()), count(RowVerdict), count(Household)) == (1, 0, 1)
    assert (latest().counts["waiting"], imports.counts(latest())["waiting"], latest().counts["changed"]) == (1, 1, 0)
    assert twins.waiting([make_scope(make)]) == 1
    assert _say(worker, batch, "same", **TAKEN).status_code == 303
    assert (people()[0].phone, people()[0].household.number) == ("13900000009", "H9")


def make_scope(make: Make) -> Scope:
    return Scope("community", make.community().code)


def test_a_merged_row_stands_in_the_list_of_merges_and_is_undone_from_there(worker):
    batch = take_in(worker, TWICE)
    before = _stands()
    _say(worker, batch, "same", **TAKEN)
    page = worker.get("/desk/people/twins/merges").text
    assert "登记表“登记表.xlsx”第 3 行" in page
    happening = db.session.scalars(sa.select(Happening)).one()
    address = f"/desk/people/twins/merges/{happening.public_id}/undo"
    assert "回到待核实" in worker.get(address).text
    assert worker.post(address, data={"reason": "看错了", "idem": "m"}).status_code == 303
    assert _stands() == before
    assert "已撤销" in worker.get("/desk/people/twins/merges").text
    assert worker.get(f"/desk/people/happenings/{happening.public_id}").status_code == 200
    assert "合并重复登记" in worker.get("/desk/people/happenings").text
    told = [change for change in changes.history(people()[0]) if change.row.reason == "看错了"]
    assert {change.field for change in told} >= {"phone", "note", "tags"}
    assert {change.row.source for change in told} == {Source.IMPORT}


def test_a_row_decided_and_taken_back_leaves_the_whole_batch_to_be_undone(worker):
    batch = take_in(worker, TWICE)
    for order in ("same", "different"):
        _say(worker, batch, order, **TAKEN)
        assert _back(worker, batch, key=order).status_code == 303
    _say(worker, batch, "same", **TAKEN)
    answer = undo(worker, batch)
    assert answer.status_code == 303, answer.text
    assert (count(Person), count(Household), count(Dwelling), count(Happening)) == (0, 0, 0, 0)


def test_undoing_the_batch_undoes_the_merges_of_its_rows_too(worker, make):
    make.person("赵玉兰", id_number=number(1), phone="")
    batch = take_in(worker, register(row(), row(姓名="李敏", 身份证号=number(2))))
    _say(worker, batch, "same", 2, name="row")
    assert undo(worker, batch).status_code == 303
    assert [one.undone_at is not None for one in db.session.scalars(sa.select(Happening))] == [True]
    assert people()[0].name == "赵玉兰"


@pytest.mark.parametrize("what", ["phone", "tag"])
def test_what_was_changed_since_is_not_lost_by_taking_back(worker, what):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "same", **TAKEN)
    with transaction() as session:
        person = session.get_one(Person, people()[0].id)
        if what == "phone":
            with changes.changing(person, Source.WORKER):
                person.phone = "13600000006"
        else:
            tag = session.scalars(sa.select(PersonTag).order_by(PersonTag.id.desc()).limit(1)).one()
            tag.source = "入户核实"
    answer = _back(worker, batch)
    assert (answer.status_code, "请直接修改登记" in answer.text) == (422, True)
    assert staged(batch)[1].outcome is Outcome.CHANGED


def test_a_new_person_who_is_used_since_is_not_taken_back(worker, make):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "different")
    with transaction(), changes.changing(db.session.get_one(Person, people()[1].id), Source.WORKER):
        db.session.get_one(Person, people()[1].id).note = "住院"
    answer = _back(worker, batch)
    assert (answer.status_code, "疑似重复" in answer.text) == (422, True)
    assert len(people()) == 2


def test_a_decision_is_not_taken_back_twice(worker):
    batch = take_in(worker, TWICE)
    before = _stands()
    _say(worker, batch, "same", **TAKEN)
    assert _back(worker, batch).status_code == 303
    counts = latest().counts
    answer = _back(worker, batch, key="again")
    assert (answer.status_code, "没有可以收回的决定" in answer.text) == (422, True)
    assert (_stands(), latest().counts, latest().counts["waiting"]) == (before, counts, 1)


def _edit(model, where, **values) -> None:
    with transaction() as session:
        one = session.scalars(sa.select(model).where(where)).one()
        for name, value in values.items():
            setattr(one, name, value)
    db.session.expire_all()


# The second lives in a building of its own, in a grid of its own, which stays as long as the building does.
APART = register(row(), row(联系电话="13900000009", 户号="H9", 小区="槐荫里", 房号="999", 网格="第二网格"))


@pytest.mark.parametrize(
    ("model", "where", "values", "left"),
    [
        (Dwelling, Dwelling.room == "999", {"area_m2": Decimal("88.00"), "floor": 9}, (1, 2, 2, 2, 2)),
        (Dwelling, Dwelling.room == "999", {"use": DwellingUse.RENTED}, (1, 2, 2, 2, 2)),
        (Dwelling, Dwelling.room == "999", {"room": "999A"}, (1, 2, 2, 2, 2)),
        (Building, Building.estate.has(name="槐荫里"), {"name": "7号楼"}, (1, 1, 2, 2, 2)),
        (Estate, Estate.name == "槐荫里", {"name": "槐荫里二期"}, (1, 1, 1, 2, 1)),
        (Area, Area.name == "第二网格", {"name": "东网格"}, (1, 1, 2, 2, 2)),
        (Household, Household.number == "H9", {"number": "H10"}, (2, 2, 2, 2, 2)),
    ],
)
def test_a_place_that_somebody_edited_since_stays(worker, model, where, values, left):
    batch = take_in(worker, APART)
    _say(worker, batch, "same", **TAKEN)
    _edit(model, where, **values)
    assert _back(worker, batch).status_code == 303
    assert (people()[0].household.number, *_places()) == ("H1", *left)


def _places() -> tuple[int, ...]:
    grids = sa.select(sa.func.count()).select_from(Area).where(Area.kind == AreaKind.GRID)
    return (*(count(model) for model in (Household, Dwelling, Building, Estate)), db.session.scalar(grids))


def test_a_building_that_was_given_a_grid_since_stays(worker, make):
    batch = take_in(worker, APART)
    _say(worker, batch, "same", **TAKEN)
    _edit(Building, Building.estate.has(name="槐荫里"), grid_id=make.grid().id)
    grids = _places()[-1]
    assert _back(worker, batch).status_code == 303
    assert _places() == (1, 1, 2, 2, grids - 1)


def test_a_household_that_lives_elsewhere_since_stays(worker):
    batch = take_in(worker, APART)
    _say(worker, batch, "same", **TAKEN)
    first = db.session.scalars(sa.select(Dwelling.id).where(Dwelling.room == "301")).one()
    _edit(Household, Household.number == "H9", dwelling_id=first)
    assert _back(worker, batch).status_code == 303
    assert _places() == (2, 1, 1, 1, 1)


def test_a_grid_that_somebody_was_put_in_charge_of_since_stays(worker, make):
    batch = take_in(worker, APART)
    _say(worker, batch, "same", **TAKEN)
    grid = db.session.scalars(sa.select(Area).where(Area.name == "第二网格")).one()
    make.worker(scope=grid)
    assert _back(worker, batch).status_code == 303
    assert _places() == (1, 1, 1, 1, 2)


def test_what_a_decision_made_and_its_taking_back_removed_is_the_batchs_no_more(worker):
    batch = take_in(worker, APART)
    _say(worker, batch, "same", **TAKEN)
    made = latest().made["decided"]
    assert sorted(made) == ["area", "building", "dwelling", "estate", "household"]
    _edit(Dwelling, Dwelling.room == "999", floor=9)
    assert _back(worker, batch).status_code == 303
    kept = ("area", "building", "dwelling", "estate")
    assert latest().made["decided"] == {name: made[name] if name in kept else [] for name in made}


def test_a_new_person_who_is_anothers_guardian_since_is_not_taken_back(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "different")
    first, second = people()
    _edit(Person, Person.id == first.id, guardian_id=second.id)
    before = _stands()
    answer = _back(worker, batch)
    assert (answer.status_code, "监护人" in answer.text) == (422, True)
    assert _stands() == before


def test_a_new_person_whom_another_was_merged_into_since_is_not_taken_back(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "different")
    first, second = people()
    _edit(Person, Person.id == first.id, merged_into_id=second.id)
    before = _stands()
    answer = _back(worker, batch)
    assert (answer.status_code, "合并" in answer.text) == (422, True)
    assert _stands() == before


def test_a_new_person_whom_another_row_was_merged_into_goes_only_after_that_row(worker):
    others = (row(联系电话=phone, 与户主关系="其他") for phone in ("13900000009", "13900000008"))
    batch = take_in(worker, register(row(), *others))
    _say(worker, batch, "different", 3)
    chosen = people()[1]
    with transaction() as session:
        last = session.scalars(sa.select(ImportRow).where(ImportRow.row_number == 4)).one()
        last.twin_row, last.person_id = None, chosen.id
    assert _say(worker, batch, "same", 4, phone="row", id_number="stays").status_code == 303
    before = _stands()
    assert people()[1].phone == "13900000008"
    answer = _back(worker, batch)
    assert (answer.status_code, "第 4 行" in answer.text) == (422, True)
    assert _stands() == before
    answer = _back(worker, batch, 4, key="four")
    assert answer.status_code == 303, answer.text
    answer = _back(worker, batch, 3, key="three")
    assert (answer.status_code, len(people())) == (303, 1), answer.text


def test_a_worker_of_another_community_takes_nothing_back(client, make):
    make.community()
    worker = client.sign_in(make.worker())
    batch = take_in(worker, TWICE)
    _say(worker, batch, "same")
    stranger = client.sign_in(make.worker(scope=make.community("秋水社区")))
    assert _back(stranger, batch).status_code == 404


def test_the_page_of_a_decided_row_offers_to_take_it_back(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "same")
    address = f"{ADDRESS}/{batch.public_id}/waiting/3"
    assert f"{address}/back" in worker.get(address).text
    page = worker.get(f"{address}/back").text
    assert "这一行回到待核实" in page
    assert worker.post(f"{address}/back", data={"reason": "", "idem": "k"}).status_code == 422
