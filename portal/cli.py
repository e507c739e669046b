"""The commands of a site: `portal run`, `migrate`, `serve`, `jobs`, `backup`, `restore`, `verify` and others."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
from flask import Flask

from portal import config as configuration
from portal.app import create_app
from portal.config import BadConfig, Config, Mode
from portal.core import (
    audit,
    backups,
    blinding,
    collecting,
    health,
    housekeeping,
    jobs,
    migrating,
    rotation,
    sealing,
    serving,
    supervising,
    verifying,
)
from portal.core.backups import BadBackup
from portal.core.db import db
from portal.deliberation import recount as recounting
from portal.demo import load as demonstration

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@click.group()
def main() -> None:
    """Community portal: one database, two platforms."""
    collecting.settle()


def _end(sentence: object, code: int = 2) -> NoReturn:
    click.echo(f"portal: {sentence}", err=True)
    sys.exit(code)


def loaded() -> Config:
    """The configuration, or an end with the sentence that says what is wrong."""
    try:
        return configuration.load()
    except BadConfig as bad:
        _end(bad)


def application(config: Config) -> Flask:
    try:
        return create_app(config)
    except BadConfig as bad:
        _end(bad)


def migrated(config: Config) -> Flask:
    """The application on a database that is at this version, or an end that says what to run."""
    app = application(config)
    with app.app_context():
        current, head = migrating.current(), migrating.head()
    if current != head:
        _end(f"the database is at revision {current or 'none'}, this version needs {head}: run `portal migrate`")
    return app


def _migrate(config: Config) -> None:
    try:
        sealing.load(config.keys_file, create=True)
    except BadConfig as bad:
        _end(bad)
    migrating.upgrade(config)


def _address(config: Config) -> tuple[str, int]:
    """Where to listen. A demonstration, whose passwords are printed, stays on the loopback."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdigit() or int(port) > 65535:
        _end(f"PORT must be a number up to 65535, not {port!r}")
    if not config.production and host not in LOOPBACK:
        _end(f"a demonstration listens on the loopback only, not on {host}: set PORTAL_MODE=production")
    return host, int(port)


@main.command()
def migrate() -> None:
    """Bring the database to this version, and make the key file at the first start."""
    config = loaded()
    _migrate(config)
    click.echo(f"database at {migrating.head()}")


@main.command()
def serve() -> None:
    """Serve the portal by itself, with its static files (HOST, PORT, THREADS)."""
    config = loaded()
    host, port = _address(config)
    app = migrated(config)
    with app.app_context():
        health.beat(health.WEB)
    sys.exit(0 if _serve(app, config, host, port, _say_address) else 1)


def _serve(app: Flask, config: Config, host: str, port: int, started: Callable[[str], None]) -> bool:
    collecting.settle()
    try:
        return serving.serve(app, host=host, port=port, threads=config.threads, started=started)
    except OSError as error:
        _end(f"cannot listen at {host}:{port}: {error.strerror}")


def _say_address(address: str) -> None:
    click.echo(f"serving at {address}")


@main.command("jobs")
def work() -> None:
    """Run background jobs: messages, no-shows, the audit's seal, what is swept at night."""
    _work(migrated(loaded()))


def _work(app: Flask) -> None:
    logging.getLogger("huey").setLevel(logging.WARNING)
    with app.app_context():
        flaw = health.queue_flaw(health.WEB)
        health.beat_of_jobs()
    if flaw:
        click.echo(f"portal: warning: {flaw}", err=True)
    jobs.of(app).work_off()


@main.command()
def demo() -> None:
    """Load the demonstration street into an empty database, and print its accounts."""
    config = loaded()
    if config.production:
        _end("the demonstration is not loaded in production: set PORTAL_MODE=demo")
    _demo(migrated(config))


def _demo(app: Flask) -> None:
    for shown in demonstration.load_demo(app):
        click.echo(f"  {shown.role}  {shown.address}  {shown.name}  {shown.password}")


@main.command()
def run() -> None:
    """Everything at once, for a look: migrate, load the demonstration, serve, work off jobs; Ctrl-C ends it all."""
    os.environ.setdefault("PORTAL_MODE", Mode.DEMO.value)
    config = loaded()
    host, port = _address(config)
    if "PORT" not in os.environ:
        port = supervising.free_port(host, port)
    _migrate(config)
    app = migrated(config)
    if not config.production:
        _load_first(app)
        _demo(app)
    sys.exit(0 if _both(app, config, host, port) else 1)


def _load_first(app: Flask) -> None:
    """Load the street where there is none, and begin again: not with the memory that loading took."""
    if demonstration.is_empty(app):
        click.echo("portal: loading the demonstration street, this once; it takes about half a minute")
        demonstration.load_demo(app)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "portal", "run"])  # noqa: S606 ourselves


def _both(app: Flask, config: Config, host: str, port: int) -> bool:
    """The web server here, the jobs in a child. Answer whether the end was asked for and all was finished."""
    with app.app_context():
        health.beat(health.WEB)
        jobs.of(app).let_go()
        db.engine.dispose()
    collecting.settle()
    child = supervising.Companion(lambda: _work(app))
    signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))

    def started(address: str) -> None:
        child.when_gone(lambda: signal.raise_signal(signal.SIGTERM))
        click.echo(f"\n  residents  {address}/\n  the desk   {address}/desk\n\n  Ctrl-C ends everything.\n")

    try:
        return _serve(app, config, host, port, started) and not child.gone
    finally:
        child.end()


@main.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Where to; instance/backups by default.")
def backup(folder: Path | None) -> None:
    """Back up the database and the uploads into one file, and thin out the older ones. The keys are not in it."""
    config = loaded()
    folder = folder or config.instance / "backups"
    try:
        made = backups.create(config, folder)
    except BadBackup as bad:
        _end(bad, 1)
    gone = backups.prune(folder)
    click.echo(f"{made} ({made.stat().st_size:,} bytes); {len(gone)} older ones deleted")
    click.echo(f"keep {config.keys_file.name} apart from it: without the keys the sealed values stay sealed")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put aside the database that stands there.")
def restore(file: Path, *, replace: bool) -> None:
    """Restore a backup, bring it to this version and verify it."""
    config = loaded()
    if not config.keys_file.exists():
        _end(f"put the site's {config.keys_file.name} into the instance folder first", 1)
    try:
        manifest = backups.restore(config, file, replace=replace)
    except BadBackup as bad:
        _end(bad, 1)
    click.echo(f"restored the backup of {manifest['made']}, revision {manifest['revision']}")
    _migrate(config)
    _verify(application(config))


@main.command()
def verify() -> None:
    """Check the database, its references, the audit's chain and a sample of sealed values."""
    _verify(application(loaded()))


def _verify(app: Flask) -> None:
    with app.app_context():
        report = verifying.verify()
    for line in report.lines:
        click.echo(line)
    for flaw in report.flaws:
        click.echo(f"FLAW: {flaw}", err=True)
    if report.flaws:
        sys.exit(1)
    click.echo("no flaw found")


@main.command("rotate-keys")
@click.option("--index", is_flag=True, help="The key of the blind indexes instead of the one that seals.")
def rotate_keys(*, index: bool) -> None:
    """Seal (or index) everything with a new key and drop the old one; the portal may run meanwhile."""
    config = loaded()
    app = migrated(config)
    try:
        with app.app_context():
            done = (blinding if index else rotation).rotate(config.keys_file)
    except RuntimeError as flaw:
        _end(flaw, 1)
    what = "indexed" if index else "sealed"
    click.echo(f"{done.values} values {what} again; key {done.key} is the only one now")
    click.echo(f"copy {config.keys_file.name} to its safe place; older backups need the copy made before")


@main.command("seal-audit")
def seal_audit() -> None:
    """Seal the audit's settled rows now instead of within the minute."""
    app = migrated(loaded())
    with app.app_context():
        housekeeping.seal_audit()
        head = audit.head_batch()
    click.echo(f"head {head.hash}" if head else "nothing to seal")


@main.group()
def deliberation() -> None:
    """What anybody may check of the votes."""


@deliberation.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", default="", help="The number printed on the outcome.")
@click.option("--receipt", default="", help="A receipt to look for.")
def recount(file: Path, head: str, receipt: str) -> None:
    """Recount the published file of a vote; portal/deliberation/recount.py does the same without the portal."""
    sys.exit(recounting.main([str(file), "--head", head, "--receipt", receipt]))


if __name__ == "__main__":
    main()
