"""Look-ups and list pages of the register, through the service against the best hand-written SQL on the same data.

python -m bench.registry: 10,000 people and 1,000,000, on SQLite and on PostgreSQL. A ratio is of medians over the same
questions; beside it, how much slower the service is with a hundred times the people.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.measuring import machine
from bench.register import Known, make
from portal.core import search
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.sealing import blind
from portal.registry.models import TagKind
from portal.registry.service import finding, lists
from portal.registry.service.lists import Sort, Wanted
from tests.sites import ROOT, site

SIZES = (10_000, 1_000_000)
RATIO, SLACK_MS, GROWTH = 2.0, 1.0, 1.5
LIMIT = 51
ROUNDS = 5
LINE = (
    "p.id, p.public_id, p.name, p.sex, p.birth_date, p.state, p.phone, g.name, e.name, b.name, d.unit, d.room "
    "FROM {source} LEFT JOIN area g ON g.id = p.grid_id LEFT JOIN household h ON h.id = p.household_id "
    "LEFT JOIN dwelling d ON d.id = h.dwelling_id LEFT JOIN building b ON b.id = d.building_id "
    "LEFT JOIN estate e ON e.id = b.estate_id"
)
TAGS = "SELECT person_id, kind FROM person_tag WHERE person_id IN ({ids}) AND since <= :day"
# What a list page asks beside its rows: where its reader may look, and the areas and estates to choose from.
CHOICES = (
    "SELECT id, kind, parent_id, code FROM area WHERE code = :k",
    "SELECT id, kind, code, name, settlement, parent_id FROM area WHERE id = :c OR parent_id = :c ORDER BY code",
    "SELECT id, community_id, name FROM estate WHERE community_id = :c ORDER BY name, id",
)
COUNT = "SELECT count(*) FROM (SELECT 1 FROM person p WHERE p.merged_into_id IS NULL AND {where} LIMIT 1001) c"
BY_HAND = {
    "number": "SELECT " + LINE.format(source="person p") + " WHERE p.id_index = :index AND p.community_id = :c",
    "tail": "SELECT " + LINE.format(source="person p")
    + " WHERE p.phone_tail_index = :index AND p.community_id = :c ORDER BY p.pinyin, p.id LIMIT 51",
    "word": "SELECT " + LINE.format(source="person_word w JOIN person p ON p.id = w.person_id")
    + " WHERE w.community_id = :c AND w.word >= :w AND w.word < :x ORDER BY p.pinyin, p.id LIMIT 51",
    "door": "SELECT p.id, p.public_id, p.name, p.sex, p.birth_date, p.state, p.phone, g.name, e.name, b.name, d.unit, "
    "d.room FROM estate e JOIN building b ON b.estate_id = e.id JOIN dwelling d ON d.building_id = b.id "
    "JOIN household h ON h.dwelling_id = d.id JOIN person p ON p.household_id = h.id "
    "LEFT JOIN area g ON g.id = p.grid_id WHERE e.community_id = :c AND b.name = :b AND d.unit = :u AND d.room = :r "
    "ORDER BY p.pinyin, p.id LIMIT 51",
}  # fmt: skip


def _page(where: str, order: str) -> str:
    inner = f"(SELECT * FROM person p WHERE p.merged_into_id IS NULL AND {where} ORDER BY {order} LIMIT 51) p"
    return "SELECT " + LINE.format(source=inner) + f" ORDER BY {order}"


Ask = Callable[[Known], Any]


def _raw(connection: sa.Connection, query: str, facts: dict[str, Any]) -> list[Any]:
    """One question by hand, its tags, both with literal SQL and bare rows."""
    rows = list(connection.exec_driver_sql(*_driver(connection, query, facts)))
    if rows:
        ids = ", ".join(str(row[0]) for row in rows)
        list(connection.exec_driver_sql(*_driver(connection, TAGS.format(ids=ids), {"day": f"{today()}"})))
    return rows


def _driver(connection: sa.Connection, query: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if connection.dialect.name == "sqlite":
        return query, facts
    for name in sorted(facts, key=len, reverse=True):
        query = query.replace(f":{name}", f"%({name})s")
    return query, facts


class Questions:
    """Each kind of question, through the service and by hand, about the same person."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        areas = connection.exec_driver_sql("SELECT code, id FROM area")
        self.ids = {row[0]: row[1] for row in areas}

    def hand(self, query: str, **facts: Any) -> list[Any]:
        return _raw(self.connection, query, facts)

    def words(self, q: Callable[[Known], str], kind: str, **facts: Callable[[Known], Any]) -> tuple[Ask, Ask]:
        def service(who: Known) -> Any:
            return finding.found_lines(q(who), (Scope("community", who.community),), LIMIT)

        def hand(who: Known) -> Any:
            said = {name: fact(who) for name, fact in facts.items()}
            if kind == "word":
                said = {"w": said["w"], "x": said["w"] + finding.LAST_SIGN}
            return self.hand(BY_HAND[kind], c=self.ids[who.community], **said)

        return service, hand

    def page(self, asked: Wanted, where: str, order: str, after: str = "") -> tuple[Ask, Ask]:
        def service(who: Known) -> Any:
            scopes = (Scope("community", who.community),)
            return lists.page_of(asked, lists.ground(asked, scopes), after=after and self._middle(who)).lines

        def hand(who: Known) -> Any:
            facts: dict[str, Any] = {"c": self.ids[who.community]}
            for query in CHOICES:
                named = {"k": who.community} if ":k" in query else facts
                list(self.connection.exec_driver_sql(*_driver(self.connection, query, named)))
            clause, more = where, ""
            if after:
                row = self.hand_row(f"SELECT {after}, p.id FROM person p WHERE p.public_id = :m", m=self._middle(who))
                more, facts = f" AND ({after}, p.id) > (:k, :i)", {**facts, "k": row[0], "i": row[1]}
            found = self.hand(_page(clause + more, order), **facts)
            self.hand_row(COUNT.format(where=clause), c=facts["c"])
            return found

        return service, hand

    def hand_row(self, query: str, **facts: Any) -> Any:
        return self.connection.exec_driver_sql(*_driver(self.connection, query, facts)).first()

    def _middle(self, who: Known) -> str:
        """Somebody in the middle of the community."""
        return f"p{(self.ids[who.community] - 1) * 5000 + 2500:025d}"

    def all(self) -> dict[str, tuple[Ask, Ask]]:
        number, tail = (
            (lambda who: blind("person.id_number", who.number)),
            (lambda who: blind("person.phone_tail", who.phone[-4:])),
        )
        mine = "p.community_id = :c AND p.state = 'present'"
        alone = " AND EXISTS (SELECT 1 FROM person_tag t WHERE t.person_id = p.id AND t.kind = 'living_alone')"
        old = f" AND p.birth_date <= '{today().year - 80}-{today():%m-%d}'"
        return {
            "ID number": self.words(lambda who: who.number, "number", index=number),
            "last four of a phone": self.words(lambda who: who.phone[-4:], "tail", index=tail),
            "whole name": self.words(lambda who: who.name, "word", w=lambda who: who.name),
            "two signs inside a name": self.words(lambda who: who.name[-2:], "word", w=lambda who: who.name[-2:]),
            "one sign": self.words(lambda who: who.name[0], "word", w=lambda who: who.name[0]),
            "initials": self.words(_initials, "word", w=_initials),
            "building-unit-room": self.words(lambda who: who.door, "door", b=_part(0), u=_part(1), r=_part(2)),
            "list by name": self.page(Wanted(), mine, "p.pinyin, p.id"),
            "list by name, a later page": self.page(Wanted(), mine, "p.pinyin, p.id", after="p.pinyin"),
            "list by age": self.page(Wanted(sort=Sort.OLDEST), mine, "p.birth_date, p.id"),
            "list by address": self.page(Wanted(sort=Sort.DOOR), mine, "p.door, p.id"),
            "list of a tag": self.page(Wanted(tag=TagKind.LIVING_ALONE), mine + alone, "p.pinyin, p.id"),
            "list of the over-80s": self.page(Wanted(age_from=80), mine + old, "p.pinyin, p.id"),
        }


def _initials(who: Known) -> str:
    return search.initials(who.name)


def _part(place: int) -> Callable[[Known], str]:
    def part(who: Known) -> str:
        building, rest = who.door.split("号楼")
        unit, room = rest.split("单元")
        return (building + "号楼", unit + "单元", room)[place]

    return part


def _times(service: Ask, hand: Ask, people: Sequence[Known]) -> tuple[float, float]:
    """Medians in ms over these people, asked both ways turn about; each counts with the quietest of her rounds, because
    what else the machine does is no part of the answer.
    """
    ours, theirs = ([[] for _person in people] for _way in range(2))
    for _round in range(ROUNDS):
        for place, who in enumerate(people):
            for ask, taken in ((service, ours), (hand, theirs)):
                begun = time.perf_counter()
                ask(who)
                taken[place].append((time.perf_counter() - begun) * 1000)
    return statistics.median(map(min, ours)), statistics.median(map(min, theirs))


def measure(people: int) -> dict[str, Any]:
    """Make the register in this process's database, and ask: by hand and through the service, turn about."""
    begun = time.perf_counter()
    known = make(people)
    made = time.perf_counter() - begun
    found: dict[str, Any] = {}
    with db.engine.connect() as connection:
        for name, (service, hand) in Questions(connection).all().items():
            ours, theirs = service(known[1]), hand(known[1])
            if len(ours) != min(len(theirs), LIMIT - 1 if "list" in name else LIMIT):
                raise RuntimeError(f"{name}: {len(ours)} through the service, {len(theirs)} by hand")
            found[name] = [*_times(service, hand, known[:100]), len(ours)]
    return {"made": made, "known": asdict(known[0]), "found": found}


def _run(database: str, people: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder, site(database, Path(folder) / "site") as made:
        made.migrated()
        command = [sys.executable, "-m", "bench.registry", "--measure", str(people)]
        env = made.env | {"PYTHONPATH": str(ROOT)}
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
        return json.loads(answer.stdout.splitlines()[-1])


def _report(database: str, small: dict[str, Any], large: dict[str, Any]) -> bool:
    print(f"{database}: {SIZES[1]} people made in {large['made']:.0f} s")
    print(f"{'':28}{'rows':>5}{'service':>9}{'by hand':>9}{'ratio':>7}{'growth':>8}")
    met = True
    for name, (ours, theirs, rows) in large["found"].items():
        before = small["found"][name][0]
        # What a tenth of a millisecond more or less would decide is no growth.
        fits = ours <= RATIO * theirs + SLACK_MS and ours <= GROWTH * before + 0.1
        met = met and fits
        figures = f"{ours:8.2f} {theirs:8.2f} {ours / theirs:6.2f} {ours / before:7.2f}"
        print(f"{name:28}{rows:>5} {figures}  {'target' if fits else 'BELOW'}")
    return met


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        from portal.app import create_app  # noqa: PLC0415 only the measuring process needs one

        with create_app().app_context():
            print(json.dumps(measure(int(sys.argv[2]))))
        return 0
    print(machine(), "  times in ms, medians of 100 questions")
    met = True
    for database in ("sqlite", "postgresql"):
        small, large = (_run(database, people) for people in SIZES)
        met = _report(database, small, large) and met
    print(
        f"target: within {RATIO} x + {SLACK_MS} ms of the SQL by hand, growth within {GROWTH}:",
        "met" if met else "missed",
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
