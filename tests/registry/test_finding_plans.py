"""An address for sorting is found by keys alone, whatever the database believes about its tables."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.db import db
from portal.registry.models import Household, finding

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
