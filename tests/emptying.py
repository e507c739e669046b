"""An empty PostgreSQL database for each test: few of its two hundred tables hold anything after one."""

import re
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.core.db import Base, db
from tests.shelf import Shelf

INSERTED = re.compile(r'\bINSERT INTO "?(\w+)', re.IGNORECASE)
# Rows deleted are still walked past until they are swept away, which would count the table too: see UNCOUNTED.
TURNS = 150
OWNED = """
SELECT owner.relname, sequence.oid::regclass::text FROM pg_class sequence
JOIN pg_depend link ON link.objid = sequence.oid AND link.deptype IN ('a', 'i')
JOIN pg_class owner ON owner.oid = link.refobjid
WHERE sequence.relkind = 'S' ORDER BY 2
"""
TRIGGERS = """
SELECT watched.relname, act.prosrc FROM pg_trigger
JOIN pg_class watched ON watched.oid = pg_trigger.tgrelid JOIN pg_proc act ON act.oid = pg_trigger.tgfoid
WHERE NOT pg_trigger.tgisinternal
"""
# Each test ends with its tables emptied. Counted at that moment they would be planned for as empty ever after, and a
# register of three thousand read once for each of its people.
UNCOUNTED = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
    END LOOP;
END $$
"""


class Emptier:
    """Knows into which tables this process has inserted, by whatever engine, since the database was last empty."""

    def __init__(self, app: Flask, shelf: Shelf) -> None:
        self.app, self.shelf = app, shelf
        self.tables = {table.name for table in Base.metadata.sorted_tables}
        self.written: set[str] = set()
        self.turn = 0
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql(UNCOUNTED.replace("%", "%%"))
            self.sequences = [(table, name) for table, name in connection.execute(sa.text(OWNED))]
            # What a trigger writes, nobody here sees being written.
            self.followed = [(table, INSERTED.findall(act)) for table, act in connection.execute(sa.text(TRIGGERS))]
        sa.event.listen(sa.Engine, "before_cursor_execute", self._note)

    def _note(self, *event: Any) -> None:
        if "INSERT" in event[2]:
            self.written.update(INSERTED.findall(event[2]))

    def empty(self) -> None:
        """Put an empty database in place of another one, and now and then of this; else delete what was written."""
        if self.shelf.stands != "empty" or self.turn % TURNS == 0:
            self.shelf.put("empty", lambda _app: None)
        elif self._all_written():
            self._delete()
        self.turn += 1
        self.written.clear()

    def _all_written(self) -> set[str]:
        for table, others in self.followed:
            self.written.update(others if table in self.written else ())
        return self.written

    def _delete(self) -> None:
        names = sorted(self.written & self.tables)
        acts = [f'DELETE FROM "{name}";' for name in names]
        acts += [f"PERFORM setval('{name}', 1, false);" for table, name in self.sequences if table in self.written]
        with self.app.app_context(), db.engine.begin() as connection:
            # No trigger and no foreign key looks on; only a superuser of a test cluster may say so.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(f"DO $$ BEGIN {' '.join(acts)} END $$")

    def forgotten(self) -> list[str]:
        """The tables that hold rows though nobody was seen to insert any."""
        names = sorted(self.tables - self._all_written())
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
        with self.app.app_context(), db.engine.connect() as connection:
            return list(connection.scalars(sa.text(asked)))

    def end(self) -> None:
        sa.event.remove(sa.Engine, "before_cursor_execute", self._note)
