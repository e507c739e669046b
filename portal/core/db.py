"""The database: one session a request, one commit an unsafe request, and the column types all tables share."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask, Response, request
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached
from sqlalchemy.types import TypeDecorator

from portal.config import Config
from portal.core.engines import acting, engine_options, prepare_postgresql, prepare_sqlite, reading_only, writing
from portal.core.errors import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_kept: ContextVar[list["Kept"] | None] = ContextVar("kept", default=None)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; refuses a naive one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON kept as readable text on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


def one_of(kind: type[StrEnum]) -> sa.Enum:
    """A column holding the values of a StrEnum as text, the same on both databases."""
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=24,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}


Row = TypeVar("Row", bound=Base)
Kept = tuple[type[Base], dict[str, Any]]


db = SQLAlchemy(session_options={"autoflush": True, "expire_on_commit": False})


def _refuse_writes(session: Session, _flush: Any, _instances: Any) -> None:
    if session.new or session.dirty or session.deleted:
        _refuse_to_write()


def _refuse_to_write() -> None:
    if reading_only.get():
        raise RuntimeError("a safe request tried to write; only aside() may")


def init(app: Flask, config: Config) -> None:
    app.config["SQLALCHEMY_ENGINES"] = {"default": engine_options(config)}
    db.init_app(app)
    # No engine here is asynchronous. Left in place, this hook starts an event loop at the end of every request.
    app.teardown_appcontext_funcs[:] = [
        act for act in app.teardown_appcontext_funcs if act.__name__ != "_close_async_sessions"
    ]
    with app.app_context():
        if config.sqlite:
            prepare_sqlite(db.engine)
        else:
            prepare_postgresql(db.engine)
        event.listen(db.sessionmaker, "before_flush", _refuse_writes)
    app.before_request(_open)
    app.after_request(_close)


def _open() -> None:
    unsafe = request.method not in SAFE_METHODS
    writing.set(unsafe)
    acting.set(unsafe)
    reading_only.set(not unsafe)


def _close(response: Response) -> Response:
    """Commit an unsafe request that succeeded, before its answer leaves; roll everything else back."""
    session = db.session
    if request.method not in SAFE_METHODS and response.status_code < 400:
        _finish(session)
    else:
        session.info.pop("after_commit", None)
        session.rollback()
    return response


def _finish(session: Session) -> None:
    session.commit()
    for act in session.info.pop("after_commit", []):
        act()


def undo() -> None:
    """Take back what the running transaction wrote: an act was refused, and the answer is none that rolls back."""
    db.session.info.pop("after_commit", None)
    db.session.rollback()


def after_commit(act: Callable[[], None]) -> None:
    """Do something once the running transaction has committed; forgotten when it rolls back."""
    db.session.info.setdefault("after_commit", []).append(act)


@contextmanager
def transaction() -> Iterator[Session]:
    """One committed transaction, for commands and jobs.

    It begins afresh: a session that has read already holds an older view, and SQLite refuses at once, without waiting,
    to write from one.
    """
    before, reading = writing.set(True), reading_only.set(False)
    session = db.session
    session.rollback()
    try:
        yield session
        _finish(session)
    except BaseException:
        session.info.pop("after_commit", None)
        session.rollback()
        raise
    finally:
        writing.reset(before)
        reading_only.reset(reading)


@contextmanager
def aside() -> Iterator[Session]:
    """A short transaction of its own for what must outlive a refusal or a read.

    The request's own transaction is rolled back first, because SQLite has one writer. Closed list of uses: a session's
    last use, failed sign-ins, throttle counts, the tries of a one-time code, denied accesses in the audit, an
    auditor's reading.
    """
    db.session.rollback()
    before, reading = writing.set(True), reading_only.set(False)
    try:
        with db.sessionmaker() as session, session.begin():
            yield session
    finally:
        writing.reset(before)
        reading_only.reset(reading)


@contextmanager
def reading() -> Iterator[None]:
    """Within an unsafe request: read (and unseal, and build a page) while the write lock is not held.

    What was written so far is undone. What is read stays with the session, for a transaction that begins anew; that one
    checks again whatever must still be true. A safe request reads anyway.
    """
    if not writing.get():
        yield
        return
    db.session.rollback()
    before, only = writing.set(False), reading_only.set(True)
    try:
        yield
        # Ends the transaction, which wrote nothing, without forgetting what it read.
        db.session.commit()
    finally:
        db.session.rollback()
        reading_only.reset(only)
        writing.reset(before)


@contextmanager
def apart() -> Iterator[Session]:
    """A reading session of its own, beside the request's."""
    before = writing.set(False)
    try:
        with db.sessionmaker() as session:
            yield session
    finally:
        writing.reset(before)


def glance(query: sa.Select[Any], parameters: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
    """What one query finds before the view begins, who is acting; no writing transaction is open for it."""
    if not writing.get():
        return db.session.connection().execute(query, parameters).all()
    before, only = writing.set(False), reading_only.set(True)
    try:
        with db.engine.connect() as connection:
            return connection.execute(query, parameters).all()
    finally:
        reading_only.reset(only)
        writing.reset(before)


@contextmanager
def unique_or(refusal: Refused) -> Iterator[None]:
    """Flush inside a savepoint; a broken constraint becomes the refusal and leaves the transaction usable."""
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except IntegrityError:
        raise refusal from None


def guarded(statement: sa.Update | sa.Delete, values: dict[str, Any] | None = None) -> bool:
    """Run a conditional UPDATE or DELETE; True when exactly the guarded row was changed."""
    db.session.flush()
    result = db.session.connection().execute(statement, values)
    return bool(result.rowcount == 1)


def rows_of(query: sa.Select[*tuple[Any, ...]], parameters: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a query that selects columns: half of what the session's own execute costs, for the hottest paths.

    What the session still holds is not written first: ask this before an act begins to change things.
    """
    return db.session.connection().execute(query, parameters).all()


def insert(model: type[Base], *rows: dict[str, Any], session: Session | None = None) -> None:
    """Insert rows at once, for which no object is needed afterwards: a third of what a flush costs."""
    _refuse_to_write()
    kept = _kept.get()
    if kept is None or session is not None:
        statement = _inserting(model) if len(rows) == 1 else _inserting_several(model)
        (session or db.session).connection().execute(statement, rows)
    else:
        kept.extend((model, row) for row in rows)


@cache
def _inserting(model: type[Base]) -> sa.Insert:
    return sa.insert(model.__table__).inline()  # type: ignore[arg-type]


@cache
def _inserting_several(model: type[Base]) -> Any:
    """Asked to answer, they go in one statement; a batch that PostgreSQL refuses has its driver warn in the log."""
    return sa.insert(model.__table__).returning(sa.literal(1))  # type: ignore[arg-type]


@contextmanager
def together() -> Iterator[None]:
    """What insert() is given in here is written at the end; PostgreSQL does so in one statement, one round trip."""
    kept: list[Kept] = []
    outer = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(outer)
    if len(kept) < 2 or db.engine.dialect.name != "postgresql":
        for model, row in kept:
            insert(model, row)
        return
    values = {f"{at}_{name}": value for at, (_model, row) in enumerate(kept) for name, value in row.items()}
    db.session.connection().execute(_inserting_together(tuple((model, tuple(row)) for model, row in kept)), values)


@cache
def _inserting_together(rows: tuple[tuple[type[Base], tuple[str, ...]], ...]) -> sa.Insert:
    """An INSERT for each row, all but the last as parts (WITH) of it; a column left out takes its default."""
    parts = [_inserting_one(number, model, names) for number, (model, names) in enumerate(rows)]
    return parts[-1].add_cte(*(part.cte(f"row_{number}") for number, part in enumerate(parts[:-1])))


def _inserting_one(number: int, model: type[Base], names: Sequence[str]) -> sa.Insert:
    table: Any = model.__table__
    values = {name: sa.bindparam(f"{number}_{name}", type_=table.c[name].type) for name in names}
    defaults = {
        column.key: sa.literal(column.default.arg, column.type)
        for column in table.c
        if column.key not in values and column.default is not None and column.default.is_scalar
    }
    return sa.insert(table).inline().values({**defaults, **values})


def insert_once(model: type[Base], row: dict[str, Any]) -> bool:
    """Insert a row unless a unique constraint forbids it. It waits for whoever inserts the same just now."""
    _refuse_to_write()
    statement = _inserting_once(model, db.engine.dialect.name)
    return db.session.connection().execute(statement, row).one_or_none() is not None


@cache
def _inserting_once(model: type[Base], dialect: str) -> Any:
    insert_into = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert_into(model.__table__).on_conflict_do_nothing().returning(sa.literal(1))  # type: ignore[arg-type]


def insert_new(model: type[Row], row: dict[str, Any]) -> Row | None:
    """The same, for which the object is wanted; None when a constraint forbids it.

    What `row` leaves to a column's default is read back when it is asked for.
    """
    _refuse_to_write()
    number = db.session.connection().execute(_inserting_new(model, db.engine.dialect.name), row).scalar()
    if number is None:
        return None
    thing = model(id=number, **row)
    make_transient_to_detached(thing)
    db.session.add(thing)
    return thing


@cache
def _inserting_new(model: type[Base], dialect: str) -> Any:
    insert_into = postgresql.insert if dialect == "postgresql" else sqlite.insert
    table: Any = model.__table__
    return insert_into(table).on_conflict_do_nothing().returning(table.c.id)
