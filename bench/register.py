"""A register of any size, made fast: communities of 5,000 people of a region that does not exist, always the same ones.

Rows go past the triggers and the indexes, which are put back before anything is measured. What is sealed holds random
bytes, but for the telephones, which a list must be able to open.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropIndex

from portal.core import search
from portal.core.clock import now
from portal.core.db import Base, db
from portal.core.ids import check_digit
from portal.core.sealing import blind, keys
from portal.registry.models import Person
from portal.registry.models.finding import finding_statements, forgetting_statements

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹单仇曾解"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉力建国玉梅红志华"
A_COMMUNITY, A_GRID, A_HOUSEHOLD, A_STREET = 5_000, 1_000, 3, 10
TAGS = ("living_alone", "empty_nest", "low_income", "disabled_elder")
COLUMNS = (
    "id", "public_id", "community_id", "grid_id", "household_id", "door", "relation", "name", "initials", "pinyin",
    "sex", "birth_date", "id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registration",
    "registration_code", "state", "flags", "created_at", "updated_at",
)  # fmt: skip
TABLES = {
    "area": ("id", "kind", "code", "name", "parent_id"),
    "estate": ("id", "community_id", "name"),
    "building": ("id", "estate_id", "name"),
    "dwelling": ("id", "building_id", "unit", "room"),
    "household": ("id", "community_id", "number", "dwelling_id"),
    "person": COLUMNS,
    "person_tag": ("person_id", "kind", "since", "source"),
}
Row = Sequence[Any]


@dataclass(frozen=True)
class Known:
    """Somebody to look for: what she is found by, and where."""

    name: str
    community: str
    grid: str
    street: str
    number: str
    phone: str
    door: str


def _homes(people: int) -> Iterator[tuple[str, Row]]:
    """Streets, communities, grids, estates, buildings, dwellings and households, by table."""
    grids = -(-A_COMMUNITY // A_GRID)
    first = (people - 1) // A_COMMUNITY + 1
    streets = (first - 1) // A_STREET + 1
    for street in range(streets):
        yield "area", (1_000_000 + street, "street", f"999901{street:03d}", f"第{street}街道", None)
    dwelling = 0
    for place in range(first):
        code = f"999901{place // A_STREET:03d}{place:03d}"
        yield "area", (place + 1, "community", code, f"第{place}社区", 1_000_000 + place // A_STREET)
        for grid in range(grids):
            yield "area", (_grid(place, grid), "grid", f"{code}{grid:03d}", f"第{grid + 1}网格", place + 1)
        for estate in range(2):
            yield "estate", (place * 2 + estate + 1, place + 1, ("梧桐苑", "桂花苑")[estate])
            for building in range(14):
                number = (place * 2 + estate) * 14 + building + 1
                yield "building", (number, place * 2 + estate + 1, f"{building + 1}号楼")
                for home in range(60):
                    dwelling += 1
                    unit, room = f"{home // 20 + 1}单元", f"{home % 20 // 2 + 1}0{home % 2 + 1}"
                    yield "dwelling", (dwelling, number, unit, room)
                    yield "household", (dwelling, place + 1, f"H{dwelling:07d}", dwelling)


def _grid(place: int, grid: int) -> int:
    return 2_000_000 + place * 10 + grid


def _door(place: int, order: int) -> tuple[int, str, str]:
    """The household of a community's n-th person, its key for sorting, and its door as it is said."""
    home = order // A_HOUSEHOLD
    estate, building, inner = home // 840, home // 60 % 14, home % 60
    unit, room = inner // 20 + 1, f"{inner % 20 // 2 + 1}0{inner % 2 + 1}"
    numbers = f"{building + 1:09d}{building + 1}号楼 {unit:09d}{unit}单元 {int(room):09d}{room}"
    key = f"{('梧桐苑', '桂花苑')[estate]} {numbers}"
    return place * 1680 + home + 1, key, f"{building + 1}号楼{unit}单元{room}"


class Register:
    """The people, one by one and always alike."""

    def __init__(self, people: int) -> None:
        self.people = people
        self.chance = random.Random(20261122)
        self.tails = [bytes(blind("person.phone_tail", f"{tail:04d}")) for tail in range(10_000)]
        self.sealed = keys().seal("13800005678", "person|phone")
        self.sounds = {sign: search.pinyin("安" + sign).split()[1] for sign in GIVEN}
        self.surnames = {sign: search.pinyin(sign) for sign in SURNAMES}
        self.known: list[Known] = []
        self.every = max(1, people // 200)

    def rows(self, as_time: Callable[[Any], Any]) -> Iterator[Row]:
        moment = as_time(now())
        for number in range(self.people):
            yield self._row(number, moment, as_time)

    def _row(self, number: int, moment: Any, as_time: Callable[[Any], Any]) -> Row:
        chance, (place, order) = self.chance, divmod(number, A_COMMUNITY)
        surname, given = chance.choice(SURNAMES), chance.choices(GIVEN, k=chance.choice((1, 2, 2)))
        syllables = [self.surnames[surname], *(self.sounds[sign] for sign in given)]
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(33_000))
        tail, (household, key, door) = chance.randrange(10_000), _door(place, order)
        id_index, phone_index = os.urandom(17), os.urandom(17)
        name = surname + "".join(given)
        if number % self.every == 0:
            known = self._known(name, place, order, born, f"1380{number:07d}"[:7] + f"{tail:04d}", door)
            id_index, phone_index = blind("person.id_number", known.number), blind("person.phone", known.phone)
        return (
            number + 1, f"p{number:025d}", place + 1, _grid(place, order // A_GRID), household, key,
            ("head", "spouse", "son")[order % 3], name, "".join(one[0] for one in syllables), " ".join(syllables),
            ("female", "male")[number % 2], as_time(born), os.urandom(47), bytes(id_index), self.sealed,
            bytes(phone_index), self.tails[tail], ("local", "local", "outside")[number % 3], "", "present", "[]",
            moment, moment,
        )  # fmt: skip

    def _known(self, name: str, place: int, order: int, born: date, phone: str, door: str) -> Known:
        street = f"999901{place // A_STREET:03d}"
        code = f"{street}{place:03d}"
        first = f"999901{born:%Y%m%d}{len(self.known):03d}"
        known = Known(name, code, f"{code}{order // A_GRID:03d}", street, first + check_digit(first), phone, door)
        self.known.append(known)
        return known

    def tags(self, as_time: Callable[[Any], Any]) -> Iterator[Row]:
        for number in range(0, self.people, 14):
            yield number + 1, TAGS[number % 4], as_time(date(2020, 1, 1)), "bench"


def make(people: int) -> list[Known]:
    """Fill the empty database of the running application; returns the people to look for."""
    register = Register(people)
    engine = sa.create_engine(db.engine.url, connect_args=_unbounded(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        dialect = connection.dialect.name
        for statement in forgetting_statements(dialect):
            connection.exec_driver_sql(statement)
        indexes = sorted(Base.metadata.tables["person"].indexes, key=lambda index: str(index.name))
        for index in indexes:
            connection.execute(DropIndex(index))
        load = _load_sqlite if dialect == "sqlite" else _load_postgresql
        load(connection.connection.dbapi_connection, register)
        for index in indexes:
            connection.execute(CreateIndex(index))
        for statement in finding_statements(dialect):
            # The doors were written with the rows.
            if not statement.startswith("UPDATE"):
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql("ANALYZE" if dialect == "sqlite" else "VACUUM ANALYZE")
    engine.dispose()
    return register.known


def _unbounded() -> dict[str, Any]:
    return {} if db.engine.dialect.name == "sqlite" else {"options": "-c maintenance_work_mem=256MB -c work_mem=64MB"}


def _by_table(people: int) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {name: [] for name in TABLES}
    for table, row in _homes(people):
        found[table].append(row)
    return found


def _load_sqlite(connection: Any, register: Register) -> None:
    raw: sqlite3.Connection = connection
    for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY", "foreign_keys=OFF"):
        raw.execute(f"PRAGMA {pragma}")

    def put(table: str, rows: Iterable[Row]) -> None:
        places = ", ".join("?" * len(TABLES[table]))
        raw.execute("BEGIN")
        raw.executemany(f"INSERT INTO {table} ({', '.join(TABLES[table])}) VALUES ({places})", rows)
        raw.execute("COMMIT")

    for table, rows in _by_table(register.people).items():
        put(table, rows)
    put(
        "person",
        register.rows(lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}" if hasattr(moment, "hour") else f"{moment}"),
    )
    put("person_tag", register.tags(str))


def _load_postgresql(connection: Any, register: Register) -> None:
    def put(table: str, rows: Iterable[Row]) -> None:
        with connection.cursor().copy(f"COPY {table} ({', '.join(TABLES[table])}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    for table, rows in _by_table(register.people).items():
        put(table, rows)
    put("person", register.rows(lambda moment: moment))
    put("person_tag", register.tags(lambda moment: moment))


assert set(COLUMNS) <= set(Person.__table__.columns.keys())
