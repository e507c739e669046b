"""What finding people stands on: the words of their names, and the database's own rules that keep them true.

Triggers and not the services keep `person_word` and `Person.door`: an import stores fifty thousand people in one
statement, and whatever writes a name, a household or an address stays findable. `finding_statements()` is the DDL for
a migration. A later revision that rebuilds one of TRIGGERED on SQLite must execute it again.
"""

# ruff: noqa: S608 the DDL is put together from this file's own constants

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base

# Text compared sign by sign on both databases, so that a beginning is a range of an index.
PLAIN_160 = sa.String(160).with_variant(sa.String(160, collation="C"), "postgresql")
PLAIN_240 = sa.String(240).with_variant(sa.String(240, collation="C"), "postgresql")
TRIGGERED = ("person", "household", "dwelling", "building", "estate")
LONGEST_NAME = 60


class PersonWord(Base):
    """Where somebody's name may be entered: each end of the name (王秀英, 秀英, 英), the initials, the pinyin in one.

    A part of a name is the beginning of one of its ends, so that any part is one range of the key in a community,
    however many people the whole register holds. Kept by triggers; no service writes it.
    """

    __tablename__ = "person_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    community_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(PLAIN_160, primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def finding_statements(dialect: str) -> list[str]:
    """The DDL that keeps words and doors, and what fills them for the people who stand already."""
    return _sqlite() if dialect == "sqlite" else _postgresql()


def forgetting_statements(dialect: str) -> list[str]:
    """The way back, before the tables themselves change."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}_{table}" for name, table in TRIGGERS]
    drops = [f"DROP TRIGGER {name}_{table} ON {table}" for name, table in TRIGGERS]
    return [*drops, *(f"DROP FUNCTION {name}" for name in FUNCTIONS)]


TRIGGERS = (
    ("words_added", "person"),
    ("words_changed", "person"),
    ("words_gone", "person"),
    ("door_added", "person"),
    ("door_changed", "person"),
    ("door_changed", "household"),
    ("door_changed", "dwelling"),
    ("door_changed", "building"),
    ("door_changed", "estate"),
)
NAMED = ("name", "initials", "pinyin", "community_id")
# What of an address is moved by a change of one of its tables: the columns, and the households it concerns.
HOMES = "SELECT h.id FROM household h JOIN dwelling d ON d.id = h.dwelling_id"
CONCERNED = {
    "household": (("dwelling_id",), "SELECT NEW.id"),
    "dwelling": (("building_id", "unit", "room"), "SELECT id FROM household WHERE dwelling_id = NEW.id"),
    "building": (("estate_id", "name"), f"{HOMES} WHERE d.building_id = NEW.id"),
    "estate": (("name",), f"{HOMES} JOIN building b ON b.id = d.building_id WHERE b.estate_id = NEW.id"),
}
ADDRESS = "household h JOIN dwelling d ON d.id = h.dwelling_id JOIN building b ON b.id = d.building_id JOIN estate e"
INTO_WORDS = "INTO person_word (community_id, word, person_id)"

# SQLite. A trigger there has no recursion: the places of a name are written out.
PLACES = ", ".join(f"({place})" for place in range(1, LONGEST_NAME + 1))


def _sqlite() -> list[str]:
    words, add = _words_sqlite("OLD"), f"INSERT OR IGNORE {INTO_WORDS} {_words_sqlite('NEW', whole=True)};"
    drop = (
        f"DELETE FROM person_word WHERE community_id = OLD.community_id AND person_id = OLD.id AND word IN ({words});"
    )
    door = f"UPDATE person SET door = {_door_sqlite('NEW.household_id')} WHERE id = NEW.id;"
    home = ("household_id",)
    return [
        f"CREATE TRIGGER words_added_person AFTER INSERT ON person BEGIN {add} END",
        f"CREATE TRIGGER words_changed_person {_when_sqlite('person', NAMED)} BEGIN {drop} {add} END",
        f"CREATE TRIGGER words_gone_person AFTER DELETE ON person BEGIN {drop} END",
        f"CREATE TRIGGER door_added_person AFTER INSERT ON person WHEN NEW.household_id IS NOT NULL BEGIN {door} END",
        f"CREATE TRIGGER door_changed_person {_when_sqlite('person', home)} BEGIN {door} END",
        *(
            f"CREATE TRIGGER door_changed_{table} {_when_sqlite(table, columns)} BEGIN "
            f"UPDATE person SET door = {_door_sqlite('person.household_id')} WHERE household_id IN ({homes}); END"
            for table, (columns, homes) in CONCERNED.items()
        ),
        f"INSERT OR IGNORE {INTO_WORDS} {_words_sqlite('person', whole=True, table='FROM person')}",
        f"UPDATE person SET door = {_door_sqlite('person.household_id')} WHERE household_id IS NOT NULL",
    ]


def _when_sqlite(table: str, columns: Sequence[str]) -> str:
    differs = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
    return f"AFTER UPDATE OF {', '.join(columns)} ON {table} WHEN {differs}"


def _words_sqlite(row: str, *, whole: bool = False, table: str = "") -> str:
    """The words of a row's name; `whole` gives rows of person_word, `table` those of everybody in it."""
    before, after = (f"{row}.community_id, ", f", {row}.id") if whole else ("", "")
    places = f"{table}, (VALUES {PLACES})" if table else f"FROM (VALUES {PLACES})"
    return (
        f"SELECT {before}lower(substr({row}.name, column1)){after} {places} WHERE column1 <= length({row}.name) "
        f"UNION ALL SELECT {before}{row}.initials{after} {table} WHERE {row}.initials <> '' "
        f"UNION ALL SELECT {before}replace({row}.pinyin, ' ', ''){after} {table} WHERE {row}.pinyin <> ''"
    )


def _door_sqlite(household: str) -> str:
    key = " || ' ' || ".join(("e.name", *(_padded_sqlite(column) for column in ("b.name", "d.unit", "d.room"))))
    return f"coalesce((SELECT {key} FROM {ADDRESS} ON e.id = b.estate_id WHERE h.id = {household}), '')"


def _padded_sqlite(column: str) -> str:
    """A name that begins with a number sorts by it: 2号楼 before 10号楼."""
    number = f"printf('%09d', CAST({column} AS INTEGER))"
    return f"CASE WHEN {column} GLOB '[0-9]*' THEN {number} ELSE '' END || {column}"


# PostgreSQL: whole statements at once where rows come in by thousands.
FUNCTIONS = (
    "words_of_person_added()",
    "words_of_person_changed()",
    "words_of_person_gone()",
    "door_of_person_set()",
    *(f"door_of_{table}_changed()" for table in CONCERNED),
    "door_of(integer)",
)


def _postgresql() -> list[str]:
    add = f"INSERT {INTO_WORDS} {{words}} ON CONFLICT DO NOTHING;"
    drop = (
        "DELETE FROM person_word p USING ({words}) w (community_id, word, person_id) "
        "WHERE p.community_id = w.community_id AND p.word = w.word AND p.person_id = w.person_id;"
    )
    came = "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"
    left = "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
    housed = "FOR EACH ROW WHEN (NEW.household_id IS NOT NULL)"
    moved = _when_postgresql("person", ("household_id",), "door_of_person_set")
    fresh, gone = add.format(words=_words_postgresql("fresh")), drop.format(words=_words_postgresql("gone"))
    before = drop.format(words=_words_postgresql("(SELECT OLD.*) p"))
    after = add.format(words=_words_postgresql("(SELECT NEW.*) p"))
    return [
        f"CREATE FUNCTION door_of(integer) RETURNS text LANGUAGE sql STABLE {KEYS_ONLY} AS $$ {_door_postgresql()} $$",
        _function("words_of_person_added", f"{fresh} RETURN NULL;"),
        _function("words_of_person_changed", f"{before} {after} RETURN NULL;"),
        _function("words_of_person_gone", f"{gone} RETURN NULL;"),
        _function("door_of_person_set", "NEW.door := door_of(NEW.household_id); RETURN NEW;"),
        *(
            _function(
                f"door_of_{table}_changed",
                f"UPDATE person SET door = door_of(household_id) WHERE household_id IN ({homes}); RETURN NULL;",
            )
            for table, (_columns, homes) in CONCERNED.items()
        ),
        f"CREATE TRIGGER words_added_person AFTER INSERT ON person {came} EXECUTE FUNCTION words_of_person_added()",
        f"CREATE TRIGGER words_changed_person AFTER {_when_postgresql('person', NAMED, 'words_of_person_changed')}",
        f"CREATE TRIGGER words_gone_person AFTER DELETE ON person {left} EXECUTE FUNCTION words_of_person_gone()",
        f"CREATE TRIGGER door_added_person BEFORE INSERT ON person {housed} EXECUTE FUNCTION door_of_person_set()",
        f"CREATE TRIGGER door_changed_person BEFORE {moved}",
        *(
            f"CREATE TRIGGER door_changed_{table} AFTER {_when_postgresql(table, columns, f'door_of_{table}_changed')}"
            for table, (columns, _homes) in CONCERNED.items()
        ),
        add.format(words=_words_postgresql("person")),
        "UPDATE person SET door = door_of(household_id) WHERE household_id IS NOT NULL",
    ]


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _when_postgresql(table: str, columns: Sequence[str], function: str) -> str:
    differs = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
    listed = ", ".join(columns)
    return f"UPDATE OF {listed} ON {table} FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION {function}()"


def _words_postgresql(source: str) -> str:
    return (
        f"SELECT community_id, lower(substr(name, place)), id FROM {source}, generate_series(1, length(name)) place "
        f"UNION ALL SELECT community_id, initials, id FROM {source} WHERE initials <> '' "
        f"UNION ALL SELECT community_id, replace(pinyin, ' ', ''), id FROM {source} WHERE pinyin <> ''"
    )


# From key to key, in this order: a plan made while the tables looked empty would read every dwelling for a person.
KEYS_ONLY = "SET enable_seqscan = off"
STEPS = (("dwelling", "d", "h.dwelling_id"), ("building", "b", "d.building_id"), ("estate", "e", "b.estate_id"))


def _door_postgresql() -> str:
    key = " || ' ' || ".join(("e.name", *(_padded_postgresql(column) for column in ("b.name", "d.unit", "d.room"))))
    steps = " ".join(
        f"CROSS JOIN LATERAL (SELECT * FROM {table} WHERE id = {number} OFFSET 0) {alias}"
        for table, alias, number in STEPS
    )
    return f"SELECT coalesce((SELECT {key} FROM household h {steps} WHERE h.id = $1), '')"


def _padded_postgresql(column: str) -> str:
    return f"coalesce(lpad(substring({column} from '^[0-9]{{1,9}}'), 9, '0'), '') || {column}"
