"""Backups: one file holds the database, the uploads and a manifest; never the keys, which are kept apart."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.config import Config
from portal.core import migrating
from portal.core.clock import now

MANIFEST = "manifest.json"
STAMP = "%Y%m%dT%H%M%SZ"
DATABASES = {"sqlite": "portal.db", "postgresql": "portal.dump"}
# The newest of each of the last 24 hours, 14 days and 12 months that have one.
KEPT = (("%Y%m%d%H", 24), ("%Y%m%d", 14), ("%Y%m", 12))


class BadBackup(Exception):
    """This file cannot be made, or cannot be restored here; the message says why and what to do."""


def _kind(config: Config) -> str:
    return "sqlite" if config.sqlite else "postgresql"


def sqlite_path(config: Config) -> Path:
    return Path(config.database_url.removeprefix("sqlite:///"))


def create(config: Config, folder: Path) -> Path:
    """Write a backup of the running site into `folder` and return its path; writers go on meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"portal-{now().strftime(STAMP)}.tar.gz"
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as name:
        content = Path(name) / DATABASES[_kind(config)]
        _dump(config, content)
        members = {content.name: content, **_uploads(config.instance)}
        fresh = Path(name) / target.name
        _pack(fresh, members, {"kind": _kind(config), "revision": migrating.head(), "made": now().isoformat()})
        fresh.replace(target)
    return target


def _dump(config: Config, target: Path) -> None:
    if config.sqlite:
        _copy_sqlite(sqlite_path(config), target)
    else:
        _run(config, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def _copy_sqlite(source: Path, target: Path) -> None:
    """One step of SQLite's backup API: a copy of the file alone would miss what still stands in the WAL."""
    if not source.exists():
        raise BadBackup(f"there is no database at {source.name}: run `portal migrate` first")
    with closing(sqlite3.connect(source, timeout=30)) as here, closing(sqlite3.connect(target)) as copy:
        here.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        found = copy.execute("PRAGMA quick_check").fetchone()
    if found != ("ok",):
        raise BadBackup(f"the copy is not whole: {found[0]}")


def _uploads(instance: Path) -> dict[str, Path]:
    root = instance / "uploads"
    return {path.relative_to(instance).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}


def _pack(target: Path, members: dict[str, Path], facts: dict[str, Any]) -> None:
    digests = {name: _digest(path) for name, path in members.items()}
    manifest = json.dumps({**facts, "files": digests}, indent=1).encode()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            head = tarfile.TarInfo(MANIFEST)
            head.size = len(manifest)
            archive.addfile(head, io.BytesIO(manifest))
            for name, path in members.items():
                archive.add(path, name, recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prune(folder: Path) -> list[Path]:
    """Delete what is older than the kept hours, days and months; return what went."""
    dated = sorted(((_made(path), path) for path in folder.glob("portal-*.tar.gz")), reverse=True)
    kept: set[Path] = set()
    for form, count in KEPT:
        newest: dict[str, Path] = {}
        for moment, path in dated:
            newest.setdefault(moment.strftime(form), path)
        kept.update(list(newest.values())[:count])
    gone = [path for _moment, path in dated if path not in kept]
    for path in gone:
        path.unlink()
    return gone


def _made(path: Path) -> datetime:
    return datetime.strptime(path.name.removeprefix("portal-").removesuffix(".tar.gz"), STAMP)  # noqa: DTZ007 compared with its like


def unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup and check each file against the manifest, which is returned."""
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                _extract(archive, member, folder)
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        raise BadBackup(f"{file.name} is not a backup of this portal, or is not whole: {error}") from None
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BadBackup(f"{file.name}: {name} is not what the manifest says; take another backup")
    return manifest


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Plain files below `folder`, and nothing else."""
    target = (folder / member.name).resolve()
    source = archive.extractfile(member) if member.isfile() else None
    if source is None or not target.is_relative_to(folder.resolve()):
        raise ValueError(f"{member.name} has no place in a backup")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)


def restore(config: Config, file: Path, *, replace: bool) -> dict[str, Any]:
    """Put a backup where this site's database and uploads are; return its manifest.

    What stands there is refused, or with `replace` put aside. Nothing changes unless the backup is whole.
    """
    config.instance.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=config.instance) as name:
        folder = Path(name)
        manifest = unpack(file, folder)
        if manifest["kind"] != _kind(config):
            raise BadBackup(f"this backup is of {manifest['kind']}, DATABASE_URL names {_kind(config)}")
        content = folder / DATABASES[_kind(config)]
        if config.sqlite:
            _put_sqlite(sqlite_path(config), content, replace=replace)
        else:
            _put_postgresql(config, content, replace=replace)
        _put_uploads(config.instance, folder / "uploads")
    return manifest


def _put_uploads(instance: Path, fresh: Path) -> None:
    here = instance / "uploads"
    if here.exists():
        aside = instance / "uploads.replaced"
        shutil.rmtree(aside, ignore_errors=True)
        here.rename(aside)
    if fresh.is_dir():
        fresh.rename(here)


def _put_sqlite(target: Path, fresh: Path, *, replace: bool) -> None:
    if target.exists():
        _refuse_used(target)
        if not replace and _tables(target):
            raise BadBackup("the database is not empty: add --replace to put it aside")
        target.replace(target.with_name(target.name + ".replaced"))
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)


def _refuse_used(path: Path) -> None:
    """Leaving the WAL needs to be alone with the file: while a process has it open this is refused."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise BadBackup("the database is in use: stop the web server and the jobs first") from None
    except sqlite3.DatabaseError:
        # Too broken to be opened, which is why it is being replaced.
        return


def _tables(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.DatabaseError:
        return True


def _put_postgresql(config: Config, fresh: Path, *, replace: bool) -> None:
    """Restore into a new schema; the old one goes when that has succeeded, and comes back when not."""
    engine = sa.create_engine(config.database_url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        if connection.scalar(sa.text(f"{others} AND backend_type = 'client backend'")):
            raise BadBackup("the database is in use: stop the web server and the jobs first")
        if connection.scalar(sa.text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) and not replace:
            raise BadBackup("the database is not empty: add --replace to put it aside")
        _each(connection, ["DROP SCHEMA IF EXISTS replaced CASCADE", "ALTER SCHEMA public RENAME TO replaced"])
        connection.execute(sa.text("CREATE SCHEMA public"))
        try:
            _run(config, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"{fresh}")
        except BadBackup:
            _each(connection, ["DROP SCHEMA public CASCADE", "ALTER SCHEMA replaced RENAME TO public"])
            raise
        _each(connection, ["DROP SCHEMA replaced CASCADE", "ANALYZE"])
    engine.dispose()


def _each(connection: sa.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(sa.text(statement))


def _program(name: str) -> str:
    """The newest installed; Debian keeps them out of the path of a service."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if not found:
        raise BadBackup(f"{name} is not installed: install the package postgresql-client")
    return found


def _run(config: Config, name: str, *arguments: str) -> None:
    """Run a PostgreSQL program; the password goes by the environment, which no process list shows."""
    url = sa.make_url(config.database_url)
    host = url.host or url.query.get("host", "")
    facts = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    env = {**os.environ, **{key: str(value) for key, value in facts.items() if value}}
    command = [_program(name), f"--dbname={url.database}", *arguments]
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)  # noqa: S603 PostgreSQL's own
    if done.returncode:
        raise BadBackup(f"{name}: {done.stderr.strip()[-500:]}")
