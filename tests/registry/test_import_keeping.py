"""Undoing a register that made homes: what was changed or is in use since stays, with its reason; the rest goes."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, Building, Dwelling, DwellingUse, Estate
from portal.core.db import db, transaction
from portal.core.sheets import write_workbook
from portal.registry.models import Household, Person, Relation
from portal.registry.service.imports import restoring
from portal.registry.service.imports.comparing import RESTORED
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    choices,
    confirm,
    count,
    latest,
    number,
    people,
    register,
    row,
    take_in,
    undo,
    upload,
)

HOMES = ["小区", "楼栋", "单元", "房号", "楼层", "建筑面积", "房屋用途"]


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _take_in(worker: Client, kind: str, headers: list[str], *rows: list[str]):
    upload(worker, write_workbook(headers, rows), kind=kind)
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    answer = confirm(worker, latest())
    assert answer.status_code == 303, answer.text
    return latest()


def _edit(model, where, **values) -> None:
    with transaction() as session:
        one = session.scalars(sa.select(model).where(where)).one()
        for name, value in values.items():
            setattr(one, name, value)
    db.session.expire_all()


def _undone(worker: Client, batch) -> str:
    """The page of the batch once it is undone."""
    answer = undo(worker, batch)
    assert answer.status_code == 303, answer.text
    return worker.get(f"{ADDRESS}/{batch.public_id}").text


def _home(room: str, *more: str) -> list[str]:
    return ["梧桐苑", "6", "2", room, *(more or ("3", "88.5", "自住"))]


def _rooms() -> list[str]:
    db.session.expire_all()
    return list(db.session.scalars(sa.select(Dwelling.room).order_by(Dwelling.room, Dwelling.id)))


def test_homes_edited_or_lived_in_since_stay_with_their_reason_and_the_others_go(worker):
    batch = _take_in(worker, "dwellings", HOMES, _home("301"), _home("302"), _home("303"), _home("304"))
    _edit(Dwelling, Dwelling.room == "302", area_m2=Decimal("90.00"))
    _edit(Dwelling, Dwelling.room == "304", room="304A")
    take_in(worker, register(row(房号="303")))
    page = _undone(worker, batch)
    assert _rooms() == ["302", "303", "304A"]
    assert db.session.scalars(sa.select(Dwelling.area_m2).where(Dwelling.room == "302")).one() == Decimal("90.00")
    for words in ("梧桐苑 6号楼 2单元 302", "梧桐苑 6号楼 2单元 304A", "后来改过，没有删除", "有人登记在这里"):
        assert words in page
    assert "2单元 301" not in page
    assert "共 5 处" in page, "three homes, their building and their estate"


def test_only_the_values_that_are_still_the_batchs_go_back(worker):
    _take_in(worker, "dwellings", HOMES, _home("301"), _home("302"))
    batch = _take_in(worker, "dwellings", HOMES, _home("301", "4", "99", "出租"), _home("302", "4", "99", "出租"))
    _edit(Dwelling, Dwelling.room == "301", use=DwellingUse.EMPTY)
    page = _undone(worker, batch)
    homes = db.session.scalars(sa.select(Dwelling).order_by(Dwelling.room)).all()
    assert [(home.floor, home.area_m2, home.use) for home in homes] == [
        (3, Decimal("88.50"), DwellingUse.EMPTY),
        (3, Decimal("88.50"), DwellingUse.OWN),
    ]
    assert "房屋用途后来改过，没有恢复" in page


def test_a_building_that_was_given_a_grid_since_stays(worker, make):
    batch = _take_in(worker, "dwellings", HOMES, _home("301"))
    _edit(Building, Building.name == "6号楼", grid_id=make.grid().id)
    page = _undone(worker, batch)
    assert (count(Dwelling), count(Building), count(Estate)) == (0, 1, 1)
    assert "楼栋：梧桐苑 6号楼" in page


def _grids() -> list[str]:
    query = sa.select(Area.name).select_from(Building).outerjoin(Building.grid).order_by(Building.name)
    return [name or "" for name in db.session.scalars(query)]


def _in(building: str, order: int, grid: str) -> dict[str, str]:
    return row(身份证号=number(order), 户号=f"H{order}", 楼栋=building, 网格=grid)


def test_a_building_whose_rows_name_one_grid_is_in_it_and_one_of_two_grids_in_none(worker):
    rows = [
        _in("6", 1, "第二网格"),
        _in("6", 2, "第二网格"),
        _in("6", 3, ""),
        _in("7", 4, "第二网格"),
        _in("7", 5, "第三网格"),
    ]
    batch = take_in(worker, register(*rows))
    assert _grids() == ["第二网格", ""]
    assert "撤销以后保留的" not in _undone(worker, batch)
    assert (count(Building), count(Estate)) == (0, 0)


def test_a_building_moved_to_another_grid_than_its_rows_name_stays(worker, make):
    batch = take_in(worker, register(row(网格="第七网格")))
    _edit(Building, Building.name == "6号楼", grid_id=make.grid().id)
    assert "楼栋：梧桐苑 6号楼" in _undone(worker, batch)
    assert (count(Dwelling), count(Building)) == (0, 1)


HOUSEHOLD = ["户号", "住址", "户主姓名"]


def test_a_household_that_lives_elsewhere_since_stays_where_it_is(worker, make):
    _take_in(worker, "dwellings", HOMES, _home("501"), _home("502"))
    made = _take_in(
        worker, "households", HOUSEHOLD, ["H7", "梧桐苑6号楼2单元301", ""], ["H8", "梧桐苑6号楼2单元302", ""]
    )
    later = db.session.scalars(sa.select(Dwelling.id).where(Dwelling.room == "501")).one()
    _edit(Household, Household.number == "H7", dwelling_id=later)
    page = _undone(worker, made)
    (home,) = db.session.scalars(sa.select(Household))
    assert (home.number, home.dwelling_id) == ("H7", later)
    assert "户：H7" in page
    assert "户：H8" not in page
    assert _rooms() == ["501", "502"]


def test_an_address_and_a_head_chosen_since_are_not_overwritten(worker):
    take_in(worker, register(row(户号="H7"), row(姓名="李敏", 身份证号=number(2), 户号="H7", 与户主关系="子女")))
    changed = _take_in(worker, "households", HOUSEHOLD, ["H7", "梧桐苑6号楼2单元502", "李敏"])
    _take_in(worker, "dwellings", HOMES, _home("601"))
    later = db.session.scalars(sa.select(Dwelling.id).where(Dwelling.room == "601")).one()
    _edit(Household, Household.number == "H7", dwelling_id=later)
    wang, li = people()
    assert [wang.relation, li.relation] == [Relation.OTHER, Relation.HEAD]
    _edit(Person, Person.id == wang.id, relation=Relation.PARENT)
    page = _undone(worker, changed)
    db.session.expire_all()
    assert [person.relation for person in people()] == [Relation.PARENT, Relation.HEAD]
    assert db.session.scalars(sa.select(Household)).one().dwelling_id == later
    assert "住址后来改过，没有恢复" in page
    assert "户主后来改过，没有恢复" in page


def test_a_move_by_a_register_of_people_is_not_taken_back_over_a_later_one(worker):
    take_in(worker, register(row()))
    batch = take_in(worker, register(row(房号="302")))
    _take_in(worker, "dwellings", HOMES, _home("601"))
    later = db.session.scalars(sa.select(Dwelling.id).where(Dwelling.room == "601")).one()
    _edit(Household, Household.number == "H1", dwelling_id=later)
    page = _undone(worker, batch)
    assert db.session.scalars(sa.select(Household)).one().dwelling_id == later
    assert "住址后来改过，没有恢复" in page


def test_what_nobody_touched_goes_without_a_list(worker):
    batch = _take_in(worker, "dwellings", HOMES, _home("301"))
    assert "撤销以后保留的" not in _undone(worker, batch)
    assert (count(Dwelling), count(Estate)) == (0, 0)


def test_two_registers_are_undone_one_after_the_other_back_to_nothing(worker):
    first = take_in(worker, register(row()))
    second = take_in(worker, register(row(联系电话="13900000009", 人员标签="低保", 备注="耳背")))
    assert "已撤销" in _undone(worker, second)
    assert (people()[0].phone, people()[0].note) == ("13800000001", None)
    assert undo(worker, first).status_code == 303
    assert (count(Person), count(Household), count(Estate)) == (0, 0, 0)


def test_every_column_that_undoing_restores_belongs_to_a_difference():
    named = {name for columns in restoring.COLUMNS.values() for name in columns}
    assert set(RESTORED) <= named | {*restoring.ALWAYS}
