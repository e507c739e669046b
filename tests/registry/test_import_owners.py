"""Registers of owners: columns guessed, co-owners, companies, what is missing, the same file again, and back."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.sealing import blind
from portal.core.sheets import open_sheet, write_workbook
from portal.registry.models import ImportKind, Organisation, OrganisationKind
from portal.registry.models.owners import Owner, Title
from portal.registry.service import imports, owners
from portal.registry.service.imports import blanks, columns, deeds, titles
from portal.registry.service.owners import OwnerFacts
from tests.client import Client
from tests.counting import count_queries
from tests.deliberating import Deliberating
from tests.make import Make
from tests.registry.registers import ADDRESS, choices, confirm, count, latest, number, staged, undo, upload

HEADERS = [
    "小区", "楼栋", "单元", "房号", "建筑面积", "产权人", "证件号码", "联系电话", "份额", "取得日期",
]  # fmt: skip
# The made code of a company.
CODE = "91320500MA1XH0UY59"


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


@pytest.fixture
def homes(make: Make) -> dict[str, Dwelling]:
    """Four homes of one building: 101 has an area, the others have none."""
    estate = make.add(Estate(community_id=make.community().id, name="梧桐苑"))
    building = make.add(Building(estate_id=estate.id, name="6号楼"))
    areas = {"101": Decimal("80.00"), "102": None, "103": None, "104": None}
    return {
        room: make.add(Dwelling(building_id=building.id, unit="1单元", room=room, area_m2=area))
        for room, area in areas.items()
    }


def _line(room: str, name: str, **said: str) -> list[str]:
    """A row of 梧桐苑 6号楼 1单元, what is not said empty."""
    place = {"小区": "梧桐苑", "楼栋": "6号楼", "单元": "1单元", "房号": room, "产权人": name}
    return [{**place, **said}.get(header, "") for header in HEADERS]


def _check(worker: Client, *lines: list[str], headers: list[str] | None = None):
    answer = upload(worker, write_workbook(headers or HEADERS, list(lines)), kind="owners")
    assert answer.status_code == 303, answer.text
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert answer.status_code == 303, answer.text
    return latest()


def _take_in(worker: Client, *lines: list[str]):
    batch = _check(worker, *lines)
    answer = confirm(worker, batch)
    assert answer.status_code == 303, answer.text
    return latest()


def _owned() -> list[tuple[str, str, str]]:
    """Each title as home, owner, share; by home and owner."""
    db.session.expire_all()
    found = db.session.scalars(sa.select(Title).where(Title.until.is_(None)).order_by(Title.id))
    return sorted((title.dwelling.room, title.owner.name, title.share) for title in found)


def _area(home: Dwelling) -> Decimal | None:
    db.session.expire_all()
    return db.session.get_one(Dwelling, home.id).area_m2


def _reasons(batch) -> list[tuple[str, str]]:
    return [(why.get("field", ""), why["code"]) for row in staged(batch) for why in row.reasons]


def test_columns_are_guessed_whatever_an_office_calls_them(worker: Client, homes) -> None:
    headers = [
        "序号", "小区名称", "楼号", "单元号", "室号", "产权面积", "业主姓名", "业主身份证号", "业主电话", "共有份额",
        "过户日期",
    ]  # fmt: skip
    batch = _check(
        worker,
        ["1", "梧桐苑", "6", "1", "101室", "80平方米", "王秀英", number(1), "13800000001", "二分之一", "2020.5.6"],
        headers=headers,
    )
    assert {imports.Field(name).value: place for name, place in batch.columns.items()} == {
        "estate": 1, "building": 2, "unit": 3, "room": 4, "area_m2": 5, "owner": 6, "id_number": 7, "phone": 8,
        "share": 9, "owned_since": 10,
    }  # fmt: skip
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 0)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/new").text
    assert "份额：1/2" in page.replace(" ", "").replace("\n", "")
    assert number(1) not in page
    assert "13800000001" not in page


def test_co_owners_share_a_home_and_one_owner_has_several(worker: Client, homes, make: Make) -> None:
    person = make.person("王秀英", id_number=number(1))
    batch = _take_in(
        worker,
        _line("101", "王秀英", 证件号码=number(1), 份额="50%", 建筑面积="80"),
        _line("101", "李大海", 证件号码=number(2, man=True), 份额="50%", 取得日期="2019-03-01"),
        _line("102", "王秀英", 证件号码=number(1), 建筑面积="61.5"),
        _line("103", "李大海", 证件号码=number(2, man=True), 建筑面积="70", 联系电话="13800000002"),
    )
    assert (batch.counts["new"], batch.counts["refused"]) == (4, 0)
    assert _owned() == [
        ("101", "李大海", "50%"), ("101", "王秀英", "50%"), ("102", "王秀英", ""), ("103", "李大海", ""),
    ]  # fmt: skip
    assert count(Owner) == 2
    hers = db.session.scalars(sa.select(Owner).where(Owner.name == "王秀英")).one()
    his = db.session.scalars(sa.select(Owner).where(Owner.name == "李大海")).one()
    assert hers.person_id == person.id
    assert hers.id_number is None
    assert (his.person_id, his.id_number, his.id_index) == (
        None,
        number(2, man=True),
        blind("person.id_number", number(2, man=True)),
    )
    assert _area(homes["102"]) == Decimal("61.50")
    assert [title.dwelling.room for title in owners.owned_by(person, today())] == ["101", "102"]


def test_a_developers_unsold_homes_are_one_owners(worker: Client, homes, make: Make) -> None:
    _take_in(
        worker,
        _line("101", "春晖置业有限公司", 证件号码=CODE),
        _line("102", "春晖置业有限公司", 证件号码=CODE),
        _line("103", "春风房产公司"),
        _line("104", "春风房产公司"),
    )
    assert count(Owner) == 2
    assert db.session.scalars(sa.select(Owner.id_number).where(Owner.name == "春晖置业有限公司")).one() == CODE


def test_a_company_of_the_register_is_that_company(worker: Client, homes, make: Make) -> None:
    facts = {"community_id": make.community().id, "kind": OrganisationKind.OTHER}
    known = make.add(Organisation(name="春晖置业有限公司", uscc=CODE, **facts))
    _take_in(worker, _line("101", "春晖置业", 证件号码=CODE), _line("102", "春晖置业有限公司"))
    assert count(Owner) == 1
    assert db.session.scalars(sa.select(Owner.organisation_id)).one() == known.id


def test_one_company_by_code_and_by_name_on_one_home_is_one_owner(worker: Client, homes, make: Make) -> None:
    """The second row says the same once more: taken in, it could never be confirmed."""
    facts = {"community_id": make.community().id, "kind": OrganisationKind.OTHER}
    make.add(Organisation(name="春晖置业有限公司", uscc=CODE, **facts))
    batch = _check(worker, _line("101", "春晖置业", 证件号码=CODE), _line("101", "春晖置业有限公司"))
    assert _reasons(batch) == [("", "twice")]
    assert confirm(worker, batch).status_code == 303
    assert _owned() == [("101", "春晖置业", "")]


def test_two_numbers_of_one_person_whose_records_were_merged_are_one_owner(worker: Client, homes, make: Make) -> None:
    kept = make.person("王秀英", id_number=number(1))
    make.person("王秀英", id_number=number(2), merged_into_id=kept.id)
    batch = _check(worker, _line("101", "王秀英", 证件号码=number(1)), _line("101", "王秀英", 证件号码=number(2)))
    assert _reasons(batch) == [("", "twice")]
    assert confirm(worker, batch).status_code == 303
    assert len(_owned()) == 1


def test_one_name_of_the_register_is_completed_by_one_number_only(worker: Client, homes) -> None:
    """Father and son may be called the same: the second number does not overwrite the first."""
    _take_in(worker, _line("101", "王建国"))
    lines = _line("101", "王建国", 证件号码=number(1)), _line("101", "王建国", 证件号码=number(2))
    batch = _check(worker, *lines)
    assert _reasons(batch) == [("owner", "one_of_name")]
    assert "再导入一次" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/refused").text
    assert confirm(worker, batch).status_code == 303
    again = _take_in(worker, *lines)
    assert (again.counts["unchanged"], again.counts["new"], again.counts["refused"]) == (1, 1, 0)
    hers = sa.select(Owner.id_number).join(Title, Title.owner_id == Owner.id).order_by(Title.id)
    assert db.session.scalars(hers).all() == [number(1), number(2)]


def test_what_cannot_be_taken_is_refused_with_the_reason(worker: Client, homes) -> None:
    batch = _check(
        worker,
        _line("999", "王秀英", 证件号码=number(1)),
        _line("101", "", 证件号码=number(1)),
        _line("102", "李大海", 证件号码=number(1)[:-1] + ("0" if number(1)[-1] != "0" else "1")),
        _line("103", "春晖置业公司", 证件号码="91320500MA1XH0UY5A"),
        _line("103", "赵甲", 份额="3/2"),
        _line("103", "钱乙", 取得日期="2999-01-01"),
        _line("104", "孙丙", 建筑面积="70"),
        _line("104", "李丁", 建筑面积="71"),
        _line("104", "孙丙"),
        _line("", "周戊"),
    )
    assert _reasons(batch) == [
        ("room", "no_room"),
        ("owner", "no_owner"),
        ("id_number", "check_digit"),
        ("id_number", "uscc"),
        ("share", "share"),
        ("owned_since", "future"),
        ("area_m2", "two_areas"),
        ("", "twice"),
        ("room", "no_home"),
    ]
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/refused").text
    assert "登记库里没有这套房" in page
    assert "请先导入房屋" in page
    assert confirm(worker, batch).status_code == 303
    assert _owned() == [("104", "孙丙", "")]
    assert count(Dwelling) == 4


def test_a_missing_area_is_completed_and_another_is_shown_as_a_difference(worker: Client, homes) -> None:
    batch = _check(
        worker,
        _line("101", "王秀英", 证件号码=number(1), 建筑面积="81.20"),
        _line("102", "王秀英", 证件号码=number(1), 建筑面积="60"),
    )
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/new").text
    assert "80.00 → 81.20" in page
    assert "面积和登记库里的不一样" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/flagged").text
    confirm(worker, batch)
    assert (_area(homes["101"]), _area(homes["102"])) == (Decimal("81.20"), Decimal("60.00"))
    assert undo(worker, latest()).status_code == 303
    assert (_area(homes["101"]), _area(homes["102"])) == (Decimal("80.00"), None)


FILE = (
    _line("101", "王秀英", 证件号码=number(1), 份额="1/2", 建筑面积="80"),
    _line("101", "李大海", 证件号码=number(2, man=True), 份额="1/2"),
    _line("102", "赵无号", 联系电话="13800000003", 建筑面积="55", 取得日期="2018-01-02"),
    _line("103", "春风房产公司", 建筑面积="66"),
)


def test_the_same_file_twice_changes_nothing(worker: Client, homes) -> None:
    _take_in(worker, *FILE)
    before = _owned()
    again = _take_in(worker, *FILE)
    assert (again.counts["unchanged"], again.counts["new"], again.counts["changed"]) == (4, 0, 0)
    assert _owned() == before
    assert (count(Owner), count(Title)) == (4, 4)


def test_what_a_later_file_says_otherwise_is_shown_taken_over_and_goes_back(worker: Client, homes, make: Make) -> None:
    _take_in(worker, *FILE)
    batch = _check(
        worker,
        _line("101", "王秀英", 证件号码=number(1), 份额="2/3", 建筑面积="82"),
        _line("102", "赵无号", 证件号码=number(5), 联系电话="13900000009", 取得日期="2018-02-02"),
    )
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/changed").text
    for words in ("1/2 → 2/3", "80.00 → 82.00", "2018-01-02 → 2018-02-02", "138****0003 → 139****0009"):
        assert words in page
    assert number(5) not in page
    confirm(worker, batch)
    (zhao,) = [title.owner for title in owners.titles_of(make.read(homes["102"]))]
    assert (zhao.id_number, zhao.phone) == (number(5), "13900000009")
    assert _area(homes["101"]) == Decimal("82.00")
    assert undo(worker, latest()).status_code == 303
    (zhao,) = [title.owner for title in owners.titles_of(make.read(homes["102"]))]
    assert (zhao.id_number, zhao.phone) == (None, "13800000003")
    assert ("101", "王秀英", "1/2") in _owned()
    assert _area(homes["101"]) == Decimal("80.00")
    assert count(Owner) == 4


def test_an_import_is_undone_whole_but_for_who_was_ended_since(worker: Client, homes) -> None:
    batch = _take_in(worker, *FILE)
    title = db.session.scalars(sa.select(Title).order_by(Title.id)).first()
    assert title is not None
    number_of = title.id
    with transaction():
        owners.end(db.session.get_one(Title, number_of), until=today(), why="卖给别人")
    assert undo(worker, batch).status_code == 303
    assert "王秀英" in worker.get(f"{ADDRESS}/{batch.public_id}").text
    assert (count(Title), count(Owner)) == (1, 1)


def test_who_owned_a_home_before_is_named_beside_a_new_owner(worker: Client, homes, deliberating: Deliberating) -> None:
    with transaction():
        owners.add(homes["101"], OwnerFacts("老业主"), since=None, source="不动产登记", by=deliberating.committee())
    batch = _check(worker, _line("101", "新业主", 证件号码=number(7)))
    assert "还登记着别的业主" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/flagged").text


def test_somebody_who_was_edited_after_the_check_holds_the_batch(worker: Client, homes) -> None:
    _take_in(worker, *FILE)
    batch = _check(worker, _line("101", "王秀英", 证件号码=number(1), 份额="2/3"))
    with transaction():
        db.session.execute(sa.update(Title).values(share="3/4"))
    answer = confirm(worker, batch)
    assert answer.status_code == 422
    assert "请重新检查" in answer.text
    assert "2/3" not in {share for _room, _name, share in _owned()}


def test_two_thousand_rows_take_a_bounded_number_of_statements(worker: Client, make: Make) -> None:
    estate = make.add(Estate(community_id=make.community().id, name="梧桐苑"))
    building = make.add(Building(estate_id=estate.id, name="6号楼"))
    rooms = [f"{room:04d}" for room in range(2000)]
    with transaction() as session:
        session.add_all([Dwelling(building_id=building.id, unit="1单元", room=room) for room in rooms])
    lines = [
        _line(
            room, f"业主{place % 900}", 证件号码=number(place % 450, f"19{40 + place % 900 // 450}0505"), 建筑面积="60"
        )
        for place, room in enumerate(rooms)
    ]
    with count_queries() as checked:
        batch = _check(worker, *lines)
    assert batch.counts["new"] == 2000
    with count_queries() as confirmed:
        assert confirm(worker, batch).status_code == 303
    assert (count(Title), count(Owner)) == (2000, 900)
    with count_queries() as undone:
        assert undo(worker, latest()).status_code == 303
    assert (count(Title), count(Owner)) == (0, 0)
    assert len(checked) <= 80, len(checked)
    assert len(confirmed) <= 60, len(confirmed)
    assert len(undone) <= 80, len(undone)


def test_no_question_about_owners_grows_with_the_file(worker: Client, homes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database takes 65,535 values in one statement: owners are looked up a part of the file at a time."""
    rooms = sorted(homes)
    batch = _check(worker, *(_line(rooms[turn % 4], f"业主{turn}", 证件号码=number(turn)) for turn in range(40)))
    monkeypatch.setattr(deeds, "CHUNK", 4)
    with count_queries() as asked:
        assert confirm(worker, batch).status_code == 303
    about = [
        statement
        for statement in asked
        if "FROM dwelling_owner" in statement and "dwelling_owner.id_index IN" in statement
    ]
    assert len(about) == 10
    assert count(Owner) == 40


SHARES = {
    "1/2": "1/2", "0.5": "50%", "33.33%": "33.33%", "二分之一": "1/2", "共同共有": "共同共有", "1": "100%",
    "3/2": None, "0/2": None, "101%": None, "一半": None,
}  # fmt: skip


@pytest.mark.parametrize(("said", "read"), SHARES.items())
def test_a_share_is_part_of_a_whole(said: str, read: str | None) -> None:
    assert titles.share(said) == read


@pytest.mark.parametrize("kind", imports.KINDS)
def test_a_blank_sheet_reads_back_as_its_own_kind(worker: Client, kind: ImportKind) -> None:
    body = worker.get(f"{ADDRESS}/blank/{kind.value}")
    assert body.status_code == 200
    sheet = open_sheet(body.data, "空表.xlsx")
    guessed = columns.guess(sheet.rows[0], kind)
    assert set(guessed) == {field.value for field in blanks.columns_of(kind)}
    assert sorted(guessed.values()) == list(range(len(guessed)))


def test_the_hints_of_a_blank_sheet_are_no_owners(worker: Client, homes) -> None:
    sheet = open_sheet(worker.get(f"{ADDRESS}/blank/owners").data, "空表.xlsx")
    filled = dict(zip(HEADERS, _line("101", "王秀英", 建筑面积="80"), strict=True)) | {"身份证号": number(1)}
    line = [filled.get(columns.plain(header), filled.get(OTHERWISE.get(header, ""), "")) for header in sheet.rows[0]]
    batch = _check(worker, *[list(row) for row in sheet.rows[1:]], line, headers=list(sheet.rows[0]))
    assert [why for _number, why in batch.skipped] == ["hint"]
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 0)


OTHERWISE = {"面积": "建筑面积"}


def test_no_other_page_has_a_blank_sheet(worker: Client) -> None:
    assert worker.get(f"{ADDRESS}/blank/nothing").status_code == 404
