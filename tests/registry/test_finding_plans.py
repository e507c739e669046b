"""An address for sorting is found by keys alone, whatever the database believes about its tables."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.db import db
from portal.registry.models import Household, Person, PersonTag, TagKind, finding
from portal.registry.service import lists

HOMES = 400


def _homes(make, community):
    estate = make.add(Estate(community_id=community.id, name=f"春风里小区{make.number()}"))
    building = make.add(Building(estate_id=estate.id, name="6号楼"))
    dwellings = [Dwelling(building_id=building.id, unit="1单元", room=str(room)) for room in range(HOMES)]
    db.session.add_all(dwellings)
    db.session.flush()
    households = [
        Household(community_id=community.id, number=f"H{home.id:06d}", dwelling_id=home.id) for home in dwellings
    ]
    db.session.add_all(households)
    db.session.flush()
    return households


def _analysed_when_empty(make, community):
    """Pages of rows that are gone: the planner then takes the tables for empty, and keeps the plan it makes."""
    _homes(make, community)
    for model in (Household, Dwelling):
        db.session.execute(sa.delete(model))
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE household, dwelling, building, estate")


@pytest.fixture
def rows_read(make, database):
    """How many rows of homes a newcomer's door costs: asked of PostgreSQL's counters, or of SQLite's plan."""
    community = make.community()
    if database == "sqlite":
        door = finding._door_sqlite("1")
        plan = [row.detail for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN SELECT {door}"))]
        return HOMES if any(step.startswith("SCAN") and "CONSTANT" not in step for step in plan) else 1
    _analysed_when_empty(make, community)
    household = _homes(make, community)[-1]
    read = sa.text("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname = 'dwelling'")
    before = db.session.scalar(read)
    assert db.session.scalar(sa.select(sa.func.door_of(household.id))).startswith("春风里小区")
    return db.session.scalar(read) - before


def test_a_door_reads_one_home_and_not_all(rows_read):
    assert rows_read < 10


OTHERS, HERE = 3000, 600


@pytest.fixture
def tag_plan(make, database):
    """How the database would count a small community's people of a tag, beside thousands elsewhere who have it."""
    here, there = make.community(), make.community("桂花坊社区")
    people = [
        {"community_id": area.id, "name": "王秀英", "public_id": f"{area.id}-{number:06d}"}
        for area, many in ((here, HERE), (there, OTHERS))
        for number in range(many)
    ]
    first = make.person(community=here)
    template = {column.key: getattr(first, column.key) for column in sa.inspect(Person).columns if column.key != "id"}
    db.session.execute(sa.insert(Person), [{**template, "id_index": None, **row} for row in people])
    ids = db.session.scalars(sa.select(Person.id).where(Person.id != first.id))
    tags = [
        {"person_id": person, "kind": TagKind.LIVING_ALONE, "since": date(2020, 1, 1), "source": "test"}
        for person in ids
    ]
    db.session.execute(sa.insert(PersonTag), tags)
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    inside = lists.Inside(frozenset({here.id}), frozenset(), frozenset({here.id}))
    query = lists.everyone(lists.Wanted(tag=TagKind.LIVING_ALONE), inside)
    # SQLite says an OFFSET without a LIMIT with a bound -1.
    words = str(query.compile(db.engine, compile_kwargs={"literal_binds": True})).replace("?", "-1")
    explain = "EXPLAIN " if database == "postgresql" else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in db.session.execute(sa.text(explain + words)))


def test_people_of_a_tag_are_counted_without_reading_the_tags_of_everybody(tag_plan):
    assert "Hash Cond: (person.id = person_tag.person_id)" not in tag_plan
    assert "SCAN person_tag" not in tag_plan
