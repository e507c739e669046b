"""Databases in a known state: built once, then put back in place of the one that a test has used."""

import shutil
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from portal.core.db import db


class Shelf:
    """Copies of the application's database, by name; a copy is made the first time its name is asked for."""

    def __init__(self, app: Flask, url: str, folder: Path) -> None:
        self.app, self.url, self.folder = app, sa.make_url(url), folder
        self.kept: set[str] = set()
        # The name of the one that the database was last made to be.
        self.stands = ""

    def put(self, name: str, build: Callable[[Flask], object]) -> None:
        """Put back the database of that name; the first time, build it from the one that stands, and keep a copy."""
        self.stands = name
        if name in self.kept:
            self._replace(name)
            return
        build(self.app)
        self._copy(name)
        self.kept.add(name)

    def clear(self) -> None:
        """What a server holds of these goes with the tests; a file goes with its folder."""
        if self.url.get_backend_name() == "postgresql":
            for name in self.kept:
                self._ask(f'DROP DATABASE IF EXISTS "{self.url.database}_{name}" WITH (FORCE)')

    def _release(self) -> None:
        with self.app.app_context():
            db.session.rollback()
            db.engine.dispose()

    def _copy(self, name: str) -> None:
        self._release()
        if self.url.get_backend_name() == "postgresql":
            self._ask(f'DROP DATABASE IF EXISTS "{self.url.database}_{name}" WITH (FORCE)')
            self._ask(f'CREATE DATABASE "{self.url.database}_{name}" TEMPLATE "{self.url.database}"')
            return
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        shutil.copy(self._file, self.folder / f"{name}.db")

    def _replace(self, name: str) -> None:
        self._release()
        if self.url.get_backend_name() == "postgresql":
            self._ask(f'DROP DATABASE IF EXISTS "{self.url.database}" WITH (FORCE)')
            self._ask(f'CREATE DATABASE "{self.url.database}" TEMPLATE "{self.url.database}_{name}"')
            return
        for ending in ("-wal", "-shm"):
            Path(f"{self._file}{ending}").unlink(missing_ok=True)
        shutil.copy(self.folder / f"{name}.db", self._file)

    @property
    def _file(self) -> Path:
        return Path(self.url.database or "")

    def _ask(self, statement: str) -> None:
        """Databases are made and dropped from beside them, outside any transaction."""
        engine = sa.create_engine(
            self.url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
